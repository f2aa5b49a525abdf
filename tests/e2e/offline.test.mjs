// SPDX-License-Identifier: MIT
// Networks that go away, pages that are loaded again, servers that are killed: everybody has
// everything in the end, once and in the same order.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { closeAll, launch, talkingPair, until } from './support/browser.mjs';
import { System } from './support/system.mjs';

const RECOVERY_MS = 60_000;

let system, browser, alice, bob;

before(async () => {
  system = await System.start();
  browser = await launch();
  [alice, bob] = await talkingPair(browser, system);
});

after(() => closeAll(alice, bob, browser, system));

/** The messages from `first` on, as a person has them in the page. */
async function textsFrom(person, first) {
  const texts = await person.texts();
  return texts.slice(texts.indexOf(first));
}

test('one is away, both write, and both have everything once and in order', async () => {
  await bob.page.evaluate(() => navigator.serviceWorker.ready.then(() => true));
  await bob.goOffline();
  await bob.page.getByText('You are offline.', { exact: false }).waitFor();
  await bob.say('bob, away 1');
  await bob.say('bob, away 2');
  await bob.marked('bob, away 2', 'waiting');
  await bob.page.getByText('2 messages will be sent then', { exact: false }).waitFor();
  for (let i = 1; i <= 5; i++) await alice.say(`alice ${i}`);
  await alice.marked('alice 5', 'sent');

  await bob.page.reload(); // without a network
  await bob.openChat('Alice');
  await bob.sees('before');
  await bob.marked('bob, away 2', 'waiting');
  await bob.say('bob, away 3');

  await bob.goOnline();
  await alice.sees('bob, away 3', { timeout: RECOVERY_MS });
  await bob.sees('alice 5');
  await bob.marked('bob, away 3', 'read');
  const wanted = [
    'before', 'alice 1', 'alice 2', 'alice 3', 'alice 4', 'alice 5', 'bob, away 1', 'bob, away 2',
    'bob, away 3',
  ];
  await until(async () => (await textsFrom(bob, 'before')).length >= wanted.length, 'all of it');
  assert.deepEqual(await textsFrom(alice, 'before'), wanted);
  assert.deepEqual(await textsFrom(bob, 'before'), wanted);
});

test('the bridge and the broker are killed in the middle of a stream of messages', async () => {
  const wanted = [];
  for (let i = 1; i <= 60; i++) {
    const text = `stream ${i}`;
    wanted.push(text);
    await alice.say(text);
    if (i === 15) await system.kill('bridge');
    if (i === 30) await system.kill('broker');
    if (i === 45) await system.kill('bridge', 'broker');
  }
  await until(async () => {
    await Promise.all([alice, bob].map((person) => person.sees('stream 60', {
      timeout: RECOVERY_MS,
    })));
    return await alice.page.locator('.message[data-mark="waiting"]').count() === 0;
  }, 'all is sent', RECOVERY_MS);

  // The list holds what is near; the server's log has all of it.
  const { token } = await system.logIn('bob');
  const response = await fetch(
    `${system.http}/v1/conversations/@alice/messages?limit=1000&view=folded`,
    { headers: { Authorization: `Bearer ${token}` } });
  const texts = (await response.json()).entries.map((entry) => entry.text ?? '');
  assert.deepEqual(texts.filter((text) => text.startsWith('stream ')), wanted);
  for (const person of [alice, bob]) {
    const shown = (await person.texts()).filter((text) => text.startsWith('stream '));
    assert.deepEqual(shown, wanted.slice(-shown.length));
  }
});

test('a server that is gone for a while, and a page loaded meanwhile', async () => {
  await system.pause('bridge');
  await bob.page.getByText('Reconnecting…', { exact: false }).waitFor({ timeout: RECOVERY_MS });
  await bob.page.reload();
  await bob.openChat('Alice');
  await bob.sees('stream 60');
  await bob.say('written meanwhile');
  await bob.marked('written meanwhile', 'waiting');
  await bob.page.reload();
  await bob.openChat('Alice');
  await bob.marked('written meanwhile', 'waiting');
  await bob.say('and gone at once');
  await bob.page.reload();
  await bob.openChat('Alice');
  // Perhaps it was not stored yet: then it has not been begun to send either.
  await until(async () => (await bob.texts()).includes('and gone at once') ||
    await bob.composer().inputValue() === 'and gone at once', 'the text');
  if (!(await bob.texts()).includes('and gone at once')) await bob.composer().press('Enter');
  await system.resume('bridge');
  await alice.sees('written meanwhile', { timeout: RECOVERY_MS });
  await alice.sees('and gone at once', { timeout: RECOVERY_MS });
  await bob.marked('written meanwhile', 'read');
  assert.equal((await bob.texts()).filter((text) => text === 'written meanwhile').length, 1);
});

test('a refused message can be tried again or discarded', async () => {
  const { page } = alice;
  await bob.page.getByRole('link', { name: 'Show the details' }).click();
  await alice.goOffline();
  await alice.say('too late');
  await bob.page.getByRole('button', { name: 'Block Alice' }).click();
  await bob.page.getByRole('dialog').getByRole('button', { name: 'Block' }).click();
  await bob.page.getByRole('button', { name: 'Unblock' }).waitFor();
  await alice.goOnline();
  await alice.marked('too late', 'failed');
  await page.getByText('You cannot write to each other', { exact: false }).waitFor();

  await bob.page.getByRole('button', { name: 'Unblock' }).click();
  await alice.composer().waitFor();
  await alice.message('too late').getByRole('button', { name: 'Try again' }).click();
  await alice.marked('too late', 'read');
  await bob.sees('too late');
});

test('nothing happened that nobody asked for', () => {
  alice.assertQuiet();
  bob.assertQuiet();
});
