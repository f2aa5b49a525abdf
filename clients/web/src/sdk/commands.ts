// SPDX-License-Identifier: MIT
// Commands over HTTP, where each has its answer. What they change comes back as entries and events
// as well; only what the server tells nobody (a mute) is noted here.
import { queryOf, type Api } from './api.ts';
import type { CatchUp } from './catch_up.ts';
import type { Conversations } from './conversations.ts';
import { bodyOf, type Http } from './http.ts';
import type { Commands } from './interface.ts';
import { asArray, asCount, asString, type Json } from './json.ts';
import { PAGE_MAX_ENTRIES } from './limits.ts';
import type {
  Block, ConversationId, DeviceLogin, Handle, Invite, InviteView, ListedInvite, Member, Posting,
  PushRegistration, PushTarget, Role, Time,
} from './types.ts';

/** Needs no login. */
export async function lookAtInvite(http: Http, invite: string): Promise<InviteView> {
  const path = `/join/${encodeURIComponent(invite)}`;
  const headers = { Accept: 'application/json' };
  return bodyOf(await http.call({ method: 'GET', path, headers })) as unknown as InviteView;
}

export class AccountCommands implements Commands {
  constructor(
    private readonly http: Http,
    private readonly api: Api,
    private readonly conversations: Conversations,
    private readonly catchUp: CatchUp,
  ) {}

  async createDirect(user: Handle): Promise<ConversationId> {
    return this.enter(await this.api.control('createDirect', { user }));
  }

  async createGroup(title: string | null, members: readonly Handle[]): Promise<ConversationId> {
    const named = title === null ? {} : { title };
    return this.enter(await this.api.control('createGroup', { ...named, members }));
  }

  async createChannel(channel: {
    title: string;
    name?: string;
    public?: boolean;
    posting?: Posting;
  }): Promise<ConversationId> {
    return this.enter(await this.api.control('createChannel', channel));
  }

  async modifyConversation(conversation: ConversationId, change: {
    title?: string | null;
    name?: string | null;
    public?: boolean;
    posting?: Posting;
    retention_days?: number | null;
  }): Promise<void> {
    await this.api.control('modifyConversation', { conversation, ...change });
  }

  async learn(conversation: ConversationId): Promise<void> {
    await this.catchUp.learn(conversation);
  }

  async deleteConversation(conversation: ConversationId): Promise<void> {
    await this.api.control('deleteConversation', { conversation });
    this.conversations.drop(conversation);
  }

  async addMembers(
    conversation: ConversationId,
    members: readonly Handle[],
  ): Promise<readonly Handle[]> {
    const data = await this.api.control('addMembers', { conversation, members });
    return asArray(data['added']) as readonly Handle[];
  }

  async removeMember(conversation: ConversationId, user: Handle): Promise<void> {
    await this.api.control('removeMember', { conversation, user });
  }

  async setRole(conversation: ConversationId, user: Handle, role: Role): Promise<void> {
    await this.api.control('setRole', { conversation, user, role });
  }

  async leave(conversation: ConversationId): Promise<void> {
    await this.api.control('leave', { conversation });
    this.conversations.drop(conversation);
  }

  async listMembers(conversation: ConversationId, after?: Handle): Promise<{
    members: readonly Member[];
    more: boolean;
  }> {
    const query = queryOf({ after, limit: PAGE_MAX_ENTRIES });
    const path = `/v1/conversations/${encodeURIComponent(conversation)}/members?${query}`;
    const page = await this.api.get(path);
    return { members: asArray(page['members']) as readonly Member[], more: page['more'] === true };
  }

  async join(
    by: { conversation: ConversationId } | { name: string } | { invite: string },
  ): Promise<ConversationId> {
    return this.enter(await this.api.control('join', by));
  }

  async createInvite(
    conversation: ConversationId,
    bounds: { expiresIn?: number; uses?: number } = {},
  ): Promise<Invite> {
    const { expiresIn, uses } = bounds;
    const wanted = { conversation, expires_in: expiresIn ?? null, uses: uses ?? null };
    return (await this.api.control('createInvite', wanted)) as unknown as Invite;
  }

  lookAtInvite(invite: string): Promise<InviteView> {
    return lookAtInvite(this.http, invite);
  }

  async listInvites(conversation: ConversationId, after?: string): Promise<{
    invites: readonly ListedInvite[];
    more: boolean;
  }> {
    const from = after === undefined ? {} : { after };
    const wanted = { conversation, ...from, limit: PAGE_MAX_ENTRIES };
    const page = await this.api.control('listInvites', wanted);
    const invites = asArray(page['invites']) as readonly ListedInvite[];
    return { invites, more: page['more'] === true };
  }

  async revokeInvite(by: { id: string } | { invite: string }): Promise<void> {
    await this.api.control('revokeInvite', by);
  }

  async revokeInvites(conversation: ConversationId): Promise<number> {
    const data = await this.api.control('revokeInvite', { conversation });
    return asCount(data['revoked']) ?? 0;
  }

  async mute(conversation: ConversationId, until: Time | null): Promise<void> {
    const data = await this.api.control('mute', { conversation, until });
    const held = this.conversations.get(conversation);
    const mutedUntil = asString(data['muted_until']);
    if (held) this.conversations.reshow(held, { mutedUntil });
  }

  async block(user: Handle): Promise<void> {
    await this.api.control('block', { user });
  }

  async unblock(user: Handle): Promise<void> {
    await this.api.control('unblock', { user });
  }

  async listBlocks(after?: Handle): Promise<{ blocks: readonly Block[]; more: boolean }> {
    const from = after === undefined ? {} : { after };
    const page = await this.api.control('listBlocks', { ...from, limit: PAGE_MAX_ENTRIES });
    return { blocks: asArray(page['blocks']) as readonly Block[], more: page['more'] === true };
  }

  async listDevices(): Promise<readonly DeviceLogin[]> {
    const data = await this.api.get('/v1/devices');
    return asArray(data['devices']) as readonly DeviceLogin[];
  }

  async revokeDevice(device: string): Promise<number> {
    const data = await this.api.control('revokeDevice', { device });
    return asCount(data['revoked']) ?? 0;
  }

  async registerPush(target: PushTarget): Promise<string> {
    return String((await this.api.control('registerPush', target))['registration']);
  }

  async unregisterPush(registration: string): Promise<void> {
    await this.api.control('unregisterPush', { registration });
  }

  async listPush(): Promise<readonly PushRegistration[]> {
    const data = await this.api.control('listPush');
    return asArray(data['registrations']) as readonly PushRegistration[];
  }

  async webPushKey(): Promise<string> {
    return String((await this.api.get('/v1/push/vapid'))['key']);
  }

  /** One is in a conversation now: it is known here before the caller goes on. */
  private async enter(data: Json): Promise<ConversationId> {
    const id = String(data['conversation']);
    // If that fails it is done all the same, and shown as soon as the server can be asked.
    await this.catchUp.ensure(id).catch(() => undefined);
    return id;
  }
}
