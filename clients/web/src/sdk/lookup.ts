// SPDX-License-Identifier: MIT
// Single messages and their surroundings, as they are now, wherever in the log: the server folds
// them, for here one would need everything that came after.
import { queryOf, type Api } from './api.ts';
import { isChange } from './entry.ts';
import { foldEntry } from './fold.ts';
import { asArray, asCount, asString } from './json.ts';
import { AROUND_ENTRIES, MESSAGE_CACHE_MAX } from './limits.ts';
import type {
  ConversationId, Entry, Handle, Hit, HitPage, MessageQuery, TimelineItem,
} from './types.ts';

export class Lookup {
  /** The oldest first. */
  private readonly kept = new Map<string, Promise<TimelineItem | undefined>>();

  constructor(
    private readonly api: Api,
    private readonly self: Handle,
  ) {}

  message(conversation: ConversationId, seq: number): Promise<TimelineItem | undefined> {
    const key = keyOf(conversation, seq);
    const kept = this.kept.get(key);
    if (kept) return kept;
    const item = this.askForOne(conversation, seq);
    this.kept.set(key, item);
    item.catch(() => this.kept.delete(key)); // failures are not kept
    for (const oldest of this.kept.keys()) {
      if (this.kept.size <= MESSAGE_CACHE_MAX) break;
      this.kept.delete(oldest);
    }
    return item;
  }

  async around(conversation: ConversationId, seq: number): Promise<readonly TimelineItem[]> {
    const limit = AROUND_ENTRIES;
    const [upTo, after] = await Promise.all([
      this.api.history(conversation, { before: seq + 1, limit: limit + 1, view: 'folded' }),
      this.api.history(conversation, { after: seq, limit, view: 'folded' }),
    ]);
    return [...upTo.entries, ...after.entries].map((entry) => foldEntry(this.self, entry, []));
  }

  async search(query: MessageQuery): Promise<HitPage> {
    const { query: q, ...rest } = query;
    const page = await this.api.get(`/v1/search?${queryOf({ q, ...rest })}`);
    const next = asString(page['next']);
    return {
      hits: asArray(page['hits']) as readonly Hit[],
      pending: asCount(page['pending']) ?? 0,
      more: page['more'] === true,
      ...(next !== null && { next }),
    };
  }

  /** What was kept of a message that has changed is wrong now. */
  forget(entries: readonly Entry[]): void {
    if (this.kept.size === 0) return;
    for (const entry of entries) {
      if (isChange(entry)) this.kept.delete(keyOf(entry.conversation, entry.target ?? 0));
    }
  }

  /** Nothing that was kept of it holds any more. */
  drop(conversation: ConversationId): void {
    for (const key of [...this.kept.keys()]) {
      if (key.startsWith(keyOf(conversation, ''))) this.kept.delete(key);
    }
  }

  private async askForOne(
    conversation: ConversationId,
    seq: number,
  ): Promise<TimelineItem | undefined> {
    const query = { after: seq - 1, limit: 1, view: 'folded' } as const;
    const [entry] = (await this.api.history(conversation, query)).entries;
    return entry?.seq === seq ? foldEntry(this.self, entry, []) : undefined;
  }
}

function keyOf(conversation: ConversationId, seq: number | ''): string {
  return `${conversation} ${seq}`;
}
