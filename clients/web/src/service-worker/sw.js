// SPDX-License-Identifier: MIT
// The service worker: keeps the page itself (FILES, filled in by the build) so that it opens
// without a network. Rule: nothing but these files is ever kept or answered here; what the API says is the
// application's to keep.
const VERSION = '__VERSION__';
const FILES = new Set(JSON.parse('__FILES__'));
const PREFIX = 'banter-shell-';
const CACHE = PREFIX + VERSION;
const PAGE = '/index.html';
const PATIENCE_MS = 3000;

self.addEventListener('install', (event) => {
  const requests = [...FILES].map((file) => new Request(file, { cache: 'reload' }));
  event.waitUntil(
    caches
      .open(CACHE)
      .then((cache) => cache.addAll(requests))
      .then(() => self.skipWaiting()),
  );
});

async function forgetOldVersions() {
  for (const name of await caches.keys()) {
    if (name.startsWith(PREFIX) && name !== CACHE) await caches.delete(name);
  }
  await self.clients.claim();
}

self.addEventListener('activate', (event) => event.waitUntil(forgetOldVersions()));

const kept = (file) => caches.match(file, { ignoreVary: true });

/** What comes with a page may change while it stays the same: its policy names the servers that it
 * may go to. A page of another version is not kept, for its scripts are not. */
async function keepPage(response) {
  const cache = await caches.open(CACHE);
  const before = await cache.match(PAGE, { ignoreVary: true });
  if (before && (await before.text()) === (await response.clone().text())) {
    await cache.put(PAGE, response);
  }
}

/** The newest page if it comes soon, else the one that is kept. */
async function page(request, event) {
  const fresh = fetch(request);
  event.waitUntil(
    fresh.then((response) => response.ok && keepPage(response.clone())).catch(() => undefined),
  );
  const patience = new Promise((resolve) => {
    setTimeout(resolve, PATIENCE_MS);
  });
  try {
    const response = await Promise.race([fresh, patience]);
    if (response && response.status < 500) return response;
  } catch {
    // no network
  }
  return (await kept(PAGE)) ?? fresh;
}

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== self.location.origin) return;
  if (request.mode === 'navigate') {
    if (url.pathname === '/' || url.pathname === PAGE) event.respondWith(page(request, event));
  } else if (FILES.has(url.pathname) && url.search === '') {
    event.respondWith(kept(url.pathname).then((response) => response ?? fetch(request)));
  }
});
