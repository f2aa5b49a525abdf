// SPDX-License-Identifier: MIT
// Fetches what is missing: one sync after each `me/ready`, then, conversation by conversation, the
// entries of gaps and what has become stale.
//
// Why the order matters: live delivery begins with `me/ready`, so a sync asked for after it meets
// the live entries without a hole. What `me/event` says while the sync is under way is newer than
// its answer, and wins.
import type { Api } from './api.ts';
import { Backoff } from './backoff.ts';
import type { Conversations, Held } from './conversations.ts';
import { asConversation } from './details.ts';
import { asEntry } from './entry.ts';
import { isTransient, toBanterError, type BanterError } from './errors.ts';
import { asArray, asObject, type Json } from './json.ts';
import type { Keys } from './keys.ts';
import {
  FILLS_MAX, GAP_MAX_ENTRIES, PAGE_ENTRIES, PAGE_MAX_ENTRIES, SYNC_ENTRIES, SYNC_MAX_CURSORS,
  SYNC_TRIES,
} from './limits.ts';
import type { Platform } from './platform.ts';
import type { Records } from './records.ts';
import { Sleeper } from './sleeper.ts';
import type { Conversation, ConversationId, Entry } from './types.ts';

/** How far the logs were here when a sync was asked for. */
type Cursors = { readonly [id: ConversationId]: number };

export class CatchUp {
  /** Counts connections; 0 while there is none. Work of an earlier one gives up. */
  private connection = 0;
  private connections = 0;
  private syncing = false;
  /** Whose membership changed while a sync was under way. */
  private readonly touched = new Set<ConversationId>();
  private readonly waiting = new Set<ConversationId>();
  private readonly working = new Set<ConversationId>();
  private readonly sleeper: Sleeper;

  constructor(
    private readonly platform: Platform,
    private readonly api: Api,
    private readonly records: Records,
    private readonly keys: Keys,
    private readonly conversations: Conversations,
    /** The server gives no sync, though there is a connection. */
    private readonly despair: () => void,
  ) {
    this.sleeper = new Sleeper(platform);
  }

  /** After `me/ready`: reads what was missed. Resolves with true when the sync has been taken in,
   * with false when the connection has ended before. Never rejects. */
  async online(): Promise<boolean> {
    const connection = (this.connection = ++this.connections);
    this.syncing = true;
    this.touched.clear();
    const isFirst = (await this.records.get(this.keys.synced())) === undefined;
    const answer = await this.untilDone(connection, () => this.askForSync());
    if (connection !== this.connection) return false;
    if (answer) this.takeSync(answer.told, answer.cursors, isFirst);
    this.syncing = false;
    for (const held of this.conversations.all()) this.need(held);
    return true;
  }

  offline(): void {
    this.connection = 0;
    this.syncing = false;
    this.waiting.clear();
    this.sleeper.wake();
  }

  /** A membership has begun, changed or ended. */
  touch(id: ConversationId): void {
    if (this.syncing) this.touched.add(id);
  }

  /** Fetches what is missing of a conversation, if anything is. */
  need(held: Held): void {
    if (this.connection === 0 || this.syncing || !isIncomplete(held)) return;
    this.waiting.add(held.id);
    this.work();
  }

  /** Makes sure that a conversation that one has just come into is known; waits for it. */
  async ensure(id: ConversationId): Promise<void> {
    this.touch(id);
    const held = this.conversations.hold(id);
    if (held.shown) return;
    this.conversations.added(id);
    await this.refresh(held);
    this.need(held);
  }

  /** Asks for one conversation, whether anything is missing of it or not. */
  async learn(id: ConversationId): Promise<void> {
    const held = this.conversations.get(id);
    if (held) await this.refresh(held);
  }

  private work(): void {
    for (const id of this.waiting) {
      if (this.working.size >= FILLS_MAX) return;
      const held = this.conversations.get(id);
      if (this.working.has(id)) continue;
      this.waiting.delete(id);
      if (!held) continue;
      this.working.add(id);
      void this.complete(held, this.connection).finally(() => {
        this.working.delete(id);
        if (this.conversations.get(id) === held) this.need(held);
        this.work();
      });
    }
  }

  /** Never rejects. */
  private async complete(held: Held, connection: number): Promise<void> {
    await this.untilDone(connection, async () => {
      while (isIncomplete(held) && this.conversations.get(held.id) === held) {
        if (connection !== this.connection) return true;
        if (held.stale) await this.refresh(held);
        else await this.fill(held);
      }
      return true;
    }, held);
  }

  private async refresh(held: Held): Promise<void> {
    held.stale = false; // whoever doubts from here on doubts the answer, too
    const { last } = held.order;
    const path = `/v1/conversations/${encodeURIComponent(held.id)}`;
    const answer = await this.api.get(path).catch((error: unknown) => {
      held.stale = true;
      throw error;
    });
    const told = asConversation({ retention_days: null, ...answer });
    if (!told || this.conversations.get(held.id) !== held) return;
    if (told.lastSeq < (last ?? 0)) return this.takeUpAnew(told);
    this.conversations.tell(held, told);
    // Into a short log one reads from its beginning, of a long one the end.
    const isShort = told.lastSeq <= SYNC_ENTRIES;
    if (held.order.last === null && isShort) this.conversations.begin(held, 0, true);
  }

  private async fill(held: Held): Promise<void> {
    const { last, head } = held.order;
    if (last === null || head - last > GAP_MAX_ENTRIES) return this.jump(held);
    const limit = Math.min(head - last, PAGE_MAX_ENTRIES);
    const page = await this.api.history(held.id, { after: last, limit });
    if (this.conversations.get(held.id) !== held) return;
    this.conversations.offerAll(held, page.entries, true);
    // Should the server not have what it spoke of, asking again would never end.
    if (held.order.last === last && !page.more) held.order.settle();
  }

  /** Goes on with the newest entries. */
  private async jump(held: Held): Promise<void> {
    const isNew = held.order.last === null;
    const page = await this.api.history(held.id, { limit: PAGE_ENTRIES });
    if (this.conversations.get(held.id) !== held) return;
    const first = page.entries[0]?.seq ?? held.order.head + 1;
    this.conversations.begin(held, first - 1, !isNew);
    this.conversations.offerAll(held, page.entries, !isNew);
    held.stale ||= !isNew; // what changed in between is in no entry that was read
  }

  /** The server has less of the log than it had told of before: it was restored from a backup, and
   * what is here of it may never have been. The log goes on from where it ends now. */
  private takeUpAnew(told: Conversation): void {
    this.conversations.drop(told.id);
    const held = this.conversations.hold(told.id); // stale: what came meanwhile was taken for old
    this.conversations.tell(held, told);
    this.conversations.begin(held, told.lastSeq, false);
  }

  private async askForSync(): Promise<{ told: Json; cursors: Cursors }> {
    const known = this.conversations.all().filter((held) => held.order.last !== null);
    known.sort((a, b) => (a.activeAt < b.activeAt ? 1 : -1));
    const cursors: Record<ConversationId, number> = {};
    for (const { id, order } of known.slice(0, SYNC_MAX_CURSORS)) cursors[id] = order.last ?? 0;
    return { told: await this.api.sync(cursors, SYNC_ENTRIES), cursors };
  }

  private takeSync(answer: Json, cursors: Cursors, isFirst: boolean): void {
    const mentioned = new Set<ConversationId>();
    for (const value of asArray(answer['conversations'])) {
      const told = asConversation(value);
      if (!told) continue;
      mentioned.add(told.id);
      const held = this.conversations.get(told.id);
      if (this.touched.has(told.id)) {
        if (held) this.conversations.doubt(held); // ended or changed meanwhile: ask again
        continue;
      }
      if (told.lastSeq < (cursors[told.id] ?? 0)) {
        this.takeUpAnew(told);
        continue;
      }
      this.takeOne(held ?? this.conversations.hold(told.id), asObject(value) ?? {}, isFirst);
    }
    for (const { id } of this.conversations.all()) {
      if (!mentioned.has(id) && !this.touched.has(id)) this.conversations.drop(id);
    }
    if (isFirst) this.records.put(this.keys.synced(), true);
  }

  private takeOne(held: Held, value: Json, isFirst: boolean): void {
    const told = asConversation(value);
    if (!told) return;
    const entries = asArray(value['entries']).map(asEntry).filter((entry) => entry !== undefined);
    held.stale = false;
    held.activeAt ||= asEntry(value['preview'])?.at ?? '';
    this.conversations.tell(held, told);
    const isNew = held.order.last === null;
    if (isNew) this.conversations.begin(held, firstOf(entries, told.lastSeq) - 1, !isFirst);
    // So many are missing that the log will be taken up at its end: these would be before a hole.
    if (told.lastSeq - (held.order.last ?? 0) > GAP_MAX_ENTRIES) return;
    this.conversations.offerAll(held, entries, !(isFirst && isNew));
  }

  /** Tries until it works, the connection is another one, or it cannot work. */
  private async untilDone<T>(
    connection: number,
    work: () => Promise<T>,
    held?: Held,
  ): Promise<T | undefined> {
    const backoff = new Backoff(() => this.platform.random());
    let tries = 0;
    while (connection === this.connection) {
      try {
        return await work();
      } catch (thrown) {
        const error = toBanterError(thrown);
        if (!isTransient(error.code)) return this.giveUp(error, held);
        if (!held && error.code !== 'rate_limited' && ++tries === SYNC_TRIES) this.despair();
        await this.sleeper.sleep(backoff.next(error.retryAfterMs));
      }
    }
    return undefined;
  }

  private giveUp(error: BanterError, held?: Held): undefined {
    if (held && error.code === 'not_found') this.conversations.drop(held.id);
    else if (error.code !== 'unauthorized') this.platform.report(error);
    if (!held) return undefined;
    // Nothing more will come of asking: it stays as it is until somebody speaks of it again.
    held.stale = false;
    if (held.order.last === null) this.conversations.begin(held, held.order.head, false);
    held.order.settle();
    return undefined;
  }
}

function isIncomplete(held: Held): boolean {
  return held.stale || held.order.last === null || held.order.behind;
}

function firstOf(entries: readonly Entry[], lastSeq: number): number {
  return entries[0]?.seq ?? lastSeq + 1;
}
