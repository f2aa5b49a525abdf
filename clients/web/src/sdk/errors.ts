// SPDX-License-Identifier: MIT
// The one error of this library, and which refusals pass by themselves.
import type { Code, Refusal } from './types.ts';

/** What was refused or could not be done. `message` is for a log, `code` for programs. */
export class BanterError extends Error implements Refusal {
  override readonly name = 'BanterError';

  constructor(
    readonly code: Code,
    readonly reason: string,
    /** Not before this many milliseconds, when the server said so. */
    readonly retryAfterMs: number | null = null,
  ) {
    super(`${code}: ${reason}`);
  }
}

const TRANSIENT: ReadonlySet<Code> = new Set<Code>([
  'rate_limited', 'unavailable', 'internal', 'offline',
]);

/** Whether the same may succeed later. */
export function isTransient(code: Code): boolean {
  return TRANSIENT.has(code);
}

const CODES: ReadonlySet<string> = new Set<Code>([
  'invalid', 'unauthorized', 'forbidden', 'not_found', 'conflict', 'too_large', 'limit_reached',
  'rate_limited', 'unavailable', 'out_of_order', 'internal',
]);

/** A code as the server wrote it; one that is unknown may be anything, so it is `internal`. */
export function codeOf(text: unknown): Code {
  return typeof text === 'string' && CODES.has(text) ? (text as Code) : 'internal';
}

/** Anything that was thrown, as the one error. */
export function toBanterError(thrown: unknown): BanterError {
  if (thrown instanceof BanterError) return thrown;
  return new BanterError('internal', thrown instanceof Error ? thrown.message : String(thrown));
}
