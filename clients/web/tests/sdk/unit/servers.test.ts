// SPDX-License-Identifier: MIT
// Which server is used: the named one, the best of those that were found when it fails, and never
// one that is less safe; a client that moves loses nothing and says nothing twice.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';

import { limits, type Client, type Transport } from '../../../src/sdk/index.ts';
import { Servers } from '../../../src/sdk/servers.ts';
import { listen, upTo, World, type Browser } from '../support/world.ts';

const NAMED = { api: 'https://a.test', mqtt: 'wss://a.test/mqtt' };
const node = (name: string, scheme = 's'): object => ({
  node: name, http: `http${scheme}://${name}.test/`, ws: `ws${scheme}://${name}.test/mqtt`, load: 0,
});

describe('the list', () => {
  /** The hosts of the current one and of those that follow it. */
  const turn = (servers: Servers): string[] => {
    const hosts: string[] = [];
    do {
      hosts.push(servers.current.api.replace(/^https?:\/\//, ''));
      servers.leave(servers.current);
    } while (!hosts.includes(servers.current.api.replace(/^https?:\/\//, '')));
    return hosts;
  };

  test('begins with the named one; the others follow as they are ranked', () => {
    const servers = new Servers(NAMED);
    assert.deepEqual(turn(servers), ['a.test']);
    servers.take({ servers: [node('c'), node('a'), node('b'), node('c')] });
    assert.deepEqual(turn(servers), ['a.test', 'c.test', 'b.test']);
  });

  test('what is in use stays in use, and is followed by the best', () => {
    const servers = new Servers(NAMED);
    servers.take({ servers: [node('b'), node('c')] });
    servers.leave(servers.current);
    assert.equal(servers.current.mqtt, 'wss://b.test/mqtt');
    servers.take({ servers: [node('d'), node('e')] });
    assert.deepEqual(turn(servers), ['b.test', 'd.test', 'e.test', 'a.test']);
    servers.take({ servers: [] });
    assert.deepEqual(turn(servers), ['b.test', 'a.test']);
  });

  test('who speaks of one that was left already, or is connected, moves nothing', () => {
    const servers = new Servers(NAMED);
    servers.take({ servers: [node('b'), node('c')] });
    const first = servers.current;
    servers.leave(first);
    servers.leave(first);
    assert.equal(servers.current.api, 'https://b.test');
    servers.pin();
    servers.leave(servers.current);
    assert.equal(servers.current.api, 'https://b.test');
    servers.unpin();
    servers.leave(servers.current);
    assert.equal(servers.current.api, 'https://c.test');
  });

  test('takes no address that is none, or that is less safe', () => {
    const servers = new Servers(NAMED);
    servers.take({
      servers: [
        node('plain', ''), { node: 'x', http: 'https://x.test', ws: 'ws://x.test/mqtt' },
        { node: 'tcp', mqtt: 'mqtts://tcp.test' }, { node: 'nowhere' }, 'text', null,
        { node: 'script', http: 'javascript:alert(1)', ws: 'wss://s.test' },
        { node: 'user', http: 'https://user@u.test', ws: 'wss://u.test/mqtt' },
        { node: 'space', http: 'https://b .test', ws: 'wss://b.test/mqtt' },
        { node: 'long', http: `https://${'l'.repeat(1_025)}.test`, ws: 'wss://l.test/mqtt' },
        { node: 'beside', http: 'https://beside.test' },
        { node: 'socket', ws: 'wss://socket.test/mqtt' },
      ],
    });
    assert.deepEqual(servers.others, [
      { api: 'https://beside.test', mqtt: 'wss://beside.test/mqtt' },
      { api: 'https://a.test', mqtt: 'wss://socket.test/mqtt' },
    ]);
    servers.take({ servers: 'nonsense' });
    assert.deepEqual(servers.others, []);
  });

  test('a program that speaks MQTT over TCP goes on with it where it can', () => {
    const servers = new Servers({ api: 'http://a.test', mqtt: 'mqtt://a.test' });
    servers.take({ servers: [{ ...node('b', ''), mqtt: 'mqtt://b.test' }, node('c')] });
    assert.deepEqual(servers.others.map(({ mqtt }) => mqtt),
      ['mqtt://b.test', 'wss://c.test/mqtt']);
  });

  test('is bounded', () => {
    const servers = new Servers(NAMED);
    servers.take({ servers: upTo(100).map((i) => node(`n${i}`)) });
    assert.equal(servers.others.length, limits.SERVERS_FOUND_MAX);
  });
});

describe('a client', () => {
  let world: World;
  /** Hosts that do not answer. */
  let down: Set<string>;
  /** Hosts that were connected to, in turn. */
  let visited: string[];

  beforeEach(() => {
    world = new World();
    down = new Set();
    visited = [];
    world.server.nodes = [node('b', ''), node('c', '')];
    world.server.intercept = async (request) => {
      if (down.has(new URL(request.url).host)) throw new Error('connection refused');
      return undefined;
    };
  });

  afterEach(async () => {
    await world.end();
    assert.deepEqual(world.reported, []);
  });

  const transport: Transport = {
    connect: async (options) => {
      const { host } = new URL(options.url);
      if (down.has(host)) throw new Error('connection refused');
      visited.push(host);
      return world.server.transport().connect(options);
    },
  };

  const logIn = async (browser: Browser = world.browser()): Promise<Client> => {
    const client = await world.open(browser, { transport });
    await client.logIn({ handle: 'alice', password: 'x' });
    await world.clock.pass(1);
    return client;
  };

  /** The host dies. */
  const kill = (...hosts: string[]): void => {
    for (const host of hosts) down.add(host);
    world.server.cut();
  };

  test('goes on at the next server, with all that it has not heard and not said', async () => {
    const conversation = world.server.converse('c1', 'alice', 'bob');
    const client = await logIn();
    const heard = listen(client);
    kill('server.test');
    const ids = upTo(5).map((i) => client.send('c1', `draft ${i}`));
    for (const i of upTo(3)) world.server.say('c1', 'bob', { text: `bob ${i}` });
    await Promise.all(ids);
    await world.clock.pass(2 * limits.BACKOFF_FIRST_MS);
    assert.deepEqual(visited, ['server.test', 'b.test']);
    assert.equal(client.connection.get().state, 'online');
    assert.equal(conversation.entries.length, 8);
    assert.deepEqual(heard.map(({ seq }) => seq), upTo(8));
    assert.deepEqual(client.outbox.get(), []);

    kill('b.test', 'c.test');
    down.delete('server.test');
    await world.clock.pass(10_000);
    assert.deepEqual(visited, ['server.test', 'b.test', 'server.test']);
  });

  test('asks over HTTP where it is connected', async () => {
    const hosts: string[] = [];
    const client = await logIn();
    kill('server.test');
    await world.clock.pass(2 * limits.BACKOFF_FIRST_MS);
    const { intercept } = world.server;
    world.server.intercept = async (request) => {
      hosts.push(new URL(request.url).host);
      return intercept(request);
    };
    await client.commands.createDirect('bob').catch(() => undefined);
    assert.deepEqual([...new Set(hosts)], ['b.test']);
  });

  test('that is told to go does so at once, to where there is room', async () => {
    const client = await logIn();
    world.server.nodes = [node('c', '')];
    world.server.tell('alice', 'me/event', {
      event: 'closing', reason: 'going_away', within_ms: 10_000,
    });
    await world.clock.pass(5_000 + limits.BACKOFF_FIRST_MS);
    assert.deepEqual(visited, ['server.test', 'c.test']);
    assert.equal(client.connection.get().state, 'online');
  });

  test('that meets a full server when it starts finds another one', async () => {
    const full: Transport = {
      connect: async (options) => {
        if (new URL(options.url).host === 'server.test') throw new Error('503');
        return transport.connect(options);
      },
    };
    const client = await world.open(world.browser(), { transport: full });
    await client.logIn({ handle: 'alice', password: 'x' });
    await world.clock.pass(5_000);
    assert.deepEqual(visited, ['b.test']);
    assert.equal(client.connection.get().state, 'online');
  });

  test('that is loaded while its server is away remembers the others', async () => {
    const browser = world.browser();
    await logIn(browser);
    kill('server.test', 'b.test');
    await (await world.open(browser, { transport, api: 'http://server.test/' })).start();
    await world.clock.pass(10_000);
    assert.equal(visited.at(-1), 'c.test');
  });

  test('forgets what the servers of another Banter said', async () => {
    const browser = world.browser();
    const client = await logIn(browser);
    await client.stop();
    visited = [];
    down.add('server.test');
    down.add('other.test');
    const other = await world.open(browser, {
      transport, api: 'http://other.test', mqtt: 'ws://other.test/mqtt',
    });
    await world.clock.pass(60_000);
    assert.deepEqual(visited, []);
    assert.equal(other.connection.get().state, 'waiting');
  });

  test('leaves a server that is connected and gives no sync', async () => {
    world.server.intercept = async (request) => {
      const { host, pathname } = new URL(request.url);
      if (host === 'server.test' && pathname === '/v1/sync') throw new Error('no answer');
      return undefined;
    };
    const client = await logIn();
    await world.clock.pass(120_000);
    assert.equal(visited.at(-1), 'b.test');
    assert.deepEqual(client.connection.get(), { state: 'online', syncing: false });
  });

  test('asks for the servers of its own place', async () => {
    const asked: string[] = [];
    world.server.intercept = async (request) => {
      const url = new URL(request.url);
      if (url.pathname === '/v1/servers') asked.push(url.search);
      return undefined;
    };
    const client = await world.open(world.browser(), { transport, location: 'eu/de/fra' });
    await client.logIn({ handle: 'alice', password: 'x' });
    await world.clock.pass(1);
    assert.deepEqual(asked, ['?location=eu%2Fde%2Ffra']);
  });

  test('of a server that knows of no such list stays there', async () => {
    world.server.intercept = async (request) =>
      request.url.endsWith('/v1/servers')
        ? { status: 404, header: () => null, text: 'no', bytes: new Uint8Array() } : undefined;
    const client = await logIn();
    world.server.cut();
    await world.clock.pass(limits.BACKOFF_FIRST_MS);
    assert.deepEqual(visited, ['server.test', 'server.test']);
    assert.equal(client.connection.get().state, 'online');
  });
});
