// SPDX-License-Identifier: MIT
// A push service that a browser in a test can have: headless browsers reach none. It takes what the
// bridge sends, decrypts it as the browser would (RFC 8291), and gives the page's PushManager a
// subscription to hand out; everything else about the browser is real.
import { execFileSync } from 'node:child_process';
import { createDecipheriv, createECDH, hkdfSync, randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import http2 from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const HEADER_BYTES = 21; // salt, record size, length of the key
const LAST_RECORD = 2;

export class PushService {
  static async open() {
    const service = new PushService();
    service.browser = createECDH('prime256v1');
    service.browser.generateKeys();
    service.auth = randomBytes(16);
    service.pushes = [];
    service.folder = await mkdtemp(join(tmpdir(), 'banter-test-push-'));
    await chmod(service.folder, 0o755); // the bridge may be another user
    service.certificate = join(service.folder, 'certificate.pem');
    const key = join(service.folder, 'key.pem');
    execFileSync('openssl', [
      'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
      '-subj', '/CN=push service', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2',
      '-keyout', key, '-out', service.certificate,
    ], { stdio: 'ignore' });
    const identity = { key: await readFile(key), cert: await readFile(service.certificate) };
    service.sessions = new Set();
    service.server = http2.createSecureServer(identity, async (request, response) => {
      const parts = [];
      for await (const part of request) parts.push(part);
      service.pushes.push({ path: request.url, payload: service.decrypt(Buffer.concat(parts)) });
      response.writeHead(201).end();
    });
    service.server.on('session', (session) => service.sessions.add(session));
    await new Promise((resolve) => service.server.listen(0, '127.0.0.1', resolve));
    service.url = `https://127.0.0.1:${service.server.address().port}`;
    return service;
  }

  async close() {
    for (const session of this.sessions) session.destroy();
    this.server.close();
    await rm(this.folder, { recursive: true });
  }

  /** What the bridge needs to know. */
  get settings() {
    return {
      BANTER_PUSH_VAPID_SUBJECT: 'mailto:test@example.org', BANTER_PUSH_ALLOW_PRIVATE: 'true',
      BANTER_PUSH_CA_FILE: this.certificate,
    };
  }

  decrypt(body) {
    const derive = (secret, salt, info, length) =>
      Buffer.from(hkdfSync('sha256', secret, salt, info, length));
    const salt = body.subarray(0, 16);
    const end = HEADER_BYTES + body[HEADER_BYTES - 1];
    const sender = body.subarray(HEADER_BYTES, end);
    const info = Buffer.concat([
      Buffer.from('WebPush: info\0'), this.browser.getPublicKey(), sender,
    ]);
    const key = derive(this.browser.computeSecret(sender), this.auth, info, 32);
    const cipher = createDecipheriv(
      'aes-128-gcm', derive(key, salt, 'Content-Encoding: aes128gcm\0', 16),
      derive(key, salt, 'Content-Encoding: nonce\0', 12));
    cipher.setAuthTag(body.subarray(-16));
    const padded = Buffer.concat([cipher.update(body.subarray(end, -16)), cipher.final()]);
    return padded.subarray(0, padded.lastIndexOf(LAST_RECORD)).toString();
  }

  /** The person's pages subscribe here; what they have survives a reload, as it would. */
  async serve(person) {
    await person.context.addInitScript(({ url, p256dh, auth }) => {
      const STORED = 'stand-in.subscription';
      const bytes = (text) => Uint8Array.from(
        atob(text.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0)).buffer;
      const subscription = ({ endpoint, key }) => ({
        endpoint,
        options: { userVisibleOnly: true, applicationServerKey: bytes(key) },
        toJSON: () => ({ endpoint, expirationTime: null, keys: { p256dh, auth } }),
        unsubscribe: async () => localStorage.removeItem(STORED) ?? true,
      });
      PushManager.prototype.getSubscription = async () => {
        const stored = localStorage.getItem(STORED);
        return stored && subscription(JSON.parse(stored));
      };
      PushManager.prototype.subscribe = async (options) => {
        if (!options.userVisibleOnly) throw new DOMException('not allowed', 'NotAllowedError');
        const made = {
          endpoint: `${url}/${crypto.randomUUID()}`, key: options.applicationServerKey,
        };
        localStorage.setItem(STORED, JSON.stringify(made));
        return subscription(made);
      };
    }, {
      url: this.url,
      p256dh: this.browser.getPublicKey('base64url'),
      auth: this.auth.toString('base64url'),
    });
  }
}
