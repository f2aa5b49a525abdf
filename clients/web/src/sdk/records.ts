// SPDX-License-Identifier: MIT
// The store, written behind: changes gather for `FLUSH_AFTER_MS` and go out in one batch, in which
// the last word on each key counts. Rule: reads see what was put before them.
import { FLUSH_AFTER_MS } from './limits.ts';
import type { Platform, Timer } from './platform.ts';
import type { Key, KeyRange, Row, Store } from './store.ts';

const REMOVED = Symbol('removed');

export class Records {
  private pending = new Map<Key, unknown>();
  private clears: KeyRange[] = [];
  private timer: Timer | null = null;
  /** The last write; writes follow one another. */
  private writing: Promise<void> = Promise.resolve();
  /** `writing` has not begun: what is put now goes with it. */
  private isNext = false;
  private closed = false;

  constructor(
    private readonly platform: Platform,
    private readonly store: Store,
  ) {}

  put(key: Key, value: unknown): void {
    this.pending.set(key, value);
    this.schedule();
  }

  remove(key: Key): void {
    this.pending.set(key, REMOVED);
    this.schedule();
  }

  clear(range: KeyRange): void {
    for (const key of this.pending.keys()) {
      if (key >= range.from && key < range.to) this.pending.delete(key);
    }
    this.clears.push(range);
    this.schedule();
  }

  /** Undefined also when it cannot be read. */
  async get(key: Key): Promise<unknown> {
    const pending = this.pending.get(key);
    if (pending !== undefined) return pending === REMOVED ? undefined : pending;
    return this.store.get(key).catch((error: unknown) => this.platform.report(error));
  }

  async range(range: KeyRange, limit: number, end: 'first' | 'last' = 'first'): Promise<Row[]> {
    await this.flush();
    return this.store.range(range, limit, end);
  }

  /** Resolves when everything that was put so far is stored; rejected when it could not be. */
  flush(): Promise<void> {
    if (this.timer !== null) this.platform.clearTimer(this.timer);
    this.timer = null;
    if (this.isNext || (this.pending.size === 0 && this.clears.length === 0)) return this.writing;
    this.isNext = true;
    this.writing = this.writing.catch(() => undefined).then(() => {
      this.isNext = false;
      return this.writePending();
    });
    return this.writing;
  }

  /** Forgets what is not written yet: the store is somebody else's now. */
  abandon(): void {
    this.closed = true;
    this.pending.clear();
    this.clears = [];
    if (this.timer !== null) this.platform.clearTimer(this.timer);
  }

  private async writePending(): Promise<void> {
    if (this.closed) return;
    const rows = [...this.pending];
    const batch = {
      clear: this.clears,
      remove: rows.filter(([, value]) => value === REMOVED).map(([key]) => key),
      put: rows.filter(([, value]) => value !== REMOVED),
    };
    this.pending = new Map();
    this.clears = [];
    await this.store.write(batch);
  }

  private schedule(): void {
    if (this.closed) return;
    this.timer ??= this.platform.setTimer(() => {
      this.timer = null;
      // A full disk costs what could be read offline; drafts are flushed by their outbox, which
      // tells the user.
      this.flush().catch((error: unknown) => this.platform.report(error));
    }, FLUSH_AFTER_MS);
  }
}
