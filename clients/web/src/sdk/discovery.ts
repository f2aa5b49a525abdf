// SPDX-License-Identifier: MIT
// Finds out which other servers there are, and remembers it for a program that starts while the one
// it was told of is away.
import type { Http } from './http.ts';
import { asObject, parseObject } from './json.ts';
import { SERVERS_KEY } from './keys.ts';
import { SERVERS_FRESH_MS } from './limits.ts';
import type { Platform } from './platform.ts';
import type { Address, Servers } from './servers.ts';
import type { Store } from './store.ts';

export class Discovery {
  private asking = false;
  private isOpen = false;
  private askedAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly platform: Platform,
    private readonly store: Store,
    private readonly http: Http,
    readonly servers: Servers,
    /** Where this program is, as the nodes' settings have it. */
    private readonly location: string | null,
  ) {}

  /** Reads the store. What another Banter said is none of this one's. */
  async restore(): Promise<void> {
    this.isOpen = true;
    const stored = asObject(await this.store.get(SERVERS_KEY)) ?? {};
    if (stored['named'] === this.servers.named.api) this.servers.take(stored);
  }

  /** Nothing more is written. */
  close(): void {
    this.isOpen = false;
  }

  /** This server failed or goes away: another one is the current one, if one is known. */
  leave(address: Address): void {
    this.servers.leave(address);
    if (this.platform.now() - this.askedAt >= SERVERS_FRESH_MS) this.look();
  }

  /** Asks whichever server is the current one. Nobody waits for it. */
  look(): void {
    if (this.asking) return;
    this.asking = true;
    this.askedAt = this.platform.now();
    this.ask()
      .catch((error: unknown) => this.platform.report(error))
      .finally(() => {
        this.asking = false;
      });
  }

  private async ask(): Promise<void> {
    const { http, location, servers, store } = this;
    const query = location === null ? '' : `?location=${encodeURIComponent(location)}`;
    const answer = await http
      .call({ method: 'GET', path: `/v1/servers${query}` })
      .catch(() => null); // it is asked again; an older server has no such list
    const list = answer && parseObject(answer.text)?.['servers'];
    if (!Array.isArray(list) || !this.isOpen) return;
    const told = { named: servers.named.api, servers: list };
    servers.take(told);
    await store.write({ put: [[SERVERS_KEY, told]] });
  }
}
