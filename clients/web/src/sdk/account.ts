// SPDX-License-Identifier: MIT
// All that belongs to one user who is logged in, put together: what comes from the connection goes
// to whom it concerns. Lives from login to logout; nothing of it outlives that but the store.
import { Api } from './api.ts';
import { CatchUp } from './catch_up.ts';
import { AccountCommands } from './commands.ts';
import { Connection, type ConnectionListener } from './connection.ts';
import { Conversations, type Held, type LogListener } from './conversations.ts';
import { CursorSpeaker } from './cursors.ts';
import type { Discovery } from './discovery.ts';
import type { Http } from './http.ts';
import type { Timeline } from './interface.ts';
import { Keys } from './keys.ts';
import { ADOPT_EVERY_MS } from './limits.ts';
import { Lookup } from './lookup.ts';
import type { Value } from './observable.ts';
import { Outbox, type Mail, type Receipt } from './outbox.ts';
import { AccountPeople } from './people.ts';
import type { Platform, Timer } from './platform.ts';
import { Presences } from './presence.ts';
import { Records } from './records.ts';
import type { Identity, Session } from './session.ts';
import { Signals } from './signals.ts';
import type { Store } from './store.ts';
import { adoptOrphans, type Place } from './tabs.ts';
import { OpenConversation, TimelineHandle, type Desk } from './timeline.ts';
import type { Transport } from './transport.ts';
import type {
  ConnectionState, Conversation, ConversationId, Cursor, Entry, Handle, OutboxItem,
} from './types.ts';
import { Typing } from './typing.ts';
import { hear, type Hearer, type ServerEvent } from './wire.ts';

/** Why the longest connected device of a user is thrown out. */
const TOO_MANY_DEVICES = 'too_many_devices';
const TAKEN_OVER = 'taken_over';
/** The server stops, or is emptied of its users. */
const GOING_AWAY = 'going_away';

/** What the client gives to each of its accounts. */
export interface Surroundings {
  readonly platform: Platform;
  readonly store: Store;
  readonly http: Http;
  readonly session: Session;
  readonly transport: Transport;
  readonly discovery: Discovery;
  readonly connection: Value<ConnectionState>;
  readonly conversations: Value<readonly Conversation[]>;
  readonly outbox: Value<readonly OutboxItem[]>;
  readonly tellEntry: (entry: Entry) => void;
}

export class Account implements LogListener, ConnectionListener, Hearer, Mail {
  readonly conversations: Conversations;
  readonly outbox: Outbox;
  readonly commands: AccountCommands;
  readonly people: AccountPeople;
  readonly lookup: Lookup;
  private readonly records: Records;
  private readonly keys: Keys;
  private readonly connection: Connection;
  private readonly catchUp: CatchUp;
  private readonly signals: Signals;
  private readonly cursors: CursorSpeaker;
  private readonly typists: Typing;
  private readonly presences: Presences;
  private readonly desk: Desk;
  private readonly opened = new Map<ConversationId, { shared: OpenConversation; count: number }>();
  private shownAs: 'online' | 'away' | 'hidden' = 'online';
  private adopting: Timer | null = null;
  private renewing: Timer | null = null;
  private isOver = false;

  constructor(
    private readonly around: Surroundings,
    readonly identity: Identity,
    private readonly place: Place,
  ) {
    const { platform, store, session } = around;
    const { user } = identity;
    const api = new Api(around.http, session);
    this.records = new Records(platform, store);
    this.keys = new Keys(user);
    this.conversations = new Conversations(
      platform, this.records, this.keys, user, around.conversations, this,
    );
    this.catchUp = new CatchUp(
      platform, api, this.records, this.keys, this.conversations, () => this.tryElsewhere(),
    );
    this.outbox = new Outbox(
      platform, this.records, this.keys, user, place.device, around.outbox, this,
    );
    this.connection = new Connection(
      platform, around.transport, session, around.discovery, { user, device: place.device },
      around.connection, this,
    );
    this.signals = new Signals(platform, (topic, payload) => this.publish(topic, payload));
    this.cursors = new CursorSpeaker(platform, this.signals);
    this.typists = new Typing(platform, this.signals);
    this.presences = new Presences(platform, this.connection);
    this.commands = new AccountCommands(
      around.http, api, this.conversations, this.catchUp,
    );
    this.people = new AccountPeople(platform, api, user, this.presences, (state) => {
      this.shownAs = state;
      this.signals.say('send/me/presence', { state });
    });
    this.lookup = new Lookup(api, user);
    this.desk = this.makeDesk(api);
  }

  /** Reads the store; the network is not waited for. */
  async start(): Promise<void> {
    await this.conversations.restore();
    await this.outbox.restore();
    this.connection.start();
  }

  /** `isForgotten`: the store is not this user's any more, nothing more is written. */
  async stop(isForgotten: boolean): Promise<void> {
    this.isOver = true;
    if (isForgotten) this.records.abandon();
    if (this.adopting !== null) this.around.platform.clearTimer(this.adopting);
    for (const { shared } of this.opened.values()) shared.end();
    await this.connection.stop();
    await this.records.flush().catch((error: unknown) => this.around.platform.report(error));
    this.records.abandon();
    this.place.release();
    this.around.conversations.set([]);
    this.around.outbox.set([]);
  }

  nudge(): void {
    this.connection.nudge();
  }

  open(id: ConversationId): Timeline {
    let opened = this.opened.get(id);
    if (!opened) {
      opened = { shared: new OpenConversation(this.desk, id), count: 0 };
      this.opened.set(id, opened);
    }
    opened.count++;
    const { shared } = opened;
    return new TimelineHandle(this.desk, shared, () => this.release(id));
  }

  /** A message that is on the screen anyway. */
  shown(id: ConversationId, seq: number): ReturnType<OpenConversation['find']> {
    return this.opened.get(id)?.shared.find(seq);
  }

  // ---- the connection

  up(): void {
    this.presences.up();
    this.outbox.up();
  }

  ready(): void {
    this.around.discovery.look();
    this.around.connection.set({ state: 'online', syncing: true });
    this.signals.up();
    this.cursors.up();
    if (this.shownAs !== 'online') this.people.setPresence(this.shownAs);
    if (this.people.self.get()) this.people.changed(); // one was not there to hear of it
    void this.catchUp.online().then((isSynced) => {
      if (isSynced) this.around.connection.set({ state: 'online', syncing: false });
    });
    for (const { shared } of this.opened.values()) void shared.readCursors();
    this.adoptLater(0);
  }

  down(): void {
    if (this.renewing !== null) this.around.platform.clearTimer(this.renewing);
    this.renewing = null;
    this.catchUp.offline();
    this.cursors.down();
    this.typists.down();
    this.signals.down();
    this.presences.down();
    this.outbox.down();
  }

  message(topic: string, payload: string): void {
    hear(topic, payload, this);
  }

  // ---- what the server says

  entry(entry: Entry): void {
    this.conversations.offer(entry);
  }

  typing(id: ConversationId, from: Handle, isTyping: boolean): void {
    if (from !== this.identity.user) this.typists.heard(id, from, isTyping);
  }

  cursor(id: ConversationId, from: Handle, cursor: Cursor): void {
    if (from === this.identity.user) this.conversations.moveCursor(id, cursor, undefined);
    else this.opened.get(id)?.shared.cursorMoved(from, cursor);
  }

  presence(user: Handle, payload: string): void {
    this.presences.heard(user, payload);
  }

  receipt(receipt: Receipt): void {
    this.outbox.takeReceipt(receipt);
  }

  head(id: ConversationId, seq: number): void {
    const held = this.conversations.hold(id);
    held.order.note(seq);
    this.incomplete(held);
  }

  event(event: ServerEvent): void {
    switch (event.event) {
      case 'added':
        this.catchUp.touch(event.conversation);
        this.conversations.added(event.conversation);
        this.presences.retry();
        break;
      case 'removed':
        this.catchUp.touch(event.conversation);
        this.conversations.drop(event.conversation);
        break;
      case 'role_changed':
        this.catchUp.touch(event.conversation);
        this.conversations.roleChanged(event.conversation, event.role);
        break;
      case 'presence_refused':
        this.presences.refused(event.user);
        break;
      case 'token_expires':
        this.renewTokenLater();
        break;
      case 'profile_changed':
        this.people.changed();
        break;
      case 'closing':
        if (event.reason === TOO_MANY_DEVICES) this.connection.displace('limit_reached');
        else if (event.reason === TAKEN_OVER) this.connection.displace('conflict');
        else if (event.reason === GOING_AWAY) this.goElsewhere(event.withinMs);
        break;
    }
  }

  // ---- the logs

  appended(id: ConversationId, entries: readonly Entry[], fresh: boolean): void {
    this.opened.get(id)?.shared.appended(entries);
    this.lookup.forget(entries);
    for (const entry of entries) {
      this.outbox.takeEntry(entry);
      if (entry.kind === 'text') this.typists.heard(id, entry.from, false);
      if (fresh) this.around.tellEntry(entry);
    }
    this.sayReceived(id, entries);
  }

  begun(id: ConversationId, seq: number): void {
    this.opened.get(id)?.shared.begun(seq);
  }

  dropped(id: ConversationId): void {
    this.lookup.drop(id);
    this.opened.get(id)?.shared.dropped();
  }

  cursorBehind(id: ConversationId, cursor: Cursor): void {
    this.cursors.say(id, cursor);
  }

  incomplete(held: Held): void {
    this.catchUp.need(held);
    this.opened.get(held.id)?.shared.changed();
  }

  // ---- the outbox

  publish(topic: string, payload: string): Promise<number> {
    return this.connection.publish(topic, payload);
  }

  stored(entry: Entry): void {
    this.conversations.offer(entry);
  }

  dropConnection(): void {
    this.connection.drop();
  }

  // ---- parts

  private sayReceived(id: ConversationId, entries: readonly Entry[]): void {
    const shown = this.conversations.get(id)?.shown;
    const last = entries.filter((entry) => entry.from !== this.identity.user).at(-1);
    if (!shown?.limits.cursors || !last || last.seq <= shown.received) return;
    const cursor = { received: last.seq, read: shown.read };
    this.conversations.moveCursor(id, cursor);
    this.cursors.say(id, cursor);
  }

  /** By then it is known who else goes away. */
  private goElsewhere(withinMs: number): void {
    this.around.discovery.look();
    this.connection.leave(withinMs);
  }

  private tryElsewhere(): void {
    if (this.around.discovery.servers.others.length > 0) this.connection.drop();
  }

  /** Tokens that live shortly are announced to end as soon as they are used: not so fast. */
  private renewTokenLater(): void {
    const { platform, session } = this.around;
    if (this.renewing !== null) platform.clearTimer(this.renewing);
    this.renewing = platform.setTimer(() => {
      this.renewing = null;
      void this.renewToken();
    }, session.freshForMs);
  }

  private async renewToken(): Promise<void> {
    try {
      await this.around.session.renewNow();
      if (!this.isOver) this.connection.restart();
    } catch {
      // The connection ends when the token expires, and the next attempt renews it.
    }
  }

  private release(id: ConversationId): void {
    const opened = this.opened.get(id);
    if (!opened || --opened.count > 0) return;
    opened.shared.end();
    this.opened.delete(id);
  }

  private adoptLater(ms: number): void {
    const { platform } = this.around;
    if (this.adopting !== null) platform.clearTimer(this.adopting);
    this.adopting = platform.setTimer(() => {
      this.adopting = null;
      adoptOrphans(
        platform.locks, this.records, this.keys, this.identity.user, this.place.device,
        (rows) => this.outbox.adopt(rows),
      )
        .catch((error: unknown) => platform.report(error))
        .finally(() => {
          if (!this.isOver) this.adoptLater(ADOPT_EVERY_MS);
        });
    }, ms);
  }

  private makeDesk(api: Api): Desk {
    const { platform, outbox: outboxItems } = this.around;
    const { records, keys, conversations, outbox, typists: typing, cursors } = this;
    return {
      platform, self: this.identity.user, conversations, outbox, outboxItems, typing, cursors,
      sources: { api, records, keys, conversations },
      memberCursors: async (id) => {
        const { members } = await this.commands.listMembers(id);
        return new Map(members.map(({ user, received = 0, read = 0 }) =>
          [user, { received, read }]));
      },
    };
  }
}
