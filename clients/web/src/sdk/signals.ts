// SPDX-License-Identifier: MIT
// What a device says and nobody stores: typing, presence, cursors. The server takes 20 at once and
// 20 a second and drops more, so they go through one bucket here; of the same thing the last word
// counts.
import { SIGNALS_PER_SECOND } from './limits.ts';
import type { Platform, Timer } from './platform.ts';

const REFUSED = 0x80;
const REFILL_MS = 1000 / SIGNALS_PER_SECOND;

interface Signal {
  readonly payload: string;
  readonly done: (wasTaken: boolean) => void;
}

export class Signals {
  private readonly waiting = new Map<string, Signal>(); // by topic, oldest first
  private tokens = SIGNALS_PER_SECOND;
  private filledAt: number;
  private timer: Timer | null = null;
  private isUp = false;

  constructor(
    private readonly platform: Platform,
    private readonly publish: (topic: string, payload: string) => Promise<number>,
  ) {
    this.filledAt = platform.now();
  }

  up(): void {
    this.isUp = true;
    this.pump();
  }

  /** What was not said is forgotten: it has no meaning for the next connection. */
  down(): void {
    this.isUp = false;
    for (const signal of this.waiting.values()) signal.done(false);
    this.waiting.clear();
    if (this.timer !== null) this.platform.clearTimer(this.timer);
    this.timer = null;
  }

  /** `done` hears whether the broker took it; taken or not, nobody knows what became of it. */
  say(topic: string, content: object, done: (wasTaken: boolean) => void = () => undefined): void {
    if (!this.isUp) return done(false);
    const before = this.waiting.get(topic);
    this.waiting.set(topic, { payload: JSON.stringify(content), done });
    before?.done(true); // the new word says it, too
    this.pump();
  }

  private pump(): void {
    const now = this.platform.now();
    this.tokens = Math.min(SIGNALS_PER_SECOND, this.tokens + (now - this.filledAt) / REFILL_MS);
    this.filledAt = now;
    for (const [topic, signal] of this.waiting) {
      if (this.tokens < 1) break;
      this.tokens--;
      this.waiting.delete(topic);
      this.publish(topic, signal.payload)
        .then((code) => signal.done(code < REFUSED))
        .catch(() => signal.done(false));
    }
    if (this.waiting.size === 0 || this.timer !== null) return;
    this.timer = this.platform.setTimer(() => {
      this.timer = null;
      this.pump();
    }, REFILL_MS);
  }
}
