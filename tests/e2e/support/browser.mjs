// SPDX-License-Identifier: MIT
// A real browser and people in it, who do everything through the page as people do: by what things
// are called, not by how they are built.
//
// Rule: whatever the page does that nobody asked for (a script error, a dialog, a request to
// elsewhere, a policy broken) is noted, and a test ends with `assertQuiet`.
import assert from 'node:assert/strict';

import { chromium } from 'playwright-core';

import { Network } from './network.mjs';

const WAIT_MS = 15_000;
export const PASSWORD = 'correct horse battery';
export const DESKTOP = { width: 1280, height: 800 };
export const PHONE = { width: 390, height: 844 };

export function launch() {
  return chromium.launch({
    executablePath: process.env.BANTER_CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-dev-shm-usage'], // the tests may run as root in a container
  });
}

// A browser says so when the network or the server is away; that is what these tests do to it.
const EXPECTED = new RegExp([
  'Failed to load resource', 'ERR_INTERNET_DISCONNECTED', 'WebSocket connection to',
  'WebSocket is already in CLOSING or CLOSED state',
].join('|'));

export class Person {
  /** `elsewhere`: what the page may ask besides the system. Then there is no network of the
   * person's own in between: the page has to be that of an address which the others know. */
  static async open(browser, system, handle, { elsewhere = [], ...options } = {}) {
    const person = new Person();
    if (elsewhere.length === 0) person.network = await Network.open(new URL(system.http));
    person.http = person.network?.url ?? system.http;
    person.handle = handle;
    person.noise = [];
    person.context = await browser.newContext({
      viewport: DESKTOP, reducedMotion: 'reduce', ...options,
    });
    person.context.setDefaultTimeout(WAIT_MS);
    person.context.on('request', (request) => {
      const url = new URL(request.url());
      const known = [person.http, ...elsewhere];
      if (!['blob:', 'data:'].includes(url.protocol) && !known.includes(url.origin)) {
        person.noise.push(`a request to ${request.url()}`);
      }
    });
    await person.newPage();
    return person;
  }

  async newPage() {
    const page = await this.context.newPage();
    page.on('pageerror', (error) => this.noise.push(`an error: ${error.stack ?? error}`));
    page.on('dialog', (dialog) => {
      this.noise.push(`a dialog: ${dialog.message()}`);
      dialog.dismiss();
    });
    page.on('console', (message) => {
      if (message.type() === 'error' && !EXPECTED.test(message.text())) {
        this.noise.push(`on the console: ${message.text()}`);
      }
    });
    this.page = page;
    return page;
  }

  assertQuiet() {
    assert.deepEqual(this.noise, []);
  }

  async close() {
    await this.context.close();
    this.network?.close();
  }

  async goOffline() {
    await this.context.setOffline(true);
    this.network.cut();
  }

  async goOnline() {
    this.network.mend();
    await this.context.setOffline(false);
  }

  // ---------------------------------------------------------------- coming in

  async signUp(name = '') {
    const { page } = this;
    await page.goto(this.http);
    await page.getByRole('button', { name: 'I am new here' }).click();
    await page.getByLabel('Handle').fill(this.handle);
    if (name) await page.getByLabel('Name (if you like)').fill(name);
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Sign up' }).click();
    await this.isIn();
  }

  async logIn() {
    const { page } = this;
    await page.goto(this.http);
    await page.getByLabel('Handle').fill(this.handle);
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Log in', exact: true }).click();
    await this.isIn();
  }

  isIn() {
    return this.page.getByLabel('Search people and messages').waitFor();
  }

  // ---------------------------------------------------------------- conversations

  row(title) {
    return this.page.locator('a.row[data-conversation]', { hasText: title });
  }

  async find(query) {
    await this.page.getByLabel('Search people and messages').fill(query);
  }

  /** Begins to talk to somebody by searching for them. */
  async talkTo(handle) {
    const { page } = this;
    await this.find(handle);
    await page.getByRole('region', { name: 'People' }).getByText(`@${handle}`).click();
    await this.composer().waitFor();
    await this.find('');
  }

  async openChat(title) {
    await this.row(title).click();
    await this.composer().waitFor();
  }

  composer() {
    return this.page.getByRole('textbox', { name: /^Message to/ });
  }

  async say(text) {
    await this.composer().fill(text);
    await this.composer().press('Enter');
  }

  // ---------------------------------------------------------------- messages

  message(text) {
    return this.page.locator('.message', { has: this.page.getByText(text, { exact: true }) });
  }

  sees(text, options) {
    return this.message(text).first().waitFor(options);
  }

  /** The texts in the page, in order, those that have not been sent included. */
  texts() {
    return this.page.locator('.message .text').allTextContents();
  }

  /** To the newest message, for whoever is somewhere else. */
  async goToEnd() {
    const button = this.page.getByRole('button', { name: /go to the end/i });
    if (await button.isVisible()) await button.click();
  }

  marked(text, mark) {
    return this.page.locator(`.message[data-mark="${mark}"]`, {
      has: this.page.getByText(text, { exact: true }),
    }).first().waitFor();
  }
}

/** alice at one system and bob at the same or another one, who each have the other's chat open and
 * in it her word "before". */
export async function talkingPair(browser, aliceAt, bobAt = aliceAt) {
  const people = [];
  try {
    for (const [handle, own, other] of [['alice', aliceAt, bobAt], ['bob', bobAt, aliceAt]]) {
      const elsewhere = own === other ? [] : [other.http];
      people.push(await Person.open(browser, own, handle, { elsewhere }));
    }
    const [alice, bob] = people;
    await Promise.all([alice.signUp('Alice'), bob.signUp('Bob')]);
    await alice.talkTo('bob');
    await alice.say('before');
    await bob.openChat('Alice');
    await bob.sees('before');
  } catch (error) {
    await closeAll(...people);
    throw error;
  }
  return people;
}

/** What a test has opened, in this order; what it did not come to open is left out. */
export async function closeAll(...opened) {
  for (const one of opened) await (one?.close ?? one?.stop)?.call(one);
}

/** Waits until `check` gives something that is true; fails with what it gave last. */
export async function until(check, what, ms = WAIT_MS) {
  const end = Date.now() + ms;
  for (;;) {
    const value = await check();
    if (value) return value;
    if (Date.now() > end) throw new Error(`${what}: not within ${ms} ms`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
