// SPDX-License-Identifier: MIT
// Two people, two browsers: they sign up, find each other, talk, and see what the other does. Then
// there are three of them.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { closeAll, launch, Person, until } from './support/browser.mjs';
import { System } from './support/system.mjs';

let system, browser, alice, bob;

before(async () => {
  system = await System.start();
  browser = await launch();
  alice = await Person.open(browser, system, 'alice');
  bob = await Person.open(browser, system, 'bob');
});

after(() => closeAll(alice, bob, browser, system));

test('they sign up and find each other', async () => {
  await Promise.all([alice.signUp('Alice'), bob.signUp('Bob')]);
  await alice.talkTo('bob');
  await alice.say('hello Bob');
  await alice.marked('hello Bob', 'delivered');
  await bob.row('Alice').getByText('hello Bob').waitFor();
  await bob.row('Alice').locator('.badge', { hasText: '1' }).waitFor();
});

test('they chat both ways, and see what has been read', async () => {
  await bob.openChat('Alice');
  await bob.sees('hello Bob');
  await alice.marked('hello Bob', 'read');
  await until(async () => await bob.row('Alice').locator('.badge').count() === 0, 'nothing unread');
  await bob.say('hello Alice');
  await alice.sees('hello Alice');
  await bob.marked('hello Alice', 'read');
});

test('presence', async () => {
  await alice.page.locator('.chat-subtitle', { hasText: 'online' }).waitFor();
  const other = await Person.open(browser, system, 'carol');
  await other.signUp('Carol');
  await other.talkTo('alice');
  await other.say('hi');
  await alice.row('Carol').getByRole('img', { name: 'online' }).waitFor();
  await other.close();
  await alice.openChat('Carol');
  await alice.page.locator('.chat-subtitle', { hasText: 'last seen just now' }).waitFor();
  await alice.openChat('Bob');
});

test('typing', async () => {
  await bob.composer().pressSequentially('what shall', { delay: 20 });
  await alice.page.getByText('Bob is typing').waitFor();
  await bob.composer().fill('');
  const typing = alice.page.getByText('Bob is typing');
  await until(async () => await typing.count() === 0, 'the end of it');
});

async function tool(person, text, name) {
  const message = person.message(text).first();
  await message.hover();
  await message.getByRole('button', { name, exact: true }).click();
}

test('replies, edits, reactions, deletions', async () => {
  await tool(alice, 'hello Alice', 'Reply');
  await alice.page.getByText('Replying to Bob').waitFor();
  await alice.say('nice to see you');
  await bob.message('nice to see you').locator('.quote', { hasText: 'hello Alice' }).waitFor();

  await bob.composer().press('ArrowUp'); // one's last message
  assert.equal(await bob.composer().inputValue(), 'hello Alice');
  await bob.say('hello dear Alice');
  await alice.message('hello dear Alice').getByText('edited').waitFor();

  await tool(alice, 'hello dear Alice', 'React');
  await alice.page.getByRole('button', { name: 'party' }).click();
  const reaction = bob.message('hello dear Alice').getByRole('button', { name: /^🎉, 1: Alice/ });
  await reaction.click();
  await alice.message('hello dear Alice').getByRole('button', { name: /^🎉, 2:/ }).waitFor();

  await tool(alice, 'hello Bob', 'More');
  await alice.page.getByRole('menuitem', { name: 'Delete' }).click();
  await alice.page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await bob.sees('Message deleted');
  assert.ok(!(await bob.texts()).includes('hello Bob'));
});

test('a group, an invite, roles, leaving', async () => {
  const { page } = alice;
  await page.getByRole('link', { name: 'New conversation' }).click();
  await page.getByRole('link', { name: /New group/ }).click();
  await page.getByLabel('Title').fill('Lake');
  await page.getByLabel('Add people').fill('bob');
  await page.getByRole('list', { name: 'Found' }).getByText('@bob').click();
  await page.getByRole('button', { name: 'Create group' }).click();
  await alice.say('who is in?');
  await bob.openChat('Lake');
  await bob.sees('who is in?');
  await bob.say('me');
  await alice.sees('me');

  await page.getByRole('link', { name: 'Show the details' }).click();
  await page.getByRole('button', { name: 'Make a link' }).click();
  const link = await page.getByLabel('The link', { exact: true }).inputValue();

  const carol = await Person.open(browser, system, 'carol');
  await carol.page.goto(carol.http + new URL(link).pathname);
  await carol.page.getByText('You are invited to Lake').waitFor();
  await carol.page.getByLabel('Handle').fill('carol');
  await carol.page.getByLabel('Password').fill('correct horse battery');
  await carol.page.getByRole('button', { name: 'Log in', exact: true }).click();
  await carol.page.getByRole('button', { name: 'Join' }).click();
  await carol.sees('who is in?');
  await alice.page.getByRole('main').getByText('Carol joined by an invite').waitFor();

  const details = page.getByRole('complementary', { name: 'Details' });
  await details.getByRole('button', { name: 'What to do with Carol' }).click();
  await page.getByRole('menuitem', { name: 'Make an admin' }).click();
  await carol.page.getByRole('main').getByText('Alice made you an admin').waitFor();

  await details.getByLabel('Title').fill('Lake trip');
  await details.getByRole('button', { name: 'Rename' }).click();
  await bob.row('Lake trip').waitFor();

  const kept = details.getByRole('group', { name: 'How long messages are kept' });
  await kept.getByText('Always').waitFor();
  await kept.getByText('A week').click();
  await page.getByRole('dialog').getByRole('button', { name: 'Erase' }).click();
  await bob.page.getByRole('main').getByText('Alice has messages erased after 7 days').waitFor();
  await carol.page.getByRole('link', { name: 'Show the details' }).click();
  const hers = carol.page.getByRole('group', { name: 'How long messages are kept' });
  await hers.getByRole('radio', { name: 'A week', checked: true }).waitFor({ state: 'attached' });
  await hers.getByText('Always').click();
  await kept.getByRole('radio', { name: 'Always', checked: true }).waitFor({ state: 'attached' });
  await bob.page.getByRole('link', { name: 'Show the details' }).click();
  await bob.page.getByRole('button', { name: 'Leave the group' }).waitFor();
  assert.equal(await bob.page.getByText('How long messages are kept').count(), 0);
  await bob.page.getByRole('link', { name: 'Back to the conversation' }).click();

  await carol.page.getByRole('button', { name: 'Leave the group' }).click();
  await carol.page.getByRole('dialog').getByRole('button', { name: 'Leave' }).click();
  await until(async () => await carol.row('Lake trip').count() === 0, 'the group is gone');
  await alice.page.getByRole('main').getByText('Carol left').waitFor();
  carol.assertQuiet();
  await carol.close();
});

test('search leads to a message that is not loaded', async () => {
  const dora = await system.account('dora', 'Dora');
  const { conversation } = await system.command(dora, 'createDirect', { user: 'bob' });
  await system.say(dora, conversation, 'the needle');
  for (let i = 0; i < 300; i++) await system.say(dora, conversation, `hay ${i}`);
  await bob.row('Dora').getByText('hay 299').waitFor();
  await until(async () => {
    await bob.find('needle');
    await bob.page.waitForTimeout(400);
    const found = bob.page.getByRole('region', { name: 'Messages' }).getByText('the needle');
    if (await found.count() > 0) return true;
    await bob.find('');
    return false;
  }, 'the search finds it');
  await bob.page.getByRole('region', { name: 'Messages' }).getByText('the needle').click();
  await bob.sees('the needle');
  await bob.page.getByRole('link', { name: 'Back to the newest' }).click();
  await bob.sees('hay 299');
});

test('history goes back without end, and stays where the reader is', async () => {
  const list = bob.page.locator('.messages');
  for (let i = 0; i < 60 && !(await bob.message('the needle').count()); i++) {
    await list.hover();
    await bob.page.mouse.wheel(0, -1500);
    await bob.page.waitForTimeout(60);
    const shown = await bob.page.locator('.message').count();
    assert.ok(shown < 120, `${shown} rows are in the page`);
  }
  await bob.sees('the needle');
  const needle = bob.message('the needle').first();
  const rest = async () => {
    const place = await needle.boundingBox();
    await bob.page.waitForTimeout(300);
    return JSON.stringify(place) === JSON.stringify(await needle.boundingBox());
  };
  await until(rest, 'the wheel comes to rest');
  const place = await needle.boundingBox();
  await system.say(await system.logIn('dora'), '@bob', 'one more');
  await bob.page.getByRole('button', { name: /new messages: go to the end/ }).waitFor();
  assert.deepEqual(await needle.boundingBox(), place);
  await bob.page.getByRole('button', { name: /go to the end/ }).click();
  await bob.sees('one more');
});

test('settings: the name, how it looks, devices', async () => {
  const { page } = alice;
  await page.getByRole('link', { name: 'Back to the conversation' }).click();
  await page.keyboard.press('Escape');
  await page.getByRole('link', { name: 'Settings' }).click();
  await page.getByLabel('Name', { exact: true }).fill('Alice B.');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved.').waitFor();
  await page.getByText('Dark', { exact: true }).click();
  assert.equal(await page.locator('html').getAttribute('data-theme'), 'dark');
  await page.getByText('System', { exact: true }).click();
  await page.getByText('This device').waitFor();

  const phone = await Person.open(browser, system, 'alice');
  await phone.logIn();
  await page.reload();
  await page.getByRole('button', { name: /^End the login of/ }).first().click();
  await page.getByRole('dialog').getByRole('button', { name: 'End it' }).click();
  await phone.page.getByRole('button', { name: 'Log in', exact: true }).waitFor();
  await phone.close();
});

test('two tabs of one browser', async () => {
  const first = bob.page;
  await bob.find('');
  const second = await bob.newPage();
  await second.goto(bob.http);
  await bob.isIn();
  await bob.openChat('Alice');
  await bob.say('from the second tab');
  bob.page = first;
  await bob.openChat('Alice');
  await bob.sees('from the second tab');
  await second.close();
});

test('logging out leaves nothing behind', async () => {
  const { page } = bob;
  await page.goto(`${bob.http}/#/settings`);
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Log out' }).click();
  await page.getByRole('button', { name: 'Log in', exact: true }).waitFor();
  await page.reload();
  await page.getByRole('button', { name: 'Log in', exact: true }).waitFor();
});

test('nothing happened that nobody asked for', () => {
  alice.assertQuiet();
  bob.assertQuiet();
});
