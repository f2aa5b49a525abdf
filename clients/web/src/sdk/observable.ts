// SPDX-License-Identifier: MIT
// Values that can be watched. A listener is told in a microtask of its own, once however often the
// value changed meanwhile, and reads what it is by then: a burst of entries costs one rendering.
import { reportToHost } from './platform.ts';

/** A value that changes. What `get` gives is immutable. */
export interface Readable<T> {
  get(): T;
  /** `listener` is called after each change, never from inside the call that made it and not for
   * the present value. Returns what ends it. */
  subscribe(listener: () => void): () => void;
}

/** Called when the first listener comes and when the last one has gone. */
export interface Watching {
  readonly begin: () => void;
  readonly end: () => void;
}

/** A `Readable` and the right to change it. */
export class Value<T> implements Readable<T> {
  private readonly listeners = new Set<() => void>();
  private telling = false;

  constructor(
    private value: T,
    private readonly watching?: Watching,
  ) {}

  get(): T {
    return this.value;
  }

  set(value: T): void {
    if (Object.is(value, this.value)) return;
    this.value = value;
    this.changed();
  }

  subscribe(listener: () => void): () => void {
    const own = () => listener(); // the same function may be given twice
    this.listeners.add(own);
    if (this.listeners.size === 1) this.watching?.begin();
    return () => {
      if (this.listeners.delete(own) && this.listeners.size === 0) this.watching?.end();
    };
  }

  /** Whether anybody watches. */
  get watched(): boolean {
    return this.listeners.size > 0;
  }

  private changed(): void {
    if (this.telling || this.listeners.size === 0) return;
    this.telling = true;
    void Promise.resolve().then(() => {
      this.telling = false;
      for (const listener of [...this.listeners]) tell(listener);
    });
  }
}

/** A listener's failure is its own: the others are told all the same. */
function tell(listener: () => void): void {
  try {
    listener();
  } catch (error) {
    reportToHost(error);
  }
}
