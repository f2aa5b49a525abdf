// SPDX-License-Identifier: MIT
// Users: profiles, pictures, who is there.
import { queryOf, type Api } from './api.ts';
import { toBanterError } from './errors.ts';
import { bodyOf } from './http.ts';
import type { People } from './interface.ts';
import { asArray } from './json.ts';
import { PROFILE_CACHE_MAX, PROFILE_FRESH_MS } from './limits.ts';
import { Value, type Readable } from './observable.ts';
import type { Platform } from './platform.ts';
import type { Presences } from './presence.ts';
import type { FoundUser, Handle, Presence, Profile, ProfileChange } from './types.ts';

interface Kept {
  readonly profile: Promise<Profile>;
  readonly at: number;
}

export class AccountPeople implements People {
  readonly self = new Value<Profile | undefined>(undefined, {
    begin: () => this.readSelf(),
    end: () => undefined,
  });
  private readonly profiles = new Map<Handle, Kept>(); // the oldest first

  constructor(
    private readonly platform: Platform,
    private readonly api: Api,
    private readonly user: Handle,
    private readonly presences: Presences,
    /** Says what this device is, now and after each connecting. */
    private readonly sayPresence: (state: 'online' | 'away' | 'hidden') => void,
  ) {}

  profile(user: Handle = this.user): Promise<Profile> {
    const kept = this.profiles.get(user);
    if (kept && this.platform.now() - kept.at < PROFILE_FRESH_MS) return kept.profile;
    const profile = this.ask(`/v1/users/${encodeURIComponent(user)}`);
    this.keep(user, profile);
    profile.catch(() => this.profiles.delete(user)); // failures are not kept
    return profile;
  }

  async modifyProfile(change: ProfileChange): Promise<Profile> {
    const answer = await this.api.call({ method: 'PATCH', path: '/v1/me', json: change });
    const profile = bodyOf(answer) as unknown as Profile;
    this.keep(this.user, Promise.resolve(profile));
    this.self.set(profile);
    return profile;
  }

  async setAvatar(picture: Uint8Array): Promise<string> {
    const path = '/v1/me/avatar';
    const headers = { 'Content-Type': 'application/octet-stream' };
    const answer = await this.api.call({ method: 'PUT', path, headers, bytes: picture });
    this.changed();
    return String(bodyOf(answer)['avatar']);
  }

  async removeAvatar(): Promise<void> {
    await this.api.call({ method: 'DELETE', path: '/v1/me/avatar' });
    this.changed();
  }

  /** One's own profile is another one now. */
  changed(): void {
    this.profiles.delete(this.user);
    if (this.self.watched || this.self.get()) this.readSelf();
  }

  async avatar(user: Handle): Promise<{ bytes: Uint8Array; type: string } | undefined> {
    const path = `/v1/users/${encodeURIComponent(user)}/avatar`;
    try {
      const { bytes, header } = await this.api.call({ method: 'GET', path, binary: true });
      return { bytes, type: header('Content-Type') ?? 'application/octet-stream' };
    } catch (thrown) {
      if (toBanterError(thrown).code === 'not_found') return undefined;
      throw thrown;
    }
  }

  async search(query: string, limit?: number): Promise<{
    users: readonly FoundUser[];
    more: boolean;
  }> {
    const page = await this.api.get(`/v1/users?${queryOf({ search: query, limit })}`);
    return { users: asArray(page['users']) as readonly FoundUser[], more: page['more'] === true };
  }

  presence(user: Handle): Readable<Presence> {
    return this.presences.watch(user);
  }

  setPresence(state: 'online' | 'away' | 'hidden'): void {
    this.sayPresence(state);
  }

  private readSelf(): void {
    this.profile().then((profile) => this.self.set(profile), () => undefined);
  }

  private async ask(path: string): Promise<Profile> {
    return (await this.api.get(path)) as unknown as Profile;
  }

  private keep(user: Handle, profile: Promise<Profile>): void {
    this.profiles.delete(user);
    this.profiles.set(user, { profile, at: this.platform.now() });
    for (const oldest of this.profiles.keys()) {
      if (this.profiles.size <= PROFILE_CACHE_MAX) break;
      this.profiles.delete(oldest);
    }
  }
}
