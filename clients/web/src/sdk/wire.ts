// SPDX-License-Identifier: MIT
// What the server says over MQTT, read: topics and payloads in, calls out. What is unknown or
// broken is passed over, as the contract asks of clients.
import { asEntry } from './entry.ts';
import { BanterError, codeOf } from './errors.ts';
import { asCount, asObject, asString, parseObject, type Json } from './json.ts';
import type { Receipt } from './outbox.ts';
import type { ConversationId, Cursor, Entry, Handle, Role } from './types.ts';

/** Whoever listens. */
export interface Hearer {
  entry(entry: Entry): void;
  typing(id: ConversationId, from: Handle, isTyping: boolean): void;
  cursor(id: ConversationId, from: Handle, cursor: Cursor): void;
  presence(user: Handle, payload: string): void;
  receipt(receipt: Receipt): void;
  /** A conversation reaches to this `seq`. */
  head(id: ConversationId, seq: number): void;
  event(event: ServerEvent): void;
}

export type ServerEvent =
  | { readonly event: 'added' | 'removed'; readonly conversation: ConversationId }
  | { readonly event: 'role_changed'; readonly conversation: ConversationId; readonly role: Role }
  | { readonly event: 'presence_refused'; readonly user: Handle }
  | { readonly event: 'closing'; readonly reason: string; readonly withinMs: number }
  | { readonly event: 'token_expires' | 'profile_changed' };

export function hear(topic: string, payload: string, hearer: Hearer): void {
  const [root, name = '', below] = topic.split('/');
  if (root === 'presence') return hearer.presence(name, payload);
  const content = parseObject(payload);
  if (!content) return;
  if (root === 'chat') hearChat(name, below, content, hearer);
  else if (root === 'me') hearMe(name, content, hearer);
}

function hearChat(
  id: ConversationId,
  below: string | undefined,
  content: Json,
  hearer: Hearer,
): void {
  const from = asString(content['from']);
  if (below === undefined) {
    const entry = asEntry(content);
    if (entry?.conversation === id) hearer.entry(entry);
  } else if (below === 'typing' && from !== null) {
    hearer.typing(id, from, content['state'] === 'start');
  } else if (below === 'cursor' && from !== null) {
    const received = asCount(content['received']) ?? 0;
    hearer.cursor(id, from, { received, read: asCount(content['read']) ?? 0 });
  }
}

function hearMe(name: string, content: Json, hearer: Hearer): void {
  if (name === 'receipt') {
    const receipt = asReceipt(content);
    if (receipt) hearer.receipt(receipt);
  } else if (name === 'heads') {
    for (const [id, value] of Object.entries(content)) {
      const seq = asCount(value);
      if (seq !== null) hearer.head(id, seq);
    }
  } else if (name === 'event') {
    const event = asEvent(content);
    if (event) hearer.event(event);
  }
}

/** Undefined for the refusal of a draft whose id could not be read: none of ours. */
function asReceipt(content: Json): Receipt | undefined {
  const id = asString(content['id']);
  const conversation = asString(content['conversation']);
  const seq = asCount(content['seq']);
  const at = asString(content['at']);
  const error = asObject(content['error']);
  if (id === null || conversation === null) return undefined;
  if (seq !== null && at !== null) return { id, conversation, stored: { seq, at }, error: null };
  if (!error) return undefined;
  const reason = asString(error['reason']) ?? '';
  const retryAfterMs = asCount(error['retry_after_ms']);
  const refusal = new BanterError(codeOf(error['code']), reason, retryAfterMs);
  return { id, conversation, stored: null, error: refusal };
}

function asEvent(content: Json): ServerEvent | undefined {
  const event = content['event'];
  const conversation = asString(content['conversation']);
  const user = asString(content['user']);
  const role = asString(content['role']);
  const reason = asString(content['reason']);
  if (event === 'token_expires' || event === 'profile_changed') return { event };
  if (event === 'closing' && reason !== null) {
    return { event, reason, withinMs: asCount(content['within_ms']) ?? 0 };
  }
  if (event === 'presence_refused' && user !== null) return { event, user };
  if (conversation === null) return undefined;
  if (event === 'added' || event === 'removed') return { event, conversation };
  if (event === 'role_changed' && role !== null) {
    return { event, conversation, role: role as Role };
  }
  return undefined;
}
