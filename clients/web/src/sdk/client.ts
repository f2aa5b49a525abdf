// SPDX-License-Identifier: MIT
// The client: who is logged in, and the `Account` of whoever that is. Rule: accounts follow one
// another, so the ending of one is awaited before the next begins.
import { Account, type Surroundings } from './account.ts';
import { lookAtInvite } from './commands.ts';
import { Discovery } from './discovery.ts';
import { BanterError, toBanterError } from './errors.ts';
import { Http } from './http.ts';
import type { Client, Commands, People, Timeline } from './interface.ts';
import { Keys } from './keys.ts';
import { Value, type Readable } from './observable.ts';
import { defaultPlatform, type Platform } from './platform.ts';
import { Servers } from './servers.ts';
import { Session, type Identity } from './session.ts';
import type { Store } from './store.ts';
import { takePlace, type Place } from './tabs.ts';
import type { Transport } from './transport.ts';
import type {
  Conversation, ConversationId, ConnectionState, Credentials, DraftId, Entry, Handle, HitPage,
  InviteView, MessageQuery, OutboxItem, SessionState, SignUp, TimelineItem,
} from './types.ts';

export interface ClientOptions {
  /** Where HTTP is, such as `https://chat.example.org`; in a page `location.origin`. */
  readonly api: string;
  /** Where MQTT is, such as `wss://chat.example.org/mqtt`. */
  readonly mqtt: string;
  /** Where the program is, as the nodes' settings have it (`eu/de/fra`): if its server fails, the
   * nearest others come first. */
  readonly location?: string;
  readonly store: Store;
  /** MQTT.js when absent, which is loaded when the first connection is made. */
  readonly transport?: Transport;
  /** Names this installation; its logins are then bound to it and can be revoked by that name, and
   * only one program at a time may use the name and the store. Absent: each of the programs that
   * share the store (tabs) gets a device of its own. */
  readonly device?: string;
  readonly platform?: Partial<Platform>;
}

/** Loads the real one when it is needed. */
const lazyTransport: Transport = {
  connect: async (options) => (await import('./transport_mqtt.ts')).mqttTransport.connect(options),
};

const NOBODY: Readable<undefined> = { get: () => undefined, subscribe: () => () => undefined };

export class BanterClient implements Client {
  readonly session = new Value<SessionState>({ state: 'restoring' });
  readonly connection = new Value<ConnectionState>({ state: 'stopped' });
  readonly conversations = new Value<readonly Conversation[]>([]);
  readonly outbox = new Value<readonly OutboxItem[]>([]);
  private readonly platform: Platform;
  private readonly store: Store;
  private readonly device: string | null;
  private readonly discovery: Discovery;
  private readonly tokens: Session;
  private readonly surroundings: Surroundings;
  private readonly entryListeners = new Set<(entry: Entry) => void>();
  private account: Account | null = null;
  private isStarted = false;
  private stopWatching: () => void = () => undefined;
  /** Beginnings and endings of accounts, one after another. */
  private settling: Promise<void> = Promise.resolve();

  constructor(options: ClientOptions) {
    this.platform = { ...defaultPlatform(), ...options.platform };
    this.store = options.store;
    this.device = options.device ?? null;
    const servers = new Servers({ api: options.api.replace(/\/+$/, ''), mqtt: options.mqtt });
    const http = new Http(this.platform, servers);
    this.discovery = new Discovery(
      this.platform, this.store, http, servers, options.location ?? null,
    );
    this.tokens = new Session(this.platform, this.store, http, this.device);
    this.surroundings = {
      platform: this.platform,
      store: this.store,
      http,
      session: this.tokens,
      transport: options.transport ?? lazyTransport,
      discovery: this.discovery,
      connection: this.connection,
      conversations: this.conversations,
      outbox: this.outbox,
      tellEntry: (entry) => this.tellEntry(entry),
    };
  }

  get commands(): Commands {
    return this.current().commands;
  }

  get people(): People {
    return this.current().people;
  }

  async start(): Promise<void> {
    if (this.isStarted) return;
    this.isStarted = true;
    this.stopWatching = this.tokens.identity.subscribe(() => {
      this.settle().catch((error: unknown) => this.platform.report(error));
    });
    await this.discovery.restore();
    await this.tokens.restore();
    await this.settle();
  }

  async stop(): Promise<void> {
    if (!this.isStarted) return;
    this.isStarted = false;
    this.stopWatching();
    await this.settle();
    this.discovery.close();
    await this.store.close();
  }

  async signUp(account: SignUp): Promise<void> {
    await this.tokens.signUp(account);
    await this.settle();
  }

  async logIn(credentials: Credentials): Promise<void> {
    await this.tokens.logIn(credentials);
    await this.settle();
  }

  async logOut(): Promise<void> {
    await this.tokens.logOut(async () => this.settle());
  }

  lookAtInvite(invite: string): Promise<InviteView> {
    return lookAtInvite(this.surroundings.http, invite);
  }

  nudge(): void {
    this.account?.nudge();
  }

  conversation(id: ConversationId): Readable<Conversation | undefined> {
    return this.account?.conversations.watch(id) ?? NOBODY;
  }

  directWith(user: Handle): Conversation | undefined {
    return this.conversations.get().find((one) => one.kind === 'direct' && one.user === user);
  }

  open(id: ConversationId): Timeline {
    return this.current().open(id);
  }

  async send(
    target: string,
    text: string,
    options: { replyTo?: number } = {},
  ): Promise<DraftId> {
    const { replyTo } = options;
    const reply = replyTo === undefined ? {} : { reply_to: replyTo };
    const known = target.startsWith('@') ? this.directWith(target.slice(1))?.id : undefined;
    return this.current().outbox.post(known ?? target, { kind: 'text', text, ...reply });
  }

  async retry(id: DraftId): Promise<void> {
    await this.current().outbox.retry(id);
  }

  async discard(id: DraftId): Promise<boolean> {
    return this.current().outbox.discard(id);
  }

  onEntry(listener: (entry: Entry) => void): () => void {
    const own = (entry: Entry): void => listener(entry);
    this.entryListeners.add(own);
    return () => this.entryListeners.delete(own);
  }

  async message(conversation: ConversationId, seq: number): Promise<TimelineItem | undefined> {
    const account = this.current();
    return account.shown(conversation, seq) ?? account.lookup.message(conversation, seq);
  }

  async around(conversation: ConversationId, seq: number): Promise<readonly TimelineItem[]> {
    return this.current().lookup.around(conversation, seq);
  }

  async searchMessages(query: MessageQuery): Promise<HitPage> {
    return this.current().lookup.search(query);
  }

  private current(): Account {
    if (!this.account) throw new BanterError('unauthorized', 'nobody is logged in');
    return this.account;
  }

  private settle(): Promise<void> {
    const settled = this.settling.then(() => this.settleOnce());
    this.settling = settled.catch(() => undefined); // the next one is not to suffer for it
    return settled;
  }

  /** Makes the account that of whoever is logged in now. */
  private async settleOnce(): Promise<void> {
    const identity = this.isStarted ? this.tokens.identity.get() : null;
    if (identity === undefined) return; // the store has not been read
    if (this.account && this.account.identity !== identity) await this.end(this.account, identity);
    if (identity && !this.account) await this.begin(identity);
    if (!identity && this.isStarted) {
      this.session.set({ state: 'signedOut', reason: this.tokens.endedBecause });
    }
  }

  private async begin(identity: Identity): Promise<void> {
    const { user, login } = identity;
    const place = await this.takePlace(user);
    const account = new Account(this.surroundings, identity, place);
    try {
      await account.start();
    } catch (error) {
      place.release();
      throw toBanterError(error);
    }
    this.account = account;
    this.session.set({ state: 'signedIn', user, device: place.device, login });
  }

  private async end(account: Account, next: Identity | null): Promise<void> {
    this.account = null;
    const { user } = account.identity;
    // Without a reason the user has logged out, here or in another tab: nothing is to be left.
    const isLoggedOut = this.isStarted && !next && this.tokens.endedBecause === null;
    const isForgotten = isLoggedOut || (next !== null && next.user !== user);
    await account.stop(isForgotten);
    if (isForgotten) await this.store.write({ clear: [new Keys(user).everything()] });
  }

  private async takePlace(user: Handle): Promise<Place> {
    if (this.device === null) return takePlace(this.platform.locks, user, this.tokens.deviceBase);
    return { device: this.device, release: () => undefined };
  }

  private tellEntry(entry: Entry): void {
    for (const listener of [...this.entryListeners]) {
      try {
        listener(entry);
      } catch (error) {
        this.platform.report(error);
      }
    }
  }
}
