// SPDX-License-Identifier: MIT
// What the library needs of a place to keep things: an ordered map from strings to plain values,
// written in atomic batches. store_memory.ts and store_indexeddb.ts are two; SQLite makes another.
//
// Values are what structured cloning takes; whoever gets one does not change it. All programs that
// share a store (tabs) see each other's writes.

/** Keys are compared by UTF-16 code units, as JavaScript's `<` does. */
export type Key = string;

export type Row = readonly [Key, unknown];

export interface KeyRange {
  /** Included. */
  readonly from: Key;
  /** Not included. */
  readonly to: Key;
}

export interface Batch {
  readonly put?: readonly Row[];
  readonly remove?: readonly Key[];
  /** Ranges to be emptied, before anything is put. */
  readonly clear?: readonly KeyRange[];
}

export interface Store {
  /** Undefined when there is none. */
  get(key: Key): Promise<unknown>;
  /** At most `limit` values, in rising order of their keys: the first ones, or the `last` ones. */
  range(range: KeyRange, limit: number, end?: 'first' | 'last'): Promise<Row[]>;
  /** All of it, or nothing. */
  write(batch: Batch): Promise<void>;
  /** Forgets everything. */
  clear(): Promise<void>;
  /** Lets go of it until it is used again. */
  close(): Promise<void>;
}
