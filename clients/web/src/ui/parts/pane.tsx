// SPDX-License-Identifier: MIT
// A pane at the side: its title, the way back, its content.
import type { ComponentChildren } from 'preact';

import { useFocus } from '../hooks.ts';
import { IconButton } from './controls.tsx';

export function Pane({
  title,
  back,
  children,
  class: extra = '',
}: {
  title: string;
  back: string;
  children: ComponentChildren;
  class?: string;
}) {
  const heading = useFocus<HTMLHeadingElement>();
  return (
    <section class={`pane ${extra}`} aria-labelledby="pane-title">
      <header class="pane-head">
        <IconButton icon="back" label="Back" href={back} />
        <h1 id="pane-title" tabIndex={-1} ref={heading}>
          {title}
        </h1>
      </header>
      <div class="pane-body padded">{children}</div>
    </section>
  );
}
