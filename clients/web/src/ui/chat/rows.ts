// SPDX-License-Identifier: MIT
// From a timeline's items to the rows of a list: what stands over a message (a day, "new"), which
// messages belong together, how far one's own have come. Pure.
//
// Rule: a row that has not changed is the same object as before, so that it is not rendered again.
import type { Cursor, Handle, MessageItem, TimelineItem } from '../../sdk/index.ts';
import { dayOf, dayTitle } from '../format.ts';

const TOGETHER_MS = 5 * 60_000;

export type Mark = 'waiting' | 'sent' | 'delivered' | 'read' | 'failed' | 'none';

export interface Row {
  readonly key: string;
  readonly item: TimelineItem;
  /** The title of the day that begins here. */
  readonly day: string | null;
  /** Here begins what one had not read. */
  readonly unread: boolean;
  /** First and last of one author's messages in a row. */
  readonly first: boolean;
  readonly last: boolean;
  readonly mark: Mark;
  /** How many of the others have read it. */
  readonly readers: number;
}

export interface RowsInput {
  readonly items: readonly TimelineItem[];
  readonly self: Handle;
  /** Up to where one had read when the conversation was opened; null: nothing is marked. */
  readonly readBefore: number | null;
  readonly cursors: ReadonlyMap<Handle, Cursor>;
  readonly now: number;
}

function belongTogether(a: TimelineItem | undefined, b: TimelineItem | undefined): boolean {
  return (
    a?.type === 'message' &&
    b?.type === 'message' &&
    a.from === b.from &&
    Date.parse(b.at) - Date.parse(a.at) < TOGETHER_MS &&
    dayOf(a.at) === dayOf(b.at)
  );
}

/** How far all of the others have come. */
function reachOf(cursors: ReadonlyMap<Handle, Cursor>, self: Handle) {
  let received = Infinity;
  let read = Infinity;
  const reads: number[] = [];
  for (const [user, cursor] of cursors) {
    if (user === self) continue;
    received = Math.min(received, cursor.received);
    read = Math.min(read, cursor.read);
    reads.push(cursor.read);
  }
  return reads.length > 0 ? { received, read, reads } : { received: 0, read: 0, reads };
}

function markOf(item: MessageItem, reach: { received: number; read: number }): Mark {
  if (!item.own || item.deleted) return 'none';
  if (item.state === 'failed') return 'failed';
  if (item.seq === null || item.state !== 'stored') return 'waiting';
  if (item.seq <= reach.read) return 'read';
  return item.seq <= reach.received ? 'delivered' : 'sent';
}

function sameRow(a: Row, b: Row): boolean {
  return (
    a.item === b.item &&
    a.day === b.day &&
    a.unread === b.unread &&
    a.first === b.first &&
    a.last === b.last &&
    a.mark === b.mark &&
    a.readers === b.readers
  );
}

/** The rows; `old` are those of the last time. */
export function rowsOf(input: RowsInput, old: ReadonlyMap<string, Row>): readonly Row[] {
  const { items, self, readBefore, cursors, now } = input;
  const reach = reachOf(cursors, self);
  const rows: Row[] = [];
  let marked = readBefore === null;
  for (let i = 0; i < items.length; i++) {
    const item = items[i];
    if (!item) continue;
    const previous = items[i - 1];
    const newDay = !previous || dayOf(previous.at) !== dayOf(item.at);
    const foreign = item.type === 'message' && !item.own && !item.deleted;
    const unread = !marked && foreign && item.seq !== null && item.seq > (readBefore ?? 0);
    marked ||= unread;
    const seq = item.seq;
    const row: Row = {
      key: item.key,
      item,
      day: newDay ? dayTitle(item.at, now) : null,
      unread,
      first: newDay || unread || !belongTogether(previous, item),
      last: !belongTogether(item, items[i + 1]),
      mark: item.type === 'message' ? markOf(item, reach) : 'none',
      readers:
        item.type === 'message' && item.own && seq !== null
          ? reach.reads.filter((read) => read >= seq).length
          : 0,
    };
    const before = old.get(row.key);
    rows.push(before && sameRow(before, row) ? before : row);
  }
  return rows;
}
