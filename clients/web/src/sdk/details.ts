// SPDX-License-Identifier: MIT
// A conversation as the server tells it (in syncs, lists and alone), and what entries and one's own
// reading do to it. Pure: an object in, an object out.
import { asEntry, isChange } from './entry.ts';
import { asCount, asObject, asString, type Json } from './json.ts';
import { PREVIEW_MAX_CHARACTERS, UNREAD_MAX } from './limits.ts';
import type {
  Conversation, ConversationKind, ConversationLimits, Entry, Handle, Posting, Preview, Role,
} from './types.ts';

const NO_LIMITS: ConversationLimits = {
  members: 1, text_characters: 100_000, typing: false, presence: false, cursors: false,
};

/** Undefined for what is no conversation. */
export function asConversation(value: unknown): Conversation | undefined {
  const told = asObject(value);
  const id = asString(told?.['conversation']);
  if (!told || id === null) return undefined;
  return {
    id,
    kind: (asString(told['kind']) ?? 'group') as ConversationKind,
    title: asString(told['title']),
    user: asString(told['user']),
    name: asString(told['name']),
    public: told['public'] === true,
    posting: asString(told['posting']) as Posting | null,
    role: (asString(told['role']) ?? 'reader') as Role,
    limits: (asObject(told['limits']) as ConversationLimits | undefined) ?? NO_LIMITS,
    lastSeq: asCount(told['last_seq']) ?? 0,
    received: asCount(told['received']) ?? 0,
    read: asCount(told['read']) ?? 0,
    unread: asCount(told['unread']) ?? 0,
    mutedUntil: asString(told['muted_until']),
    preview: previewTold(told),
    ...('retention_days' in told && { retentionDays: asCount(told['retention_days']) }),
  };
}

/** What is known here and what the server told of an earlier or later moment, as one. `counted`: up
 * to which `seq` the known `unread` counts. */
export function merge(known: Conversation, told: Conversation, counted: number): Conversation {
  const read = Math.max(known.read, told.read);
  const lastSeq = Math.max(known.lastSeq, told.lastSeq);
  const isCounted = told.lastSeq >= counted && told.read === read;
  const [newer, older] = told.lastSeq >= known.lastSeq ? [told, known] : [known, told];
  return {
    ...keptDays(older), // syncs do not tell it
    ...newer,
    lastSeq,
    received: Math.max(known.received, told.received),
    read,
    unread: read >= lastSeq ? 0 : isCounted ? told.unread : known.unread,
    preview: newest(known.preview, told.preview),
  };
}

function keptDays({ retentionDays }: Conversation): Partial<Conversation> {
  return retentionDays === undefined ? {} : { retentionDays };
}

/** After one more entry. `counts`: it may be unread, because nobody has counted it yet. */
export function withEntry(
  conversation: Conversation,
  entry: Entry,
  self: Handle,
  counts: boolean,
): Conversation {
  const isUnread = counts && entry.kind === 'text' && entry.from !== self && !entry.deleted &&
    entry.seq > conversation.read;
  return {
    ...conversation,
    ...changeBy(entry, self),
    lastSeq: Math.max(conversation.lastSeq, entry.seq),
    unread: isUnread ? Math.min(conversation.unread + 1, UNREAD_MAX) : conversation.unread,
    preview: previewAfter(conversation.preview, entry),
  };
}

/** The text cut to what a list shows, between characters. */
export function cutText(text: string): string {
  // No character takes more than two units, so this much is enough to look at.
  const characters = Array.from(text.slice(0, PREVIEW_MAX_CHARACTERS * 2));
  return characters.slice(0, PREVIEW_MAX_CHARACTERS).join('');
}

function changeBy(entry: Entry, self: Handle): Partial<Conversation> {
  switch (entry.kind) {
    case 'renamed':
      return { title: entry.title ?? null };
    case 'modified':
      return {
        ...(entry.name !== undefined && { name: entry.name }),
        ...(entry.public !== undefined && { public: entry.public }),
        ...(entry.posting !== undefined && { posting: entry.posting }),
        ...(entry.retention_days !== undefined && { retentionDays: entry.retention_days }),
      };
    case 'role_changed':
      return entry.user === self && entry.role ? { role: entry.role } : {};
    default:
      return {};
  }
}

function previewAfter(preview: Preview | null, entry: Entry): Preview | null {
  if (!isChange(entry)) return newest(preview, previewOf(entry));
  if (!preview || preview.seq !== entry.target) return preview;
  if (entry.kind === 'delete') return { ...preview, text: null, deleted: true };
  if (entry.kind === 'edit' && entry.text !== undefined && !preview.deleted) {
    return { ...preview, text: cutText(entry.text) };
  }
  return preview;
}

function previewOf(entry: Entry): Preview {
  const { seq, from, at, kind } = entry;
  const deleted = entry.deleted === true;
  const text = deleted || entry.text === undefined ? null : cutText(entry.text);
  return { seq, from, at, kind, text, deleted };
}

/** A change is nothing to show: then the entries that come with it tell. */
function previewTold(told: Json): Preview | null {
  const entry = asEntry(told['preview']);
  return entry && !isChange(entry) ? previewOf(entry) : null;
}

/** Of the same entry the later word counts: it may have been edited. */
function newest(a: Preview | null, b: Preview | null): Preview | null {
  if (!a || !b) return a ?? b;
  return b.seq >= a.seq ? b : a;
}
