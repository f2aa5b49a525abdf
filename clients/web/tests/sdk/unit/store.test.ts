// SPDX-License-Identifier: MIT
// Both stores keep the same promises, and so does what is written behind them.
import 'fake-indexeddb/auto';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { MemoryStore, type Platform, type Store } from '../../../src/sdk/index.ts';
import { Keys } from '../../../src/sdk/keys.ts';
import { FLUSH_AFTER_MS } from '../../../src/sdk/limits.ts';
import { Records } from '../../../src/sdk/records.ts';
import { indexedDbStore } from '../../../src/sdk/store_indexeddb.ts';
import { Clock } from '../support/clock.ts';

let databases = 0;
const STORES: readonly [string, () => Store][] = [
  ['MemoryStore', () => new MemoryStore()],
  ['indexedDbStore', () => indexedDbStore(`test-${++databases}`)],
];
const ALL = { from: '', to: '\uffff' };

for (const [name, make] of STORES) {
  describe(name, () => {
    test('gives what was put, and undefined for what was not', async () => {
      const store = make();
      await store.write({ put: [['a', { text: 'é👍\u2028' }], ['b', 2]] });
      assert.deepEqual(await store.get('a'), { text: 'é👍\u2028' });
      assert.equal(await store.get('c'), undefined);
      await store.write({ remove: ['a'] });
      assert.equal(await store.get('a'), undefined);
      await store.close();
    });

    test('ranges are ordered, bounded, and read from either end', async () => {
      const store = make();
      await store.write({ put: ['d', 'b', 'a', 'c', 'B'].map((key) => [key, key]) });
      const keys = async (...args: Parameters<Store['range']>): Promise<string[]> =>
        (await store.range(...args)).map(([key]) => key);
      assert.deepEqual(await keys(ALL, 10), ['B', 'a', 'b', 'c', 'd']);
      assert.deepEqual(await keys({ from: 'a', to: 'd' }, 2), ['a', 'b']);
      assert.deepEqual(await keys({ from: 'a', to: 'd' }, 2, 'last'), ['b', 'c']);
      assert.deepEqual(await keys({ from: 'x', to: 'y' }, 2), []);
      assert.deepEqual(await keys(ALL, 0), []);
      await store.close();
    });

    test('a batch empties ranges before it puts', async () => {
      const store = make();
      await store.write({ put: [['a', 1], ['b', 1], ['c', 1]] });
      await store.write({ clear: [{ from: 'a', to: 'c' }], put: [['b', 2]] });
      assert.deepEqual(await store.range(ALL, 10), [['b', 2], ['c', 1]]);
      await store.clear();
      assert.deepEqual(await store.range(ALL, 10), []);
      await store.close();
    });

    test('what was given is a copy', async () => {
      const store = make();
      const value = { list: [1] };
      await store.write({ put: [['a', value]] });
      value.list.push(2);
      assert.deepEqual(await store.get('a'), { list: [1] });
      await store.close();
    });

    test('after closing it can be used again', async () => {
      const store = make();
      await store.write({ put: [['a', 1]] });
      await store.close();
      assert.equal(await store.get('a'), 1);
      await store.close();
    });
  });
}

describe('Records', () => {
  function records(): { clock: Clock; store: MemoryStore; records: Records; writes: () => number } {
    const clock = new Clock();
    const store = new MemoryStore();
    let count = 0;
    const write = store.write.bind(store);
    store.write = async (batch) => {
      count++;
      await write(batch);
    };
    const platform = { ...clock.platform(), report: () => undefined } as unknown as Platform;
    return { clock, store, records: new Records(platform, store), writes: () => count };
  }

  test('many changes are one batch, and the last word counts', async () => {
    const { clock, store, records: kept, writes } = records();
    kept.put('a', 1);
    kept.put('a', 2);
    kept.put('b', 1);
    kept.remove('b');
    assert.equal(await store.get('a'), undefined);
    await clock.pass(FLUSH_AFTER_MS);
    assert.deepEqual(await store.range(ALL, 10), [['a', 2]]);
    assert.equal(writes(), 1);
  });

  test('reads see what was put before, and clearing what was put before it', async () => {
    const { records: kept } = records();
    kept.put('a', 1);
    kept.put('b', 1);
    kept.clear({ from: 'a', to: 'b' });
    kept.put('aa', 1);
    assert.deepEqual(await kept.range(ALL, 10), [['aa', 1], ['b', 1]]);
  });

  test('a failed write is told, and the next one is tried', async () => {
    const { store, records: kept } = records();
    const write = store.write;
    store.write = async () => Promise.reject(new Error('the disk is full'));
    kept.put('a', 1);
    await assert.rejects(kept.flush(), /full/);
    store.write = write;
    kept.put('b', 1);
    await kept.flush();
    assert.deepEqual(await store.range(ALL, 10), [['b', 1]]);
  });

  test('what is abandoned writes nothing', async () => {
    const { clock, store, records: kept } = records();
    kept.put('a', 1);
    kept.abandon();
    kept.put('b', 1);
    await kept.flush();
    await clock.pass(1000);
    assert.deepEqual(await store.range(ALL, 10), []);
  });
});

describe('Keys', () => {
  test('sort as their numbers do, and keep users apart', () => {
    const keys = new Keys('alice');
    assert.ok(keys.entry('c', 9) < keys.entry('c', 10));
    assert.deepEqual(keys.draftOf(keys.draft('web-2', 17)), { device: 'web-2', number: 17 });
    const { from, to } = keys.everything();
    const others = ['alic', 'alice2', 'alice.b', 'alice-b'].map((user) => new Keys(user));
    for (const other of others) {
      const key = other.entry('c', 1);
      assert.ok(key < from || key >= to, key);
    }
  });
});
