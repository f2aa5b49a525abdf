// SPDX-License-Identifier: MIT
// Time as a test wants it: nothing waits, timers run in their order when the test says so.
import type { Platform } from '../../../src/sdk/index.ts';

interface Pending {
  readonly at: number;
  readonly run: () => void;
}

export class Clock {
  private time = Date.parse('2026-11-22T10:00:00.000Z');
  private readonly pending = new Set<Pending>();

  now(): number {
    return this.time;
  }

  setTimer(run: () => void, ms: number): unknown {
    const timer = { at: this.time + ms, run };
    this.pending.add(timer);
    return timer;
  }

  clearTimer(timer: unknown): void {
    this.pending.delete(timer as Pending);
  }

  /** Lets so much time pass, and everything that comes of it happen. */
  async pass(ms: number): Promise<void> {
    const end = this.time + ms;
    await settle();
    for (;;) {
      const [next] = [...this.pending].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (!next) break;
      this.pending.delete(next);
      this.time = Math.max(this.time, next.at);
      next.run();
      await settle();
    }
    this.time = end;
    await settle();
  }

  /** The parts of a platform that are about time. */
  platform(): Pick<Platform, 'now' | 'setTimer' | 'clearTimer'> {
    return {
      now: () => this.now(),
      setTimer: (run, ms) => this.setTimer(run, ms),
      clearTimer: (timer) => this.clearTimer(timer),
    };
  }
}

/** Lets everything happen that waits for nothing but its turn. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 8; i++) await new Promise((resolve) => setImmediate(resolve));
}
