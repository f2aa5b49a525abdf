// SPDX-License-Identifier: MIT
// Who is logged in: the tokens, and how they are renewed.
//
// A refresh token works once, and using an old one ends the whole login. So only one of the
// programs that share the store may exchange it at a time (a lock), it first looks whether another
// one has done so already, and the exchange's key is stored before it is sent: whoever loses the
// answer, even by a reload, repeats that same exchange instead of making a second one.
import { BanterError, toBanterError } from './errors.ts';
import { bodyOf, type Http, type TokenSource } from './http.ts';
import { asObject, asString, parseObject, type Json } from './json.ts';
import { DEVICE_KEY, Keys, SESSION_KEY } from './keys.ts';
import { RENEW_BEFORE_MS } from './limits.ts';
import { Value } from './observable.ts';
import type { Platform } from './platform.ts';
import type { Store } from './store.ts';
import type { Credentials, Handle, Refusal, SignUp } from './types.ts';

/** As it lies in the store. */
interface Login {
  readonly user: Handle;
  readonly access: string;
  readonly refresh: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
  /** How long it was good for when it was new. */
  readonly lifeMs: number;
  /** The key of an exchange of `refresh` whose answer has not come. */
  readonly exchange?: string;
}

/** What the rest of the client has to know about a login. */
export interface Identity {
  readonly user: Handle;
  /** The id of the login, when the access token tells. */
  readonly login: string | null;
}

/** `value` is undefined until the store has been read, null when nobody is logged in. */
export class Session implements TokenSource {
  readonly identity = new Value<Identity | null | undefined>(undefined);
  /** Why the last login ended, unless the user ended it. */
  endedBecause: Refusal | null = null;
  private login: Login | null = null;
  private renewing: Promise<string> | null = null;
  private base = '';

  constructor(
    private readonly platform: Platform,
    private readonly store: Store,
    private readonly http: Http,
    /** What tokens are bound to, if anything. */
    private readonly boundDevice: string | null,
  ) {}

  /** Reads the store. */
  async restore(): Promise<void> {
    this.base = this.boundDevice ?? (await this.installation());
    this.take(await this.stored());
  }

  /** The device's name, or what the names of all tabs begin with. */
  get deviceBase(): string {
    return this.base;
  }

  async signUp(account: SignUp): Promise<void> {
    await this.enter('/v1/signup', { ...account });
  }

  async logIn(credentials: Credentials): Promise<void> {
    await this.enter('/v1/login', { ...credentials });
  }

  /** Empties the store, whether the server hears of it or not; `settle` ends what still writes. */
  async logOut(settle: () => Promise<void>): Promise<void> {
    const refresh = this.login?.refresh;
    this.end(null);
    await settle();
    await this.store.clear();
    await this.store.write({ put: [[DEVICE_KEY, this.base]] });
    if (refresh === undefined) return;
    await this.http
      .call({ method: 'POST', path: '/v1/logout', json: { refresh_token: refresh } })
      .catch(() => undefined); // the tokens are forgotten; on the server they expire
  }

  async token(): Promise<string> {
    const login = this.login;
    if (!login) throw new BanterError('unauthorized', 'nobody is logged in');
    return this.isFresh(login) ? login.access : this.renew(login.access);
  }

  /** How long the token need not be renewed. */
  get freshForMs(): number {
    const { login } = this;
    return login ? Math.max(0, login.expiresAt - marginOf(login) - this.platform.now()) : 0;
  }

  /** Another token, whether this one is still good or not. */
  async renewNow(): Promise<void> {
    if (this.login) await this.renew(this.login.access);
  }

  renew(refused: string): Promise<string> {
    this.renewing ??= this.renewAlone(refused).finally(() => {
      this.renewing = null;
    });
    return this.renewing;
  }

  private async enter(path: string, json: object): Promise<void> {
    const binding = this.boundDevice === null ? {} : { device: this.boundDevice };
    const answer = await this.http.call({ method: 'POST', path, json: { ...json, ...binding } });
    const login = this.loginOf(bodyOf(answer));
    const before = await this.stored();
    const clear = before && before.user !== login.user ? [new Keys(before.user).everything()] : [];
    await this.store.write({ clear, put: [[SESSION_KEY, login]] });
    this.take(login);
  }

  private async renewAlone(refused: string): Promise<string> {
    const release = await this.platform.locks.acquire(`banter/renew/${this.base}`);
    try {
      const login = await this.stored();
      if (!login || login.user !== this.login?.user) {
        this.end(null); // another tab has logged out
        throw new BanterError('unauthorized', 'the login has ended');
      }
      if (login.access !== refused && this.isFresh(login)) {
        this.take(login); // another tab has renewed it
        return login.access;
      }
      return await this.exchange(login);
    } finally {
      release();
    }
  }

  private async exchange(login: Login): Promise<string> {
    const key = login.exchange ?? this.platform.uuid();
    await this.store.write({ put: [[SESSION_KEY, { ...login, exchange: key }]] });
    try {
      const answer = await this.http.call({
        method: 'POST',
        path: '/v1/token',
        headers: { 'Idempotency-Key': key },
        json: { refresh_token: login.refresh },
      });
      const renewed = this.loginOf(bodyOf(answer));
      await this.store.write({ put: [[SESSION_KEY, renewed]] });
      this.take(renewed);
      return renewed.access;
    } catch (thrown) {
      const error = toBanterError(thrown);
      if (error.code === 'unauthorized' || error.code === 'invalid') {
        await this.store.write({ remove: [SESSION_KEY] });
        this.end({ code: error.code, reason: error.reason });
      }
      throw error;
    }
  }

  private take(login: Login | null): void {
    const known = this.identity.get();
    this.login = login;
    if (login && known?.user === login.user) return;
    this.identity.set(login ? { user: login.user, login: sessionIdOf(login.access) } : null);
  }

  private end(reason: Refusal | null): void {
    this.endedBecause = reason;
    this.take(null);
  }

  private isFresh(login: Login): boolean {
    return login.expiresAt - this.platform.now() > marginOf(login);
  }

  private loginOf(answer: Json): Login {
    const lifeMs = Number(answer['expires_in']) * 1000;
    return {
      user: String(answer['user']),
      access: String(answer['access_token']),
      refresh: String(answer['refresh_token']),
      expiresAt: this.platform.now() + lifeMs,
      lifeMs,
    };
  }

  private async stored(): Promise<Login | null> {
    const login = asObject(await this.store.get(SESSION_KEY));
    return login && typeof login['refresh'] === 'string' ? (login as unknown as Login) : null;
  }

  /** Random, made once, so that two browsers of one user do not meet. */
  private async installation(): Promise<string> {
    const known = asString(await this.store.get(DEVICE_KEY));
    if (known !== null) return known;
    const fresh = `web-${this.platform.uuid().slice(-8)}`;
    await this.store.write({ put: [[DEVICE_KEY, fresh]] });
    return fresh;
  }
}

/** How long before its end a token is renewed; one that lives shortly is used most of its life. */
function marginOf(login: Login): number {
  return Math.min(RENEW_BEFORE_MS, login.lifeMs / 4);
}

/** The `sid` of a token; it is read to recognize oneself in a list, nothing depends on it. */
function sessionIdOf(token: string): string | null {
  const decode = (globalThis as { atob?: (text: string) => string }).atob;
  const payload = token.split('.')[1]?.replaceAll('-', '+').replaceAll('_', '/');
  if (!decode || payload === undefined) return null;
  try {
    return asString(parseObject(decode(payload))?.['sid']);
  } catch {
    return null;
  }
}
