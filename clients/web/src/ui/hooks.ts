// SPDX-License-Identifier: MIT
// What components share: watching the library's values, running things that take a while.
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

import { toBanterError, type BanterError, type Readable } from '../sdk/index.ts';

/** The value, and a rendering whenever it has changed. */
export function useReadable<T>(readable: Readable<T>): T {
  const [, render] = useState({});
  useEffect(() => {
    const changed = () => render({});
    changed(); // it may have changed since it was read
    return readable.subscribe(changed);
  }, [readable]);
  return readable.get();
}

export interface Task<A extends readonly unknown[]> {
  readonly busy: boolean;
  readonly error: BanterError | null;
  /** Resolves with whether it went well; never rejects. While busy it does nothing. */
  readonly run: (...args: A) => Promise<boolean>;
  readonly clear: () => void;
}

/** What a person starts and what takes a while: whether it is under way, what went wrong. */
export function useTask<A extends readonly unknown[]>(
  work: (...args: A) => Promise<unknown>,
): Task<A> {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<BanterError | null>(null);
  const latest = useLatest(work);
  const underWay = useRef(false);
  const alive = useAlive();
  const run = useCallback(async (...args: A) => {
    if (underWay.current) return false;
    underWay.current = true;
    setBusy(true);
    setError(null);
    try {
      await latest.current(...args);
      return true;
    } catch (thrown) {
      if (alive.current) setError(toBanterError(thrown));
      return false;
    } finally {
      underWay.current = false;
      if (alive.current) setBusy(false);
    }
  }, []);
  return { busy, error, run, clear: () => setError(null) };
}

/** A ref that always has what was given last. */
export function useLatest<T>(value: T): { current: T } {
  const ref = useRef(value);
  ref.current = value;
  return ref;
}

export function useAlive(): { readonly current: boolean } {
  const alive = useRef(true);
  useEffect(() => {
    alive.current = true;
    return () => {
      alive.current = false;
    };
  }, []);
  return alive;
}

export interface Loaded<T> {
  readonly value: T | undefined;
  readonly error: BanterError | null;
  readonly reload: () => void;
}

/** What `load` gives; anew whenever one of `inputs` changes. What comes too late is ignored, and
 * the last good value stays while a newer one is on its way. */
export function useLoaded<T>(load: () => Promise<T>, inputs: readonly unknown[]): Loaded<T> {
  const [state, setState] = useState<{ value?: T; error: BanterError | null }>({ error: null });
  const [round, setRound] = useState(0);
  useEffect(() => {
    let current = true;
    Promise.resolve()
      .then(load)
      .then(
        (value) => current && setState({ value, error: null }),
        (thrown) => current && setState((old) => ({ ...old, error: toBanterError(thrown) })),
      );
    return () => {
      current = false;
    };
  }, [...inputs, round]);
  return { value: state.value, error: state.error, reload: () => setRound(round + 1) };
}

/** The value as it was when it had not changed for a while. */
export function useSettled<T>(value: T, ms: number): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return settled;
}

/** A rendering every so often, for what depends on the clock. */
export function useClock(ms: number): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), ms);
    return () => clearInterval(timer);
  }, [ms]);
  return now;
}

export function useMedia(query: string): boolean {
  const [matches, setMatches] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const list = matchMedia(query);
    const changed = () => setMatches(list.matches);
    changed();
    list.addEventListener('change', changed);
    return () => list.removeEventListener('change', changed);
  }, [query]);
  return matches;
}

/** Whether the person is looking: the page is shown and has the focus. */
export function useAttention(): boolean {
  const looking = () => document.visibilityState === 'visible' && document.hasFocus();
  const [attention, setAttention] = useState(looking);
  useEffect(() => {
    const changed = () => setAttention(looking());
    const events = ['focus', 'blur', 'visibilitychange'] as const;
    for (const name of events) addEventListener(name, changed, true);
    return () => {
      for (const name of events) removeEventListener(name, changed, true);
    };
  }, []);
  return attention;
}

/** Gives the focus to the element when it appears, unless it is asked not to. */
export function useFocus<E extends HTMLElement>(when = true): { current: E | null } {
  const ref = useRef<E>(null);
  useLayoutEffect(() => {
    if (when) ref.current?.focus({ preventScroll: true });
  }, [when]);
  return ref;
}

/** Calls `leave` on Escape, unless something inside has dealt with it. */
export function useEscape(leave: (() => void) | null): void {
  const latest = useLatest(leave);
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.key !== 'Escape' || event.defaultPrevented || event.isComposing) return;
      if (!latest.current || document.querySelector('dialog[open], :popover-open')) return;
      event.preventDefault();
      latest.current();
    };
    addEventListener('keydown', pressed);
    return () => removeEventListener('keydown', pressed);
  }, []);
}
