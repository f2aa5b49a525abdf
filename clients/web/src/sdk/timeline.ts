// SPDX-License-Identifier: MIT
// One conversation on the screen. All who have it open share one `OpenConversation`, which lives as
// long as somebody has; nothing of a closed conversation's log stays in memory.
import type { Conversations, Held } from './conversations.ts';
import type { CursorSpeaker } from './cursors.ts';
import { BanterError } from './errors.ts';
import { foldDraft, foldEntry } from './fold.ts';
import type { Timeline } from './interface.ts';
import { Value, type Readable } from './observable.ts';
import type { Outbox } from './outbox.ts';
import type { Platform } from './platform.ts';
import type {
  ConversationId, Cursor, Draft, DraftId, Entry, Handle, OutboxItem, TimelineItem, TimelineView,
} from './types.ts';
import type { Typing } from './typing.ts';
import { Window, type Sources } from './window.ts';

/** What timelines work with. */
export interface Desk {
  readonly platform: Platform;
  readonly self: Handle;
  readonly sources: Sources;
  readonly conversations: Conversations;
  readonly outbox: Outbox;
  readonly outboxItems: Readable<readonly OutboxItem[]>;
  readonly typing: Typing;
  readonly cursors: CursorSpeaker;
  /** How far the members have received and read. */
  memberCursors(id: ConversationId): Promise<ReadonlyMap<Handle, Cursor>>;
}

export class OpenConversation {
  readonly view: Value<TimelineView>;
  readonly cursors = new Value<ReadonlyMap<Handle, Cursor>>(new Map());
  private window: Window | null = null;
  private isLoaded = false;
  private isLoading = false;
  private isShowing = false;
  private readonly stopWatching: () => void;

  constructor(
    private readonly desk: Desk,
    readonly id: ConversationId,
  ) {
    this.view = new Value<TimelineView>({
      conversation: id, items: [], loaded: false, complete: false, loadingOlder: false,
      catchingUp: true,
    });
    this.stopWatching = desk.outboxItems.subscribe(() => this.show());
    this.begin();
    this.showNow();
  }

  /** It is not shown any more. */
  end(): void {
    this.stopWatching();
    this.window = null;
  }

  /** Entries that follow. */
  appended(entries: readonly Entry[]): void {
    if (this.window) this.window.append(entries);
    else this.begin();
    this.show();
  }

  /** The log is taken up after `seq`: what is here does not reach to it. */
  begun(seq: number): void {
    this.window = null;
    this.begin(seq);
    this.show();
  }

  /** Something about the conversation or what is missing of it has changed. */
  changed(): void {
    if (!this.window) this.begin();
    this.show();
  }

  /** One is not in it any more, or it begins anew. */
  dropped(): void {
    this.cursors.set(new Map());
    this.changed();
  }

  /** `chat/{conversation}/cursor` of another member. */
  cursorMoved(from: Handle, cursor: Cursor): void {
    const cursors = new Map(this.cursors.get());
    const before = cursors.get(from) ?? { received: 0, read: 0 };
    cursors.set(from, {
      received: Math.max(before.received, cursor.received),
      read: Math.max(before.read, cursor.read),
    });
    this.cursors.set(cursors);
  }

  /** Live cursors may have been lost: asks for them. */
  async readCursors(): Promise<void> {
    if (!this.held()?.shown?.limits.cursors) return;
    const told = await this.desk.memberCursors(this.id).catch(() => new Map<Handle, Cursor>());
    for (const [user, cursor] of told) {
      if (user !== this.desk.self) this.cursorMoved(user, cursor);
    }
  }

  async loadOlder(): Promise<void> {
    const { window } = this;
    if (!window || this.isLoading || window.isComplete) return;
    this.isLoading = true;
    this.show();
    try {
      await window.loadOlder();
    } finally {
      this.isLoading = false;
      this.isLoaded = true;
      this.show();
      if (this.window !== window) this.load(); // taken up elsewhere meanwhile
    }
  }

  markRead(seq?: number): void {
    const shown = this.held()?.shown;
    const { window } = this;
    if (!shown || !window) return;
    const read = Math.min(seq ?? window.lastSeq, window.lastSeq);
    if (read <= shown.read) return;
    const cursor = { received: Math.max(read, shown.received), read };
    const left = window.covers(read) ? window.fold.textsAfter(read) : undefined;
    this.desk.conversations.moveCursor(this.id, cursor, left);
    this.desk.cursors.say(this.id, cursor);
  }

  /** A message that is in the window. */
  find(seq: number): TimelineItem | undefined {
    return this.window?.fold.find(seq);
  }

  private held(): Held | undefined {
    return this.desk.conversations.get(this.id);
  }

  /** As soon as it is known where the log ends. */
  private begin(after: number | null = this.held()?.order.last ?? null): void {
    const held = this.held();
    if (!held || after === null || this.window) return;
    this.window = new Window(this.desk.sources, held, this.desk.self, after);
    this.isLoaded = this.window.isComplete;
    this.load();
    void this.readCursors();
  }

  /** What fails here is tried again by whoever scrolls. */
  private load(): void {
    this.loadOlder().catch(() => undefined);
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

  private showNow(): void {
    const held = this.held();
    this.view.set({
      conversation: this.id,
      items: this.items(held),
      loaded: this.isLoaded,
      complete: this.window?.isComplete ?? false,
      loadingOlder: this.isLoading,
      catchingUp: !held || held.order.last === null || held.order.behind,
    });
  }

  /** The window, one's own messages whose turn has not come, and those without a receipt. */
  private items(held: Held | undefined): TimelineItem[] {
    const { self } = this.desk;
    const fold = this.window?.fold;
    const mine = this.desk.outboxItems.get().filter((item) => item.target === this.id);
    fold?.setUnsent(mine);
    const ahead = (held?.order.ahead ?? [])
      .filter((entry) => entry.from === self && entry.kind === 'text');
    const isHere = (id: DraftId): boolean =>
      fold?.hasOwn(id) === true || ahead.some((entry) => entry.id === id);
    const drafts = mine.filter((item) => item.draft.kind === 'text' && !isHere(item.id));
    return [
      ...(fold?.view() ?? []),
      ...ahead.map((entry) => foldEntry(self, entry, [])),
      ...drafts.map((item) => foldDraft(self, this.id, item)),
    ];
  }
}

/** What `open` gives: one user's hold on an `OpenConversation`. */
export class TimelineHandle implements Timeline {
  readonly view: Readable<TimelineView>;
  readonly typing: Readable<readonly Handle[]>;
  readonly cursors: Readable<ReadonlyMap<Handle, Cursor>>;
  private isOpen = true;

  constructor(
    private readonly desk: Desk,
    private readonly shared: OpenConversation,
    private readonly release: () => void,
  ) {
    this.view = shared.view;
    this.cursors = shared.cursors;
    this.typing = desk.typing.watch(shared.id);
  }

  async loadOlder(): Promise<void> {
    this.check();
    await this.shared.loadOlder();
  }

  async send(text: string, options: { replyTo?: number } = {}): Promise<DraftId> {
    this.typingEnded();
    const { replyTo } = options;
    return this.post({ kind: 'text', text, ...(replyTo !== undefined && { reply_to: replyTo }) });
  }

  async edit(seq: number, text: string): Promise<DraftId> {
    return this.post({ kind: 'edit', target: seq, text });
  }

  async remove(seq: number): Promise<DraftId> {
    return this.post({ kind: 'delete', target: seq });
  }

  async react(seq: number, emoji: string, on = true): Promise<DraftId> {
    const remove = on ? {} : { remove: true as const };
    return this.post({ kind: 'reaction', target: seq, emoji, ...remove });
  }

  markRead(seq?: number): void {
    if (this.isOpen) this.shared.markRead(seq);
  }

  typingNow(): void {
    const shown = this.desk.conversations.get(this.shared.id)?.shown;
    if (!this.isOpen || !shown?.limits.typing || shown.role === 'reader') return;
    this.desk.typing.now(this.shared.id);
  }

  typingEnded(): void {
    this.desk.typing.ended(this.shared.id);
  }

  close(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.typingEnded();
    this.release();
  }

  private post(draft: Draft): Promise<DraftId> {
    this.check();
    return this.desk.outbox.post(this.shared.id, draft);
  }

  private check(): void {
    if (!this.isOpen) throw new BanterError('aborted', 'the timeline has been closed');
  }
}
