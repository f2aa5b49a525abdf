// SPDX-License-Identifier: MIT
// The store of a browser: one object store of one IndexedDB database, keys outside of the values.
// Rule: a batch is one transaction, and nothing else is awaited inside it, or it would end early.
import { openDB, type IDBPDatabase, type IDBPObjectStore } from 'idb';

import { MemoryStore } from './store_memory.ts';
import type { Batch, Key, KeyRange, Row, Store } from './store.ts';

const ROWS = 'rows';
const VERSION = 1;

/** The database of this name, opened when it is first used. Where there is none, as in some private
 * windows, things are kept as long as the page is open. */
export function indexedDbStore(name = 'banter'): Store {
  return new LazyStore(() => open(name).catch(() => new MemoryStore()));
}

async function open(name: string): Promise<Store> {
  const database = await openDB(name, VERSION, {
    upgrade: (fresh) => {
      fresh.createObjectStore(ROWS);
    },
    // A newer page wants to change the form: it shall not wait for this one.
    blocking: (_from, _to, event) => (event.target as IDBDatabase).close(),
  });
  return new IndexedDbStore(database);
}

class LazyStore implements Store {
  private opened: Promise<Store> | null = null;

  constructor(private readonly opener: () => Promise<Store>) {}

  async get(key: Key): Promise<unknown> {
    return (await this.store()).get(key);
  }

  async range(range: KeyRange, limit: number, end?: 'first' | 'last'): Promise<Row[]> {
    return (await this.store()).range(range, limit, end);
  }

  async write(batch: Batch): Promise<void> {
    return (await this.store()).write(batch);
  }

  async clear(): Promise<void> {
    return (await this.store()).clear();
  }

  async close(): Promise<void> {
    const opened = this.opened;
    this.opened = null; // another use opens it again
    await (await opened)?.close();
  }

  private store(): Promise<Store> {
    this.opened ??= this.opener();
    return this.opened;
  }
}

class IndexedDbStore implements Store {
  constructor(private readonly database: IDBPDatabase) {}

  get(key: Key): Promise<unknown> {
    return this.database.get(ROWS, key);
  }

  async range(range: KeyRange, limit: number, end: 'first' | 'last' = 'first'): Promise<Row[]> {
    if (limit <= 0) return [];
    const { store } = this.database.transaction(ROWS);
    return end === 'first' ? firstOf(store, range, limit) : lastOf(store, range, limit);
  }

  async write(batch: Batch): Promise<void> {
    const transaction = this.database.transaction(ROWS, 'readwrite');
    const requests: Promise<unknown>[] = [];
    for (const range of batch.clear ?? []) requests.push(transaction.store.delete(span(range)));
    for (const key of batch.remove ?? []) requests.push(transaction.store.delete(key));
    for (const [key, value] of batch.put ?? []) requests.push(transaction.store.put(value, key));
    await Promise.all([...requests, transaction.done]);
  }

  clear(): Promise<void> {
    return this.database.clear(ROWS);
  }

  async close(): Promise<void> {
    this.database.close();
  }
}

type Rows = IDBPObjectStore<unknown, [typeof ROWS], typeof ROWS, 'readonly'>;

/** Two requests, however many rows. */
async function firstOf(rows: Rows, range: KeyRange, limit: number): Promise<Row[]> {
  const [keys, values] = await Promise.all([
    rows.getAllKeys(span(range), limit), rows.getAll(span(range), limit),
  ]);
  return keys.map((key, i) => [key as Key, values[i]]);
}

/** Only a cursor goes backwards. */
async function lastOf(rows: Rows, range: KeyRange, limit: number): Promise<Row[]> {
  const found: Row[] = [];
  let cursor = await rows.openCursor(span(range), 'prev');
  while (cursor) {
    found.push([cursor.key as Key, cursor.value]);
    cursor = found.length < limit ? await cursor.continue() : null;
  }
  return found.reverse();
}

function span(range: KeyRange): IDBKeyRange {
  return IDBKeyRange.bound(range.from, range.to, false, true);
}
