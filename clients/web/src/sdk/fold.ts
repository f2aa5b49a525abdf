// SPDX-License-Identifier: MIT
// What the log comes to: messages as they are now, from the entries of a window that has no holes.
//
// A change (edit, deletion, reaction) always comes after its message. So a window that reaches to
// the end of the log has all changes of the messages in it, and what is folded here is exact,
// however far back one has read. Changes of older messages wait until those are loaded.
import { isChange } from './entry.ts';
import { REACTION_MAX_EMOJIS, REACTION_MAX_USERS } from './limits.ts';
import type {
  Change, DraftId, Entry, Handle, MessageItem, OutboxItem, Reaction, Refusal, TimelineItem,
} from './types.ts';

/** The entries of a window, folded. Items that did not change stay the same objects. */
export class Fold {
  /** Messages and notices, oldest first. */
  private readonly shown: Entry[] = [];
  private readonly changes = new Map<number, Entry[]>();
  /** What `shown` comes to, in the same places; what has changed since is in `outdated`. */
  private items: TimelineItem[] = [];
  private readonly outdated = new Set<number>();
  private readonly ownIds = new Set<string>();
  private unsent = new Map<number, OutboxItem[]>();

  constructor(private readonly self: Handle) {}

  /** Entries that follow those that are here. */
  append(entries: readonly Entry[]): void {
    for (const entry of entries) {
      if (isChange(entry)) this.changesOf(entry).push(entry);
      else this.items[this.shown.push(this.noteId(entry)) - 1] = this.fold(entry);
    }
  }

  /** Entries that come before those that are here. */
  prepend(entries: readonly Entry[]): void {
    const messages = entries.filter((entry) => !isChange(entry));
    for (const entry of [...entries].reverse()) {
      if (isChange(entry)) this.changesOf(entry).unshift(entry);
    }
    this.shown.unshift(...messages.map((entry) => this.noteId(entry)));
    this.items = [...messages.map((entry) => this.fold(entry)), ...this.items];
  }

  /** One's own changes without a receipt, of whatever message. */
  setUnsent(changes: readonly OutboxItem[]): void {
    const before = this.unsent;
    this.unsent = new Map();
    for (const change of changes) {
      const target = targetOf(change);
      if (target !== null) this.unsent.set(target, [...(this.unsent.get(target) ?? []), change]);
    }
    for (const target of new Set([...before.keys(), ...this.unsent.keys()])) {
      if (!sameItems(before.get(target), this.unsent.get(target))) this.outdated.add(target);
    }
  }

  /** How many messages and notices there are. */
  get size(): number {
    return this.shown.length;
  }

  /** All of it, as it is now. */
  view(): TimelineItem[] {
    this.refresh();
    return this.items.slice();
  }

  /** One of them. */
  find(seq: number): TimelineItem | undefined {
    this.refresh();
    return this.items[this.placeOf(seq)];
  }

  /** One's own message of this id is here. */
  hasOwn(id: DraftId): boolean {
    return this.ownIds.has(id);
  }

  /** Texts of others after `seq` that are not deleted. */
  textsAfter(seq: number): number {
    this.refresh();
    let count = 0;
    for (let i = this.items.length - 1; i >= 0; i--) {
      const item = this.items[i];
      if (!item || (item.seq ?? 0) <= seq) break;
      if (item.type === 'message' && !item.own && !item.deleted) count++;
    }
    return count;
  }

  private noteId(entry: Entry): Entry {
    if (entry.from === this.self && entry.id !== undefined) this.ownIds.add(entry.id);
    return entry;
  }

  private changesOf(change: Entry): Entry[] {
    const target = change.target ?? 0;
    this.outdated.add(target);
    let changes = this.changes.get(target);
    if (!changes) this.changes.set(target, (changes = []));
    return changes;
  }

  private refresh(): void {
    for (const seq of this.outdated) {
      const place = this.placeOf(seq);
      const entry = this.shown[place];
      if (entry) this.items[place] = this.fold(entry);
    }
    this.outdated.clear();
  }

  private fold(entry: Entry): TimelineItem {
    const { seq } = entry;
    return foldEntry(this.self, entry, this.changes.get(seq) ?? [], this.unsent.get(seq) ?? []);
  }

  /** Where in `shown` a `seq` is; -1: nowhere. */
  private placeOf(seq: number): number {
    let low = 0;
    let high = this.shown.length - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const found = this.shown[middle]?.seq ?? 0;
      if (found === seq) return middle;
      if (found < seq) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }
}

/** One entry with its changes in the order of the log, and one's own that are not stored yet. */
export function foldEntry(
  self: Handle,
  entry: Entry,
  changes: readonly Entry[],
  unsent: readonly OutboxItem[] = [],
): TimelineItem {
  const { conversation, seq, from, at } = entry;
  if (entry.kind !== 'text') {
    return { type: 'notice', key: `#${seq}`, conversation, seq, from, at, entry };
  }
  const wanted = unsent.filter((item) => item.state !== 'failed').map(asChangeBy(self, entry));
  const all = [...changes, ...wanted];
  const deleted = entry.deleted === true || all.some((change) => change.kind === 'delete');
  const edit = all.filter((change) => change.kind === 'edit' && change.text !== undefined).at(-1);
  return {
    type: 'message',
    key: keyOf(from, entry.id ?? `#${seq}`),
    id: entry.id ?? '',
    conversation,
    seq,
    from,
    at,
    own: from === self,
    text: deleted ? null : (edit?.text ?? entry.text ?? ''),
    deleted,
    editedAt: deleted ? null : (edit?.at ?? entry.edited_at ?? null),
    replyTo: entry.reply_to ?? null,
    reactions: deleted ? [] : reactionsOf(self, entry, all),
    state: 'stored',
    error: null,
    changes: unsent.map(changeOf),
  };
}

/** A message of one's own that has no `seq` yet. */
export function foldDraft(self: Handle, conversation: string, item: OutboxItem): MessageItem {
  const text = item.draft.kind === 'text' ? item.draft.text : null;
  const replyTo = item.draft.kind === 'text' ? (item.draft.reply_to ?? null) : null;
  const { id, at, state, error } = item;
  return {
    type: 'message', key: keyOf(self, id), id, conversation, seq: null, from: self, at, own: true,
    text, deleted: false, editedAt: null, replyTo, reactions: [], state, error, changes: [],
  };
}

function keyOf(from: Handle, id: string): string {
  return `${from} ${id}`;
}

/** The message's reactions as the server folded them, if it did, and then what `changes` did. */
function reactionsOf(self: Handle, entry: Entry, changes: readonly Entry[]): Reaction[] {
  const byEmoji = new Map<string, { users: Set<Handle>; unnamed: number; own: boolean }>();
  for (const [emoji, folded] of Object.entries(entry.reactions ?? {})) {
    const users = new Set(folded.users);
    const own = folded.own === true;
    byEmoji.set(emoji, { users, unnamed: Math.max(0, folded.count - users.size), own });
  }
  for (const { kind, emoji, from, remove } of changes) {
    if (kind !== 'reaction' || emoji === undefined) continue;
    let reaction = byEmoji.get(emoji);
    if (!reaction) byEmoji.set(emoji, (reaction = { users: new Set(), unnamed: 0, own: false }));
    if (remove) reaction.users.delete(from);
    else reaction.users.add(from);
    if (from === self) reaction.own = !remove;
  }
  return [...byEmoji]
    .map(([emoji, { users, unnamed, own }]) => ({
      emoji,
      count: users.size + unnamed,
      users: [...users].slice(0, REACTION_MAX_USERS),
      own,
    }))
    .filter((reaction) => reaction.count > 0)
    .slice(0, REACTION_MAX_EMOJIS);
}

/** A draft as the entry that it is going to be. */
function asChangeBy(self: Handle, message: Entry): (item: OutboxItem) => Entry {
  const { conversation, seq } = message;
  return ({ id, at, draft }) => ({ conversation, seq, at, from: self, id, ...draft });
}

function changeOf(item: OutboxItem): Change {
  const { id, state, draft } = item;
  const error: Refusal | null = item.error;
  return {
    id,
    kind: draft.kind === 'text' ? 'edit' : draft.kind, // targetOf() lets no text come so far
    state,
    error,
    text: draft.kind === 'edit' ? draft.text : null,
    emoji: draft.kind === 'reaction' ? draft.emoji : null,
  };
}

function targetOf(item: OutboxItem): number | null {
  return item.draft.kind === 'text' ? null : item.draft.target;
}

function sameItems(a: readonly OutboxItem[] = [], b: readonly OutboxItem[] = []): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i]);
}
