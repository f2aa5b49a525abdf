// SPDX-License-Identifier: MIT
// The service worker's other half: shows what the server pushes, and opens what is clicked. The
// build puts it behind sw.js, into one file. Rule: a push ends with a notification, or with a
// person who is looking at the conversation already; browsers take the right to push from whoever
// stays silent otherwise.
const NAME = 'Banter';
const NO_TEXT = 'New message';
const ICON = '/icon-192.png';
const CONVERSATION = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const ANSWER_MS = 1000;

/** What a push says, from the text of its payload; what cannot be understood says little. */
function readPush(payload) {
  let said = null;
  try {
    said = JSON.parse(payload);
  } catch {
    // neither ours nor harmful
  }
  const isOurs = said?.type === 'message' && CONVERSATION.test(said.conversation);
  const { conversation = null, seq, badge, title, text } = isOurs ? said : {};
  const words = (given, otherwise) =>
    typeof given === 'string' && given !== '' ? given : otherwise;
  const count = (given) => (Number.isSafeInteger(given) && given >= 0 ? given : null);
  return {
    conversation,
    seq: count(seq),
    badge: count(badge),
    title: words(title, NAME),
    body: words(text, NO_TEXT),
  };
}

const tagOf = (push) => push.conversation ?? NAME;

/** One notification for each conversation, which makes itself heard for a new message only. */
function optionsOf(push, shown) {
  const { conversation, seq, body } = push;
  const isKnown = seq !== null && shown.some((one) => one.data?.seq === seq);
  return { body, icon: ICON, tag: tagOf(push), renotify: !isKnown, data: { conversation, seq } };
}

/** The window that a person would expect; those come first that had the focus last. */
function windowToUse(windows) {
  return (
    windows.find((one) => one.focused) ??
    windows.find((one) => one.visibilityState === 'visible') ??
    windows[0]
  );
}

const addressOf = (conversation) => (conversation ? `/#/c/${conversation}` : '/');

async function ourWindows() {
  const all = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
  return all.filter((one) => ['/', '/index.html'].includes(new URL(one.url).pathname));
}

/** What the page in a window answers; null: nothing. Its address as the worker sees it would not
 * do: that is the one that it was loaded with. */
function ask(window, question) {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = ({ data }) => resolve(data);
    setTimeout(resolve, ANSWER_MS, null);
    window.postMessage(question, [port2]);
  }).finally(() => port1.close());
}

async function isLookedAt(conversation) {
  const windows = await ourWindows();
  const window = windows.find((one) => one.focused && one.visibilityState === 'visible');
  if (!window || conversation === null) return false;
  return (await ask(window, { type: 'which' })) === conversation;
}

async function showPush(payload) {
  const push = readPush(payload);
  if (await isLookedAt(push.conversation)) return;
  const shown = await self.registration.getNotifications({ tag: tagOf(push) });
  await self.registration.showNotification(push.title, optionsOf(push, shown));
  if (push.badge !== null) await self.navigator.setAppBadge?.(push.badge)?.catch(() => undefined);
}

async function openConversation(conversation) {
  const window = windowToUse(await ourWindows());
  if (!window) return self.clients.openWindow(addressOf(conversation));
  const focused = window.focus().catch(() => undefined); // at once, while the click permits it
  if (conversation !== null && !(await ask(window, { type: 'open', conversation }))) {
    await window.navigate(addressOf(conversation));
  }
  return focused;
}

/** A worker has no login: a page that is open tells the server, or else the next one that is. */
async function renewSubscription({ oldSubscription, newSubscription }) {
  const applicationServerKey = oldSubscription?.options.applicationServerKey;
  if (!newSubscription && applicationServerKey) {
    await self.registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey });
  }
  for (const window of await ourWindows()) window.postMessage({ type: 'subscribed' });
}

self.addEventListener('push', (event) => event.waitUntil(showPush(event.data?.text() ?? '')));

self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(openConversation(event.notification.data?.conversation ?? null));
});

self.addEventListener('pushsubscriptionchange', (event) => {
  event.waitUntil(renewSubscription(event));
});
