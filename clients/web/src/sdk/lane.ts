// SPDX-License-Identifier: MIT
// The drafts of one conversation on their way, and what each receipt does to them. Pure: it
// decides, outbox.ts acts.
//
// The server keeps the order of what it takes. What it refuses in passing it wants again before all
// that followed; so after such a refusal the lane goes back to its first draft without a receipt,
// and sends everything from there again, under the same ids: what had been stored already is not
// stored twice.
import { isTransient, type BanterError } from './errors.ts';
import type { Code, Draft, DraftId, OutboxItem, Refusal } from './types.ts';

/** A draft in a lane. `number` orders the drafts of a device. */
export interface Letter {
  readonly id: DraftId;
  target: string;
  readonly draft: Draft;
  readonly at: string;
  readonly number: number;
  /** It lies in the store: only then may it be sent. */
  isStored: boolean;
  /** It was sent once, so it may be in the log by now. */
  wasSent: boolean;
  /** When it was sent on this connection; null: it waits. */
  flownAt: number | null;
  error: Refusal | null;
}

/** What a receipt means for a draft. `rewind`: send again from the first one. */
export type Outcome = 'stored' | 'failed' | 'rewind' | 'unknown';

/** These pass, too, for a lane: when what stands before it is stored, or with a new connection. */
const PASSING: ReadonlySet<Code> = new Set<Code>(['out_of_order', 'unauthorized']);

export class Lane {
  /** In the order in which they were written. Those in flight come first: nothing overtakes. */
  private readonly line: Letter[] = [];
  /** How many of them are in flight. */
  private flown = 0;
  /** Nothing is sent before this moment. */
  pausedUntil = 0;
  /** The last thing heard was a refusal in passing: one draft finds out whether it has passed. */
  isProbing = false;

  get letters(): readonly Letter[] {
    return this.line;
  }

  /** How many are in flight. */
  get flying(): number {
    return this.flown;
  }

  /** How long the texts in flight are. */
  get flyingCharacters(): number {
    let characters = 0;
    for (let i = 0; i < this.flown; i++) characters += lengthOf(this.line[i]);
    return characters;
  }

  /** The next one that may be sent, or undefined. */
  next(): Letter | undefined {
    const waiting = this.line[this.flown];
    return waiting?.isStored ? waiting : undefined;
  }

  /** `next()` is being sent. */
  send(now: number): void {
    const letter = this.line[this.flown++];
    if (letter) letter.flownAt = now;
  }

  /** When the oldest draft in flight was sent, or null. */
  get flyingSince(): number | null {
    return this.flown > 0 ? (this.line[0]?.flownAt ?? null) : null;
  }

  add(letter: Letter): void {
    letter.flownAt = null;
    let place = this.line.length;
    while (place > this.flown && (this.line[place - 1]?.number ?? 0) > letter.number) place--;
    this.line.splice(place, 0, letter);
  }

  remove(letter: Letter): void {
    const place = this.line.indexOf(letter);
    if (place < 0) return;
    this.line.splice(place, 1);
    if (place < this.flown) this.flown--;
  }

  /** All that is in flight waits again. */
  rewind(): void {
    for (const letter of this.line.slice(0, this.flown)) letter.flownAt = null;
    this.flown = 0;
  }

  /** What a refusal of `letter` comes to. */
  refuse(letter: Letter, error: BanterError): Outcome {
    if (!PASSING.has(error.code) && !isTransient(error.code)) {
      letter.error = { code: error.code, reason: error.reason };
      return 'failed';
    }
    // The lane went back already; this is what had been in flight behind the one refused.
    return letter.flownAt === null ? 'unknown' : 'rewind';
  }
}

/** Of a draft's text; most others have none. */
export function lengthOf(letter: Letter | undefined): number {
  return letter && 'text' in letter.draft ? letter.draft.text.length : 0;
}

/** As others see it. */
export function itemOf(letter: Letter): OutboxItem {
  const { id, target, draft, at, error } = letter;
  const isWaiting = letter.isStored && letter.flownAt === null;
  const state = error ? 'failed' : isWaiting ? 'waiting' : 'sending';
  return { id, target, draft, at, state, error };
}
