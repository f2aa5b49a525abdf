// SPDX-License-Identifier: MIT
// The user's conversations: which there are, how each looks in a list, and their logs coming in.
//
// Rule: whatever brings entries (live, receipts, syncs, history) offers them to the conversation's
// `Order`; only what that lets through in its turn is stored, counted and passed on. What is then
// missing is catch_up.ts's to fetch.
import { merge, withEntry } from './details.ts';
import { asCount, asObject, type Json } from './json.ts';
import type { Keys } from './keys.ts';
import { DAY_MS, STORED_MAX_ENTRIES } from './limits.ts';
import { Value, type Readable } from './observable.ts';
import { Order } from './order.ts';
import type { Platform } from './platform.ts';
import type { Records } from './records.ts';
import type { Conversation, ConversationId, Cursor, Entry, Handle, Role } from './types.ts';

/** Conversations in the store; no user has so many. */
const RESTORED_MAX = 100_000;
/** How often entries beyond `STORED_MAX_ENTRIES` are looked for, in entries. */
const TRIM_EVERY = 50;

/** One conversation, as long as one is in it. */
export interface Held {
  readonly id: ConversationId;
  readonly order: Order;
  /** Undefined until the server has told of it. */
  shown: Conversation | undefined;
  /** Up to which `seq` `shown.unread` counts. */
  counted: number;
  /** When it was last active: moves it up in the list. */
  activeAt: string;
  /** What is shown may be wrong: ask the server. */
  stale: boolean;
}

/** Who has to know what becomes of the logs. */
export interface LogListener {
  /** These follow what was there. `fresh` false: they are no news, only new to this store. */
  appended(id: ConversationId, entries: readonly Entry[], fresh: boolean): void;
  /** The log begins, or goes on, after `seq`; what was missing before that is not coming. */
  begun(id: ConversationId, seq: number): void;
  /** One is not in it any more. */
  dropped(id: ConversationId): void;
  /** The server knows less of one's cursors than this device. */
  cursorBehind(id: ConversationId, cursor: Cursor): void;
  /** Something is missing or stale. */
  incomplete(held: Held): void;
}

export class Conversations {
  private readonly helds = new Map<ConversationId, Held>();
  private readonly values = new Map<ConversationId, Value<Conversation | undefined>>();
  private listing = false;

  constructor(
    private readonly platform: Platform,
    private readonly records: Records,
    private readonly keys: Keys,
    private readonly self: Handle,
    private readonly list: Value<readonly Conversation[]>,
    private readonly listener: LogListener,
  ) {}

  /** Reads them from the store. */
  async restore(): Promise<void> {
    for (const [, value] of await this.records.range(this.keys.conversations(), RESTORED_MAX)) {
      const row = asObject(value) ?? {};
      const shown = asObject(row['shown']) as Conversation | undefined;
      if (!shown) continue;
      const held = this.hold(shown.id);
      held.shown = shown;
      held.counted = asCount(row['counted']) ?? 0;
      held.activeAt = String(row['activeAt']);
      held.order.begin(asCount(row['last']) ?? 0);
      this.value(held.id).set(shown);
      this.eraseOld(held);
    }
    this.relist();
  }

  get(id: ConversationId): Held | undefined {
    return this.helds.get(id);
  }

  all(): Held[] {
    return [...this.helds.values()];
  }

  watch(id: ConversationId): Readable<Conversation | undefined> {
    return this.value(id);
  }

  /** The one that is held already, or a new one of which nothing is known. */
  hold(id: ConversationId): Held {
    let held = this.helds.get(id);
    if (!held) {
      held = {
        id, order: new Order(), shown: undefined, counted: 0, activeAt: '', stale: true,
      };
      this.helds.set(id, held);
    }
    return held;
  }

  /** An entry has come, from wherever. */
  offer(entry: Entry): void {
    const held = this.hold(entry.conversation);
    this.apply(held, held.order.offer(entry), true);
    if (held.stale || held.order.behind) this.listener.incomplete(held);
  }

  /** Entries of one conversation that were asked for. */
  offerAll(held: Held, entries: readonly Entry[], fresh: boolean): void {
    this.apply(held, entries.flatMap((entry) => held.order.offer(entry)), fresh);
  }

  /** The log is taken up after `seq`, without what came before. */
  begin(held: Held, seq: number, fresh: boolean): void {
    const before = held.order.last;
    const ripe = held.order.begin(seq);
    if (before !== null && before >= seq) return;
    if (before !== null) this.records.clear(this.keys.entries(held.id)); // a hole is of no use
    this.changed(held);
    this.listener.begun(held.id, seq);
    this.apply(held, ripe, fresh);
  }

  /** The server told how it is. */
  tell(held: Held, told: Conversation): void {
    const known = held.shown;
    held.order.note(told.lastSeq);
    held.shown = known ? merge(known, told, held.counted) : told;
    const { received, read } = held.shown;
    if (received > told.received || read > told.read) {
      this.listener.cursorBehind(held.id, { received, read });
    }
    // What the server counted with an old cursor was not taken: then each entry counts as it comes.
    if (read === told.read) held.counted = Math.max(held.counted, told.lastSeq);
    held.activeAt = latest(held.activeAt, held.shown.preview?.at ?? '');
    this.changed(held);
    this.eraseOld(held);
  }

  /** One's own cursors moved, here or on another device. `unread`: what is left, if it is known. */
  moveCursor(id: ConversationId, cursor: Cursor, unread?: number): void {
    const held = this.helds.get(id);
    const shown = held?.shown;
    if (!held || !shown) return;
    const read = Math.max(shown.read, cursor.read);
    const received = Math.max(shown.received, cursor.received, read);
    if (read === shown.read && received === shown.received) return;
    const left = read === shown.read ? shown.unread : read >= shown.lastSeq ? 0 : unread;
    if (left === undefined) this.doubt(held); // how many are left, the server counts
    held.shown = { ...shown, read, received, unread: left ?? shown.unread };
    this.changed(held);
  }

  /** `me/event` says that one is in it now. */
  added(id: ConversationId): void {
    const held = this.hold(id);
    held.activeAt = latest(held.activeAt, new Date(this.platform.now()).toISOString());
    this.doubt(held);
  }

  roleChanged(id: ConversationId, role: Role): void {
    const held = this.helds.get(id);
    if (held?.shown) this.reshow(held, { role });
  }

  /** Something that only this user sees of it has changed. */
  reshow(held: Held, change: Partial<Conversation>): void {
    if (!held.shown) return;
    held.shown = { ...held.shown, ...change };
    this.changed(held);
  }

  /** One is not in it any more: nothing of it is kept. */
  drop(id: ConversationId): void {
    if (!this.helds.delete(id)) return;
    this.records.clear(this.keys.entries(id));
    this.records.remove(this.keys.conversation(id));
    this.value(id).set(undefined);
    this.relist();
    this.listener.dropped(id);
  }

  /** What is shown may be wrong. */
  doubt(held: Held): void {
    held.stale = true;
    this.listener.incomplete(held);
  }

  /** Keeps entries that were read for a timeline, unless they are too old to be kept. */
  keep(held: Held, entries: readonly Entry[]): void {
    if (this.helds.get(held.id) !== held) return; // it was asked for before it was dropped
    const oldest = (held.order.last ?? 0) - STORED_MAX_ENTRIES;
    for (const entry of entries) {
      if (entry.seq > oldest) this.records.put(this.keys.entry(held.id, entry.seq), entry);
    }
  }

  private apply(held: Held, entries: readonly Entry[], fresh: boolean): void {
    const last = entries.at(-1);
    if (!last) return;
    for (const entry of entries) this.applyOne(held, entry);
    this.changed(held);
    this.listener.appended(held.id, entries, fresh);
    if (entries.some((entry) => entry.kind === 'member_erased')) this.forgetLog(held, last.seq);
  }

  /**
   * A user has been erased: what is kept of the log may have their words and their handle, and only
   * the server knows where. So it is read anew, as far as somebody looks.
   */
  private forgetLog(held: Held, last: number): void {
    this.records.clear(this.keys.entries(held.id));
    this.listener.begun(held.id, last);
    this.doubt(held);
  }

  private applyOne(held: Held, entry: Entry): void {
    this.records.put(this.keys.entry(held.id, entry.seq), entry);
    if (entry.seq % TRIM_EVERY === 0 && entry.seq > STORED_MAX_ENTRIES) {
      const { id } = held;
      this.records.clear(this.keys.entries(id, 0, entry.seq - STORED_MAX_ENTRIES + 1));
    }
    const counts = entry.seq > held.counted;
    held.counted = Math.max(held.counted, entry.seq);
    if (entry.kind === 'delete' && entry.target !== undefined) this.forgetText(held, entry.target);
    if (!held.shown) return;
    const { read, unread } = held.shown;
    held.shown = withEntry(held.shown, entry, this.self, counts);
    held.activeAt = latest(held.activeAt, held.shown.preview?.at ?? '');
    const mayBeUnread = counts && entry.kind === 'delete' && (entry.target ?? 0) > read;
    if (mayBeUnread && unread > 0) this.doubt(held);
  }

  /** What was deleted on the server goes from here, too: the text, and those of its edits. */
  private forgetText(held: Held, target: number): void {
    const rows = this.records.range(this.keys.entries(held.id, target), STORED_MAX_ENTRIES * 2);
    rows
      .then((found) => {
        for (const [key, value] of found) {
          const { text, ...rest } = value as Json & { text?: string };
          const concerns = rest['seq'] === target || rest['target'] === target;
          if (text !== undefined && concerns) this.records.put(key, { ...rest, deleted: true });
        }
      })
      .catch((error: unknown) => this.platform.report(error));
  }

  /** Texts whose time has run out on the server go from here, too: nothing tells of each. */
  private eraseOld(held: Held): void {
    const days = held.shown?.retentionDays;
    if (!days) return;
    const before = new Date(this.platform.now() - days * DAY_MS).toISOString();
    this.records
      .range(this.keys.entries(held.id), STORED_MAX_ENTRIES * 2)
      .then((rows) => {
        if (this.helds.get(held.id) !== held) return;
        const times = new Map(rows.map(([, value]) => timeOf(value as Json)));
        for (const [key, value] of rows) {
          const { text, ...rest } = value as Json & { text?: string };
          const [seq, at] = timeOf(rest);
          const since = times.get(Number(rest['target'] ?? seq)) ?? at; // of the message edited
          if (text === undefined || since >= before) continue;
          this.records.put(key, { ...rest, deleted: true });
        }
      })
      .catch((error: unknown) => this.platform.report(error));
  }

  private changed(held: Held): void {
    if (!held.shown) return;
    const { shown, counted, activeAt } = held;
    const last = held.order.last ?? 0;
    this.records.put(this.keys.conversation(held.id), { shown, counted, activeAt, last });
    this.value(held.id).set(shown);
    this.relist();
  }

  private value(id: ConversationId): Value<Conversation | undefined> {
    let value = this.values.get(id);
    if (!value) this.values.set(id, (value = new Value<Conversation | undefined>(undefined)));
    return value;
  }

  /** Sorts the list anew, once for all changes of a turn. */
  private relist(): void {
    if (this.listing) return;
    this.listing = true;
    void Promise.resolve().then(() => {
      this.listing = false;
      const helds = this.all().filter((held) => held.shown !== undefined);
      helds.sort((a, b) => (a.activeAt < b.activeAt ? 1 : a.activeAt > b.activeAt ? -1 : 0));
      this.list.set(helds.map((held) => held.shown as Conversation));
    });
  }
}

function timeOf(entry: Json): [seq: number, at: string] {
  return [Number(entry['seq']), String(entry['at'])];
}

/** The later of two times as the server writes them, which sort as text. */
function latest(a: string, b: string): string {
  return a > b ? a : b;
}
