// SPDX-License-Identifier: MIT
// Links by which others join: making one, copying it, taking all of them back.
import { useState } from 'preact/hooks';

import type { Invite } from '../../sdk/index.ts';
import { client } from '../client.ts';
import { dateOnly, plural } from '../format.ts';
import { useTask } from '../hooks.ts';
import { Choice, Problem } from '../parts/controls.tsx';
import { ask, tell } from '../parts/dialog.tsx';
import { Icon } from '../parts/icons.tsx';

const DAY_SECONDS = 86_400;

type Term = '1' | '7' | 'always';

export function Invites({ id }: { id: string }) {
  const [term, setTerm] = useState<Term>('7');
  const [invite, setInvite] = useState<Invite | null>(null);
  const address = invite === null ? '' : new URL(invite.url, location.origin).href;
  const create = useTask(async () => {
    setInvite(
      await client.commands.createInvite(
        id,
        term === 'always' ? {} : { expiresIn: Number(term) * DAY_SECONDS },
      ),
    );
  });
  const revoke = useTask(async () => {
    if (
      !(await ask(
        'Take all invites back?',
        'None of the links given out so far works any more.',
        'Take them back',
      ))
    )
      return;
    tell(`${plural(await client.commands.revokeInvites(id), 'invite')} taken back.`);
    setInvite(null);
  });
  const copy = () => {
    navigator.clipboard?.writeText(address).then(
      () => tell('Copied.'),
      () => {},
    );
  };
  return (
    <section class="stack">
      <h3 class="section-title">Invite by a link</h3>
      <Choice
        label="The link works"
        value={term}
        onChoose={setTerm}
        options={[
          ['1', 'A day'],
          ['7', 'A week'],
          ['always', 'Always'],
        ]}
      />
      <Problem
        error={create.error ?? revoke.error}
        special={{ limit_reached: 'There are 100 invites already. Take them back first.' }}
      />
      {invite !== null && (
        <div class="invite-link">
          <input
            class="mono"
            readOnly
            value={address}
            aria-label="The link"
            onFocus={(event) => event.currentTarget.select()}
          />
          <button type="button" class="icon-button" aria-label="Copy the link" onClick={copy}>
            <Icon name="copy" />
          </button>
          {invite.expires_at !== null && (
            <p class="note">Works until {dateOnly(invite.expires_at)}.</p>
          )}
        </div>
      )}
      <div class="row-wrap">
        <button
          type="button"
          class="button"
          disabled={create.busy}
          onClick={() => void create.run()}
        >
          <Icon name="link" size={18} /> Make a link
        </button>
        <button type="button" class="link" disabled={revoke.busy} onClick={() => void revoke.run()}>
          Take all back
        </button>
      </div>
    </section>
  );
}
