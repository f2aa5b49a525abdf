// SPDX-License-Identifier: MIT
// services.mjs - stand-ins of FCM, APNs, Web Push services and webhook receivers, each as strict as
// the real one: they verify tokens and signatures and decrypt, with libraries that are not ours.
import { createECDH, createPublicKey, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import ece from 'http_ece';
import { importJWK, importSPKI, jwtVerify } from 'jose';
import { Webhook } from 'standardwebhooks';
import { EC, Provider, RSA } from './provider.mjs';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

// A test of what came; what fails is a fault of the sender.
function checker(provider) {
  return (condition, text) => {
    if (!condition) provider.fault(text);
    return condition;
  };
}

function parse(provider, body) {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (error) {
    provider.fault(`the body is not JSON in UTF-8: ${error.message}`);
    return {};
  }
}

export class Fcm extends Provider {
  constructor(world) {
    super(world);
    this.publicKey = world.key('fcm.key', ...RSA);
    this.lifetime = 3600;
    this.tokens = []; // all that were given out; the last one is good
    this.tokenPlans = [];
    this.world = world;
  }

  async start() {
    await super.start();
    const key = await import('node:fs').then((fs) => fs.readFileSync(this.world.path('fcm.key')));
    this.account = this.world.path('account.json');
    writeFileSync(this.account, JSON.stringify({
      type: 'service_account',
      project_id: 'banter-test',
      private_key_id: 'key-1',
      private_key: key.toString(),
      client_email: 'push@banter-test.example',
      token_uri: `${this.url}/token`,
    }));
    return this;
  }

  get config() {
    return { fcm_account: this.account, fcm_url: this.url };
  }

  async answer(stream, request) {
    if (request.path !== '/token') {
      await super.answer(stream, request);
      return;
    }
    const plan = this.tokenPlans.shift() ?? {};
    const token = await this.grant(request);
    if (plan.hang) return;
    if (plan.delay) await new Promise((resolve) => setTimeout(resolve, plan.delay));
    stream.respond({ ':status': plan.status ?? 200, 'content-type': 'application/json' });
    stream.end(JSON.stringify(plan.body ?? { access_token: token, expires_in: this.lifetime,
      token_type: 'Bearer' }));
  }

  async grant(request) {
    const check = checker(this);
    const form = new URLSearchParams(request.body.toString());
    check(request.method === 'POST', 'the token is not asked for by POST');
    check(request.headers['content-type'] === 'application/x-www-form-urlencoded', 'no form');
    check(form.get('grant_type') === 'urn:ietf:params:oauth:grant-type:jwt-bearer', 'grant type');
    const { payload, protectedHeader } = await jwtVerify(form.get('assertion'),
      await importSPKI(this.publicKey, 'RS256'), {
        algorithms: ['RS256'],
        issuer: 'push@banter-test.example',
        audience: `${this.url}/token`,
        requiredClaims: ['iat', 'exp'],
        maxTokenAge: 60,
      });
    check(protectedHeader.kid === 'key-1' && protectedHeader.typ === 'JWT', 'header');
    check(payload.scope === 'https://www.googleapis.com/auth/firebase.messaging', 'scope');
    check(payload.exp - payload.iat <= 3600, 'an assertion for more than an hour');
    this.tokens.push(`ya29.${randomBytes(24).toString('base64url')}`);
    return this.tokens.at(-1);
  }

  async check(request, plan) {
    const check = checker(this);
    check(request.method === 'POST' && request.path === '/v1/projects/banter-test/messages:send',
      `${request.method} ${request.path}`);
    const token = request.headers.authorization.replace(/^Bearer /, '');
    if (plan.status === undefined && token !== this.tokens.at(-1))
      return fcmError(401, 'UNAUTHENTICATED');
    check(this.tokens.includes(token), 'token');
    check(request.headers['content-type'] === 'application/json', 'content-type');
    const { message, ...others } = parse(this, request.body);
    check(Object.keys(others).length === 0, 'more than a message');
    check(Object.keys(message).every((key) => ['token', 'notification', 'data', 'android']
      .includes(key)), 'a member that FCM does not know');
    check(Object.values(message.data).every((value) => typeof value === 'string'), 'data');
    check(request.body.length - message.token.length <= 4096, `${request.body.length} bytes`);
    check(/^\d+s$/.test(message.android.ttl), 'ttl');
    check(['normal', 'high'].includes(message.android.priority), 'priority');
    check(UUID.test(message.data.conversation), 'conversation');
    request.message = message;
    return { body: { name: 'projects/banter-test/messages/1' } };
  }
}

export function fcmError(status, code, details = []) {
  const type = 'type.googleapis.com/google.firebase.fcm.v1.FcmError';
  const known = code === 'UNAUTHENTICATED' ? [] : [{ '@type': type, errorCode: code }];
  return {
    status,
    headers: { 'content-type': 'application/json' },
    body: { error: { code: status, message: 'no', status: code, details: [...known, ...details] } },
  };
}

export class Apns extends Provider {
  constructor(world) {
    super(world);
    this.publicKey = world.key('apns.p8', ...EC);
    this.key = world.path('apns.p8');
    this.tokens = new Set();
  }

  get config() {
    return { apns_key: this.key, apns_key_id: 'KEYID12345', apns_team: 'TEAM123456',
      apns_topic: 'chat.banter.app', apns_url: this.url };
  }

  async check(request) {
    const check = checker(this);
    const { headers } = request;
    const [scheme, token] = (headers.authorization ?? '').split(' ');
    check(request.method === 'POST' && /^\/3\/device\/[0-9a-f]+$/.test(request.path), request.path);
    check(scheme === 'bearer', 'authorization');
    const { payload, protectedHeader } = await jwtVerify(token,
      await importSPKI(this.publicKey, 'ES256'),
      { algorithms: ['ES256'], issuer: 'TEAM123456', requiredClaims: ['iat'], maxTokenAge: 3600 });
    check(protectedHeader.kid === 'KEYID12345', 'kid');
    check(Object.keys(payload).sort().join() === 'iat,iss', 'claims');
    this.tokens.add(token);
    check(headers['apns-push-type'] === 'alert', 'push type');
    check(/^[\w.-]+$/.test(headers['apns-topic']), 'topic');
    check(['5', '10'].includes(headers['apns-priority']), 'priority');
    check(/^\d+$/.test(headers['apns-expiration']), 'expiration');
    check(Buffer.byteLength(headers['apns-collapse-id']) <= 64, 'collapse id');
    check(request.body.length <= 4096, `${request.body.length} bytes`);
    request.payload = parse(this, request.body);
    check(typeof request.payload.aps?.alert?.body === 'string', 'alert');
    return { headers: { 'apns-id': 'F0000000-0000-4000-8000-000000000000' } };
  }
}

export function apnsError(status, reason) {
  return { status, body: { reason, ...(status === 410 ? { timestamp: Date.now() } : {}) } };
}

// A browser's subscription, and the service that takes its notifications.
export class WebPush extends Provider {
  constructor(world) {
    super(world);
    world.key('vapid.pem', ...EC);
    this.key = world.path('vapid.pem');
    this.browser = createECDH('prime256v1');
    this.browser.generateKeys();
    this.auth = randomBytes(16);
    this.authorizations = new Set();
    this.limit = 4096; // of the body
  }

  get config() {
    return { vapid_key: this.key, vapid_subject: 'mailto:ops@banter.example', allow_private: true };
  }

  target(path = '/push/1') {
    return {
      provider: 'web',
      address: this.url + path,
      p256dh: this.browser.getPublicKey('base64url'),
      auth: this.auth.toString('base64url'),
    };
  }

  async check(request) {
    const check = checker(this);
    const { headers } = request;
    check(request.method === 'POST', request.method);
    await this.checkVapid(headers.authorization);
    check(/^\d+$/.test(headers.ttl), 'ttl');
    check(['very-low', 'low', 'normal', 'high'].includes(headers.urgency), 'urgency');
    check(/^[A-Za-z0-9_-]{1,32}$/.test(headers.topic), 'topic');
    check(headers['content-encoding'] === 'aes128gcm', 'content-encoding');
    check(headers['content-type'] === 'application/octet-stream', 'content-type');
    if (request.body.length > this.limit) return { status: 413 };
    check(request.body.length <= 4096, `${request.body.length} bytes`);
    const text = ece.decrypt(request.body, {
      version: 'aes128gcm',
      privateKey: this.browser,
      authSecret: this.auth.toString('base64url'),
    });
    request.text = text;
    request.payload = parse(this, text);
    return { status: 201, headers: { location: `${this.url}/message/1` } };
  }

  async checkVapid(authorization) {
    const check = checker(this);
    const [, token, key] = /^vapid t=([\w.-]+), k=([\w-]+)$/.exec(authorization) ?? [];
    if (!check(token, `authorization: ${authorization}`)) return;
    const point = Buffer.from(key, 'base64url');
    check(point.length === 65 && point[0] === 4, 'the key is not an uncompressed point');
    const jwk = { kty: 'EC', crv: 'P-256', x: point.subarray(1, 33).toString('base64url'),
      y: point.subarray(33).toString('base64url') };
    const { payload, protectedHeader } = await jwtVerify(token, await importJWK(jwk, 'ES256'),
      { algorithms: ['ES256'], audience: this.url, requiredClaims: ['exp', 'sub'] });
    check(protectedHeader.typ === 'JWT', 'typ');
    check(payload.exp <= Date.now() / 1000 + 86400, 'a token for more than a day');
    check(payload.sub === 'mailto:ops@banter.example', 'sub');
    this.publicKey = key;
    this.authorizations.add(authorization);
  }
}

export class Receiver extends Provider {
  constructor(world) {
    super(world);
    this.secret = randomBytes(24).toString('base64'); // 32 characters, used as they are
    this.ids = [];
  }

  get config() {
    return { webhooks: true, allow_private: true };
  }

  target(path = '/hook') {
    return { provider: 'webhook', address: this.url + path, secret: this.secret };
  }

  async check(request) {
    const check = checker(this);
    const { headers } = request;
    check(request.method === 'POST', request.method);
    check(headers['content-type'] === 'application/json', 'content-type');
    new Webhook(this.secret, { format: 'raw' }).verify(request.body.toString(), headers);
    this.ids.push(headers['webhook-id']);
    request.payload = parse(this, request.body);
    return { status: 204 };
  }
}

// The uncompressed point of a PEM key, in base64url.
export function pointOf(pem) {
  const { x, y } = createPublicKey(pem).export({ format: 'jwk' });
  return Buffer.concat([Buffer.from([4]), Buffer.from(x, 'base64url'),
    Buffer.from(y, 'base64url')]).toString('base64url');
}
