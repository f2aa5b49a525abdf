// SPDX-License-Identifier: MIT
// The messages, as a list that stays where the reader is: at its end while they are there, else on
// the message they look at, whatever is loaded before it or comes after it (window.ts).
//
// It is one stop for the Tab key; within it the arrow keys go from message to message.
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useReducer, useRef, useState } from 'preact/hooks';

import { useLatest } from '../hooks.ts';
import { Icon } from '../parts/icons.tsx';
import type { Row } from './rows.ts';
import { ListWindow, type Anchor, type Span } from './window.ts';

const AT_END_PX = 60;
const LOAD_AHEAD_PX = 1_500;
/** Most browsers hold on to what is visible by themselves, and they alone can while they animate a
 * scroll; but not at the very top, and some not at all. */
const HOLDS_ITSELF = CSS.supports('overflow-anchor', 'auto');

interface ListProps {
  readonly rows: readonly Row[];
  readonly render: (row: Row, active: boolean) => ComponentChildren;
  /** Stands over the first row. */
  readonly head: ComponentChildren;
  /** Where to begin: at a row, or at the end. */
  readonly startAt: string | null;
  /** A row to show, when it changes to one. */
  readonly jump: { readonly key: string } | null;
  readonly onNearTop: (() => void) | null;
  /** The last row that can be seen, whenever that changes. */
  readonly onSeen: (row: Row, atEnd: boolean) => void;
  /** A key was pressed on a row. */
  readonly onKey: (event: KeyboardEvent, row: Row) => void;
  /** How many rows are new and out of sight. */
  readonly fresh: number;
  /** Goes to the end whenever this number changes. */
  readonly turn: number;
}

const sameSpan = (a: Span, b: Span) => a.from === b.from && a.to === b.to;

export function MessageList(props: ListProps) {
  const { rows, render, head, startAt, jump, fresh, turn } = props;
  const latest = useLatest(props);
  const scroller = useRef<HTMLDivElement>(null);
  const list = useRef<HTMLOListElement>(null);
  const [layout] = useState(() => new ListWindow());
  const anchor = useRef<Anchor | null>(startAt === null ? null : { key: startAt, top: 120 });
  const atEnd = useRef(startAt === null);
  const placed = useRef(false); // the page shows what `anchor` says
  const lastTop = useRef(0);
  const [away, setAway] = useState(false); // from the end, for the button that leads there
  const [active, setActive] = useState<string | null>(null);
  const focusNext = useRef<string | null>(null);
  const shownSpan = useRef<Span>({ from: 0, to: 0, before: 0, after: 0 });
  const [, rerender] = useReducer((n: number) => n + 1, 0);

  // What is about to change must not move what is being looked at, wherever that is by now.
  if (placed.current && !atEnd.current && scroller.current) {
    anchor.current = visibleRows(scroller.current)?.anchor ?? anchor.current;
  }
  layout.arrange(rows);
  const visible = scroller.current?.clientHeight ?? 800;
  const span = layout.spanAt(wantedTop(), visible);
  shownSpan.current = span;
  const activeKey =
    active !== null && layout.topOf(active) !== undefined ? active : (rows.at(-1)?.key ?? null);

  /** Where the visible area ought to begin, in pixels of the list. */
  function wantedTop(): number {
    const top = anchor.current ? layout.topOf(anchor.current.key) : undefined;
    if (atEnd.current || anchor.current === null || top === undefined) {
      return Math.max(0, layout.height - visible);
    }
    return top - anchor.current.top;
  }

  /** Pixels over the list's first row, in the scroller. */
  const listTop = () => list.current?.offsetTop ?? 0;

  function place(): void {
    const box = scroller.current;
    if (!box) return;
    if (atEnd.current) {
      box.scrollTop = box.scrollHeight;
      lastTop.current = box.scrollTop;
      placed.current = true;
      return;
    }
    if (HOLDS_ITSELF && placed.current && box.scrollTop > 0) return;
    const held = anchor.current;
    const element = held && rowElement(held.key);
    if (!held || !element) return;
    const off = element.getBoundingClientRect().top - box.getBoundingClientRect().top - held.top;
    if (Math.abs(off) >= 1) box.scrollTop += off;
    placed.current = true;
  }

  const rowElement = (key: string) =>
    list.current?.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`) ?? null;

  function measure(): boolean {
    let news = false;
    for (const [key, element] of rowElements()) {
      news = layout.measured(key, element.getBoundingClientRect().height) || news;
    }
    if (news) layout.arrange(rows);
    return news;
  }

  function rowElements(): [string, HTMLElement][] {
    const found: [string, HTMLElement][] = [];
    for (const element of (list.current?.children ?? []) as Iterable<HTMLElement>) {
      const key = element.dataset['key'];
      if (key !== undefined) found.push([key, element]);
    }
    return found;
  }

  /** The first row that can be seen, and the last, by what is in the page. */
  function visibleRows(box: HTMLElement): { anchor: Anchor; last: string } | null {
    const outer = box.getBoundingClientRect();
    let anchorHere: Anchor | null = null;
    let last = '';
    for (const [key, element] of rowElements()) {
      const inner = element.getBoundingClientRect();
      if (inner.bottom <= outer.top || inner.top >= outer.bottom) continue;
      anchorHere ??= { key, top: inner.top - outer.top };
      last = key;
    }
    return anchorHere && { anchor: anchorHere, last };
  }

  /** The reader is somewhere: takes note, and renders what is missing there. */
  function look(): void {
    const box = scroller.current;
    if (!box) return;
    const y = box.scrollTop - listTop();
    const end = box.scrollHeight - box.scrollTop - box.clientHeight;
    const seen = visibleRows(box);
    const goesUp = box.scrollTop < lastTop.current - 1;
    lastTop.current = box.scrollTop;
    atEnd.current = end < (goesUp ? 2 : AT_END_PX); // whoever goes up is not to be pulled back
    anchor.current = seen?.anchor ?? layout.anchorAt(y);
    setAway(end > 2 * AT_END_PX);
    if (!sameSpan(layout.spanAt(y, box.clientHeight), shownSpan.current)) rerender(0);
    if (y < LOAD_AHEAD_PX) latest.current.onNearTop?.();
    const last = seen && latest.current.rows[layout.indexOf(seen.last) ?? -1];
    if (last) latest.current.onSeen(last, atEnd.current);
  }

  useLayoutEffect(() => {
    if (measure()) rerender(0);
    place();
    if (focusNext.current !== null) {
      rowElement(focusNext.current)?.focus({ preventScroll: true });
      focusNext.current = null;
    }
  });
  useLayoutEffect(look, [rows]);

  useLayoutEffect(() => {
    const box = scroller.current;
    if (!box) return;
    let width = box.clientWidth;
    const observer = new ResizeObserver(() => {
      if (box.clientWidth !== width) layout.forget();
      width = box.clientWidth;
      rerender(0);
    });
    observer.observe(box);
    return () => observer.disconnect();
  }, []);

  useLayoutEffect(() => {
    if (turn > 0) toEnd();
  }, [turn]);
  useLayoutEffect(() => {
    if (jump) show(jump.key, visible / 3);
  }, [jump]);

  function show(key: string, top: number): void {
    if (layout.topOf(key) === undefined) return;
    atEnd.current = false;
    placed.current = false;
    anchor.current = { key, top };
    setActive(key);
    focusNext.current = key;
    rerender(0);
  }

  function toEnd(): void {
    atEnd.current = true;
    rerender(0);
  }

  function move(event: KeyboardEvent): void {
    const index = rows.findIndex((row) => row.key === activeKey);
    const row = rows[index];
    if (!row || !(event.target as Element).matches('[data-key]')) return;
    const target =
      event.key === 'ArrowUp'
        ? rows[index - 1]
        : event.key === 'ArrowDown'
          ? rows[index + 1]
          : event.key === 'Home'
            ? rows[0]
            : event.key === 'End'
              ? rows.at(-1)
              : undefined;
    if (target === undefined) {
      latest.current.onKey(event, row);
      return;
    }
    event.preventDefault();
    reveal(target.key);
  }

  /** Moves the focus to a row, and the list as little as needed. */
  function reveal(key: string): void {
    const box = scroller.current;
    const element = rowElement(key);
    setActive(key);
    if (!box || !element) {
      show(key, visible / 3);
      return;
    }
    const outer = box.getBoundingClientRect();
    const inner = element.getBoundingClientRect();
    if (inner.top < outer.top + 8) box.scrollTop += inner.top - outer.top - 8;
    else if (inner.bottom > outer.bottom - 8) {
      box.scrollTop += Math.min(inner.bottom - outer.bottom + 8, inner.top - outer.top - 8);
    }
    element.focus({ preventScroll: true });
  }

  return (
    <div class="messages-place">
      <div class="messages" ref={scroller} onScroll={look} onKeyDown={move}>
        {head}
        <ol
          class="message-list"
          ref={list}
          aria-label="Messages"
          onFocusIn={(event) => {
            const row = (event.target as Element).closest<HTMLElement>('[data-key]');
            if (row?.dataset['key']) setActive(row.dataset['key']);
          }}
        >
          {span.before > 0 && (
            <li class="spacer" aria-hidden="true" style={{ height: span.before }} />
          )}
          {rows.slice(span.from, span.to).map((row) => render(row, row.key === activeKey))}
          {span.after > 0 && (
            <li class="spacer" aria-hidden="true" style={{ height: span.after }} />
          )}
        </ol>
      </div>
      {(away || fresh > 0) && (
        <button type="button" class="to-end" onClick={toEnd}>
          <Icon name="down" size={20} />
          {fresh > 0 && <span class="badge">{fresh}</span>}
          <span class="hidden">{fresh > 0 ? 'new messages: go to the end' : 'Go to the end'}</span>
        </button>
      )}
    </div>
  );
}
