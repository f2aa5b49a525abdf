// SPDX-License-Identifier: MIT
// Whatever order entries come in, they go on in order, each once.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { EARLY_MAX_ENTRIES } from '../../../src/sdk/limits.ts';
import { Order } from '../../../src/sdk/order.ts';
import type { Entry } from '../../../src/sdk/index.ts';
import { random } from '../support/random.ts';
import { upTo } from '../support/world.ts';

function entry(seq: number): Entry {
  return { conversation: 'c', seq, at: '', from: 'bob', kind: 'text', text: String(seq) };
}

const seqs = (entries: readonly Entry[]): number[] => entries.map(({ seq }) => seq);

describe('Order', () => {
  test('lets through what follows, and holds back what does not', () => {
    const order = new Order();
    order.begin(0);
    assert.deepEqual(seqs(order.offer(entry(1))), [1]);
    assert.deepEqual(seqs(order.offer(entry(3))), []);
    assert.equal(order.behind, true);
    assert.deepEqual(seqs(order.offer(entry(3))), []);
    assert.deepEqual(seqs(order.offer(entry(2))), [2, 3]);
    assert.deepEqual(seqs(order.offer(entry(2))), []);
    assert.equal(order.behind, false);
  });

  test('holds everything back until it is known where the log is taken up', () => {
    const order = new Order();
    assert.deepEqual(order.offer(entry(12)), []);
    assert.deepEqual(order.offer(entry(11)), []);
    assert.deepEqual(order.offer(entry(3)), []);
    assert.equal(order.behind, false);
    assert.deepEqual(seqs(order.begin(10)), [11, 12]);
    assert.equal(order.last, 12);
  });

  test('goes on further up, never back', () => {
    const order = new Order();
    order.begin(5);
    assert.deepEqual(order.begin(3), []);
    assert.equal(order.last, 5);
    order.offer(entry(21));
    assert.deepEqual(seqs(order.begin(20)), [21]);
  });

  test('keeps no more than its bound of what comes early', () => {
    const order = new Order();
    order.begin(0);
    for (let seq = 2; seq < EARLY_MAX_ENTRIES + 100; seq++) order.offer(entry(seq));
    assert.equal(order.ahead.length, EARLY_MAX_ENTRIES);
    assert.equal(order.head, EARLY_MAX_ENTRIES + 99);
    assert.equal(order.offer(entry(1)).length, EARLY_MAX_ENTRIES + 1);
    assert.equal(order.behind, true); // what was dropped is still known to be missing
  });

  test('any order, any duplicates', () => {
    for (let seed = 1; seed <= 50; seed++) {
      const chance = random(seed);
      const order = new Order();
      order.begin(0);
      const coming = [...upTo(60), ...upTo(60)].sort(() => chance() - 0.5);
      const went = coming.flatMap((seq) => seqs(order.offer(entry(seq))));
      assert.deepEqual(went, upTo(60), `seed ${seed}`);
    }
  });
});
