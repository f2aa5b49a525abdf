// SPDX-License-Identifier: MIT
// Entries as they come from outside: checked before anything trusts their shape.
import { asObject, type Json } from './json.ts';
import type { Draft, DraftId, Entry, Handle } from './types.ts';

/** What each member that is known must be, if it is there. */
const MEMBERS: { readonly [member: string]: (value: unknown) => boolean } = {
  id: isString,
  text: isString,
  reply_to: isSeq,
  target: isSeq,
  emoji: isString,
  remove: isBoolean,
  deleted: isBoolean,
  members: (value) => Array.isArray(value) && value.every(isString),
  title: (value) => value === null || isString(value),
  owner: isString,
  user: isString,
  role: isString,
  name: (value) => value === null || isString(value),
  public: isBoolean,
  posting: isString,
  retention_days: (value) => value === null || isSeq(value),
  edited_at: isString,
  reactions: (value) => Object.values(asObject(value) ?? { broken: null }).every(isReaction),
};

/** Undefined for what is no entry. Members of a wrong type, which no server sends, make it none. */
export function asEntry(value: unknown): Entry | undefined {
  const entry = asObject(value);
  if (!entry || !hasHead(entry)) return undefined;
  for (const [member, fits] of Object.entries(MEMBERS)) {
    if (entry[member] !== undefined && !fits(entry[member])) return undefined;
  }
  return entry as unknown as Entry;
}

/** The entry that a draft of one's own has become. */
export function entryOfDraft(
  stored: { conversation: string; seq: number; at: string },
  from: Handle,
  id: DraftId,
  draft: Draft,
): Entry {
  const { conversation, seq, at } = stored;
  return { conversation, seq, at, from, id, ...draft };
}

/** Changes of messages are not shown themselves. */
export function isChange(entry: Entry): boolean {
  return entry.kind === 'edit' || entry.kind === 'delete' || entry.kind === 'reaction';
}

function hasHead(entry: Json): boolean {
  return isString(entry['conversation']) && isSeq(entry['seq']) && isString(entry['at']) &&
    isString(entry['from']) && isString(entry['kind']);
}

function isString(value: unknown): boolean {
  return typeof value === 'string';
}

function isBoolean(value: unknown): boolean {
  return typeof value === 'boolean';
}

function isSeq(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}

function isReaction(value: unknown): boolean {
  const reaction = asObject(value);
  return reaction !== undefined && isSeq(reaction['count']) && Array.isArray(reaction['users']) &&
    reaction['users'].every(isString);
}
