// SPDX-License-Identifier: MIT
// fcm.test.mjs - FCM: the stand-in verifies the assertion and knows which token it gave out.
import assert from 'node:assert/strict';
import { NOTIFICATION, summary } from './probe.mjs';
import { Fcm, fcmError } from './services.mjs';
import { rig } from './rig.mjs';

const TARGET = { provider: 'fcm', address: 'dGVzdA:APA91b-registration_token' };
const KEY = NOTIFICATION.conversation;

rig('a message as FCM wants it', Fcm, {}, async ({ service, probe }) => {
  assert.equal(summary(await probe.send(TARGET)), 'sent none 200 -1');
  const { title, from, text, conversation } = NOTIFICATION;
  assert.deepEqual(service.requests[0].message, {
    token: TARGET.address,
    notification: { title, body: text },
    data: { type: 'message', conversation, seq: '42', badge: '3', from },
    android: { collapse_key: KEY, priority: 'high', ttl: '3600s',
      notification: { tag: KEY, notification_count: 3 } },
  });
});

rig('many at once wait for one token', Fcm, {}, async ({ service, probe }) => {
  service.tokenPlans.push({ delay: 300 });
  const all = await Promise.all(Array.from({ length: 100 }, (_, seq) =>
    probe.send(TARGET, { seq })));
  assert.ok(all.every((one) => one.outcome === 'sent'));
  assert.equal(service.tokens.length, 1);
  await probe.send(TARGET);
  assert.equal(service.tokens.length, 1);
});

rig('a token is renewed before it expires', Fcm, {}, async ({ service, probe }) => {
  service.lifetime = 2; // so after one second
  await probe.send(TARGET);
  await new Promise((resolve) => setTimeout(resolve, 1200));
  await probe.send(TARGET);
  assert.equal(service.tokens.length, 2);
});

rig('a refused token is replaced, once', Fcm, {}, async ({ service, probe }) => {
  await probe.send(TARGET);
  service.tokens.push('revoked'); // as if it were another one's turn
  const all = await Promise.all(Array.from({ length: 20 }, () => probe.send(TARGET)));
  assert.ok(all.every((one) => one.outcome === 'sent'));
  assert.equal(service.tokens.length, 3);
  service.plan = fcmError(401, 'UNAUTHENTICATED');
  assert.equal(summary(await probe.send(TARGET)), 'retry credentials 401 -1');
  assert.equal(service.tokens.length, 4);
});

rig('without a token everything waits for later', Fcm, {}, async ({ service, probe }) => {
  service.tokenPlans.push({ status: 400, body: { error: 'invalid_grant' } });
  const all = await Promise.all(Array.from({ length: 10 }, () => probe.send(TARGET)));
  for (const one of all) assert.match(summary(one), /^retry credentials 400 /);
  const { outcome, retry_after_ms: after } = await probe.send(TARGET); // nobody is asked again yet
  assert.equal(outcome, 'retry');
  assert.ok(after > 0 && after <= 5000, String(after));
  assert.equal(service.tokens.length, 1);
  assert.equal(service.requests.length, 0);
});

for (const [name, plan] of [
  ['not JSON', { body: 'no' }], ['no token', { body: { expires_in: 3600 } }],
  ['a token with a line end', { body: { access_token: 'a\r\nx: y', expires_in: 3600 } }],
  ['a token of no time', { body: { access_token: 'a', expires_in: 0 } }],
  ['trouble', { status: 503 }],
]) {
  rig(`a token endpoint that gives ${name}`, Fcm, {}, async ({ service, probe }) => {
    service.tokenPlans.push(plan);
    assert.match(summary(await probe.send(TARGET)), /^retry provider /);
  });
}

rig('a token endpoint that hangs', Fcm, { timeout_ms: 500 }, async ({ service, probe }) => {
  service.tokenPlans.push({ hang: true });
  const began = Date.now();
  assert.equal(summary(await probe.send(TARGET)), 'retry timeout 0 -1');
  assert.ok(Date.now() - began < 5000);
});

rig('what the answers mean', Fcm, {}, async ({ service, probe }) => {
  const blame = (field) => [{ '@type': 'type.googleapis.com/google.rpc.BadRequest',
    fieldViolations: [{ field, description: 'no' }] }];
  const quota = { ...fcmError(429, 'QUOTA_EXCEEDED'), headers: { 'retry-after': '60' } };
  const expected = [
    [fcmError(404, 'UNREGISTERED'), 'gone unregistered 404 -1'],
    [{ status: 404, body: 'no such page' }, 'failed rejected 404 -1'],
    [fcmError(400, 'INVALID_ARGUMENT', blame('message.token')), 'gone target 400 -1'],
    [fcmError(400, 'INVALID_ARGUMENT', blame('message.data')), 'failed rejected 400 -1'],
    [fcmError(400, 'INVALID_ARGUMENT'), 'failed rejected 400 -1'],
    [fcmError(403, 'SENDER_ID_MISMATCH'), 'failed target 403 -1'],
    [fcmError(403, 'PERMISSION_DENIED'), 'retry credentials 403 -1'],
    [fcmError(401, 'THIRD_PARTY_AUTH_ERROR'), 'retry credentials 401 -1'],
    [quota, 'retry quota 429 60000'],
    [{ status: 429 }, 'retry quota 429 -1'],
    [fcmError(503, 'UNAVAILABLE'), 'retry provider 503 -1'],
    [fcmError(500, 'INTERNAL'), 'retry provider 500 -1'],
    [{ status: 500, body: '<html>' }, 'retry provider 500 -1'],
  ];
  for (const [plan, outcome] of expected) {
    service.plans.push(plan);
    assert.equal(summary(await probe.send(TARGET)), outcome);
  }
});

rig('long texts are cut to what may be sent', Fcm, {}, async ({ service, probe }) => {
  for (const text of ['x', '😀', '"', '\u0001'].map((c) => c.repeat(50000)))
    await probe.send(TARGET, { text, title: text });
  for (const { body, message } of service.requests) {
    const length = body.length - message.token.length;
    assert.ok(length <= 4096 && length > 4096 - 8, `${length} bytes`);
    assert.ok(message.notification.body.endsWith('…'));
  }
});

rig('privacy mode, no badge, other urgencies', Fcm, {}, async ({ service, probe }) => {
  await probe.send(TARGET, { without_text: true, badge: -1, urgency: 'low', ttl_s: 0 });
  const { conversation } = NOTIFICATION;
  assert.deepEqual(service.requests[0].message, {
    token: TARGET.address,
    notification: { body: 'New message' },
    data: { type: 'message', conversation, seq: '42' },
    android: { collapse_key: KEY, priority: 'normal', ttl: '0s', notification: { tag: KEY } },
  });
});

rig('tokens in form', Fcm, {}, async ({ probe }) => {
  for (const address of ['', 'a b', 'ä', 'x\ny', 'x'.repeat(2000)])
    assert.notEqual(await probe.problem({ ...TARGET, address }), '', address);
  assert.equal(await probe.problem(TARGET), '');
});

rig('a stop while the token is fetched', Fcm, {}, async ({ service, probe }) => {
  service.tokenPlans.push({ hang: true });
  const all = Array.from({ length: 5 }, () => probe.send(TARGET));
  await service.until(() => service.tokens.length === 1, 'request for a token');
  await probe.halt();
  for (const one of await Promise.all(all)) assert.equal(summary(one), 'retry stopping 0 -1');
});

rig('no token is logged', Fcm, {}, async ({ service, probe }) => {
  service.tokenPlans.push({ body: { access_token: 'bad token' } });
  await probe.send(TARGET);
  await probe.stop();
  assert.ok(!probe.stderr.includes('ya29') && !probe.stderr.includes('bad token'));
  assert.equal(service.faults.length, 0);
});
