// SPDX-License-Identifier: MIT
// A running Banter of the tests' own: `./banter up -d` on free ports and its own data, with the web
// client as it was built. Rule: whoever starts one stops it.
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const REPOSITORY = fileURLToPath(new URL('../../..', import.meta.url));
const PORTS = 4;
// Far below what outgoing connections use, and apart from what other suites take.
const FIRST_PORT = 12_000;
const LAST_PORT = 19_000;
const CHEAP = { BANTER_ARGON2_MEMORY_KIB: '1024', BANTER_ARGON2_PASSES: '1' };
const START_MS = 180_000;

function isFree(port) {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

async function freePorts() {
  for (let tries = 0; tries < 200; tries++) {
    const choices = (LAST_PORT - FIRST_PORT) / PORTS;
    const base = FIRST_PORT + PORTS * Math.floor(Math.random() * choices);
    const all = await Promise.all([...Array(PORTS).keys()].map((i) => isFree(base + i)));
    if (all.every(Boolean)) return base;
  }
  throw new Error('no free ports');
}

export class System {
  /** Starts one; `settings` are the bridge's, such as { BANTER_PRESENCE_GRACE_MS: 300 }, or what
   * makes them of the port of HTTP. */
  static async start(settings = {}) {
    const system = new System();
    system.data = await mkdtemp(join(tmpdir(), 'banter-test-'));
    system.base = String(await freePorts());
    system.environment = {
      ...process.env, ...CHEAP, BANTER_PRESENCE_GRACE_MS: '500',
      ...(typeof settings === 'function' ? settings(system.base) : settings),
    };
    try {
      await system.banter('up', '-d');
      system.http = (await system.status()).http;
    } catch (error) {
      await system.stop();
      throw error;
    }
    return system;
  }

  async banter(...command) {
    const { stdout } = await run(
      join(REPOSITORY, 'banter'), ['--data', this.data, '--port-base', this.base, ...command],
      { env: this.environment, timeout: START_MS });
    return stdout;
  }

  async status() {
    return JSON.parse(await this.banter('status', '--json'));
  }

  /** kill -9; the supervisor starts it again. */
  async kill(...names) {
    const { pids } = await this.status();
    for (const name of names) process.kill(pids[name], 'SIGKILL');
  }

  /** Everything that runs ends as if the machine had. */
  async die() {
    const { pids, supervisor } = await this.status();
    for (const pid of [supervisor, ...Object.values(pids)]) if (pid) process.kill(pid, 'SIGKILL');
  }

  /** A process is taken out until `resume`. */
  pause(name) {
    return this.banter('stop', name);
  }

  resume(name) {
    return this.banter('start', name);
  }

  async stop() {
    await this.banter('down').catch(() => {});
    await rm(this.data, { recursive: true, force: true });
  }

  // ---------------------------------------------------------------- asking without a browser

  async post(path, body, token) {
    const response = await fetch(this.http + path, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json', ...(token ? { Authorization: `Bearer ${token}` } : {}),
      },
      body: JSON.stringify(body),
    });
    const answer = await response.json();
    if (!response.ok) throw new Error(`POST ${path}: ${response.status} ${JSON.stringify(answer)}`);
    return answer;
  }

  /** What this node tells clients of all. */
  async servers() {
    return (await (await fetch(`${this.http}/v1/servers`)).json()).servers;
  }

  /** An account without a browser. */
  async account(handle, name) {
    const password = 'correct horse battery';
    const { access_token: token } = await this.post('/v1/signup', {
      handle, password, ...(name ? { name } : {}),
    });
    return { handle, password, token };
  }

  async logIn(handle) {
    const password = 'correct horse battery';
    const { access_token: token } = await this.post('/v1/login', { handle, password });
    return { handle, password, token };
  }

  async command(account, command, parameters) {
    const { responses } = await this.post(
      '/v1/control', { commands: [{ command, ...parameters }] }, account.token);
    const [response] = responses;
    if (response.error) throw new Error(`${command}: ${JSON.stringify(response.error)}`);
    return response.data ?? {};
  }

  /** Posts as somebody who has no browser. */
  say(account, target, text, more = {}) {
    return this.post(`/v1/conversations/${target}/messages`, {
      id: crypto.randomUUID(), text, ...more,
    }, account.token);
  }
}
