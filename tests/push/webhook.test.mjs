// SPDX-License-Identifier: MIT
// webhook.test.mjs - webhooks, and what all senders share: the HTTP client and its guards.
import assert from 'node:assert/strict';
import { lookup } from 'node:dns/promises';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { hostname } from 'node:os';
import { NOTIFICATION, Probe, summary } from './probe.mjs';
import { Line } from './provider.mjs';
import { Receiver } from './services.mjs';
import { rig } from './rig.mjs';

rig('a webhook arrives, signed, over HTTP/2', Receiver, {}, async ({ service, probe }) => {
  assert.equal(summary(await probe.send(service.target())), 'sent none 204 -1');
  const { title, from, text, badge, seq, conversation, to } = NOTIFICATION;
  assert.deepEqual(service.requests[0].payload,
    { type: 'message', conversation, seq, badge, from, title, text, to });
  assert.match(service.requests[0].headers['user-agent'], /^banter\//);
});

rig('the same notification has the same id, another one not', Receiver, {},
  async ({ service, probe }) => {
    await probe.send(service.target());
    await probe.send(service.target());
    await probe.send(service.target(), { seq: 43 });
    await probe.send(service.target(), { to: 'carol' });
    await probe.send(service.target('/other'));
    assert.equal(service.ids[0], service.ids[1]);
    assert.equal(new Set(service.ids).size, 4);
  });

rig('privacy mode sends no text', Receiver, {}, async ({ service, probe }) => {
  await probe.send(service.target(), { without_text: true });
  assert.deepEqual(Object.keys(service.requests[0].payload).sort(),
    ['badge', 'conversation', 'seq', 'to', 'type']);
});

rig('a long text is cut between characters', Receiver, {}, async ({ service, probe }) => {
  await probe.send(service.target(), { text: '👋🏽"\n'.repeat(20000) });
  const { body, payload } = service.requests[0];
  assert.ok(body.length <= 16384 && body.length > 16384 - 16, `${body.length} bytes`);
  assert.match(payload.text, /^(👋🏽"\n)+(👋🏽?)?"?…$/u);
});

rig('what the answers mean', Receiver, {}, async ({ service, probe }) => {
  const expected = [
    [{ status: 200 }, 'sent none 200 -1'],
    [{ status: 410 }, 'gone unregistered 410 -1'],
    [{ status: 404 }, 'failed rejected 404 -1'],
    [{ status: 400 }, 'failed rejected 400 -1'],
    [{ status: 413 }, 'failed too_large 413 -1'],
    [{ status: 401 }, 'retry credentials 401 -1'],
    [{ status: 429, headers: { 'retry-after': '7' } }, 'retry quota 429 7000'],
    [{ status: 503, headers: { 'retry-after': 'soon' } }, 'retry provider 503 -1'],
    [{ status: 503, headers: { 'retry-after': '99999999' } }, 'retry provider 503 86400000'],
    [{ status: 500 }, 'retry provider 500 -1'],
    [{ status: 408 }, 'retry provider 408 -1'],
  ];
  for (const [plan, outcome] of expected) {
    service.plans.push(plan);
    assert.equal(summary(await probe.send(service.target())), outcome);
  }
  service.plans.push({ status: 503,
    headers: { 'retry-after': new Date(Date.now() + 30000).toUTCString() } });
  const { retry_after_ms: after } = await probe.send(service.target());
  assert.ok(after > 25000 && after <= 30000, String(after));
  const stats = await probe.stats('webhook');
  assert.equal(stats.sent, 1);
  assert.equal(stats.gone, 1);
  assert.equal(stats.failed, 3);
  assert.equal(stats.retried, 7);
  assert.equal(stats.answered, 12);
  assert.deepEqual(stats.reasons, { none: 1, unregistered: 1, rejected: 2, too_large: 1,
    credentials: 1, quota: 1, provider: 5 });
});

rig('no redirect is followed', Receiver, {}, async ({ service, probe }) => {
  for (const status of [301, 302, 303, 307, 308]) {
    service.plans.push({ status, headers: { location: `${service.url}/elsewhere` } });
    assert.equal(summary(await probe.send(service.target())), `failed rejected ${status} -1`);
  }
  assert.equal(service.requests.length, 5);
});

rig('many at once share one connection', Receiver, { in_flight_max: 200 },
  async ({ service, probe }) => {
    service.plan = { status: 200, delay: 100 };
    await probe.send(service.target());
    const began = Date.now();
    const all = await Promise.all(Array.from({ length: 200 }, (_, seq) =>
      probe.send(service.target(), { seq })));
    assert.ok(all.every((one) => one.outcome === 'sent'));
    assert.ok(service.sessionCount <= 4, `${service.sessionCount} connections`);
    assert.ok(Date.now() - began < 5000);
  });

rig('what is under way is bounded', Receiver, { in_flight_max: 10, timeout_ms: 2000 },
  async ({ service, probe }) => {
    service.plan = { hang: true };
    const all = await Promise.all(Array.from({ length: 15 }, () => probe.send(service.target())));
    assert.deepEqual(all.map((one) => one.outcome),
      [...Array(10).fill('retry'), ...Array(5).fill('busy')]);
    assert.ok(all.slice(0, 10).every((one) => one.reason === 'timeout'));
    service.plan = {};
    assert.equal((await probe.send(service.target())).outcome, 'sent');
    const stats = await probe.stats('webhook');
    assert.equal(stats.busy, 5);
    assert.equal(stats.in_flight, 0);
  });

rig('slow answers, cut connections, floods', Receiver, { timeout_ms: 1500 },
  async ({ service, probe }) => {
    service.plans.push({ hang: true });
    const began = Date.now();
    assert.equal(summary(await probe.send(service.target())), 'retry timeout 0 -1');
    assert.ok(Date.now() - began < 5000);
    service.plans.push({ cut: true }, { cut: true }); // it tries twice
    assert.equal(summary(await probe.send(service.target())), 'retry connection 0 -1');
    service.plans.push({ cut: true });
    assert.equal((await probe.send(service.target())).outcome, 'retry'); // first on a connection
    assert.equal((await probe.send(service.target())).outcome, 'sent');
    service.plans.push({ cut: true });
    assert.equal((await probe.send(service.target())).outcome, 'sent');
    service.plans.push({ status: 500, flood: true });
    assert.equal(summary(await probe.send(service.target())), 'retry provider 500 -1');
    service.plans.push({ status: 200, drip: true }); // it has said yes
    assert.equal(summary(await probe.send(service.target())), 'sent none 200 -1');
    service.plans.push({ status: 404, drip: true });
    assert.equal(summary(await probe.send(service.target())), 'retry timeout 0 -1');
    assert.equal((await probe.send(service.target())).outcome, 'sent');
  });

rig('a service that says GOAWAY loses nothing', Receiver, {}, async ({ service, probe }) => {
  for (let round = 0; round < 10; round++) {
    service.plans.push({ status: 200, goaway: true, delay: 20 });
    const all = await Promise.all(Array.from({ length: 20 }, (_, i) =>
      probe.send(service.target(), { seq: round * 20 + i })));
    assert.deepEqual([...new Set(all.map((one) => one.outcome))], ['sent']);
  }
  assert.equal(service.requests.length, 200);
  assert.ok(service.sessionCount > 1);
});

// Node's own patience with resets, which libcurl 7.88 sends with every request, ends after 1,000.
rig('a service that hangs up now and then loses nothing', Receiver, {}, async (it) => {
  const { service, probe } = it;
  const outcomes = new Set();
  let seq = 0;
  await Promise.all(Array.from({ length: 100 }, async () => {
    while (seq < 3000) outcomes.add((await probe.send(service.target(), { seq: seq++ })).outcome);
  }));
  assert.deepEqual([...outcomes], ['sent']);
  assert.equal(new Set(service.ids).size, seq);
});

// A server of HTTP/1.1 without TLS, which `allow_private` allows; `answer` writes what it likes.
async function plainServer(answer) {
  const sockets = new Set();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('data', () => answer(socket));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

rig('old servers, and nonsense', Receiver, { timeout_ms: 3000 }, async ({ service, probe }) => {
  const head = 'HTTP/1.1 200 OK\r\n';
  const endless = (socket) => {
    const line = `x-${'y'.repeat(8000)}: z\r\n`;
    if (!socket.destroyed) socket.write(line, () => setImmediate(endless, socket));
  };
  const expected = [
    [(socket) => socket.end(`${head}content-length: 0\r\n\r\n`), 'sent none 200 -1'],
    [(socket) => socket.end(`${head}content-length: 9\r\n\r\nx`), 'sent none 200 -1'],
    [(socket) => socket.end('HTTP/1.1 503 No\r\nretry-after: 3\r\ncontent-length: 0\r\n\r\n'),
      'retry provider 503 3000'],
    [(socket) => socket.end('HTTP/1.1 100 Continue\r\n\r\n'), /^retry connection 0/],
    [(socket) => socket.end('220 smtp.example ESMTP\r\n'), /^retry connection 0/],
    [(socket) => socket.end('\x15\x03\x01\x00\x02\x02\x46'), /^retry connection 0/],
    [(socket) => socket.end(), /^retry connection 0/],
    [(socket) => socket.destroy(), /^retry connection 0/],
    [(socket) => { socket.write('HTTP/1.1 500 No\r\n'); endless(socket); }, /^retry /],
  ];
  for (const [answer, outcome] of expected) {
    const server = await plainServer(answer);
    const result = summary(await probe.send({ ...service.target(), address: server.url }));
    await server.stop();
    assert.match(result, typeof outcome === 'string' ? new RegExp(`^${outcome}$`) : outcome);
  }
  const status = readFileSync(`/proc/${probe.process.pid}/status`, 'utf8');
  const megabytes = Number(/VmHWM:\s+(\d+)/.exec(status)[1]) / 1024;
  assert.ok(megabytes < 300, `${megabytes} MB`);
});

rig('a connection gone deaf is given up', Receiver, { timeout_ms: 1500 },
  async ({ service, probe }) => {
    const line = await new Line(service.port).start();
    try {
      const target = { ...service.target(), address: `https://localhost:${line.port}/hook` };
      assert.equal((await probe.send(target)).outcome, 'sent');
      line.deafen();
      for (let i = 0; i < 3; i++)
        assert.equal(summary(await probe.send(target)), 'retry timeout 0 -1');
      const all = await Promise.all(Array.from({ length: 20 }, () => probe.send(target)));
      assert.deepEqual([...new Set(all.map((one) => one.outcome))], ['sent']);
      await probe.stop();
    } finally {
      await line.stop();
    }
  });

rig('a stop ends what is under way, once', Receiver, {}, async ({ service, probe }) => {
  service.plan = { hang: true };
  const all = Array.from({ length: 20 }, () => probe.send(service.target()));
  await service.until(() => service.requests.length === 20, 'requests');
  await probe.halt();
  for (const one of await Promise.all(all))
    assert.equal(summary(one), 'retry stopping 0 -1');
});

rig('an unknown authority is refused', Receiver, { ca_file: undefined },
  async ({ service, probe }) => {
    assert.equal(summary(await probe.send(service.target())), 'retry connection 0 -1');
    assert.equal(service.requests.length, 0);
  });

rig('so is a certificate for another name', Receiver, {}, async ({ service, probe }) => {
  const target = { ...service.target(), address: `https://127.0.0.2:${service.port}/` };
  assert.equal(summary(await probe.send(target)), 'retry connection 0 -1');
});

const FORBIDDEN = (port) => [
  `https://127.0.0.1:${port}/`, `https://localhost:${port}/`, 'https://a.localhost/',
  `https://2130706433:${port}/`, `https://0x7f000001:${port}/`, `https://0177.0.0.1:${port}/`,
  `https://127.1:${port}/`, `https://127.0.0.1.:${port}/`, `https://127.:${port}/`,
  `https://0:${port}/`, `https://[::1]:${port}/`,
  `https://[::ffff:127.0.0.1]:${port}/`, `https://[::ffff:7f00:1]:${port}/`,
  `https://[0:0:0:0:0:ffff:10.0.0.1]/`, 'https://[::]/', 'https://[fe80::1]/', 'https://[fd00::1]/',
  'https://[64:ff9b::7f00:1]/', 'https://[2002:7f00:1::]/', 'https://[ff02::1]/',
  'https://169.254.169.254/latest/meta-data/', 'https://10.0.0.1/', 'https://172.16.0.1/',
  'https://192.168.1.1/', 'https://100.64.0.1/', 'https://224.0.0.1/', 'https://255.255.255.255/',
  'https://user:password@example.com/', 'http://example.com/', 'ftp://example.com/',
  'file:///etc/passwd', 'gopher://example.com/', 'https://', 'example.com',
  'https://example.com/\r\nx: y', 'https://exa mple.com/', 'https://example.com/#x', '',
  `https://${'a'.repeat(300)}.com/`, `https://example.com/${'a'.repeat(5000)}`,
];

rig('addresses that may not be asked', Receiver, { allow_private: false },
  async ({ service, probe }) => {
    for (const address of FORBIDDEN(service.port)) {
      const target = { ...service.target(), address };
      assert.notEqual(await probe.problem(target), '', address);
      assert.equal(summary(await probe.send(target)), 'failed target 0 -1', address);
    }
    // A name that looks like any other, and leads home.
    const target = { ...service.target(), address: `https://${hostname()}:${service.port}/` };
    const { outcome, reason } = await probe.send(target);
    const resolves = await lookup(hostname()).catch(() => false);
    assert.equal(`${outcome} ${reason}`, resolves ? 'failed forbidden' : 'retry connection');
    assert.equal(service.sessionCount, 0);
    target.address = 'https://example.com/x';
    assert.equal(await probe.problem(target), '');
  });

rig('secrets must be of some length', Receiver, {}, async ({ service, probe }) => {
  assert.notEqual(await probe.problem({ ...service.target(), secret: 'short' }), '');
  assert.equal(await probe.problem(service.target()), '');
});

rig('what is not set up is not available', Receiver, {}, async ({ probe }) => {
  for (const provider of ['fcm', 'apns', 'web']) {
    const target = { provider, address: 'a0' };
    assert.equal((await probe.send(target)).outcome, 'unavailable');
    assert.notEqual(await probe.problem(target), '');
  }
  assert.equal(probe.vapidPublicKey, '');
});

rig('nothing secret is logged', Receiver, {}, async ({ service, probe }) => {
  service.plans.push({ cut: true }, { status: 500 }, { status: 401 });
  for (let i = 0; i < 4; i++) await probe.send(service.target());
  await probe.stop();
  assert.ok(!probe.stderr.includes(service.secret) && !probe.stderr.includes('hello'));
});

rig('a configuration that cannot work is refused', Receiver, {}, async ({ config, world }) => {
  const broken = [
    { vapid_key: world.path('nowhere'), vapid_subject: 'mailto:a@b.example' },
    { vapid_key: world.path('ca.key') },
    { vapid_key: world.path('ca.pem'), vapid_subject: 'mailto:a@b.example' },
    { apns_key: world.path('ca.key') },
    { fcm_account: world.path('ca.key') },
  ];
  for (const one of broken) {
    const probe = new Probe({ ...config, ...one });
    assert.equal(await probe.exited, 1);
    assert.match(probe.stderr, /level=error/);
  }
});
