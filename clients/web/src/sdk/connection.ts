// SPDX-License-Identifier: MIT
// The connection to the broker, kept up: connects, waits for `me/ready`, and when it ends tries
// again with full jitter, at another server if one is known. Rule: whoever uses it hears `up` and
// `down` in turn, and everything else in between.
import { Backoff } from './backoff.ts';
import type { Discovery } from './discovery.ts';
import { BanterError, toBanterError } from './errors.ts';
import {
  CONNECTION_STABLE_MS, CONNECT_TIMEOUT_MS, KEEP_ALIVE_SECONDS, READY_TIMEOUT_MS,
  UNACKNOWLEDGED_MAX,
} from './limits.ts';
import type { TokenSource } from './http.ts';
import type { Value } from './observable.ts';
import type { Platform, Timer } from './platform.ts';
import type { Address } from './servers.ts';
import { Sleeper } from './sleeper.ts';
import { ConnectRefused, type Link, type Transport } from './transport.ts';
import type { ConnectionState, Handle, Refusal } from './types.ts';

export interface ConnectionListener {
  /** Drafts may be sent. */
  up(): void;
  /** Everything new is delivered from here on. */
  ready(): void;
  message(topic: string, payload: string): void;
  down(): void;
}

export interface Endpoint {
  readonly user: Handle;
  readonly device: string;
}

const READY_TOPIC = 'me/ready';
const REFUSED_TOKEN = 0x87;
const TAKEN_OVER = 0x8e;

export class Connection {
  private readonly backoff: Backoff;
  private readonly sleeper: Sleeper;
  private link: Link | null = null;
  /** Of the connection, or of the attempt to make one. */
  private server: Address;
  private running = false;
  private run: Promise<void> = Promise.resolve();
  /** The next attempt is made at once: the last one ended as was wished. */
  private again = false;
  /** Another connection has taken this one's place, or is about to. */
  private displacedBy: Refusal | null = null;
  /** Runs while this connection is about to leave a server that goes away. */
  private leaving: Timer | null = null;
  private unacknowledged = 0;
  private readonly unsent: (() => void)[] = [];

  constructor(
    private readonly platform: Platform,
    private readonly transport: Transport,
    private readonly tokens: TokenSource,
    private readonly discovery: Discovery,
    private readonly endpoint: Endpoint,
    private readonly state: Value<ConnectionState>,
    private readonly listener: ConnectionListener,
  ) {
    this.backoff = new Backoff(() => platform.random());
    this.sleeper = new Sleeper(platform);
    this.server = discovery.servers.current;
  }

  start(): void {
    if (this.running) return;
    this.running = true;
    this.run = this.keepUp();
  }

  /** For good. Resolves when the connection, if there is one, has ended; an attempt that is under
   * way is not waited for, it comes to nothing. */
  async stop(): Promise<void> {
    this.running = false;
    this.state.set({ state: 'stopped' });
    this.sleeper.wake();
    if (!this.link) return;
    this.link.close();
    await this.run;
  }

  /** This connection is being ended in favor of another one, and is not to come back by itself. */
  displace(code: 'conflict' | 'limit_reached'): void {
    this.displacedBy = { code, reason: 'another connection took the place of this one' };
  }

  /** Does not wait for the next attempt. */
  nudge(): void {
    this.sleeper.wake();
  }

  /** Connects anew at once, with the token as it is now. */
  restart(): void {
    if (!this.link) return;
    this.again = true;
    this.link.close();
  }

  /** Something is wrong with this connection: ends it; the next one comes after a wait. */
  drop(): void {
    this.link?.close();
  }

  /** The server ends this connection some time in the next `withinMs`, in the second half: leaves
   * at a random moment of the first, so that not all who hear it come back at once. */
  leave(withinMs: number): void {
    const { link } = this;
    if (!link || this.leaving !== null) return;
    const wait = (this.platform.random() * withinMs) / 2;
    this.leaving = this.platform.setTimer(() => link.close(), wait);
  }

  get isUp(): boolean {
    return this.link !== null;
  }

  /** PUBACK's reason code; `offline` when the connection ends before. Order is kept. */
  async publish(topic: string, payload: string): Promise<number> {
    const link = this.link;
    if (!link) throw new BanterError('offline', 'there is no connection');
    if (this.unacknowledged >= UNACKNOWLEDGED_MAX) {
      await new Promise<void>((resolve) => this.unsent.push(resolve));
    } else {
      this.unacknowledged++;
    }
    try {
      if (link !== this.link) throw new BanterError('offline', 'the connection has ended');
      return await link.publish(topic, payload);
    } catch (error) {
      throw new BanterError('offline', toBanterError(error).reason);
    } finally {
      const next = this.unsent.shift(); // takes over the place
      if (next) next();
      else this.unacknowledged--;
    }
  }

  /** SUBACK's reason code. */
  async subscribe(filter: string): Promise<number> {
    if (!this.link) throw new BanterError('offline', 'there is no connection');
    return this.link.subscribe(filter);
  }

  async unsubscribe(filter: string): Promise<void> {
    await this.link?.unsubscribe(filter);
  }

  private async keepUp(): Promise<void> {
    let isRenewed = false; // the token is a fresh one: should it be refused, too, there is no hurry
    while (this.running) {
      this.again = false;
      this.displacedBy = null;
      this.state.set({ state: 'connecting' });
      let error = new BanterError('offline', 'the connection has ended');
      try {
        await this.connectOnce();
        isRenewed = false;
      } catch (thrown) {
        error = toBanterError(thrown);
        if (error.code === 'unauthorized') {
          this.again = (await this.renew()) && !isRenewed;
          isRenewed = true;
        }
      }
      if (!this.running) return;
      if (this.again) continue;
      if (!this.displacedBy) this.discovery.leave(this.server);
      await this.rest(error);
    }
  }

  private async rest(error: BanterError): Promise<void> {
    if (this.displacedBy) {
      this.state.set({ state: 'displaced', error: this.displacedBy });
      return this.sleeper.sleep(null);
    }
    const wait = this.backoff.next(error.retryAfterMs);
    const { code, reason } = error;
    const retryAt = this.platform.now() + wait;
    this.state.set({ state: 'waiting', retryAt, error: { code, reason } });
    await this.sleeper.sleep(wait);
  }

  /** One connection, from the attempt to its end. Rejected when none was made. */
  private async connectOnce(): Promise<void> {
    let ended: (reasonCode: number | null) => void = () => undefined;
    const end = new Promise<number | null>((resolve) => (ended = resolve));
    let isReady = false;
    let isUp = false;
    const early: [string, string][] = []; // came before `connect` had resolved
    const take = (topic: string, payload: string): void => {
      if (topic === READY_TOPIC && !isReady) {
        isReady = true;
        this.listener.ready();
      }
      this.listener.message(topic, payload);
    };
    const link = await this.open(ended, (topic, payload) => {
      if (isUp) take(topic, payload);
      else early.push([topic, payload]);
    });
    if (!this.running) return link.close();
    this.link = link;
    this.discovery.servers.pin();
    const began = this.platform.now();
    const timer = this.platform.setTimer(() => {
      if (!isReady) link.close();
    }, READY_TIMEOUT_MS);
    this.listener.up();
    isUp = true;
    for (const [topic, payload] of early) take(topic, payload);
    if ((await end) === TAKEN_OVER) this.displace('conflict');
    this.platform.clearTimer(timer);
    if (this.leaving !== null) this.platform.clearTimer(this.leaving);
    this.leaving = null;
    this.link = null;
    this.discovery.servers.unpin();
    this.listener.down();
    // Whoever is thrown out again and again (by another program of the same name, say) slows down.
    if (isReady && this.platform.now() - began >= CONNECTION_STABLE_MS) this.backoff.reset();
  }

  private async open(
    onClose: (reasonCode: number | null) => void,
    onMessage: (topic: string, payload: string) => void,
  ): Promise<Link> {
    const { user, device } = this.endpoint;
    this.server = this.discovery.servers.current;
    const password = await this.tokens.token();
    this.server = this.discovery.servers.current; // the token may have come from another one
    try {
      return await this.transport.connect({
        url: this.server.mqtt,
        clientId: `${user}/${device}`,
        username: user,
        password,
        keepAliveSeconds: KEEP_ALIVE_SECONDS,
        timeoutMs: CONNECT_TIMEOUT_MS,
        onClose,
        onMessage,
      });
    } catch (error) {
      throw asRefusal(error);
    }
  }

  /** Whether there is a token to try again with. */
  private async renew(): Promise<boolean> {
    try {
      await this.tokens.renew(await this.tokens.token());
      return true;
    } catch {
      return false; // the session says so itself when it has ended
    }
  }
}

function asRefusal(error: unknown): BanterError {
  if (!(error instanceof ConnectRefused)) {
    return new BanterError('offline', toBanterError(error).reason);
  }
  const code = error.reasonCode === REFUSED_TOKEN ? 'unauthorized' : 'unavailable';
  return new BanterError(code, error.message);
}
