// SPDX-License-Identifier: MIT
// web.test.mjs - Web Push: the stand-in verifies VAPID tokens and decrypts what it gets.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { NOTIFICATION, summary } from './probe.mjs';
import { pointOf, WebPush } from './services.mjs';
import { rig } from './rig.mjs';

rig('the browser decrypts a notification', WebPush, {}, async ({ service, probe, world }) => {
  assert.equal(summary(await probe.send(service.target())), 'sent none 201 -1');
  const { title, from, text, badge, seq, conversation } = NOTIFICATION;
  const [{ payload, headers }] = service.requests;
  assert.deepEqual(payload, { type: 'message', conversation, seq, badge, from, title, text });
  assert.equal(headers.ttl, '3600');
  assert.equal(headers.urgency, 'high');
  assert.equal(headers.topic.length, 32);
  assert.equal(probe.vapidPublicKey, service.publicKey);
  assert.equal(probe.vapidPublicKey, pointOf(readFileSync(world.path('vapid.pem.pub'), 'utf8')));
});

rig('keys with padding are keys', WebPush, {}, async ({ service, probe }) => {
  const target = service.target();
  target.auth += '==';
  target.p256dh += '=';
  assert.equal((await probe.send(target)).outcome, 'sent');
});

rig('every message has its own key and salt', WebPush, {}, async ({ service, probe }) => {
  await Promise.all(Array.from({ length: 50 }, () => probe.send(service.target())));
  const heads = service.requests.map(({ body }) => body.subarray(0, 16).toString('hex'));
  const keys = service.requests.map(({ body }) => body.subarray(21, 86).toString('hex'));
  assert.equal(new Set(heads).size, 50);
  assert.equal(new Set(keys).size, 50);
});

rig('one VAPID token per origin', WebPush, {}, async ({ service, probe }) => {
  for (let i = 0; i < 5; i++) await probe.send(service.target(`/push/${i}`));
  assert.equal(service.authorizations.size, 1);
});

rig('the topic follows the key', WebPush, {}, async ({ service, probe }) => {
  await probe.send(service.target(), { seq: 1 });
  await probe.send(service.target(), { seq: 2 });
  await probe.send(service.target(), { conversation: '0190f3a1-7d3c-7bbb-8000-0123456789ac' });
  await probe.send(service.target(), { collapse_key: 'short_key-1' });
  await probe.send(service.target(), { collapse_key: 'not a token: ä' });
  const topics = service.requests.map(({ headers }) => headers.topic);
  assert.equal(topics[0], topics[1]);
  assert.notEqual(topics[0], topics[2]);
  assert.equal(topics[3], 'short_key-1');
  assert.match(topics[4], /^[\w-]{32}$/);
});

rig('urgency and time to live', WebPush, {}, async ({ service, probe }) => {
  await probe.send(service.target(), { urgency: 'low', ttl_s: 0 });
  await probe.send(service.target(), { urgency: 'normal', ttl_s: 2419200 });
  const heads = service.requests.map(({ headers }) => `${headers.urgency} ${headers.ttl}`);
  assert.deepEqual(heads, ['low 0', 'normal 2419200']);
});

rig('long texts are cut to what may be sent', WebPush, {}, async ({ service, probe }) => {
  for (const text of ['x', 'ä', '€', '😀', '"', '\u0001', '\n'].map((c) => c.repeat(50000)))
    await probe.send(service.target(), { text, title: text });
  for (const { body, payload } of service.requests) {
    assert.ok(body.length <= 4096 && body.length > 4096 - 8, `${body.length} bytes`);
    assert.ok(payload.text.endsWith('…') && payload.title.endsWith('…'));
    assert.ok(!payload.text.includes('\ufffd'));
  }
});

rig('a service that takes less gets less, once', WebPush, {}, async ({ service, probe }) => {
  service.limit = 1000;
  assert.equal(summary(await probe.send(service.target(), { text: 'x'.repeat(2000) })),
    'sent none 201 -1');
  assert.deepEqual(Object.keys(service.requests[1].payload).sort(),
    ['badge', 'conversation', 'seq', 'type']);
  service.limit = 10;
  assert.equal(summary(await probe.send(service.target())), 'failed too_large 413 -1');
  assert.equal(service.requests.length, 4);
});

rig('privacy mode', WebPush, {}, async ({ service, probe }) => {
  await probe.send(service.target(), { without_text: true });
  const { badge, seq, conversation } = NOTIFICATION;
  assert.deepEqual(service.requests[0].payload, { type: 'message', conversation, seq, badge });
});

rig('what the answers mean', WebPush, {}, async ({ service, probe }) => {
  const expected = [
    [{ status: 404 }, 'gone unregistered 404 -1'],
    [{ status: 410 }, 'gone unregistered 410 -1'],
    [{ status: 429, headers: { 'retry-after': '120' } }, 'retry quota 429 120000'],
    [{ status: 400 }, 'failed rejected 400 -1'],
    [{ status: 403 }, 'retry credentials 403 -1'],
    [{ status: 502 }, 'retry provider 502 -1'],
    [{ status: 307, headers: { location: '/push/2' } }, 'failed rejected 307 -1'],
  ];
  for (const [plan, outcome] of expected) {
    service.plans.push(plan);
    assert.equal(summary(await probe.send(service.target())), outcome);
  }
});

rig('only what a browser could have registered', WebPush, {}, async ({ service, probe }) => {
  const good = service.target();
  assert.equal(await probe.problem(good), '');
  const broken = [
    { p256dh: '' }, { auth: '' }, { p256dh: good.auth }, { auth: good.p256dh },
    { p256dh: `${good.p256dh.slice(0, -4)}AAAA` }, // not on the curve
    { p256dh: good.p256dh.replace(/^B/, 'A') }, { auth: `${good.auth.slice(0, -1)}!` },
    { p256dh: 'A'.repeat(100000) }, { address: good.address.replace('https', 'http') },
  ];
  for (const one of broken)
    assert.notEqual(await probe.problem({ ...good, ...one }), '', JSON.stringify(one).slice(0, 99));
});

rig('browsers do not lead us home', WebPush, { allow_private: false },
  async ({ service, probe }) => {
    assert.equal(summary(await probe.send(service.target())), 'failed target 0 -1');
    assert.equal(service.sessionCount, 0);
  });
