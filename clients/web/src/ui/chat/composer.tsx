// SPDX-License-Identifier: MIT
// Where one writes. What was begun is kept per conversation until it is sent, reloads included.
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

import { limits, toBanterError, type MessageItem, type Timeline } from '../../sdk/index.ts';
import { characters, plural, sentence } from '../format.ts';
import { useLatest, useTask } from '../hooks.ts';
import { useName } from '../names.ts';
import { IconButton } from '../parts/controls.tsx';
import { tell } from '../parts/dialog.tsx';
import { Icon } from '../parts/icons.tsx';
import { draftOf, keepDraft } from '../settings.ts';
import type { PickerRequest } from './emoji_picker.tsx';

const KEEP_AFTER_MS = 300;
const COUNT_SHOWN_FROM = 90_000;

/** Answering a message, or changing one of one's own. */
export type Context =
  | { readonly kind: 'reply'; readonly item: MessageItem }
  | { readonly kind: 'edit'; readonly item: MessageItem };

interface ComposerProps {
  readonly id: string;
  readonly timeline: Timeline;
  readonly context: Context | null;
  readonly onContext: (context: Context | null) => void;
  readonly onEditLast: () => void;
  readonly onPickEmoji: (request: PickerRequest) => void;
  readonly onSent: () => void;
  readonly title: string;
}

/** What the server would refuse, and no keyboard has: control characters, halves of characters. */
const UNSENDABLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]|\p{Surrogate}/gu;

const sendable = (text: string) => text.replace(/\r\n?/g, '\n').replace(UNSENDABLE, '');

function ContextBar({ context, onClose }: { context: Context; onClose: () => void }) {
  const name = useName(context.item.from);
  const title =
    context.kind === 'edit' ? 'Editing' : `Replying to ${context.item.own ? 'yourself' : name}`;
  return (
    <div class="context">
      <Icon name={context.kind} size={18} />
      <span class="context-text">
        <strong>{title}</strong>
        <span dir="auto">{context.item.text?.slice(0, 200)}</span>
      </span>
      <IconButton icon="close" label="Cancel" size={18} onClick={onClose} />
    </div>
  );
}

/** The draft of a conversation, which an edit puts aside for a while; and the texts that the outbox
 * has not for good yet, which a page that goes away meanwhile keeps before it. */
function useDraft(id: string, context: Context | null) {
  const [text, setText] = useState(() => draftOf(id));
  const aside = useRef<string | null>(null);
  const leaving = useRef<string[]>([]);
  const latest = useLatest(text);
  const keep = () => {
    const begun = aside.current ?? latest.current;
    keepDraft(id, [...leaving.current, begun].filter((part) => part !== '').join('\n'));
  };
  const editing = context?.kind === 'edit' ? context.item : null;
  useLayoutEffect(() => {
    if (!editing) return;
    aside.current = latest.current;
    setText(editing.text ?? '');
    return () => {
      setText(aside.current ?? '');
      aside.current = null;
    };
  }, [editing?.key]);
  useEffect(() => {
    const timer = setTimeout(keep, KEEP_AFTER_MS);
    return () => clearTimeout(timer);
  }, [text]);
  useEffect(() => {
    addEventListener('pagehide', keep);
    return () => {
      removeEventListener('pagehide', keep);
      keep();
    };
  }, []);
  return [text, setText, leaving.current, keep] as const;
}

function insertAtCaret(area: HTMLTextAreaElement, text: string): string {
  area.setRangeText(text, area.selectionStart, area.selectionEnd, 'end');
  return area.value;
}

export function Composer(props: ComposerProps) {
  const { id, timeline, context, onContext, onEditLast, onPickEmoji, onSent, title } = props;
  const [text, setText, leaving, keep] = useDraft(id, context);
  const area = useRef<HTMLTextAreaElement>(null);
  const length = characters(text);
  const left = limits.TEXT_MAX_CHARACTERS - length;
  const empty = text.trim() === '';

  const save = useTask(async ({ seq, text: before }: MessageItem) => {
    const body = sendable(text);
    if (seq !== null && body !== before) await timeline.edit(seq, body);
    onContext(null);
    onSent();
  });

  /** The field is free for the next text at once. What cannot be kept comes back. */
  const send = async () => {
    const body = sendable(text);
    const replyTo = context?.item.seq;
    setText('');
    leaving.push(body);
    onContext(null);
    onSent();
    try {
      await timeline.send(body, replyTo != null ? { replyTo } : {});
      leaving.splice(leaving.indexOf(body), 1);
      keep();
    } catch (thrown) {
      leaving.splice(leaving.indexOf(body), 1);
      setText((since) => (since === '' ? body : `${body}\n${since}`));
      tell(sentence(toBanterError(thrown), { limit_reached: 'Too many messages are waiting.' }));
    }
  };

  useLayoutEffect(() => {
    const element = area.current;
    if (!element) return;
    element.style.height = 'auto';
    element.style.height = `${element.scrollHeight + 2}px`;
  }, [text]);
  useLayoutEffect(() => {
    if (context) area.current?.focus(); // before the next key
  }, [context]);
  useEffect(() => {
    if (matchMedia('(hover: hover) and (min-width: 48rem)').matches) area.current?.focus();
  }, []);
  useEffect(() => {
    if (save.error) tell(sentence(save.error, { limit_reached: 'Too many messages are waiting.' }));
  }, [save.error]);

  const submit = () => {
    if (empty || left < 0) return;
    void (context?.kind === 'edit' ? save.run(context.item) : send());
  };
  const typed = (value: string) => {
    setText(value);
    if (value.trim() === '') timeline.typingEnded();
    else timeline.typingNow();
  };
  const pressed = (event: KeyboardEvent) => {
    if (event.isComposing) return;
    if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      submit();
    } else if (event.key === 'Escape' && context) {
      event.preventDefault();
      onContext(null);
    } else if (event.key === 'ArrowUp' && text === '' && !context) {
      event.preventDefault();
      onEditLast();
    }
  };
  return (
    <form
      class="composer"
      aria-label="Write a message"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
        area.current?.focus();
      }}
    >
      {context && <ContextBar context={context} onClose={() => onContext(null)} />}
      <div class="composer-line">
        <IconButton
          icon="smile"
          label="Insert an emoji"
          onClick={(event) =>
            onPickEmoji({
              beside: event.currentTarget as Element,
              onPick: (emoji) => {
                if (area.current) typed(insertAtCaret(area.current, emoji));
                setTimeout(() => area.current?.focus());
              },
            })
          }
        />
        <textarea
          id="composer"
          ref={area}
          rows={1}
          value={text}
          placeholder="Message"
          aria-label={`Message to ${title}`}
          aria-describedby="composer-count"
          aria-invalid={left < 0}
          dir="auto"
          onInput={(event) => typed(event.currentTarget.value)}
          onKeyDown={pressed}
          onBlur={() => timeline.typingEnded()}
        />
        <button
          type="submit"
          class="send"
          aria-label={context?.kind === 'edit' ? 'Save' : 'Send'}
          disabled={empty || left < 0 || save.busy}
        >
          <Icon name={context?.kind === 'edit' ? 'check' : 'send'} />
        </button>
      </div>
      <p id="composer-count" class={left < 0 ? 'count error' : 'count'}>
        {length >= COUNT_SHOWN_FROM &&
          (left >= 0
            ? `${plural(left, 'character')} left`
            : `${plural(-left, 'character')} too many: at most 100,000`)}
      </p>
    </form>
  );
}
