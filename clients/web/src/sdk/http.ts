// SPDX-License-Identifier: MIT
// One HTTP request: JSON in and out, problem documents as `BanterError`. With a token source, an
// answer of 401 renews the token and asks once more.
import { BanterError, codeOf, toBanterError } from './errors.ts';
import { asString, parseObject, type Json } from './json.ts';
import { HTTP_LARGE_TIMEOUT_MS, HTTP_TIMEOUT_MS } from './limits.ts';
import type { HttpResponse, Platform } from './platform.ts';
import type { Servers } from './servers.ts';

export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below the current server's address, with its query. */
  readonly path: string;
  readonly json?: unknown;
  readonly bytes?: Uint8Array;
  readonly headers?: { readonly [name: string]: string };
  readonly binary?: boolean;
  /** The answer may be megabytes. */
  readonly isLarge?: boolean;
}

/** Where access tokens come from. */
export interface TokenSource {
  /** One that is good for a while. */
  token(): Promise<string>;
  /** The server did not take this one: another one, or `unauthorized`. */
  renew(refused: string): Promise<string>;
}

export class Http {
  constructor(
    private readonly platform: Platform,
    private readonly servers: Servers,
  ) {}

  /** Without a token. Resolves with what has been answered below 400. */
  call(call: Call): Promise<HttpResponse> {
    return this.send(call, null);
  }

  /** With one. */
  async callAs(tokens: TokenSource, call: Call): Promise<HttpResponse> {
    const token = await tokens.token();
    try {
      return await this.send(call, token);
    } catch (error) {
      if (toBanterError(error).code !== 'unauthorized') throw error;
      return this.send(call, await tokens.renew(token));
    }
  }

  private async send(call: Call, token: string | null): Promise<HttpResponse> {
    const headers: Record<string, string> = { ...call.headers };
    if (token !== null) headers['Authorization'] = `Bearer ${token}`;
    if (call.json !== undefined) headers['Content-Type'] = 'application/json';
    const body = call.json !== undefined ? JSON.stringify(call.json) : call.bytes;
    const server = this.servers.current;
    let response: HttpResponse;
    try {
      response = await this.platform.http({
        method: call.method,
        url: server.api + call.path,
        headers,
        timeoutMs: call.isLarge || call.bytes ? HTTP_LARGE_TIMEOUT_MS : HTTP_TIMEOUT_MS,
        binary: call.binary ?? false,
        ...(body !== undefined && { body }),
      });
    } catch (error) {
      this.servers.leave(server);
      throw new BanterError('offline', toBanterError(error).reason);
    }
    if (response.status >= 400) throw refusalOf(response);
    return response;
  }
}

/** The answer's JSON object. */
export function bodyOf(response: HttpResponse): Json {
  const body = parseObject(response.text);
  if (!body) throw new BanterError('internal', 'the answer is not a JSON object');
  return body;
}

/** A proxy in between may answer with a page of its own: then the status has to tell. */
function refusalOf(response: HttpResponse): BanterError {
  const problem = parseObject(response.text);
  const { status } = response;
  const code = problem && 'code' in problem ? codeOf(problem['code']) : codeOfStatus(status);
  const seconds = Number(response.header('Retry-After') ?? Number.NaN);
  const retryAfterMs = Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : null;
  return new BanterError(code, asString(problem?.['detail']) ?? `HTTP ${status}`, retryAfterMs);
}

function codeOfStatus(status: number): BanterError['code'] {
  switch (status) {
    case 401: return 'unauthorized';
    case 403: return 'forbidden';
    case 404: return 'not_found';
    case 413: return 'too_large';
    case 429: return 'rate_limited';
    default: return status >= 500 ? 'unavailable' : 'invalid';
  }
}
