// SPDX-License-Identifier: MIT
// The list of messages: its rows, and the part of them that is in the page.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { MessageItem } from '../../src/sdk/index.ts';
import { rowsOf, type Row, type RowsInput } from '../../src/ui/chat/rows.ts';
import { ListWindow } from '../../src/ui/chat/window.ts';

const NOON = new Date(2026, 10, 20, 12).getTime();
const MINUTE = 60_000;

function message(seq: number, from: string, minutes: number, more: Partial<MessageItem> = {}) {
  const item: MessageItem = {
    type: 'message', key: `m${seq}`, id: `m${seq}`, conversation: 'c', seq, from,
    at: new Date(NOON + minutes * MINUTE).toISOString(), own: from === 'alice', text: `t${seq}`,
    deleted: false, editedAt: null, replyTo: null, reactions: [], state: 'stored', error: null,
    changes: [], ...more,
  };
  return item;
}

function rows(items: MessageItem[], more: Partial<RowsInput> = {}, old?: readonly Row[]) {
  return rowsOf(
    { items, self: 'alice', readBefore: null, cursors: new Map(), now: NOON, ...more },
    new Map(old?.map((row) => [row.key, row])));
}

test('messages of one author within minutes belong together', () => {
  const made = rows([
    message(1, 'bob', 0), message(2, 'bob', 1), message(3, 'bob', 7), message(4, 'eve', 7),
    message(5, 'eve', 24 * 60),
  ]);
  assert.deepEqual(made.map(({ first, last }) => [first, last]), [
    [true, false], [false, true], [true, true], [true, true], [true, true],
  ]);
  assert.deepEqual(made.map(({ day }) => day !== null), [true, false, false, false, true]);
});

test('the first message of others that was not read is marked', () => {
  const items = [message(1, 'bob', 0), message(2, 'alice', 1), message(3, 'bob', 2),
    message(4, 'bob', 3)];
  const unread = (readBefore: number | null) =>
    rows(items, { readBefore }).filter((row) => row.unread).map((row) => row.key);
  assert.deepEqual(unread(null), []);
  assert.deepEqual(unread(0), ['m1']);
  assert.deepEqual(unread(1), ['m3']);
  assert.deepEqual(unread(4), []);
});

test('marks say how far all others have come', () => {
  const items = [message(1, 'alice', 0), message(2, 'alice', 1), message(3, 'alice', 2),
    message(4, 'alice', 3, { seq: null, state: 'waiting' }),
    message(5, 'alice', 4, { seq: null, state: 'failed' }), message(6, 'bob', 5)];
  const cursors = new Map([
    ['bob', { received: 2, read: 1 }], ['eve', { received: 3, read: 2 }],
    ['alice', { received: 9, read: 9 }],
  ]);
  assert.deepEqual(rows(items, { cursors }).map((row) => row.mark), [
    'read', 'delivered', 'sent', 'waiting', 'failed', 'none',
  ]);
  assert.deepEqual(rows(items, { cursors }).map((row) => row.readers), [2, 1, 0, 0, 0, 0]);
  assert.equal(rows(items)[0]?.mark, 'sent'); // nobody is known
});

test('a row that has not changed is the same object', () => {
  const items = [message(1, 'bob', 0), message(2, 'bob', 1)];
  const before = rows(items);
  const after = rows([...items, message(3, 'bob', 2)], {}, before);
  assert.equal(after[0], before[0]);
  assert.notEqual(after[1], before[1]); // it is not the last of its kind any more
});

test('of ten thousand rows a few are in the page, wherever one is', () => {
  const many = rows(Array.from({ length: 10_000 }, (_, i) => message(i + 1, 'bob', i)));
  const window = new ListWindow();
  window.arrange(many);
  many.forEach((row, i) => window.measured(row.key, 20 + (i % 7) * 30));
  window.arrange(many);
  for (let y = 0; y < window.height; y += 9_973) {
    const span = window.spanAt(y, 800);
    assert.ok(span.to - span.from < 200, `${span.to - span.from} rows`);
    assert.ok(span.before <= y && window.height - span.after >= Math.min(y + 800, window.height));
    const anchor = window.anchorAt(y);
    assert.ok(anchor && window.topOf(anchor.key) === y + anchor.top);
  }
});

test('what one looks at is found again when older rows come', () => {
  const late = rows(Array.from({ length: 100 }, (_, i) => message(i + 101, 'bob', i)));
  const window = new ListWindow();
  window.arrange(late);
  const anchor = window.anchorAt(1_000);
  assert.ok(anchor);
  const all = [...rows(Array.from({ length: 100 }, (_, i) => message(i + 1, 'bob', i))), ...late];
  window.arrange(all);
  const span = window.spanAt((window.topOf(anchor.key) ?? 0) - anchor.top, 800);
  assert.ok(all.slice(span.from, span.to).some((row) => row.key === anchor.key));
  assert.equal(window.spanAt(0, 800).from, 0);
  window.arrange([]);
  assert.deepEqual(window.spanAt(0, 800), { from: 0, to: 0, before: 0, after: 0 });
});
