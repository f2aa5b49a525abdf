// SPDX-License-Identifier: MIT
// Times, numbers and refusals as people read them. Pure, but for the reader's language and clock.
import type { BanterError, Code, Refusal } from '../sdk/index.ts';

const DAY_MS = 86_400_000;
const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: 'short' });
const longWeekday = new Intl.DateTimeFormat(undefined, { weekday: 'long' });
const shortDate = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const longDate = new Intl.DateTimeFormat(undefined, {
  weekday: 'long',
  day: 'numeric',
  month: 'long',
  year: 'numeric',
});
const dateAndYear = new Intl.DateTimeFormat(undefined, {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
});
const whole = new Intl.DateTimeFormat(undefined, { dateStyle: 'long', timeStyle: 'short' });

/** Days since 1970 where the reader is. */
export function dayOf(time: string | number): number {
  const date = new Date(time);
  return Math.floor(Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) / DAY_MS);
}

export const clockTime = (time: string) => clock.format(new Date(time));
export const fullTime = (time: string) => whole.format(new Date(time));
export const dateOnly = (time: string) => dateAndYear.format(new Date(time));

/** As a list shows it: the time today, the weekday this week, then the date. */
export function listTime(time: string, now: number): string {
  const days = dayOf(now) - dayOf(time);
  if (days <= 0) return clockTime(time);
  if (days === 1) return 'Yesterday';
  const date = new Date(time);
  if (days < 7) return weekday.format(date);
  return date.getFullYear() === new Date(now).getFullYear()
    ? shortDate.format(date)
    : dateAndYear.format(date);
}

/** Over the messages of a day. */
export function dayTitle(time: string, now: number): string {
  const days = dayOf(now) - dayOf(time);
  if (days <= 0) return 'Today';
  if (days === 1) return 'Yesterday';
  return days < 7 ? longWeekday.format(new Date(time)) : longDate.format(new Date(time));
}

/** How long ago, for "last seen". */
export function ago(time: string, now: number): string {
  const minutes = Math.floor((now - Date.parse(time)) / 60_000);
  if (minutes < 1) return 'just now';
  if (minutes < 60) return `${minutes} min ago`;
  const days = dayOf(now) - dayOf(time);
  if (days === 0) return `today at ${clockTime(time)}`;
  if (days === 1) return `yesterday at ${clockTime(time)}`;
  return dateOnly(time);
}

export const plural = (count: number, one: string, many = `${one}s`) =>
  `${count.toLocaleString()} ${count === 1 ? one : many}`;

export const unreadCount = (unread: number) => (unread >= 100 ? '99+' : String(unread));

/** Characters as the server counts them: code points. */
export function characters(text: string): number {
  let count = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0xdc00 || unit > 0xdfff) count++;
  }
  return count;
}

const SENTENCES: Record<Code, string> = {
  invalid: 'That is not possible as it stands.',
  unauthorized: 'Your login has ended. Please log in again.',
  forbidden: 'You may not do that here.',
  not_found: 'There is no such thing, or it is not yours to see.',
  conflict: 'That name is already taken.',
  too_large: 'That is too long.',
  limit_reached: 'The limit has been reached.',
  rate_limited: 'Too much at once. Please wait a moment.',
  unavailable: 'The server cannot do that right now. Please try again.',
  out_of_order: 'An earlier message has to go first.',
  internal: 'Something went wrong on the server.',
  offline: 'You are offline.',
  aborted: 'That was interrupted.',
};

/** What to tell a person about a refusal; `special` where the place says it better. */
export function sentence(
  error: BanterError | Refusal,
  special: Partial<Record<Code, string>> = {},
): string {
  return special[error.code] ?? SENTENCES[error.code];
}

/** The two letters of a picture that there is not. */
export function initials(name: string): string {
  const words = name.split(/[\s._-]+/u).filter((word) => /[\p{L}\p{N}]/u.test(word));
  const letters = words.map(
    (word) => [...word].find((letter) => /[\p{L}\p{N}]/u.test(letter)) ?? '',
  );
  const [first = '', ...others] = letters;
  return (first + (others.at(-1) ?? '')).toLocaleUpperCase() || '?';
}

/** One of `count` colors, always the same for a name. */
export function hue(name: string, count: number): number {
  let hash = 2166136261;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 16777619);
  return (hash >>> 0) % count;
}
