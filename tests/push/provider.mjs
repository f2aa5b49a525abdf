// SPDX-License-Identifier: MIT
// provider.mjs - what all stand-ins of push services share: HTTP/2 over TLS, a list of the requests
// that came, and a say in how each is answered. `faults` holds what a real service would refuse.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http2 from 'node:http2';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

function openssl(directory, ...parameters) {
  execFileSync('openssl', parameters, { cwd: directory, stdio: 'pipe' });
}

// A directory with an authority (ca.pem) and a server's key and certificate for loopback names.
export function makeWorld() {
  const directory = mkdtempSync(join(tmpdir(), 'banter-push-'));
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl(directory, 'req', '-x509', ...ec, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2',
    '-subj', '/CN=Test authority');
  openssl(directory, 'req', '-x509', ...ec, '-keyout', 'server.key', '-out', 'server.pem',
    '-days', '2', '-subj', '/CN=localhost', '-CA', 'ca.pem', '-CAkey', 'ca.key',
    '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1',
    '-addext', 'basicConstraints=critical,CA:false');
  return {
    directory,
    path: (name) => join(directory, name),
    // Made when it is asked for first; gives the public half.
    key: (name, ...how) => {
      if (!existsSync(join(directory, `${name}.pub`))) {
        openssl(directory, 'genpkey', '-out', name, ...how);
        openssl(directory, 'pkey', '-in', name, '-pubout', '-out', `${name}.pub`);
      }
      return readFileSync(join(directory, `${name}.pub`), 'utf8');
    },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

export const EC = ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'];
export const RSA = ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'];

// `plan` says how a request is answered: { status, headers, body }, and before that
//   delay: ms    wait
//   hang: true   never answer
//   cut: true    break all connections
//   goaway: true say GOAWAY after the answer
//   flood: true  a body without end
//   drip: true   the head, then never the rest
export class Provider {
  constructor(world) {
    this.requests = [];
    this.faults = [];
    this.sessions = new Set();
    this.sockets = new Set();
    this.sessionCount = 0;
    this.plans = []; // for the next requests, one each
    this.plan = {}; // for all others
    this.server = http2.createSecureServer({
      key: readFileSync(world.path('server.key')),
      cert: readFileSync(world.path('server.pem')),
      settings: { maxConcurrentStreams: 100 },
    });
    this.server.on('secureConnection', (socket) => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
      socket.on('error', () => {});
    });
    this.server.on('session', (session) => {
      this.sessions.add(session);
      this.sessionCount++;
      session.on('close', () => this.sessions.delete(session));
      session.on('error', () => {});
    });
    this.server.on('stream', (stream, headers) => this.receive(stream, headers));
  }

  async start() {
    await new Promise((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    this.port = this.server.address().port;
    this.url = `https://localhost:${this.port}`;
    return this;
  }

  async stop() {
    for (const session of this.sessions) session.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  fault(text) {
    this.faults.push(text);
  }

  receive(stream, headers) {
    const parts = [];
    stream.on('error', () => {});
    stream.on('data', (part) => parts.push(part));
    stream.on('end', () => {
      const request = {
        headers,
        method: headers[':method'],
        path: headers[':path'],
        body: Buffer.concat(parts),
        at: Date.now(),
      };
      this.answer(stream, request).catch((error) => {
        this.fault(String(error.stack ?? error));
        if (!stream.destroyed) stream.close();
      });
    });
  }

  async answer(stream, request) {
    this.requests.push(request);
    const plan = this.plans.shift() ?? this.plan;
    const verdict = await this.check(request, plan);
    const { status = 200, headers = {}, body = '' } = { ...verdict, ...plan };
    if (plan.hang) return;
    if (plan.delay) await new Promise((resolve) => setTimeout(resolve, plan.delay));
    if (stream.destroyed) return;
    if (plan.cut) {
      for (const socket of this.sockets) socket.destroy();
      return;
    }
    stream.respond({ ':status': status, ...headers });
    if (plan.drip) {
      stream.write('{');
      return;
    }
    if (plan.flood) {
      flood(stream);
      return;
    }
    stream.end(typeof body === 'string' ? body : JSON.stringify(body));
    if (plan.goaway) stream.session.close(); // says GOAWAY, and ends when its streams have
  }

  // What a real service would look at. Gives its answer; overridden.
  async check() {
    return {};
  }

  async until(condition, what) {
    const deadline = Date.now() + 10000;
    while (!condition()) {
      if (Date.now() > deadline) throw new Error(`never: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

// Stands between: connections through it can be made deaf, as by a router that has forgotten them.
export class Line {
  constructor(port) {
    this.pairs = new Set();
    this.server = net.createServer((socket) => {
      const onward = net.connect(port, '127.0.0.1');
      const pair = { socket, onward };
      this.pairs.add(pair);
      for (const end of [socket, onward]) {
        end.on('error', () => {});
        end.on('close', () => this.pairs.delete(pair));
      }
      socket.pipe(onward);
      onward.pipe(socket);
    });
  }

  async start() {
    await new Promise((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    this.port = this.server.address().port;
    return this;
  }

  // What is sent over the connections of now is taken and goes nowhere.
  deafen() {
    for (const { socket, onward } of this.pairs) {
      socket.unpipe(onward);
      onward.unpipe(socket);
      socket.resume();
      onward.resume();
    }
  }

  async stop() {
    for (const { socket, onward } of this.pairs) {
      socket.destroy();
      onward.destroy();
    }
    await new Promise((resolve) => this.server.close(resolve));
  }
}

function flood(stream) {
  const chunk = Buffer.alloc(16384, 120);
  const more = () => {
    if (!stream.destroyed) stream.write(chunk, () => setImmediate(more));
  };
  more();
}
