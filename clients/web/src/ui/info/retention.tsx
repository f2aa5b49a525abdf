// SPDX-License-Identifier: MIT
// For how long the messages of a group or channel are kept. Whoever shortens it is asked first:
// what is older then is erased for everybody, and comes back for nobody.
import { useEffect } from 'preact/hooks';

import type { Conversation } from '../../sdk/index.ts';
import { client } from '../client.ts';
import { plural } from '../format.ts';
import { useTask } from '../hooks.ts';
import { Choice, Problem } from '../parts/controls.tsx';
import { ask } from '../parts/dialog.tsx';

const FOR_EVER = 0;
const OFFERED: ReadonlyMap<number, string> = new Map([
  [FOR_EVER, 'Always'],
  [7, 'A week'],
  [30, '30 days'],
  [365, 'A year'],
]);

export function Retention({ conversation }: { conversation: Conversation }) {
  const { id, retentionDays } = conversation;
  const isKnown = retentionDays !== undefined;
  const learning = useTask(() => client.commands.learn(id));
  useEffect(() => {
    if (!isKnown) void learning.run();
  }, [id, isKnown]);
  const task = useTask(async (days: number) => {
    const isLess = days !== FOR_EVER && (!retentionDays || days < retentionDays);
    if (
      !isLess ||
      (await ask(
        `Keep messages for ${plural(days, 'day')}?`,
        'What is older is erased for everybody within minutes, and cannot be brought back.',
        'Erase',
      ))
    ) {
      const kept = days === FOR_EVER ? null : days;
      await client.commands.modifyConversation(id, { retention_days: kept });
    }
  });
  if (!isKnown) return <Problem error={learning.error} />;
  const days = retentionDays ?? FOR_EVER;
  const offered = [...new Set([...OFFERED.keys(), days])].sort((a, b) => a - b);
  return (
    <div class="stack">
      <Choice
        label="How long messages are kept"
        value={String(days)}
        disabled={task.busy}
        options={offered.map((one) => [String(one), OFFERED.get(one) ?? plural(one, 'day')])}
        onChoose={(one) => void task.run(Number(one))}
      />
      <Problem error={task.error} />
    </div>
  );
}
