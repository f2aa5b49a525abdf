// SPDX-License-Identifier: MIT
// A fake server, a clock, and clients between which nothing real lies.
import {
  createClient, localLocks, MemoryStore, type Client, type ClientOptions, type Entry,
  type MessageItem, type TimelineItem,
} from '../../../src/sdk/index.ts';
import { Clock } from './clock.ts';
import { random } from './random.ts';
import { FakeServer } from './server.ts';

/** A browser, say: its tabs share a store and locks. */
export interface Browser {
  readonly store: MemoryStore;
  readonly locks: ReturnType<typeof localLocks>;
}

export class World {
  readonly clock = new Clock();
  readonly server = new FakeServer(() => this.clock.now());
  readonly reported: unknown[] = [];
  private readonly clients: Client[] = [];
  private readonly chance: () => number;
  private uuids = 0;

  constructor(seed = 1) {
    this.chance = random(seed);
  }

  browser(): Browser {
    return { store: new MemoryStore(), locks: localLocks() };
  }

  /** A client that has been started. */
  async open(browser = this.browser(), options: Partial<ClientOptions> = {}): Promise<Client> {
    const client = createClient({
      api: 'http://server.test',
      mqtt: 'ws://server.test/mqtt',
      store: browser.store,
      transport: this.server.transport(),
      platform: {
        ...this.clock.platform(),
        random: () => this.chance(),
        uuid: () => `id-${String(++this.uuids).padStart(8, '0')}`,
        http: (request) => this.server.http(request),
        locks: browser.locks,
        report: (error) => this.reported.push(error),
      },
      ...options,
    });
    this.clients.push(client);
    await client.start();
    return client;
  }

  /** One that somebody has logged in to, brought up to date. */
  async logIn(handle: string, browser = this.browser()): Promise<Client> {
    const client = await this.open(browser);
    await client.logIn({ handle, password: 'correct horse' });
    await this.clock.pass(1);
    return client;
  }

  async end(): Promise<void> {
    for (const client of this.clients) await client.stop();
  }
}

/** What is listed of each entry that a client passes on. */
export function listen(client: Client): Entry[] {
  const heard: Entry[] = [];
  client.onEntry((entry) => heard.push(entry));
  return heard;
}

export function messages(items: readonly TimelineItem[]): MessageItem[] {
  return items.filter((item) => item.type === 'message');
}

export function texts(items: readonly TimelineItem[]): (string | null)[] {
  return messages(items).map((item) => item.text);
}

/** 1, 2, 3 … up to `last`. */
export function upTo(last: number, first = 1): number[] {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i);
}
