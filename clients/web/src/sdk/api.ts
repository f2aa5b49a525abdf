// SPDX-License-Identifier: MIT
// What is asked of the server goes over HTTP, where every question has its answer; what is said to
// it goes over MQTT. This is the asking, as the user who is logged in.
import { BanterError, codeOf } from './errors.ts';
import { asEntry } from './entry.ts';
import { bodyOf, type Call, type Http, type TokenSource } from './http.ts';
import { asArray, asCount, asObject, asString, type Json } from './json.ts';
import type { HttpResponse } from './platform.ts';
import type { ConversationId, Entry } from './types.ts';

export interface EntryPage {
  /** In rising order. */
  readonly entries: readonly Entry[];
  /** There is more in the direction that was asked for. */
  readonly more: boolean;
}

export interface PageQuery {
  readonly after?: number;
  readonly before?: number;
  readonly limit: number;
  readonly view?: 'folded';
}

export class Api {
  constructor(
    private readonly http: Http,
    private readonly tokens: TokenSource,
  ) {}

  call(call: Call): Promise<HttpResponse> {
    return this.http.callAs(this.tokens, call);
  }

  async get(path: string): Promise<Json> {
    return bodyOf(await this.call({ method: 'GET', path }));
  }

  async post(path: string, json: object): Promise<Json> {
    return bodyOf(await this.call({ method: 'POST', path, json }));
  }

  /** All conversations, with what is new in them. */
  async sync(cursors: { readonly [id: ConversationId]: number }, limit: number): Promise<Json> {
    const json = { cursors, limit };
    return bodyOf(await this.call({ method: 'POST', path: '/v1/sync', json, isLarge: true }));
  }

  /** Runs one command; its `data`. */
  async control(command: string, given: object = {}): Promise<Json> {
    const answer = await this.post('/v1/control', { commands: [{ command, ...given }] });
    const response = asObject(asArray(answer['responses'])[0]) ?? {};
    const error = asObject(response['error']);
    if (error) {
      const { code, reason, retry_after_ms: retryAfterMs } = error;
      throw new BanterError(codeOf(code), asString(reason) ?? '', asCount(retryAfterMs));
    }
    return asObject(response['data']) ?? {};
  }

  async history(conversation: ConversationId, query: PageQuery): Promise<EntryPage> {
    const path = `/v1/conversations/${encodeURIComponent(conversation)}/messages`;
    const call = { method: 'GET', path: `${path}?${queryOf(query)}`, isLarge: true } as const;
    const page = bodyOf(await this.call(call));
    const entries = asArray(page['entries']).map(asEntry);
    return { entries: entries.filter((entry) => entry !== undefined), more: page['more'] === true };
  }
}

/** A query string; undefined members are left out. */
export function queryOf(members: object): string {
  return Object.entries(members)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`)
    .join('&');
}
