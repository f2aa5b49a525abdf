// SPDX-License-Identifier: MIT
// The library's door: everything a program may use, and nothing else. README.md shows how.
// The IndexedDB store (store_indexeddb.ts) is imported by its own name, to keep it out of programs
// that do not use it.
import type { Client } from './interface.ts';
import type { Platform } from './platform.ts';
import type { Store } from './store.ts';
import type { Transport } from './transport.ts';

export type * from './types.ts';
export type { Client, Commands, People, Timeline } from './interface.ts';
export type { Readable } from './observable.ts';
export type { HttpRequest, HttpResponse, Locks, Platform, Release } from './platform.ts';
export type { Batch, Key, KeyRange, Row, Store } from './store.ts';
export type { Link, LinkOptions, Transport } from './transport.ts';
export { ConnectRefused } from './transport.ts';
export { BanterError, isTransient, toBanterError } from './errors.ts';
export * as limits from './limits.ts';

export interface ClientOptions {
  /** Where HTTP is, such as `https://chat.example.org`; in a page `location.origin`. */
  readonly api: string;
  /** Where MQTT is, such as `wss://chat.example.org/mqtt`. */
  readonly mqtt: string;
  readonly store: Store;
  /** MQTT.js when absent, which is loaded when the first connection is made. */
  readonly transport?: Transport;
  /** Names this installation; its logins are then bound to it and can be revoked by that name, and
   * only one program at a time may use the name and the store. Absent: each of the programs that
   * share the store (tabs) gets a device of its own. */
  readonly device?: string;
  readonly platform?: Partial<Platform>;
}

/** Makes a client; nothing happens before its `start`. */
export declare function createClient(options: ClientOptions): Client;
