// SPDX-License-Identifier: MIT
// A store that ends with the process: for tests, and for programs that need no memory. Rule: like
// every store it gives and keeps copies, so that nobody changes what is stored by accident.
import type { Batch, Key, KeyRange, Row, Store } from './store.ts';

/** Several clients may be given the same one; they then are like tabs of one browser. */
export class MemoryStore implements Store {
  private readonly rows = new Map<Key, unknown>();
  private sorted: Key[] | null = []; // null: to be sorted anew

  async get(key: Key): Promise<unknown> {
    return copy(this.rows.get(key));
  }

  async range(range: KeyRange, limit: number, end: 'first' | 'last' = 'first'): Promise<Row[]> {
    const keys = this.keysIn(range);
    const chosen = end === 'first' ? keys.slice(0, limit) : keys.slice(-limit);
    return limit > 0 ? chosen.map((key) => [key, copy(this.rows.get(key))]) : [];
  }

  async write(batch: Batch): Promise<void> {
    for (const range of batch.clear ?? []) {
      for (const key of this.keysIn(range)) this.rows.delete(key);
    }
    for (const key of batch.remove ?? []) this.rows.delete(key);
    for (const [key, value] of batch.put ?? []) this.rows.set(key, copy(value));
    this.sorted = null;
  }

  async clear(): Promise<void> {
    this.rows.clear();
    this.sorted = null;
  }

  async close(): Promise<void> {
    // What is in memory needs no closing.
  }

  private keysIn(range: KeyRange): Key[] {
    this.sorted ??= [...this.rows.keys()].sort((a, b) => (a < b ? -1 : 1));
    return this.sorted.filter((key) => key >= range.from && key < range.to && this.rows.has(key));
  }
}

/** Stored values are JSON, so this is a deep copy. */
function copy(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}
