// SPDX-License-Identifier: MIT
// A store that ends with the process: for tests, and for programs that need no memory. Rule: like
// every store it gives and keeps copies, so that nobody changes what is stored by accident.
import type { Batch, Key, KeyRange, Row, Store } from './store.ts';

/** Several clients may be given the same one; they then are like tabs of one browser. */
export class MemoryStore implements Store {
  private readonly rows = new Map<Key, unknown>();
  /** The keys of `rows`, in order. */
  private readonly keys: Key[] = [];

  async get(key: Key): Promise<unknown> {
    return copy(this.rows.get(key));
  }

  async range(range: KeyRange, limit: number, end: 'first' | 'last' = 'first'): Promise<Row[]> {
    const first = this.placeOf(range.from);
    const after = this.placeOf(range.to);
    const keys = end === 'first'
      ? this.keys.slice(first, Math.min(after, first + limit))
      : this.keys.slice(Math.max(first, after - limit), after);
    return keys.map((key) => [key, copy(this.rows.get(key))]);
  }

  async write(batch: Batch): Promise<void> {
    for (const { from, to } of batch.clear ?? []) {
      const first = this.placeOf(from);
      const gone = this.keys.splice(first, Math.max(0, this.placeOf(to) - first));
      for (const key of gone) this.rows.delete(key);
    }
    for (const key of batch.remove ?? []) {
      if (this.rows.delete(key)) this.keys.splice(this.placeOf(key), 1);
    }
    for (const [key, value] of batch.put ?? []) {
      if (!this.rows.has(key)) this.keys.splice(this.placeOf(key), 0, key);
      this.rows.set(key, copy(value));
    }
  }

  async clear(): Promise<void> {
    this.rows.clear();
    this.keys.length = 0;
  }

  async close(): Promise<void> {
    // What is in memory needs no closing.
  }

  /** How many keys are smaller. */
  private placeOf(key: Key): number {
    let low = 0;
    let high = this.keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.keys[middle] as Key) < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Stored values are JSON, so this is a deep copy. */
function copy(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}
