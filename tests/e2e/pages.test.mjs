// SPDX-License-Identifier: MIT
// What is served and what is kept: the first load is small, the policy strict, and the service
// worker keeps the page and nothing that anyone has written.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { closeAll, launch, Person } from './support/browser.mjs';
import { System } from './support/system.mjs';

const FIRST_LOAD_MAX_BYTES = 150_000;

let system, browser, alice;

before(async () => {
  system = await System.start();
  browser = await launch();
  alice = await Person.open(browser, system, 'alice');
});

after(() => closeAll(alice, browser, system));

test('the first load is small, and MQTT.js is not part of it', async () => {
  const loads = [];
  alice.page.on('response', (response) => loads.push(response));
  await alice.page.goto(alice.http);
  await alice.page.getByLabel('Handle').waitFor();
  await alice.page.waitForLoadState('networkidle');
  let total = 0;
  for (const response of loads) {
    const { responseBodySize, responseHeadersSize } = await response.request().sizes();
    const path = new URL(response.url()).pathname;
    if (response.request().serviceWorker()) continue; // it fetches all there is, later
    assert.ok(!path.includes('mqtt'), path);
    if (/\.(?:js|css)$|^\/$/.test(path)) {
      assert.equal(response.headers()['content-encoding'], 'gzip', path);
    }
    total += responseBodySize + responseHeadersSize;
  }
  assert.ok(total > 10_000 && total < FIRST_LOAD_MAX_BYTES, `${total} bytes`);
});

test('the policy lets nothing else run', async () => {
  const { page } = alice;
  const broken = [];
  await page.exposeFunction('noteBroken', (directive) => broken.push(directive));
  await page.evaluate(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      window.noteBroken(event.effectiveDirective);
    });
    const image = document.createElement('img');
    image.src = 'https://evil.example/pixel.png';
    document.body.append(image);
    const script = document.createElement('script');
    try {
      script.text = 'window.ran = 1';
      document.body.append(script);
    } catch {
      // Trusted Types refuse the assignment already
    }
    try {
      document.body.insertAdjacentHTML('beforeend', '<b>markup</b>');
    } catch {
      // likewise
    }
  });
  await page.waitForTimeout(300);
  assert.equal(await page.evaluate(() => window.ran), undefined);
  assert.equal(await page.locator('b', { hasText: 'markup' }).count(), 0);
  assert.ok(broken.includes('img-src'));
  assert.ok(broken.includes('require-trusted-types-for'));
  alice.noise.length = 0; // that was what we asked for
  await page.reload();
});

test('the service worker keeps the page and no answers', async () => {
  await alice.signUp('Alice');
  const { page } = alice;
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => true));
  const kept = await page.evaluate(async () => {
    const paths = [];
    for (const name of await caches.keys()) {
      for (const request of await (await caches.open(name)).keys()) {
        paths.push(new URL(request.url).pathname);
      }
    }
    return paths;
  });
  assert.ok(kept.includes('/index.html'));
  const pageFiles = /^\/(?:index\.html|manifest\.webmanifest|icon[\w-]*\.(?:svg|png)|assets\/.*)$/;
  for (const path of kept) assert.match(path, pageFiles);
  await alice.goOffline();
  await page.reload();
  await alice.isIn();
  await alice.goOnline();
  alice.assertQuiet();
});

test('it can be installed', async () => {
  const manifest = await (await fetch(`${system.http}/manifest.webmanifest`)).json();
  assert.equal(manifest.display, 'standalone');
  for (const { src, sizes } of manifest.icons) {
    const response = await fetch(system.http + src);
    assert.equal(response.status, 200, src);
    if (sizes === 'any') continue;
    const bytes = Buffer.from(await response.arrayBuffer());
    assert.equal(`${bytes.readUInt32BE(16)}x${bytes.readUInt32BE(20)}`, sizes, src);
  }
});
