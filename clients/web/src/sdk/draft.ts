// SPDX-License-Identifier: MIT
// Drafts: what would be refused for its form is not sent at all, and what lies in the store.
import { BanterError } from './errors.ts';
import { asObject, asString } from './json.ts';
import type { Letter } from './lane.ts';
import { EMOJI_MAX_CHARACTERS, TEXT_MAX_CHARACTERS } from './limits.ts';
import type { Draft, Refusal } from './types.ts';

/** All control characters; those that a text may not have; halves of surrogate pairs. */
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/u;
const CONTROL_IN_TEXT = /[\u0000-\u0008\u000b\u000c\u000e-\u001f]/u;
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Throws what the server would answer. */
export function checkDraft(draft: Draft): void {
  if (draft.kind === 'text' || draft.kind === 'edit') {
    checkString(draft.text, TEXT_MAX_CHARACTERS, CONTROL_IN_TEXT);
  }
  if (draft.kind === 'reaction') checkString(draft.emoji, EMOJI_MAX_CHARACTERS, CONTROL);
}

function checkString(text: string, max: number, forbidden: RegExp): void {
  if (text === '') throw new BanterError('invalid', 'there is no text');
  if (forbidden.test(text)) throw new BanterError('invalid', 'there is a control character');
  if (LONE_SURROGATE.test(text)) throw new BanterError('invalid', 'half a character');
  if (isLonger(text, max)) throw new BanterError('too_large', `more than ${max} characters`);
}

/** Counts characters, not the units that they are made of. */
function isLonger(text: string, max: number): boolean {
  if (text.length <= max) return false;
  let count = 0;
  for (const _ of text) count++;
  return count > max;
}

/** As it lies in the store. */
export function rowOf(letter: Letter): object {
  const { id, target, draft, at, wasSent, error } = letter;
  return { id, target, draft, at, wasSent, error };
}

/** Undefined for what is no draft. */
export function letterOf(row: unknown, number: number): Letter | undefined {
  const kept = asObject(row);
  const id = asString(kept?.['id']);
  const target = asString(kept?.['target']);
  const draft = asObject(kept?.['draft']) as Draft | undefined;
  if (!kept || id === null || target === null || !draft) return undefined;
  return {
    id,
    target,
    draft,
    at: asString(kept['at']) ?? '',
    number,
    isStored: true,
    wasSent: kept['wasSent'] === true,
    flownAt: null,
    error: (asObject(kept['error']) as Refusal | undefined) ?? null,
  };
}
