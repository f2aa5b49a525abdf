// SPDX-License-Identifier: MIT
// Waiting that can be cut short: when the network is back, or when the client is stopped and must
// leave no timer behind.
import type { Platform, Timer } from './platform.ts';

export class Sleeper {
  private readonly sleeping = new Map<() => void, Timer | null>();

  constructor(private readonly platform: Platform) {}

  /** Resolves after so long, or when woken; null: only then. */
  sleep(ms: number | null): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        this.sleeping.delete(end);
        resolve();
      };
      this.sleeping.set(end, ms === null ? null : this.platform.setTimer(end, ms));
    });
  }

  wake(): void {
    for (const [end, timer] of [...this.sleeping]) {
      if (timer !== null) this.platform.clearTimer(timer);
      end();
    }
  }
}
