// SPDX-License-Identifier: MIT
// Everything that the library takes from where it runs: time, chance, HTTP, locks. A test gives its
// own. Rule: no other file of the library (but the two adapters) touches a global.

export type Timer = unknown;

export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: { readonly [name: string]: string };
  readonly body?: string | Uint8Array;
  /** The answer is wanted as `bytes`, otherwise as `text`. */
  readonly binary?: boolean;
  /** Until the last byte of the answer; then the request is given up. */
  readonly timeoutMs: number;
}

export interface HttpResponse {
  readonly status: number;
  /** A header field, or null. */
  header(name: string): string | null;
  readonly text: string;
  readonly bytes: Uint8Array;
}

/** Ends what `Locks` gave. */
export type Release = () => void;

/** Mutual exclusion between all programs that share a store: a browser's tabs. */
export interface Locks {
  /** Waits until the lock is free. */
  acquire(name: string): Promise<Release>;
  /** Null when somebody holds it. */
  tryAcquire(name: string): Promise<Release | null>;
}

export interface Platform {
  /** Milliseconds since 1970. */
  now(): number;
  /** From 0 up to, but not including, 1. */
  random(): number;
  /** A UUID of version 7. */
  uuid(): string;
  setTimer(run: () => void, ms: number): Timer;
  clearTimer(timer: Timer): void;
  /** Rejected when no answer came. */
  http(request: HttpRequest): Promise<HttpResponse>;
  readonly locks: Locks;
  /** A program error that nobody can be told of: a listener threw, a store failed. */
  report(error: unknown): void;
}

/** What we use of the globals that browsers, Node and React Native share, and no type more. */
interface Globals {
  setTimeout(run: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
  fetch(url: string, init: object): Promise<{
    status: number;
    headers: { get(name: string): string | null };
    text(): Promise<string>;
    arrayBuffer(): Promise<ArrayBuffer>;
  }>;
  AbortController: new () => { readonly signal: unknown; abort(): void };
  crypto?: { getRandomValues?(into: Uint8Array): Uint8Array };
  navigator?: { locks?: WebLocks };
  console: { error(...what: unknown[]): void };
  reportError?(error: unknown): void;
}

/** The part of the Web Locks API that is used. */
export interface WebLocks {
  request(
    name: string,
    options: { ifAvailable?: boolean },
    held: (lock: unknown) => Promise<void>,
  ): Promise<void>;
}

/** The platform that the program runs on. */
export function defaultPlatform(): Platform {
  const globals = globalThis as unknown as Globals;
  const webLocks = globals.navigator?.locks;
  return {
    now: () => Date.now(),
    random: () => Math.random(),
    uuid: () => uuidOf(Date.now(), randomBytes(globals)),
    setTimer: (run, ms) => globals.setTimeout(run, ms),
    clearTimer: (timer) => globals.clearTimeout(timer),
    http: (request) => httpByFetch(globals, request),
    locks: webLocks ? locksOfWeb(webLocks) : SHARED_LOCKS,
    report: reportToHost,
  };
}

/** Where a browser or the process shows errors that nobody caught. */
export function reportToHost(error: unknown): void {
  const globals = globalThis as unknown as Globals;
  if (globals.reportError) globals.reportError(error);
  else globals.console.error(error);
}

const NO_BYTES = new Uint8Array(0);

async function httpByFetch(globals: Globals, request: HttpRequest): Promise<HttpResponse> {
  const aborter = new globals.AbortController();
  const timer = globals.setTimeout(() => aborter.abort(), request.timeoutMs);
  try {
    const response = await globals.fetch(request.url, {
      method: request.method,
      headers: request.headers,
      body: request.body,
      signal: aborter.signal,
      cache: request.binary ? 'no-cache' : 'no-store', // pictures are asked for by their ETag
      credentials: 'omit',
    });
    const bytes = request.binary ? new Uint8Array(await response.arrayBuffer()) : NO_BYTES;
    const text = request.binary ? '' : await response.text();
    return { status: response.status, header: (name) => response.headers.get(name), text, bytes };
  } finally {
    globals.clearTimeout(timer);
  }
}

function randomBytes(globals: Globals): Uint8Array {
  const bytes = new Uint8Array(16);
  if (globals.crypto?.getRandomValues) return globals.crypto.getRandomValues(bytes);
  return bytes.map(() => Math.floor(Math.random() * 256));
}

/**
 * A UUID of version 7 (RFC 9562, section 5.7) from the time in ms and 16 random bytes: drafts under
 * ids that grow are entered where the server's index is warm.
 */
export function uuidOf(now: number, bytes: Uint8Array): string {
  for (let i = 0; i < 6; i++) bytes[i] = Math.floor(now / 256 ** (5 - i)) % 256;
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

export function locksOfWeb(locks: WebLocks): Locks {
  const request = (name: string, ifAvailable: boolean): Promise<Release | null> =>
    new Promise((resolve, reject) => {
      locks
        .request(name, ifAvailable ? { ifAvailable } : {}, (lock) => {
          if (!lock) {
            resolve(null);
            return Promise.resolve();
          }
          return new Promise<void>((release) => resolve(release));
        })
        .catch(reject);
    });
  return {
    acquire: async (name) => (await request(name, false)) as Release,
    tryAcquire: (name) => request(name, true),
  };
}

/** Locks between the clients of one process, for where there are no tabs. */
export function localLocks(): Locks {
  const queues = new Map<string, (() => void)[]>(); // of those that are held: who waits
  const releaseOf = (name: string): Release => {
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      const next = queues.get(name)?.shift();
      if (next) next();
      else queues.delete(name);
    };
  };
  return {
    acquire: async (name) => {
      const queue = queues.get(name);
      if (queue) await new Promise<void>((resolve) => queue.push(resolve));
      else queues.set(name, []);
      return releaseOf(name);
    },
    tryAcquire: async (name) => {
      if (queues.has(name)) return null;
      queues.set(name, []);
      return releaseOf(name);
    },
  };
}

const SHARED_LOCKS = localLocks();
