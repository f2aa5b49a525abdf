// SPDX-License-Identifier: MIT
// What a timeline shows: a window of the log up to its end, growing at both ends, and what is one's
// own and not stored yet.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';

import { limits, type Client, type Timeline } from '../../../src/sdk/index.ts';
import { messages, texts, upTo, World, type Browser } from '../support/world.ts';

const ID = 'c1';
let world: World;
let browser: Browser;
let alice: Client;
let timeline: Timeline;

beforeEach(() => {
  world = new World();
  browser = world.browser();
  world.server.converse(ID, 'alice', 'bob');
});

afterEach(async () => {
  await world.end();
  assert.deepEqual(world.reported, []);
});

async function openWith(count: number): Promise<void> {
  for (let i = 1; i <= count; i++) world.server.post(ID, 'bob', { text: `m${i}` });
  alice = await world.logIn('alice', browser);
  timeline = alice.open(ID);
  await world.clock.pass(100);
}

const items = (): ReturnType<Timeline['view']['get']>['items'] => timeline.view.get().items;
const seqs = (): (number | null)[] => items().map(({ seq }) => seq);
const historyRequests = (): number =>
  world.server.requests.filter((one) => one.endsWith('/messages')).length;

describe('a timeline', () => {
  test('of an empty conversation is complete at once', async () => {
    await openWith(0);
    const { loaded, complete, catchingUp } = timeline.view.get();
    assert.deepEqual([loaded, complete, catchingUp], [true, true, false]);
  });

  test('begins with the newest, and goes back without a hole to the first', async () => {
    const count = limits.PAGE_ENTRIES * 3 + 7;
    await openWith(count);
    assert.equal(items().at(-1)?.seq, count);
    while (!timeline.view.get().complete) {
      const before = items().length;
      await timeline.loadOlder();
      await world.clock.pass(1);
      assert.ok(items().length > before);
      assert.deepEqual(seqs(), upTo(count, items()[0]?.seq ?? 0));
    }
    assert.deepEqual(seqs(), upTo(count));
    await timeline.loadOlder(); // nothing is left
  });

  test('may be opened before its conversation is known', async () => {
    alice = await world.open(browser);
    await alice.logIn({ handle: 'alice', password: 'correct horse' });
    timeline = alice.open(ID);
    world.server.say(ID, 'bob', { text: 'hello' });
    await world.clock.pass(100);
    assert.deepEqual(texts(items()), ['hello']);
    assert.equal(timeline.view.get().loaded, true);
  });

  test('grows while it loads', async () => {
    for (let i = 1; i <= 50; i++) world.server.post(ID, 'bob', { text: `m${i}` });
    alice = await world.logIn('alice', browser);
    timeline = alice.open(ID);
    world.server.say(ID, 'bob', { text: 'm51' });
    const loading = timeline.loadOlder();
    world.server.say(ID, 'bob', { text: 'm52' });
    await loading;
    await world.clock.pass(100);
    while (!timeline.view.get().complete) await timeline.loadOlder();
    await world.clock.pass(100);
    assert.deepEqual(seqs(), upTo(52));
  });

  test('what is stored is read without the network, up to where it has a hole', async () => {
    await openWith(limits.PAGE_ENTRIES * 2);
    await timeline.loadOlder();
    await world.clock.pass(1000);
    await alice.stop();
    world.server.isDown = true;
    alice = await world.open(browser);
    timeline = alice.open(ID);
    await world.clock.pass(100);
    assert.ok(items().length >= limits.PAGE_ENTRIES);
    const first = items()[0]?.seq ?? 0;
    assert.deepEqual(seqs(), upTo(limits.PAGE_ENTRIES * 2, first));
    while (!timeline.view.get().complete) {
      try {
        await timeline.loadOlder();
      } catch (error) {
        assert.equal((error as { code: string }).code, 'offline');
        break;
      }
    }
    assert.equal(timeline.view.get().loadingOlder, false);
  });

  test('no more than the newest entries are kept', async () => {
    await openWith(0);
    const count = limits.STORED_MAX_ENTRIES + 200;
    for (let i = 1; i <= count; i++) world.server.say(ID, 'bob', { text: `m${i}` });
    await world.clock.pass(1000);
    const rows = await browser.store.range({ from: '', to: '\uffff' }, 10_000);
    const kept = rows.filter(([key]) => key.includes('/entry/')).length;
    assert.ok(kept >= limits.STORED_MAX_ENTRIES, `${kept}`);
    assert.ok(kept < limits.STORED_MAX_ENTRIES + 60, `${kept}`);
  });

  test('pages of nothing but reactions are passed over', async () => {
    world.server.post(ID, 'bob', { text: 'popular' });
    for (let i = 0; i < 3000; i++) {
      world.server.post(ID, `user${i}`, { kind: 'reaction', target: 1, emoji: '👍' });
    }
    await openWith(0);
    await world.clock.pass(1000);
    const [message] = messages(items());
    assert.equal(message?.reactions[0]?.count, 3000);
    assert.ok(historyRequests() <= 5, `${historyRequests()} requests`);
  });

  test('after a jump it shows the end, and goes back from there', async () => {
    await openWith(3);
    world.server.isDown = true;
    world.server.cut();
    await world.clock.pass(10);
    const count = limits.GAP_MAX_ENTRIES * 2;
    for (let i = 4; i <= count; i++) world.server.post(ID, 'bob', { text: `m${i}` });
    world.server.isDown = false;
    await world.clock.pass(limits.BACKOFF_LAST_MS);
    assert.equal(items().at(-1)?.seq, count);
    assert.deepEqual(seqs(), upTo(count, items()[0]?.seq ?? 0));
    await timeline.loadOlder();
    await world.clock.pass(100);
    assert.deepEqual(seqs(), upTo(count, items()[0]?.seq ?? 0));
  });

  test("one's own message stays in sight while what came before it is fetched", async () => {
    await openWith(1);
    world.server.loses = ({ seq }) => seq === 2;
    world.server.intercept = async (request) => {
      if (request.url.includes('/messages')) throw new Error('no answer yet');
      return undefined;
    };
    world.server.say(ID, 'bob', { text: 'lost' });
    await timeline.send('mine');
    await world.clock.pass(100);
    assert.deepEqual(texts(items()), ['m1', 'mine']);
    assert.deepEqual(alice.outbox.get(), []);
    world.server.intercept = async () => undefined;
    await world.clock.pass(10_000);
    assert.deepEqual(texts(items()), ['m1', 'lost', 'mine']);
  });

  test('edits, reactions and deletions show at once', async () => {
    await openWith(0);
    await timeline.send('hello');
    await world.clock.pass(10);
    world.server.isDown = true;
    world.server.cut();
    await world.clock.pass(10);
    await timeline.edit(1, 'hello, all');
    await timeline.react(1, '👍');
    const shown = async (): Promise<(string | null)[]> => {
      await world.clock.pass(1);
      const emojis = messages(items()).flatMap((item) => item.reactions.map(({ emoji }) => emoji));
      return [...texts(items()), ...emojis];
    };
    assert.deepEqual(await shown(), ['hello, all', '👍']);
    await timeline.react(1, '👍', false);
    assert.deepEqual(await shown(), ['hello, all']);
    await timeline.remove(1);
    assert.deepEqual(await shown(), [null]);
    world.server.isDown = false;
    await world.clock.pass(limits.BACKOFF_LAST_MS);
    assert.deepEqual(await shown(), [null]);
    assert.equal(messages(items())[0]?.changes.length, 0);
    assert.equal(world.server.conversations.get(ID)?.entries.length, 5);
  });

  test('two views of one conversation share the work, and end apart', async () => {
    await openWith(5);
    const second = alice.open(ID);
    await world.clock.pass(10);
    assert.equal(second.view.get(), timeline.view.get());
    timeline.close();
    timeline.close();
    await assert.rejects(timeline.send('closed'), { code: 'aborted' });
    world.server.say(ID, 'bob', { text: 'm6' });
    await world.clock.pass(10);
    assert.equal(second.view.get().items.length, 6);
    second.close();
  });

  test('100,000 characters are one string, not copied about', async () => {
    await openWith(0);
    const text = '漢'.repeat(limits.TEXT_MAX_CHARACTERS);
    for (let i = 0; i < 50; i++) world.server.say(ID, 'bob', { text });
    const began = performance.now();
    await world.clock.pass(1000);
    assert.equal(items().length, 50);
    assert.equal(alice.conversation(ID).get()?.preview?.text?.length, 100);
    assert.ok(performance.now() - began < 2000);
  });
});

describe('who is typing', () => {
  const said = (): string[] => world.server.signals
    .filter(([topic]) => topic.endsWith('/typing')).map(([, payload]) => payload);

  test('is shown until it stops, is silent for too long, or sends', async () => {
    await openWith(0);
    const hear = (from: string, state: string): void =>
      world.server.tell('alice', `chat/${ID}/typing`, { from, state });
    hear('bob', 'start');
    hear('eve', 'start');
    hear('alice', 'start'); // oneself, on another device
    await world.clock.pass(10);
    assert.deepEqual(timeline.typing.get(), ['bob', 'eve']);
    hear('eve', 'stop');
    world.server.say(ID, 'bob', { text: 'done' });
    await world.clock.pass(10);
    assert.deepEqual(timeline.typing.get(), []);
    hear('bob', 'start');
    await world.clock.pass(limits.TYPING_HOLDS_MS + 2000);
    assert.deepEqual(timeline.typing.get(), []);
  });

  test('is said every few seconds while keys are pressed, and taken back', async () => {
    await openWith(0);
    for (let i = 0; i < 65; i++) {
      timeline.typingNow();
      await world.clock.pass(100);
    }
    assert.equal(said().length, 3);
    await world.clock.pass(limits.TYPING_IDLE_MS);
    assert.deepEqual(said().at(-1), '{"state":"stop"}');
    timeline.typingNow();
    await timeline.send('hello');
    await world.clock.pass(10);
    assert.deepEqual(said().slice(-2), ['{"state":"start"}', '{"state":"stop"}']);
  });
});

describe('cursors of others', () => {
  test('are asked for, and follow what is told', async () => {
    world.server.conversations.get(ID)?.cursors.set('bob', { received: 2, read: 1 });
    await openWith(3);
    assert.deepEqual(timeline.cursors.get().get('bob'), { received: 2, read: 1 });
    world.server.tell('alice', `chat/${ID}/cursor`, { from: 'bob', received: 3, read: 3 });
    world.server.tell('alice', `chat/${ID}/cursor`, { from: 'bob', received: 1, read: 1 });
    await world.clock.pass(10);
    assert.deepEqual(timeline.cursors.get().get('bob'), { received: 3, read: 3 });
    assert.equal(timeline.cursors.get().has('alice'), false);
  });
});
