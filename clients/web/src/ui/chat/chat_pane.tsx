// SPDX-License-Identifier: MIT
// One conversation: its head, its messages, the place to write. Opened anew for each conversation.
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';

import type {
  Conversation,
  Handle,
  MessageItem,
  Timeline,
  TimelineItem,
  TimelineView,
} from '../../sdk/index.ts';
import { client } from '../client.ts';
import { ago, dayOf, plural, sentence } from '../format.ts';
import { useAttention, useClock, useLatest, useLoaded, useReadable } from '../hooks.ts';
import { nameOf, useNames, useTitle } from '../names.ts';
import { ConversationPicture } from '../parts/avatar.tsx';
import { IconButton } from '../parts/controls.tsx';
import { ask, tell } from '../parts/dialog.tsx';
import { closeNotifications } from '../push.ts';
import { go, to } from '../route.ts';
import { Composer, type Context } from './composer.tsx';
import { EmojiPicker, type PickerRequest } from './emoji_picker.tsx';
import { Message, type MessageActions } from './message.tsx';
import { MessageList } from './message_list.tsx';
import { rowsOf, type Row } from './rows.ts';

const HIGHLIGHT_MS = 2_500;

interface PaneProps {
  readonly id: string;
  readonly self: Handle;
  /** A message to show, or null. */
  readonly at: number | null;
  readonly info: boolean;
}

function useTimeline(id: string): Timeline {
  const [timeline] = useState(() => client.open(id));
  useEffect(() => () => timeline.close(), []);
  return timeline;
}

// ---------------------------------------------------------------- the head

function PresenceWords({ user }: { user: Handle }) {
  const { state, lastSeen } = useReadable(client.people.presence(user));
  const now = useClock(60_000);
  if (state === 'online' || state === 'away') return <>{state}</>;
  return <>{lastSeen !== null ? `last seen ${ago(lastSeen, now)}` : `@${user}`}</>;
}

function Subtitle({
  conversation,
  self,
  timeline,
}: {
  conversation: Conversation;
  self: Handle;
  timeline: Timeline;
}) {
  const { kind, user, name } = conversation;
  const others = useReadable(timeline.cursors).size;
  if (kind === 'direct') {
    return user !== null && user !== self ? (
      <PresenceWords user={user} />
    ) : (
      <>Only you can read this</>
    );
  }
  if (kind === 'channel') return <>{name !== null ? `#${name}` : 'Channel'}</>;
  return <>{others > 0 ? plural(others + 1, 'member') : 'Group'}</>;
}

function Head({
  conversation,
  self,
  info,
  timeline,
}: {
  conversation: Conversation | undefined;
  self: Handle;
  info: boolean;
  timeline: Timeline;
}) {
  const title = useTitle(conversation, self);
  return (
    <header class="chat-head">
      <IconButton
        icon="back"
        label="Back to the conversations"
        href={to.list}
        class="only-narrow"
      />
      {conversation && (
        <a class="chat-title" href={info ? to.chat(conversation.id) : to.info(conversation.id)}>
          <ConversationPicture conversation={conversation} self={self} />
          <span class="row-text">
            <h1>
              <bdi>{title}</bdi>
            </h1>
            <span class="chat-subtitle">
              <Subtitle conversation={conversation} self={self} timeline={timeline} />
            </span>
          </span>
        </a>
      )}
      {conversation && (
        <IconButton
          icon="info"
          label={info ? 'Hide the details' : 'Show the details'}
          href={info ? to.chat(conversation.id) : to.info(conversation.id)}
        />
      )}
    </header>
  );
}

function TypingLine({ timeline }: { timeline: Timeline }) {
  const typing = useReadable(timeline.typing);
  const names = useNames(typing);
  const words =
    names.length === 0
      ? ''
      : names.length > 3
        ? 'Several people are typing'
        : `${names.join(', ')} ${names.length === 1 ? 'is' : 'are'} typing`;
  return (
    <div class="typing" aria-hidden={words === ''}>
      {words !== '' && (
        <>
          <span class="typing-dots" aria-hidden="true">
            <i />
            <i />
            <i />
          </span>{' '}
          {words}
        </>
      )}
    </div>
  );
}

// ---------------------------------------------------------------- what is said aloud

/** New messages of others, for screen readers. */
function Announcer({ id, self }: { id: string; self: Handle }) {
  const [said, setSaid] = useState('');
  useEffect(
    () =>
      client.onEntry((entry) => {
        if (entry.conversation !== id || entry.from === self || entry.kind !== 'text') return;
        setSaid(`${nameOf(entry.from)}: ${(entry.text ?? '').slice(0, 500)}`);
      }),
    [id, self],
  );
  return (
    <div class="hidden" role="log" aria-live="polite">
      {said}
    </div>
  );
}

// ---------------------------------------------------------------- rows

function useRows(
  items: readonly TimelineItem[],
  self: Handle,
  readBefore: number | null,
  timeline: Timeline,
): readonly Row[] {
  const cursors = useReadable(timeline.cursors);
  const today = dayOf(useClock(60_000));
  const old = useRef<ReadonlyMap<string, Row>>(new Map());
  return useMemo(() => {
    const rows = rowsOf({ items, self, readBefore, cursors, now: Date.now() }, old.current);
    old.current = new Map(rows.map((row) => [row.key, row]));
    return rows;
  }, [items, self, readBefore, cursors, today]);
}

/** Up to where one had read when the conversation was opened, as long as that matters. */
function useReadBefore(id: string): [number | null, () => void] {
  const [readBefore, setReadBefore] = useState<number | null>(() => {
    const conversation = client.conversation(id).get();
    return conversation && conversation.unread > 0 ? conversation.read : null;
  });
  return [readBefore, () => setReadBefore(null)];
}

function ListHead({ view }: { view: TimelineView }) {
  const busy = !view.loaded || view.loadingOlder;
  return (
    <div class="list-head">
      {busy && <span class="spinner" role="img" aria-label="Loading" />}
      {!busy && view.complete && view.items.length > 0 && <span>This is where it began.</span>}
      {!busy && view.complete && view.items.length === 0 && <span>No messages yet.</span>}
    </div>
  );
}

// ---------------------------------------------------------------- the live list

interface BodyProps {
  readonly id: string;
  readonly self: Handle;
  readonly timeline: Timeline;
  readonly view: TimelineView;
  readonly conversation: Conversation | undefined;
  readonly actions: MessageActions;
  readonly jump: { readonly key: string } | null;
  readonly highlight: number | null;
  readonly onKey: (event: KeyboardEvent, row: Row) => void;
  /** Changes when the list is to go to its end: something was sent, or one has come back. */
  readonly turn: number;
}

function LiveList(props: BodyProps) {
  const { id, self, timeline, view, conversation, actions, jump, highlight, onKey, turn } = props;
  const [readBefore, forgetUnread] = useReadBefore(id);
  const rows = useRows(view.items, self, readBefore, timeline);
  const attention = useAttention();
  const seen = useRef<{ seq: number; atEnd: boolean }>({ seq: 0, atEnd: false });
  const [fresh, setFresh] = useState(0);
  const attentive = useLatest(attention);

  useEffect(() => {
    if (turn > 0) forgetUnread();
  }, [turn]);

  const markRead = () => {
    if (!attentive.current || !view.loaded) return;
    if (seen.current.atEnd) timeline.markRead();
    else if (seen.current.seq > 0) timeline.markRead(seen.current.seq);
  };
  useEffect(markRead, [attention, rows]);
  useEffect(() => {
    if (attention) void closeNotifications(id);
  }, [attention]);

  const onSeen = (row: Row, atEnd: boolean) => {
    seen.current = { seq: Math.max(seen.current.seq, row.item.seq ?? 0), atEnd };
    const later = atEnd
      ? 0
      : rows.filter(
          (other) =>
            other.item.type === 'message' &&
            !other.item.own &&
            (other.item.seq ?? 0) > seen.current.seq,
        ).length;
    setFresh(Math.min(later, conversation?.unread ?? later));
    markRead();
  };
  return (
    <MessageList
      rows={rows}
      render={(row, active) => (
        <Message
          key={row.key}
          row={row}
          self={self}
          conversation={conversation}
          active={active}
          highlighted={highlight !== null && row.item.seq === highlight}
          actions={actions}
        />
      )}
      head={<ListHead view={view} />}
      startAt={rows.find((row) => row.unread)?.key ?? null}
      jump={jump}
      onNearTop={view.complete || view.loadingOlder ? null : () => void timeline.loadOlder()}
      onSeen={onSeen}
      onKey={onKey}
      fresh={fresh}
      turn={turn}
    />
  );
}

// ---------------------------------------------------------------- a place in the past

/** What surrounds a message that is not loaded: a piece of the past, standing still. */
function Past({
  id,
  self,
  seq,
  timeline,
  conversation,
  actions,
  onKey,
  onNewest,
}: Omit<BodyProps, 'view' | 'jump' | 'highlight' | 'turn'> & {
  seq: number;
  onNewest: () => void;
}) {
  const { value, error } = useLoaded(() => client.around(id, seq), [id, seq]);
  const rows = useRows(value ?? [], self, null, timeline);
  const there = rows.find((row) => row.item.seq === seq);
  return (
    <>
      <div class="past-bar" role="status">
        <span>{error ? sentence(error) : 'You are looking at older messages.'}</span>
        <a class="button small" href={to.chat(id)} onClick={onNewest}>
          Back to the newest
        </a>
      </div>
      {rows.length > 0 && (
        <MessageList
          rows={rows}
          render={(row, active) => (
            <Message
              key={row.key}
              row={row}
              self={self}
              conversation={conversation}
              active={active}
              highlighted={row.item.seq === seq}
              actions={actions}
            />
          )}
          head={<div class="list-head" />}
          startAt={there?.key ?? null}
          jump={null}
          onNearTop={null}
          onSeen={() => {}}
          onKey={onKey}
          fresh={0}
          turn={0}
        />
      )}
      {rows.length === 0 && <div class="messages-place" />}
    </>
  );
}

// ---------------------------------------------------------------- all of it

function useActions(
  id: string,
  timeline: Timeline,
  view: TimelineView,
  set: {
    context: (context: Context | null) => void;
    picker: (request: PickerRequest) => void;
  },
): MessageActions {
  const items = useLatest(view.items);
  return useMemo(() => {
    const failed = (thrown: unknown) => tell(thrown instanceof Error ? 'That did not work.' : '');
    return {
      reply: (item) => set.context({ kind: 'reply', item }),
      edit: (item) => set.context({ kind: 'edit', item }),
      remove: (item) =>
        void ask(
          'Delete this message?',
          'It is gone for everybody, and cannot be brought back.',
          'Delete',
        ).then((agreed) => {
          if (agreed && item.seq !== null) timeline.remove(item.seq).catch(failed);
        }),
      react: (item, emoji, on) => {
        if (item.seq !== null) timeline.react(item.seq, emoji, on).catch(failed);
      },
      pickReaction: (item, beside) =>
        set.picker({
          beside,
          onPick: (emoji) => {
            const own = item.reactions.some((r) => r.emoji === emoji && r.own);
            if (item.seq !== null) timeline.react(item.seq, emoji, !own).catch(failed);
          },
        }),
      jump: (seq) => go(to.at(id, seq)),
      find: (seq) => {
        const found = items.current.find((item) => item.seq === seq);
        return found?.type === 'message' ? found : undefined;
      },
    };
  }, [id, timeline]);
}

const NOT_HERE = 'You are not in this conversation, or not any more.';

function WhyNot({ conversation }: { conversation: Conversation | undefined }) {
  const words = !conversation
    ? NOT_HERE
    : conversation.kind === 'channel'
      ? 'Only admins write here.'
      : conversation.kind === 'direct'
        ? 'You cannot write to each other while one has blocked the other.'
        : 'You may read here, and not write.';
  return <p class="composer why-not">{words}</p>;
}

export function ChatPane({ id, self, at, info }: PaneProps) {
  const conversation = useReadable(client.conversation(id));
  const timeline = useTimeline(id);
  const view = useReadable(timeline.view);
  const title = useTitle(conversation, self);
  const [context, setContext] = useState<Context | null>(null);
  const [picker, setPicker] = useState<PickerRequest | null>(null);
  const [jump, setJump] = useState<{ key: string } | null>(null);
  const [highlight, setHighlight] = useState<number | null>(null);
  const [turn, setTurn] = useState(0);
  const actions = useActions(id, timeline, view, { context: setContext, picker: setPicker });

  const target = at === null ? undefined : view.items.find((item) => item.seq === at);
  useEffect(() => {
    if (!target) return;
    setJump({ key: target.key });
    setHighlight(target.seq);
    const timer = setTimeout(() => setHighlight(null), HIGHLIGHT_MS);
    return () => clearTimeout(timer);
  }, [at, target?.key]);

  const onKey = useCallback(
    (event: KeyboardEvent, row: Row) => {
      const { item } = row;
      if (item.type !== 'message' || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === 'r' && item.seq !== null) actions.reply(item);
      else if (event.key === 'e' && item.own && !item.deleted) actions.edit(item);
      else if (event.key === 'Delete' && item.own && !item.deleted) actions.remove(item);
      else if (event.key === 'Enter') (event.target as Element).querySelector('button')?.focus();
      else return;
      event.preventDefault();
    },
    [actions],
  );

  const editLast = () => {
    const own = view.items.filter(
      (item): item is MessageItem => item.type === 'message' && item.own && !item.deleted,
    );
    const last = own.at(-1);
    if (last && last.seq !== null) setContext({ kind: 'edit', item: last }); // not while it is sent
  };
  const shared = { id, self, timeline, conversation, actions, onKey };
  const past = at !== null && view.loaded && !target;
  return (
    <main class="main chat" id="main" tabIndex={-1} aria-label={title}>
      <Head conversation={conversation} self={self} info={info} timeline={timeline} />
      {past ? (
        <Past {...shared} seq={at} onNewest={() => setTurn(turn + 1)} />
      ) : view.loaded ? (
        <LiveList {...shared} view={view} jump={jump} highlight={highlight} turn={turn} />
      ) : (
        <div class="messages-place">
          <ListHead view={view} />
        </div>
      )}
      <TypingLine timeline={timeline} />
      {conversation && conversation.role !== 'reader' ? (
        <Composer
          id={id}
          timeline={timeline}
          context={context}
          onContext={setContext}
          onEditLast={editLast}
          onPickEmoji={setPicker}
          title={title}
          onSent={() => {
            setTurn(turn + 1);
            if (at !== null) go(to.chat(id));
          }}
        />
      ) : (
        <WhyNot conversation={conversation} />
      )}
      <Announcer id={id} self={self} />
      {picker && <EmojiPicker request={picker} onClose={() => setPicker(null)} />}
    </main>
  );
}
