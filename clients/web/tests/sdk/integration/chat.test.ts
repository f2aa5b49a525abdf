// SPDX-License-Identifier: MIT
// The library against a running Banter: what two and more people do with it.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { limits, type Client, type MessageItem, type Timeline } from '../../../src/sdk/index.ts';
import { RealBanter, synced, until, type Person } from '../support/real.ts';
import { messages, texts, upTo } from '../support/world.ts';

let banter: RealBanter;
before(async () => {
  banter = await RealBanter.start();
});
after(() => banter.stop());

const shown = (timeline: Timeline): (string | null)[] => texts(timeline.view.get().items);

function message(timeline: Timeline, seq: number): MessageItem | undefined {
  return messages(timeline.view.get().items).find((item) => item.seq === seq);
}

async function listed(client: Client, id: string): Promise<void> {
  await until(() => client.conversation(id).get() !== undefined, 'the conversation is known');
}

async function pair(): Promise<{ alice: Person; bob: Person; id: string }> {
  const [alice, bob] = [await banter.signUp('alice'), await banter.signUp('bob')];
  return { alice, bob, id: await alice.client.commands.createDirect(bob.user) };
}

describe('two people', () => {
  test('find each other and talk', async () => {
    const [alice, bob] = [await banter.signUp('alice'), await banter.signUp('bob')];
    const found = await alice.client.people.search(bob.user);
    assert.deepEqual(found.users, [{ user: bob.user, name: 'bob', avatar: null }]);
    await alice.client.send(`@${bob.user}`, 'hello bob');
    await until(() => bob.client.conversations.get()[0]?.unread === 1, 'bob has it');
    const id = bob.client.conversations.get()[0]?.id ?? '';
    assert.equal(bob.client.directWith(alice.user)?.id, id);
    const timeline = bob.client.open(id);
    await until(() => shown(timeline).length === 1, 'bob sees it');
    await timeline.send('hello alice', { replyTo: 1 });
    await until(() => alice.heard.length === 2, 'alice has both');
    assert.deepEqual(alice.heard.map(({ seq, text }) => [seq, text]),
      [[1, 'hello bob'], [2, 'hello alice']]);
    assert.equal(alice.heard[1]?.reply_to, 1);
    assert.deepEqual(alice.client.outbox.get(), []);
  });

  test('see each other’s presence, typing and reading', async () => {
    const { alice, bob, id } = await pair();
    await listed(bob.client, id);
    const [mine, theirs] = [alice.client.open(id), bob.client.open(id)];
    await mine.send('are you there?');
    await until(() => shown(theirs).length === 1, 'bob sees it');
    await until(() => mine.cursors.get().get(bob.user)?.received === 1, 'received');
    theirs.markRead();
    await until(() => mine.cursors.get().get(bob.user)?.read === 1, 'read');
    theirs.typingNow();
    await until(() => mine.typing.get()[0] === bob.user, 'bob types');
    theirs.typingEnded();
    await until(() => mine.typing.get().length === 0, 'bob types no more');
    const presence = alice.client.people.presence(bob.user);
    const end = presence.subscribe(() => undefined);
    await until(() => presence.get().state === 'online', 'bob is online');
    bob.client.people.setPresence('away');
    await until(() => presence.get().state === 'away', 'bob is away');
    end();
  });

  test('edit, react, delete: both see the same, and so does who comes later', async () => {
    const { alice, bob, id } = await pair();
    const mine = alice.client.open(id);
    for (const text of ['one', 'two', 'three']) await mine.send(text);
    await until(() => message(mine, 3)?.state === 'stored', 'stored');
    await mine.edit(1, 'one, edited');
    await mine.remove(2);
    await listed(bob.client, id);
    const theirs = bob.client.open(id);
    await until(() => shown(theirs).length === 3, 'bob sees them');
    await theirs.react(3, '👍');
    await theirs.react(3, '🎉');
    await theirs.react(3, '🎉', false);
    await until(() => alice.heard.length === 8, 'alice has everything');
    await until(() => bob.heard.length === 8, 'bob has everything');
    const later = await banter.logIn(alice.user);
    const read = later.client.open(id);
    await until(() => shown(read).length === 3, 'the other device sees them');
    for (const timeline of [mine, theirs, read]) {
      assert.deepEqual(shown(timeline), ['one, edited', null, 'three']);
      assert.deepEqual(message(timeline, 3)?.reactions.map(({ emoji, users }) => [emoji, users]),
        [['👍', [bob.user]]]);
    }
    // What the server folds and what is folded here are the same.
    const folded = messages(await alice.client.around(id, 2));
    const wanted = [1, 2, 3].map((seq) => message(mine, seq));
    assert.deepEqual(folded, wanted);
    assert.deepEqual(await bob.client.message(id, 1), message(theirs, 1));
    assert.equal(await bob.client.message(id, 99), undefined);
  });

  test('100,000 characters, and what looks like HTML, come as they went', async () => {
    const { alice, bob, id } = await pair();
    const long = '漢字👍'.repeat(25_000).slice(0, 100_000);
    const nasty = '<img src=x onerror=alert(1)>"\'&amp;\u202e\u2028</script>';
    await alice.client.send(id, long);
    await alice.client.send(id, nasty);
    await until(() => bob.heard.length === 2, 'bob has both');
    assert.deepEqual(bob.heard.map(({ text }) => text), [long, nasty]);
  });

  test('messages are found by their words', async () => {
    const { alice, bob, id } = await pair();
    const word = `needle${Date.now()}`;
    await alice.client.send(id, `a ${word} in the hay`);
    await until(async () => {
      const page = await bob.client.searchMessages({ query: word });
      return page.hits[0]?.seq === 1 && page.hits[0].conversation === id;
    }, 'found');
  });
});

describe('groups and channels', () => {
  test('a group: members, titles, roles, leaving', async () => {
    const [alice, bob, eve] = await Promise.all(
      ['alice', 'bob', 'eve'].map((name) => banter.signUp(name)));
    assert.ok(alice && bob && eve);
    const id = await alice.client.commands.createGroup('Team', [bob.user]);
    assert.equal(alice.client.conversation(id).get()?.role, 'owner');
    await listed(bob.client, id);
    assert.deepEqual(await alice.client.commands.addMembers(id, [eve.user]), [eve.user]);
    await listed(eve.client, id);
    await alice.client.commands.modifyConversation(id, { title: 'Crew' });
    await until(() => eve.client.conversation(id).get()?.title === 'Crew', 'the title');
    await alice.client.commands.setRole(id, bob.user, 'admin');
    await until(() => bob.client.conversation(id).get()?.role === 'admin', 'the role');
    const { members } = await eve.client.commands.listMembers(id);
    assert.deepEqual(members.map(({ user }) => user).sort(),
      [alice.user, bob.user, eve.user].sort());
    await bob.client.commands.removeMember(id, eve.user);
    await until(() => eve.client.conversation(id).get() === undefined, 'eve is out');
    await bob.client.commands.leave(id);
    assert.equal(bob.client.conversation(id).get(), undefined);
    await assert.rejects(bob.client.commands.leave(id), { code: 'not_found' });
  });

  test('a channel: joined by its name and by an invite, readers do not post', async () => {
    const [owner, reader, guest] = await Promise.all(
      ['owner', 'reader', 'guest'].map((name) => banter.signUp(name)));
    assert.ok(owner && reader && guest);
    const name = `news-${Date.now()}`;
    const { commands } = owner.client;
    const id = await commands.createChannel({ title: 'News', name, public: true });
    await owner.client.send(id, 'first');
    assert.equal(await reader.client.commands.join({ name }), id);
    const timeline = reader.client.open(id);
    await until(() => shown(timeline)[0] === 'first', 'the reader sees it');
    await timeline.send('may I?');
    await until(() => reader.client.outbox.get()[0]?.state === 'failed', 'refused');
    assert.equal(reader.client.outbox.get()[0]?.error?.code, 'forbidden');
    const { invite } = await commands.createInvite(id, { uses: 1, expiresIn: 3600 });
    assert.equal((await guest.client.lookAtInvite(invite)).title, 'News');
    const { invites } = await commands.listInvites(id);
    assert.deepEqual(invites.map(({ uses_left: left }) => left), [1]);
    assert.equal(await guest.client.commands.join({ invite }), id);
    const other = await commands.createInvite(id);
    await commands.revokeInvite({ id: other.id });
    await assert.rejects(guest.client.lookAtInvite(other.invite), { code: 'not_found' });
    assert.equal(guest.client.conversation(id).get()?.kind, 'channel');
  });

  test('a thousand messages: read back from the end to the beginning', async () => {
    const [alice, bob] = [await banter.signUp('alice'), await banter.signUp('bob')];
    const id = await alice.client.commands.createGroup('Long', []);
    const count = 1000;
    for (let i = 0; i < count; i += 100) {
      await Promise.all(upTo(i + 99, i).map((n) => alice.client.send(id, `m${n}`)));
      await until(() => alice.client.outbox.get().length === 0, 'stored');
    }
    await alice.client.commands.addMembers(id, [bob.user]);
    await listed(bob.client, id);
    const timeline = bob.client.open(id);
    await until(() => timeline.view.get().loaded, 'loaded');
    while (!timeline.view.get().complete) await timeline.loadOlder();
    await until(() => shown(timeline).length === count, 'everything is here');
    assert.deepEqual(shown(timeline), upTo(count - 1, 0).map((n) => `m${n}`));
  });
});

describe('one user', () => {
  test('two tabs and another device', async () => {
    const { alice, bob, id } = await pair();
    const tab = await banter.open(alice.browser);
    await synced(tab);
    const [first, second] = [alice.client.session.get(), tab.session.get()];
    assert.ok(first.state === 'signedIn' && second.state === 'signedIn');
    assert.notEqual(first.device, second.device);
    assert.equal(first.login, second.login);
    const views = [alice.client.open(id), tab.open(id)];
    await views[0]?.send('from the first');
    await views[1]?.send('from the second');
    await until(() => views.every((view) => shown(view).length === 2), 'both see both');
    await until(() => bob.heard.length === 2, 'bob has both, once');
    await bob.client.send(id, 'an answer');
    await until(() => tab.conversation(id).get()?.unread === 1, 'unread in the tab');
    await until(() => shown(views[0] as Timeline).length === 3, 'the answer is shown');
    views[0]?.markRead();
    await until(() => tab.conversation(id).get()?.unread === 0, 'read in the tab as well');
  });

  test('profile, picture, devices, mute and block', async () => {
    const { alice, bob, id } = await pair();
    const tablet = await banter.logIn(alice.user);
    const end = tablet.client.people.self.subscribe(() => undefined);
    await alice.client.people.modifyProfile({ name: 'Alice A.', email: 'alice@example.org' });
    await until(() => tablet.client.people.self.get()?.name === 'Alice A.', 'the tablet knows');
    end();
    assert.equal((await bob.client.people.profile(alice.user)).name, 'Alice A.');
    assert.equal(await bob.client.people.avatar(alice.user), undefined);
    const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8Dw' +
      'HwAFBQIAX8jx0gAAAABJRU5ErkJggg==', 'base64');
    const picture = await alice.client.people.setAvatar(new Uint8Array(png));
    assert.equal((await alice.client.people.profile()).avatar, picture);
    assert.equal((await bob.client.people.avatar(alice.user))?.type, 'image/png');
    await alice.client.commands.mute(id, '2999-01-01T00:00:00.000Z');
    assert.equal(alice.client.conversation(id).get()?.mutedUntil, '2999-01-01T00:00:00.000Z');
    await alice.client.commands.mute(id, null);
    assert.equal(alice.client.conversation(id).get()?.mutedUntil, null);
    await alice.client.commands.block(bob.user);
    await until(() => bob.client.conversation(id).get()?.role === 'reader', 'blocked');
    assert.equal((await alice.client.commands.listBlocks()).blocks[0]?.user, bob.user);
    await alice.client.commands.unblock(bob.user);
    await until(() => bob.client.conversation(id).get()?.role === 'member', 'unblocked');
  });

  test('a device that is revoked is signed out, the other one is not', async () => {
    const alice = await banter.signUp('alice');
    const phone = await banter.logIn(alice.user, { device: 'phone', mqtt: banter.tcp });
    const devices = await alice.client.commands.listDevices();
    const session = alice.client.session.get();
    assert.ok(session.state === 'signedIn');
    assert.ok(devices.some(({ login }) => login === session.login));
    assert.equal(devices.filter(({ device }) => device === 'phone').length, 1);
    assert.equal(await alice.client.commands.revokeDevice('phone'), 1);
    await until(() => phone.client.session.get().state === 'signedOut', 'the phone is out');
    await synced(alice.client);
  });

  test('a wrong password, a handle that is taken', async () => {
    const { user } = await banter.signUp('alice');
    const client = await banter.open(banter.browser());
    const wrong = { handle: user, password: 'not the one' };
    await assert.rejects(client.logIn(wrong), { code: 'unauthorized' });
    await assert.rejects(client.signUp(wrong), { code: 'conflict' });
    assert.equal(client.session.get().state, 'signedOut');
  });

  test('logging out ends it on the server, too', async () => {
    const alice = await banter.signUp('alice');
    const other = await banter.logIn(alice.user);
    await alice.client.logOut();
    assert.equal(alice.client.session.get().state, 'signedOut');
    await until(async () => (await other.client.commands.listDevices()).length === 1, 'one left');
  });
});

describe('limits', () => {
  test('signals stay below what the server takes', async () => {
    const alice = await banter.signUp('alice');
    const ids = await Promise.all(
      upTo(40).map((n) => alice.client.commands.createGroup(`g${n}`, [])));
    const timelines = ids.map((id) => alice.client.open(id));
    for (const timeline of timelines) await timeline.send('note');
    await until(() => alice.client.outbox.get().length === 0, 'stored');
    for (const timeline of timelines) timeline.markRead();
    await until(async () => {
      const other = await alice.client.commands.listMembers(ids.at(-1) ?? '');
      return other.members[0]?.read === 2;
    }, 'the last cursor is there', 3 * 1000 * (ids.length / limits.SIGNALS_PER_SECOND) + 10_000);
  });
});
