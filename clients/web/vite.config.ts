// SPDX-License-Identifier: MIT
// How the page is built and, while one works on it, served: everything that is not the page goes to
// a running Banter, by default the one that `./banter up` starts.
import preact from '@preact/preset-vite';
import { defineConfig } from 'vite';

import { finish } from './scripts/finish.ts';

const banter = process.env['BANTER_HTTP'] ?? 'http://127.0.0.1:8080';
const toBanter = { target: banter, changeOrigin: true };

export default defineConfig({
  plugins: [preact(), finish()],
  build: {
    target: 'es2022',
    // One file for what the first paint needs; MQTT.js stays apart, it is loaded later.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0, // data: URLs are not allowed by the page's content security policy
  },
  server: {
    host: '127.0.0.1',
    proxy: {
      '/v1': toBanter,
      '/join': toBanter,
      '/mqtt': { ...toBanter, ws: true },
    },
  },
});
