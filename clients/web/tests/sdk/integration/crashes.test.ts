// SPDX-License-Identifier: MIT
// The server is killed in the middle of streams of messages, tokens expire, a page is loaded again:
// in the end everybody has everything, once and in order.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { RealBanter, synced, until, type Person } from '../support/real.ts';
import { listen, texts, upTo } from '../support/world.ts';

const MESSAGES_EACH = 150;
const PAUSE_MS = 20;
const TOKEN_SECONDS = '10'; // no server allows less

let banter: RealBanter;
before(async () => {
  banter = await RealBanter.start();
});
after(() => banter.stop());

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function group(names: readonly string[]): Promise<{ people: Person[]; id: string }> {
  const people: Person[] = [];
  for (const name of names) people.push(await banter.signUp(name));
  const others = people.slice(1).map(({ user }) => user);
  const id = await (people[0] as Person).client.commands.createGroup('Storm', others);
  for (const { client } of people) {
    await until(() => client.conversation(id).get() !== undefined, 'all are in');
  }
  return { people, id };
}

async function stream({ client, user }: Person, id: string): Promise<void> {
  for (const n of upTo(MESSAGES_EACH)) {
    await client.send(id, `${user} ${n}`);
    await sleep(PAUSE_MS);
  }
}

/** Everything is stored, heard once and in order, and shown so. */
async function check(people: readonly Person[], id: string, entries: number): Promise<void> {
  for (const { client, user } of people) {
    await until(() => client.outbox.get().length === 0, `${user} has sent everything`);
  }
  for (const { heard, user } of people) {
    await until(() => heard.length >= entries, `${user} has everything`);
    assert.deepEqual(heard.map(({ seq }) => seq), upTo(entries), `heard by ${user}`);
  }
  const log = (people[0] as Person).heard;
  for (const { user, client } of people) {
    const sent = log.filter(({ from, kind }) => from === user && kind === 'text');
    assert.deepEqual(sent.map(({ text }) => text),
      upTo(MESSAGES_EACH).map((n) => `${user} ${n}`), `sent by ${user}`);
    const timeline = client.open(id);
    await until(() => timeline.view.get().loaded, 'loaded');
    while (!timeline.view.get().complete) await timeline.loadOlder();
    const wanted = log.filter(({ kind }) => kind === 'text').map(({ text }) => text);
    await until(() => timeline.view.get().items.length === entries, 'all is shown');
    assert.deepEqual(texts(timeline.view.get().items), wanted, `shown to ${user}`);
    timeline.close();
  }
}

describe('killed in the middle of a stream', () => {
  const CASES = [['bridge'], ['broker'], ['bridge', 'broker'], ['postgres']];
  for (const names of CASES) {
    test(names.join(' and '), async () => {
      const { people, id } = await group(['alice', 'bob', 'eve']);
      const streams = people.map((person) => stream(person, id));
      await sleep((MESSAGES_EACH * PAUSE_MS) / 4);
      await banter.kill(...names);
      await Promise.all(streams);
      await check(people, id, people.length * MESSAGES_EACH + 1);
    });
  }
});

describe('without a connection', () => {
  test('both write while one is away: it returns and has everything', async () => {
    const { people, id } = await group(['alice', 'bob']);
    const [alice, bob] = people as [Person, Person];
    // Away: it can reach nothing, and does not know when that will end.
    await bob.client.stop();
    const away = await banter.open(bob.browser, {
      api: 'http://127.0.0.1:9', mqtt: 'ws://127.0.0.1:9/mqtt',
    });
    for (const n of upTo(MESSAGES_EACH)) {
      await away.send(id, `${bob.user} ${n}`);
      await alice.client.send(id, `${alice.user} ${n}`);
    }
    const timeline = away.open(id);
    await until(() => timeline.view.get().items.length >= MESSAGES_EACH, 'one sees one’s own');
    await until(() => alice.client.outbox.get().length === 0, 'alice has sent hers');
    await away.stop();
    const client = await banter.open(bob.browser);
    client.onEntry((entry) => bob.heard.push(entry));
    await check([alice, { ...bob, client }], id, 2 * MESSAGES_EACH + 1);
  });

  test('a page is loaded again in the middle of its stream', async () => {
    const { people, id } = await group(['alice', 'bob']);
    const [alice, bob] = people as [Person, Person];
    const others = stream(bob, id);
    let { client } = alice;
    for (const n of upTo(MESSAGES_EACH)) {
      await client.send(id, `${alice.user} ${n}`);
      if (n % 50 !== 0) continue;
      await client.stop();
      client = await banter.open(alice.browser);
      client.onEntry((entry) => alice.heard.push(entry));
    }
    await others;
    await check([{ ...alice, client }, bob], id, 2 * MESSAGES_EACH + 1);
  });
});

describe('tokens', () => {
  test('expire again and again while people talk', async () => {
    const short = await RealBanter.start({ BANTER_ACCESS_TOKEN_TTL: TOKEN_SECONDS });
    try {
      const alice = await short.signUp('alice');
      const bob = await short.signUp('bob');
      const id = await alice.client.commands.createDirect(bob.user);
      const tab = await short.open(alice.browser);
      const tabHeard = listen(tab);
      await synced(tab);
      const count = 2.5 * Number(TOKEN_SECONDS);
      for (const n of upTo(count)) {
        await alice.client.send(id, String(n));
        await sleep(1000);
      }
      await until(() => bob.heard.length >= count, 'bob has everything');
      await until(() => tabHeard.length >= count, 'so has the other tab');
      for (const heard of [bob.heard, tabHeard]) {
        assert.deepEqual(heard.map(({ text }) => text), upTo(count).map(String));
      }
      for (const client of [alice.client, bob.client, tab]) {
        assert.equal(client.session.get().state, 'signedIn');
      }
    } finally {
      await short.stop();
    }
  });
});
