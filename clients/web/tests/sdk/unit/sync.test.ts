// SPDX-License-Identifier: MIT
// Logs coming in: every entry once and in order, whatever was lost, doubled or missed; and the list
// of conversations that comes of it.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';

import { limits, type Client, type Entry } from '../../../src/sdk/index.ts';
import { settle } from '../support/clock.ts';
import { problem } from '../support/server.ts';
import { listen, upTo, World, type Browser } from '../support/world.ts';

const ID = 'c1';
let world: World;
let browser: Browser;
let alice: Client;
let heard: Entry[];

beforeEach(async () => {
  world = new World();
  browser = world.browser();
  world.server.converse(ID, 'alice', 'bob');
  alice = await world.logIn('alice', browser);
  heard = listen(alice);
});

afterEach(async () => {
  await world.end();
  assert.deepEqual(world.reported, []);
});

const seqs = (id = ID): number[] =>
  heard.filter(({ conversation }) => conversation === id).map(({ seq }) => seq);
const say = (text: string): Entry => world.server.say(ID, 'bob', { text });
const conversation = (id = ID): ReturnType<ReturnType<Client['conversation']>['get']> =>
  alice.conversation(id).get();

/** Away for a while, during which so many are posted. */
async function missed(count: number): Promise<void> {
  world.server.isDown = true;
  world.server.cut();
  await world.clock.pass(10);
  for (let i = 0; i < count; i++) world.server.post(ID, 'bob', { text: `missed ${i}` });
  world.server.isDown = false;
  await world.clock.pass(limits.BACKOFF_LAST_MS);
}

describe('entries', () => {
  test('come live, in order', async () => {
    for (let i = 0; i < 5; i++) say(String(i));
    await world.clock.pass(1);
    assert.deepEqual(seqs(), upTo(5));
  });

  test('a gap is filled from the history', async () => {
    world.server.loses = ({ seq }) => seq === 2 || seq === 3;
    for (let i = 0; i < 5; i++) say(String(i));
    await world.clock.pass(1000);
    assert.deepEqual(seqs(), upTo(5));
  });

  test('the end of the log that was lost is found by me/heads', async () => {
    world.server.loses = ({ seq }) => seq >= 2;
    for (let i = 0; i < 3; i++) say(String(i));
    await world.clock.pass(1000);
    assert.deepEqual(seqs(), [1]);
    world.server.tell('alice', 'me/heads', { [ID]: 3 });
    await world.clock.pass(1000);
    assert.deepEqual(seqs(), upTo(3));
  });

  test('what was missed comes with the sync, once', async () => {
    say('before');
    await world.clock.pass(1);
    await missed(5);
    say('after');
    await world.clock.pass(1000);
    assert.deepEqual(seqs(), upTo(7));
  });

  test('more than a sync brings is fetched in pages', async () => {
    say('before');
    await world.clock.pass(1);
    const count = limits.SYNC_ENTRIES * 10;
    await missed(count);
    assert.deepEqual(seqs(), upTo(count + 1));
  });

  test('after too long an absence the log goes on with its end', async () => {
    say('before');
    await world.clock.pass(1);
    await missed(limits.GAP_MAX_ENTRIES + 50);
    const last = limits.GAP_MAX_ENTRIES + 51;
    assert.deepEqual(seqs(), [1, ...upTo(last, last - limits.PAGE_ENTRIES + 1)]);
    say('after');
    await world.clock.pass(1);
    assert.equal(seqs().at(-1), last + 1);
  });

  test('live entries that overtake the sync wait for it', async () => {
    world.server.cut();
    world.server.post(ID, 'bob', { text: 'missed' });
    let answer: () => void = () => undefined;
    const delay = new Promise<void>((resolve) => (answer = resolve));
    world.server.intercept = async (request) => {
      if (request.url.endsWith('/v1/sync')) await delay;
      return undefined;
    };
    await world.clock.pass(limits.BACKOFF_FIRST_MS);
    say('live');
    await settle();
    assert.deepEqual(seqs(), []);
    answer();
    await world.clock.pass(100);
    assert.deepEqual(seqs(), [1, 2]);
    assert.equal(world.server.requests.filter((one) => one.includes('messages')).length, 0);
  });

  test('the server fails for a while: it is asked again, with patience', async () => {
    world.server.loses = ({ seq }) => seq === 1;
    let failures = 6;
    world.server.intercept = async (request) =>
      request.url.includes('/messages') && failures-- > 0 ? problem(503, 'unavailable') : undefined;
    say('lost');
    say('seen');
    await world.clock.pass(2 * limits.BACKOFF_LAST_MS);
    assert.deepEqual(seqs(), [1, 2]);
  });

  test('what is held is not asked for again after a reload', async () => {
    for (let i = 0; i < 5; i++) say(String(i));
    await world.clock.pass(1000);
    await alice.stop();
    world.server.post(ID, 'bob', { text: 'missed' });
    alice = await world.open(browser);
    heard = listen(alice);
    assert.equal(conversation()?.preview?.text, '4'); // before anything came from the network
    await world.clock.pass(1000);
    assert.deepEqual(seqs(), [6]);
  });

  test('a head that the server cannot back up is not asked for endlessly', async () => {
    say('one');
    world.server.tell('alice', 'me/heads', { [ID]: 99 });
    await world.clock.pass(10_000);
    const asked = world.server.requests.filter((one) => one.includes('messages')).length;
    assert.ok(asked <= 2, `${asked} requests`);
    say('two');
    await world.clock.pass(1000);
    assert.deepEqual(seqs(), [1, 2]);
  });

  test('rubbish is passed over', async () => {
    const rubbish: [string, unknown][] = [
      [`chat/${ID}`, []], [`chat/${ID}`, { conversation: ID, seq: 'x' }], ['chat', {}], ['', {}],
      [`chat/${ID}`, { conversation: 'other', seq: 1, at: '', from: 'bob', kind: 'text' }],
      [`chat/${ID}/typing`, { from: 7 }], ['me/heads', { [ID]: -1 }], ['me/event', { event: 'x' }],
      ['me/receipt', { conversation: ID }], ['me/receipt', null], ['presence/bob', 'x'],
      ['new/topic', {}],
    ];
    for (const [topic, content] of rubbish) world.server.tell('alice', topic, content as object);
    world.server.say(ID, 'bob', { kind: 'hologram', shape: 'cube' });
    say('text');
    await world.clock.pass(100);
    assert.deepEqual(seqs(), [1, 2]);
  });
});

describe('the list of conversations', () => {
  test('most recently active first', async () => {
    world.server.converse('c2', 'alice', 'bob');
    await world.clock.pass(10);
    world.server.say('c2', 'bob', { text: 'second' });
    await world.clock.pass(10);
    say('first');
    await world.clock.pass(10);
    assert.deepEqual(alice.conversations.get().map(({ id }) => id), [ID, 'c2']);
    world.server.say('c2', 'bob', { text: 'again' });
    await world.clock.pass(10);
    assert.deepEqual(alice.conversations.get().map(({ id }) => id), ['c2', ID]);
  });

  test('being added brings the conversation and its log from the beginning', async () => {
    const id = 'c3';
    world.server.converse(id, 'bob');
    world.server.post(id, 'bob', { kind: 'created', members: [] });
    world.server.conversations.get(id)?.members.add('alice');
    const event = { event: 'added', conversation: id, kind: 'group', role: 'member' };
    world.server.tell('alice', 'me/event', event);
    world.server.say(id, 'bob', { text: 'welcome' });
    await world.clock.pass(100);
    assert.deepEqual(seqs(id), [1, 2]);
    assert.equal(conversation(id)?.unread, 1);
  });

  test('an entry of a conversation that nobody spoke of makes it known', async () => {
    const id = 'c4';
    world.server.converse(id, 'bob');
    world.server.conversations.get(id)?.members.add('alice');
    world.server.say(id, 'bob', { text: 'hello' });
    await world.clock.pass(100);
    assert.deepEqual(seqs(id), [1]);
  });

  test('being removed takes it away, its log from the store as well', async () => {
    say('secret');
    await world.clock.pass(1000);
    world.server.remove(ID, 'alice');
    await world.clock.pass(1000);
    assert.equal(conversation(), undefined);
    assert.deepEqual(alice.conversations.get(), []);
    const rows = await browser.store.range({ from: '', to: '\uffff' }, 100);
    assert.ok(!JSON.stringify(rows).includes('secret'));
  });

  test('so does a removal that one was not there to hear of', async () => {
    world.server.isDown = true;
    world.server.cut();
    await world.clock.pass(10);
    world.server.remove(ID, 'alice');
    world.server.isDown = false;
    await world.clock.pass(limits.BACKOFF_LAST_MS);
    assert.deepEqual(alice.conversations.get(), []);
  });

  test('what happens while a sync is under way is newer than its answer', async () => {
    world.server.cut();
    world.server.converse('old', 'alice', 'bob');
    let release: () => void = () => undefined;
    const delay = new Promise<void>((resolve) => (release = resolve));
    world.server.intercept = async (request) => {
      if (!request.url.endsWith('/v1/sync')) return undefined;
      world.server.intercept = async () => undefined;
      const answer = await world.server.http(request);
      await delay;
      return answer;
    };
    await world.clock.pass(limits.BACKOFF_FIRST_MS);
    world.server.converse('new', 'alice', 'bob'); // not in the answer
    world.server.remove('old', 'alice'); // still in the answer
    await settle();
    release();
    await world.clock.pass(1000);
    assert.deepEqual(alice.conversations.get().map(({ id }) => id).sort(), [ID, 'new']);
  });

  test('a conversation made while a sync is under way stays', async () => {
    world.server.cut();
    let release: () => void = () => undefined;
    const delay = new Promise<void>((resolve) => (release = resolve));
    world.server.intercept = async (request) => {
      if (!request.url.endsWith('/v1/sync')) return undefined;
      world.server.intercept = async () => undefined;
      const answer = await world.server.http(request);
      await delay;
      return answer;
    };
    await world.clock.pass(limits.BACKOFF_FIRST_MS);
    world.server.tell = () => undefined; // the event comes later than the answer
    const id = await alice.commands.createDirect('eve');
    let isGone = false;
    alice.conversation(id).subscribe(() => (isGone ||= conversation(id) === undefined));
    release();
    await world.clock.pass(1000);
    assert.equal(conversation(id)?.id, id);
    assert.equal(isGone, false);
  });

  test('a title that changes', async () => {
    world.server.say(ID, 'bob', { kind: 'renamed', title: 'Team' });
    await world.clock.pass(1);
    assert.equal(conversation()?.title, 'Team');
  });

  test('the preview follows edits and deletions, and is cut between characters', async () => {
    say('😀'.repeat(150));
    await world.clock.pass(1);
    assert.equal(conversation()?.preview?.text, '😀'.repeat(limits.PREVIEW_MAX_CHARACTERS));
    world.server.say(ID, 'bob', { kind: 'edit', target: 1, text: 'short' });
    await world.clock.pass(1);
    assert.equal(conversation()?.preview?.text, 'short');
    world.server.say(ID, 'bob', { kind: 'delete', target: 1 });
    await world.clock.pass(1);
    assert.equal(conversation()?.preview?.deleted, true);
    assert.equal(conversation()?.preview?.text, null);
  });

  test('500 conversations are one list per burst', async () => {
    for (let i = 0; i < 500; i++) world.server.converse(`many-${i}`, 'alice', 'bob');
    await world.clock.pass(10_000);
    assert.equal(alice.conversations.get().length, 501);
    let times = 0;
    alice.conversations.subscribe(() => times++);
    for (let i = 0; i < 500; i++) world.server.say(`many-${i}`, 'bob', { text: 'hello' });
    await world.clock.pass(100);
    assert.ok(times <= 500, `${times} times`);
    assert.equal(alice.conversations.get().filter(({ unread }) => unread === 1).length, 500);
  });
});

describe('what is deleted', () => {
  test('goes from the store, with its edits', async () => {
    say('secret one');
    world.server.say(ID, 'bob', { kind: 'edit', target: 1, text: 'secret two' });
    await world.clock.pass(1000);
    world.server.say(ID, 'bob', { kind: 'delete', target: 1 });
    await world.clock.pass(1000);
    const rows = await browser.store.range({ from: '', to: '\uffff' }, 100);
    assert.ok(!JSON.stringify(rows).includes('secret'));
  });
});

describe('unread', () => {
  test('counts the texts of others, and falls with reading', async () => {
    const timeline = alice.open(ID);
    for (let i = 0; i < 3; i++) say(String(i));
    world.server.say(ID, 'bob', { kind: 'reaction', target: 1, emoji: '👍' });
    await timeline.send('my own');
    await world.clock.pass(100);
    assert.equal(conversation()?.unread, 3);
    timeline.markRead(2);
    assert.equal(conversation()?.unread, 1);
    timeline.markRead();
    assert.equal(conversation()?.unread, 0);
    timeline.close();
  });

  test('is the same after a reload and a sync', async () => {
    for (let i = 0; i < 3; i++) say(String(i));
    await world.clock.pass(1000);
    await alice.stop();
    world.server.post(ID, 'bob', { text: 'missed' });
    alice = await world.open(browser);
    assert.equal(conversation()?.unread, 3);
    await world.clock.pass(1000);
    assert.equal(conversation()?.unread, 4);
  });

  test('falls when another device has read', async () => {
    for (let i = 0; i < 3; i++) say(String(i));
    await world.clock.pass(1);
    world.server.tell('alice', `chat/${ID}/cursor`, { from: 'alice', received: 3, read: 3 });
    await world.clock.pass(1);
    assert.equal(conversation()?.unread, 0);
  });

  test('falls when an unread message is deleted', async () => {
    for (let i = 0; i < 3; i++) say(String(i));
    world.server.post(ID, 'bob', {});
    await world.clock.pass(1);
    const entries = world.server.conversations.get(ID)?.entries ?? [];
    entries[1] = { ...(entries[1] as Entry), deleted: true };
    world.server.say(ID, 'bob', { kind: 'delete', target: 2 });
    await world.clock.pass(1000);
    assert.equal(conversation()?.unread, 3); // of four one has gone
  });
});

describe('cursors', () => {
  const said = (): string[] => world.server.signals
    .filter(([topic]) => topic.endsWith('/cursor')).map(([, payload]) => payload);

  test('are said once when they have come to rest', async () => {
    const timeline = alice.open(ID);
    for (let i = 0; i < 10; i++) {
      say(String(i));
      await world.clock.pass(10);
      timeline.markRead();
    }
    await world.clock.pass(5000);
    assert.deepEqual(said(), ['{"received":10,"read":10}']);
    timeline.close();
  });

  test('what has come is said to have been received', async () => {
    say('one');
    await world.clock.pass(5000);
    assert.deepEqual(said(), ['{"received":1,"read":0}']);
  });

  test('those moved without a connection are said with the next one', async () => {
    const timeline = alice.open(ID);
    say('one');
    await world.clock.pass(5000);
    world.server.isDown = true;
    world.server.cut();
    await world.clock.pass(10);
    timeline.markRead();
    world.server.isDown = false;
    await world.clock.pass(limits.BACKOFF_LAST_MS);
    assert.equal(said().at(-1), '{"received":1,"read":1}');
    assert.equal(conversation()?.unread, 0);
    timeline.close();
  });

  test('those that never arrived are said again after the next sync', async () => {
    const timeline = alice.open(ID);
    say('one');
    timeline.markRead();
    await world.clock.pass(5000);
    timeline.markRead();
    await world.clock.pass(5000);
    world.server.conversations.get(ID)?.cursors.clear(); // the server crashed before it wrote them
    world.server.signals.length = 0;
    world.server.cut();
    await world.clock.pass(limits.BACKOFF_LAST_MS);
    assert.deepEqual(said(), ['{"received":1,"read":1}']);
    timeline.close();
  });
});
