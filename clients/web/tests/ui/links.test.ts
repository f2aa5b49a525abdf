// SPDX-License-Identifier: MIT
// Which parts of a text become links, and where they lead.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { partsOf } from '../../src/ui/links.ts';

const hrefs = (text: string) =>
  partsOf(text).flatMap((part) => (part.href === null ? [] : [part.href]));

test('no character is lost', () => {
  for (const text of [
    '', 'plain', 'https://a.example', 'x https://a.example, y mailto:b@c.example! z',
    '(https://a.example/(b))', 'https://', 'http://[::1', 'a\nhttps://b.example\nc',
    `${'x'.repeat(30_000)} https://late.example`, 'https://a.example '.repeat(2_000),
  ]) {
    assert.equal(partsOf(text).map((part) => part.text).join(''), text);
  }
});

test('addresses without what surrounds them', () => {
  const cases: [string, string[]][] = [
    ['see https://a.example.', ['https://a.example/']],
    ['(see https://a.example/b)', ['https://a.example/b']],
    ['https://a.example/b_(c)', ['https://a.example/b_(c)']],
    ['"https://a.example/b"', ['https://a.example/b']],
    ['https://a.example/b?c=d&e#f!', ['https://a.example/b?c=d&e#f']],
    ['HTTPS://A.example/B', ['https://a.example/B']],
    ['mailto:x@a.example?', ['mailto:x@a.example']],
  ];
  for (const [text, wanted] of cases) assert.deepEqual(hrefs(text), wanted, text);
});

test('nothing else leads anywhere', () => {
  for (const text of [
    'javascript:alert(1)', 'JAVASCRIPT://a.example/%0aalert(1)', 'data:text/html,x', 'vbscript:x',
    'file:///etc/passwd', 'ftp://a.example', '//a.example', 'a.example', 'http:a', 'https://',
    'https://user@evil.example', 'https://good.example:x@evil.example', 'xhttps:', 'blob:https:',
  ]) {
    assert.deepEqual(hrefs(text), [], text);
  }
});

test('invisible characters end an address', () => {
  assert.deepEqual(hrefs('https://a.example\u202e/moc.live'), ['https://a.example/']);
  assert.deepEqual(hrefs('https://a.example\u200b.evil.example'), ['https://a.example/']);
});

test('an address that is cut is none', () => {
  assert.deepEqual(hrefs(`${' '.repeat(19_990)}https://a.example/long`), []);
});
