// SPDX-License-Identifier: MIT
// What happened, in words: for the list of conversations and for the notices between messages.
import type { Conversation, Entry, Handle } from '../../sdk/index.ts';
import { nameOf } from '../names.ts';

const who = (handle: Handle, self: Handle) => (handle === self ? 'You' : nameOf(handle));

const whom = (handle: Handle, self: Handle) => (handle === self ? 'you' : nameOf(handle));

function several(handles: readonly Handle[], self: Handle): string {
  const names = handles.slice(0, 4).map((handle) => whom(handle, self));
  const rest = handles.length - names.length;
  if (rest > 0) return `${names.join(', ')} and ${rest} more`;
  const last = names.pop();
  return names.length > 0 ? `${names.join(', ')} and ${last ?? ''}` : (last ?? 'somebody');
}

const ROLES = { owner: 'an owner', admin: 'an admin', member: 'a member', reader: 'a reader' };

/** A sentence about an entry that is no message; empty for what this client does not know. */
export function noticeOf(entry: Entry, self: Handle): string {
  const actor = who(entry.from, self);
  const members = entry.members ?? [];
  switch (entry.kind) {
    case 'created':
      return members.length > 0
        ? `${actor} started this with ${several(members, self)}`
        : `${actor} started this`;
    case 'members_added':
      return `${actor} added ${several(members, self)}`;
    case 'member_removed':
      return `${actor} removed ${several(members, self)}`;
    case 'member_left':
      if (entry.owner === undefined) return `${actor} left`;
      return entry.owner === self
        ? `${actor} left; you are the owner now`
        : `${actor} left; ${nameOf(entry.owner)} is the owner now`;
    case 'member_erased':
      if (entry.owner === undefined) return 'An account was deleted';
      return entry.owner === self
        ? 'An account was deleted; you are the owner now'
        : `An account was deleted; ${nameOf(entry.owner)} is the owner now`;
    case 'joined':
      return `${actor} joined by an invite`;
    case 'renamed':
      if (entry.title === undefined) return `${actor} changed the title`;
      return entry.title ? `${actor} named this “${entry.title}”` : `${actor} took the title away`;
    case 'modified':
      return modification(entry, actor);
    case 'role_changed':
      if (entry.user === undefined) return `${actor} changed a role`;
      return `${actor} made ${whom(entry.user, self)} ${ROLES[entry.role ?? 'member']}`;
    default:
      return '';
  }
}

function modification(entry: Entry, actor: string): string {
  const parts: string[] = [];
  if (entry.public !== undefined) parts.push(`made this ${entry.public ? 'public' : 'private'}`);
  if (entry.posting !== undefined) {
    parts.push(entry.posting === 'all' ? 'let everybody post' : 'let only admins post');
  }
  if (entry.name !== undefined) {
    parts.push(entry.name === null ? 'took the name away' : `gave this the name ${entry.name}`);
  }
  const days = entry.retention_days;
  if (days !== undefined) {
    parts.push(days === null ? 'has messages kept for ever'
      : `has messages erased after ${days} ${days === 1 ? 'day' : 'days'}`);
  }
  return parts.length > 0 ? `${actor} ${parts.join(', ')}` : `${actor} changed something`;
}

/** The second line of a conversation in the list. */
export function previewOf(conversation: Conversation, self: Handle): string {
  const { preview, kind } = conversation;
  if (!preview) return kind === 'direct' ? 'Say hello' : 'Nothing here yet';
  if (preview.kind !== 'text') {
    return noticeOf(
      {
        conversation: conversation.id,
        seq: preview.seq,
        at: preview.at,
        from: preview.from,
        kind: preview.kind,
      },
      self,
    );
  }
  const text = preview.deleted ? 'Message deleted' : (preview.text ?? '');
  if (preview.from === self) return `You: ${text}`;
  return kind === 'direct' ? text : `${nameOf(preview.from)}: ${text}`;
}
