// SPDX-License-Identifier: MIT
// One row of the list: a message with all that belongs to it, or a notice of what happened.
import type { ComponentChildren } from 'preact';
import { memo } from 'preact/compat';

import type { Change, Conversation, Handle, MessageItem, Refusal } from '../../sdk/index.ts';
import { client } from '../client.ts';
import { clockTime, fullTime, hue, sentence } from '../format.ts';
import { useLoaded, useTask } from '../hooks.ts';
import { useName, useNames } from '../names.ts';
import { UserPicture } from '../parts/avatar.tsx';
import { IconButton, Menu, type MenuItem } from '../parts/controls.tsx';
import { Icon, type IconName } from '../parts/icons.tsx';
import { noticeOf } from '../side/preview.ts';
import { isOnlyEmoji, RichText } from './rich_text.tsx';
import type { Mark, Row } from './rows.ts';

/** What can be done from a message. */
export interface MessageActions {
  readonly reply: (item: MessageItem) => void;
  readonly edit: (item: MessageItem) => void;
  readonly remove: (item: MessageItem) => void;
  readonly react: (item: MessageItem, emoji: string, on: boolean) => void;
  readonly pickReaction: (item: MessageItem, beside: Element) => void;
  readonly jump: (seq: number) => void;
  /** The message if it is loaded. */
  readonly find: (seq: number) => MessageItem | undefined;
}

interface MessageProps {
  readonly row: Row;
  readonly self: Handle;
  readonly conversation: Conversation | undefined;
  readonly active: boolean;
  readonly highlighted: boolean;
  readonly actions: MessageActions;
}

const MARKS: Record<Mark, readonly [IconName, string] | null> = {
  waiting: ['clock', 'Waiting to be sent'],
  sent: ['check', 'Sent'],
  delivered: ['checks', 'Delivered'],
  read: ['checks', 'Read'],
  failed: ['warning', 'Not sent'],
  none: null,
};

function MarkIcon({ row, group }: { row: Row; group: boolean }) {
  const mark = MARKS[row.mark];
  if (!mark) return null;
  const some = group && row.mark !== 'read' && row.readers > 0;
  const words = some ? `Read by ${row.readers}` : mark[1];
  return (
    <span class={`mark mark-${row.mark}`} role="img" aria-label={words} title={words}>
      <Icon name={mark[0]} size={15} />
    </span>
  );
}

/** The beginning of the message that this one answers. */
function Quote({
  conversation,
  seq,
  actions,
  self,
}: {
  conversation: string;
  seq: number;
  actions: MessageActions;
  self: Handle;
}) {
  const present = actions.find(seq);
  const asked = useLoaded(
    async () => (present ? undefined : client.message(conversation, seq)),
    [seq, !present],
  );
  const loaded = asked.value?.type === 'message' ? asked.value : undefined;
  const quoted = present ?? loaded;
  const name = useName(quoted?.from ?? self);
  return (
    <button
      type="button"
      class={`quote ${quoted ? `hue-${hue(quoted.from, 8)}` : ''}`}
      tabIndex={-1}
      onClick={() => actions.jump(seq)}
    >
      <span class="quote-from">
        <bdi>{quoted ? (quoted.from === self ? 'You' : name) : '…'}</bdi>
      </span>
      <span class="quote-text" dir="auto">
        {quoted ? (quoted.text?.slice(0, 200) ?? 'Message deleted') : 'An earlier message'}
      </span>
    </button>
  );
}

function Reactions({
  item,
  actions,
  mayPost,
  active,
}: {
  item: MessageItem;
  actions: MessageActions;
  mayPost: boolean;
  active: boolean;
}) {
  const names = useNames(item.reactions.flatMap((reaction) => reaction.users));
  if (item.reactions.length === 0) return null;
  let at = 0;
  return (
    <ul class="reactions" aria-label="Reactions">
      {item.reactions.map(({ emoji, count, users, own }) => {
        const who = names.slice(at, (at += users.length)).join(', ');
        return (
          <li key={emoji}>
            <button
              type="button"
              class="reaction"
              aria-pressed={own}
              aria-label={`${emoji}, ${count}: ${who}`}
              title={count > users.length ? `${who} and ${count - users.length} more` : who}
              tabIndex={active ? 0 : -1}
              disabled={!mayPost}
              onClick={() => actions.react(item, emoji, !own)}
            >
              <bdi class="emoji">{emoji}</bdi> <span>{count}</span>
            </button>
          </li>
        );
      })}
    </ul>
  );
}

function Failure({ id, words }: { id: string; words: string }) {
  const retry = useTask(() => client.retry(id));
  const discard = useTask(() => client.discard(id));
  return (
    <p class="failure">
      <Icon name="warning" size={15} /> {words}
      <button type="button" class="link" disabled={retry.busy} onClick={() => void retry.run()}>
        Try again
      </button>
      <button type="button" class="link" disabled={discard.busy} onClick={() => void discard.run()}>
        Discard
      </button>
    </p>
  );
}

const why = (error: Refusal | null) => (error ? sentence(error) : '');

const CHANGES: Record<Change['kind'], string> = {
  edit: 'This edit',
  delete: 'The deletion',
  reaction: 'The reaction',
};

function Failures({ item }: { item: MessageItem }) {
  return (
    <>
      {item.state === 'failed' && (
        <Failure
          id={item.id}
          words={`Not sent. ${
            item.error
              ? sentence(item.error, {
                  forbidden: 'You may not write here.',
                })
              : ''
          }`}
        />
      )}
      {item.changes
        .filter((change) => change.state === 'failed')
        .map((change) => (
          <Failure
            key={change.id}
            id={change.id}
            words={`${CHANGES[change.kind]} was refused. ${why(change.error)}`}
          />
        ))}
    </>
  );
}

function mayRemove(item: MessageItem, conversation: Conversation | undefined): boolean {
  if (item.own) return true;
  const role = conversation?.role;
  return conversation?.kind !== 'direct' && (role === 'owner' || role === 'admin');
}

function Tools({
  item,
  conversation,
  actions,
  active,
}: {
  item: MessageItem;
  conversation: Conversation | undefined;
  actions: MessageActions;
  active: boolean;
}) {
  const mayPost = conversation !== undefined && conversation.role !== 'reader';
  if (item.deleted || item.seq === null) return null;
  const tab = active ? 0 : -1;
  const more: MenuItem[] = [
    {
      label: 'Copy text',
      icon: 'copy',
      onChoose: () => void navigator.clipboard?.writeText(item.text ?? '').catch(() => {}),
    },
  ];
  if (item.own && mayPost) {
    more.push({ label: 'Edit', icon: 'edit', onChoose: () => actions.edit(item) });
  }
  if (mayRemove(item, conversation)) {
    more.push({
      label: 'Delete',
      icon: 'trash',
      danger: true,
      onChoose: () => actions.remove(item),
    });
  }
  return (
    <div class="tools">
      {mayPost && (
        <>
          <IconButton
            icon="smile"
            label="React"
            size={18}
            tabIndex={tab}
            onClick={(event) => actions.pickReaction(item, event.currentTarget as Element)}
          />
          <IconButton
            icon="reply"
            label="Reply"
            size={18}
            tabIndex={tab}
            onClick={() => actions.reply(item)}
          />
        </>
      )}
      <Menu label="More" items={more} tabIndex={tab} />
    </div>
  );
}

function Bubble({
  row,
  item,
  conversation,
  self,
  actions,
  active,
}: MessageProps & {
  item: MessageItem;
}) {
  const name = useName(item.from);
  const group = conversation?.kind !== 'direct';
  const mayPost = conversation !== undefined && conversation.role !== 'reader' && item.seq !== null;
  const bare = !item.deleted && item.replyTo === null && isOnlyEmoji(item.text ?? '');
  const pending = item.changes.some((change) => change.state !== 'failed');
  return (
    <div class="bubble-place">
      <div class={bare ? 'bubble bare' : 'bubble'}>
        {group && !item.own && row.first && (
          <p class={`author hue-${hue(item.from, 8)}`}>
            <bdi>{name}</bdi>
          </p>
        )}
        {item.replyTo !== null && !item.deleted && (
          <Quote
            conversation={item.conversation}
            seq={item.replyTo}
            actions={actions}
            self={self}
          />
        )}
        {item.deleted ? (
          <span class="text gone">Message deleted</span>
        ) : (
          <RichText text={item.text ?? ''} />
        )}
        <span class="meta">
          {item.editedAt !== null && !item.deleted && (
            <span title={fullTime(item.editedAt)}>edited</span>
          )}
          {pending && <Icon name="clock" size={13} />}
          <time dateTime={item.at} title={fullTime(item.at)}>
            {clockTime(item.at)}
          </time>
          <MarkIcon row={row} group={group} />
        </span>
        <Tools item={item} conversation={conversation} actions={actions} active={active} />
      </div>
      <Reactions item={item} actions={actions} mayPost={mayPost} active={active} />
      <Failures item={item} />
    </div>
  );
}

function Frame({
  props,
  kind,
  label,
  children,
}: {
  props: MessageProps;
  kind: string;
  label: string;
  children: ComponentChildren;
}) {
  const { row, active, highlighted } = props;
  return (
    <li
      class={
        `message ${kind} ${row.first ? 'first' : ''} ${row.last ? 'last' : ''} ` +
        (highlighted ? 'highlighted' : '')
      }
      data-key={row.key}
      data-seq={row.item.seq ?? undefined}
      data-active={active}
      data-mark={row.mark}
      tabIndex={active ? 0 : -1}
      aria-label={label}
    >
      {row.day !== null && (
        <p class="day">
          <span>{row.day}</span>
        </p>
      )}
      {row.unread && (
        <p class="new-line">
          <span>New</span>
        </p>
      )}
      {children}
    </li>
  );
}

/** As a screen reader says it when the arrow keys come by. */
function spoken(item: MessageItem, name: string, mark: Mark): string {
  const text = item.deleted ? 'message deleted' : (item.text ?? '').slice(0, 1_000);
  const state = MARKS[mark]?.[1];
  return `${item.own ? 'You' : name}: ${text}, ${clockTime(item.at)}${state ? `, ${state}` : ''}`;
}

function MessageRow(props: MessageProps & { item: MessageItem }) {
  const { item, row, conversation } = props;
  const name = useName(item.from);
  const pictures = conversation?.kind !== 'direct' && !item.own;
  return (
    <Frame props={props} kind={item.own ? 'own' : 'foreign'} label={spoken(item, name, row.mark)}>
      <div class="message-line">
        {pictures && (
          <span class="message-picture">
            {row.last && <UserPicture user={item.from} size="small" />}
          </span>
        )}
        <Bubble {...props} />
      </div>
    </Frame>
  );
}

function NoticeRow(props: MessageProps) {
  const { item } = props.row;
  const entry = item.type === 'notice' ? item.entry : undefined;
  useNames(
    entry ? [entry.from, ...(entry.members ?? []).slice(0, 4), entry.user ?? entry.from] : [],
  );
  const words = entry ? noticeOf(entry, props.self) : '';
  return (
    <Frame props={props} kind="notice-row" label={words}>
      {words !== '' && (
        <p class="notice">
          <span>{words}</span>
        </p>
      )}
    </Frame>
  );
}

export const Message = memo(function Message(props: MessageProps) {
  const { item } = props.row;
  return item.type === 'message' ? <MessageRow {...props} item={item} /> : <NoticeRow {...props} />;
});
