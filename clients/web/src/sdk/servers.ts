// SPDX-License-Identifier: MIT
// Where the servers of one Banter are, and which one is used: the one that the program named, which
// stays for good, and those that a server named, best first, until one names others.
import { asArray, asObject, asString, type Json } from './json.ts';
import { SERVERS_FOUND_MAX, SERVER_ADDRESS_MAX_CHARACTERS } from './limits.ts';

export interface Address {
  /** Without a slash at the end. */
  readonly api: string;
  readonly mqtt: string;
}

export class Servers {
  private found: readonly Address[] = [];
  private address: Address;
  private pins = 0;

  constructor(readonly named: Address) {
    this.address = named;
  }

  /** The one to use now. */
  get current(): Address {
    return this.address;
  }

  /** All that is known but the named one, best first. */
  get others(): readonly Address[] {
    return this.found;
  }

  /** This one did not answer, or goes away: the next one in turn is the current one. Who says so of
   * one that has been left already says nothing new. */
  leave(address: Address): void {
    if (address !== this.address || this.pins > 0) return;
    const all = [this.named, ...this.found];
    const index = all.indexOf(address);
    this.address = all[(index + 1) % all.length] ?? this.named;
  }

  /** The current one stays the current one until `unpin`: there is a connection to it. */
  pin(): void {
    this.pins++;
  }

  unpin(): void {
    this.pins--;
  }

  /** Takes the answer of GET /v1/servers. Passed over is what has no address, and what is not
   * encrypted where the named one is: neither do tokens leave what protects them, nor does a page
   * of https get anywhere without. The current one stays, and is followed by the best. */
  take(answer: Json): void {
    const found: Address[] = [];
    const isNew = (one: Address): boolean =>
      ![this.named, this.address, ...found].some((known) => isSame(known, one));
    if (this.address !== this.named) found.push(this.address);
    for (const value of asArray(answer['servers'])) {
      const one = this.addressOf(asObject(value) ?? {});
      if (one && isNew(one) && found.length < SERVERS_FOUND_MAX) found.push(one);
    }
    this.found = found;
  }

  /** A node says what it wants to. Without `http` any other one's API will do; what it has no other
   * way to is beside its API. MQTT without WebSocket is for programs that began so. */
  private addressOf(node: Json): Address | null {
    const http = asString(node['http'])?.replace(/\/+$/, '') ?? null;
    const mqtt = asString(node['mqtt']);
    const isWeb = this.named.mqtt.startsWith('ws');
    const beside = http === null || mqtt !== null ? null : `${http.replace(/^http/, 'ws')}/mqtt`;
    const ws = asString(node['ws']) ?? beside;
    const way = isWeb ? ws : (mqtt ?? ws);
    if (way === null) return null;
    const one = { api: http ?? this.named.api, mqtt: way };
    return isAddress(one) && this.isAsSafe(one) ? one : null;
  }

  private isAsSafe(one: Address): boolean {
    const { api, mqtt } = this.named;
    return (isEncrypted(one.api) || !isEncrypted(api)) &&
      (isEncrypted(one.mqtt) || !isEncrypted(mqtt));
  }
}

function isSame(a: Address, b: Address): boolean {
  return a.api === b.api && a.mqtt === b.mqtt;
}

function isEncrypted(url: string): boolean {
  return /^(https|wss|mqtts):/.test(url);
}

/** Printable ASCII with something behind the scheme, and no user, query or fragment. */
function isAddress({ api, mqtt }: Address): boolean {
  const isUrl = (url: string, schemes: RegExp): boolean =>
    url.length <= SERVER_ADDRESS_MAX_CHARACTERS && schemes.test(url) &&
    /^[a-z]+:\/\/[\x21-\x7e]+$/.test(url) && !/[@?#\\"]/.test(url);
  return isUrl(api, /^https?:/) && isUrl(mqtt, /^(ws|mqtt)s?:/);
}
