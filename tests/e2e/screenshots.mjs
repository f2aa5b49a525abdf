// SPDX-License-Identifier: MIT
// Makes the pictures of docs/images: some people with something to say, seen by one of them.
//
//     ./banter test --only e2e; cd tests/e2e && npm run screenshots
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { DESKTOP, launch, Person, PHONE } from './support/browser.mjs';
import { populate } from './support/people.mjs';
import { System } from './support/system.mjs';

const FOLDER = fileURLToPath(new URL('../../docs/images/', import.meta.url));

async function look(browser, system, handle, options) {
  const person = await Person.open(browser, system, handle, {
    locale: 'en-GB', timezoneId: 'Europe/Berlin', ...options,
  });
  await person.logIn();
  return person;
}

async function shoot(person, name) {
  await person.page.mouse.move(1, 1); // over nothing
  await person.page.waitForTimeout(1_200); // pictures and presence come
  await person.page.screenshot({ path: `${FOLDER}${name}.png` });
}

await mkdir(FOLDER, { recursive: true });
const system = await System.start();
const browser = await launch();
try {
  const { trip } = await populate(system);
  const others = [];
  for (const handle of ['bob', 'eve', 'tomas']) others.push(await look(browser, system, handle));
  const [bob, eve] = others;
  await eve.page.goto(`${eve.http}/#/c/${trip}`);

  const laptop = await look(browser, system, 'alice', { viewport: DESKTOP, colorScheme: 'light' });
  await laptop.page.goto(`${laptop.http}/#/c/${trip}`);
  await laptop.sees('I can bring the big tent, it fits four');
  await eve.composer().pressSequentially('They have a ta', { delay: 30 });
  await laptop.page.getByText('Eve Lindqvist is typing').waitFor();
  await shoot(laptop, 'desktop-light');
  await laptop.close();

  const night = await look(browser, system, 'alice', { viewport: DESKTOP, colorScheme: 'dark' });
  await night.page.goto(`${night.http}/#/c/${trip}/info`);
  await night.page.getByText('@priya').waitFor();
  await eve.composer().fill('');
  await bob.page.goto(`${bob.http}/#/c/${trip}`);
  await shoot(night, 'desktop-dark');
  await night.close();

  const phone = { viewport: PHONE, deviceScaleFactor: 1.5, hasTouch: true, isMobile: true };
  const list = await look(browser, system, 'alice', { ...phone, colorScheme: 'light' });
  await shoot(list, 'phone-light');
  await list.close();
  const chat = await look(browser, system, 'alice', { ...phone, colorScheme: 'dark' });
  await chat.page.goto(`${chat.http}/#/c/${trip}`);
  await chat.sees('I can bring the big tent, it fits four');
  await shoot(chat, 'phone-dark');
  await chat.close();
  for (const other of others) await other.close();
} finally {
  await browser.close();
  await system.stop();
}
