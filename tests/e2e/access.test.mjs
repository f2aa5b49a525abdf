// SPDX-License-Identifier: MIT
// For everybody: axe-core looks at each view in light and dark, on phone and desktop; and one
// person does everything with the keyboard alone.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';

import { closeAll, DESKTOP, launch, Person, PHONE, until } from './support/browser.mjs';
import { populate } from './support/people.mjs';
import { System } from './support/system.mjs';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let system, browser, trip;

before(async () => {
  system = await System.start();
  browser = await launch();
  ({ trip } = await populate(system));
});

after(() => closeAll(browser, system));

/** What axe-core finds that is serious. Its script comes by the debugger, which no policy binds. */
async function violations(page) {
  const results = await page.evaluate(`${AXE}; axe.run(document, {
    resultTypes: ['violations'],
  })`);
  return results.violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) =>
      `${html.slice(0, 200)} ${failureSummary}`).slice(0, 5).join('\n  ')}`);
}

const VIEWS = [
  ['the list', '#/', (page) => page.locator('a.row[data-conversation]').first()],
  ['a conversation', () => `#/c/${trip}`, (page) => page.getByText('the big tent').last()],
  ['its details', () => `#/c/${trip}/info`, (page) => page.getByText('@priya')],
  ['a new conversation', '#/new', (page) => page.getByText('New channel')],
  ['a new group', '#/group', (page) => page.getByRole('button', { name: 'Create group' })],
  ['a new channel', '#/channel', (page) => page.getByRole('button', { name: 'Create channel' })],
  ['settings', '#/settings', (page) => page.getByText('This device')],
];

for (const [width, viewport] of [['desktop', DESKTOP], ['phone', PHONE]]) {
  for (const colorScheme of ['light', 'dark']) {
    test(`axe-core finds nothing serious: ${width}, ${colorScheme}`, async () => {
      const alice = await Person.open(browser, system, 'alice', { viewport, colorScheme });
      await alice.page.goto(alice.http);
      await alice.page.getByRole('button', { name: 'I am new here' }).click();
      assert.deepEqual(await violations(alice.page), [], 'signing up');
      await alice.logIn();
      for (const [name, hash, sign] of VIEWS) {
        const address = typeof hash === 'string' ? hash : hash();
        await alice.page.goto(`${alice.http}/${address}`);
        await sign(alice.page).waitFor();
        assert.deepEqual(await violations(alice.page), [], name);
      }
      alice.assertQuiet();
      await alice.close();
    });
  }
}

test('with the keyboard alone', async () => {
  const alice = await Person.open(browser, system, 'alice');
  const { page } = alice;
  const { keyboard } = page;
  const focused = () => page.evaluate(() => {
    const element = document.activeElement;
    return element?.getAttribute('aria-label') ?? element?.textContent ?? '';
  });
  const tabTo = async (what) => {
    for (let i = 0; i < 60; i++) {
      if (what.test(await focused())) return;
      await keyboard.press('Tab');
    }
    assert.fail(`Tab does not lead to ${what}`);
  };

  await page.goto(alice.http);
  await page.getByLabel('Handle').waitFor();
  for (let i = 0; i < 3; i++) await keyboard.press('Tab'); // two tabs, then the field
  await keyboard.type('alice');
  await keyboard.press('Tab');
  await keyboard.type('correct horse battery');
  await keyboard.press('Enter');
  await alice.isIn();

  // Search, go down to a person's row, open it.
  await tabTo(/^Search people and messages$/);
  await keyboard.type('eve');
  await page.getByRole('region', { name: 'Conversations' }).getByText('Eve Lindqvist').waitFor();
  await keyboard.press('ArrowDown');
  await keyboard.press('Enter');
  await alice.composer().waitFor();
  await page.getByRole('heading', { name: 'Eve Lindqvist' }).waitFor();

  // The skip link leads to the editor.
  await page.evaluate(() => document.activeElement?.blur());
  await page.locator('.skip').focus();
  await keyboard.press('Enter');
  assert.match(await focused(), /^Message to Eve Lindqvist$/);
  await keyboard.type('first line');
  await keyboard.press('Shift+Enter');
  await keyboard.type('second line');
  await keyboard.press('Enter');
  await page.locator('.message:is([data-mark="sent"], [data-mark="delivered"])', {
    hasText: 'second line',
  }).waitFor();

  // Up in an empty editor edits the last message; Escape ends that.
  await keyboard.press('ArrowUp');
  await page.getByText('Editing').waitFor();
  assert.equal(await alice.composer().inputValue(), 'first line\nsecond line');
  await keyboard.press('Escape');
  assert.equal(await alice.composer().inputValue(), '');

  // From message to message with the arrows; R replies.
  await page.locator('.message[tabindex="0"]').focus();
  await keyboard.press('ArrowUp');
  await keyboard.press('ArrowUp');
  assert.match(await focused(), /^Eve Lindqvist: Dinner at seven\?/);
  await keyboard.press('r');
  await page.getByText('Replying to Eve Lindqvist').waitFor();
  await keyboard.type('with dessert');
  await keyboard.press('Enter');
  await page.locator('.message:is([data-mark="sent"], [data-mark="delivered"])', {
    hasText: 'with dessert',
  }).waitFor();

  // A reaction: into the message, to its tools, through the picker.
  await page.locator('.message[tabindex="0"]').focus();
  await keyboard.press('Home');
  await keyboard.press('Enter');
  await tabTo(/^React$/);
  await keyboard.press('Enter');
  await until(async () => await focused() === 'thumbs up', 'the picker has the focus');
  await keyboard.press('Escape'); // closes the picker and nothing else
  await until(async () => await focused() === 'React', 'the focus is back');
  await keyboard.press('Enter');
  await until(async () => await focused() === 'thumbs up', 'the picker has the focus again');
  await keyboard.press('ArrowRight');
  await keyboard.press('Enter');
  await page.getByRole('button', { name: /^❤️, 1: Alice Baumann$/ }).waitFor();

  // Escape leads back to the list, where the arrows move.
  await page.locator('.message[tabindex="0"]').focus();
  await keyboard.press('Escape');
  await page.getByRole('heading', { name: 'Pick a conversation' }).waitFor();
  alice.assertQuiet();
  await alice.close();
});

test('focus can be seen, and motion be switched off', async () => {
  const alice = await Person.open(browser, system, 'alice');
  await alice.page.goto(alice.http);
  await alice.page.getByLabel('Handle').waitFor();
  await alice.page.keyboard.press('Tab');
  const outline = await alice.page.evaluate(
    () => getComputedStyle(document.activeElement).outlineStyle);
  assert.notEqual(outline, 'none');
  const longest = await alice.page.evaluate(() => Math.max(...document.getAnimations().map(
    (animation) => animation.effect.getComputedTiming().duration), 0));
  assert.ok(longest < 1, `an animation of ${longest} ms`);
  await alice.close();
});
