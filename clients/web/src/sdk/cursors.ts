// SPDX-License-Identifier: MIT
// Says how far one has received and read, when that has come to rest. A cursor is said again until
// the broker has taken it; whether the server has it, the next sync shows (`cursorBehind`).
import { CURSOR_REST_MS } from './limits.ts';
import type { Platform, Timer } from './platform.ts';
import type { Signals } from './signals.ts';
import type { ConversationId, Cursor } from './types.ts';

export class CursorSpeaker {
  private readonly unsaid = new Map<ConversationId, Cursor>();
  private timer: Timer | null = null;
  private isUp = false;

  constructor(
    private readonly platform: Platform,
    private readonly signals: Signals,
  ) {}

  up(): void {
    this.isUp = true;
    this.schedule();
  }

  down(): void {
    this.isUp = false;
    if (this.timer !== null) this.platform.clearTimer(this.timer);
    this.timer = null;
  }

  say(id: ConversationId, cursor: Cursor): void {
    const before = this.unsaid.get(id);
    this.unsaid.set(id, {
      received: Math.max(cursor.received, cursor.read, before?.received ?? 0),
      read: Math.max(cursor.read, before?.read ?? 0),
    });
    this.schedule();
  }

  private schedule(): void {
    if (!this.isUp || this.unsaid.size === 0) return;
    this.timer ??= this.platform.setTimer(() => {
      this.timer = null;
      this.sayAll();
    }, CURSOR_REST_MS);
  }

  private sayAll(): void {
    for (const [id, cursor] of [...this.unsaid]) {
      this.unsaid.delete(id);
      this.signals.say(`send/${id}/cursor`, cursor, (wasTaken) => {
        if (!wasTaken) this.say(id, cursor);
      });
    }
  }
}
