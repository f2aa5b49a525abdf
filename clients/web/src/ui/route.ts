// SPDX-License-Identifier: MIT
// Where in the application one is: a hash in the address, so that the server needs to know of none
// of it, and going back works as everywhere.
import { useEffect, useState } from 'preact/hooks';

export type Route =
  | { readonly pane: 'list' | 'new' | 'group' | 'channel' | 'settings' }
  | {
      readonly pane: 'chat';
      readonly id: string;
      readonly info: boolean;
      readonly at: number | null;
    }
  | { readonly pane: 'join'; readonly invite: string };

const HOME: Route = { pane: 'list' };
const SIDE_PANES: ReadonlySet<string> = new Set(['new', 'group', 'channel', 'settings']);
const ID = /^[0-9a-f-]{36}$/;

export function parseRoute(hash: string): Route {
  const [pane = '', id = '', ...rest] = hash.replace(/^#\/?/, '').split('/');
  if (SIDE_PANES.has(pane)) return { pane: pane as 'new' | 'group' | 'channel' | 'settings' };
  if (pane === 'join' && id !== '') return { pane, invite: unescaped(id) };
  if (pane !== 'c' || !ID.test(id)) return HOME;
  const at = rest[0] === 'at' ? Number(rest[1]) : NaN;
  return {
    pane: 'chat',
    id,
    info: rest[0] === 'info',
    at: Number.isSafeInteger(at) && at > 0 ? at : null,
  };
}

function unescaped(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export const to = {
  list: '#/',
  new: '#/new',
  group: '#/group',
  channel: '#/channel',
  settings: '#/settings',
  chat: (id: string) => `#/c/${id}`,
  info: (id: string) => `#/c/${id}/info`,
  at: (id: string, seq: number) => `#/c/${id}/at/${seq}`,
};

export function go(hash: string): void {
  if (location.hash !== hash) location.hash = hash;
}

/** Takes the place of the present entry of the history. */
export function goInstead(hash: string): void {
  history.replaceState(null, '', hash);
  dispatchEvent(new HashChangeEvent('hashchange'));
}

export function useRoute(): Route {
  const [route, setRoute] = useState(() => parseRoute(location.hash));
  useEffect(() => {
    const changed = () => setRoute(parseRoute(location.hash));
    addEventListener('hashchange', changed);
    return () => removeEventListener('hashchange', changed);
  }, []);
  return route;
}
