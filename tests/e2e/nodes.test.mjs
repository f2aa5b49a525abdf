// SPDX-License-Identifier: MIT
// A page outlives the node that it came from: it goes on at another one, with nothing lost, nothing
// twice and no error shown; and even when it is loaded again.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { closeAll, launch, talkingPair, until } from './support/browser.mjs';
import { Cluster } from './support/cluster.mjs';

const RECOVERY_MS = 60_000;

let cluster, stays, goes, browser, alice, bob;

before(async () => {
  cluster = await Cluster.start('stays', 'goes');
  [stays, goes] = cluster.nodes;
  browser = await launch();
  [alice, bob] = await talkingPair(browser, goes, stays);
});

after(() => closeAll(alice, bob, browser, cluster));

/** Who says something sees it, and so does the other one; `said` has all of it in its order. */
const said = ['before'];

async function say(from, to, ...texts) {
  for (const text of texts) await from.say(text);
  said.push(...texts);
  await to.sees(texts.at(-1), { timeout: RECOVERY_MS });
}

async function exchange(name) {
  await say(alice, bob, `${name}, alice`);
  await say(bob, alice, `${name}, bob`);
  await alice.marked(`${name}, alice`, 'read');
  await assertAlike();
}

/** Everything once and in order. A list holds what is near its end. */
async function assertAlike() {
  for (const person of [alice, bob]) {
    const texts = await person.texts();
    assert.ok(texts.length > 0);
    assert.deepEqual(texts, said.slice(-texts.length));
  }
}

/** Loads the page again until it is at its own node: that may not take it in at once. */
async function reloadAtHome() {
  for (let tries = 1; ; tries++) {
    await alice.page.reload();
    await alice.openChat('Bob');
    try {
      return await until(async () => await cluster.connections(goes) > 0, 'alice at her node');
    } catch (error) {
      if (tries === 4) throw error;
    }
  }
}

const numbered = (text) => Array.from({ length: 20 }, (_, i) => `${text} ${i + 1}`);

test('a node that drains sends its pages to the other one', async () => {
  assert.equal(await cluster.connections(goes), 1);
  const draining = goes.banter('drain', '--over', '4').catch(() => {}); // late is well, too
  await say(alice, bob, ...numbered('draining'));
  await draining;
  await until(async () => await cluster.connections(stays) === 2, 'both at one node', RECOVERY_MS);
  await exchange('drained');
  assert.equal(await alice.page.locator('.message[data-mark="failed"]').count(), 0);
  await goes.banter('drain', '--off');
});

test('a node that dies is left within seconds, with all that was being said', async (t) => {
  await reloadAtHome();
  await alice.page.evaluate(() => navigator.serviceWorker.ready.then(() => true));
  const texts = numbered('dying');
  await say(alice, bob, ...texts.slice(0, 10));
  await goes.die();
  const died = Date.now();
  await say(alice, bob, ...texts.slice(10));
  t.diagnostic(`the other node had it ${Date.now() - died} ms after the death`);
  await exchange('survived');
});

test('a page that is loaded while its node is dead goes on at the other one', async () => {
  await alice.page.reload();
  await alice.openChat('Bob');
  await exchange('loaded again');
  await alice.newPage();
  await alice.page.goto(alice.http);
  await alice.openChat('Bob');
  await exchange('another tab');
});

test('nothing happened that nobody asked for', () => {
  alice.assertQuiet();
  bob.assertQuiet();
});
