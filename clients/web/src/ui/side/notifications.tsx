// SPDX-License-Identifier: MIT
// Whether this browser is told of messages while no page is open; nothing where it cannot be.
import type { Handle } from '../../sdk/index.ts';
import { useAttention, useLoaded, useTask } from '../hooks.ts';
import { Problem, Switch } from '../parts/controls.tsx';
import { pushState, switchPushOff, switchPushOn } from '../push.ts';

const FAILED = 'Your browser could not arrange that. Please try again later.';

export function Notifications({ self }: { self: Handle }) {
  const attention = useAttention(); // people come back from the browser's own settings
  const { value: state, reload } = useLoaded(() => pushState(self), [attention]);
  const turn = useTask(async (on: boolean) => {
    try {
      await (on ? switchPushOn(self) : switchPushOff());
    } finally {
      reload();
    }
  });
  if (state === undefined || state === null || state === 'absent') return null;
  return (
    <section>
      <Switch
        label="Notifications on this device"
        checked={state === 'on'}
        disabled={turn.busy || state === 'blocked'}
        hint={
          state === 'blocked'
            ? 'Blocked by the browser. Allow notifications for this site in its settings first.'
            : 'Tells you of new messages while Banter is not open.'
        }
        onTurn={(on) => void turn.run(on)}
      />
      <Problem error={turn.error} special={{ unavailable: FAILED }} />
    </section>
  );
}
