// SPDX-License-Identifier: MIT
// Chooses users: by their handle or name, as many as one likes.
import { useRef, useState } from 'preact/hooks';

import type { Handle } from '../../sdk/index.ts';
import { useName } from '../names.ts';
import { useFoundUsers } from '../side/search.ts';
import { UserPicture } from './avatar.tsx';
import { moveFocus } from './controls.tsx';
import { Icon } from './icons.tsx';

interface PickerProps {
  readonly label: string;
  readonly chosen: readonly Handle[];
  readonly onChange: (chosen: readonly Handle[]) => void;
  /** Who cannot be chosen: oneself, those who are there already. */
  readonly except: ReadonlySet<Handle>;
}

function Chip({ user, onRemove }: { user: Handle; onRemove: () => void }) {
  const name = useName(user);
  return (
    <li class="chip">
      <UserPicture user={user} size="small" />
      <bdi>{name}</bdi>
      <button type="button" aria-label={`Remove ${name}`} onClick={onRemove}>
        <Icon name="close" size={14} />
      </button>
    </li>
  );
}

export function PeoplePicker({ label, chosen, onChange, except }: PickerProps) {
  const [query, setQuery] = useState('');
  const input = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLUListElement>(null);
  const { users, failed } = useFoundUsers(query);
  const found = users?.filter(({ user }) => !except.has(user) && !chosen.includes(user));
  const choose = (user: Handle) => {
    onChange([...chosen, user]);
    setQuery('');
    input.current?.focus();
  };
  const pressed = (event: KeyboardEvent) => {
    const first = found?.[0];
    if (event.target === input.current && event.key === 'Enter') {
      event.preventDefault(); // it does not send the form
      if (first) choose(first.user);
    } else if (event.target !== input.current || event.key === 'ArrowDown') {
      moveFocus(event, list.current?.querySelectorAll<HTMLElement>('button') ?? []);
    }
  };
  return (
    <div class="picker" onKeyDown={pressed}>
      {chosen.length > 0 && (
        <ul class="chips" aria-label="Chosen">
          {chosen.map((user) => (
            <Chip
              key={user}
              user={user}
              onRemove={() => {
                onChange(chosen.filter((other) => other !== user));
                input.current?.focus();
              }}
            />
          ))}
        </ul>
      )}
      <div class="search">
        <Icon name="search" size={18} />
        <input
          ref={input}
          type="search"
          aria-label={label}
          placeholder={label}
          value={query}
          autoComplete="off"
          spellcheck={false}
          onInput={(event) => setQuery(event.currentTarget.value)}
        />
      </div>
      <ul class="found" ref={list} aria-label="Found">
        {found?.map(({ user, name }) => (
          <li key={user}>
            <button type="button" class="row" onClick={() => choose(user)}>
              <UserPicture user={user} size="small" />
              <span class="row-text">
                <span class="row-title">
                  <bdi>{name ?? user}</bdi>
                </span>
                <span class="row-preview">@{user}</span>
              </span>
              <Icon name="add" size={18} />
            </button>
          </li>
        ))}
      </ul>
      <p class="note" role="status">
        {query.trim() !== '' && found?.length === 0 && 'Nobody else is called so.'}
        {failed && 'People cannot be searched right now.'}
      </p>
    </div>
  );
}
