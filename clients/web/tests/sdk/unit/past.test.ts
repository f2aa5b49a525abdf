// SPDX-License-Identifier: MIT
// What is here and should not be: entries that a server which was restored from a backup never had,
// and texts whose time has run out.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';

import { limits, type Client, type Entry } from '../../../src/sdk/index.ts';
import { listen, messages, texts, upTo, World, type Browser } from '../support/world.ts';

const ID = 'c1';
let world: World;
let browser: Browser;
let alice: Client;

beforeEach(async () => {
  world = new World();
  browser = world.browser();
  world.server.converse(ID, 'alice', 'bob');
  alice = await world.logIn('alice', browser);
});

afterEach(async () => {
  await world.end();
  assert.deepEqual(world.reported, []);
});

const say = (text: string): Entry => world.server.say(ID, 'bob', { text });

describe('a server that was restored', () => {
  /** The server's processes end, and begin with what was there up to `seq`. */
  const restore = (seq: number): void => {
    world.server.cut();
    world.server.restore(ID, seq);
  };

  test('has the last word on what there is', async () => {
    const timeline = alice.open(ID);
    for (const i of upTo(10)) say(`old ${i}`);
    await world.clock.pass(1000);
    timeline.markRead();
    await world.clock.pass(5000);
    const heard = listen(alice);
    restore(6);
    await world.clock.pass(limits.BACKOFF_FIRST_MS);
    assert.deepEqual(texts(timeline.view.get().items), upTo(6).map((i) => `old ${i}`));
    const shown = alice.conversation(ID).get();
    assert.deepEqual([shown?.lastSeq, shown?.read, shown?.unread], [6, 6, 0]);
    assert.deepEqual(heard, [], 'nothing of it is news');

    say('new 7');
    await alice.send(ID, 'new 8');
    await world.clock.pass(1000);
    assert.deepEqual(heard.map(({ seq, text }) => [seq, text]), [[7, 'new 7'], [8, 'new 8']]);
    assert.deepEqual(texts(timeline.view.get().items).slice(-3), ['old 6', 'new 7', 'new 8']);
    timeline.close();
  });

  test('leaves nothing in the store that never was', async () => {
    for (const i of upTo(10)) say(`old ${i}`);
    await world.clock.pass(1000);
    restore(6);
    await world.clock.pass(1000);
    world.server.post(ID, 'bob', { text: 'new 7' });
    await alice.stop();
    world.server.isDown = true; // from here on the store alone tells
    const reader = await world.open(browser);
    const timeline = reader.open(ID);
    await world.clock.pass(1000);
    assert.ok(!texts(timeline.view.get().items).some((text) => /old ([7-9]|10)/.test(text ?? '')));
    timeline.close();
    world.server.isDown = false;
  });

  test('may go on while it is found out', async () => {
    for (const i of upTo(10)) say(`old ${i}`);
    await world.clock.pass(1000);
    let answer: () => void = () => undefined;
    const delay = new Promise<void>((resolve) => (answer = resolve));
    const heard = listen(alice);
    restore(6);
    const { http } = world.server;
    world.server.http = async (request) => {
      const told = await http.call(world.server, request);
      if (request.url.endsWith('/v1/sync')) await delay;
      return told;
    };
    await world.clock.pass(limits.BACKOFF_FIRST_MS);
    say('new 7'); // looks like one of those that are here
    await world.clock.pass(10);
    answer();
    await world.clock.pass(1000);
    assert.deepEqual(heard.map(({ seq, text }) => [seq, text]), [[7, 'new 7']]);
  });

  test('is found out by whoever asks for one conversation, too', async () => {
    for (const i of upTo(10)) say(`old ${i}`);
    await world.clock.pass(1000);
    world.server.restore(ID, 6);
    await alice.commands.learn(ID);
    await world.clock.pass(1000);
    assert.equal(alice.conversation(ID).get()?.lastSeq, 6);
  });

  test('is none that answered a sync before it had the newest', async () => {
    say('one');
    await world.clock.pass(1000);
    const { http } = world.server;
    world.server.http = async (request) => {
      const told = await http.call(world.server, request);
      if (request.url.endsWith('/v1/sync')) {
        for (const i of upTo(3)) say(`live ${i}`);
        await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
      }
      return told;
    };
    const heard = listen(alice);
    world.server.cut();
    await world.clock.pass(limits.BACKOFF_FIRST_MS + 1000);
    assert.deepEqual(heard.map(({ seq }) => seq), [2, 3, 4]);
  });
});

describe('texts that are kept for some days', () => {
  const DAY = limits.DAY_MS;

  /** What the store alone shows. */
  const stored = async (): Promise<(string | null)[]> => {
    await world.clock.pass(1000);
    await alice.stop();
    world.server.isDown = true;
    alice = await world.open(browser);
    const timeline = alice.open(ID);
    await world.clock.pass(1000);
    const shown = messages(timeline.view.get().items).map(({ text }) => text);
    timeline.close();
    world.server.isDown = false;
    return shown;
  };

  test('for how many is learned when it is asked for, and told by entries', async () => {
    assert.equal(alice.conversation(ID).get()?.retentionDays, undefined);
    const conversation = world.server.conversations.get(ID);
    if (conversation) conversation.retention = 30;
    await alice.commands.learn(ID);
    assert.equal(alice.conversation(ID).get()?.retentionDays, 30);
    world.server.cut(); // a sync does not tell, and does not take it away
    await world.clock.pass(limits.BACKOFF_FIRST_MS);
    assert.equal(alice.conversation(ID).get()?.retentionDays, 30);
    world.server.say(ID, 'bob', { kind: 'modified', retention_days: 7 });
    await world.clock.pass(1);
    assert.equal(alice.conversation(ID).get()?.retentionDays, 7);
    world.server.say(ID, 'bob', { kind: 'modified', retention_days: null });
    await world.clock.pass(1);
    assert.equal(alice.conversation(ID).get()?.retentionDays, null);
  });

  test('are erased here as well when their time has come', async () => {
    say('first');
    await world.clock.pass(5 * DAY);
    say('second');
    world.server.say(ID, 'bob', { kind: 'edit', target: 1, text: 'first, edited' });
    world.server.say(ID, 'bob', { kind: 'modified', retention_days: 7 });
    assert.deepEqual(await stored(), ['first, edited', 'second']);
    await world.clock.pass(3 * DAY);
    await stored(); // what is read at the start is erased right then
    assert.deepEqual(await stored(), [null, 'second']);
    await world.clock.pass(5 * DAY);
    await stored();
    assert.deepEqual(await stored(), [null, null]);
  });
});

describe('a user who was erased', () => {
  /** As the server does it: the log loses texts and names, then says so. */
  const erase = (): void => {
    const log = world.server.conversations.get(ID)?.entries ?? [];
    log.forEach((entry, i) => {
      if (entry.from === 'bob') {
        const { text: _text, id: _id, ...rest } = entry;
        log[i] = { ...rest, from: 'erased-0123456789ab', deleted: true };
      }
    });
    world.server.say(ID, 'erased-0123456789ab', { kind: 'member_erased' });
  };

  test('leaves no text on the screen or in the store', async () => {
    const timeline = alice.open(ID);
    for (const i of upTo(4)) say(`secret ${i}`);
    await alice.send(ID, 'her own');
    await world.clock.pass(1000);
    erase();
    await world.clock.pass(1000);
    const { items } = timeline.view.get();
    assert.deepEqual(texts(items).filter((text) => text !== null), ['her own']);
    assert.ok(!JSON.stringify(items).includes('bob'));
    timeline.close();

    await alice.stop();
    world.server.isDown = true; // from here on the store alone tells
    const reader = await world.open(browser);
    const stored = reader.open(ID);
    await world.clock.pass(1000);
    assert.ok(!/secret|bob/.test(JSON.stringify(stored.view.get().items)));
    stored.close();
    world.server.isDown = false;
  });

  test('is forgotten by who was away, too', async () => {
    for (const i of upTo(4)) say(`secret ${i}`);
    await world.clock.pass(1000);
    world.server.isDown = true;
    world.server.cut();
    await world.clock.pass(10);
    erase();
    world.server.isDown = false;
    await world.clock.pass(limits.BACKOFF_LAST_MS);
    const timeline = alice.open(ID);
    await world.clock.pass(1000);
    assert.ok(!/secret|bob/.test(JSON.stringify(timeline.view.get().items)));
    timeline.close();
  });
});
