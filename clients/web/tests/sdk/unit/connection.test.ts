// SPDX-License-Identifier: MIT
// The connection is made again and again, with patience; presence and pending signals follow it.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';

import { limits, type Client, type Transport } from '../../../src/sdk/index.ts';
import { Backoff } from '../../../src/sdk/backoff.ts';
import { problem } from '../support/server.ts';
import { World } from '../support/world.ts';

let world: World;

beforeEach(() => {
  world = new World();
});

afterEach(async () => {
  await world.end();
  assert.deepEqual(world.reported, []);
});

describe('Backoff', () => {
  test('is drawn from 0 to a bound that doubles up to the last', () => {
    const longest = new Backoff(() => 1);
    const waits = Array.from({ length: 10 }, () => longest.next());
    assert.deepEqual(waits.slice(0, 3), [500, 1000, 2000]);
    assert.equal(waits.at(-1), limits.BACKOFF_LAST_MS);
    longest.reset();
    assert.equal(longest.next(), limits.BACKOFF_FIRST_MS);
    assert.equal(new Backoff(() => 0).next(), 0);
  });

  test('never ends before the server wants it', () => {
    assert.equal(new Backoff(() => 0).next(7000), 7000);
  });
});

describe('the connection', () => {
  test('while the server is down attempts become rare, and the next one is told', async () => {
    let attempts = 0;
    const real = world.server.transport();
    const transport: Transport = {
      connect: (options) => {
        attempts++;
        return real.connect(options);
      },
    };
    const client = await world.open(world.browser(), { transport });
    await client.logIn({ handle: 'alice', password: 'x' });
    await world.clock.pass(1);
    world.server.isDown = true;
    world.server.cut();
    attempts = 0;
    await world.clock.pass(600_000);
    assert.ok(attempts >= 10 && attempts <= 60, `${attempts} attempts in ten minutes`);
    const waiting = client.connection.get();
    assert.ok(waiting.state === 'waiting' && waiting.retryAt > world.clock.now());
    assert.equal(waiting.error.code, 'offline');
    world.server.isDown = false;
    client.nudge();
    await world.clock.pass(1);
    assert.deepEqual(client.connection.get(), { state: 'online', syncing: false });
  });

  test('whoever is thrown out at once again and again slows down', async () => {
    let attempts = 0;
    const real = world.server.transport();
    const transport: Transport = {
      connect: async (options) => {
        attempts++;
        const link = await real.connect(options);
        setImmediate(() => setImmediate(() => setImmediate(() => link.close())));
        return link;
      },
    };
    const client = await world.open(world.browser(), { transport });
    await client.logIn({ handle: 'alice', password: 'x' });
    await world.clock.pass(300_000);
    assert.ok(attempts >= 5 && attempts <= 40, `${attempts} attempts in five minutes`);
  });

  test('nor whose place was taken at another node, which has no 0x8E', async () => {
    const client = await world.logIn('alice');
    world.server.tell('alice', 'me/event', { event: 'closing', reason: 'taken_over' });
    await world.clock.pass(1);
    world.server.cut();
    await world.clock.pass(600_000);
    const state = client.connection.get();
    assert.ok(state.state === 'displaced' && state.error.code === 'conflict');
    client.nudge();
    await world.clock.pass(1);
    assert.equal(client.connection.get().state, 'online');
  });

  test('whose place another connection took does not come back by itself', async () => {
    const client = await world.logIn('alice');
    world.server.cut(0x8e);
    await world.clock.pass(600_000);
    const state = client.connection.get();
    assert.ok(state.state === 'displaced' && state.error.code === 'conflict');
    client.nudge();
    await world.clock.pass(1);
    assert.equal(client.connection.get().state, 'online');

    world.server.tell('alice', 'me/event', { event: 'closing', reason: 'too_many_devices' });
    await world.clock.pass(1);
    world.server.cut();
    await world.clock.pass(600_000);
    assert.equal(client.connection.get().state, 'displaced');
    await client.logOut();
    assert.equal(client.connection.get().state, 'stopped');
  });

  test('a server that goes away is left at a random moment of the first half', async () => {
    const client = await world.logIn('alice');
    const states: string[] = [];
    client.connection.subscribe(() => states.push(client.connection.get().state));
    const event = { event: 'closing', reason: 'going_away', within_ms: 10_000 };
    world.server.tell('alice', 'me/event', event);
    world.server.tell('alice', 'me/event', event); // it may be said again
    await world.clock.pass(5_000);
    assert.ok(states.includes('waiting'), `it has not left: ${states}`);
    await world.clock.pass(limits.BACKOFF_FIRST_MS);
    assert.equal(client.connection.get().state, 'online');
    await world.clock.pass(10_000);
    assert.equal(states.filter((state) => state === 'waiting').length, 1);
  });

  test('a server that goes away may end the connection first', async () => {
    const client = await world.logIn('alice');
    world.server.tell('alice', 'me/event', {
      event: 'closing', reason: 'going_away', within_ms: 600_000,
    });
    world.server.cut();
    await world.clock.pass(limits.BACKOFF_FIRST_MS);
    assert.equal(client.connection.get().state, 'online');
    await world.clock.pass(600_000);
    assert.equal(client.connection.get().state, 'online', 'the next one stays');
  });

  test('a refused token is renewed at once, a second refusal waits', async () => {
    const client = await world.logIn('alice');
    world.server.expireTokens();
    world.server.cut();
    await world.clock.pass(limits.BACKOFF_FIRST_MS);
    assert.equal(client.connection.get().state, 'online');
  });

  test('a server that wants to be left alone is left alone', async () => {
    const client = await world.logIn('alice');
    world.server.expireTokens();
    let asked = 0;
    world.server.intercept = async (request) => {
      if (!request.url.endsWith('/v1/token')) return undefined;
      asked++;
      return { ...problem(503, 'unavailable'), header: () => '120' };
    };
    await assert.rejects(client.commands.createDirect('bob'), {
      code: 'unavailable', retryAfterMs: 120_000,
    });
    assert.equal(client.session.get().state, 'signedIn');
    assert.equal(asked, 1);
  });

  test('a broker that accepts and never gets ready is given up', async () => {
    const real = world.server.transport();
    let isMute = true;
    const transport: Transport = {
      connect: (options) => real.connect({
        ...options, onMessage: (...said) => (isMute ? undefined : options.onMessage(...said)),
      }),
    };
    const client = await world.open(world.browser(), { transport });
    await client.logIn({ handle: 'alice', password: 'x' });
    await world.clock.pass(limits.READY_TIMEOUT_MS - 100);
    assert.equal(client.connection.get().state, 'connecting');
    isMute = false;
    await world.clock.pass(limits.BACKOFF_FIRST_MS + 200);
    assert.equal(client.connection.get().state, 'online');
  });

  test('stopping does not wait for an attempt that hangs', async () => {
    const transport: Transport = { connect: () => new Promise(() => undefined) };
    const client = await world.open(world.browser(), { transport });
    await client.logIn({ handle: 'alice', password: 'x' });
    await client.logOut();
    assert.equal(client.connection.get().state, 'stopped');
    await client.stop();
  });

  test('what was stopped can be started again', async () => {
    const client = await world.logIn('alice');
    await client.stop();
    assert.equal(client.connection.get().state, 'stopped');
    await client.start();
    await world.clock.pass(1);
    assert.deepEqual(client.connection.get(), { state: 'online', syncing: false });
  });

  test('a store that cannot be read does not stand in the way of the next attempt', async () => {
    const browser = world.browser();
    const { range } = browser.store;
    browser.store.range = async () => Promise.reject(new Error('the disk is broken'));
    const client = await world.open(browser);
    await assert.rejects(client.logIn({ handle: 'alice', password: 'x' }), { code: 'internal' });
    browser.store.range = range;
    await client.logIn({ handle: 'alice', password: 'x' });
    await world.clock.pass(1);
    assert.equal(client.connection.get().state, 'online');
    world.reported.length = 0;
  });

  test('as many tabs as there are names for, and no more', async () => {
    const browser = world.browser();
    const names = new Set<string>();
    for (let i = 0; i < limits.TABS_MAX; i++) {
      const tab: Client = i === 0 ? await world.logIn('alice', browser) : await world.open(browser);
      const session = tab.session.get();
      assert.ok(session.state === 'signedIn');
      names.add(session.device);
    }
    assert.equal(names.size, limits.TABS_MAX);
    await assert.rejects(world.open(browser), { code: 'limit_reached' });
    world.reported.length = 0;
  });

  test('with a device of its own a login is bound to it', async () => {
    let bound: unknown;
    world.server.intercept = async (request) => {
      if (request.url.endsWith('/v1/login')) bound = JSON.parse(String(request.body)).device;
      return undefined;
    };
    const client = await world.open(world.browser(), { device: 'phone' });
    await client.logIn({ handle: 'alice', password: 'x' });
    await world.clock.pass(1);
    assert.equal(bound, 'phone');
    assert.equal([...world.server.sockets][0]?.options.clientId, 'alice/phone');
  });
});

describe('presence', () => {
  test('is asked for while somebody looks, and unknown without a connection', async () => {
    const subscribed = new Set<string>();
    const real = world.server.transport();
    const transport: Transport = {
      connect: async (options) => ({
        ...(await real.connect(options)),
        subscribe: async (filter) => {
          subscribed.add(filter);
          return filter.endsWith('stranger') ? 0x87 : 0;
        },
        unsubscribe: async (filter) => void subscribed.delete(filter),
      }),
    };
    const client = await world.open(world.browser(), { transport });
    await client.logIn({ handle: 'alice', password: 'x' });
    await world.clock.pass(1);
    const bob = client.people.presence('bob');
    assert.equal(subscribed.size, 0);
    const ends = [bob.subscribe(() => undefined), bob.subscribe(() => undefined)];
    const tell = (state: string): void =>
      world.server.tell('alice', 'presence/bob', { user: 'bob', state });
    tell('online');
    await world.clock.pass(1);
    assert.deepEqual([...subscribed], ['presence/bob']);
    assert.equal(bob.get().state, 'online');
    world.server.cut();
    await world.clock.pass(0);
    assert.equal(bob.get().state, 'unknown');
    await world.clock.pass(limits.BACKOFF_FIRST_MS);
    tell('away');
    await world.clock.pass(1);
    assert.equal(bob.get().state, 'away');
    for (const end of ends) end();
    await world.clock.pass(limits.PRESENCE_LINGER_MS + 1);
    assert.equal(subscribed.size, 0);
    assert.equal(bob.get().state, 'unknown');

    const end = client.people.presence('stranger').subscribe(() => undefined);
    await world.clock.pass(1);
    assert.equal(client.people.presence('stranger').get().state, 'unknown');
    subscribed.clear();
    world.server.converse('c9', 'alice', 'stranger');
    await world.clock.pass(1);
    assert.deepEqual([...subscribed], ['presence/stranger']); // something is shared now
    end();
  });

  test('a connection that has subscribed as often as it may is made anew', async () => {
    let subscriptions = 0;
    let connections = 0;
    const real = world.server.transport();
    const transport: Transport = {
      connect: async (options) => {
        subscriptions = 0;
        connections++;
        const subscribe = async (): Promise<number> => (++subscriptions, 0);
        return { ...(await real.connect(options)), subscribe };
      },
    };
    const client = await world.open(world.browser(), { transport });
    await client.logIn({ handle: 'alice', password: 'x' });
    await world.clock.pass(1);
    for (let i = 0; i <= limits.FILTERS_PER_CONNECTION; i++) {
      client.people.presence(`user-${i}`).subscribe(() => undefined)();
      if (i % 500 === 0) await world.clock.pass(limits.PRESENCE_LINGER_MS + 1);
      assert.ok(subscriptions <= limits.FILTERS_PER_CONNECTION);
    }
    await world.clock.pass(limits.PRESENCE_LINGER_MS + limits.BACKOFF_FIRST_MS);
    assert.equal(connections, 2);
  });

  test('what one wants to be shown as is said again after reconnecting', async () => {
    const client = await world.logIn('alice');
    client.people.setPresence('hidden');
    world.server.cut();
    await world.clock.pass(limits.BACKOFF_FIRST_MS);
    const said = world.server.signals.filter(([topic]) => topic === 'send/me/presence');
    assert.deepEqual(said.map(([, payload]) => payload),
      ['{"state":"hidden"}', '{"state":"hidden"}']);
  });
});
