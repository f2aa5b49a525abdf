// SPDX-License-Identifier: MIT
// Some people with something to say, for tests and screenshots that want a lived-in place.

export const FRIENDS = [
  ['bob', 'Bob Okafor'], ['eve', 'Eve Lindqvist'], ['priya', 'Priya Raman'],
  ['marek', 'Marek Novák'], ['tomas', 'Tomás Ruiz'],
];

const TRIP = [
  ['bob', 'Morning! Who is in for Saturday?'],
  ['eve', 'Me! The forecast says sun until four ☀️'],
  ['alice', 'Count me in. I will take the train to Westkirch and ride from there, the hill ' +
    'before it is not my friend.'],
  ['priya', 'Same train as Alice then 🚲'],
  ['bob', 'Great, that makes four'],
  ['bob', 'The route: https://maps.example.org/lake-loop (42 km, mostly flat)'],
  ['alice', 'Looks lovely. Where do we stop for lunch?'],
  ['eve', 'There is a small place by the water, they do the best apple cake in the world'],
  ['alice', 'Sold.'],
  ['bob', '🎉🎉'],
  ['priya', 'Should we book? It was full last time, we waited for almost an hour and then it ' +
    'began to rain'],
  ['eve', 'I can call them this afternoon'],
];

/** Alice with friends, a group, a channel and some direct conversations. */
export async function populate(system) {
  const people = { alice: await system.account('alice', 'Alice Baumann') };
  for (const [handle, name] of FRIENDS) people[handle] = await system.account(handle, name);
  const { alice, bob, eve, priya, marek, tomas } = people;

  const direct = async (who, texts) => {
    for (const [from, text] of texts) {
      await system.say(people[from], from === 'alice' ? `@${who}` : '@alice', text);
    }
  };
  await system.say(alice, '@alice', 'Passport renewal, dentist on the 9th, birthday of Jo');
  await direct('tomas', [['tomas', 'Did you get the keys?'], ['alice', 'Yes, thank you!']]);
  await direct('marek', [['marek', 'The build is green again'], ['alice', '👍']]);

  const choir = await system.command(tomas, 'createGroup', {
    title: 'Choir', members: ['alice', 'eve', 'marek'],
  });
  await system.say(tomas, choir.conversation, 'No rehearsal this week, the hall is closed');
  await system.say(eve, choir.conversation, 'So sad! Shall we meet at mine?');
  await system.say(tomas, choir.conversation, 'Yes! Thursday, the usual time');
  const news = await system.command(marek, 'createChannel', {
    title: 'Release notes', name: 'releases', public: true,
  });
  await system.command(alice, 'join', { name: 'releases' });
  await system.say(marek, news.conversation, '0.2 is out: search, profiles and channels');
  await direct('priya', [
    ['alice', 'I went through the figures, page three looks odd'],
    ['priya', 'You are right, fixed. They look good to me now. Shall I send them?'],
  ]);
  await direct('eve', [['eve', 'Dinner at seven?'], ['alice', 'See you at seven then!']]);

  for (const who of ['eve', 'marek', 'tomas']) {
    await system.post(`/v1/conversations/@${who}/cursor`, { read: 100 }, alice.token);
  }

  const trip = await system.command(bob, 'createGroup', {
    title: 'Bike trip to the lake', members: ['alice', 'eve', 'priya'],
  });
  const id = trip.conversation;
  const seqs = {};
  for (const [from, text] of TRIP) {
    seqs[text] = (await system.say(people[from], id, text)).seq;
  }
  const react = (who, text, emoji) => system.say(who, id, undefined, {
    kind: 'reaction', target: seqs[text], emoji,
  });
  const cake = TRIP[7][1];
  await react(alice, cake, '😍');
  await react(bob, cake, '😍');
  await react(priya, cake, '🍰');
  await react(eve, TRIP[5][1], '👍');
  const thanks = await system.say(alice, id, 'That would be perfect, thank you!', {
    reply_to: seqs[TRIP[11][1]],
  });
  for (const who of [bob, eve, priya]) {
    await system.post(`/v1/conversations/${id}/cursor`, { read: thanks.seq }, who.token);
  }
  await system.post(`/v1/conversations/${id}/cursor`, { read: thanks.seq }, alice.token);
  await system.say(bob, id, 'I can bring the big tent, it fits four');
  return { people, trip: id };
}
