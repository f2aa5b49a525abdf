// SPDX-License-Identifier: MIT
// Several nodes on one database and one Redis, each known to the others by its address. The first
// one has the database: rule: it outlives the others.
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { until } from './browser.mjs';
import { System } from './system.mjs';

const READY_MS = 60_000;
const CAPACITY = 100; // so that one connection is seen in a node's load

/** redis-server without persistence. */
class Redis {
  static async start() {
    const redis = new Redis();
    redis.data = await mkdtemp(join(tmpdir(), 'banter-redis-'));
    redis.port = await freePort();
    redis.process = spawn('redis-server', [
      '--port', String(redis.port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no',
      '--dir', redis.data,
    ], { stdio: 'ignore' });
    await until(() => redis.answers(), 'Redis answers', READY_MS);
    return redis;
  }

  answers() {
    return new Promise((resolve) => {
      const socket = net.connect(this.port, '127.0.0.1', () => socket.end('PING\r\n'));
      socket.on('data', (said) => resolve(String(said).startsWith('+PONG')));
      socket.on('error', () => resolve(false));
      socket.on('close', () => resolve(false));
    });
  }

  async stop() {
    this.process.kill('SIGKILL');
    await rm(this.data, { recursive: true, force: true });
  }
}

function freePort() {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

export class Cluster {
  static async start(...names) {
    const cluster = new Cluster();
    cluster.nodes = [];
    cluster.redis = await Redis.start();
    try {
      for (const name of names) await cluster.add(name);
      for (const node of cluster.nodes) {
        await until(async () => (await node.servers()).length === names.length,
          'the nodes know each other', READY_MS);
      }
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  async add(name) {
    const [first] = this.nodes;
    const owner = first && (await first.status()).postgres_dsn;
    const shared = first ? {
      BANTER_DATABASE: owner.replace('user=banter ', 'user=banter_bridge '),
      BANTER_MIGRATE_DATABASE: owner,
      BANTER_KEYS_DIR: join(first.data, 'keys'),
      BANTER_BLOBS_DIR: join(first.data, 'blobs'),
    } : {};
    this.nodes.push(await System.start((port) => ({
      BANTER_REDIS: `127.0.0.1:${this.redis.port}`,
      BANTER_NODE: name,
      BANTER_CAPACITY: String(CAPACITY),
      BANTER_PUBLIC_HTTP: `http://127.0.0.1:${port}`,
      BANTER_PUBLIC_WS: `ws://127.0.0.1:${port}/mqtt`,
      ...shared,
    })));
  }

  /** How many connections a node has; null: it takes nobody in. */
  async connections(node) {
    const servers = await node.servers();
    const own = servers.find(({ http }) => http === node.http);
    return own ? Math.round(own.load * CAPACITY) : null;
  }

  async stop() {
    for (const node of [...this.nodes].reverse()) await node.stop();
    await this.redis.stop();
  }
}
