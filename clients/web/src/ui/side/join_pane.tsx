// SPDX-License-Identifier: MIT
// What an invite leads to, and the question whether to follow.
import { client } from '../client.ts';
import { plural, sentence } from '../format.ts';
import { useLoaded, useTask } from '../hooks.ts';
import { Problem } from '../parts/controls.tsx';
import { Logo } from '../parts/icons.tsx';
import { goInstead, to } from '../route.ts';

export function JoinPane({ invite }: { invite: string }) {
  const { value, error } = useLoaded(() => client.commands.lookAtInvite(invite), [invite]);
  const task = useTask(async () => {
    goInstead(to.chat(await client.commands.join({ invite })));
  });
  return (
    <main class="main nothing" id="main" tabIndex={-1}>
      <div class="nothing-inner">
        <Logo size={64} />
        {value && (
          <>
            <h1>
              <bdi>{value.title ?? 'An invitation'}</bdi>
            </h1>
            <p>
              You are invited to this {value.kind}, which has {plural(value.member_count, 'member')}
              .
            </p>
            <Problem error={task.error} special={{ limit_reached: 'It is full.' }} />
            <button
              type="button"
              class="button primary"
              disabled={task.busy}
              onClick={() => void task.run()}
            >
              Join
            </button>
          </>
        )}
        {error && !value && (
          <p role="alert">
            {sentence(error, { not_found: 'This invite is not valid, or not any more.' })}
          </p>
        )}
        <p>
          <a href={to.list}>Back to your conversations</a>
        </p>
      </div>
    </main>
  );
}
