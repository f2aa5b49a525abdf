// SPDX-License-Identifier: MIT
// rig.mjs - one stand-in and one probe for each test, both gone afterwards, and no fault found.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Probe } from './probe.mjs';
import { makeWorld } from './provider.mjs';

const world = makeWorld(); // keys take long to make: one world for all tests of a file
after(() => world.remove());

// rig(name, Service, options, body): `options` go into the probe's configuration; body({ service,
// probe, world }). The probe is ended in good order unless the body has done it.
export function rig(name, Service, options, body) {
  test(name, { timeout: 60000 }, async () => {
    const service = await new Service(world).start();
    let probe;
    try {
      const config = { ca_file: world.path('ca.pem'), ...service.config, ...options };
      probe = await Probe.start(config);
      await body({ service, probe, world, config });
      if (probe.process.exitCode === null) await probe.stop();
      assert.deepEqual(service.faults, []);
    } finally {
      probe?.process.kill('SIGKILL');
      await service.stop();
    }
  });
}
