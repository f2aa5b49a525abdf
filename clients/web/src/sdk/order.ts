// SPDX-License-Identifier: MIT
// One conversation's log as it comes in: from wherever and in whatever order entries arrive (live,
// receipts, syncs, history), each goes on once and in the order of `seq`.
import { EARLY_MAX_ENTRIES } from './limits.ts';
import type { Entry } from './types.ts';

export class Order {
  /** The last `seq` that went on; null before `begin`. */
  private lastSeq: number | null = null;
  /** The last `seq` that is known to exist. */
  private headSeq = 0;
  /** Came before their time. */
  private readonly early = new Map<number, Entry>();

  get last(): number | null {
    return this.lastSeq;
  }

  get head(): number {
    return this.headSeq;
  }

  /** Entries are missing that exist. */
  get behind(): boolean {
    return this.lastSeq !== null && this.lastSeq < this.headSeq;
  }

  /** What comes after `seq` is new; returns what had come already. Going on further up, it passes
   * over what lies between; it never goes back. */
  begin(seq: number): Entry[] {
    if (this.lastSeq !== null && this.lastSeq >= seq) return [];
    this.lastSeq = seq;
    this.headSeq = Math.max(this.headSeq, seq);
    for (const early of this.early.keys()) if (early <= seq) this.early.delete(early);
    return this.ripe();
  }

  /** What came before its time. */
  get ahead(): Entry[] {
    return [...this.early.values()].sort((a, b) => a.seq - b.seq);
  }

  /** `seq` exists. */
  note(seq: number): void {
    this.headSeq = Math.max(this.headSeq, seq);
  }

  /** Nothing is missing after all. */
  settle(): void {
    this.headSeq = this.lastSeq ?? 0;
  }

  /** Takes an entry and returns those that can go on now. */
  offer(entry: Entry): Entry[] {
    this.note(entry.seq);
    if (this.lastSeq !== null && entry.seq <= this.lastSeq) return [];
    if (this.lastSeq !== null && entry.seq === this.lastSeq + 1) {
      this.lastSeq = entry.seq;
      return [entry, ...this.ripe()];
    }
    // Beyond the bound it is dropped: whoever fills the gap brings it again.
    if (this.early.size < EARLY_MAX_ENTRIES) this.early.set(entry.seq, entry);
    return [];
  }

  private ripe(): Entry[] {
    const ripe: Entry[] = [];
    if (this.lastSeq === null) return ripe;
    for (;;) {
      const next = this.early.get(this.lastSeq + 1);
      if (!next) return ripe;
      this.early.delete(next.seq);
      this.lastSeq = next.seq;
      ripe.push(next);
    }
  }
}
