// SPDX-License-Identifier: MIT
// Where in the store things are. Everything of a user lies below the user's handle, so that nothing
// of one account can ever be taken for another's. Handles, ids and slots have no `/` in them.
import type { Key, KeyRange } from './store.ts';
import type { ConversationId, Handle } from './types.ts';

export const SESSION_KEY: Key = 'session';
export const DEVICE_KEY: Key = 'device';
export const SERVERS_KEY: Key = 'servers';

const DIGITS = 16; // of any safe integer, so that keys sort as their numbers do
const AFTER_ALL = '\uffff';

export class Keys {
  private readonly root: string;

  constructor(user: Handle) {
    this.root = `user/${user}/`;
  }

  everything(): KeyRange {
    return below(this.root);
  }

  /** There once this user's conversations have been read from the server. */
  synced(): Key {
    return `${this.root}synced`;
  }

  conversation(id: ConversationId): Key {
    return `${this.root}conversation/${id}`;
  }

  conversations(): KeyRange {
    return below(`${this.root}conversation/`);
  }

  entry(conversation: ConversationId, seq: number): Key {
    return `${this.root}entry/${conversation}/${digits(seq)}`;
  }

  /** Of a conversation, `from` included, `to` not. */
  entries(conversation: ConversationId, from = 0, to = Number.MAX_SAFE_INTEGER): KeyRange {
    return { from: this.entry(conversation, from), to: this.entry(conversation, to) };
  }

  /** A draft in the outbox of one device. */
  draft(device: string, number: number): Key {
    return `${this.root}draft/${device}/${digits(number)}`;
  }

  drafts(): KeyRange {
    return below(`${this.root}draft/`);
  }

  /** The device and the number in the key of a draft. */
  draftOf(key: Key): { device: string; number: number } {
    const [device = '', number = ''] = key.slice(`${this.root}draft/`.length).split('/');
    return { device, number: Number(number) };
  }
}

function digits(number: number): string {
  return String(number).padStart(DIGITS, '0');
}

function below(prefix: string): KeyRange {
  return { from: prefix, to: prefix + AFTER_ALL };
}
