// SPDX-License-Identifier: MIT
// What other users are. A user is watched on the server while something here is subscribed to them,
// and a little longer, because lists scroll.
import { asString, parseObject } from './json.ts';
import { FILTERS_PER_CONNECTION, PRESENCE_LINGER_MS, PRESENCE_MAX_WATCHES } from './limits.ts';
import { Value, type Readable } from './observable.ts';
import type { Platform, Timer } from './platform.ts';
import type { Handle, Presence } from './types.ts';

const REFUSED = 0x80;

/** What it works with; both may be rejected when there is no connection. */
export interface Subscriptions {
  subscribe(filter: string): Promise<number>;
  unsubscribe(filter: string): Promise<void>;
  /** Connects anew. */
  restart(): void;
}

interface Watch {
  readonly value: Value<Presence>;
  isWanted: boolean;
  isSubscribed: boolean;
  ending: Timer | null;
}

export class Presences {
  private readonly watches = new Map<Handle, Watch>();
  private isUp = false;
  /** Subscriptions made on this connection. */
  private asked = 0;

  constructor(
    private readonly platform: Platform,
    private readonly subscriptions: Subscriptions,
  ) {}

  watch(user: Handle): Readable<Presence> {
    return this.of(user).value;
  }

  up(): void {
    this.isUp = true;
    this.asked = 0;
    this.retry();
  }

  /** Nobody tells any more. */
  down(): void {
    this.isUp = false;
    for (const [user, watch] of this.watches) {
      watch.isSubscribed = false;
      watch.value.set(unknown(user));
    }
  }

  /** One may see more users than before: asks again for those that were refused. */
  retry(): void {
    for (const [user, watch] of this.watches) {
      if (watch.isWanted && !watch.isSubscribed) this.subscribe(user, watch);
    }
  }

  /** `presence/{handle}`. */
  heard(user: Handle, payload: string): void {
    const told = parseObject(payload);
    const state = told?.['state'];
    const watch = this.watches.get(user);
    if (!watch?.isSubscribed) return;
    if (state !== 'online' && state !== 'away' && state !== 'offline') return;
    watch.value.set({ user, state, lastSeen: asString(told?.['last_seen']) });
  }

  /** What was granted has ended. */
  refused(user: Handle): void {
    const watch = this.watches.get(user);
    if (!watch) return;
    watch.isSubscribed = false;
    watch.value.set(unknown(user));
  }

  private of(user: Handle): Watch {
    let watch = this.watches.get(user);
    if (!watch) {
      const value = new Value<Presence>(unknown(user), {
        begin: () => this.begin(user),
        end: () => this.end(user),
      });
      watch = { value, isWanted: false, isSubscribed: false, ending: null };
      this.watches.set(user, watch);
    }
    return watch;
  }

  private begin(user: Handle): void {
    const watch = this.of(user);
    watch.isWanted = true;
    if (watch.ending !== null) this.platform.clearTimer(watch.ending);
    watch.ending = null;
    if (!watch.isSubscribed) this.subscribe(user, watch);
  }

  private end(user: Handle): void {
    const watch = this.of(user);
    watch.isWanted = false;
    watch.ending = this.platform.setTimer(() => {
      watch.ending = null;
      if (!watch.isSubscribed) return;
      this.refused(user);
      this.subscriptions.unsubscribe(`presence/${user}`).catch(() => undefined);
      this.retry(); // there is room for another one
    }, PRESENCE_LINGER_MS);
  }

  private subscribe(user: Handle, watch: Watch): void {
    if (!this.isUp || this.subscribed() >= PRESENCE_MAX_WATCHES) return;
    if (++this.asked > FILTERS_PER_CONNECTION) return this.subscriptions.restart();
    watch.isSubscribed = true; // the state may come before the acknowledgement
    this.subscriptions
      .subscribe(`presence/${user}`)
      .then((code) => {
        if (code >= REFUSED) this.refused(user);
      })
      .catch(() => this.refused(user));
  }

  private subscribed(): number {
    let count = 0;
    for (const watch of this.watches.values()) if (watch.isSubscribed) count++;
    return count;
  }
}

function unknown(user: Handle): Presence {
  return { user, state: 'unknown', lastSeen: null };
}
