// SPDX-License-Identifier: MIT
// Everything at once, by chance: connections cut, deliveries, drafts and receipts lost, refusals in
// passing, a server that is down, pages loaded again. Whatever happens, when it is over everybody
// has everything, once and in order, and what one device sent stands in the order of its sending.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { limits, type Client, type Entry } from '../../../src/sdk/index.ts';
import { Fold } from '../../../src/sdk/fold.ts';
import { random } from '../support/random.ts';
import type { Fate } from '../support/server.ts';
import { listen, upTo, World, type Browser } from '../support/world.ts';

const USERS = ['alice', 'bob', 'eve'];
const IDS = ['c1', 'c2'];
const STEPS = 120;
const SEEDS = Number(process.env['BANTER_WEB_SEEDS'] ?? 40);

interface Person {
  readonly user: string;
  readonly browser: Browser;
  client: Client;
  readonly heard: Entry[];
}

class Storm {
  private readonly world: World;
  private readonly people: Person[] = [];
  private readonly wanted = new Map<string, string[]>(); // "conversation user" -> texts, in order
  private count = 0;

  constructor(private readonly chance: () => number, seed: number) {
    this.world = new World(seed);
  }

  async run(): Promise<void> {
    for (const id of IDS) this.world.server.converse(id, ...USERS);
    for (const user of USERS) {
      const browser = this.world.browser();
      const client = await this.world.logIn(user, browser);
      this.people.push({ user, browser, client, heard: listen(client) });
    }
    this.world.server.fate = () => this.fate();
    this.world.server.loses = () => this.chance() < 0.1;
    for (let step = 0; step < STEPS; step++) await this.step();
    await this.calm();
    await this.check();
    await this.world.end();
  }

  private fate(): Fate {
    const chance = this.chance();
    if (chance < 0.06) return 'cut';
    if (chance < 0.12) return 'unheard';
    if (chance >= 0.2) return 'take';
    return { code: 'unavailable', retry_after_ms: Math.floor(this.chance() * 3000) };
  }

  private async step(): Promise<void> {
    const chance = this.chance();
    const person = this.people[Math.floor(this.chance() * USERS.length)] as Person;
    if (chance < 0.5) await this.send(person);
    else if (chance < 0.6) await this.change(person);
    else if (chance < 0.7) this.world.server.cut();
    else if (chance < 0.75) this.world.server.isDown = !this.world.server.isDown;
    else if (chance < 0.8) await this.reload(person);
    else if (chance < 0.85) this.world.server.expireTokens();
    else await this.world.clock.pass(Math.floor(this.chance() * 5000));
  }

  private async send(person: Person): Promise<void> {
    const id = IDS[Math.floor(this.chance() * IDS.length)] as string;
    const text = `${person.user} ${++this.count}`;
    const key = `${id} ${person.user}`;
    this.wanted.set(key, [...(this.wanted.get(key) ?? []), text]);
    await person.client.send(id, text);
  }

  /** Something about a message that exists: edits and deletions of one's own, reactions to any. */
  private async change({ user, client }: Person): Promise<void> {
    const id = IDS[Math.floor(this.chance() * IDS.length)] as string;
    const entries = this.world.server.conversations.get(id)?.entries ?? [];
    const target = entries[Math.floor(this.chance() * entries.length)];
    if (target?.kind !== 'text') return;
    const timeline = client.open(id);
    const chance = this.chance();
    if (target.from !== user || chance < 0.5) {
      await timeline.react(target.seq, chance < 0.3 ? '👍' : '🎉', this.chance() < 0.7);
    } else if (chance < 0.8) {
      await timeline.edit(target.seq, `${target.text} edited ${++this.count}`);
    } else {
      await timeline.remove(target.seq);
    }
    timeline.close();
  }

  private async reload(person: Person): Promise<void> {
    await person.client.stop();
    person.client = await this.world.open(person.browser);
    person.client.onEntry((entry) => person.heard.push(entry));
  }

  /** Nothing goes wrong any more; what was lost at the end of a log is told of. */
  private async calm(): Promise<void> {
    const { server, clock } = this.world;
    server.fate = () => 'take';
    server.loses = () => false;
    server.isDown = false;
    await clock.pass(3 * limits.BACKOFF_LAST_MS);
    for (const id of IDS) {
      const last = server.conversations.get(id)?.entries.length ?? 0;
      for (const user of USERS) if (last > 0) server.tell(user, 'me/heads', { [id]: last });
    }
    await clock.pass(3 * limits.BACKOFF_LAST_MS);
  }

  private async check(): Promise<void> {
    for (const id of IDS) {
      const entries = this.world.server.conversations.get(id)?.entries ?? [];
      for (const { user, client, heard } of this.people) {
        const own = entries.filter(({ from, kind }) => from === user && kind === 'text');
        const sent = own.map(({ text }) => text);
        assert.deepEqual(sent, this.wanted.get(`${id} ${user}`) ?? [], `${id}: sent by ${user}`);
        const seqs = heard.filter(({ conversation }) => conversation === id).map(({ seq }) => seq);
        assert.deepEqual(seqs, upTo(entries.length), `${id}: heard by ${user}`);
        assert.deepEqual(client.outbox.get(), [], `outbox of ${user}`);
        const timeline = client.open(id);
        while (!timeline.view.get().complete) {
          await timeline.loadOlder();
          await this.world.clock.pass(10);
        }
        const whole = new Fold(user);
        whole.append(entries);
        assert.deepEqual(timeline.view.get().items, whole.view(), `${id}: shown to ${user}`);
        timeline.close();
      }
    }
    assert.deepEqual(this.world.reported, []);
  }
}

describe('whatever happens', () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    test(`seed ${seed}`, async () => {
      await new Storm(random(seed), seed).run();
    });
  }
});
