// SPDX-License-Identifier: MIT
// What this browser remembers for its user: the theme, texts begun and not sent, and that it tells
// of messages. All of it is convenience: where nothing can be stored, everything else works.
import { Value } from '../sdk/observable.ts';

export type Theme = 'system' | 'light' | 'dark';

const THEME = 'banter.theme';
const DRAFT = 'banter.draft.';
const PUSH = 'banter.push';

function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function write(key: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // full, or forbidden
  }
}

function storedTheme(): Theme {
  const stored = read(THEME);
  return stored === 'light' || stored === 'dark' ? stored : 'system';
}

export const theme = new Value<Theme>('system');

function apply(chosen: Theme): void {
  theme.set(chosen);
  if (chosen === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = chosen;
}

export function setTheme(chosen: Theme): void {
  write(THEME, chosen === 'system' ? null : chosen);
  apply(chosen);
}

/** Before anything is shown; follows what other tabs choose. */
export function startTheme(): void {
  apply(storedTheme());
  addEventListener('storage', (event) => {
    if (event.key === THEME) apply(storedTheme());
  });
}

export const draftOf = (conversation: string) => read(DRAFT + conversation) ?? '';
export const keepDraft = (conversation: string, text: string) =>
  write(DRAFT + conversation, text === '' ? null : text);

/** After logging out: nothing of one user is left for the next. */
export function forgetDrafts(): void {
  try {
    for (const key of Object.keys(localStorage)) {
      if (key.startsWith(DRAFT)) localStorage.removeItem(key);
    }
  } catch {
    // there are none
  }
}

/** For whom notifications were switched on here, and what the server calls that. */
export interface Push {
  readonly user: string;
  readonly registration: string;
}

export function pushOf(): Push | null {
  try {
    return JSON.parse(read(PUSH) ?? 'null') as Push | null;
  } catch {
    return null;
  }
}

export const keepPush = (push: Push | null) =>
  write(PUSH, push === null ? null : JSON.stringify(push));
