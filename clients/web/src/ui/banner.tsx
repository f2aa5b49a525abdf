// SPDX-License-Identifier: MIT
// Says when messages do not flow, and how many of one's own are waiting. A connection that comes
// back at once is not worth a word, so nothing is said in the first moments.
import { useEffect, useState } from 'preact/hooks';

import { client } from './client.ts';
import { plural } from './format.ts';
import { useClock, useReadable } from './hooks.ts';
import { Icon } from './parts/icons.tsx';

const PATIENCE_MS = 1_500;

function useOffline(): boolean {
  const [offline, setOffline] = useState(!navigator.onLine);
  useEffect(() => {
    const changed = () => setOffline(!navigator.onLine);
    addEventListener('online', changed);
    addEventListener('offline', changed);
    return () => {
      removeEventListener('online', changed);
      removeEventListener('offline', changed);
    };
  }, []);
  return offline;
}

function Trouble({ offline }: { offline: boolean }) {
  const connection = useReadable(client.connection);
  const now = useClock(1_000);
  const waiting = useReadable(client.outbox).filter((item) => item.state !== 'failed').length;
  const seconds =
    connection.state === 'waiting' ? Math.max(0, Math.ceil((connection.retryAt - now) / 1_000)) : 0;
  const outbox = waiting > 0 ? ` ${plural(waiting, 'message')} will be sent then.` : '';
  return (
    <>
      <Icon name={offline ? 'warning' : 'clock'} size={16} />
      <span>
        {offline ? 'You are offline. You can read, and write for later.' : 'Reconnecting…'}
        {outbox}
      </span>
      {!offline && seconds > 2 && (
        <button type="button" class="link" onClick={() => client.nudge()}>
          Try now<span aria-hidden="true"> ({seconds} s)</span>
        </button>
      )}
    </>
  );
}

export function Banner() {
  const connection = useReadable(client.connection);
  const offline = useOffline();
  const well = connection.state === 'online';
  const [shown, setShown] = useState(false);
  useEffect(() => {
    if (well) {
      setShown(false);
      return;
    }
    const timer = setTimeout(() => setShown(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [well]);
  const visible = !well && (shown || offline);
  return (
    <div class={visible ? 'banner shown' : 'banner'} role="status">
      {visible && <Trouble offline={offline} />}
    </div>
  );
}
