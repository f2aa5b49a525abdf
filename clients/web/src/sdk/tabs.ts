// SPDX-License-Identifier: MIT
// Several programs, one store: the tabs of a browser. Each is a device of its own, with its own
// connection and outbox, because that is the simplest thing that is right: there is no leader to
// elect, to lose and to talk to. The first tab is called `base`, the next `base-2`, and so on; a
// lock per name says which are taken, so that a page that is loaded again gets the name it had.
import { BanterError } from './errors.ts';
import type { Keys } from './keys.ts';
import { OUTBOX_MAX_DRAFTS, TABS_MAX } from './limits.ts';
import type { Locks, Release } from './platform.ts';
import type { Records } from './records.ts';
import type { Row } from './store.ts';
import type { Handle } from './types.ts';

export interface Place {
  readonly device: string;
  readonly release: Release;
}

/** The first name that no other tab has. */
export async function takePlace(locks: Locks, user: Handle, base: string): Promise<Place> {
  for (let number = 1; number <= TABS_MAX; number++) {
    const device = number === 1 ? base : `${base}-${number}`;
    const release = await locks.tryAcquire(lockOf(user, device));
    if (release) return { device, release };
  }
  throw new BanterError('limit_reached', `${TABS_MAX} tabs are open already`);
}

/** Gives the drafts of tabs that are gone to `adopt`. */
export async function adoptOrphans(
  locks: Locks,
  records: Records,
  keys: Keys,
  user: Handle,
  self: string,
  adopt: (rows: readonly Row[]) => Promise<void>,
): Promise<void> {
  const rowsOf = async (): Promise<Row[]> =>
    records.range(keys.drafts(), OUTBOX_MAX_DRAFTS * TABS_MAX);
  const deviceOf = ([key]: Row): string => keys.draftOf(key).device;
  for (const device of new Set((await rowsOf()).map(deviceOf))) {
    if (device === self) continue;
    const release = await locks.tryAcquire(lockOf(user, device));
    if (!release) continue; // it is alive
    try {
      await adopt((await rowsOf()).filter((row) => deviceOf(row) === device));
    } finally {
      release();
    }
  }
}

function lockOf(user: Handle, device: string): string {
  return `banter/device/${user}/${device}`;
}
