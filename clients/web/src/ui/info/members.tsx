// SPDX-License-Identifier: MIT
// Who is in a group or channel, and what may be done with them.
import { useEffect, useState } from 'preact/hooks';

import type { Conversation, Handle, Member, Role } from '../../sdk/index.ts';
import { client } from '../client.ts';
import { sentence } from '../format.ts';
import { useTask } from '../hooks.ts';
import { useName } from '../names.ts';
import { UserPicture } from '../parts/avatar.tsx';
import { Menu, Problem, type MenuItem } from '../parts/controls.tsx';
import { ask } from '../parts/dialog.tsx';
import { toBanterError } from '../../sdk/errors.ts';
import { PeoplePicker } from '../parts/people_picker.tsx';
import { go, to } from '../route.ts';

const WORDS: Record<Role, string> = {
  owner: 'Owner',
  admin: 'Admin',
  member: '',
  reader: 'Reader',
};

/** All pages that have been asked for, and whether there are more. Anew after `version` changes. */
function useMembers(id: string, version: number) {
  const [members, setMembers] = useState<readonly Member[]>([]);
  const [more, setMore] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const load = async (after?: Handle) => {
    try {
      const page = await client.commands.listMembers(id, after);
      setMembers((old) => (after === undefined ? page.members : [...old, ...page.members]));
      setMore(page.more);
      setError(null);
    } catch (thrown) {
      setError(sentence(toBanterError(thrown)));
    }
  };
  useEffect(() => void load(), [id, version]);
  return { members, error, loadMore: more ? () => void load(members.at(-1)?.user) : undefined };
}

/** Roles that whoever has `own` may give to somebody who has `present`. */
function rolesToGive(own: Role, present: Role, kind: Conversation['kind']): readonly Role[] {
  const all: readonly Role[] =
    own === 'owner'
      ? ['owner', 'admin', 'member', 'reader']
      : own === 'admin' && (present === 'member' || present === 'reader')
        ? ['member', 'reader']
        : [];
  return all.filter((role) => role !== present && (kind === 'group' || role !== 'member'));
}

const GIVE: Record<Role, string> = {
  owner: 'Make an owner',
  admin: 'Make an admin',
  member: 'Make a member',
  reader: 'Make a reader',
};

function MemberLine({
  member,
  conversation,
  self,
  onChanged,
}: {
  member: Member;
  conversation: Conversation;
  self: Handle;
  onChanged: () => void;
}) {
  const { user, role } = member;
  const { id, kind, role: own } = conversation;
  const name = useName(user);
  const task = useTask(async (work: () => Promise<unknown>) => {
    await work();
    onChanged();
  });
  const items: MenuItem[] = [];
  if (user !== self) {
    items.push({
      label: 'Message',
      icon: 'newChat',
      onChoose: () =>
        void task.run(async () => go(to.chat(await client.commands.createDirect(user)))),
    });
    for (const given of rolesToGive(own, role, kind)) {
      items.push({
        label: GIVE[given],
        icon: 'user',
        onChoose: () => void task.run(() => client.commands.setRole(id, user, given)),
      });
    }
    if (own === 'owner' || (own === 'admin' && role !== 'owner')) {
      items.push({
        label: 'Remove',
        icon: 'leave',
        danger: true,
        onChoose: () =>
          void task.run(async () => {
            if (await ask(`Remove ${name}?`, 'They see nothing of it any more.', 'Remove')) {
              await client.commands.removeMember(id, user);
            }
          }),
      });
    }
  }
  return (
    <li class="list-line">
      <UserPicture user={user} size="small" presence={kind === 'group' && user !== self} />
      <span class="row-text">
        <span class="row-title">
          <bdi>{name}</bdi>
          {user === self && <span class="faint"> (you)</span>}
        </span>
        <span class="row-preview">@{user}</span>
        <Problem error={task.error} />
      </span>
      {WORDS[role] !== '' && <span class="role">{WORDS[role]}</span>}
      {items.length > 0 && <Menu label={`What to do with ${name}`} items={items} />}
    </li>
  );
}

function AddMembers({
  id,
  present,
  onAdded,
}: {
  id: string;
  present: ReadonlySet<Handle>;
  onAdded: () => void;
}) {
  const [chosen, setChosen] = useState<readonly Handle[]>([]);
  const task = useTask(async () => {
    await client.commands.addMembers(id, chosen);
    setChosen([]);
    onAdded();
  });
  return (
    <div class="stack">
      <PeoplePicker label="Add people" chosen={chosen} onChange={setChosen} except={present} />
      <Problem
        error={task.error}
        special={{
          forbidden: 'One of them cannot be added by you.',
          limit_reached: 'That is more people than this can have.',
        }}
      />
      {chosen.length > 0 && (
        <button
          type="button"
          class="button primary"
          disabled={task.busy}
          onClick={() => void task.run()}
        >
          Add
        </button>
      )}
    </div>
  );
}

export function Members({ conversation, self }: { conversation: Conversation; self: Handle }) {
  const { id, role } = conversation;
  const [version, setVersion] = useState(0);
  const changed = () => setVersion((n) => n + 1);
  const { members, error, loadMore } = useMembers(id, version);
  const manages = role === 'owner' || role === 'admin';

  // Who comes and goes is an entry of a group's log.
  useEffect(
    () =>
      client.onEntry((entry) => {
        if (entry.conversation === id && entry.kind !== 'text' && entry.kind !== 'reaction')
          changed();
      }),
    [id],
  );
  return (
    <section class="stack">
      <h3 class="section-title">Members</h3>
      {manages && (
        <AddMembers id={id} present={new Set(members.map((m) => m.user))} onAdded={changed} />
      )}
      <ul class="lines">
        {members.map((member) => (
          <MemberLine
            key={member.user}
            member={member}
            conversation={conversation}
            self={self}
            onChanged={changed}
          />
        ))}
      </ul>
      {loadMore && (
        <button type="button" class="button" onClick={loadMore}>
          More
        </button>
      )}
      {error !== null && <p class="note">{error}</p>}
    </section>
  );
}
