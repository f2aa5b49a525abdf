// SPDX-License-Identifier: MIT
// standins.mjs - all stand-ins at once, for tests in other languages: prints how to reach them as
// one line of JSON, then a line for each notification that came, until its input ends; and then the
// faults that were found.
import { chmodSync, readdirSync } from 'node:fs';
import { makeWorld } from './provider.mjs';
import { Apns, Fcm, WebPush } from './services.mjs';

const say = (object) => process.stdout.write(`${JSON.stringify(object)}\n`);

// Says what a stand-in has made of each request, once it has.
function narrate(name, service, content) {
  const check = service.check.bind(service);
  service.check = async (request, plan) => {
    const verdict = await check(request, plan);
    const { path, headers } = request;
    say({ provider: name, path, headers, content: content(request) });
    return verdict;
  };
}

const world = makeWorld();
const fcm = await new Fcm(world).start();
const apns = await new Apns(world).start();
const web = await new WebPush(world).start();
narrate('fcm', fcm, (request) => request.message);
narrate('apns', apns, (request) => request.payload);
narrate('web', web, (request) => request.payload);

// Whoever runs the bridge must get at these.
chmodSync(world.directory, 0o755);
for (const name of readdirSync(world.directory)) chmodSync(world.path(name), 0o644);

const { address: endpoint, p256dh, auth } = web.target();
say({
  settings: {
    ca_file: world.path('ca.pem'), ...fcm.config, ...apns.config,
    vapid_subject: web.config.vapid_subject, allow_private: 'true',
  },
  subscription: { endpoint, keys: { p256dh, auth } },
});

process.stdin.resume();
process.stdin.on('end', async () => {
  say({ faults: [...fcm.faults, ...apns.faults, ...web.faults] });
  await Promise.all([fcm.stop(), apns.stop(), web.stop()]);
  world.remove();
});
