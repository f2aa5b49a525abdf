// SPDX-License-Identifier: MIT
// The application of one user: the side with its panes, the conversation, its details. On a narrow
// screen one of them is shown at a time; the address says which.
import { useEffect } from 'preact/hooks';

import type { Handle } from '../sdk/index.ts';
import { Banner } from './banner.tsx';
import { ChatPane } from './chat/chat_pane.tsx';
import { client } from './client.ts';
import { unreadCount } from './format.ts';
import { useEscape, useReadable } from './hooks.ts';
import { InfoPane } from './info/info_pane.tsx';
import { Logo } from './parts/icons.tsx';
import { showBadge } from './push.ts';
import { go, to, useRoute } from './route.ts';
import { JoinPane } from './side/join_pane.tsx';
import { ListPane } from './side/list_pane.tsx';
import { ChannelPane, GroupPane, NewPane } from './side/new_panes.tsx';
import { SettingsPane } from './side/settings_pane.tsx';

function SidePane({ self }: { self: Handle }) {
  const route = useRoute();
  switch (route.pane) {
    case 'new':
      return <NewPane self={self} />;
    case 'group':
      return <GroupPane self={self} />;
    case 'channel':
      return <ChannelPane />;
    case 'settings':
      return <SettingsPane self={self} />;
    default:
      return <ListPane self={self} selected={route.pane === 'chat' ? route.id : null} />;
  }
}

function NothingChosen() {
  return (
    <main class="main nothing" id="main" tabIndex={-1}>
      <div class="nothing-inner">
        <Logo size={64} />
        <h1>Pick a conversation</h1>
        <p>
          or <a href={to.new}>start a new one</a>.
        </p>
      </div>
    </main>
  );
}

/** The window's title tells of what is unread, also in a tab that nobody looks at, and so does the
 * application's icon. */
function useWindowTitle(): void {
  const conversations = useReadable(client.conversations);
  const unread = conversations.reduce((sum, c) => sum + (c.mutedUntil === null ? c.unread : 0), 0);
  useEffect(() => {
    document.title = unread > 0 ? `(${unreadCount(unread)}) Banter` : 'Banter';
    showBadge(unread);
    return () => {
      document.title = 'Banter';
    };
  }, [unread]);
}

export function Shell({ self }: { self: Handle }) {
  const route = useRoute();
  useWindowTitle();
  useEscape(
    route.pane === 'list'
      ? null
      : () => {
          go(
            route.pane === 'chat' && (route.info || route.at !== null)
              ? to.chat(route.id)
              : to.list,
          );
        },
  );
  return (
    <div class="shell" data-pane={route.pane} data-info={route.pane === 'chat' && route.info}>
      <a
        class="skip"
        href="#main"
        onClick={(event) => {
          event.preventDefault();
          (document.getElementById('composer') ?? document.getElementById('main'))?.focus();
        }}
      >
        Skip to the conversation
      </a>
      <Banner />
      <div class="panes">
        <div class="side">
          <SidePane self={self} />
        </div>
        {route.pane === 'chat' && (
          <ChatPane key={route.id} id={route.id} self={self} at={route.at} info={route.info} />
        )}
        {route.pane === 'join' && <JoinPane invite={route.invite} />}
        {route.pane !== 'chat' && route.pane !== 'join' && <NothingChosen />}
        {route.pane === 'chat' && route.info && (
          <InfoPane key={`info ${route.id}`} id={route.id} self={self} />
        )}
      </div>
    </div>
  );
}
