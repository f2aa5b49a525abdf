// SPDX-License-Identifier: MIT
// A stretch of one log, from some entry to the last one that is here: what a timeline shows. It
// grows at its end as entries come, and at its beginning from the store or, where that has a hole,
// from the server.
import type { Api } from './api.ts';
import type { Conversations, Held } from './conversations.ts';
import { asEntry } from './entry.ts';
import { Fold } from './fold.ts';
import type { Keys } from './keys.ts';
import { LOAD_MIN_ITEMS, PAGES_PER_LOAD, PAGE_ENTRIES, PAGE_MAX_ENTRIES } from './limits.ts';
import type { Records } from './records.ts';
import type { Entry, Handle } from './types.ts';

/** Where entries come from. */
export interface Sources {
  readonly api: Api;
  readonly records: Records;
  readonly keys: Keys;
  readonly conversations: Conversations;
}

export class Window {
  readonly fold: Fold;
  /** The first `seq` of the window; one more than the last while it is empty. */
  private first: number;
  private last: number;

  /** Begins empty, after what is held of the log already. */
  constructor(
    private readonly sources: Sources,
    private readonly held: Held,
    self: Handle,
    after: number,
  ) {
    this.fold = new Fold(self);
    this.first = after + 1;
    this.last = after;
  }

  /** It reaches back to the beginning of the log. */
  get isComplete(): boolean {
    return this.first <= 1;
  }

  get lastSeq(): number {
    return this.last;
  }

  /** Whether all that comes after `seq` is in it. */
  covers(seq: number): boolean {
    return this.first <= seq + 1;
  }

  /** Entries that follow without a hole: `Order` has seen to it. */
  append(entries: readonly Entry[]): void {
    this.fold.append(entries.filter((entry) => entry.seq > this.last));
    this.last = Math.max(this.last, entries.at(-1)?.seq ?? 0);
  }

  /** Goes back until there is something more to see. What was loaded before a failure stays. */
  async loadOlder(): Promise<void> {
    const wanted = this.fold.size + LOAD_MIN_ITEMS;
    for (let page = 0; page < PAGES_PER_LOAD; page++) {
      if (this.isComplete || this.fold.size >= wanted) return;
      // A page of nothing but reactions: they come in great numbers, so the next one is larger.
      const entries = await this.olderPage(page === 0 ? PAGE_ENTRIES : PAGE_MAX_ENTRIES);
      this.fold.prepend(entries);
      this.first = entries[0]?.seq ?? 1;
    }
  }

  private async olderPage(limit: number): Promise<readonly Entry[]> {
    const stored = await this.storedBefore(limit);
    if (stored.length > 0) return stored;
    const page = await this.sources.api.history(this.held.id, { before: this.first, limit });
    this.sources.conversations.keep(this.held, page.entries);
    return page.entries;
  }

  /** What the store has right before the window, without a hole. */
  private async storedBefore(limit: number): Promise<Entry[]> {
    const { records, keys } = this.sources;
    const range = keys.entries(this.held.id, Math.max(1, this.first - limit), this.first);
    const rows = await records.range(range, limit, 'last');
    const entries: Entry[] = [];
    let expected = this.first - 1;
    for (const [, row] of rows.reverse()) {
      const entry = asEntry(row);
      if (!entry || entry.seq !== expected) break;
      entries.unshift(entry);
      expected--;
    }
    return entries;
  }
}
