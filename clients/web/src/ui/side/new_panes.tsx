// SPDX-License-Identifier: MIT
// Beginning something: a group, a channel, or joining what others have begun.
import { useState } from 'preact/hooks';

import type { Handle, Posting } from '../../sdk/index.ts';
import { client } from '../client.ts';
import { useTask } from '../hooks.ts';
import { Choice, Field, Problem } from '../parts/controls.tsx';
import { Icon, type IconName } from '../parts/icons.tsx';
import { Pane } from '../parts/pane.tsx';
import { PeoplePicker } from '../parts/people_picker.tsx';
import { go, goInstead, to } from '../route.ts';

const TITLE_MAX = 128;
const CHANNEL_NAME = /^[a-z0-9][a-z0-9._-]{1,31}$/;

function Way({
  icon,
  href,
  title,
  hint,
}: {
  icon: IconName;
  href: string;
  title: string;
  hint: string;
}) {
  return (
    <a class="row way" href={href}>
      <span class="way-icon">
        <Icon name={icon} />
      </span>
      <span class="row-text">
        <span class="row-title">{title}</span>
        <span class="row-preview">{hint}</span>
      </span>
    </a>
  );
}

/** An invite out of whatever was pasted: an address that ends in it, or itself. */
function inviteOf(pasted: string): string | null {
  const address = /\/join\/([\w-]{22})\/?$/.exec(pasted);
  if (address) return address[1] ?? null;
  return /^[\w-]{22}$/.test(pasted) ? pasted : null;
}

function JoinForm() {
  const [what, setWhat] = useState('');
  const task = useTask(async () => {
    const pasted = what.trim();
    const invite = inviteOf(pasted);
    go(
      to.chat(
        await client.commands.join(
          invite === null ? { name: pasted.replace(/^[#@]/, '').toLowerCase() } : { invite },
        ),
      ),
    );
  });
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        void task.run();
      }}
    >
      <Field
        label="Join a channel by its name, or anything by an invite"
        placeholder="Name or link"
        value={what}
        onValue={setWhat}
        required
        autoComplete="off"
        spellcheck={false}
        autoCapitalize="none"
      />
      <Problem
        error={task.error}
        special={{
          not_found:
            'There is no public channel of that name, or the invite is not valid any more.',
          limit_reached: 'It is full.',
        }}
      />
      <button type="submit" class="button" disabled={task.busy}>
        Join
      </button>
    </form>
  );
}

export function NewPane({ self }: { self: Handle }) {
  const task = useTask(async (handles: readonly Handle[]) => {
    const user = handles[0];
    if (user !== undefined) go(to.chat(await client.commands.createDirect(user)));
  });
  return (
    <Pane title="New conversation" back={to.list}>
      <div class="ways">
        <Way icon="group" href={to.group} title="New group" hint="For people who know each other" />
        <Way icon="channel" href={to.channel} title="New channel" hint="For many readers" />
      </div>
      <h2 class="section-title">Talk to somebody</h2>
      <PeoplePicker
        label="Handle or name"
        chosen={[]}
        except={new Set()}
        onChange={(handles) => void task.run(handles)}
      />
      <Problem error={task.error} />
      <button type="button" class="link" disabled={task.busy} onClick={() => void task.run([self])}>
        Write notes to yourself
      </button>
      <h2 class="section-title">Join</h2>
      <JoinForm />
    </Pane>
  );
}

export function GroupPane({ self }: { self: Handle }) {
  const [title, setTitle] = useState('');
  const [members, setMembers] = useState<readonly Handle[]>([]);
  const task = useTask(async () => {
    const name = title.trim();
    goInstead(to.chat(await client.commands.createGroup(name === '' ? null : name, members)));
  });
  return (
    <Pane title="New group" back={to.new}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void task.run();
        }}
      >
        <Field
          label="Title"
          value={title}
          onValue={setTitle}
          maxLength={TITLE_MAX}
          autoComplete="off"
        />
        <PeoplePicker
          label="Add people"
          chosen={members}
          onChange={setMembers}
          except={new Set([self])}
        />
        <Problem
          error={task.error}
          special={{
            forbidden: 'One of them cannot be added by you.',
            limit_reached: 'That is more people than a group can have.',
          }}
        />
        <button type="submit" class="button primary" disabled={task.busy}>
          Create group
        </button>
      </form>
    </Pane>
  );
}

export function ChannelPane() {
  const [title, setTitle] = useState('');
  const [name, setName] = useState('');
  const [access, setAccess] = useState<'public' | 'private'>('public');
  const [posting, setPosting] = useState<Posting>('admins');
  const wrongName =
    name !== '' && !CHANNEL_NAME.test(name)
      ? '2 to 32 of a–z, 0–9, dot, dash and underscore.'
      : null;
  const task = useTask(async () => {
    goInstead(
      to.chat(
        await client.commands.createChannel({
          title: title.trim(),
          public: access === 'public',
          posting,
          ...(access === 'public' && name !== '' ? { name } : {}),
        }),
      ),
    );
  });
  return (
    <Pane title="New channel" back={to.new}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (wrongName === null) void task.run();
        }}
      >
        <Field
          label="Title"
          value={title}
          onValue={setTitle}
          maxLength={TITLE_MAX}
          required
          autoComplete="off"
        />
        <Choice
          label="Who may join"
          value={access}
          onChoose={setAccess}
          options={[
            ['public', 'Everybody'],
            ['private', 'Invited people'],
          ]}
        />
        {access === 'public' && (
          <Field
            label="Name (if you like)"
            value={name}
            autoComplete="off"
            autoCapitalize="none"
            spellcheck={false}
            onValue={(value) => setName(value.trim().toLowerCase())}
            hint="People join by it, so it is unique."
            error={wrongName}
          />
        )}
        <Choice
          label="Who may post"
          value={posting}
          onChoose={setPosting}
          options={[
            ['admins', 'Admins'],
            ['all', 'All members'],
          ]}
        />
        <Problem error={task.error} special={{ conflict: 'Another channel has this name.' }} />
        <button type="submit" class="button primary" disabled={task.busy}>
          Create channel
        </button>
      </form>
    </Pane>
  );
}
