// SPDX-License-Identifier: MIT
// Who is typing where: said while it lasts, and shown until it ends or was last said too long ago.
import { TYPING_HOLDS_MS, TYPING_IDLE_MS, TYPING_REPEAT_MS } from './limits.ts';
import { Value, type Readable } from './observable.ts';
import type { Platform, Timer } from './platform.ts';
import type { Signals } from './signals.ts';
import type { ConversationId, Handle } from './types.ts';

/** What a lost "stop" costs. */
const SHOWN_MS = TYPING_HOLDS_MS + 1_000;

interface Own {
  saidAt: number;
  idle: Timer;
}

export class Typing {
  private readonly shown = new Map<ConversationId, Value<readonly Handle[]>>();
  private readonly others = new Map<ConversationId, Map<Handle, Timer>>();
  private readonly own = new Map<ConversationId, Own>();

  constructor(
    private readonly platform: Platform,
    private readonly signals: Signals,
  ) {}

  /** Who else is typing in a conversation. */
  watch(id: ConversationId): Readable<readonly Handle[]> {
    return this.value(id);
  }

  /** Somebody said so. */
  heard(id: ConversationId, from: Handle, isTyping: boolean): void {
    let typists = this.others.get(id);
    if (!typists) this.others.set(id, (typists = new Map()));
    const before = typists.get(from);
    if (before === undefined && !isTyping) return;
    if (before !== undefined) this.platform.clearTimer(before);
    if (isTyping) {
      const end = this.platform.setTimer(() => this.heard(id, from, false), SHOWN_MS);
      typists.set(from, end);
    } else {
      typists.delete(from);
    }
    if (typists.size === 0) this.others.delete(id);
    if ((before !== undefined) !== isTyping) this.value(id).set([...typists.keys()]);
  }

  /** One pressed a key. */
  now(id: ConversationId): void {
    const before = this.own.get(id);
    const now = this.platform.now();
    if (before) this.platform.clearTimer(before.idle);
    const idle = this.platform.setTimer(() => this.ended(id), TYPING_IDLE_MS);
    const isDue = !before || now - before.saidAt >= TYPING_REPEAT_MS;
    this.own.set(id, { saidAt: isDue ? now : before.saidAt, idle });
    if (isDue) this.signals.say(`send/${id}/typing`, { state: 'start' });
  }

  ended(id: ConversationId): void {
    const own = this.own.get(id);
    if (!own) return;
    this.platform.clearTimer(own.idle);
    this.own.delete(id);
    this.signals.say(`send/${id}/typing`, { state: 'stop' });
  }

  /** The connection is gone, and with it all that was heard. */
  down(): void {
    for (const [id, typists] of [...this.others]) {
      for (const from of [...typists.keys()]) this.heard(id, from, false);
    }
    for (const { idle } of this.own.values()) this.platform.clearTimer(idle);
    this.own.clear();
  }

  private value(id: ConversationId): Value<readonly Handle[]> {
    let value = this.shown.get(id);
    if (!value) this.shown.set(id, (value = new Value<readonly Handle[]>([])));
    return value;
  }
}
