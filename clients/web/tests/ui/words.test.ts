// SPDX-License-Identifier: MIT
// Addresses within the page, and how things are said.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { characters, hue, initials, listTime, plural, unreadCount } from '../../src/ui/format.ts';
import { parseRoute, to } from '../../src/ui/route.ts';

const ID = '01a20476-60f7-70c3-a944-ffa2e88dc08f';

test('every address leads where it says', () => {
  assert.deepEqual(parseRoute(to.list), { pane: 'list' });
  assert.deepEqual(parseRoute(to.settings), { pane: 'settings' });
  assert.deepEqual(parseRoute(to.chat(ID)), { pane: 'chat', id: ID, info: false, at: null });
  assert.deepEqual(parseRoute(to.info(ID)), { pane: 'chat', id: ID, info: true, at: null });
  assert.deepEqual(parseRoute(to.at(ID, 42)), { pane: 'chat', id: ID, info: false, at: 42 });
  assert.deepEqual(parseRoute('#/join/abc'), { pane: 'join', invite: 'abc' });
});

test('what is no address leads home', () => {
  for (const hash of ['', '#', '#/x', '#/c', '#/c/x', '#/c/../..', '#javascript:x', '#/join']) {
    assert.deepEqual(parseRoute(hash), { pane: 'list' }, hash);
  }
  for (const at of ['-1', '0', 'x', '1.5', '9e99', '']) {
    assert.deepEqual(parseRoute(`#/c/${ID}/at/${at}`), {
      pane: 'chat', id: ID, info: false, at: null,
    });
  }
  assert.deepEqual(parseRoute('#/join/%'), { pane: 'join', invite: '%' });
});

test('characters are counted as the server counts them', () => {
  assert.equal(characters(''), 0);
  assert.equal(characters('aé𝔘👩‍👧'), 6);
});

test('initials, colors and counts', () => {
  assert.equal(initials('Alice Baumann'), 'AB');
  assert.equal(initials('bob'), 'B');
  assert.equal(initials('  (eve)  lind-q  '), 'EQ');
  assert.equal(initials('<>'), '?');
  assert.equal(initials('东京'), '东');
  assert.equal(hue('alice', 8), hue('alice', 8));
  assert.ok(hue('', 8) >= 0 && hue('', 8) < 8);
  assert.equal(plural(1, 'member'), '1 member');
  assert.equal(plural(2, 'member'), '2 members');
  assert.deepEqual([unreadCount(7), unreadCount(100)], ['7', '99+']);
});

test('a list shows the time, the day, the date', () => {
  const now = new Date(2026, 10, 20, 12).getTime();
  const at = (day: number) => new Date(2026, 10, day, 11).toISOString();
  assert.equal(listTime(at(19), now), 'Yesterday');
  assert.notEqual(listTime(at(20), now), listTime(at(16), now));
  assert.match(listTime(at(2), now), /2/);
});
