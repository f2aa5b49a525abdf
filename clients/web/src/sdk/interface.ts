// SPDX-License-Identifier: MIT
// The surface of the library: what `createClient` gives. Semantics are told here and in README.md;
// the classes behind it are nobody's business.
//
// Every promise that this surface gives is rejected with a `BanterError` and nothing else.
import type { Readable } from './observable.ts';
import type {
  Block, Conversation, ConversationId, ConnectionState, Credentials, Cursor, DeviceLogin, DraftId,
  Entry, FoundUser, Handle, HitPage, Invite, InviteView, ListedInvite, Member, MessageQuery,
  OutboxItem, Posting, Presence, Profile, ProfileChange, PushRegistration, PushTarget, Role,
  SessionState, SignUp, Time, TimelineItem, TimelineView,
} from './types.ts';

/** One device of one user. Make it once, `start` it, and keep it as long as the program runs. */
export interface Client {
  readonly session: Readable<SessionState>;
  readonly connection: Readable<ConnectionState>;
  /** Most recently active first. There before the network is: it is read from the store. */
  readonly conversations: Readable<readonly Conversation[]>;
  /** Drafts of this user without a receipt, and those that failed; oldest first. */
  readonly outbox: Readable<readonly OutboxItem[]>;
  readonly commands: Commands;
  readonly people: People;

  /** Reads the store and, when somebody is logged in, connects. Resolves when the store is read. */
  start(): Promise<void>;
  /** Ends the connection and writes what is unwritten; the login stays. May be started again. */
  stop(): Promise<void>;

  /** Makes an account and logs in to it. `conflict`: the handle is taken. */
  signUp(account: SignUp): Promise<void>;
  /** `unauthorized`: no such user or another password; which of the two is not told. */
  logIn(credentials: Credentials): Promise<void>;
  /** Ends the login, here and on the server, and empties the store, outbox included. Without a
   * connection it forgets the login all the same. */
  logOut(): Promise<void>;

  /** What an invite leads to, without using it. Nobody needs to be logged in. */
  lookAtInvite(invite: string): Promise<InviteView>;

  /** Something suggests that a connection is possible or wanted now (the network is back, the page
   * is shown again): does not wait for the next attempt. */
  nudge(): void;

  /** One conversation; undefined while one is not in it. */
  conversation(id: ConversationId): Readable<Conversation | undefined>;
  /** The direct conversation with a user, if it exists already; else `commands.createDirect`. */
  directWith(user: Handle): Conversation | undefined;
  /** Shows a conversation. Every `open` needs its `close`; opening twice shares the work. */
  open(id: ConversationId): Timeline;

  /** Posts to a conversation, or to `@handle`, which makes the direct conversation. Resolves with
   * the draft's id when the outbox has it for good; `outbox` and timelines tell what becomes of
   * it. */
  send(target: string, text: string, options?: { replyTo?: number }): Promise<DraftId>;
  /** Sends a failed draft again, after all others. */
  retry(id: DraftId): Promise<void>;
  /** Takes back a draft that has failed or was never sent; false: too late, it may be stored. */
  discard(id: DraftId): Promise<boolean>;

  /** Called with every new entry of every conversation, one's own too: in `seq` order, each once.
   * After an absence of more than `GAP_MAX_ENTRIES` a conversation goes on with its newest ones. */
  onEntry(listener: (entry: Entry) => void): () => void;

  /** One message as it is now, also one that no timeline has loaded (a reply's); undefined: there
   * is none. Asks the server at most once. */
  message(conversation: ConversationId, seq: number): Promise<TimelineItem | undefined>;
  /** What surrounds a `seq`, to show a search hit in its place. It does not change by itself. */
  around(conversation: ConversationId, seq: number): Promise<readonly TimelineItem[]>;
  /** Messages with all words of `query`, in one's own conversations, newest first. */
  searchMessages(query: MessageQuery): Promise<HitPage>;
}

/** A conversation on the screen: a window of the log, up to its end, folded to messages. */
export interface Timeline {
  readonly view: Readable<TimelineView>;
  /** Who is typing, besides oneself. */
  readonly typing: Readable<readonly Handle[]>;
  /** How far the others have received and read; empty in channels. */
  readonly cursors: Readable<ReadonlyMap<Handle, Cursor>>;

  /** Loads a page before the oldest item; when nothing is left, or while loading, does nothing. */
  loadOlder(): Promise<void>;
  send(text: string, options?: { replyTo?: number }): Promise<DraftId>;
  edit(seq: number, text: string): Promise<DraftId>;
  remove(seq: number): Promise<DraftId>;
  /** `on` false takes it back. */
  react(seq: number, emoji: string, on?: boolean): Promise<DraftId>;
  /** One has read up to `seq`, or everything here. Call it as often as you like. */
  markRead(seq?: number): void;
  /** A key was pressed in the editor / the editor was emptied or left. Sending ends it, too. */
  typingNow(): void;
  typingEnded(): void;
  close(): void;
}

/** What changes conversations and the account. Each is one request; docs/protocol.md says who may
 * do what. Refusals are the server's. */
export interface Commands {
  createDirect(user: Handle): Promise<ConversationId>;
  createGroup(title: string | null, members: readonly Handle[]): Promise<ConversationId>;
  createChannel(channel: {
    title: string;
    name?: string;
    public?: boolean;
    posting?: Posting;
  }): Promise<ConversationId>;
  modifyConversation(conversation: ConversationId, change: {
    title?: string | null;
    name?: string | null;
    public?: boolean;
    posting?: Posting;
    /** For so many days texts are kept; null: for ever. */
    retention_days?: number | null;
  }): Promise<void>;
  /** Asks for what only the conversation itself tells: `retentionDays`. */
  learn(conversation: ConversationId): Promise<void>;
  deleteConversation(conversation: ConversationId): Promise<void>;
  addMembers(conversation: ConversationId, members: readonly Handle[]): Promise<readonly Handle[]>;
  removeMember(conversation: ConversationId, user: Handle): Promise<void>;
  setRole(conversation: ConversationId, user: Handle, role: Role): Promise<void>;
  leave(conversation: ConversationId): Promise<void>;
  /** One page, in a fixed order; `after` is the last handle of the page before. */
  listMembers(conversation: ConversationId, after?: Handle): Promise<{
    members: readonly Member[];
    more: boolean;
  }>;
  /** Joins a public channel by its id or name, or anything by an invite. */
  join(by: { conversation: ConversationId } | { name: string } | { invite: string }):
    Promise<ConversationId>;
  createInvite(conversation: ConversationId, bounds?: { expiresIn?: number; uses?: number }):
    Promise<Invite>;
  /** As the client's. */
  lookAtInvite(invite: string): Promise<InviteView>;
  /** One page, the oldest first; `after` is the last id of the page before. */
  listInvites(conversation: ConversationId, after?: string): Promise<{
    invites: readonly ListedInvite[];
    more: boolean;
  }>;
  /** By its id, or by the invite itself. */
  revokeInvite(by: { id: string } | { invite: string }): Promise<void>;
  revokeInvites(conversation: ConversationId): Promise<number>;
  /** Until when not to be disturbed; null ends it. Delivery goes on. */
  mute(conversation: ConversationId, until: Time | null): Promise<void>;
  block(user: Handle): Promise<void>;
  unblock(user: Handle): Promise<void>;
  listBlocks(after?: Handle): Promise<{ blocks: readonly Block[]; more: boolean }>;
  listDevices(): Promise<readonly DeviceLogin[]>;
  /** Ends one login, by its id, or all of a device, by its name. Resolves with how many. */
  revokeDevice(device: string): Promise<number>;
  /** Harmless to repeat: do it at every start. `not_found`: the server has no such provider.
   * Resolves with what `unregisterPush` wants. */
  registerPush(target: PushTarget): Promise<string>;
  unregisterPush(registration: string): Promise<void>;
  listPush(): Promise<readonly PushRegistration[]>;
  /** What a browser subscribes with. `not_found`: the server has no Web Push. */
  webPushKey(): Promise<string>;
}

/** Users: who they are, and whether they are there. */
export interface People {
  /** One's own, read when it is first watched, and again whenever a device changed it. */
  readonly self: Readable<Profile | undefined>;
  /** A profile, of oneself without `user`; kept for `PROFILE_FRESH_MS`. */
  profile(user?: Handle): Promise<Profile>;
  modifyProfile(change: ProfileChange): Promise<Profile>;
  /** PNG, JPEG, GIF or WebP, up to 1 MiB. Resolves with the picture's id. */
  setAvatar(picture: Uint8Array): Promise<string>;
  removeAvatar(): Promise<void>;
  /** The bytes of a user's picture and their type, or undefined when there is none. */
  avatar(user: Handle): Promise<{ bytes: Uint8Array; type: string } | undefined>;
  /** Users whose handle or name begins so. */
  search(query: string, limit?: number): Promise<{ users: readonly FoundUser[]; more: boolean }>;

  /** What a user is. Watched while something is subscribed to it, up to `PRESENCE_MAX_WATCHES`. */
  presence(user: Handle): Readable<Presence>;
  /** What this device is to be shown as; `hidden` hides the user on all devices. */
  setPresence(state: 'online' | 'away' | 'hidden'): void;
}
