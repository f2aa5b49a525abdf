// SPDX-License-Identifier: MIT
// A small choice of emojis beside whatever asked for one. It is shown in the browser's top layer,
// so nothing cuts it off, and closes by itself on Escape or a click elsewhere.
import { useLayoutEffect, useRef } from 'preact/hooks';

const EMOJIS: readonly (readonly [string, string])[] = [
  ['👍', 'thumbs up'],
  ['❤️', 'heart'],
  ['😂', 'tears of joy'],
  ['😮', 'surprised'],
  ['😢', 'crying'],
  ['🙏', 'folded hands'],
  ['🎉', 'party'],
  ['🔥', 'fire'],
  ['👏', 'clapping'],
  ['👀', 'eyes'],
  ['✅', 'check mark'],
  ['❌', 'cross'],
  ['😀', 'grinning'],
  ['😄', 'smiling'],
  ['😅', 'relieved grin'],
  ['😊', 'blushing'],
  ['😍', 'heart eyes'],
  ['😘', 'kiss'],
  ['😎', 'sunglasses'],
  ['🤔', 'thinking'],
  ['😐', 'neutral'],
  ['🙄', 'rolling eyes'],
  ['😴', 'sleeping'],
  ['🤯', 'mind blown'],
  ['😡', 'angry'],
  ['😱', 'scared'],
  ['🥳', 'celebrating'],
  ['🤗', 'hugging'],
  ['🤝', 'handshake'],
  ['💪', 'strong'],
  ['👋', 'waving'],
  ['🫶', 'heart hands'],
  ['💡', 'idea'],
  ['🚀', 'rocket'],
  ['⭐', 'star'],
  ['✨', 'sparkles'],
  ['☕', 'coffee'],
  ['🍕', 'pizza'],
  ['🎂', 'cake'],
  ['🌞', 'sun'],
  ['🌧️', 'rain'],
  ['🌱', 'seedling'],
  ['🐛', 'bug'],
  ['🐱', 'cat'],
  ['🐶', 'dog'],
  ['🏠', 'house'],
  ['🚲', 'bicycle'],
  ['💯', 'hundred'],
];
const COLUMNS = 8;
const GAP_PX = 8;

export interface PickerRequest {
  readonly beside: Element;
  readonly onPick: (emoji: string) => void;
}

export function EmojiPicker({ request, onClose }: { request: PickerRequest; onClose: () => void }) {
  const box = useRef<HTMLDivElement>(null);

  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    element.showPopover();
    const place = request.beside.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = element;
    const left = Math.min(Math.max(GAP_PX, place.left - width / 2), innerWidth - width - GAP_PX);
    const above = place.top - height - GAP_PX;
    element.style.left = `${left}px`;
    element.style.top = `${
      above > GAP_PX ? above : Math.min(place.bottom + GAP_PX, innerHeight - height - GAP_PX)
    }px`;
    element.querySelector('button')?.focus();
  }, [request]);

  const pressed = (event: KeyboardEvent) => {
    const buttons = [...(box.current?.querySelectorAll('button') ?? [])];
    const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
    const steps: Record<string, number> = {
      ArrowRight: 1,
      ArrowLeft: -1,
      ArrowDown: COLUMNS,
      ArrowUp: -COLUMNS,
    };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    buttons[Math.min(Math.max(at + step, 0), buttons.length - 1)]?.focus();
  };
  return (
    <div
      ref={box}
      popover="auto"
      class="emoji-picker"
      role="group"
      aria-label="Emojis"
      onKeyDown={pressed}
      onToggle={(event) => event.newState === 'closed' && onClose()}
    >
      {EMOJIS.map(([emoji, words]) => (
        <button
          key={emoji}
          type="button"
          aria-label={words}
          title={words}
          onClick={() => {
            request.onPick(emoji);
            box.current?.hidePopover();
          }}
        >
          {emoji}
        </button>
      ))}
    </div>
  );
}
