// SPDX-License-Identifier: MIT
// The contract as MQTT.js sees it, over TCP and over WebSocket, with MQTT 3.1.1 and 5. The system
// under test is named by BANTER_HTTP, BANTER_MQTT (host:port) and BANTER_WS; pytest starts both.
import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { after, describe, test } from 'node:test';

import Ajv from 'ajv';
import mqtt from 'mqtt';
import { parse } from 'yaml';

const { BANTER_HTTP: api, BANTER_MQTT: tcp, BANTER_WS: ws } = process.env;
const DEADLINE_MS = 15_000;
const RESPONSES = '$CONTROL/chat/v1/response';

const document = new URL('../../schema/asyncapi.yaml', import.meta.url);
const asyncapi = parse(await readFile(document, 'utf8'));
const ajv = new Ajv({ strict: false, allErrors: true });
ajv.addSchema({ $id: 'asyncapi', components: asyncapi.components });
const SCHEMA_OF = [
  [/^chat\//, 'entry'], [/^me\/event$/, 'event'], [/^me\/ready$/, 'ready'],
  [/^me\/receipt$/, 'receipt'], [/^me\/sync$/, 'syncPage'],
  [/^\$CONTROL\/chat\/v1\/response$/, 'responses'],
];

async function post(path, body, token) {
  const headers = { 'Content-Type': 'application/json' };
  if (token) headers.Authorization = `Bearer ${token}`;
  const response = await fetch(api + path, { method: 'POST', headers, body: JSON.stringify(body) });
  assert.ok(response.ok, `${path}: ${response.status}`);
  return response.json();
}

async function signup(name) {
  const handle = `${name}-${randomBytes(4).toString('hex')}`;
  const answer = await post('/v1/signup', { handle, password: 'correct horse battery' });
  return { handle, token: answer.access_token };
}

const open = [];
after(async () => {
  for (const device of open) await device.client.endAsync(true);
});

/** A connected MQTT.js client that remembers everything it received. */
class Device {
  constructor(account, client) {
    this.account = account;
    this.client = client;
    this.messages = [];
    this.waiting = new Set();
    client.on('message', (topic, payload, packet) => {
      this.messages.push({ topic, payload, packet });
      for (const look of this.waiting) look();
    });
  }

  static options(account, name, protocolVersion) {
    return {
      clientId: `${account.handle}/${name}`, username: account.handle, password: account.token,
      protocolVersion, reconnectPeriod: 0, connectTimeout: DEADLINE_MS, clean: true,
    };
  }

  static async connect(url, account, name, protocolVersion, more = {}) {
    const options = Device.options(account, name, protocolVersion);
    const client = mqtt.connect(url, { ...options, ...more });
    const device = new Device(account, client);
    open.push(device);
    await new Promise((resolve, reject) => {
      client.once('connect', resolve);
      client.once('error', reject);
      client.once('close', () => reject(new Error('closed before CONNACK')));
    });
    await device.wait((m) => m.topic === 'me/ready');
    return device;
  }

  wait(predicate) {
    return new Promise((resolve, reject) => {
      const look = () => {
        const found = this.messages.find(predicate);
        if (!found) return;
        clearTimeout(timer);
        this.waiting.delete(look);
        resolve(found);
      };
      const timer = setTimeout(() => {
        this.waiting.delete(look);
        const topics = this.messages.map((m) => m.topic);
        reject(new Error(`nothing within ${DEADLINE_MS} ms; got ${topics}`));
      }, DEADLINE_MS);
      this.waiting.add(look);
      look();
    });
  }

  async say(to, text, id = randomUUID()) {
    await this.client.publishAsync(`send/${to}`, JSON.stringify({ id, text }), { qos: 1 });
    const message = await this.wait(
      (m) => m.topic === 'me/receipt' && JSON.parse(m.payload).id === id);
    return JSON.parse(message.payload);
  }

  entries(conversation) {
    return this.messages.filter((m) => m.topic === `chat/${conversation}`)
      .map((m) => JSON.parse(m.payload));
  }

  assertContract() {
    for (const { topic, payload } of this.messages) {
      const schema = SCHEMA_OF.find(([pattern]) => pattern.test(topic))?.[1];
      assert.ok(schema, `no topic of the contract: ${topic}`);
      const validate = ajv.getSchema(`asyncapi#/components/schemas/${schema}`);
      const isValid = validate(JSON.parse(payload));
      assert.ok(isValid, `${topic} ${payload}: ${ajv.errorsText(validate.errors)}`);
    }
  }
}

const CHARACTERS = 100_000;
const doors = [
  ['TCP', `mqtt://${tcp}`, 4], ['TCP', `mqtt://${tcp}`, 5],
  ['WebSocket', ws, 4], ['WebSocket', ws, 5],
];

function talkThrough(transport, url, version) {
  describe(`over ${transport}, protocol ${version}`, () => {
    test('two people talk', async () => {
      const [alice, bob] = [await signup('alice'), await signup('bob')];
      const phone = await Device.connect(url, alice, 'phone', version);
      const laptop = await Device.connect(url, alice, 'laptop', version);
      const other = await Device.connect(url, bob, 'phone', version);
      const first = await phone.say(`@${bob.handle}`, 'hello 👩‍👧');
      assert.equal(first.seq, 1);
      const topic = `chat/${first.conversation}`;
      for (const device of [laptop, other]) {
        const { payload, packet } = await device.wait((m) => m.topic === topic);
        const entry = JSON.parse(payload);
        assert.deepEqual(entry, {
          conversation: first.conversation, seq: 1, at: first.at, from: alice.handle,
          id: first.id, kind: 'text', text: 'hello 👩‍👧',
        });
        assert.equal(packet.retain, false);
      }
      const answer = await other.say(first.conversation, 'hello back');
      assert.equal(answer.seq, 2);
      await phone.wait((m) => m.topic === topic);
      assert.deepEqual(await phone.say(first.conversation, 'hello 👩‍👧', first.id), first);
      const conflict = await laptop.say(first.conversation, 'another body', first.id);
      assert.equal(conflict.error.code, 'conflict');
      const end = await phone.say(first.conversation, 'end');
      await other.wait((m) => m.topic === topic && JSON.parse(m.payload).seq === end.seq);
      assert.deepEqual(phone.entries(first.conversation).map((e) => e.seq), [2]);
      assert.deepEqual(other.entries(first.conversation).map((e) => e.seq), [1, 3]);
      for (const device of [phone, laptop, other]) device.assertContract();
    });

    test('a thousand drafts keep their order', async () => {
      const [alice, bob] = [await signup('alice'), await signup('bob')];
      const phone = await Device.connect(url, alice, 'phone', version);
      const other = await Device.connect(url, bob, 'phone', version);
      const ids = Array.from({ length: 1000 }, (_, n) => `draft-${n}`);
      const send = `send/@${bob.handle}`;
      await Promise.all(ids.map(
        (id) => phone.client.publishAsync(send, JSON.stringify({ id, text: id }), { qos: 1 })));
      const last = await phone.wait(
        (m) => m.topic === 'me/receipt' && JSON.parse(m.payload).id === ids.at(-1));
      const { conversation, seq } = JSON.parse(last.payload);
      assert.equal(seq, 1000);
      const topic = `chat/${conversation}`;
      await other.wait((m) => m.topic === topic && JSON.parse(m.payload).seq === seq);
      assert.deepEqual(other.entries(conversation).map((e) => e.id), ids);
    });

    test('100,000 characters', async () => {
      const [alice, bob] = [await signup('alice'), await signup('bob')];
      const phone = await Device.connect(url, alice, 'phone', version);
      const other = await Device.connect(url, bob, 'phone', version);
      const text = '🏳️‍🌈語ש'.repeat(CHARACTERS).slice(0, CHARACTERS);
      const receipt = await phone.say(`@${bob.handle}`, text);
      assert.equal(receipt.seq, 1, JSON.stringify(receipt));
      const message = await other.wait((m) => m.topic === `chat/${receipt.conversation}`);
      assert.equal(JSON.parse(message.payload).text, text);
    });

    test('commands and sync', async () => {
      const [alice, bob] = [await signup('alice'), await signup('bob')];
      const phone = await Device.connect(url, alice, 'phone', version);
      const command = { command: 'createGroup', title: 'Team', members: [bob.handle] };
      const request = JSON.stringify({ commands: [command] });
      const properties = version === 5
        ? { responseTopic: RESPONSES, correlationData: Buffer.from('abc') } : undefined;
      await phone.client.publishAsync('$CONTROL/chat/v1', request, { qos: 1, properties });
      const answer = await phone.wait((m) => m.topic === RESPONSES);
      const { data } = JSON.parse(answer.payload).responses[0];
      if (version === 5) assert.equal(answer.packet.properties.correlationData.toString(), 'abc');
      await phone.wait((m) => m.topic === `chat/${data.conversation}`);
      await phone.client.publishAsync('send/me/sync', '{}', { qos: 1 });
      const page = JSON.parse((await phone.wait((m) => m.topic === 'me/sync')).payload);
      assert.deepEqual(page.conversations.map((c) => c.conversation), [data.conversation]);
      phone.assertContract();
    });

    test('who is not let in, and what is not granted', async () => {
      const [alice, bob] = [await signup('alice'), await signup('bob')];
      const victim = await Device.connect(url, bob, 'phone', version);
      for (const wrong of [{ password: 'guess' }, { clientId: `${bob.handle}/phone` },
        { username: bob.handle }, { clientId: 'anything' }]) {
        await assert.rejects(Device.connect(url, alice, 'phone', version, wrong),
          (error) => [5, 0x87].includes(error.code));
      }
      assert.ok(victim.client.connected);
      const phone = await Device.connect(url, alice, 'phone', version);
      for (const filter of ['#', '+/#', 'send/#', '$SYS/#']) {
        const granted = await phone.client.subscribeAsync(filter).then(
          (list) => list.map((g) => g.qos), (error) => [error.code ?? 0x80]);
        assert.ok(granted.every((code) => code >= 0x80), `${filter}: ${granted}`);
      }
      const [chat] = await phone.client.subscribeAsync('chat/#');
      assert.ok(chat.qos <= 2);
      if (version === 5) {
        await assert.rejects(phone.client.publishAsync('foo', 'x', { qos: 1 }), { code: 0x87 });
      }
    });
  });
}

describe('MQTT.js', { concurrency: doors.length }, () => {
  for (const door of doors) talkThrough(...door);
});
