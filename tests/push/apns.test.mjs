// SPDX-License-Identifier: MIT
// apns.test.mjs - APNs: the stand-in verifies the provider token of every request.
import assert from 'node:assert/strict';
import { NOTIFICATION, summary } from './probe.mjs';
import { Apns, apnsError } from './services.mjs';
import { rig } from './rig.mjs';

const TARGET = { provider: 'apns', address: 'A1B2c3d4'.repeat(8) };

rig('a notification as APNs wants it', Apns, {}, async ({ service, probe }) => {
  assert.equal(summary(await probe.send(TARGET)), 'sent none 200 -1');
  const { title, from, text, badge, seq, conversation } = NOTIFICATION;
  const [{ payload, headers, path }] = service.requests;
  assert.deepEqual(payload, {
    aps: { alert: { title, body: text }, badge, sound: 'default', 'thread-id': conversation,
      'mutable-content': 1 },
    conversation, seq, from,
  });
  assert.equal(path, `/3/device/${TARGET.address.toLowerCase()}`);
  assert.equal(headers['apns-topic'], 'chat.banter.app');
  assert.equal(headers['apns-collapse-id'], conversation);
  assert.equal(headers['apns-priority'], '10');
  assert.ok(Math.abs(headers['apns-expiration'] - Date.now() / 1000 - 3600) < 10);
});

rig('one token for all', Apns, {}, async ({ service, probe }) => {
  await Promise.all(Array.from({ length: 150 }, (_, seq) => probe.send(TARGET, { seq })));
  assert.equal(service.tokens.size, 1);
  assert.equal(service.requests.length, 150);
  assert.ok(service.sessionCount <= 4, `${service.sessionCount} connections`);
});

rig('an expired token is replaced, once', Apns, {}, async ({ service, probe }) => {
  await probe.send(TARGET);
  await new Promise((resolve) => setTimeout(resolve, 1100)); // `iat` counts seconds
  service.plans.push(apnsError(403, 'ExpiredProviderToken'),
    apnsError(403, 'ExpiredProviderToken'));
  const all = await Promise.all([probe.send(TARGET), probe.send(TARGET)]);
  assert.deepEqual(all.map((one) => one.outcome), ['sent', 'sent']);
  assert.equal(service.tokens.size, 2);
  // Apple forbids to renew more often than every 20 minutes.
  service.plan = apnsError(403, 'ExpiredProviderToken');
  assert.equal(summary(await probe.send(TARGET)), 'retry credentials 403 -1');
  assert.equal(service.tokens.size, 2);
  assert.equal(service.requests.length, 7);
});

rig('what the answers mean', Apns, {}, async ({ service, probe }) => {
  const expected = [
    [apnsError(410, 'Unregistered'), 'gone unregistered 410 -1'],
    [apnsError(410, 'ExpiredToken'), 'gone unregistered 410 -1'],
    [apnsError(400, 'BadDeviceToken'), 'gone unregistered 400 -1'],
    [apnsError(400, 'DeviceTokenNotForTopic'), 'failed target 400 -1'],
    [apnsError(400, 'BadTopic'), 'failed rejected 400 -1'],
    [{ status: 400, body: 'no' }, 'failed rejected 400 -1'],
    [apnsError(403, 'InvalidProviderToken'), 'retry credentials 403 -1'],
    [apnsError(404, 'BadPath'), 'failed rejected 404 -1'],
    [apnsError(413, 'PayloadTooLarge'), 'failed too_large 413 -1'],
    [{ ...apnsError(429, 'TooManyRequests'), headers: { 'retry-after': '5' } },
      'retry quota 429 5000'],
    [apnsError(429, 'TooManyProviderTokenUpdates'), 'retry quota 429 -1'],
    [apnsError(500, 'InternalServerError'), 'retry provider 500 -1'],
    [apnsError(503, 'Shutdown'), 'retry provider 503 -1'],
  ];
  for (const [plan, outcome] of expected) {
    service.plans.push(plan);
    assert.equal(summary(await probe.send(TARGET)), outcome);
  }
});

rig('the operator hears of wrong keys, once in a while', Apns, {}, async ({ service, probe }) => {
  service.plan = apnsError(403, 'InvalidProviderToken');
  for (let i = 0; i < 5; i++) await probe.send(TARGET);
  await probe.stop();
  assert.equal(probe.stderr.match(/level=warning .*apns refuses us/g).length, 1);
});

rig('long texts are cut to what may be sent', Apns, {}, async ({ service, probe }) => {
  for (const text of ['x', '😀', '"', '\u0001'].map((c) => c.repeat(50000)))
    await probe.send(TARGET, { text, title: text });
  for (const { body, payload } of service.requests) {
    assert.ok(body.length <= 4096 && body.length > 4096 - 8, `${body.length} bytes`);
    assert.ok(payload.aps.alert.body.endsWith('…'));
  }
});

rig('privacy mode, no badge, other urgencies', Apns, {}, async ({ service, probe }) => {
  await probe.send({ ...TARGET, topic: 'chat.banter.other' },
    { without_text: true, badge: -1, urgency: 'normal', ttl_s: 0, collapse_key: 'x'.repeat(300) });
  const [{ payload, headers }] = service.requests;
  const { seq, conversation } = NOTIFICATION;
  assert.deepEqual(payload, {
    aps: { alert: { body: 'New message' }, sound: 'default', 'thread-id': conversation,
      'mutable-content': 1 },
    conversation, seq,
  });
  assert.equal(headers['apns-topic'], 'chat.banter.other');
  assert.equal(headers['apns-priority'], '5');
  assert.equal(headers['apns-expiration'], '0');
});

rig('tokens and topics in form', Apns, { apns_topic: undefined }, async ({ probe }) => {
  const good = { ...TARGET, topic: 'chat.banter.app' };
  assert.equal(await probe.problem(good), '');
  for (const one of [{ address: '' }, { address: 'abc' }, { address: 'xy' }, { address: '../..' },
    { address: 'ab'.repeat(1000) }, { topic: '' }, { topic: 'a b' }, { topic: 'a\r\nb' },
    { topic: 'a'.repeat(300) }])
    assert.notEqual(await probe.problem({ ...good, ...one }), '', JSON.stringify(one));
});

rig('cut connections and GOAWAY', Apns, { timeout_ms: 3000 }, async ({ service, probe }) => {
  for (let round = 0; round < 5; round++) {
    service.plans.push({ status: 200, goaway: true, delay: 10 });
    const all = await Promise.all(Array.from({ length: 20 }, () => probe.send(TARGET)));
    assert.deepEqual([...new Set(all.map((one) => one.outcome))], ['sent']);
  }
  await probe.send(TARGET); // so that there is a connection to cut
  service.plans.push({ cut: true }, { cut: true });
  assert.equal((await probe.send(TARGET)).outcome, 'retry');
  assert.equal((await probe.send(TARGET)).outcome, 'sent');
});
