// SPDX-License-Identifier: MIT
// probe.mjs - runs push_probe and talks with it. Whatever the tests do, it must end in good order:
// under sanitizers a leak is an exit status.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const BINARY = `${process.env.BANTER_BUILD_DIR ?? new URL('../../build/release', import.meta.url)
  .pathname}/tests/push_probe`;

export class Probe {
  constructor(config) {
    this.waiting = new Map(); // of sends: name -> resolve
    this.queue = []; // of other orders, answered in order
    this.stderr = '';
    this.names = 0;
    // Whoever took a proxy from the environment would not get far.
    const nowhere = 'http://127.0.0.1:9';
    this.process = spawn(BINARY, {
      stdio: 'pipe',
      env: { ...process.env, https_proxy: nowhere, http_proxy: nowhere, ALL_PROXY: nowhere },
    });
    this.process.stderr.on('data', (text) => { this.stderr += text; });
    this.process.stdin.on('error', () => {});
    this.exited = new Promise((resolve) => this.process.on('close', resolve));
    createInterface(this.process.stdout).on('line', (line) => this.hear(JSON.parse(line)));
    this.ready = this.ask(config);
  }

  static async start(config) {
    const probe = new Probe(config);
    const first = await Promise.race([probe.ready, probe.exited]);
    assert.equal(typeof first, 'object', probe.stderr);
    probe.vapidPublicKey = first.vapid_public_key;
    return probe;
  }

  hear(answer) {
    if (answer.send === undefined) {
      this.queue.shift()(answer);
      return;
    }
    const resolve = this.waiting.get(answer.send);
    assert.ok(resolve, `${answer.send} has ended twice`);
    this.waiting.delete(answer.send);
    resolve(answer);
  }

  write(order) {
    this.process.stdin.write(`${JSON.stringify(order)}\n`);
  }

  ask(order) {
    return new Promise((resolve) => {
      this.queue.push(resolve);
      this.write(order);
    });
  }

  // Resolves to { outcome, reason, status, retry_after_ms }.
  send(target, notification) {
    const name = String(this.names++);
    return new Promise((resolve) => {
      this.waiting.set(name, resolve);
      this.write({ send: name, target, notification: { ...NOTIFICATION, ...notification } });
    });
  }

  async problem(target) {
    return (await this.ask({ problem: true, target })).problem;
  }

  stats(provider) {
    return this.ask({ stats: provider });
  }

  // All that was sent must have ended, once.
  async stop() {
    this.process.stdin.end();
    assert.equal(await this.exited, 0, this.stderr);
    assert.equal(this.waiting.size, 0);
  }

  // Ends it with whatever is under way.
  async halt() {
    this.write({ stop: true });
    assert.equal(await this.exited, 0, this.stderr);
    assert.equal(this.waiting.size, 0);
  }
}

export const NOTIFICATION = {
  conversation: '0190f3a1-7d3c-7bbb-8000-0123456789ab',
  seq: 42,
  title: 'Alice',
  from: 'alice',
  to: 'bob',
  text: 'hello "Bob" – grüße 👋🏽',
  badge: 3,
  ttl_s: 3600,
  urgency: 'high',
};

export function summary({ outcome, reason, status, retry_after_ms: after }) {
  return `${outcome} ${reason} ${status} ${after}`;
}
