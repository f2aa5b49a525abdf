// SPDX-License-Identifier: MIT
// Drafts: stored here before they are sent, sent until there is a receipt, in the order in which
// they were written, whatever the receipts say and whatever is lost.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';

import { limits, type Client, type OutboxItem } from '../../../src/sdk/index.ts';
import type { Draft, Fate } from '../support/server.ts';
import { messages, texts, World, type Browser } from '../support/world.ts';

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

async function send(...words: string[]): Promise<string[]> {
  const ids: string[] = [];
  for (const word of words) ids.push(await alice.send(ID, word));
  return ids;
}

const stored = (): (string | undefined)[] =>
  world.server.conversations.get(ID)?.entries.map(({ text }) => text) ?? [];
const sent = (): (string | undefined)[] => world.server.drafts.map(({ text }) => text);
const states = (): string[] => alice.outbox.get().map(({ state }) => state);

/** Each text meets these fates one after another, and is then taken. */
function fates(wanted: Record<string, Fate[]>): void {
  world.server.fate = (draft: Draft) => wanted[draft.text ?? '']?.shift() ?? 'take';
}

describe('the outbox', () => {
  test('a draft is shown at once, and keeps its key when it is stored', async () => {
    const timeline = alice.open(ID);
    await world.clock.pass(1);
    const posting = timeline.send('hello', { replyTo: 1 });
    await posting;
    const [before] = messages(timeline.view.get().items);
    assert.equal(before?.seq, null);
    assert.equal(before?.replyTo, 1);
    await world.clock.pass(100);
    const [after] = messages(timeline.view.get().items);
    assert.equal(after?.seq, 1);
    assert.equal(after?.state, 'stored');
    assert.equal(after?.key, before?.key);
    assert.deepEqual(alice.outbox.get(), []);
    timeline.close();
  });

  test('what was written without a connection is sent with the next one, in order', async () => {
    world.server.isDown = true;
    world.server.cut();
    await world.clock.pass(10);
    await send('a', 'b', 'c');
    assert.deepEqual(states(), ['waiting', 'waiting', 'waiting']);
    world.server.isDown = false;
    await world.clock.pass(limits.BACKOFF_LAST_MS);
    assert.deepEqual(stored(), ['a', 'b', 'c']);
    assert.deepEqual(alice.outbox.get(), []);
  });

  test('what waits has been stored: a program that ends then has it in the next one', async () => {
    world.server.isDown = true;
    world.server.cut();
    await world.clock.pass(10);
    const posting = send('a');
    const seen: string[] = [];
    const stop = alice.outbox.subscribe(() => seen.push(...states()));
    await posting;
    await Promise.resolve();
    stop();
    assert.deepEqual([...new Set(seen)], ['sending', 'waiting']);
  });

  test('what was lost is sent again under the same id', async () => {
    fates({ b: ['lose'] });
    const [, id] = await send('a', 'b', 'c');
    await world.clock.pass(100);
    assert.deepEqual(states(), ['sending']);
    await world.clock.pass(limits.RECEIPT_TIMEOUT_MS);
    assert.deepEqual(sent(), ['a', 'b', 'c', 'b']);
    assert.equal(world.server.drafts.at(-1)?.id, id);
    assert.deepEqual(alice.outbox.get(), []);
  });

  test('a receipt that was lost costs one resend and no second message', async () => {
    fates({ a: ['unheard'] });
    await send('a', 'b');
    await world.clock.pass(limits.RECEIPT_TIMEOUT_MS + 1000);
    assert.deepEqual(stored(), ['a', 'b']);
    assert.deepEqual(alice.outbox.get(), []);
  });

  test('a refusal in passing: all is sent again from there, not before it may', async () => {
    fates({ b: [{ code: 'unavailable', retry_after_ms: 3000 }] });
    await send('a', 'b', 'c', 'd');
    await world.clock.pass(2900);
    assert.deepEqual(stored(), ['a']);
    assert.deepEqual(states(), ['waiting', 'waiting', 'waiting']);
    await world.clock.pass(1000);
    assert.deepEqual(stored(), ['a', 'b', 'c', 'd']);
    assert.deepEqual(sent(), ['a', 'b', 'c', 'd', 'b', 'c', 'd']);
  });

  test('while the server refuses, one draft asks for all of them', async () => {
    let isRefusing = true;
    world.server.fate = () => (isRefusing ? { code: 'unavailable' } : 'take');
    const many = Array.from({ length: 40 }, (_, i) => String(i));
    await send(...many);
    await world.clock.pass(120_000);
    const asked = world.server.drafts.length;
    assert.ok(asked < limits.OUTBOX_FLYING_PER_LANE + 40, `${asked} drafts in two minutes`);
    isRefusing = false;
    await world.clock.pass(limits.OUTBOX_BACKOFF_LAST_MS);
    assert.deepEqual(stored(), many);
  });

  test('refused in passing again and again, it slows down', async () => {
    fates({ a: Array<Fate>(8).fill({ code: 'rate_limited' }) });
    await send('a');
    await world.clock.pass(1000);
    assert.ok(world.server.drafts.length < 8);
    await world.clock.pass(10 * limits.BACKOFF_LAST_MS);
    assert.deepEqual(stored(), ['a']);
    assert.equal(world.server.drafts.length, 9);
  });

  test('while a lane waits, nothing overtakes, and other conversations go on', async () => {
    world.server.converse('c2', 'alice', 'bob');
    fates({ a: [{ code: 'unavailable', retry_after_ms: 5000 }] });
    await send('a');
    await world.clock.pass(100);
    await send('b');
    await alice.send('c2', 'elsewhere');
    await world.clock.pass(100);
    assert.deepEqual(sent(), ['a', 'elsewhere']);
    await world.clock.pass(6000);
    assert.deepEqual(stored(), ['a', 'b']);
  });

  test('out of order without a refusal that was heard: from the first one again', async () => {
    fates({ a: ['lose'], b: [{ code: 'out_of_order' }] });
    await send('a', 'b');
    await world.clock.pass(2000);
    assert.deepEqual(stored(), ['a', 'b']);
    assert.deepEqual(sent(), ['a', 'b', 'a', 'b']);
  });

  test('out of order with nothing before it: a new connection', async () => {
    fates({ a: [{ code: 'out_of_order' }] });
    await send('a');
    await world.clock.pass(1000);
    assert.deepEqual(stored(), ['a']);
  });

  test('out of order whatever one does: not a storm of connections', async () => {
    world.server.fate = () => ({ code: 'out_of_order' });
    await send('a');
    await world.clock.pass(300_000);
    assert.ok(world.server.drafts.length < 40, `${world.server.drafts.length} tries`);
  });

  const FINAL = ['invalid', 'forbidden', 'not_found', 'conflict', 'too_large', 'limit_reached'];
  for (const code of FINAL) {
    test(`${code} is for good, is shown, and hinders nobody`, async () => {
      const timeline = alice.open(ID);
      fates({ b: [{ code }] });
      const [, id = ''] = await send('a', 'b', 'c');
      await world.clock.pass(100);
      assert.deepEqual(stored(), ['a', 'c']);
      const [failed] = alice.outbox.get();
      assert.equal(failed?.id, id);
      assert.equal(failed?.error?.code, code);
      assert.deepEqual(texts(timeline.view.get().items), ['a', 'c', 'b']);
      assert.equal(messages(timeline.view.get().items).at(-1)?.state, 'failed');

      await alice.retry(id);
      await world.clock.pass(100);
      assert.deepEqual(stored(), ['a', 'c', 'b']);
      // Under an id that another text has, it could never be stored.
      assert.equal(world.server.drafts.at(-1)?.id === id, code !== 'conflict');
      timeline.close();
    });
  }

  test('a failed draft stays failed until it is discarded, over reloads', async () => {
    fates({ a: [{ code: 'forbidden' }] });
    const [id = ''] = await send('a');
    await world.clock.pass(1000);
    await alice.stop();
    alice = await world.open(browser);
    await world.clock.pass(1000);
    assert.deepEqual(states(), ['failed']);
    assert.equal(await alice.discard(id), true);
    assert.deepEqual(alice.outbox.get(), []);
    await alice.stop();
    alice = await world.open(browser);
    assert.deepEqual(alice.outbox.get(), []);
    await assert.rejects(alice.discard(id), { code: 'not_found' });
  });

  test('only what was never sent can be taken back', async () => {
    fates({ a: ['lose'] });
    const [first = ''] = await send('a');
    assert.equal(await alice.discard(first), false);
    world.server.isDown = true;
    world.server.cut();
    await world.clock.pass(10);
    const [second = ''] = await send('b');
    assert.equal(await alice.discard(second), true);
    world.server.isDown = false;
    await world.clock.pass(limits.BACKOFF_LAST_MS);
    assert.deepEqual(stored(), ['a']);
  });

  test('a reload in the middle: sent again, stored once, in order', async () => {
    fates({ a: ['unheard'], b: ['lose'], c: ['lose'] });
    await send('a', 'b', 'c');
    // The page is gone without having had the time to write anything more.
    const copy = world.browser();
    const rows = await browser.store.range({ from: '', to: '\uffff' }, 1000);
    await copy.store.write({ put: rows });
    world.server.cut();
    await alice.stop();
    alice = await world.open(copy);
    await world.clock.pass(1000);
    assert.deepEqual(stored(), ['a', 'b', 'c']);
    assert.deepEqual(alice.outbox.get(), []);
  });

  test('the drafts of a tab that is gone are sent by another one', async () => {
    const other = await world.open(browser);
    await world.clock.pass(1);
    const devices = [alice, other].map((client) => client.session.get());
    assert.notDeepEqual(devices[0], devices[1]);
    world.server.fate = () => 'lose';
    await other.send(ID, 'from the other tab');
    await other.stop();
    world.server.fate = () => 'take';
    await world.clock.pass(limits.ADOPT_EVERY_MS + 1000);
    assert.deepEqual(stored(), ['from the other tab']);
    assert.deepEqual(alice.outbox.get(), []);
  });

  test('but not those of a tab that is there', async () => {
    const other = await world.open(browser);
    await world.clock.pass(1);
    world.server.fate = () => 'lose';
    await other.send(ID, 'still mine');
    await world.clock.pass(limits.ADOPT_EVERY_MS * 2);
    assert.deepEqual(alice.outbox.get(), []);
    assert.equal(other.outbox.get().length, 1);
  });

  test('to a user whose conversation does not exist yet: one by one until it does', async () => {
    const words = ['one', 'two', 'three'];
    for (const word of words) await alice.send('@eve', word);
    await world.clock.pass(1000);
    const direct = world.server.conversations.get('direct-alice-eve');
    assert.deepEqual(direct?.entries.map(({ text }) => text), words);
    assert.deepEqual(alice.outbox.get(), []);
  });

  test('also one that is being stored when the conversation becomes known', async () => {
    await alice.send('@eve', 'one');
    let release: () => void = () => undefined;
    const slow = new Promise<void>((resolve) => (release = resolve));
    const write = browser.store.write.bind(browser.store);
    browser.store.write = async (batch) => {
      await slow;
      await write(batch);
    };
    const second = alice.send('@eve', 'two');
    await world.clock.pass(10);
    release();
    await second;
    await world.clock.pass(1000);
    const direct = world.server.conversations.get('direct-alice-eve');
    assert.deepEqual(direct?.entries.map(({ text }) => text), ['one', 'two']);
  });

  test('no more than so many are in flight', async () => {
    world.server.fate = () => 'lose';
    const many = Array.from({ length: 60 }, (_, i) => String(i));
    await Promise.all(many.map((word) => alice.send(ID, word)));
    await world.clock.pass(100);
    assert.equal(world.server.drafts.length, limits.OUTBOX_FLYING_PER_LANE);
    world.server.fate = () => 'take';
    await world.clock.pass(limits.RECEIPT_TIMEOUT_MS + 1000);
    assert.deepEqual(stored(), many);
  });

  test('500 conversations at once', async () => {
    const ids = Array.from({ length: 500 }, (_, i) => `many-${i}`);
    for (const id of ids) world.server.converse(id, 'alice', 'bob');
    await world.clock.pass(10_000);
    const began = performance.now();
    await Promise.all(ids.map((id) => alice.send(id, 'hello')));
    await world.clock.pass(1000);
    assert.deepEqual(alice.outbox.get(), []);
    assert.ok(performance.now() - began < 10_000);
  });

  test('what the server would refuse for its form is not taken', async () => {
    const long = '😀'.repeat(limits.TEXT_MAX_CHARACTERS);
    await send(long);
    const wrong: [string, string][] = [
      ['', 'invalid'], ['a\u0000b', 'invalid'], ['\ud800', 'invalid'], [`${long}x`, 'too_large'],
    ];
    for (const [text, code] of wrong) {
      await assert.rejects(alice.send(ID, text), { code }, JSON.stringify(text.slice(0, 9)));
    }
    await send('tab\tand line\r\n');
    await world.clock.pass(100);
    assert.equal(stored().length, 2);
  });

  test('more than it holds is refused', async () => {
    world.server.isDown = true;
    world.server.cut();
    await world.clock.pass(10);
    const many = Array.from({ length: limits.OUTBOX_MAX_DRAFTS }, (_, i) => String(i));
    await Promise.all(many.map((word) => alice.send(ID, word)));
    await assert.rejects(alice.send(ID, 'one more'), { code: 'limit_reached' });
  });

  test('a draft that cannot be stored here is not sent', async () => {
    const { write } = browser.store;
    browser.store.write = async () => Promise.reject(new Error('the disk is full'));
    await assert.rejects(alice.send(ID, 'a'), { code: 'internal' });
    assert.deepEqual(alice.outbox.get(), []);
    browser.store.write = write;
    await send('b');
    await world.clock.pass(100);
    assert.deepEqual(stored(), ['b']);
    world.reported.length = 0; // that the disk was full
  });

  test('items that did not change stay the same objects', async () => {
    world.server.fate = () => 'lose';
    await send('a', 'b');
    const before: readonly OutboxItem[] = alice.outbox.get();
    await send('c');
    assert.deepEqual(alice.outbox.get().slice(0, 2).map((item, i) => item === before[i]),
      [true, true]);
  });
});
