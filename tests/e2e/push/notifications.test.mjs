// SPDX-License-Identifier: MIT
// Messages for somebody who is away: from the switch in the settings to a click on a notification.
// The bridge really sends, the service worker really shows; between them stands a push service of
// the test's own (headless browsers reach none, so `subscribe` in the page is a stand-in), and
// what it got is delivered by the browser's own tools.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launch, Person, until } from '../support/browser.mjs';
import { PushService } from '../support/push_service.mjs';
import { System } from '../support/system.mjs';

let system, service, browser, alice, bob, tools, registrationId, conversation;

before(async () => {
  service = await PushService.open();
  system = await System.start(service.settings);
  browser = await launch();
  alice = await Person.open(browser, system, 'alice');
  await alice.context.grantPermissions(['notifications'], { origin: alice.http });
  await service.serve(alice);
  await alice.signUp('Alice');
  await alice.page.evaluate(() => navigator.serviceWorker.ready.then(() => true));
  bob = await system.account('bob', 'Bob');
  ({ conversation } = await system.say(bob, '@alice', 'hello'));

  tools = await alice.context.newCDPSession(alice.page);
  tools.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
    registrationId = registrations.at(-1)?.registrationId;
  });
  await tools.send('ServiceWorker.enable');
});

after(async () => {
  await alice?.close();
  await browser?.close();
  await system?.stop();
  await service?.close();
});

const theSwitch = (person = alice) =>
  person.page.getByRole('switch', { name: 'Notifications on this device' });

async function openSettings(person = alice) {
  await person.page.goto(`${person.http}/#/settings`);
  await person.page.getByRole('heading', { name: 'Settings' }).waitFor();
}

async function isSwitched(on) {
  await until(async () => await theSwitch().getAttribute('aria-checked') === String(on),
    `the switch: ${on}`);
}

/** What the server has of Alice; asked by a login of its own. */
async function registrations() {
  const other = await system.logIn('alice');
  return (await system.command(other, 'listPush')).registrations;
}

const deliver = (data) => tools.send('ServiceWorker.deliverPushMessage', {
  origin: alice.http, registrationId, data,
});

const notifications = () => alice.page.evaluate(async () => {
  const registration = await navigator.serviceWorker.ready;
  return (await registration.getNotifications())
    .map(({ title, body, tag, data }) => ({ title, body, tag, data }));
});

/** The worker's part of a click; headless browsers have no notifications that can be clicked. */
const click = (tag) => alice.context.serviceWorkers()[0].evaluate(async (wanted) => {
  const [notification] = await self.registration.getNotifications({ tag: wanted });
  self.dispatchEvent(new NotificationEvent('notificationclick', { notification }));
}, tag);

const subscribed = () => alice.page.evaluate(async () => {
  const { pushManager } = await navigator.serviceWorker.ready;
  return (await pushManager.getSubscription())?.endpoint;
});

test('the switch registers this browser, and that survives a reload', async () => {
  await openSettings();
  await isSwitched(false);
  assert.deepEqual(await registrations(), []);
  await theSwitch().click();
  await isSwitched(true);
  const [first, ...others] = await registrations();
  assert.deepEqual([first.provider, others], ['web', []]);

  await alice.page.reload();
  await isSwitched(true);
  await until(async () => (await registrations())[0].used_at !== first.used_at, 'told again');
  const [again] = await registrations();
  assert.equal(again.registration, first.registration);
});

test('a subscription with another key of the server is made anew', async () => {
  const [before] = await registrations();
  const endpoint = await subscribed();
  await alice.page.evaluate(() => {
    const stored = JSON.parse(localStorage.getItem('stand-in.subscription'));
    stored.key = `B${'A'.repeat(86)}`;
    localStorage.setItem('stand-in.subscription', JSON.stringify(stored));
  });
  await alice.page.reload();
  await isSwitched(true);
  const after = await until(async () => {
    const all = await registrations();
    return all.length === 1 && all[0].registration !== before.registration && all;
  }, 'one registration, another one');
  assert.equal(after.length, 1);
  assert.notEqual(await subscribed(), endpoint);
});

test('who is away gets a notification, and a click opens the conversation', async () => {
  await alice.goOffline();
  let text;
  const push = await until(async () => { // once the server has noticed
    text = `are you there? <b>${Date.now()}</b>`;
    await system.say(bob, '@alice', text);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    return service.pushes.at(-1);
  }, 'a push');
  assert.equal(service.url + push.path, await subscribed());
  const { seq, ...said } = JSON.parse(push.payload);
  const { badge } = said;
  assert.ok(said.text.startsWith('are you there? <b>') && badge >= 1, push.payload);
  assert.deepEqual(said, {
    type: 'message', conversation, badge, from: 'bob', title: 'Bob', text: said.text,
  });

  await deliver(push.payload);
  const [shown] = await until(async () => {
    const all = await notifications();
    return all.length > 0 && all;
  }, 'the notification');
  assert.deepEqual(shown, {
    title: 'Bob', body: said.text, tag: conversation, data: { conversation, seq },
  });
  await deliver(push.payload.replace(`"seq":${seq}`, `"seq":${seq + 1}`));
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.equal((await notifications()).length, 1); // in its place

  await alice.goOnline();
  await click(conversation);
  await alice.page.waitForURL(`${alice.http}/#/c/${conversation}`);
  await alice.sees(text);
  assert.deepEqual(await notifications(), []);
});

test('who is looking at the conversation gets none, and for others one comes', async () => {
  const payload = (id) => JSON.stringify({
    type: 'message', conversation: id, seq: 99, badge: 1, from: 'bob', title: 'Bob', text: 'x',
  });
  const other = conversation.replace(/.$/, (digit) => (digit === '0' ? '1' : '0'));
  await deliver(payload(conversation));
  await deliver(payload(other));
  await until(async () => (await notifications()).length > 0, 'the other one');
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.deepEqual((await notifications()).map(({ tag }) => tag), [other]);
  await click(other);
});

test('a push that nobody understands is shown without a word of it', async () => {
  const again = 5_000; // ms: once, what was delivered so was not followed by anything
  let due = 0;
  await openSettings();
  const [shown] = await until(async () => {
    if (Date.now() >= due) {
      await deliver('{"type":"message","conversation":"../x","title":"evil","text":"evil"}');
      due = Date.now() + again;
    }
    const all = await notifications();
    return all.length > 0 && all;
  }, 'the notification');
  assert.deepEqual([shown.title, shown.body], ['Banter', 'New message']);
});

test('switched off, nothing is left', async () => {
  await openSettings();
  await isSwitched(true);
  await theSwitch().click();
  await isSwitched(false);
  assert.deepEqual(await registrations(), []);
  assert.equal(await subscribed(), undefined);
  await alice.page.reload();
  await isSwitched(false);
});

test('logged out, nothing is left either', async () => {
  await theSwitch().click();
  await isSwitched(true);
  assert.equal((await registrations()).length, 1);
  await alice.page.getByRole('button', { name: 'Log out' }).click();
  await alice.page.getByRole('dialog').getByRole('button', { name: 'Log out' }).click();
  await alice.page.getByRole('button', { name: 'Log in', exact: true }).waitFor();
  await until(async () => await subscribed() === undefined, 'no subscription');
  assert.deepEqual(await registrations(), []);
  assert.deepEqual(await notifications(), []);
});

test('where the browser has blocked it, it says so; where the server cannot, nothing', async () => {
  const carol = await Person.open(browser, system, 'carol');
  await carol.signUp('Carol');
  await carol.page.evaluate(() => navigator.serviceWorker.ready.then(() => true));
  const session = await carol.context.newCDPSession(carol.page);
  const { targetInfo } = await session.send('Target.getTargetInfo');
  const all = await browser.newBrowserCDPSession();
  await all.send('Browser.setPermission', {
    permission: { name: 'notifications' }, setting: 'denied', origin: carol.http,
    browserContextId: targetInfo.browserContextId,
  });
  await openSettings(carol);
  await carol.page.getByText('Blocked by the browser.', { exact: false }).waitFor();
  assert.ok(await theSwitch(carol).isDisabled());

  await carol.page.route('**/v1/push/vapid', (route) => route.fulfill({
    status: 404, contentType: 'application/problem+json', body: '{"code":"not_found"}',
  }));
  await carol.page.reload();
  await carol.page.getByRole('button', { name: 'Log out' }).waitFor();
  await carol.page.waitForTimeout(500);
  assert.equal(await theSwitch(carol).count(), 0);
  carol.assertQuiet();
  await carol.close();
});

test('nothing happened that nobody asked for', () => alice.assertQuiet());
