// SPDX-License-Identifier: MIT
// The nouns of the library: what a conversation, a message, a profile look like to a program.
// Everything given out is immutable: what changes is a new object, what did not change is the same
// one, so `===` tells. Texts are plain text; nobody may ever make HTML of them.

/** A user's name: 2 to 32 of `a-z 0-9 . _ -`. */
export type Handle = string;
/** A conversation's id, a UUID. */
export type ConversationId = string;
/** A moment, RFC 3339 in UTC, as `Date.parse` takes it. */
export type Time = string;
/** The sender's own name for a draft; unique within (conversation, sender). */
export type DraftId = string;

export type ConversationKind = 'direct' | 'group' | 'channel';
/** In falling order of rights; a reader does not post. */
export type Role = 'owner' | 'admin' | 'member' | 'reader';
/** Who posts in a channel. */
export type Posting = 'all' | 'admins';

/** Why something was refused; stable. Two are the library's own: `offline` (no connection could be
 * made, or the answer did not come in time) and `aborted` (the client was stopped meanwhile). */
export type Code =
  | 'invalid' | 'unauthorized' | 'forbidden' | 'not_found' | 'conflict' | 'too_large'
  | 'limit_reached' | 'rate_limited' | 'unavailable' | 'out_of_order' | 'internal'
  | 'offline' | 'aborted';

/** A refusal, as data. `reason` is for a log, not for people. */
export interface Refusal {
  readonly code: Code;
  readonly reason: string;
}

/** One item of a conversation's log, as the server writes it. Kinds and members that a client does
 * not know may come; it ignores them, and counts their `seq`. */
export interface Entry {
  readonly conversation: ConversationId;
  readonly seq: number;
  readonly at: Time;
  readonly from: Handle;
  readonly kind: string;
  readonly id?: DraftId;
  readonly text?: string;
  readonly reply_to?: number;
  readonly target?: number;
  readonly emoji?: string;
  readonly remove?: boolean;
  readonly deleted?: boolean;
  readonly members?: readonly Handle[];
  readonly title?: string | null;
  readonly owner?: Handle;
  readonly user?: Handle;
  readonly role?: Role;
  readonly name?: string | null;
  readonly public?: boolean;
  readonly posting?: Posting;
  readonly retention_days?: number | null;
  /** These two in the server's folded view alone. */
  readonly edited_at?: Time;
  readonly reactions?: { readonly [emoji: string]: FoldedReaction };
}

/** A reaction as the server's folded view tells it. */
export interface FoldedReaction {
  readonly count: number;
  readonly users: readonly Handle[];
  readonly own?: boolean;
}

/** What to expect of a conversation; a channel has no typing, presence or cursors of others. */
export interface ConversationLimits {
  readonly members: number;
  readonly text_characters: number;
  readonly typing: boolean;
  readonly presence: boolean;
  readonly cursors: boolean;
}

/** The newest message or notice of a conversation, its text cut to 100 characters. */
export interface Preview {
  readonly seq: number;
  readonly from: Handle;
  readonly at: Time;
  /** `text` for a message, otherwise what happened, as in `Entry`. */
  readonly kind: string;
  readonly text: string | null;
  readonly deleted: boolean;
}

/** A conversation as a list shows it. */
export interface Conversation {
  readonly id: ConversationId;
  readonly kind: ConversationKind;
  /** Of groups and channels that have one. */
  readonly title: string | null;
  /** Of direct conversations: the other user, or oneself in notes to self. */
  readonly user: Handle | null;
  /** The unique name of a channel that has one. */
  readonly name: string | null;
  readonly public: boolean;
  readonly posting: Posting | null;
  readonly role: Role;
  readonly limits: ConversationLimits;
  /** The last `seq` of the log that is known of. */
  readonly lastSeq: number;
  /** How far oneself has received and read, on whatever device. */
  readonly received: number;
  readonly read: number;
  /** Texts of others after `read`, without deleted ones; 100 means 100 or more. */
  readonly unread: number;
  readonly mutedUntil: Time | null;
  readonly preview: Preview | null;
  /** For how many days texts are kept; null: for ever; absent: not known here, see `learn`. */
  readonly retentionDays?: number | null;
}

export interface Cursor {
  readonly received: number;
  readonly read: number;
}

/** What became of a draft so far. `waiting`: in the outbox for good, to be sent when possible;
 * `sending`: on its way there, or sent and without a receipt yet; `failed`: refused for good, see
 * `error`; `stored`: it has its `seq`. */
export type DraftState = 'waiting' | 'sending' | 'failed' | 'stored';

export interface Reaction {
  readonly emoji: string;
  readonly count: number;
  /** Those who came first, at most 10. */
  readonly users: readonly Handle[];
  /** Oneself is among all of them. */
  readonly own: boolean;
}

/** An edit, deletion or reaction of one's own that is not stored yet. The message shows it as if it
 * were, unless it has failed. */
export interface Change {
  readonly id: DraftId;
  readonly kind: 'edit' | 'delete' | 'reaction';
  readonly state: DraftState;
  readonly error: Refusal | null;
  readonly text: string | null;
  readonly emoji: string | null;
}

/** A message as it is now: edited, reacted to, deleted. */
export interface MessageItem {
  readonly type: 'message';
  /** Names the item as long as it lives: the same before and after the message got its `seq`. */
  readonly key: string;
  readonly id: DraftId;
  readonly conversation: ConversationId;
  /** Null until stored. */
  readonly seq: number | null;
  readonly from: Handle;
  readonly at: Time;
  readonly own: boolean;
  /** Null when deleted. */
  readonly text: string | null;
  readonly deleted: boolean;
  readonly editedAt: Time | null;
  /** The `seq` of what it answers. */
  readonly replyTo: number | null;
  readonly reactions: readonly Reaction[];
  readonly state: DraftState;
  readonly error: Refusal | null;
  readonly changes: readonly Change[];
}

/** Something else that happened: members came and went, a title changed. */
export interface NoticeItem {
  readonly type: 'notice';
  readonly key: string;
  readonly conversation: ConversationId;
  readonly seq: number;
  readonly from: Handle;
  readonly at: Time;
  readonly entry: Entry;
}

export type TimelineItem = MessageItem | NoticeItem;

/** What a timeline shows. Oldest first; what is not stored yet stands at the end. */
export interface TimelineView {
  readonly conversation: ConversationId;
  readonly items: readonly TimelineItem[];
  /** The stored entries have been read; false only shortly after `open`. */
  readonly loaded: boolean;
  /** The log is here from its beginning: `loadOlder` has nothing to do. */
  readonly complete: boolean;
  readonly loadingOlder: boolean;
  /** Newer entries are known of and not here yet. */
  readonly catchingUp: boolean;
}

/** A draft in the outbox. */
export interface OutboxItem {
  readonly id: DraftId;
  /** A conversation's id, or `@handle` while the direct conversation is not known. */
  readonly target: string;
  readonly draft: Draft;
  readonly at: Time;
  readonly state: Exclude<DraftState, 'stored'>;
  readonly error: Refusal | null;
}

/** What a device posts, without its id. */
export type Draft =
  | { readonly kind: 'text'; readonly text: string; readonly reply_to?: number }
  | { readonly kind: 'edit'; readonly target: number; readonly text: string }
  | { readonly kind: 'delete'; readonly target: number }
  | {
      readonly kind: 'reaction';
      readonly target: number;
      readonly emoji: string;
      readonly remove?: true;
    };

/** Who is logged in. `restoring` until `start` has read the store. In `signedOut`, `reason` says
 * why a login ended that the user did not end: revoked elsewhere, or too old. */
export type SessionState =
  | { readonly state: 'restoring' }
  | { readonly state: 'signedOut'; readonly reason: Refusal | null }
  | {
      readonly state: 'signedIn';
      readonly user: Handle;
      /** What this connection is called; each tab has its own. */
      readonly device: string;
      /** Which of `listDevices` this is, when the token tells. */
      readonly login: string | null;
    };

/** Whether messages flow. `online`: live, and brought up to date or about to be (`syncing`).
 * `waiting`: the next attempt is at `retryAt` (milliseconds since 1970). `displaced`: another
 * connection took this one's place (`conflict`: of the same device; `limit_reached`: the user has
 * too many); the two would take turns for ever, so only `nudge` makes it again. */
export type ConnectionState =
  | { readonly state: 'stopped' }
  | { readonly state: 'connecting' }
  | { readonly state: 'online'; readonly syncing: boolean }
  | { readonly state: 'waiting'; readonly retryAt: number; readonly error: Refusal }
  | { readonly state: 'displaced'; readonly error: Refusal };

/** What another user is. `unknown`: not told yet, no connection, or not to be seen by oneself. */
export interface Presence {
  readonly user: Handle;
  readonly state: 'online' | 'away' | 'offline' | 'unknown';
  readonly lastSeen: Time | null;
}

export type Visibility = 'everyone' | 'contacts' | 'nobody';

/** Of a user, as much as the reader may know. */
export interface Profile {
  readonly user: Handle;
  readonly name: string | null;
  /** The picture's id, which changes with it. */
  readonly avatar: string | null;
  readonly created_at: Time;
  readonly email?: string | null;
  readonly last_seen?: Time;
  /** The settings, of oneself alone. */
  readonly email_visibility?: Visibility;
  readonly last_seen_visibility?: Visibility;
}

/** What is given changes, null takes away, what is absent stays. */
export interface ProfileChange {
  readonly name?: string | null;
  readonly email?: string | null;
  readonly email_visibility?: Visibility;
  readonly last_seen_visibility?: Visibility;
}

export interface FoundUser {
  readonly user: Handle;
  readonly name: string | null;
  readonly avatar: string | null;
}

export interface Member {
  readonly user: Handle;
  readonly role: Role;
  readonly joined_at: Time;
  readonly received?: number;
  readonly read?: number;
}

/** One login: a device that named itself, or one that did not. */
export interface DeviceLogin {
  readonly login: string;
  readonly device?: string;
  readonly created_at: Time;
  readonly last_used_at: Time;
  readonly expires_at: Time;
}

/** An invite just made. It is told this once. */
export interface Invite {
  readonly conversation: ConversationId;
  /** Names it to those who may list and revoke it; nobody can join with this. */
  readonly id: string;
  readonly invite: string;
  /** Of the form `/join/…`, relative to the server's address. */
  readonly url: string;
  readonly expires_at: Time | null;
  readonly uses: number | null;
}

/** An invite that can still be used. */
export interface ListedInvite {
  readonly id: string;
  readonly created_at: Time;
  readonly created_by: Handle;
  readonly expires_at: Time | null;
  readonly uses_left: number | null;
}

/** What an invite leads to. */
export interface InviteView {
  readonly kind: ConversationKind;
  readonly title?: string;
  readonly member_count: number;
  readonly expires_at: Time | null;
}

export interface Block {
  readonly user: Handle;
  readonly created_at: Time;
}

/** A message that was found. */
export interface Hit {
  readonly conversation: ConversationId;
  readonly seq: number;
  readonly at: Time;
  readonly from: Handle;
  readonly text: string;
  readonly edited_at?: Time;
}

export interface HitPage {
  readonly hits: readonly Hit[];
  /** Entries that are not indexed yet; 0 when nothing can be missing. */
  readonly pending: number;
  readonly more: boolean;
  /** Asks for the next page. */
  readonly next?: string;
}

export interface MessageQuery {
  readonly query: string;
  readonly conversation?: ConversationId;
  readonly from?: Handle;
  readonly after?: Time;
  readonly before?: Time;
  readonly next?: string;
  readonly limit?: number;
}

/** Where messages are pushed to while no device is connected. */
export type PushTarget =
  | { readonly provider: 'fcm'; readonly token: string }
  | { readonly provider: 'apns'; readonly token: string; readonly app?: string }
  | {
      /** As `PushSubscription.toJSON()` gives it. */
      readonly provider: 'web';
      readonly endpoint: string;
      readonly keys: { readonly p256dh: string; readonly auth: string };
    }
  | { readonly provider: 'webhook'; readonly url: string; readonly secret: string };

export interface PushRegistration {
  readonly registration: string;
  readonly provider: PushTarget['provider'];
  readonly device?: string;
  readonly app?: string;
  readonly created_at: Time;
  readonly used_at: Time;
}

export interface SignUp {
  readonly handle: Handle;
  readonly password: string;
  readonly name?: string;
  readonly email?: string;
}

export interface Credentials {
  readonly handle: Handle;
  readonly password: string;
}
