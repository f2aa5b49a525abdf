// SPDX-License-Identifier: MIT
// Pictures of users and conversations, or the letters and color that stand for them.
import { type Conversation, type Handle, type Presence } from '../../sdk/index.ts';
import { client } from '../client.ts';
import { hue, initials } from '../format.ts';
import { useReadable } from '../hooks.ts';
import { useName, usePicture } from '../names.ts';
import { Icon } from './icons.tsx';

const HUES = 8; // as many as tokens.css has

const WORDS: Record<Presence['state'], string> = {
  online: 'online',
  away: 'away',
  offline: 'offline',
  unknown: '',
};

export function PresenceDot({ user }: { user: Handle }) {
  const { state } = useReadable(client.people.presence(user));
  if (state !== 'online' && state !== 'away') return null;
  return <span class={`presence presence-${state}`} role="img" aria-label={WORDS[state]} />;
}

interface UserPictureProps {
  readonly user: Handle;
  readonly size?: 'small' | 'medium' | 'large';
  readonly presence?: boolean;
}

export function UserPicture({ user, size = 'medium', presence = false }: UserPictureProps) {
  const name = useName(user);
  const picture = usePicture(user);
  return (
    <span class={`picture picture-${size} hue-${hue(user, HUES)}`}>
      {picture !== null ? (
        <img src={picture} alt="" draggable={false} />
      ) : (
        <span aria-hidden="true">{initials(name)}</span>
      )}
      {presence && <PresenceDot user={user} />}
    </span>
  );
}

interface ConversationPictureProps {
  readonly conversation: Conversation;
  readonly self: Handle;
  readonly size?: 'small' | 'medium' | 'large';
}

export function ConversationPicture({
  conversation,
  self,
  size = 'medium',
}: ConversationPictureProps) {
  const { kind, user, id, title } = conversation;
  if (kind === 'direct') {
    return (
      <UserPicture user={user ?? self} size={size} presence={user !== null && user !== self} />
    );
  }
  return (
    <span class={`picture picture-${size} picture-square hue-${hue(id, HUES)}`} aria-hidden="true">
      {title !== null ? initials(title) : <Icon name={kind === 'group' ? 'group' : 'channel'} />}
      {kind === 'channel' && title !== null && (
        <span class="picture-mark">
          <Icon name="channel" size={12} />
        </span>
      )}
    </span>
  );
}
