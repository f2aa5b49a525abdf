// SPDX-License-Identifier: MIT
// The service worker's notifications, in a worker that is not one: what is shown for a push, and
// which window a click leads to.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import vm from 'node:vm';

const SOURCE = readFileSync(
  new URL('../../src/service-worker/notifications.js', import.meta.url), 'utf8');
const ID = '01a20476-60f7-70c3-a944-ffa2e88dc08f';
const OTHER = '01a20476-60f7-70c3-a944-ffa2e88dc090';
// As the bridge writes it (put_message() in bridge/push/payload.c).
const PAYLOAD = `{"type":"message","conversation":"${ID}","seq":42,"badge":3,"from":"alice",` +
  '"title":"Team","text":"<b>hello</b> 👋"}';

interface Shown {
  title: string;
  options: {
    body: string;
    tag: string;
    renotify: boolean;
    data: { conversation: string | null; seq: number | null };
  };
}

interface Window {
  url: string;
  focused: boolean;
  visibilityState: 'visible' | 'hidden';
  /** The conversation that its page shows; undefined: the page does not answer. */
  shows?: string | null;
}

/** A worker with these windows; what it did. */
function worker(windows: readonly Window[] = []) {
  const listeners = new Map<string, (event: object) => void>();
  const shown: Shown[] = [];
  const did: string[] = [];
  const clients = windows.map((window, i) => ({
    ...window,
    focus: async () => {
      did.push(`focus ${i}`);
      if (!window.focused) throw new Error('not allowed'); // as without a real click
    },
    navigate: async (to: string) => did.push(`navigate ${i} ${to}`),
    postMessage: (question: { type: string; conversation?: string }, ports?: MessagePort[]) => {
      did.push([question.type, i, question.conversation].filter((x) => x !== undefined).join(' '));
      if (window.shows === undefined) return;
      ports?.[0]?.postMessage(question.type === 'which' ? window.shows : true);
    },
  }));
  const self = {
    addEventListener: (name: string, listener: (event: object) => void) =>
      listeners.set(name, listener),
    clients: {
      matchAll: async () => clients,
      openWindow: async (to: string) => did.push(`open ${to}`),
    },
    navigator: { setAppBadge: async (count: number) => did.push(`badge ${count}`) },
    registration: {
      getNotifications: async ({ tag }: { tag: string }) =>
        shown.filter((one) => one.options.tag === tag).map((one) => one.options),
      showNotification: async (title: string, options: Shown['options']) => {
        shown.push({ title, options: { ...options, data: { ...options.data } } });
      },
      pushManager: { subscribe: async () => did.push('subscribe') },
    },
  };
  vm.runInNewContext(SOURCE, { self, URL, MessageChannel, setTimeout });
  const dispatch = async (name: string, event: object) => {
    let work: unknown;
    listeners.get(name)?.({ ...event, waitUntil: (given: unknown) => (work = given) });
    await work;
  };
  return {
    shown,
    did,
    push: (text: string | null) =>
      dispatch('push', { data: text === null ? null : { text: () => text } }),
    click: (conversation: string | null) =>
      dispatch('notificationclick', {
        notification: { close: () => did.push('close'), data: { conversation } },
      }),
    change: (event: object) => dispatch('pushsubscriptionchange', event),
  };
}

const page = (more: Partial<Window> = {}): Window => ({
  url: 'http://localhost/', focused: false, visibilityState: 'hidden', shows: null, ...more,
});
/** Its page is of an older version. */
const mute: Window = { url: 'http://localhost/', focused: true, visibilityState: 'visible' };
const looking = (shows: string | null): Window => ({ ...mute, shows });

test('a message is shown with its title and text, and counted', async () => {
  const { push, shown, did } = worker();
  await push(PAYLOAD);
  assert.equal(shown.length, 1);
  assert.equal(shown[0]?.title, 'Team');
  const { body, tag, data, renotify } = shown[0].options;
  assert.deepEqual({ body, tag, data, renotify }, {
    body: '<b>hello</b> 👋', tag: ID, data: { conversation: ID, seq: 42 }, renotify: true,
  });
  assert.deepEqual(did, ['badge 3']);
});

test('the same message again does not make itself heard, the next one does', async () => {
  const { push, shown } = worker();
  await push(PAYLOAD);
  await push(PAYLOAD);
  await push(PAYLOAD.replace('42', '43'));
  assert.deepEqual(shown.map((one) => one.options.renotify), [true, false, true]);
});

test('a server that keeps texts to itself', async () => {
  const { push, shown } = worker();
  await push(`{"type":"message","conversation":"${ID}","seq":42}`);
  assert.equal(shown[0]?.title, 'Banter');
  assert.equal(shown[0].options.body, 'New message');
  assert.equal(shown[0].options.tag, ID);
});

test('whatever cannot be understood is a neutral notification that leads nowhere', async () => {
  const bad = [
    null, '', '{', 'null', '[]', '42', '"x"', '{"type":"other"}', '{"type":"message"}',
    PAYLOAD.replace(ID, '../../evil'), PAYLOAD.replace(`"${ID}"`, '{}'),
  ];
  for (const text of bad) {
    const { push, shown } = worker();
    await push(text);
    assert.equal(shown.length, 1, String(text));
    assert.equal(shown[0]?.title, 'Banter');
    assert.equal(shown[0].options.body, 'New message');
    assert.equal(shown[0].options.data.conversation, null);
  }
  const { push, shown } = worker();
  await push(`{"type":"message","conversation":"${ID}","seq":-1,"badge":"x","title":{},"text":[]}`);
  assert.deepEqual(shown[0]?.options.data, { conversation: ID, seq: null });
  assert.equal(shown[0].title, 'Banter');
});

test('nothing is shown to whoever is looking at the conversation, and only then', async () => {
  const cases: [Window[], number][] = [
    [[looking(ID)], 0],
    [[page(), looking(ID)], 0],
    [[looking(OTHER)], 1],
    [[looking(null)], 1],
    [[page({ visibilityState: 'visible', shows: ID })], 1], // not the focus
    [[page({ shows: ID })], 1],
    [[{ ...looking(ID), url: 'http://localhost/join/abc' }], 1], // not the application
    [[mute], 1],
  ];
  for (const [windows, wanted] of cases) {
    const { push, shown } = worker(windows);
    await push(PAYLOAD);
    assert.equal(shown.length, wanted, JSON.stringify(windows));
  }
});

test('a click uses the window with the focus, a visible one, or the last one', async () => {
  const visible = page({ visibilityState: 'visible' });
  const cases: [Window[], number][] = [
    [[page(), visible, looking(null)], 2],
    [[page(), visible, page()], 1],
    [[page(), page()], 0],
    [[{ ...page(), url: 'http://localhost/join/abc' }, page()], 1],
  ];
  for (const [windows, wanted] of cases) {
    const { click, did } = worker(windows);
    await click(ID);
    assert.deepEqual(did, ['close', `focus ${wanted}`, `open ${wanted} ${ID}`]);
  }
});

test('a click opens a window where there is none, and moves a mute page', async () => {
  const none = worker();
  await none.click(ID);
  await none.click(null);
  assert.deepEqual(none.did, ['close', `open /#/c/${ID}`, 'close', 'open /']);
  const silent = worker([mute]);
  await silent.click(ID);
  assert.deepEqual(silent.did, ['close', 'focus 0', `open 0 ${ID}`, `navigate 0 /#/c/${ID}`]);
  const neutral = worker([looking(null)]);
  await neutral.click(null);
  assert.deepEqual(neutral.did, ['close', 'focus 0']);
});

test('a subscription that has ended is made anew, and the pages hear of it', async () => {
  const old = { options: { applicationServerKey: new ArrayBuffer(65) } };
  const { change, did } = worker([page()]);
  await change({ oldSubscription: old });
  await change({ oldSubscription: old, newSubscription: {} });
  await change({});
  assert.deepEqual(did, ['subscribe', 'subscribed 0', 'subscribed 0', 'subscribed 0']);
});
