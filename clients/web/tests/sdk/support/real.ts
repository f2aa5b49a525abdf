// SPDX-License-Identifier: MIT
// A Banter of the tests' own and clients of it, over a real network.
import { System } from '../../../../../tests/e2e/support/system.mjs';
import {
  createClient, localLocks, MemoryStore, type Client, type ClientOptions, type Entry,
} from '../../../src/sdk/index.ts';
import { listen, type Browser } from './world.ts';

const DEADLINE_MS = 60_000;
const PASSWORD = 'correct horse battery staple';

/** A user's device, and what it has heard. */
export interface Person {
  readonly user: string;
  readonly client: Client;
  readonly browser: Browser;
  readonly heard: Entry[];
}

export class RealBanter {
  private readonly clients: Client[] = [];
  private count = 0;

  private constructor(
    private readonly system: System,
    readonly http: string,
    private readonly ws: string,
    readonly tcp: string,
  ) {}

  /** Starts one; `settings` are the bridge's. */
  static async start(settings: Record<string, string> = {}): Promise<RealBanter> {
    const system = await System.start(settings);
    const { http, ws, mqtt } = await system.status();
    return new RealBanter(system, http, ws, `mqtt://${mqtt}`);
  }

  async stop(): Promise<void> {
    for (const client of this.clients) await client.stop();
    await this.system.stop();
  }

  /** kill -9; they are started again. */
  async kill(...names: string[]): Promise<void> {
    await this.system.kill(...names);
  }

  browser(): Browser {
    return { store: new MemoryStore(), locks: localLocks() };
  }

  /** A client that has been started; whoever the browser remembers is logged in. */
  async open(browser: Browser, options: Partial<ClientOptions> = {}): Promise<Client> {
    const { store, locks } = browser;
    const client = createClient({
      api: this.http, mqtt: this.ws, store, platform: { locks }, ...options,
    });
    this.clients.push(client);
    await client.start();
    return client;
  }

  /** Somebody new, online and up to date. */
  async signUp(name: string, options: Partial<ClientOptions> = {}): Promise<Person> {
    const browser = this.browser();
    const client = await this.open(browser, options);
    const user = `${name}-${++this.count}`;
    const heard = listen(client);
    await client.signUp({ handle: user, password: PASSWORD, name });
    await synced(client);
    return { user, client, browser, heard };
  }

  /** The same user on another device. */
  async logIn(user: string, options: Partial<ClientOptions> = {}): Promise<Person> {
    const browser = this.browser();
    const client = await this.open(browser, options);
    const heard = listen(client);
    await client.logIn({ handle: user, password: PASSWORD });
    await synced(client);
    return { user, client, browser, heard };
  }
}

/** Online, and everything that was missed has been asked for. */
export async function synced(client: Client): Promise<void> {
  await until(() => {
    const now = client.connection.get();
    return now.state === 'online' && !now.syncing;
  }, 'online and up to date');
}

/** Waits until it is so; throws, with what was expected, when it does not come true. */
export async function until(
  holds: () => boolean | undefined | Promise<boolean | undefined>,
  what: string,
  deadlineMs = DEADLINE_MS,
): Promise<void> {
  const end = Date.now() + deadlineMs;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
