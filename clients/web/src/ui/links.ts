// SPDX-License-Identifier: MIT
// Finds the addresses in a text. Pure. Only http, https and mailto ever become links: what a link
// does must be what its text says.

export interface TextPart {
  readonly text: string;
  /** Where it leads, or null for mere text. */
  readonly href: string | null;
}

/* Up to a blank, a quote or bracket that no address has, or a character that nobody can see. */
const CANDIDATE = new RegExp(
  '\\b(?:https?://|mailto:)' +
    '[^\\s<>"\'`\\u0000-\\u001f\\u007f\\u200b-\\u200f\\u2028-\\u202f\\u2060-\\u2069]+',
  'giu',
);
const SCHEMES: ReadonlySet<string> = new Set(['http:', 'https:', 'mailto:']);
const TEXT_SCANNED_MAX = 20_000; // further on a text is shown without links
const LINKS_MAX = 200;

/** Punctuation after an address belongs to the sentence; a closing bracket if none was opened. */
function withoutTail(address: string): string {
  let end = address.length;
  for (;;) {
    const last = address[end - 1] ?? '';
    const body = address.slice(0, end);
    if ('.,;:!?\'"*_~'.includes(last) && last !== '') end--;
    else if (last === ')' && count(body, ')') > count(body, '(')) end--;
    else if (last === ']' && count(body, ']') > count(body, '[')) end--;
    else return body;
  }
}

const count = (text: string, character: string) => text.split(character).length - 1;

function hrefOf(address: string): string | null {
  try {
    const url = new URL(address);
    if (!SCHEMES.has(url.protocol)) return null;
    // "https://bank.example@evil.example" says one thing and does another.
    if (url.username !== '' || url.password !== '') return null;
    return url.protocol === 'mailto:' || url.hostname !== '' ? url.href : null;
  } catch {
    return null;
  }
}

export function partsOf(text: string): readonly TextPart[] {
  const parts: TextPart[] = [];
  let end = 0;
  for (const match of text.slice(0, TEXT_SCANNED_MAX).matchAll(CANDIDATE)) {
    const address = withoutTail(match[0]);
    const cut =
      match.index + match[0].length === TEXT_SCANNED_MAX && text.length > TEXT_SCANNED_MAX;
    const href = hrefOf(address);
    if (href === null || cut || parts.length > 2 * LINKS_MAX) continue;
    if (match.index > end) parts.push({ text: text.slice(end, match.index), href: null });
    parts.push({ text: address, href });
    end = match.index + address.length;
  }
  if (end < text.length || parts.length === 0) parts.push({ text: text.slice(end), href: null });
  return parts;
}
