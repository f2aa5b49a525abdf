// SPDX-License-Identifier: MIT
// What the build does last: the service worker learns which files there are, and everything that
// shrinks is compressed once, here, rather than by the server for each visitor.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import type { Plugin } from 'vite';

const COMPRESSED = /\.(?:css|html|js|svg|webmanifest)$/;
const WORKER = ['src/service-worker/sw.js', 'src/service-worker/notifications.js'];

function filesBelow(folder: string, prefix = ''): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) =>
      entry.isDirectory()
        ? filesBelow(join(folder, entry.name), `${prefix}${entry.name}/`)
        : [`${prefix}${entry.name}`],
    )
    .sort();
}

function writeWorker(out: string, files: readonly string[]): void {
  const version = createHash('sha256');
  const template = WORKER.map((file) => readFileSync(file, 'utf8')).join('\n');
  version.update(template);
  for (const file of files) version.update(file).update(readFileSync(join(out, file)));
  const list = JSON.stringify(files.map((file) => `/${file}`));
  writeFileSync(
    join(out, 'sw.js'),
    template.replace('__VERSION__', version.digest('hex').slice(0, 16)).replace('__FILES__', list),
  );
}

export function finish(): Plugin {
  let out = 'dist';
  return {
    name: 'banter-finish',
    apply: 'build',
    configResolved(config) {
      out = config.build.outDir;
    },
    writeBundle() {
      writeWorker(out, filesBelow(out));
      for (const file of filesBelow(out)) {
        if (!COMPRESSED.test(file)) continue;
        const path = join(out, file);
        const plain = readFileSync(path);
        const packed = gzipSync(plain, { level: 9 });
        if (packed.length < plain.length) writeFileSync(`${path}.gz`, packed);
      }
    },
  };
}
