// SPDX-License-Identifier: MIT
// Who is here decides what is shown: nobody yet, a stranger, or a user with conversations.
import { useEffect } from 'preact/hooks';

import { client } from './client.ts';
import { useReadable } from './hooks.ts';
import { forgetFaces } from './names.ts';
import { Logo } from './parts/icons.tsx';
import { Interruptions } from './parts/dialog.tsx';
import { endPush, startPush } from './push.ts';
import { forgetDrafts } from './settings.ts';
import { Shell } from './shell.tsx';
import { Welcome } from './welcome.tsx';

function Splash() {
  return (
    <main class="splash" aria-busy="true" aria-label="Banter is starting">
      <Logo size={72} />
    </main>
  );
}

export function App() {
  const session = useReadable(client.session);
  const state = session.state;
  useEffect(() => {
    if (state !== 'signedOut') return;
    forgetFaces();
    forgetDrafts();
    endPush().catch((error: unknown) => reportError(error));
  }, [state]);
  const user = session.state === 'signedIn' ? session.user : null;
  useEffect(() => (user === null ? undefined : startPush(user)), [user]);
  return (
    <>
      {session.state === 'restoring' && <Splash />}
      {session.state === 'signedOut' && <Welcome reason={session.reason} />}
      {session.state === 'signedIn' && <Shell key={session.user} self={session.user} />}
      <Interruptions />
    </>
  );
}
