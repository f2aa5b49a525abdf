// SPDX-License-Identifier: MIT
// A Banter of a few hundred lines, for one process: what docs/protocol.md promises about order,
// receipts, resends and syncs, and switches for what may go wrong. ../integration has the real one.
import {
  ConnectRefused, type Entry, type HttpRequest, type HttpResponse, type Link, type LinkOptions,
  type Transport,
} from '../../../src/sdk/index.ts';

export interface Conversation {
  readonly id: string;
  readonly kind: 'direct' | 'group';
  readonly members: Set<string>;
  readonly entries: Entry[];
  readonly cursors: Map<string, { received: number; read: number }>;
  /** For so many days; told of the conversation alone, as by the real one. */
  retention?: number | null;
}

interface Socket {
  readonly options: LinkOptions;
  readonly user: string;
  /** Conversations that wait for the draft of this id. */
  readonly blocked: Map<string, string>;
  isOpen: boolean;
}

export interface Draft {
  readonly id: string;
  readonly kind?: string;
  readonly text?: string;
}

/** What becomes of a draft: taken, refused, lost, or lost with its connection (`cut`), which
 * is how networks lose things. `unheard`: it is taken, and the receipt is lost. */
export type Fate = 'take' | 'lose' | 'cut' | 'unheard' | { code: string; retry_after_ms?: number };

export class FakeServer {
  readonly conversations = new Map<string, Conversation>();
  readonly sockets = new Set<Socket>();
  /** All HTTP requests that came, as `POST /v1/sync`. */
  readonly requests: string[] = [];
  /** All drafts that came, resends included. */
  readonly drafts: Draft[] = [];
  readonly signals: [topic: string, payload: string][] = [];
  isDown = false;
  /** What GET /v1/servers tells; all of them are this one, under other names. */
  nodes: readonly object[] = [];
  fate: (draft: Draft) => Fate = () => 'take';
  /** Whether a live entry is lost on its way to a device. */
  loses: (entry: Entry, clientId: string) => boolean = () => false;
  /** May answer a request in place of the server. */
  intercept: (request: HttpRequest) => Promise<HttpResponse | undefined> = async () => undefined;
  tokenLifeSeconds = 3600;
  private tokens = 0;
  private readonly access = new Map<string, string>(); // token -> user
  private readonly refresh = new Map<string, string>();
  /** Refresh token -> the key and the answer of its exchange. */
  private readonly exchanged = new Map<string, { key: string; answer: object }>();

  constructor(private readonly now: () => number) {}

  // ---- what a test does

  converse(id: string, ...members: string[]): Conversation {
    const conversation: Conversation = {
      id, kind: 'group', members: new Set(members), entries: [], cursors: new Map(),
    };
    this.conversations.set(id, conversation);
    for (const user of members) {
      const event = { event: 'added', conversation: id, kind: 'group', role: 'member' };
      this.tell(user, 'me/event', event);
    }
    return conversation;
  }

  remove(id: string, user: string): void {
    this.conversations.get(id)?.members.delete(user);
    this.tell(user, 'me/event', { event: 'removed', conversation: id });
  }

  /** Somebody posts by other means than this library. */
  post(id: string, from: string, content: object): Entry {
    const conversation = this.conversations.get(id);
    if (!conversation) throw new Error(`no conversation ${id}`);
    const seq = conversation.entries.length + 1;
    const at = new Date(this.now()).toISOString();
    const entry: Entry = {
      conversation: id, seq, at, from, kind: 'text', id: `${from}-${seq}`, ...content,
    };
    conversation.entries.push(entry);
    return entry;
  }

  /** The same, and all devices are told. */
  say(id: string, from: string, content: object): Entry {
    const entry = this.post(id, from, content);
    this.deliver(entry, null);
    return entry;
  }

  tell(user: string, topic: string, content: object): void {
    for (const socket of this.sockets) if (socket.user === user) this.send(socket, topic, content);
  }

  /** All connections end; with a reason code the broker says so. */
  cut(reasonCode: number | null = null): void {
    for (const socket of [...this.sockets]) this.close(socket, reasonCode);
  }

  /** As if a backup had been restored: all after `seq` never was. */
  restore(id: string, seq: number): void {
    const conversation = this.conversations.get(id);
    conversation?.entries.splice(seq);
    for (const cursors of conversation?.cursors.values() ?? []) {
      cursors.received = Math.min(cursors.received, seq);
      cursors.read = Math.min(cursors.read, seq);
    }
  }

  expireTokens(): void {
    this.access.clear();
  }

  // ---- MQTT

  transport(): Transport {
    return { connect: async (options) => this.connect(options) };
  }

  private connect(options: LinkOptions): Link {
    if (this.isDown) throw new Error('connection refused');
    const user = this.access.get(options.password);
    if (user === undefined || !options.clientId.startsWith(`${user}/`)) {
      throw new ConnectRefused(0x87);
    }
    for (const other of [...this.sockets]) {
      if (other.options.clientId === options.clientId) this.close(other);
    }
    const socket: Socket = { options, user, blocked: new Map(), isOpen: true };
    this.sockets.add(socket);
    const device = options.clientId.split('/')[1];
    this.send(socket, 'me/ready', { user, device, node: 'n1', at: this.time() });
    return {
      publish: async (topic, payload) => this.publish(socket, topic, payload),
      subscribe: async () => 0,
      unsubscribe: async () => undefined,
      close: () => this.close(socket),
    };
  }

  private close(socket: Socket, reasonCode: number | null = null): void {
    if (!socket.isOpen) return;
    socket.isOpen = false;
    this.sockets.delete(socket);
    queueMicrotask(() => socket.options.onClose(reasonCode));
  }

  /** Not before the sender's turn is over, as on a network. */
  private send(socket: Socket, topic: string, content: object): void {
    const payload = JSON.stringify(content);
    setImmediate(() => {
      if (socket.isOpen) socket.options.onMessage(topic, payload);
    });
  }

  private publish(socket: Socket, topic: string, payload: string): number {
    if (!socket.isOpen) throw new Error('not connected');
    const [, target = '', below] = topic.split('/');
    if (below !== undefined || target === 'me') {
      this.signals.push([topic, payload]);
      if (below === 'cursor') this.moveCursor(socket.user, target, JSON.parse(payload));
      return 0;
    }
    this.takeDraft(socket, target, JSON.parse(payload) as Draft);
    return 0x10;
  }

  private takeDraft(socket: Socket, target: string, draft: Draft): void {
    this.drafts.push(draft);
    const fate = this.fate(draft);
    if (fate === 'cut') this.close(socket);
    if (fate === 'lose' || fate === 'cut') return;
    const refuse = (error: object): void =>
      this.send(socket, 'me/receipt', { id: draft.id, conversation: target, error });
    const awaited = socket.blocked.get(target);
    if (awaited !== undefined && awaited !== draft.id) {
      return refuse({ code: 'out_of_order', reason: 'an earlier one was refused' });
    }
    socket.blocked.delete(target);
    if (typeof fate === 'object') {
      const passes = fate.code === 'unavailable' || fate.code === 'rate_limited';
      if (passes) socket.blocked.set(target, draft.id);
      return refuse({ reason: 'as the test wants it', ...fate });
    }
    const id = this.resolve(target, socket.user);
    const conversation = this.conversations.get(id);
    if (!conversation?.members.has(socket.user)) {
      return refuse({ code: 'not_found', reason: 'no such conversation' });
    }
    const before = conversation.entries.find((entry) => entry.id === draft.id);
    const entry = before ?? this.post(id, socket.user, draft);
    if (!before) this.deliver(entry, socket);
    const { seq, at } = entry;
    if (fate !== 'unheard') {
      this.send(socket, 'me/receipt', { id: draft.id, conversation: id, seq, at });
    }
  }

  private resolve(target: string, user: string): string {
    if (!target.startsWith('@')) return target;
    const members = [user, target.slice(1)].sort();
    const id = `direct-${members.join('-')}`;
    if (!this.conversations.has(id)) this.converse(id, ...members);
    return id;
  }

  private deliver(entry: Entry, but: Socket | null): void {
    const conversation = this.conversations.get(entry.conversation);
    for (const socket of this.sockets) {
      if (socket === but || !conversation?.members.has(socket.user)) continue;
      if (this.loses(entry, socket.options.clientId)) continue;
      this.send(socket, `chat/${entry.conversation}`, entry);
    }
  }

  private moveCursor(user: string, id: string, said: { received?: number; read?: number }): void {
    const before = this.cursorsOf(id, user);
    this.conversations.get(id)?.cursors.set(user, {
      received: Math.max(before.received, said.received ?? 0, said.read ?? 0),
      read: Math.max(before.read, said.read ?? 0),
    });
  }

  private cursorsOf(id: string, user: string): { received: number; read: number } {
    return this.conversations.get(id)?.cursors.get(user) ?? { received: 0, read: 0 };
  }

  // ---- HTTP

  async http(request: HttpRequest): Promise<HttpResponse> {
    const url = new URL(request.url);
    const answered = await this.intercept(request);
    if (answered) return answered;
    await new Promise((resolve) => setImmediate(resolve));
    if (this.isDown) throw new Error('connection refused');
    this.requests.push(`${request.method} ${url.pathname}`);
    const body = typeof request.body === 'string' ? JSON.parse(request.body) : {};
    if (url.pathname === '/v1/servers') return json(200, { servers: this.nodes });
    const account = this.accounts(url.pathname, body, request);
    if (account) return account;
    const token = request.headers['Authorization']?.replace('Bearer ', '') ?? '';
    const user = this.access.get(token);
    if (user === undefined) return problem(401, 'unauthorized');
    return this.answer(user, request.method, url, body);
  }

  private accounts(path: string, body: Body, request: HttpRequest): HttpResponse | undefined {
    const enters = path === '/v1/login' || path === '/v1/signup';
    if (enters) return json(200, this.issue(body.handle ?? ''));
    if (path === '/v1/logout') return json(204, {});
    if (path !== '/v1/token') return undefined;
    const given = body.refresh_token ?? '';
    const key = request.headers['Idempotency-Key'] ?? '';
    const before = this.exchanged.get(given);
    if (before) return before.key === key ? json(200, before.answer) : problem(401, 'unauthorized');
    const user = this.refresh.get(given);
    if (user === undefined) return problem(401, 'unauthorized');
    this.refresh.delete(given);
    const answer = this.issue(user);
    this.exchanged.set(given, { key, answer });
    return json(200, answer);
  }

  private issue(user: string): object {
    const number = ++this.tokens;
    this.access.set(`access-${number}`, user);
    this.refresh.set(`refresh-${number}`, user);
    return {
      user, access_token: `access-${number}`, refresh_token: `refresh-${number}`,
      expires_in: this.tokenLifeSeconds,
    };
  }

  private answer(user: string, method: string, url: URL, body: Body): HttpResponse {
    const [, , first, id = '', third] = url.pathname.split('/');
    if (first === 'sync') return json(200, this.sync(user, body));
    if (first === 'control') return json(200, this.control(user, body));
    if (first !== 'conversations') return problem(404, 'not_found');
    const conversation = this.conversations.get(decodeURIComponent(id));
    if (!conversation?.members.has(user)) return problem(404, 'not_found');
    if (third === undefined) {
      const { retention } = conversation;
      const told = this.describe(user, conversation);
      return json(200, retention ? { ...told, retention_days: retention } : told);
    }
    if (third === 'members') return json(200, this.members(conversation));
    if (method !== 'GET') return problem(404, 'not_found');
    return json(200, this.history(conversation, url));
  }

  private history(conversation: Conversation, url: URL): object {
    const after = Number(url.searchParams.get('after') ?? Number.NaN);
    const before = Number(url.searchParams.get('before') ?? Number.NaN);
    const limit = Number(url.searchParams.get('limit') ?? 50);
    const { entries } = conversation;
    if (!Number.isNaN(after)) {
      const found = entries.slice(after, after + limit);
      return { entries: found, more: after + limit < entries.length };
    }
    const end = Number.isNaN(before) ? entries.length : before - 1;
    const begin = Math.max(0, end - limit);
    return { entries: entries.slice(begin, end), more: begin > 0 };
  }

  private sync(user: string, body: Body): object {
    const limit = body.limit ?? 50;
    const conversations = [...this.conversations.values()]
      .filter(({ members }) => members.has(user))
      .map((conversation) => {
        const cursor = body.cursors?.[conversation.id];
        const { entries } = conversation;
        const from = cursor ?? Math.max(0, entries.length - limit);
        const found = entries.slice(from, from + limit);
        const more = cursor === undefined ? from > 0 : from + limit < entries.length;
        const preview = entries.at(-1) ?? null;
        return { ...this.describe(user, conversation), preview, entries: found, more };
      });
    return { page: 1, more: false, conversations };
  }

  private describe(user: string, conversation: Conversation): object {
    const { id, kind, members, entries } = conversation;
    const cursors = this.cursorsOf(id, user);
    const other = [...members].find((member) => member !== user) ?? user;
    const unread = entries.filter((entry) =>
      entry.seq > cursors.read && entry.kind === 'text' && entry.from !== user && !entry.deleted);
    return {
      conversation: id, kind, role: 'member', last_seq: entries.length, ...cursors,
      ...(kind === 'direct' ? { user: other } : { title: id }),
      unread: Math.min(100, unread.length),
      limits: {
        members: 100, text_characters: 100_000, typing: true, presence: true, cursors: true,
      },
    };
  }

  private members({ id, members, cursors }: Conversation): object {
    const told = [...members].map((user) => ({
      user, role: 'member', joined_at: this.time(), ...(cursors.get(user) ?? {}),
    }));
    return { conversation: id, members: told, more: false };
  }

  private control(user: string, body: Body): object {
    const responses = (body.commands ?? []).map(({ command, ...given }) => {
      if (command === 'createDirect') {
        return { command, data: { conversation: this.resolve(`@${String(given['user'])}`, user) } };
      }
      return { command, error: { code: 'invalid', reason: 'unknown command' } };
    });
    return { responses };
  }

  private time(): string {
    return new Date(this.now()).toISOString();
  }
}

interface Body {
  readonly handle?: string;
  readonly refresh_token?: string;
  readonly limit?: number;
  readonly cursors?: Record<string, number>;
  readonly commands?: ({ command: string } & Record<string, unknown>)[];
}

export function json(status: number, body: object): HttpResponse {
  return { status, header: () => null, text: JSON.stringify(body), bytes: new Uint8Array(0) };
}

export function problem(status: number, code: string): HttpResponse {
  return json(status, { type: `urn:banter:problem:${code}`, status, code, detail: 'as wanted' });
}
