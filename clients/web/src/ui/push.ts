// SPDX-License-Identifier: MIT
// Notifications while no page is open: this browser's subscription, and the server's knowledge of
// it. Rule: the browser asks its user when a switch is clicked, and never otherwise; and whoever
// logs out is told of nothing any more.
import { BanterError } from '../sdk/index.ts';
import { client } from './client.ts';
import { go, parseRoute, to } from './route.ts';
import { keepPush, pushOf } from './settings.ts';

/** `absent`: this browser or this server cannot do it. */
export type PushState = 'absent' | 'off' | 'on' | 'blocked';

const WORKER_MS = 10_000;

const isSupported = () =>
  'serviceWorker' in navigator && 'PushManager' in window && 'Notification' in window;

/** The worker, once it runs; null: there is none. */
async function worker(): Promise<ServiceWorkerRegistration | null> {
  if (!isSupported()) return null;
  const registration = await navigator.serviceWorker.getRegistration('/');
  if (!registration || registration.active) return registration ?? null;
  const patience = new Promise<null>((resolve) => {
    setTimeout(resolve, WORKER_MS, null);
  });
  return Promise.race([navigator.serviceWorker.ready, patience]);
}

/** base64url, as the server writes its key. */
export function base64url(bytes: ArrayBuffer): string {
  return btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '');
}

/** The present subscription, unless it was made with another key of the server: then a new one. */
async function subscription(pushManager: PushManager, key: string): Promise<PushSubscription> {
  const present = await pushManager.getSubscription();
  const presentKey = present?.options.applicationServerKey;
  if (present && presentKey && base64url(presentKey) === key) return present;
  await present?.unsubscribe();
  try {
    return await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
  } catch (error) {
    throw new BanterError('unavailable', String(error)); // the browser's push service, not ours
  }
}

async function register(user: string): Promise<void> {
  const key = await client.commands.webPushKey();
  const registration = await worker();
  if (!registration) throw new BanterError('unavailable', 'no service worker');
  const { endpoint = '', keys = {} } = (
    await subscription(registration.pushManager, key)
  ).toJSON();
  const { p256dh = '', auth = '' } = keys;
  const target = { provider: 'web', endpoint, keys: { p256dh, auth } } as const;
  const before = pushOf();
  const name = await client.commands.registerPush(target);
  keepPush({ user, registration: name });
  if (before && before.registration !== name) {
    await client.commands.unregisterPush(before.registration).catch(() => undefined);
  }
}

async function unsubscribe(): Promise<void> {
  keepPush(null);
  const registration = await worker();
  await (await registration?.pushManager.getSubscription())?.unsubscribe();
}

export async function pushState(user: string): Promise<PushState> {
  const registration = await worker();
  if (!registration) return 'absent';
  await client.commands.webPushKey(); // or `not_found`
  if (Notification.permission === 'denied') return 'blocked';
  if (Notification.permission !== 'granted' || pushOf()?.user !== user) return 'off';
  return (await registration.pushManager.getSubscription()) ? 'on' : 'off';
}

/** To be called by a click. Does nothing if the person does not agree. */
export async function switchPushOn(user: string): Promise<void> {
  if ((await Notification.requestPermission()) === 'granted') await register(user);
}

/** Quiet at once; what the server does not hear, it learns from the push service. */
export async function switchPushOff(): Promise<void> {
  const registration = pushOf()?.registration;
  await unsubscribe();
  if (registration === undefined) return;
  await client.commands.unregisterPush(registration).catch((error: unknown) => {
    if (!(error instanceof BanterError) || error.code !== 'not_found') throw error;
  });
}

/** The server forgets the registration with the login; here the browser does. */
export async function endPush(): Promise<void> {
  showBadge(0);
  if (!pushOf()) return;
  await unsubscribe();
  await closeNotifications();
}

async function resume(user: string): Promise<void> {
  const kept = pushOf();
  if (!kept) return;
  if (kept.user !== user) await endPush();
  else if (isSupported() && Notification.permission === 'granted') await register(user);
}

/** Tells the server again, as it wants to be at every start, as soon as it is there, and whenever
 * the browser has another subscription. Returns what ends that. */
export function startPush(user: string): () => void {
  let isTold = false;
  const tell = () => {
    if (isTold || client.connection.get().state !== 'online') return;
    isTold = true;
    resume(user).catch(() => {
      isTold = false; // with the next connection
    });
  };
  const heard = ({ data }: MessageEvent) => {
    if ((data as { type?: unknown }).type !== 'subscribed') return;
    isTold = false;
    tell();
  };
  tell();
  const stop = client.connection.subscribe(tell);
  navigator.serviceWorker?.addEventListener('message', heard);
  return () => {
    stop();
    navigator.serviceWorker?.removeEventListener('message', heard);
  };
}

/** Answers the worker: which conversation is open here; and opens the one it asks for. */
export function answerWorker(): void {
  navigator.serviceWorker?.addEventListener('message', ({ data, ports }: MessageEvent) => {
    const { type, conversation } = data as { type?: unknown; conversation?: unknown };
    if (type === 'which') {
      const route = parseRoute(location.hash);
      ports[0]?.postMessage(route.pane === 'chat' ? route.id : null);
    } else if (type === 'open' && typeof conversation === 'string') {
      go(to.chat(conversation));
      ports[0]?.postMessage(true);
    }
  });
}

/** What has been read needs no notification; without `conversation`, nothing does. */
export async function closeNotifications(conversation?: string): Promise<void> {
  if (!pushOf() && conversation !== undefined) return;
  const shown = await (await worker())?.getNotifications(conversation ? { tag: conversation } : {});
  for (const one of shown ?? []) one.close();
}

/** On the application's icon, where it was installed and has one. */
export function showBadge(unread: number): void {
  const { setAppBadge } = navigator as { setAppBadge?: (count: number) => Promise<void> };
  setAppBadge?.call(navigator, unread).catch(() => undefined);
}
