// SPDX-License-Identifier: MIT
// What entries come to: edits, deletions, reactions, one's own changes that are not stored yet; and
// that it does not matter in which pieces the log is read.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { Fold, foldEntry } from '../../../src/sdk/fold.ts';
import type { Entry, MessageItem, OutboxItem, TimelineItem } from '../../../src/sdk/index.ts';
import { random } from '../support/random.ts';

let next = 0;

function entry(seq: number, content: Partial<Entry>): Entry {
  return {
    conversation: 'c', seq, at: `t${seq}`, from: 'bob', kind: 'text', id: `d${seq}`, ...content,
  };
}

function unsent(draft: OutboxItem['draft'], state: OutboxItem['state'] = 'waiting'): OutboxItem {
  const error = state === 'failed' ? { code: 'forbidden' as const, reason: 'no' } : null;
  return { id: `u${next++}`, target: 'c', draft, at: 'now', state, error };
}

function message(fold: Fold, seq: number): MessageItem {
  const item = fold.find(seq);
  assert.equal(item?.type, 'message');
  return item;
}

const LOG: readonly Entry[] = [
  entry(1, { kind: 'created', members: ['alice'] }),
  entry(2, { text: 'one' }),
  entry(3, { text: 'two', from: 'alice', reply_to: 2 }),
  entry(4, { kind: 'edit', target: 2, text: 'one, edited' }),
  entry(5, { kind: 'reaction', target: 2, emoji: '👍', from: 'eve' }),
  entry(6, { kind: 'reaction', target: 2, emoji: '👍', from: 'alice' }),
  entry(7, { kind: 'reaction', target: 2, emoji: '🎉', from: 'alice' }),
  entry(8, { kind: 'reaction', target: 2, emoji: '🎉', from: 'alice', remove: true }),
  entry(9, { text: 'three' }),
  entry(10, { kind: 'delete', target: 9 }),
  entry(11, { kind: 'renamed', title: 'Team' }),
  entry(12, { kind: 'edit', target: 2, text: 'one, edited twice' }),
];

describe('Fold', () => {
  test('edits, reactions, deletions and notices', () => {
    const fold = new Fold('alice');
    fold.append(LOG);
    const edited = message(fold, 2);
    assert.equal(edited.text, 'one, edited twice');
    assert.equal(edited.editedAt, 't12');
    assert.deepEqual(edited.reactions, [
      { emoji: '👍', count: 2, users: ['eve', 'alice'], own: true },
    ]);
    assert.equal(message(fold, 3).replyTo, 2);
    assert.equal(message(fold, 3).own, true);
    assert.equal(message(fold, 9).deleted, true);
    assert.equal(message(fold, 9).text, null);
    assert.deepEqual(fold.view().map(({ seq }) => seq), [1, 2, 3, 9, 11]);
    assert.equal(fold.textsAfter(1), 1); // two is one's own, three is deleted
  });

  test('however it is cut into pages', () => {
    const whole = new Fold('alice');
    whole.append(LOG);
    for (let seed = 1; seed <= 30; seed++) {
      const chance = random(seed);
      const middle = Math.floor(chance() * LOG.length);
      const fold = new Fold('alice');
      let before = middle;
      let after = middle;
      while (before > 0 || after < LOG.length) {
        const size = 1 + Math.floor(chance() * 4);
        if (before > 0 && chance() < 0.5) {
          fold.prepend(LOG.slice(Math.max(0, before - size), before));
          before = Math.max(0, before - size);
        } else {
          fold.append(LOG.slice(after, after + size));
          after = Math.min(LOG.length, after + size);
        }
        fold.view(); // fills what it keeps
      }
      assert.deepEqual(fold.view(), whole.view(), `seed ${seed}`);
    }
  });

  test('items that did not change stay the same objects', () => {
    const fold = new Fold('alice');
    fold.append(LOG);
    const before = fold.view();
    fold.append([entry(13, { kind: 'reaction', target: 3, emoji: '👍' })]);
    const after = fold.view();
    const same = (seq: number): boolean =>
      before.find((item) => item.seq === seq) === after.find((item) => item.seq === seq);
    assert.deepEqual([1, 2, 3, 9, 11].map(same), [true, true, false, true, true]);
  });

  test('a message that is deleted already when it is read', () => {
    const { text: _, ...rest } = entry(5, {});
    const item = foldEntry('alice', { ...rest, deleted: true }, []);
    assert.equal(item.type === 'message' && item.deleted && item.text === null, true);
  });

  test("one's own changes show before they are stored, failed ones do not", () => {
    const fold = new Fold('alice');
    fold.append(LOG);
    const edit = unsent({ kind: 'edit', target: 3, text: 'two, edited' });
    const reaction = unsent({ kind: 'reaction', target: 2, emoji: '👍', remove: true });
    const refused = unsent({ kind: 'delete', target: 2 }, 'failed');
    fold.setUnsent([edit, reaction, refused]);
    assert.equal(message(fold, 3).text, 'two, edited');
    assert.equal(message(fold, 2).deleted, false);
    assert.deepEqual(message(fold, 2).reactions[0]?.users, ['eve']);
    assert.deepEqual(message(fold, 2).changes.map(({ state }) => state), ['waiting', 'failed']);
    assert.equal(message(fold, 2).changes[1]?.error?.code, 'forbidden');
    fold.setUnsent([]);
    assert.equal(message(fold, 3).text, 'two');
    assert.deepEqual(message(fold, 2).changes, []);
  });

  test('the server’s folded view', () => {
    const folded = entry(2, {
      text: 'now', edited_at: 't9',
      reactions: { '👍': { count: 12, users: ['eve', 'bob'], own: true } },
    });
    const item: TimelineItem = foldEntry('alice', folded, []);
    assert.equal(item.type === 'message' && item.editedAt, 't9');
    assert.deepEqual(item.type === 'message' && item.reactions, [
      { emoji: '👍', count: 12, users: ['eve', 'bob'], own: true },
    ]);
  });

  test('names that JavaScript has a meaning for are only names', () => {
    const fold = new Fold('alice');
    fold.append([
      entry(1, { text: '__proto__', from: 'constructor' }),
      entry(2, { kind: 'reaction', target: 1, emoji: '__proto__', from: 'constructor' }),
    ]);
    assert.deepEqual(message(fold, 1).reactions, [
      { emoji: '__proto__', count: 1, users: ['constructor'], own: false },
    ]);
  });
});
