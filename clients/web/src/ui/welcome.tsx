// SPDX-License-Identifier: MIT
// For strangers: log in or sign up. Where an invite led here, it waits in the address until then.
import { useState } from 'preact/hooks';

import { BanterError, type InviteView, type Refusal } from '../sdk/index.ts';
import { client } from './client.ts';
import { sentence } from './format.ts';
import { useFocus, useLoaded, useTask } from './hooks.ts';
import { Field, Problem } from './parts/controls.tsx';
import { Logo } from './parts/icons.tsx';
import { useRoute } from './route.ts';

const HANDLE = /^[a-z0-9][a-z0-9._-]{1,31}$/;
const PASSWORD_MIN = 8;

function handleProblem(handle: string): string | null {
  if (HANDLE.test(handle)) return null;
  return 'Use 2 to 32 of a–z, 0–9, dot, dash and underscore, beginning with a letter or digit.';
}

/** What people type for a handle: with an @ before it, in capitals, with blanks around it. */
const tidy = (handle: string) => handle.trim().replace(/^@/, '').toLowerCase();

function LogIn({ reason }: { reason: Refusal | null }) {
  const [handle, setHandle] = useState('');
  const [password, setPassword] = useState('');
  const first = useFocus<HTMLFormElement>(false);
  const task = useTask(() => client.logIn({ handle: tidy(handle), password }));
  return (
    <form
      ref={first}
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        void task.run();
      }}
    >
      {reason && !task.error && (
        <p class="note">
          You were logged out:{' '}
          {sentence(reason, {
            unauthorized: 'this login ended or was revoked.',
          })}
        </p>
      )}
      <Field
        label="Handle"
        value={handle}
        onValue={setHandle}
        name="username"
        autoComplete="username"
        autoCapitalize="none"
        spellcheck={false}
        required
      />
      <Field
        label="Password"
        type="password"
        value={password}
        onValue={setPassword}
        name="password"
        autoComplete="current-password"
        required
      />
      <Problem
        error={task.error}
        special={{
          unauthorized: 'There is no such handle and password.',
          invalid: 'There is no such handle and password.',
          offline: 'The server cannot be reached.',
        }}
      />
      <button type="submit" class="button primary wide" disabled={task.busy}>
        {task.busy ? 'Logging in…' : 'Log in'}
      </button>
    </form>
  );
}

function SignUp() {
  const [handle, setHandle] = useState('');
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const [tried, setTried] = useState(false);
  const wrongHandle = handleProblem(tidy(handle));
  const wrongPassword =
    password.length < PASSWORD_MIN ? `At least ${PASSWORD_MIN} characters.` : null;
  const task = useTask(() =>
    client.signUp({
      handle: tidy(handle),
      password,
      ...(name.trim() === '' ? {} : { name: name.trim() }),
    }),
  );
  return (
    <form
      class="stack"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        setTried(true);
        if (wrongHandle === null && wrongPassword === null) void task.run();
      }}
    >
      <Field
        label="Handle"
        value={handle}
        onValue={setHandle}
        name="username"
        autoComplete="username"
        autoCapitalize="none"
        spellcheck={false}
        required
        hint="How others find you. It stays yours for ever."
        error={tried ? wrongHandle : null}
      />
      <Field
        label="Name (if you like)"
        value={name}
        onValue={setName}
        name="name"
        autoComplete="name"
        maxLength={128}
      />
      <Field
        label="Password"
        type="password"
        value={password}
        onValue={setPassword}
        name="password"
        autoComplete="new-password"
        required
        hint={`At least ${PASSWORD_MIN} characters.`}
        error={tried ? wrongPassword : null}
      />
      <Problem
        error={task.error}
        special={{
          conflict: 'This handle is taken. Try another one.',
          forbidden: 'This server does not take new users.',
          offline: 'The server cannot be reached.',
        }}
      />
      <button type="submit" class="button primary wide" disabled={task.busy}>
        {task.busy ? 'Signing up…' : 'Sign up'}
      </button>
    </form>
  );
}

/** As `lookAtInvite`, which is for those who are in. */
async function lookAt(invite: string): Promise<InviteView> {
  const response = await fetch(`/join/${encodeURIComponent(invite)}`, {
    headers: { Accept: 'application/json' },
    credentials: 'omit',
  });
  if (response.ok) return (await response.json()) as InviteView;
  throw new BanterError(response.status === 404 ? 'not_found' : 'unavailable', 'no such invite');
}

/** What an invite leads to, for those who have yet to come in. */
function Invitation({ invite }: { invite: string }) {
  const { value, error } = useLoaded(() => lookAt(invite), [invite]);
  if (error?.code === 'not_found') return <p class="note">That invite is not valid any more.</p>;
  if (!value) return null;
  return (
    <p class="invited">
      You are invited to <strong>{value.title ?? `a ${value.kind}`}</strong>. Log in or sign up, and
      you can join.
    </p>
  );
}

export function Welcome({ reason }: { reason: Refusal | null }) {
  const route = useRoute();
  const [mode, setMode] = useState<'in' | 'up'>('in');
  return (
    <main class="welcome">
      <div class="welcome-scene" aria-hidden="true">
        <div class="scene-bubble scene-1">
          <i />
          <i />
        </div>
        <div class="scene-bubble scene-2">
          <i />
          <i />
          <i />
        </div>
        <div class="scene-bubble scene-3">
          <i />
        </div>
        <div class="scene-bubble scene-4">
          <b />
          <b />
          <b />
        </div>
      </div>
      <div class="welcome-card">
        <header class="welcome-head">
          <Logo size={52} />
          <h1>Banter</h1>
          <p>Chat that keeps its word.</p>
        </header>
        {route.pane === 'join' && <Invitation invite={route.invite} />}
        <div class="tabs" role="group" aria-label="Log in or sign up">
          <button type="button" aria-pressed={mode === 'in'} onClick={() => setMode('in')}>
            I have an account
          </button>
          <button type="button" aria-pressed={mode === 'up'} onClick={() => setMode('up')}>
            I am new here
          </button>
        </div>
        {mode === 'in' ? <LogIn reason={reason} /> : <SignUp />}
      </div>
    </main>
  );
}
