// SPDX-License-Identifier: MIT
// Oneself: profile, picture, who sees what, devices, whom one has blocked, how it looks.
import { useEffect, useState } from 'preact/hooks';

import type { DeviceLogin, Handle, Profile, Visibility } from '../../sdk/index.ts';
import { client } from '../client.ts';
import { dateOnly, fullTime, sentence } from '../format.ts';
import { useLoaded, useReadable, useTask } from '../hooks.ts';
import { learn, useName } from '../names.ts';
import { UserPicture } from '../parts/avatar.tsx';
import { Choice, Field, Problem } from '../parts/controls.tsx';
import { ask, tell } from '../parts/dialog.tsx';
import { Icon } from '../parts/icons.tsx';
import { Pane } from '../parts/pane.tsx';
import { shrink } from '../picture.ts';
import { to } from '../route.ts';
import { setTheme, theme, type Theme } from '../settings.ts';
import { Notifications } from './notifications.tsx';

const VISIBILITIES: readonly (readonly [Visibility, string])[] = [
  ['everyone', 'Everybody'],
  ['contacts', 'Contacts'],
  ['nobody', 'Nobody'],
];
const THEMES: readonly (readonly [Theme, string])[] = [
  ['system', 'System'],
  ['light', 'Light'],
  ['dark', 'Dark'],
];

function Picture({
  self,
  profile,
  reload,
}: {
  self: Handle;
  profile: Profile;
  reload: () => void;
}) {
  const upload = useTask(async (file: File) => {
    await client.people.setAvatar(await shrink(file));
    reload();
  });
  const remove = useTask(async () => {
    await client.people.removeAvatar();
    reload();
  });
  return (
    <div class="own-picture">
      <UserPicture user={self} size="large" />
      <div class="stack">
        <label class="button">
          <Icon name="camera" size={18} />
          {upload.busy ? 'Uploading…' : 'Choose a picture'}
          <input
            type="file"
            class="hidden"
            accept="image/png,image/jpeg,image/gif,image/webp"
            disabled={upload.busy}
            onChange={(event) => {
              const file = event.currentTarget.files?.[0];
              event.currentTarget.value = '';
              if (file) void upload.run(file);
            }}
          />
        </label>
        {profile.avatar !== null && (
          <button
            type="button"
            class="link"
            disabled={remove.busy}
            onClick={() => void remove.run()}
          >
            Remove the picture
          </button>
        )}
      </div>
      <Problem
        error={upload.error ?? remove.error}
        special={{ invalid: 'This is not a picture that can be used.' }}
      />
    </div>
  );
}

function ProfileForm({ profile, reload }: { profile: Profile; reload: () => void }) {
  const [name, setName] = useState(profile.name ?? '');
  const [email, setEmail] = useState(profile.email ?? '');
  const task = useTask(async () => {
    const text = (value: string) => (value.trim() === '' ? null : value.trim());
    await client.people.modifyProfile({ name: text(name), email: text(email) });
    reload();
    tell('Saved.');
  });
  const visibility = useTask(
    async (which: 'email_visibility' | 'last_seen_visibility', value: Visibility) => {
      await client.people.modifyProfile({ [which]: value });
      reload();
    },
  );
  const changed = name.trim() !== (profile.name ?? '') || email.trim() !== (profile.email ?? '');
  return (
    <>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void task.run();
        }}
      >
        <Field label="Name" value={name} onValue={setName} maxLength={128} autoComplete="name" />
        <Field
          label="E-mail"
          type="email"
          value={email}
          onValue={setEmail}
          maxLength={254}
          autoComplete="email"
        />
        <Problem error={task.error} />
        <button type="submit" class="button primary" disabled={task.busy || !changed}>
          Save
        </button>
      </form>
      <Choice
        label="Who sees when you were here"
        value={profile.last_seen_visibility ?? 'contacts'}
        options={VISIBILITIES}
        disabled={visibility.busy}
        onChoose={(value) => void visibility.run('last_seen_visibility', value)}
      />
      <Choice
        label="Who sees your e-mail address"
        value={profile.email_visibility ?? 'nobody'}
        options={VISIBILITIES}
        disabled={visibility.busy}
        onChoose={(value) => void visibility.run('email_visibility', value)}
      />
      <Problem error={visibility.error} />
    </>
  );
}

function Device({ login, own, reload }: { login: DeviceLogin; own: boolean; reload: () => void }) {
  const task = useTask(async () => {
    const agreed = await ask(
      'End this login?',
      'The device is logged out at once, wherever it is.',
      'End it',
    );
    if (!agreed) return;
    await client.commands.revokeDevice(login.login);
    reload();
  });
  return (
    <li class="list-line">
      <Icon name="device" />
      <span class="row-text">
        <span class="row-title">{login.device ?? `A login of ${dateOnly(login.created_at)}`}</span>
        <span class="row-preview" title={fullTime(login.last_used_at)}>
          {own ? 'This device' : `Last used ${dateOnly(login.last_used_at)}`}
        </span>
        <Problem error={task.error} />
      </span>
      {!own && (
        <button
          type="button"
          class="button small"
          disabled={task.busy}
          aria-label={`End the login of ${login.device ?? dateOnly(login.created_at)}`}
          onClick={() => void task.run()}
        >
          End
        </button>
      )}
    </li>
  );
}

function Devices({ own }: { own: string | null }) {
  const { value, error, reload } = useLoaded(() => client.commands.listDevices(), []);
  return (
    <section>
      <h2 class="section-title">Devices</h2>
      <ul class="lines">
        {value?.map((login) => (
          <Device key={login.login} login={login} own={login.login === own} reload={reload} />
        ))}
      </ul>
      {error && <p class="note">{sentence(error)}</p>}
    </section>
  );
}

function Blocked({ user, reload }: { user: Handle; reload: () => void }) {
  const name = useName(user);
  const task = useTask(async () => {
    await client.commands.unblock(user);
    reload();
  });
  return (
    <li class="list-line">
      <UserPicture user={user} size="small" />
      <span class="row-text">
        <span class="row-title">
          <bdi>{name}</bdi>
        </span>
      </span>
      <button
        type="button"
        class="button small"
        disabled={task.busy}
        aria-label={`Unblock ${name}`}
        onClick={() => void task.run()}
      >
        Unblock
      </button>
    </li>
  );
}

function BlockedUsers() {
  const { value, error, reload } = useLoaded(() => client.commands.listBlocks(), []);
  return (
    <section>
      <h2 class="section-title">Blocked people</h2>
      <ul class="lines">
        {value?.blocks.map(({ user }) => (
          <Blocked key={user} user={user} reload={reload} />
        ))}
      </ul>
      {value?.blocks.length === 0 && <p class="note">You have blocked nobody.</p>}
      {value?.more && <p class="note">And more.</p>}
      {error && <p class="note">{sentence(error)}</p>}
    </section>
  );
}

function Appearance() {
  const chosen = useReadable(theme);
  return <Choice label="Appearance" value={chosen} options={THEMES} onChoose={setTheme} />;
}

type Shown = 'online' | 'away' | 'hidden';
let shownAs: Shown = 'online';

/** What this device says of its user; the server forgets it with the connection. */
function ShownAs() {
  const [shown, setShown] = useState<Shown>(shownAs);
  return (
    <Choice
      label="Show me as"
      value={shown}
      options={[
        ['online', 'Online'],
        ['away', 'Away'],
        ['hidden', 'Hidden'],
      ]}
      onChoose={(value) => {
        shownAs = value;
        setShown(value);
        client.people.setPresence(value);
      }}
    />
  );
}

export function SettingsPane({ self }: { self: Handle }) {
  const session = useReadable(client.session);
  const { value: profile, error, reload } = useLoaded(() => client.people.profile(), []);
  useEffect(() => {
    if (profile) learn(self, profile);
  }, [profile]);
  const logOut = useTask(async () => {
    const waiting = client.outbox.get().length;
    const agreed = await ask(
      'Log out?',
      waiting > 0
        ? `${waiting} of your messages have not been sent, and would be lost.`
        : 'What was loaded for reading offline is deleted from this browser.',
      'Log out',
    );
    if (agreed) await client.logOut();
  });
  return (
    <Pane title="Settings" back={to.list} class="settings">
      <p class="own-handle">@{self}</p>
      {error && !profile && <p class="note">{sentence(error)}</p>}
      {profile && <Picture self={self} profile={profile} reload={reload} />}
      {profile && <ProfileForm key={profile.created_at} profile={profile} reload={reload} />}
      <ShownAs />
      <Appearance />
      <Notifications self={self} />
      {session.state === 'signedIn' && <Devices own={session.login} />}
      <BlockedUsers />
      <Problem error={logOut.error} />
      <button
        type="button"
        class="button danger wide"
        disabled={logOut.busy}
        onClick={() => void logOut.run()}
      >
        <Icon name="leave" size={18} /> Log out
      </button>
    </Pane>
  );
}
