// SPDX-License-Identifier: MIT
// The conversations, and one field that searches them, all users and all messages.
import { useMemo, useRef, useState } from 'preact/hooks';

import type { Conversation, Handle, Hit } from '../../sdk/index.ts';
import { client } from '../client.ts';
import { fullTime, listTime, sentence, unreadCount } from '../format.ts';
import { useClock, useReadable, useTask } from '../hooks.ts';
import { nameOf, useName, useTitle } from '../names.ts';
import { ConversationPicture, UserPicture } from '../parts/avatar.tsx';
import { IconButton, moveFocus } from '../parts/controls.tsx';
import { tell } from '../parts/dialog.tsx';
import { Icon, Logo } from '../parts/icons.tsx';
import { go, to } from '../route.ts';
import { previewOf } from './preview.ts';
import { QUERY_MAX, useFoundMessages, useFoundUsers } from './search.ts';

interface RowProps {
  readonly conversation: Conversation;
  readonly self: Handle;
  readonly selected: boolean;
  readonly now: number;
}

function Row({ conversation, self, selected, now }: RowProps) {
  const title = useTitle(conversation, self);
  const { id, unread, preview, mutedUntil } = conversation;
  useName(preview?.from ?? self); // the preview names its author
  const failed = useReadable(client.outbox).some(
    (item) => item.target === id && item.state === 'failed',
  );
  const muted = mutedUntil !== null;
  return (
    <li>
      <a
        href={to.chat(id)}
        class={`row ${unread > 0 ? 'row-unread' : ''}`}
        aria-current={selected ? 'page' : undefined}
        data-conversation={id}
      >
        <ConversationPicture conversation={conversation} self={self} />
        <span class="row-text">
          <span class="row-line">
            <span class="row-title">
              <bdi>{title}</bdi>
            </span>
            {preview && <time dateTime={preview.at}>{listTime(preview.at, now)}</time>}
          </span>
          <span class="row-line">
            <span class="row-preview">{previewOf(conversation, self)}</span>
            {failed && (
              <span class="mark-failed">
                <Icon name="warning" size={16} />
                <span class="hidden">Not sent</span>
              </span>
            )}
            {muted && (
              <span class="mark-muted">
                <Icon name="bellOff" size={15} />
                <span class="hidden">Muted</span>
              </span>
            )}
            {unread > 0 && (
              <span class={muted ? 'badge badge-muted' : 'badge'}>
                {unreadCount(unread)}
                <span class="hidden"> unread</span>
              </span>
            )}
          </span>
        </span>
      </a>
    </li>
  );
}

function PersonRow({ user, name }: { user: Handle; name: string | null }) {
  const task = useTask(async () => {
    const existing = client.directWith(user);
    go(to.chat(existing ? existing.id : await client.commands.createDirect(user)));
  });
  if (task.error) {
    tell(sentence(task.error));
    task.clear();
  }
  return (
    <li>
      <button type="button" class="row" disabled={task.busy} onClick={() => void task.run()}>
        <UserPicture user={user} />
        <span class="row-text">
          <span class="row-title">
            <bdi>{name ?? user}</bdi>
          </span>
          <span class="row-preview">@{user}</span>
        </span>
      </button>
    </li>
  );
}

function HitRow({ hit, self }: { hit: Hit; self: Handle }) {
  const conversation = useReadable(client.conversation(hit.conversation));
  const title = useTitle(conversation, self);
  const name = useName(hit.from);
  return (
    <li>
      <a class="row" href={to.at(hit.conversation, hit.seq)}>
        <UserPicture user={hit.from} size="small" />
        <span class="row-text">
          <span class="row-line">
            <span class="row-title">
              <bdi>{hit.from === self ? 'You' : name}</bdi>
              {conversation?.kind !== 'direct' && (
                <span class="faint">
                  {' '}
                  in <bdi>{title}</bdi>
                </span>
              )}
            </span>
            <time dateTime={hit.at} title={fullTime(hit.at)}>
              {listTime(hit.at, Date.now())}
            </time>
          </span>
          <span class="row-preview row-preview-long">{hit.text.slice(0, 300)}</span>
        </span>
      </a>
    </li>
  );
}

function Results({
  query,
  self,
  conversations,
}: {
  query: string;
  self: Handle;
  conversations: readonly Conversation[];
}) {
  const people = useFoundUsers(query);
  const messages = useFoundMessages(query);
  const now = useClock(60_000);
  const wanted = query.trim().toLocaleLowerCase();
  const matching = conversations.filter((c) => {
    const name = c.kind === 'direct' ? nameOf(c.user ?? self) : '';
    return [c.title, c.name, c.user, name].some((text) =>
      text?.toLocaleLowerCase().includes(wanted),
    );
  });
  const known = new Set(matching.map((c) => c.user));
  const others = people.users?.filter(({ user }) => !known.has(user));
  const nothing = matching.length === 0 && others?.length === 0 && messages.hits?.length === 0;
  return (
    <>
      {matching.length > 0 && (
        <section aria-label="Conversations">
          <h2 class="section-title">Conversations</h2>
          <ul>
            {matching.map((c) => (
              <Row key={c.id} conversation={c} self={self} selected={false} now={now} />
            ))}
          </ul>
        </section>
      )}
      {others !== undefined && others.length > 0 && (
        <section aria-label="People">
          <h2 class="section-title">People</h2>
          <ul>
            {others.map((p) => (
              <PersonRow key={p.user} user={p.user} name={p.name} />
            ))}
          </ul>
        </section>
      )}
      {messages.hits !== undefined && messages.hits.length > 0 && (
        <section aria-label="Messages">
          <h2 class="section-title">Messages</h2>
          <ul>
            {messages.hits.map((hit) => (
              <HitRow key={`${hit.conversation} ${hit.seq}`} hit={hit} self={self} />
            ))}
          </ul>
          {messages.loadMore && (
            <button type="button" class="button wide" onClick={messages.loadMore}>
              More
            </button>
          )}
        </section>
      )}
      <p class="note pane-note" role="status">
        {nothing && 'Nothing found.'}
        {messages.pending > 0 && ' Some new messages are not searchable yet.'}
        {(people.failed || messages.failed) && ' People and messages cannot be searched right now.'}
      </p>
    </>
  );
}

function EmptyList() {
  return (
    <div class="empty">
      <p>
        <strong>No conversations yet.</strong>
      </p>
      <p>
        Find somebody by their handle above, or <a href={to.new}>start something new</a>.
      </p>
    </div>
  );
}

export function ListPane({ self, selected }: { self: Handle; selected: string | null }) {
  const conversations = useReadable(client.conversations);
  const [query, setQuery] = useState('');
  const now = useClock(60_000);
  const body = useRef<HTMLDivElement>(null);
  const searching = query.trim() !== '';
  const rows = useMemo(
    () =>
      conversations.map((c) => (
        <Row key={c.id} conversation={c} self={self} selected={c.id === selected} now={now} />
      )),
    [conversations, self, selected, now],
  );

  const pressed = (event: KeyboardEvent) => {
    if (event.key === 'Escape' && searching) {
      event.preventDefault();
      setQuery('');
    } else if (event.target instanceof HTMLInputElement && event.key !== 'ArrowDown') {
      return;
    } else {
      moveFocus(event, body.current?.querySelectorAll<HTMLElement>('.row') ?? []);
    }
  };
  return (
    <nav class="pane list-pane" aria-label="Conversations" onKeyDown={pressed}>
      <header class="pane-head">
        <Logo size={30} />
        <h1 class="brand">Banter</h1>
        <IconButton icon="settings" label="Settings" href={to.settings} />
        <IconButton icon="newChat" label="New conversation" href={to.new} />
      </header>
      <div class="search" role="search">
        <Icon name="search" size={18} />
        <input
          type="search"
          aria-label="Search people and messages"
          placeholder="Search people and messages"
          value={query}
          maxLength={QUERY_MAX}
          autoComplete="off"
          spellcheck={false}
          onInput={(event) => setQuery(event.currentTarget.value)}
        />
      </div>
      <div class="pane-body" ref={body}>
        {searching && <Results query={query} self={self} conversations={conversations} />}
        {!searching && rows.length > 0 && <ul class="conversations">{rows}</ul>}
        {!searching && rows.length === 0 && <EmptyList />}
      </div>
    </nav>
  );
}
