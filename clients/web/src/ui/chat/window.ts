// SPDX-License-Identifier: MIT
// The part of a long list that is worth having in the page. Rows have any height, known only once
// they were there; until then it is guessed. What the reader looks at must not move meanwhile, so
// the truth is not the scroll position but the *anchor*: a row, and where its top edge stands.
import type { Row } from './rows.ts';

const GUESSED_PX = 58;
const AROUND_PX = 1_000; // rendered above and below what is visible

export interface Anchor {
  readonly key: string;
  /** Pixels from the visible area's top to the row's. */
  readonly top: number;
}

export interface Span {
  /** The first row that is rendered, and the one after the last. */
  readonly from: number;
  readonly to: number;
  /** Pixels that the rows before and after them take. */
  readonly before: number;
  readonly after: number;
}

export class ListWindow {
  private readonly heights = new Map<string, number>();
  private rows: readonly Row[] = [];
  private index = new Map<string, number>();
  private tops = new Float64Array(1); // of each row, and the end of the last one

  /** To be called when rows or heights have changed. */
  arrange(rows: readonly Row[]): void {
    if (rows !== this.rows) {
      this.rows = rows;
      this.index = new Map(rows.map((row, i) => [row.key, i]));
    }
    if (this.tops.length !== rows.length + 1) this.tops = new Float64Array(rows.length + 1);
    let top = 0;
    for (let i = 0; i < rows.length; i++) {
      this.tops[i] = top;
      top += this.heights.get(rows[i]?.key ?? '') ?? GUESSED_PX;
    }
    this.tops[rows.length] = top;
  }

  /** Notes how high a row is; true: that is news. */
  measured(key: string, height: number): boolean {
    if (Math.abs((this.heights.get(key) ?? -1) - height) < 0.5) return false;
    this.heights.set(key, height);
    return true;
  }

  /** The width has changed: nothing that was measured is true any more. */
  forget(): void {
    this.heights.clear();
  }

  get height(): number {
    return this.tops[this.rows.length] ?? 0;
  }

  topOf(key: string): number | undefined {
    const i = this.index.get(key);
    return i === undefined ? undefined : this.tops[i];
  }

  indexOf(key: string): number | undefined {
    return this.index.get(key);
  }

  /** The row at this height of the list. */
  rowAt(y: number): number {
    let low = 0;
    let high = this.rows.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.tops[middle] ?? 0) <= y) low = middle;
      else high = middle - 1;
    }
    return Math.max(low, 0);
  }

  /** What to hold on to when `y` is the top of what is visible. */
  anchorAt(y: number): Anchor | null {
    const i = this.rowAt(y);
    const row = this.rows[i];
    return row ? { key: row.key, top: (this.tops[i] ?? 0) - y } : null;
  }

  /** Which rows to render when `y` is the top of what is visible. */
  spanAt(y: number, visible: number): Span {
    if (this.rows.length === 0) return { from: 0, to: 0, before: 0, after: 0 };
    const from = this.rowAt(y - AROUND_PX);
    const to = this.rowAt(y + visible + AROUND_PX) + 1;
    return {
      from,
      to,
      before: this.tops[from] ?? 0,
      after: this.height - (this.tops[to] ?? this.height),
    };
  }
}
