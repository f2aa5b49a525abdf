// SPDX-License-Identifier: MIT
// The library's door: everything a program may use, and nothing else. README.md shows how.
// The IndexedDB store (store_indexeddb.ts) is imported by its own name, to keep it out of programs
// that do not use it.
import { BanterClient, type ClientOptions } from './client.ts';
import type { Client } from './interface.ts';

export type * from './types.ts';
export type { ClientOptions } from './client.ts';
export type { Client, Commands, People, Timeline } from './interface.ts';
export type { Readable } from './observable.ts';
export type { HttpRequest, HttpResponse, Locks, Platform, Release } from './platform.ts';
export type { Batch, Key, KeyRange, Row, Store } from './store.ts';
export type { Link, LinkOptions, Transport } from './transport.ts';
export { ConnectRefused } from './transport.ts';
export { BanterError, isTransient, toBanterError } from './errors.ts';
export { localLocks } from './platform.ts';
export { MemoryStore } from './store_memory.ts';
export * as limits from './limits.ts';

/** Makes a client; nothing happens before its `start`. */
export function createClient(options: ClientOptions): Client {
  return new BanterClient(options);
}
