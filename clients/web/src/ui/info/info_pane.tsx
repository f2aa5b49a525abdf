// SPDX-License-Identifier: MIT
// What there is to know and to decide about a conversation: its people, its title, how it disturbs,
// how one gets in and out of it.
import { useEffect, useState } from 'preact/hooks';

import type { Conversation, Handle } from '../../sdk/index.ts';
import { client } from '../client.ts';
import { ago, dateOnly, fullTime, listTime } from '../format.ts';
import { useClock, useFocus, useLoaded, useReadable, useTask } from '../hooks.ts';
import { useName, useTitle } from '../names.ts';
import { ConversationPicture } from '../parts/avatar.tsx';
import { Choice, Field, IconButton, Menu, Problem } from '../parts/controls.tsx';
import { ask } from '../parts/dialog.tsx';
import { Icon } from '../parts/icons.tsx';
import { go, to } from '../route.ts';
import { QUERY_MAX, useFoundMessages } from '../side/search.ts';
import { Invites } from './invites.tsx';
import { Members } from './members.tsx';
import { Retention } from './retention.tsx';

const HOUR_MS = 3_600_000;
const FOR_EVER = '9999-01-01T00:00:00.000Z';

function Person({ user }: { user: Handle }) {
  const { value } = useLoaded(() => client.people.profile(user), [user]);
  const presence = useReadable(client.people.presence(user));
  const now = useClock(60_000);
  const blocks = useLoaded(() => client.commands.listBlocks(), [user]);
  const name = useName(user);
  const blocked = blocks.value?.blocks.some((block) => block.user === user) ?? false;
  const task = useTask(async () => {
    if (blocked) await client.commands.unblock(user);
    else if (
      await ask(
        `Block ${name}?`,
        'Neither of you can write to the other any more. They are not told.',
        'Block',
      )
    ) {
      await client.commands.block(user);
    }
    blocks.reload();
  });
  const lastSeen = value?.last_seen ?? presence.lastSeen;
  return (
    <>
      <dl class="facts">
        <dt>Handle</dt>
        <dd>@{user}</dd>
        {value?.email && (
          <>
            <dt>E-mail</dt>
            <dd>
              <a href={`mailto:${value.email}`}>{value.email}</a>
            </dd>
          </>
        )}
        {lastSeen && presence.state === 'offline' && (
          <>
            <dt>Last seen</dt>
            <dd title={fullTime(lastSeen)}>{ago(lastSeen, now)}</dd>
          </>
        )}
        {value && (
          <>
            <dt>Here since</dt>
            <dd>{dateOnly(value.created_at)}</dd>
          </>
        )}
      </dl>
      <Problem error={task.error} />
      {blocks.value && (
        <button
          type="button"
          class={blocked ? 'action' : 'action danger'}
          disabled={task.busy}
          onClick={() => void task.run()}
        >
          <Icon name="block" /> {blocked ? 'Unblock' : `Block ${name}`}
        </button>
      )}
    </>
  );
}

function Mute({ conversation }: { conversation: Conversation }) {
  const { id, mutedUntil } = conversation;
  const task = useTask((until: string | null) => client.commands.mute(id, until));
  const forHours = (hours: number) => () =>
    void task.run(new Date(Date.now() + hours * HOUR_MS).toISOString());
  const until =
    mutedUntil === null
      ? ''
      : Date.parse(mutedUntil) > Date.now() + 3_660 * 24 * HOUR_MS
        ? ''
        : ` until ${fullTime(mutedUntil)}`;
  return (
    <>
      {mutedUntil !== null ? (
        <button
          type="button"
          class="action"
          disabled={task.busy}
          onClick={() => void task.run(null)}
        >
          <Icon name="bell" />{' '}
          <span>
            Unmute <span class="faint">(muted{until})</span>
          </span>
        </button>
      ) : (
        <Menu
          label="Mute"
          class="action"
          items={[
            { label: 'For an hour', onChoose: forHours(1) },
            { label: 'For eight hours', onChoose: forHours(8) },
            { label: 'For a week', onChoose: forHours(7 * 24) },
            { label: 'Until I say otherwise', onChoose: () => void task.run(FOR_EVER) },
          ]}
        >
          <Icon name="bellOff" /> Mute
        </Menu>
      )}
      <Problem error={task.error} />
    </>
  );
}

function Rename({ conversation }: { conversation: Conversation }) {
  const [title, setTitle] = useState(conversation.title ?? '');
  useEffect(() => setTitle(conversation.title ?? ''), [conversation.title]);
  const task = useTask(async () => {
    const text = title.trim();
    await client.commands.modifyConversation(conversation.id, { title: text === '' ? null : text });
  });
  const changed = title.trim() !== (conversation.title ?? '');
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        void task.run();
      }}
    >
      <Field label="Title" value={title} onValue={setTitle} maxLength={128} autoComplete="off" />
      <Problem error={task.error} />
      {changed && (
        <button type="submit" class="button primary" disabled={task.busy}>
          Rename
        </button>
      )}
    </form>
  );
}

function ChannelRules({ conversation }: { conversation: Conversation }) {
  const { id, posting } = conversation;
  const task = useTask((change: Parameters<typeof client.commands.modifyConversation>[1]) =>
    client.commands.modifyConversation(id, change),
  );
  return (
    <div class="stack">
      <Choice
        label="Who may join"
        value={conversation.public ? 'public' : 'private'}
        disabled={task.busy}
        options={[
          ['public', 'Everybody'],
          ['private', 'Invited people'],
        ]}
        onChoose={(value) => void task.run({ public: value === 'public' })}
      />
      <Choice
        label="Who may post"
        value={posting ?? 'admins'}
        disabled={task.busy}
        options={[
          ['admins', 'Admins'],
          ['all', 'All members'],
        ]}
        onChoose={(value) => void task.run({ posting: value })}
      />
      <Problem error={task.error} />
    </div>
  );
}

function LeaveOrDelete({ conversation, title }: { conversation: Conversation; title: string }) {
  const { id, kind, role } = conversation;
  const leave = useTask(async () => {
    if (!(await ask(`Leave “${title}”?`, 'You will not see it any more.', 'Leave'))) return;
    await client.commands.leave(id);
    go(to.list);
  });
  const remove = useTask(async () => {
    if (
      !(await ask(
        `Delete “${title}”?`,
        'It is gone for all members, with every message, and cannot be brought back.',
        'Delete',
      ))
    )
      return;
    await client.commands.deleteConversation(id);
    go(to.list);
  });
  return (
    <>
      <button
        type="button"
        class="action danger"
        disabled={leave.busy}
        onClick={() => void leave.run()}
      >
        <Icon name="leave" /> Leave the {kind}
      </button>
      <Problem
        error={leave.error}
        special={{
          forbidden: 'You are its last owner. Name another one first, or delete it.',
        }}
      />
      {role === 'owner' && (
        <button
          type="button"
          class="action danger"
          disabled={remove.busy}
          onClick={() => void remove.run()}
        >
          <Icon name="trash" /> Delete the {kind}
        </button>
      )}
      <Problem error={remove.error} />
    </>
  );
}

function SearchHere({ id, self }: { id: string; self: Handle }) {
  const [query, setQuery] = useState('');
  const found = useFoundMessages(query, id);
  return (
    <section class="stack" aria-label="Search this conversation">
      <div class="search">
        <Icon name="search" size={18} />
        <input
          type="search"
          aria-label="Search this conversation"
          placeholder="Search this conversation"
          value={query}
          maxLength={QUERY_MAX}
          autoComplete="off"
          spellcheck={false}
          onInput={(event) => setQuery(event.currentTarget.value)}
        />
      </div>
      {found.hits && found.hits.length > 0 && (
        <ul class="hits">
          {found.hits.map((hit) => (
            <li key={hit.seq}>
              <a class="row" href={to.at(id, hit.seq)}>
                <span class="row-text">
                  <span class="row-line">
                    <span class="row-title">
                      <Author user={hit.from} self={self} />
                    </span>
                    <time dateTime={hit.at} title={fullTime(hit.at)}>
                      {listTime(hit.at, Date.now())}
                    </time>
                  </span>
                  <span class="row-preview row-preview-long">{hit.text.slice(0, 200)}</span>
                </span>
              </a>
            </li>
          ))}
        </ul>
      )}
      {found.loadMore && (
        <button type="button" class="button" onClick={found.loadMore}>
          More
        </button>
      )}
      <p class="note" role="status">
        {found.hits?.length === 0 && 'Nothing found.'}
        {found.failed && 'Messages cannot be searched right now.'}
      </p>
    </section>
  );
}

function Author({ user, self }: { user: Handle; self: Handle }) {
  const name = useName(user);
  return <bdi>{user === self ? 'You' : name}</bdi>;
}

export function InfoPane({ id, self }: { id: string; self: Handle }) {
  const conversation = useReadable(client.conversation(id));
  const title = useTitle(conversation, self);
  const heading = useFocus<HTMLHeadingElement>();
  if (!conversation) return <aside class="pane info-pane" aria-label="Details" />;
  const { kind, role, user, name } = conversation;
  const manages = role === 'owner' || role === 'admin';
  return (
    <aside class="pane info-pane" aria-labelledby="info-title">
      <header class="pane-head">
        <IconButton icon="back" label="Back to the conversation" href={to.chat(id)} />
        <h2 id="info-title" tabIndex={-1} ref={heading}>
          Details
        </h2>
      </header>
      <div class="pane-body padded">
        <div class="info-head">
          <ConversationPicture conversation={conversation} self={self} size="large" />
          <p class="info-name">
            <bdi>{title}</bdi>
          </p>
          {kind === 'channel' && name !== null && <p class="faint">#{name}</p>}
        </div>
        <SearchHere id={id} self={self} />
        <Mute conversation={conversation} />
        {kind === 'direct' && user !== null && user !== self && <Person user={user} />}
        {kind !== 'direct' && manages && <Rename conversation={conversation} />}
        {kind === 'channel' && manages && <ChannelRules conversation={conversation} />}
        {kind !== 'direct' && manages && <Retention conversation={conversation} />}
        {kind !== 'direct' && manages && <Invites id={id} />}
        {kind !== 'direct' && <Members conversation={conversation} self={self} />}
        {kind !== 'direct' && <LeaveOrDelete conversation={conversation} title={title} />}
      </div>
    </aside>
  );
}
