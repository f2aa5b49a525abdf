// SPDX-License-Identifier: MIT
// What somebody has written: text, and links where it is plain where they lead. Nothing that anyone
// writes is ever HTML.
import { useState } from 'preact/hooks';

import { characters } from '../format.ts';
import { partsOf } from '../links.ts';

const SHOWN_AT_ONCE = 4_000;

/** Up to six emojis and nothing else; null where the browser does not know what emojis are. */
const ONLY_EMOJI = emojiPattern();

function emojiPattern(): RegExp | null {
  try {
    return new RegExp('^(?:\\p{RGI_Emoji}\\s?){1,6}$', 'v');
  } catch {
    return null;
  }
}

export const isOnlyEmoji = (text: string) => text.length <= 80 && ONLY_EMOJI?.test(text) === true;

export function RichText({ text }: { text: string }) {
  const [all, setAll] = useState(false);
  const long = text.length > SHOWN_AT_ONCE * 1.25;
  const shown = long && !all ? text.slice(0, SHOWN_AT_ONCE) : text;
  return (
    <>
      <span class={isOnlyEmoji(text) ? 'text text-emoji' : 'text'} dir="auto">
        {partsOf(shown).map((part, i) =>
          part.href === null ? (
            part.text
          ) : (
            <a key={i} href={part.href} target="_blank" rel="noopener noreferrer nofollow">
              {part.text}
            </a>
          ),
        )}
        {shown !== text && '…'}
      </span>
      {long && (
        <button type="button" class="link more" onClick={() => setAll(!all)}>
          {all ? 'Show less' : `Show all ${characters(text).toLocaleString()} characters`}
        </button>
      )}
    </>
  );
}
