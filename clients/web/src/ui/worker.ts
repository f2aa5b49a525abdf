// SPDX-License-Identifier: MIT
// Registers the service worker, which keeps the page itself for when there is no network. The
// page's policy (Trusted Types) lets a string name a script here and nowhere else.

interface Policy {
  createScriptURL(url: string): unknown;
}

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): Policy;
}

const WORKER = '/sw.js';

export function startWorker(): void {
  if (!('serviceWorker' in navigator) || import.meta.env.DEV) return;
  const types = (window as { trustedTypes?: TrustedTypes }).trustedTypes;
  const policy = types?.createPolicy('banter', {
    createScriptURL: (url) => {
      if (url !== WORKER) throw new TypeError('not our worker');
      return url;
    },
  });
  const url = (policy?.createScriptURL(WORKER) ?? WORKER) as string;
  navigator.serviceWorker.register(url, { scope: '/' }).catch(() => {
    // The page works without it, only not offline.
  });
}
