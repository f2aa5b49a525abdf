// SPDX-License-Identifier: MIT
// The one client of this page. Everything that the server is asked for goes through it.
import { createClient } from '../sdk/index.ts';
import { indexedDbStore } from '../sdk/store_indexeddb.ts';

export const client = createClient({
  api: location.origin,
  mqtt: `${location.origin.replace(/^http/, 'ws')}/mqtt`,
  store: indexedDbStore('banter'),
});
