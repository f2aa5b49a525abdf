// SPDX-License-Identifier: MIT
// Small parts, each by itself: values, locks, signals, errors, what the platform gives.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import {
  isTransient, limits, localLocks, toBanterError, BanterError, type Platform,
} from '../../../src/sdk/index.ts';
import { cutText } from '../../../src/sdk/details.ts';
import { asEntry } from '../../../src/sdk/entry.ts';
import { Http } from '../../../src/sdk/http.ts';
import { Value } from '../../../src/sdk/observable.ts';
import { defaultPlatform, locksOfWeb, uuidOf, type WebLocks } from '../../../src/sdk/platform.ts';
import { Servers } from '../../../src/sdk/servers.ts';
import { Signals } from '../../../src/sdk/signals.ts';
import { Clock, settle } from '../support/clock.ts';
import { json } from '../support/server.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('Value', () => {
  test('tells once for all changes of a turn, and only of changes', async () => {
    const value = new Value(1);
    let told = 0;
    const end = value.subscribe(() => told++);
    value.set(2);
    value.set(3);
    assert.equal(told, 0);
    await settle();
    assert.equal(told, 1);
    value.set(3);
    await settle();
    assert.equal(told, 1);
    end();
    value.set(4);
    await settle();
    assert.equal(told, 1);
  });

  test('knows when it is watched', () => {
    const log: string[] = [];
    const value = new Value(1, { begin: () => log.push('begin'), end: () => log.push('end') });
    const ends = [value.subscribe(() => undefined), value.subscribe(() => undefined)];
    for (const end of [...ends, ...ends]) end();
    assert.deepEqual(log, ['begin', 'end']);
  });

  test('a listener that throws hinders nobody', async () => {
    const thrown: unknown[] = [];
    const { error } = console;
    console.error = (what: unknown) => thrown.push(what);
    const value = new Value(1);
    let told = 0;
    value.subscribe(() => {
      throw new Error('mine');
    });
    value.subscribe(() => told++);
    value.set(2);
    await settle();
    console.error = error;
    assert.equal(told, 1);
    assert.equal((thrown[0] as Error).message, 'mine');
  });
});

/** As browsers have them: a queue per name. */
function webLocks(): WebLocks {
  const last = new Map<string, Promise<void>>();
  return {
    request: async (name, options, held) => {
      const before = last.get(name);
      if (before && options.ifAvailable) return held(null);
      const mine = Promise.resolve(before).then(() => held({ name }));
      last.set(name, mine);
      await mine;
      if (last.get(name) === mine) last.delete(name);
    },
  };
}

const LOCKS = { localLocks: localLocks(), 'Web Locks': locksOfWeb(webLocks()) };
for (const [name, locks] of Object.entries(LOCKS)) {
  describe(name, () => {
    test('one holds it, the others wait in turn', async () => {
      const order: number[] = [];
      const release = await locks.acquire('a');
      const waiting = [1, 2, 3].map(async (number) => {
        const mine = await locks.acquire('a');
        order.push(number);
        await settle();
        mine();
        mine();
      });
      assert.equal(await locks.tryAcquire('a'), null);
      const other = await locks.tryAcquire('b');
      assert.ok(other);
      other();
      assert.deepEqual(order, []);
      release();
      await Promise.all(waiting);
      assert.deepEqual(order, [1, 2, 3]);
      await settle();
      const again = await locks.tryAcquire('a');
      assert.ok(again);
      again();
    });
  });
}

describe('Signals', () => {
  function rig(): { clock: Clock; signals: Signals; said: string[] } {
    const clock = new Clock();
    const said: string[] = [];
    const signals = new Signals(clock.platform() as Platform, async (topic, payload) => {
      said.push(`${topic} ${payload}`);
      return topic === 'refused' ? 0x87 : 0x10;
    });
    signals.up();
    return { clock, signals, said };
  }

  test('a burst at once, the rest in time, of the same thing the last word', async () => {
    const { clock, signals, said } = rig();
    for (let i = 0; i < 60; i++) signals.say(`t${i}`, { i });
    signals.say('t59', { i: 'last' });
    assert.equal(said.length, limits.SIGNALS_PER_SECOND);
    await clock.pass(1000);
    assert.ok(said.length <= 2 * limits.SIGNALS_PER_SECOND + 1);
    await clock.pass(2000);
    assert.equal(said.length, 60);
    assert.equal(said.at(-1), 't59 {"i":"last"}');
  });

  test('tells what was not taken', async () => {
    const { signals } = rig();
    const taken: boolean[] = [];
    signals.say('good', {}, (wasTaken) => taken.push(wasTaken));
    signals.say('refused', {}, (wasTaken) => taken.push(wasTaken));
    await settle();
    signals.down();
    signals.say('late', {}, (wasTaken) => taken.push(wasTaken));
    assert.deepEqual(taken, [true, false, false]);
  });
});

describe('HTTP', () => {
  const servers = new Servers({ api: 'x', mqtt: 'y' });
  const http = (answer: Partial<ReturnType<typeof json>>): Http =>
    new Http(
      { http: async () => ({ ...json(500, {}), ...answer }) } as unknown as Platform, servers,
    );
  const call = { method: 'GET', path: '/' } as const;

  test('problem documents are errors, and so are pages of proxies in between', async () => {
    const text = JSON.stringify({ code: 'rate_limited', detail: 'slowly' });
    const header = (name: string): string | null => (name === 'Retry-After' ? '7' : null);
    await assert.rejects(http({ status: 429, text, header }).call(call), {
      code: 'rate_limited', reason: 'slowly', retryAfterMs: 7000,
    });
    await assert.rejects(http({ status: 502, text: '<html>' }).call(call), { code: 'unavailable' });
    await assert.rejects(http({ status: 413, text: '' }).call(call), { code: 'too_large' });
    const unknown = JSON.stringify({ code: 'brand_new', detail: 'x' });
    await assert.rejects(http({ status: 400, text: unknown }).call(call), { code: 'internal' });
  });

  test('no answer is offline', async () => {
    const broken = { http: async () => Promise.reject(new Error('reset')) } as unknown as Platform;
    const offline = { code: 'offline', reason: 'reset' };
    await assert.rejects(new Http(broken, servers).call(call), offline);
  });

  test('by fetch: a time limit that holds until the last byte', async () => {
    const globals = globalThis as unknown as { fetch: unknown };
    const { fetch } = globals;
    globals.fetch = (_url: string, init: { signal: AbortSignal }) => new Promise((_, reject) =>
      init.signal.addEventListener('abort', () => reject(new Error('given up'))));
    try {
      const request = { method: 'GET', url: 'http://x', headers: {}, timeoutMs: 10 };
      await assert.rejects(defaultPlatform().http(request), /given up/);
    } finally {
      globals.fetch = fetch;
    }
  });
});

describe('odds and ends', () => {
  test('errors', () => {
    const error = new BanterError('forbidden', 'no');
    assert.equal(toBanterError(error), error);
    assert.equal(toBanterError('odd').code, 'internal');
    assert.equal(isTransient('unavailable'), true);
    assert.equal(isTransient('forbidden'), false);
  });

  test('UUIDs, which grow with time', () => {
    const { uuid } = defaultPlatform();
    assert.match(uuid(), UUID);
    assert.notEqual(uuid(), uuid());
    // The example of RFC 9562, appendix A.6.
    const random = Uint8Array.from([0xcc, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f]);
    const bytes = Uint8Array.of(0, 0, 0, 0, 0, 0, ...random);
    assert.equal(uuidOf(0x017f22e279b0, bytes), '017f22e2-79b0-7cc3-98c4-dc0c0c07398f');
    const times = [0, 1, 0xffff, 0x10000, 2 ** 32, 2 ** 47];
    const ids = times.map((ms) => uuidOf(ms, new Uint8Array(16)));
    assert.deepEqual([...ids].sort(), ids);
  });

  test('texts are cut between characters', () => {
    assert.equal(cutText('short'), 'short');
    assert.equal(cutText('x😀'.repeat(100)), 'x😀'.repeat(50));
    assert.equal(cutText('😀'.repeat(100_000)), '😀'.repeat(100));
  });

  test('what is no entry is none', () => {
    const good = { conversation: 'c', seq: 1, at: 't', from: 'bob', kind: 'text', text: 'x' };
    assert.ok(asEntry(good));
    assert.ok(asEntry({ ...good, new_member: { anything: true } }));
    const bad: unknown[] = [
      null, [], 'x', {}, { ...good, seq: 0 }, { ...good, seq: 1.5 }, { ...good, text: {} },
      { ...good, members: 'bob' }, { ...good, members: [1] }, { ...good, from: undefined },
      { ...good, reactions: [] }, { ...good, reactions: { '👍': { count: 1, users: {} } } },
    ];
    for (const value of bad) assert.equal(asEntry(value), undefined, JSON.stringify(value));
  });
});
