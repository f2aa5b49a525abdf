// SPDX-License-Identifier: MIT
// Drafts on their way. A draft is in the store before it is sent, and stays there until its receipt
// has come (or its entry, which says the same): a reload, a crash or a lost answer costs nothing,
// for it is sent again with the same id.
//
// Each device has an outbox of its own, so that one program sends it and in order; the outboxes of
// tabs that are gone are adopted (tabs.ts).
import { Backoff } from './backoff.ts';
import { checkDraft, letterOf, rowOf } from './draft.ts';
import { entryOfDraft } from './entry.ts';
import { BanterError } from './errors.ts';
import type { Keys } from './keys.ts';
import { itemOf, Lane, lengthOf, type Letter } from './lane.ts';
import {
  OUTBOX_BACKOFF_LAST_MS, OUTBOX_FLYING_CHARACTERS, OUTBOX_FLYING_MAX, OUTBOX_FLYING_PER_LANE,
  OUTBOX_MAX_DRAFTS, RECEIPT_TIMEOUT_MS, TABS_MAX,
} from './limits.ts';
import type { Value } from './observable.ts';
import type { Platform, Timer } from './platform.ts';
import type { Records } from './records.ts';
import type { Row } from './store.ts';
import type { ConversationId, Draft, DraftId, Entry, Handle, OutboxItem, Time } from './types.ts';

/** `me/receipt`, read. */
export interface Receipt {
  readonly id: DraftId;
  /** In a refusal as the draft's topic had it. */
  readonly conversation: string;
  readonly stored: { readonly seq: number; readonly at: Time } | null;
  readonly error: BanterError | null;
}

/** What the outbox works with. */
export interface Mail {
  /** Publishes; rejected when the connection ends. */
  publish(topic: string, payload: string): Promise<number>;
  /** One of the drafts is in the log. */
  stored(entry: Entry): void;
  /** The server waits for a draft that nobody has: only a new connection helps. */
  dropConnection(): void;
}

/** Those of all tabs. */
const ROWS_MAX = OUTBOX_MAX_DRAFTS * TABS_MAX;
/** What is in flight in all lanes. */
interface Flight {
  count: number;
  characters: number;
}

/** While the direct conversation with a user is not known its drafts go one by one. */
const isHandle = (target: string): boolean => target.startsWith('@');

export class Outbox {
  private readonly lanes = new Map<string, Lane>();
  /** All that are in a lane. */
  private readonly letters = new Map<DraftId, Letter>();
  private readonly failed: Letter[] = [];
  private readonly backoffs = new Map<string, Backoff>();
  private items = new Map<Letter, OutboxItem>();
  private isUp = false;
  private isShowing = false;
  private lastNumber = 0;
  private timer: Timer | null = null;

  constructor(
    private readonly platform: Platform,
    private readonly records: Records,
    private readonly keys: Keys,
    private readonly self: Handle,
    private readonly device: string,
    private readonly shown: Value<readonly OutboxItem[]>,
    private readonly mail: Mail,
  ) {}

  /** Reads this device's drafts from the store. */
  async restore(): Promise<void> {
    for (const [key, row] of await this.records.range(this.keys.drafts(), ROWS_MAX)) {
      const { device, number } = this.keys.draftOf(key);
      const letter = letterOf(row, number);
      if (letter && device === this.device) this.place(letter);
    }
    this.showNow();
  }

  /** Takes over the drafts of a device that is gone, after one's own. */
  async adopt(rows: readonly Row[]): Promise<void> {
    for (const [key, row] of rows) {
      const letter = letterOf(row, this.nextNumber());
      this.records.remove(key);
      if (!letter) continue;
      this.records.put(this.keys.draft(this.device, letter.number), rowOf(letter));
      this.place(letter);
    }
    await this.records.flush();
    this.show();
    this.pump();
  }

  /** Resolves when the draft is stored here; from then on it will be sent. */
  async post(target: string, draft: Draft): Promise<DraftId> {
    checkDraft(draft);
    if (this.letters.size + this.failed.length >= OUTBOX_MAX_DRAFTS) {
      throw new BanterError('limit_reached', `${OUTBOX_MAX_DRAFTS} drafts are waiting`);
    }
    const letter: Letter = {
      id: this.platform.uuid(), target, draft, at: this.time(), number: this.nextNumber(),
      isStored: false, wasSent: false, flownAt: null, error: null,
    };
    this.place(letter);
    this.show();
    await this.store(letter);
    this.pump();
    return letter.id;
  }

  /** A failed draft goes to the end of its lane. */
  async retry(id: DraftId): Promise<void> {
    const letter = this.failed.find((failed) => failed.id === id);
    if (!letter) throw new BanterError('not_found', 'there is no such failed draft');
    this.forget(letter);
    // Under an id that was taken by another text it could never be stored.
    const isTaken = letter.error?.code === 'conflict';
    const again: Letter = {
      ...letter,
      id: isTaken ? this.platform.uuid() : letter.id,
      number: this.nextNumber(),
      isStored: false,
      flownAt: null,
      error: null,
    };
    this.place(again);
    this.show();
    await this.store(again);
    this.pump();
  }

  /** False: it may be stored by now. */
  async discard(id: DraftId): Promise<boolean> {
    const letter = this.failed.find((failed) => failed.id === id) ?? this.letters.get(id);
    if (!letter) throw new BanterError('not_found', 'there is no such draft');
    if (!letter.error && letter.wasSent) return false;
    this.forget(letter);
    this.show();
    await this.records.flush();
    this.pump();
    return true;
  }

  /** There is a connection: everything without a receipt is sent again, oldest first. */
  up(): void {
    this.isUp = true;
    for (const lane of this.lanes.values()) lane.pausedUntil = 0;
    this.backoffs.clear();
    this.pump();
  }

  down(): void {
    this.isUp = false;
    for (const lane of this.lanes.values()) lane.rewind();
    if (this.timer !== null) this.platform.clearTimer(this.timer);
    this.timer = null;
    this.show();
  }

  takeReceipt(receipt: Receipt): void {
    const letter = this.letters.get(receipt.id);
    if (receipt.stored) {
      const { conversation, stored: { seq, at }, id } = receipt;
      if (!letter) return; // told before, by the entry itself
      this.mail.stored(entryOfDraft({ conversation, seq, at }, this.self, id, letter.draft));
      this.settle(letter, conversation);
    } else if (letter && receipt.error) {
      this.refused(letter, receipt.error);
    }
    this.show();
    this.pump();
  }

  /** An entry of the log has come: if it was a draft here, that is as good as a receipt. */
  takeEntry(entry: Entry): void {
    if (entry.from !== this.self || entry.id === undefined) return;
    const letter = this.letters.get(entry.id);
    if (!letter || (letter.target !== entry.conversation && !isHandle(letter.target))) return;
    this.settle(letter, entry.conversation);
    this.show();
    this.pump();
  }

  private settle(letter: Letter, conversation: ConversationId): void {
    this.backoffs.delete(letter.target);
    this.lane(letter.target).isProbing = false;
    this.forget(letter);
    if (letter.target !== conversation) this.rename(letter.target, conversation);
  }

  private refused(letter: Letter, error: BanterError): void {
    const lane = this.lane(letter.target);
    const isFirst = lane.letters[0] === letter;
    switch (lane.refuse(letter, error)) {
      case 'failed':
        lane.isProbing = false;
        lane.remove(letter);
        this.letters.delete(letter.id);
        this.failed.push(letter);
        this.records.put(this.keys.draft(this.device, letter.number), rowOf(letter));
        break;
      case 'rewind':
        lane.rewind();
        lane.isProbing = true;
        lane.pausedUntil = this.platform.now() + this.wait(letter.target, error.retryAfterMs);
        // Nothing stands before the first one, yet the server misses something.
        if (isFirst && error.code === 'out_of_order') this.mail.dropConnection();
        break;
      default:
        break;
    }
  }

  /** Sends what may be sent, and sees to it that it looks again in time. */
  private pump(): void {
    if (!this.isUp) return;
    const now = this.platform.now();
    const flight: Flight = { count: 0, characters: 0 };
    for (const [target, lane] of this.lanes) {
      if (lane.letters.length === 0) this.lanes.delete(target);
      const since = lane.flyingSince;
      if (since !== null && now - since >= RECEIPT_TIMEOUT_MS) lane.rewind();
      flight.count += lane.flying;
      flight.characters += lane.flyingCharacters;
    }
    for (const [target, lane] of this.lanes) {
      if (flight.count >= OUTBOX_FLYING_MAX) break;
      if (lane.pausedUntil <= now) this.sendLane(target, lane, now, flight);
    }
    this.wakeLater(now);
    this.show();
  }

  private sendLane(target: string, lane: Lane, now: number, flight: Flight): void {
    const most = isHandle(target) || lane.isProbing ? 1 : OUTBOX_FLYING_PER_LANE;
    for (;;) {
      const letter = lane.next();
      if (!letter || lane.flying >= most || !hasRoomFor(letter, flight)) return;
      lane.send(now);
      flight.count++;
      flight.characters += lengthOf(letter);
      if (!letter.wasSent) {
        letter.wasSent = true;
        this.records.put(this.keys.draft(this.device, letter.number), rowOf(letter));
      }
      // An acknowledgement says nothing about the draft; its receipt does, or the connection's end.
      this.mail
        .publish(`send/${target}`, JSON.stringify({ id: letter.id, ...letter.draft }))
        .catch(() => undefined);
    }
  }

  private wakeLater(now: number): void {
    let next = Number.POSITIVE_INFINITY;
    for (const lane of this.lanes.values()) {
      if (lane.pausedUntil > now) next = Math.min(next, lane.pausedUntil);
      if (lane.flyingSince !== null) next = Math.min(next, lane.flyingSince + RECEIPT_TIMEOUT_MS);
    }
    if (this.timer !== null) this.platform.clearTimer(this.timer);
    this.timer = null;
    if (next === Number.POSITIVE_INFINITY) return;
    this.timer = this.platform.setTimer(() => {
      this.timer = null;
      this.pump();
    }, Math.max(1, next - now));
  }

  /** The direct conversation with a user is known now: their drafts go there. */
  private rename(handle: string, conversation: ConversationId): void {
    const lane = this.lanes.get(handle);
    this.lanes.delete(handle);
    for (const letter of lane?.letters ?? []) {
      letter.target = conversation; // the same object: somebody may be storing it right now
      this.records.put(this.keys.draft(this.device, letter.number), rowOf(letter));
      this.place(letter);
    }
  }

  private place(letter: Letter): void {
    this.lastNumber = Math.max(this.lastNumber, letter.number);
    if (letter.error) {
      this.failed.push(letter);
      return;
    }
    this.letters.set(letter.id, letter);
    this.lane(letter.target).add(letter);
  }

  private async store(letter: Letter): Promise<void> {
    this.records.put(this.keys.draft(this.device, letter.number), rowOf(letter));
    try {
      await this.records.flush();
      letter.isStored = true;
      this.show();
    } catch (error) {
      this.forget(letter);
      this.pump();
      this.show();
      const reason = error instanceof Error ? error.message : String(error);
      throw new BanterError('internal', `the draft could not be stored: ${reason}`);
    }
  }

  private forget(letter: Letter): void {
    this.lanes.get(letter.target)?.remove(letter);
    this.letters.delete(letter.id);
    const place = this.failed.indexOf(letter);
    if (place >= 0) this.failed.splice(place, 1);
    this.records.remove(this.keys.draft(this.device, letter.number));
  }

  private lane(target: string): Lane {
    let lane = this.lanes.get(target);
    if (!lane) this.lanes.set(target, (lane = new Lane()));
    return lane;
  }

  private wait(target: string, retryAfterMs: number | null): number {
    let backoff = this.backoffs.get(target);
    if (!backoff) {
      backoff = new Backoff(() => this.platform.random(), OUTBOX_BACKOFF_LAST_MS);
      this.backoffs.set(target, backoff);
    }
    return backoff.next(retryAfterMs);
  }

  /** Rises with time, so that what several tabs wrote keeps its order. */
  private nextNumber(): number {
    this.lastNumber = Math.max(this.lastNumber + 1, this.platform.now());
    return this.lastNumber;
  }

  private time(): Time {
    return new Date(this.platform.now()).toISOString();
  }

  /** Once for all changes of a turn. */
  private show(): void {
    if (this.isShowing) return;
    this.isShowing = true;
    void Promise.resolve().then(() => {
      this.isShowing = false;
      this.showNow();
    });
  }

  /** Items that did not change stay the same objects. */
  private showNow(): void {
    const letters = [...this.letters.values(), ...this.failed];
    letters.sort((a, b) => a.number - b.number);
    const items = new Map<Letter, OutboxItem>();
    for (const letter of letters) {
      const item = itemOf(letter);
      const before = this.items.get(letter);
      items.set(letter, before && isSame(before, item) ? before : item);
    }
    const before = this.shown.get();
    this.items = items;
    const now = [...items.values()];
    if (now.length !== before.length || now.some((item, i) => item !== before[i])) {
      this.shown.set(now);
    }
  }
}

/** One may always fly, however long it is. */
function hasRoomFor(letter: Letter, { count, characters }: Flight): boolean {
  if (count === 0) return true;
  return count < OUTBOX_FLYING_MAX && characters + lengthOf(letter) <= OUTBOX_FLYING_CHARACTERS;
}

function isSame(a: OutboxItem, b: OutboxItem): boolean {
  return a.state === b.state && a.error === b.error && a.target === b.target;
}
