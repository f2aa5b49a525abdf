#!/usr/bin/env node
// SPDX-License-Identifier: MIT
// The devices of a few users with MQTT.js over WebSocket: stock_mqttjs.mjs CAST.json NAME LOG.
// Cast, orders, status lines and log are those of the driver in C (driver/README.md). There is a
// new client object for each connection: one that is used again sends what it had in flight before
// we can send what is older, and that would change the order of the drafts.
import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const mqtt = createRequire(new URL('../node/package.json', import.meta.url))('mqtt');

const OPEN_MAX = 32;
const TURN_MS = 20;
const KEEP_ALIVE_S = 20;
const CONNECT_MS = 5000;
const READY_MS = 30_000;
const SILENCE_MS = [5000, 20_000];
const PATIENCE_MS = 1000;
const SYNC_ANSWER_MS = 15_000;
const SYNC_LIMIT = 500;
const BACKOFF_MS = [100, 2000];
const PASSING = ['unavailable', 'rate_limited', 'internal'];
const PIECES = ['and then ', 'nobody was there ', 'a line\nand another ', '"quoted" ',
  'back\\slash ', '\tindented ', '{"seq":1} ', "'; drop -- ", 'naïve café ', '東京都 ',
  'שלום ', '👩‍👧 '];

const now = () => performance.now();
const monotonic = () => Number(process.hrtime.bigint() / 1000n);

/** Real time in microseconds: Date knows only milliseconds, but it follows when the clock jumps. */
class RealTime {
  ahead = 0; // of the monotonic one

  now() {
    const off = Date.now() * 1000 - (monotonic() + this.ahead);
    if (off > 1000 || off < -2000) this.set();
    return monotonic() + this.ahead;
  }

  /** Waits for the next millisecond to begin. */
  set() {
    const before = Date.now();
    let after = before;
    while (after === before) after = Date.now();
    this.ahead = after * 1000 - monotonic();
  }
}

/** FNV-1a, 64 bits, in two halves. */
function fnv(text) {
  let high = 0xcbf29ce4;
  let low = 0x84222325;
  for (const byte of Buffer.from(text)) {
    low = (low ^ byte) >>> 0;
    const product = low * 0x1b3;
    high = (Math.imul(high, 0x1b3) + Math.floor(product / 2 ** 32) + (low << 8)) >>> 0;
    low = product >>> 0;
  }
  return high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0');
}

/** Drafts without a receipt; driver/outbox.c says why rounds begin with the oldest. */
class Outbox {
  drafts = new Map(); // n -> { payload, first }
  flying = new Set();
  next = 1;
  cursor = 1;
  owed = null; // the server waits for it, whether it is open or not
  retry = null; // when the next round may begin
  refusals = 0;
  heard = 0;
  silence = SILENCE_MS[0];

  restart() {
    this.flying.clear();
    this.cursor = this.drafts.size > 0 ? this.drafts.keys().next().value : this.next;
    this.retry = null;
  }

  take(time) {
    if (this.retry !== null) {
      const isPatient = this.flying.size > 0 && time < this.retry + PATIENCE_MS;
      if (time < this.retry || isPatient) return null;
      this.restart();
    }
    if (this.owed && !this.drafts.has(this.owed.n)) {
      const { n, payload } = this.owed;
      this.owed = null;
      return { n, payload, again: true };
    }
    while (this.cursor < this.next && !this.drafts.has(this.cursor)) this.cursor++;
    if (this.cursor >= this.next) return null;
    const n = this.cursor++;
    if (this.owed?.n === n) this.owed = null;
    const draft = this.drafts.get(n);
    const again = draft.first !== null;
    draft.first ??= time;
    if (this.flying.size === 0) this.heard = time;
    this.flying.add(n);
    return { n, payload: draft.payload, again };
  }

  answered(n, time) {
    this.flying.delete(n);
    this.heard = time;
    [this.silence] = SILENCE_MS;
  }

  /** The draft, if it was open. */
  close(n, time) {
    const draft = this.drafts.get(n);
    if (!draft) return null;
    this.answered(n, time);
    this.refusals = 0;
    this.drafts.delete(n);
    return draft;
  }

  /** `payload`: of a draft that the server waits for from now on. */
  refuse(n, payload, time, wait) {
    if (this.drafts.has(n)) this.answered(n, time);
    else if (!payload) return;
    if (payload) this.owed = { n, payload };
    if (this.retry !== null) return;
    this.retry = time + Math.max(wait, 100 * 2 ** this.refusals * (1 + Math.random()));
    this.refusals = Math.min(this.refusals + 1, 4);
  }

  checkSilence(time) {
    if (this.flying.size === 0 || this.retry !== null || time < this.heard + this.silence) return;
    this.silence = Math.min(2 * this.silence, SILENCE_MS[1]);
    this.restart();
  }
}

/** A device's place in one conversation: what it has of it, and what it wrote. */
class Seat {
  isMember = true;
  position = 0;
  beyond = new Set();
  head = 0;
  live = 0;
  outbox = new Outbox();
  late = new Map(); // n -> payload of the last ones with their receipt

  constructor(id, posts) {
    this.id = id;
    this.posts = posts;
  }

  has(seq) { return seq <= this.position || this.beyond.has(seq); }

  mark(seq) {
    const isNew = !this.has(seq);
    this.head = Math.max(this.head, seq);
    if (isNew) this.beyond.add(seq);
    while (this.beyond.delete(this.position + 1)) this.position++;
    return isNew;
  }

  holeBefore(seq) {
    while (!this.has(seq - 1)) seq--;
    return seq;
  }

  remember(n, payload) {
    this.late.set(n, payload);
    if (this.late.size > OPEN_MAX) this.late.delete(this.late.keys().next().value);
  }
}

const freshSyncing = () => ({
  due: null, must: false, asked: null, cursors: {}, refusals: 0, pages: 0, isTorn: false,
  isLast: false, isWhole: true, hasProgressed: false,
});

class Device {
  seats = new Map();
  client = null;
  failures = 0;
  finished = false;
  dialAt = 0;

  constructor(run, user, device, index) {
    this.run = run;
    this.handle = user.handle;
    this.token = user.token;
    this.short = device.name;
    this.name = `${user.handle}/${device.name}`;
    this.role = device.role;
    this.version = index % 2 === 1 ? 5 : 4;
    this.place = index;
    for (const { id, members, posters } of run.cast.conversations) {
      if (!members.includes(user.handle)) continue;
      this.seats.set(id, new Seat(id, posters.includes(user.handle) && device.role !== 'mute'));
    }
    this.forget();
  }

  /** What does not outlive a connection. */
  forget() {
    this.connected = this.ready = false;
    this.leaveAt = Infinity;
    this.syncing = freshSyncing();
    for (const seat of this.seats.values()) seat.live = 0;
  }

  log(...fields) { this.run.put(this.name, fields); }

  seat(id) {
    if (!this.seats.has(id)) this.seats.set(id, new Seat(id, false));
    return this.seats.get(id);
  }

  idOf(n) { return `${this.short}-${this.run.nonce}-${n}`; }

  // ---- the connection

  dial() {
    const { ws } = this.run.cast;
    const client = mqtt.connect(ws[this.place % ws.length], {
      clientId: this.name, username: this.handle, password: this.token, clean: true,
      protocolVersion: this.version, keepalive: KEEP_ALIVE_S, reconnectPeriod: 0,
      connectTimeout: CONNECT_MS, resubscribe: false, queueQoSZero: false,
    });
    this.client = client;
    this.deadline = now() + CONNECT_MS;
    const unlessGone = (react) => (...values) => { if (this.client === client) react(...values); };
    client.on('connect', unlessGone(() => this.onConnect()));
    client.on('message', unlessGone((topic, payload) => this.onMessage(topic, payload)));
    client.on('disconnect', unlessGone((packet) => this.part(`DISCONNECT ${packet.reasonCode}`)));
    client.on('close', unlessGone(() => this.part('closed')));
    client.on('error', (error) => { if (this.client === client) this.part(error.message); });
  }

  part(why) {
    const { client } = this;
    if (!client) return;
    this.client = null;
    client.stream?.destroy();
    client.end(true);
    this.log('X', why);
    if (this.connected) this.run.tally.reconnects++;
    if (!this.ready) this.place++;
    this.forget();
    const [least, most] = BACKOFF_MS;
    this.dialAt = now() + least + Math.random() * Math.min(most, least * 2 ** this.failures);
    this.failures = Math.min(this.failures + 1, 5);
  }

  onConnect() {
    this.connected = true;
    this.deadline = now() + READY_MS;
    this.log('C');
    for (const { outbox } of this.seats.values()) {
      outbox.restart();
      outbox.owed = null;
    }
    this.client.subscribe(['chat/#', 'me/#'], () => {});
  }

  onMessage(topic, payload) {
    try {
      this.hear(topic, JSON.parse(payload));
    } catch (error) {
      this.log('E', String(error), topic, String(payload).slice(0, 300));
      this.run.tally.violations++;
      this.part('violation');
    }
  }

  hear(topic, body) {
    if (topic.startsWith('chat/')) {
      if (topic.split('/').length === 2) this.onEntry(topic, body);
    } else if (topic === 'me/receipt') {
      this.onReceipt(body);
    } else if (topic === 'me/sync') {
      this.onPage(body);
    } else if (topic === 'me/ready') {
      this.ready = true;
      this.failures = 0;
      this.log('R');
      this.wish(now(), true);
    } else if (topic === 'me/event') {
      this.onEvent(body);
    } else if (topic === 'me/heads') {
      for (const [id, head] of Object.entries(body)) {
        this.seat(id).head = Math.max(this.seat(id).head, head);
      }
      this.wish(now());
    }
  }

  turn(time) {
    if (!this.client) {
      if (time >= this.dialAt) this.dial();
    } else if (time > this.leaveAt) {
      this.part('left, as the server is going away');
    } else if (!this.ready && time > this.deadline) {
      this.part(this.connected ? 'no me/ready' : 'no answer to CONNECT');
    } else {
      if (this.connected) this.publishAll(time);
      if (this.ready) this.syncTurn(time);
    }
  }

  // ---- drafts

  openDraft(seat) {
    if (seat.outbox.drafts.size >= OPEN_MAX || !seat.isMember) return false;
    const n = seat.outbox.next++;
    const roll = Math.floor(this.run.random() * 20000);
    const length = roll === 1 ? 100000 : roll % 500 === 2 ? 10000 : 50 + roll % 250;
    let text = `${this.name} ${n} `;
    while (text.length < length) {
      const piece = PIECES[Math.floor(this.run.random() * PIECES.length)];
      text += text.length + piece.length <= length ? piece : '.';
    }
    const payload = JSON.stringify({ id: this.idOf(n), text });
    seat.outbox.drafts.set(n, { payload, first: null });
    return true;
  }

  publish(seat, n, payload, again) {
    if (again) this.log('T', seat.id, this.idOf(n));
    else this.log('S', seat.id, this.idOf(n), n);
    this.run.tally[again ? 'resent' : 'sent']++;
    this.client.publish(`send/${seat.id}`, payload, { qos: 1 }, () => {});
  }

  publishAll(time) {
    for (const seat of this.seats.values()) {
      if (!seat.posts) continue;
      seat.outbox.checkSilence(time);
      for (let draft; this.client && (draft = seat.outbox.take(time));) {
        this.publish(seat, draft.n, draft.payload, draft.again);
        const copies = this.role === 'resend' ? Math.floor(this.run.random() * 3) : 0;
        for (let i = 0; i < copies; i++) this.publish(seat, draft.n, draft.payload, true);
      }
    }
  }

  onReceipt(body) {
    const time = now();
    const seat = this.seats.get(body.conversation);
    const n = Number(body.id.slice(body.id.lastIndexOf('-') + 1));
    if (!seat || body.id !== this.idOf(n)) throw new Error('a receipt for no draft of this device');
    if (body.error) {
      this.onRefusal(seat, n, body, time);
      return;
    }
    this.log('A', seat.id, body.id, body.seq, body.at);
    const draft = seat.outbox.close(n, time);
    seat.mark(body.seq);
    if (!draft) return;
    this.run.tally.receipted++;
    this.run.worst = Math.max(this.run.worst, time - draft.first);
    seat.remember(n, draft.payload);
    if (this.role === 'resend' && this.run.random() < 0.2 && seat.outbox.retry === null) {
      const late = [...seat.late];
      const [old, payload] = late[Math.floor(this.run.random() * late.length)];
      this.publish(seat, old, payload, true);
    }
  }

  onRefusal(seat, n, body, time) {
    const { code, retry_after_ms: wait = 0 } = body.error;
    this.log('N', seat.id, body.id, code);
    this.run.tally.refused++;
    const isFirst = PASSING.includes(code);
    if (isFirst || code === 'out_of_order') {
      const payload = seat.outbox.drafts.get(n)?.payload ?? seat.late.get(n);
      seat.outbox.refuse(n, isFirst ? payload : undefined, time, wait);
    } else {
      seat.outbox.close(n, time);
    }
  }

  // ---- what comes in

  entry(entry, letter) {
    const seat = this.seat(entry.conversation);
    const { seq, from = '-', kind, id, text } = entry;
    if (!Number.isSafeInteger(seq) || seq < 1 || !kind) throw new Error('not an entry');
    if (kind === 'text' && text !== undefined) {
      const n = /^[^ /]+\/[^ ]+ (\d+) /.exec(text)?.[1] ?? '-';
      this.log(letter, seat.id, seq, from, n, id, fnv(text));
    } else {
      this.log(letter, seat.id, seq, from, '-', '-', kind);
    }
    this.run.tally[letter === 'D' ? 'delivered' : 'replayed']++;
    return seat.mark(seq);
  }

  onEntry(topic, entry) {
    if (topic !== `chat/${entry.conversation}`) throw new Error('an entry of another conversation');
    const seat = this.seat(entry.conversation);
    const hole = Math.max(seat.holeBefore(entry.seq), seat.live + 1);
    this.entry(entry, 'D');
    if (hole < entry.seq && seat.live > 0) {
      this.log('G', seat.id, hole, entry.seq - 1);
      this.run.tally.gaps++;
      this.wish(now(), true);
    } else if (hole < entry.seq) {
      this.wish(now() + 1000);
    }
    seat.live = Math.max(seat.live, entry.seq);
  }

  onEvent({ event, reason, conversation, within_ms: within }) {
    if (reason === 'going_away') {
      this.leaveAt = now() + Math.random() * within / 2;
    } else if (event === 'removed') {
      this.seat(conversation).isMember = false;
    } else if (event === 'added') {
      this.seat(conversation).isMember = true;
      this.wish(now(), true);
    }
  }

  // ---- syncs

  wish(due, must = false) {
    this.syncing.due = Math.min(this.syncing.due ?? due, due);
    this.syncing.must ||= must;
  }

  wishAgain(time) {
    const { syncing } = this;
    syncing.asked = null;
    syncing.must = true;
    syncing.due = time + 100 * 2 ** syncing.refusals * (1 + Math.random());
    syncing.refusals = Math.min(syncing.refusals + 1, 4);
  }

  isBehind() {
    return [...this.seats.values()].some((seat) => seat.isMember && seat.head > seat.position);
  }

  syncTurn(time) {
    const { syncing } = this;
    if (this.run.isFinishing && !syncing.isLast && syncing.asked === null) this.wish(time, true);
    if (syncing.asked !== null) {
      // driver/syncing.c says why
      if (time > syncing.asked + SYNC_ANSWER_MS) this.part('no answer to a sync');
    } else if (syncing.due !== null && time >= syncing.due) {
      if (syncing.must || this.isBehind()) this.ask(time);
      else syncing.due = null;
    }
  }

  ask(time) {
    const { refusals } = this.syncing;
    this.syncing = { ...freshSyncing(), asked: time, refusals, isLast: this.run.isFinishing };
    const members = [...this.seats.values()].filter((seat) => seat.isMember);
    const cursors = Object.fromEntries(members.map((seat) => [seat.id, seat.position]));
    this.syncing.cursors = cursors;
    this.run.tally.syncs++;
    this.client.publish('send/me/sync', JSON.stringify({ cursors, limit: SYNC_LIMIT }),
      { qos: 1 }, () => {});
  }

  onPage(page) {
    const time = now();
    const { syncing } = this;
    if (page.error) {
      this.wishAgain(time);
      return;
    }
    for (const conversation of page.conversations) {
      // Without a cursor these are the newest, with a hole before them.
      const wasAskedAfter = conversation.conversation in syncing.cursors;
      for (const entry of wasAskedAfter ? conversation.entries : []) {
        if (this.entry(entry, 'Y')) syncing.hasProgressed = true;
      }
      if (!this.judge(conversation)) syncing.isWhole = false;
      delete syncing.cursors[conversation.conversation];
    }
    if (syncing.asked === null) return;
    syncing.asked = page.more ? time : null;
    if (page.page !== ++syncing.pages) syncing.isTorn = true; // one of them was lost
    if (page.more) return;
    if (syncing.isTorn) {
      this.wishAgain(time);
      return;
    }
    for (const gone of Object.keys(syncing.cursors)) this.seat(gone).isMember = false;
    if (syncing.isWhole) {
      syncing.refusals = 0;
      this.finished ||= syncing.isLast && !this.isBehind();
      syncing.isLast = this.finished;
    } else if (syncing.hasProgressed) {
      this.wish(time, true);
    } else {
      this.wishAgain(time);
    }
  }

  judge({ conversation, last_seq: last }) {
    const seat = this.seat(conversation);
    seat.isMember = true;
    seat.head = Math.max(seat.head, last);
    if (seat.position < last) return false;
    this.log('Z', seat.id, seat.position);
    return true;
  }
}

/** All devices, and what they share. */
class Run {
  tally = Object.fromEntries(['sent', 'receipted', 'delivered', 'resent', 'refused', 'replayed',
    'gaps', 'syncs', 'reconnects', 'held_back', 'violations'].map((name) => [name, 0]));

  worst = 0;
  lines = [];
  isStopped = false;
  isFinishing = false;
  isOver = false;
  realTime = new RealTime();
  nonce = randomBytes(4).toString('hex');

  constructor(path, name, log) {
    this.cast = JSON.parse(readFileSync(path));
    this.file = openSync(log, 'a');
    this.rate = this.cast.rate;
    this.state = this.cast.seed >>> 0;
    const users = this.cast.users.filter((user) => user.driver === name);
    this.devices = users.flatMap((user) => user.devices.map((device) => [user, device]))
      .map(([user, device], index) => new Device(this, user, device, index));
    this.posts = this.devices.flatMap((device) => [...device.seats.values()]
      .filter((seat) => seat.posts).map((seat) => ({ device, seat })));
  }

  /** Mulberry32. */
  random() {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  put(device, fields) {
    const cells = fields.map((field) => String(field).replace(/[\t\r\n]/g, ' '));
    this.lines.push([this.realTime.now(), monotonic(), device, ...cells].join('\t'));
  }

  flush() {
    if (this.lines.length > 0) writeSync(this.file, `${this.lines.join('\n')}\n`);
    this.lines = [];
  }

  obey(line) {
    const [word, argument] = line.trim().split(' ');
    if (word === 'rate') this.rate = Number(argument);
    else if (word === 'storm') for (const device of this.devices) device.part('storm');
    else if (word === 'stop') this.isStopped = true;
    else if (word === 'finish') this.isStopped = this.isFinishing = true;
    else if (word) console.error(`no such order: ${line}`);
  }

  openDrafts(count) {
    if (this.isStopped || this.posts.length === 0) return;
    for (let i = 0; i < count; i++) {
      const { device, seat } = this.posts[Math.floor(this.random() * this.posts.length)];
      if (!device.openDraft(seat)) this.tally.held_back++;
    }
  }

  tell() {
    const count = (predicate) => this.devices.filter(predicate).length;
    console.log(JSON.stringify({
      ...this.tally,
      open: this.posts.reduce((sum, { seat }) => sum + seat.outbox.drafts.size, 0),
      devices: this.devices.length, connected: count((device) => device.connected),
      finished: count((device) => device.finished), max_receipt_ms: Math.round(this.worst),
    }));
    this.worst = 0;
  }

  async play() {
    let [owed, last, told] = [0, now(), now()];
    createInterface({ input: process.stdin }).on('line', (line) => this.obey(line))
      .on('close', () => { this.isOver = !this.isFinishing; });
    const isDone = () => this.isFinishing && this.devices.every((device) => device.finished);
    while (!this.isOver && !isDone()) {
      await new Promise((resolve) => { setTimeout(resolve, TURN_MS); });
      const time = now();
      owed = Math.min(owed + (time - last) / 1000 * this.rate, this.rate / 4 + 1);
      last = time;
      this.openDrafts(Math.floor(owed));
      owed -= Math.floor(owed);
      for (const device of this.devices) device.turn(time);
      this.flush();
      if (time > told + 1000) {
        this.tell();
        told = time;
      }
    }
    this.tell();
    this.flush();
    closeSync(this.file);
    return isDone();
  }
}

if (process.argv.length !== 5) {
  console.error('usage: stock_mqttjs.mjs CAST.json NAME LOG');
  process.exit(2);
}
process.exit(await new Run(...process.argv.slice(2)).play() ? 0 : 1);
