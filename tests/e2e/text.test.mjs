// SPDX-License-Identifier: MIT
// Text is text: the longest there may be, and what would like to be more than text.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { closeAll, launch, Person, until } from './support/browser.mjs';
import { System } from './support/system.mjs';
import { PAYLOADS } from './support/xss.mjs';

const LONGEST = 100_000;

let system, browser, alice, bob;

before(async () => {
  system = await System.start();
  browser = await launch();
  alice = await Person.open(browser, system, 'alice');
  bob = await Person.open(browser, system, 'bob');
  for (const { context } of [alice, bob]) {
    // What the payloads would do if they could. Nothing else in the page has these names.
    await context.addInitScript(() => {
      window.executed = [];
      window.pwned = (how) => window.executed.push(how ?? 'pwned');
    });
  }
  await Promise.all([alice.signUp('Alice'), bob.signUp('Bob')]);
  await alice.talkTo('bob');
  await alice.say('hello');
  await bob.openChat('Alice');
});

after(() => closeAll(alice, bob, browser, system));

test('a message of 100,000 characters', async () => {
  const line = 'The longest message has 100,000 characters; 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 counts as one each. ';
  const points = [...line.repeat(LONGEST / 60)].slice(0, LONGEST);
  const text = points.join('').replace(/ $/, '.');
  await alice.composer().fill(`${text}!`);
  await alice.page.getByText('1 character too many', { exact: false }).waitFor();
  assert.ok(await alice.page.getByRole('button', { name: 'Send' }).isDisabled());
  await alice.composer().fill(text);
  await alice.page.getByText('0 characters left').waitFor();
  await alice.composer().press('Enter');
  await bob.page.getByRole('button', { name: 'Show all 100,000 characters' }).click();
  const shown = bob.page.locator('.message .text').last();
  await until(async () => (await shown.textContent()).length === text.length, 'all of it is shown');
  assert.equal(await shown.textContent(), text);
  await alice.page.locator('.message[data-mark="read"]').last().waitFor();
  await bob.page.getByRole('button', { name: 'Show less' }).click();
});

test('a begun message survives a reload', async () => {
  await alice.composer().fill('begun');
  await alice.page.waitForTimeout(500);
  await alice.page.reload();
  assert.equal(await alice.composer().inputValue(), 'begun');
  await alice.composer().fill('');
});

test('links are made of http, https and mailto, and of nothing else', async () => {
  await alice.say('see https://example.org/a_(b)?c=d#e, http://example.org. or ' +
    'mailto:x@example.org not javascript:alert(1) data:text/html,x vbscript:x ' +
    'https://good.example@evil.example/');
  const links = bob.page.locator('.message').last().locator('a');
  await until(async () => await links.count() === 3, 'three links');
  assert.deepEqual(await links.evaluateAll((all) => all.map((a) => [
    a.getAttribute('href'), a.rel, a.target,
  ])), [
    ['https://example.org/a_(b)?c=d#e', 'noopener noreferrer nofollow', '_blank'],
    ['http://example.org/', 'noopener noreferrer nofollow', '_blank'],
    ['mailto:x@example.org', 'noopener noreferrer nofollow', '_blank'],
  ]);
});

/** Elements and attributes that no component of ours makes. */
function intruders(page) {
  return page.evaluate(() => {
    const found = [];
    const strange = 'script:not([src^="/assets/"]), iframe, object, embed, base, ' +
      'meta[http-equiv], style, math, video, audio, form[action], link[href^="http"], ' +
      'marquee, details, template';
    for (const element of document.querySelectorAll(strange)) found.push(element.outerHTML);
    for (const element of document.querySelectorAll('*')) {
      for (const { name, value } of element.attributes) {
        if (name.startsWith('on') || /^\s*(?:javascript|vbscript|data):/i.test(value)) {
          found.push(`${element.tagName} ${name}=${value}`);
        }
      }
    }
    return [...found, ...window.executed.map((how) => `executed: ${how}`)];
  });
}

async function assertHarmless(person) {
  assert.deepEqual(await intruders(person.page), []);
  person.assertQuiet();
}

test('markup in messages is shown as it was written', async () => {
  assert.ok(PAYLOADS.length >= 60);
  const account = await system.logIn('alice');
  for (const payload of PAYLOADS) await system.say(account, '@bob', payload);
  await bob.goToEnd();
  const last = PAYLOADS.at(-1);
  await until(async () => (await bob.texts()).includes(last), 'all have come');
  const shown = new Set();
  // Up and down again: older messages that come in while one scrolls may move what was in view.
  for (let i = 0; i < 120 && !PAYLOADS.every((payload) => shown.has(payload)); i++) {
    for (const text of await bob.texts()) shown.add(text);
    await assertHarmless(bob);
    await bob.page.locator('.messages').hover();
    await bob.page.mouse.wheel(0, i < 60 ? -300 : 300);
    await bob.page.waitForTimeout(80);
  }
  assert.deepEqual(PAYLOADS.filter((payload) => !shown.has(payload)), []);
});

test('markup in names, titles and reactions is shown as it was written', async () => {
  const names = PAYLOADS.filter((payload) => !/[\n\t]/.test(payload) && payload.length <= 128);
  const people = names.slice(0, 12);
  const conversations = [];
  for (const [i, name] of people.entries()) {
    const mallory = await system.account(`mallory${i}`, name);
    const { conversation } = await system.command(mallory, 'createGroup', {
      title: names[names.length - 1 - i], members: ['bob'],
    });
    const { seq } = await system.say(mallory, conversation, `from mallory${i}`);
    for (const emoji of ['<b>x</b>', '<script', '"><img ', "'onx='", 'javasc:']) {
      await system.say(mallory, conversation, undefined, {
        kind: 'reaction', target: seq, emoji: emoji.slice(0, 8),
      });
    }
    conversations.push(conversation);
  }
  for (const [i, id] of conversations.entries()) {
    const row = bob.page.locator(`a.row[data-conversation="${id}"]`);
    assert.equal(await row.locator('.row-title').textContent(), names[names.length - 1 - i]);
    await row.click();
    await bob.page.getByText(`from mallory${i}`, { exact: true }).first().waitFor();
    await bob.page.locator('.author', { hasText: people[i] }).first().waitFor();
    await assertHarmless(bob);
  }
  await bob.page.getByRole('link', { name: 'Show the details' }).click();
  await bob.page.getByText(`@mallory${people.length - 1}`).waitFor();
  await assertHarmless(bob);
  await bob.find('mallory');
  await bob.page.getByRole('region', { name: 'People' }).waitFor();
  await assertHarmless(bob);
});

test('addresses cannot do more than lead somewhere', async () => {
  for (const hash of ['#/c/<img src=x onerror=pwned(1)>', '#javascript:pwned(1)', '#/c/../../x',
    '#/join/%3Cscript%3Epwned(1)%3C/script%3E', '#/join/%',
    '#/c/00000000-0000-0000-0000-000000000000']) {
    await bob.page.goto(`${bob.http}/${hash}`);
    await bob.page.reload();
    await bob.isIn();
    await assertHarmless(bob);
  }
});

test('nothing happened that nobody asked for', async () => {
  await assertHarmless(alice);
  await assertHarmless(bob);
});
