// SPDX-License-Identifier: MIT
// What the search field finds: people, and messages, page by page.
import { useEffect, useState } from 'preact/hooks';

import type { ConversationId, FoundUser, Hit } from '../../sdk/index.ts';
import { client } from '../client.ts';
import { useLoaded, useSettled } from '../hooks.ts';
import { learn } from '../names.ts';

const PAUSE_MS = 220;
export const QUERY_MAX = 256;

/** Users whose handle or name begins so; undefined while nothing has been asked. */
export function useFoundUsers(query: string): {
  readonly users: readonly FoundUser[] | undefined;
  readonly failed: boolean;
} {
  const settled = useSettled(query.trim().replace(/^@/, ''), PAUSE_MS);
  const { value, error } = useLoaded(async () => {
    if (settled === '') return { query: settled, users: undefined };
    const { users } = await client.people.search(settled, 20);
    for (const user of users) learn(user.user, user);
    return { query: settled, users };
  }, [settled]);
  const current = value?.query === settled ? value.users : undefined;
  return { users: current, failed: error !== null };
}

export interface FoundMessages {
  readonly hits: readonly Hit[] | undefined;
  readonly pending: number;
  readonly failed: boolean;
  /** Undefined when there are no more. */
  readonly loadMore: (() => void) | undefined;
}

export function useFoundMessages(query: string, conversation?: ConversationId): FoundMessages {
  const settled = useSettled(query.trim(), PAUSE_MS);
  const [pages, setPages] = useState<readonly (readonly Hit[])[]>([]);
  const [next, setNext] = useState<string | undefined>();
  const [asked, setAsked] = useState<string | undefined>();
  useEffect(() => {
    setPages([]);
    setAsked(undefined);
    setNext(undefined);
  }, [settled, conversation]);
  const { value, error } = useLoaded(async () => {
    if (settled === '') return undefined;
    const page = await client.searchMessages({
      query: settled,
      ...(conversation === undefined ? {} : { conversation }),
      ...(asked === undefined ? {} : { next: asked }),
    });
    setPages((old) => (asked === undefined ? [page.hits] : [...old, page.hits]));
    setNext(page.more ? page.next : undefined);
    return { query: settled, pending: page.pending };
  }, [settled, conversation, asked]);
  return {
    hits: value?.query === settled && settled !== '' ? pages.flat() : undefined,
    pending: value?.pending ?? 0,
    failed: error !== null,
    loadMore: next === undefined ? undefined : () => setAsked(next),
  };
}
