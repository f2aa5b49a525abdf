// SPDX-License-Identifier: MIT
// Profiles that are kept and refreshed, single messages, and what is asked of whom.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';

import { limits, type Client, type HttpRequest } from '../../../src/sdk/index.ts';
import { json, problem } from '../support/server.ts';
import { World } from '../support/world.ts';

let world: World;
let alice: Client;
let asked: string[];
let name: string;

beforeEach(async () => {
  world = new World();
  asked = [];
  name = 'Bob';
  world.server.intercept = async ({ method, url }: HttpRequest) => {
    const { pathname, search } = new URL(url);
    if (!/users|\/me|search|join|view=folded/.test(url)) return undefined;
    asked.push(`${method} ${pathname}${search}`);
    if (pathname.endsWith('/avatar')) return problem(404, 'not_found');
    if (pathname.includes('/messages')) {
      const text = { conversation: 'c1', seq: 7, at: 't', from: 'bob', kind: 'text', id: 'x' };
      return json(200, { entries: [{ ...text, text: 'hello' }], more: false });
    }
    const hits = { hits: [], pending: 0, more: true, next: 'n' };
    if (pathname === '/v1/search') return json(200, hits);
    return json(200, { user: 'bob', name, avatar: null, created_at: 't', kind: 'group' });
  };
  alice = await world.logIn('alice');
});

afterEach(async () => {
  await world.end();
  assert.deepEqual(world.reported, []);
});

describe('profiles', () => {
  test('are kept for a while', async () => {
    await Promise.all([alice.people.profile('bob'), alice.people.profile('bob')]);
    assert.deepEqual(asked, ['GET /v1/users/bob']);
    await world.clock.pass(limits.PROFILE_FRESH_MS + 1);
    await alice.people.profile('bob');
    assert.equal(asked.length, 2);
  });

  test('a failure is not kept', async () => {
    world.server.isDown = true;
    const { intercept } = world.server;
    world.server.intercept = async () => undefined;
    await assert.rejects(alice.people.profile('bob'), { code: 'offline' });
    world.server.isDown = false;
    world.server.intercept = intercept;
    assert.equal((await alice.people.profile('bob')).name, 'Bob');
  });

  test("one's own follows what another device changed", async () => {
    const end = alice.people.self.subscribe(() => undefined);
    await world.clock.pass(1);
    assert.equal(alice.people.self.get()?.name, 'Bob');
    name = 'Robert';
    world.server.tell('alice', 'me/event', { event: 'profile_changed' });
    await world.clock.pass(1);
    assert.equal(alice.people.self.get()?.name, 'Robert');
    end();
  });

  test('no picture is no failure', async () => {
    assert.equal(await alice.people.avatar('bob'), undefined);
  });
});

describe('single messages', () => {
  test('are asked for once, until they change', async () => {
    world.server.converse('c1', 'alice', 'bob');
    await world.clock.pass(1);
    const item = await alice.message('c1', 7);
    assert.equal(item?.type === 'message' && item.text, 'hello');
    assert.equal(await alice.message('c1', 7), item);
    assert.equal(await alice.message('c1', 8), undefined);
    assert.equal(asked.length, 2);
    world.server.say('c1', 'bob', { kind: 'edit', target: 7, text: 'changed' });
    await world.clock.pass(1);
    await alice.message('c1', 7);
    assert.equal(asked.length, 3);
  });
});

describe('questions', () => {
  test('are spelled as the contract has them', async () => {
    await alice.people.search('b&b', 5);
    const page = await alice.searchMessages({ query: 'a b', from: 'bob', limit: 2 });
    assert.equal(page.next, 'n');
    assert.equal((await alice.lookAtInvite('a/b')).kind, 'group');
    assert.deepEqual(asked, [
      'GET /v1/users?search=b%26b&limit=5', 'GET /v1/search?q=a%20b&from=bob&limit=2',
      'GET /join/a%2Fb',
    ]);
  });
});
