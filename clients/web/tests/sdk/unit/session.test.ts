// SPDX-License-Identifier: MIT
// Tokens: renewed in time, by one tab at a time, and never exchanged twice, whatever is lost.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import type { HttpRequest } from '../../../src/sdk/index.ts';
import { settle } from '../support/clock.ts';
import { problem } from '../support/server.ts';
import { World } from '../support/world.ts';

const HOUR_MS = 3_600_000;

function exchanges(world: World): number {
  return world.server.requests.filter((request) => request === 'POST /v1/token').length;
}

/** Loses the answers to the first so many exchanges. */
function loseAnswers(world: World, count: number): void {
  let left = count;
  world.server.intercept = async (request: HttpRequest) => {
    if (!request.url.endsWith('/v1/token') || left === 0) return undefined;
    left--;
    world.server.intercept = async () => undefined;
    await world.server.http(request);
    loseAnswers(world, left);
    throw new Error('the answer was lost');
  };
}

describe('the session', () => {
  test('survives the end of the program', async () => {
    const world = new World();
    const browser = world.browser();
    const first = await world.logIn('alice', browser);
    assert.equal(first.session.get().state, 'signedIn');
    await first.stop();
    const second = await world.open(browser);
    await world.clock.pass(1);
    assert.deepEqual(second.session.get(), first.session.get());
    assert.equal(second.connection.get().state, 'online');
    await world.end();
  });

  test('a token that is about to expire is renewed, one that is refused as well', async () => {
    const world = new World();
    const client = await world.logIn('alice');
    await world.clock.pass(HOUR_MS - 60_000);
    await client.commands.createDirect('bob');
    assert.equal(exchanges(world), 1);
    world.server.expireTokens();
    await client.commands.createDirect('bob');
    assert.equal(exchanges(world), 2);
    await world.end();
  });

  test('the server warns that it ends: a new one, a new connection, no hurry', async () => {
    const world = new World();
    world.server.tokenLifeSeconds = 20;
    await world.logIn('alice');
    const warn = (): void => world.server.tell('alice', 'me/event', { event: 'token_expires' });
    warn();
    await world.clock.pass(10_000);
    assert.equal(exchanges(world), 0);
    await world.clock.pass(6000);
    assert.equal(exchanges(world), 1);
    const [socket] = [...world.server.sockets];
    assert.equal(socket?.options.password, 'access-2');
    await world.end();
  });

  test('two tabs that need a new token exchange it once', async () => {
    const world = new World();
    const browser = world.browser();
    const first = await world.logIn('alice', browser);
    const second = await world.open(browser);
    await world.clock.pass(1);
    world.server.expireTokens();
    await Promise.all([
      first.commands.createDirect('bob'), second.commands.createDirect('bob'),
      first.commands.createDirect('eve'), second.commands.createDirect('eve'),
    ]);
    assert.equal(exchanges(world), 1);
    assert.equal(second.session.get().state, 'signedIn');
    await world.end();
  });

  test('an exchange whose answer was lost is repeated as the same exchange', async () => {
    const world = new World();
    const client = await world.logIn('alice');
    world.server.expireTokens();
    loseAnswers(world, 1);
    await assert.rejects(client.commands.createDirect('bob'), { code: 'offline' });
    await client.commands.createDirect('bob');
    assert.equal(client.session.get().state, 'signedIn');
    await world.end();
  });

  test('also when the page was loaded again in between', async () => {
    const world = new World();
    const browser = world.browser();
    const first = await world.logIn('alice', browser);
    world.server.expireTokens();
    loseAnswers(world, 1);
    await assert.rejects(first.commands.createDirect('bob'), { code: 'offline' });
    await first.stop();
    const second = await world.open(browser);
    await world.clock.pass(100);
    assert.equal(second.session.get().state, 'signedIn');
    assert.equal(second.connection.get().state, 'online');
    await world.end();
  });

  test('a login that has ended says why, and keeps what is unsent', async () => {
    const world = new World();
    const client = await world.logIn('alice');
    const { id } = world.server.converse('c1', 'alice', 'bob');
    await world.clock.pass(1);
    world.server.fate = () => 'lose';
    await client.send(id, 'hello');
    world.server.expireTokens();
    world.server.intercept = async (request) =>
      request.url.endsWith('/v1/token') ? problem(401, 'unauthorized') : undefined;
    world.server.cut();
    await world.clock.pass(100_000);
    const ended = client.session.get();
    assert.equal(ended.state === 'signedOut' && ended.reason?.code, 'unauthorized');
    assert.equal(client.connection.get().state, 'stopped');

    world.server.intercept = async () => undefined;
    world.server.fate = () => 'take';
    await client.logIn({ handle: 'alice', password: 'correct horse' });
    await world.clock.pass(100);
    const entries = world.server.conversations.get(id)?.entries ?? [];
    assert.deepEqual(entries.map(({ text }) => text), ['hello']);
    await world.end();
  });

  test('logging out leaves nothing, in all tabs', async () => {
    const world = new World();
    const browser = world.browser();
    const first = await world.logIn('alice', browser);
    const second = await world.open(browser);
    const { id } = world.server.converse('c1', 'alice', 'bob');
    world.server.say(id, 'bob', { text: 'secret' });
    await world.clock.pass(1000);
    await first.logOut();
    world.server.expireTokens();
    world.server.cut();
    await world.clock.pass(100_000);
    for (const client of [first, second]) {
      assert.deepEqual(client.session.get(), { state: 'signedOut', reason: null });
      assert.deepEqual(client.conversations.get(), []);
    }
    await world.clock.pass(10_000);
    const left = await browser.store.range({ from: '', to: '\uffff' }, 100);
    assert.deepEqual(left.map(([key]) => key), ['device']);
    await world.end();
  });

  test('another user finds nothing of the one before', async () => {
    const world = new World();
    const browser = world.browser();
    const client = await world.logIn('alice', browser);
    const { id } = world.server.converse('c1', 'alice', 'bob');
    world.server.say(id, 'bob', { text: 'secret' });
    await world.clock.pass(1000);
    await client.logIn({ handle: 'carol', password: 'correct horse' });
    await world.clock.pass(1000);
    assert.deepEqual(client.conversations.get(), []);
    const rows = await browser.store.range({ from: '', to: '\uffff' }, 100);
    assert.ok(!JSON.stringify(rows).includes('secret'));
    await world.end();
  });

  test('what nobody is logged in for is refused', async () => {
    const world = new World();
    const client = await world.open();
    await settle();
    assert.deepEqual(client.session.get(), { state: 'signedOut', reason: null });
    await assert.rejects(client.send('c1', 'hello'), { code: 'unauthorized' });
    assert.equal(client.conversation('c1').get(), undefined);
    await world.end();
  });
});
