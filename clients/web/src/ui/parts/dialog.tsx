// SPDX-License-Identifier: MIT
// Questions that must be answered first, and short messages that pass by themselves.
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';

import { Value } from '../../sdk/observable.ts';
import { useReadable } from '../hooks.ts';

interface Question {
  readonly title: string;
  readonly text: string;
  readonly action: string;
  readonly danger: boolean;
  readonly answer: (yes: boolean) => void;
}

const question = new Value<Question | null>(null);
const toast = new Value<{ readonly text: string } | null>(null);
const TOAST_MS = 5_000;

/** Resolves with whether the person agrees. */
export function ask(title: string, text: string, action: string, danger = true): Promise<boolean> {
  question.get()?.answer(false);
  return new Promise((resolve) => {
    question.set({ title, text, action, danger, answer: resolve });
  });
}

/** Shows and says a sentence for a while. */
export function tell(text: string): void {
  toast.set({ text });
}

function QuestionDialog({ asked }: { asked: Question }) {
  const ref = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    ref.current?.showModal();
  }, []);
  const finish = (yes: boolean) => {
    if (question.get() !== asked) return;
    ref.current?.close(); // gives the focus back to where it was
    question.set(null);
    asked.answer(yes);
  };
  return (
    <dialog
      ref={ref}
      class="dialog"
      aria-labelledby="question-title"
      aria-describedby="question-text"
      onClose={() => finish(false)}
      onClick={(event) => event.target === ref.current && finish(false)}
    >
      <div class="dialog-body">
        <h2 id="question-title">{asked.title}</h2>
        <p id="question-text">{asked.text}</p>
        <div class="row-end">
          <button type="button" class="button" onClick={() => finish(false)}>
            Cancel
          </button>
          <button
            type="button"
            class={asked.danger ? 'button danger' : 'button primary'}
            onClick={() => finish(true)}
          >
            {asked.action}
          </button>
        </div>
      </div>
    </dialog>
  );
}

/** Where questions and messages appear: once, at the end of the page. */
export function Interruptions() {
  const asked = useReadable(question);
  const told = useReadable(toast);
  useEffect(() => {
    if (!told) return;
    const timer = setTimeout(() => toast.set(null), TOAST_MS);
    return () => clearTimeout(timer);
  }, [told]);
  return (
    <>
      {asked && <QuestionDialog key={asked.title + asked.text} asked={asked} />}
      <div class="toast-place" role="status">
        {told && <p class="toast">{told.text}</p>}
      </div>
    </>
  );
}
