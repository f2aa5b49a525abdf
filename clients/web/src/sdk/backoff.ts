// SPDX-License-Identifier: MIT
// How long to wait before trying again: drawn evenly from 0 to a bound that doubles ("full
// jitter"), so that those whom one failure threw out together do not come back together.
import { BACKOFF_FIRST_MS, BACKOFF_LAST_MS } from './limits.ts';

export class Backoff {
  private bound = BACKOFF_FIRST_MS;

  constructor(
    private readonly random: () => number,
    private readonly last = BACKOFF_LAST_MS,
  ) {}

  /** The next wait, in milliseconds; never shorter than what the server asked for. */
  next(retryAfterMs: number | null = null): number {
    const wait = this.random() * this.bound;
    this.bound = Math.min(this.bound * 2, this.last);
    return (retryAfterMs ?? 0) + wait;
  }

  /** It worked: the next wait is a first one. */
  reset(): void {
    this.bound = BACKOFF_FIRST_MS;
  }
}
