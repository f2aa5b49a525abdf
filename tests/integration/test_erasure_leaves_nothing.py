# SPDX-License-Identifier: MIT
"""After an erasure nothing is left: a user who has used everything there is, with a mark in all of
it, is looked for everywhere, by catalog and by directory."""
import json

import pytest

from support.cluster import Redis
from support.erasure import EXPIRING, GIF, Marked, erase, files_with, rows_with, wait_erased
from support.life import event_of
from support.push import SETTINGS
from support.tokens import parts
from support.waiting import wait_until
from support.webhook import SECRET

pytestmark = pytest.mark.once


@pytest.fixture
def redis():
    made = Redis()
    yield made
    made.close()


class Life:
    """All that `alice` does, with `bob` and two more."""

    def __init__(self, system):
        self.system = system
        self.alice = Marked(system).signup()
        self.bob, self.eve, self.dan = (system.signup(name) for name in ("bob", "eve", "dan"))
        self.mark = self.alice.mark
        self.phone = system.device(self.alice, f"{self.mark}-dev")
        self.bobs = system.device(self.bob)
        self.ids = [parts(self.alice.access_token)[1]["sid"]]
        self.places = {}
        self.talk()
        self.groups()
        self.channel()
        self.oneself()
        self.waiting()

    def do(self, account, command, **arguments):
        return self.system.data_of(account, {"command": command, **arguments})

    def word(self, text=""):
        return f"{text} {self.mark}"

    def post(self, place, text="", **fields):
        """By alice, under an id with the mark."""
        self.count = getattr(self, "count", 0) + 1
        return self.phone.say(place, self.word(text), id=f"{self.mark}-{self.count}",
                              **fields)["seq"]

    def everything_in(self, place):
        first = self.post(place, "first")
        self.post(place, "edited", kind="edit", target=first)
        self.post(place, "reply", reply_to=first)
        gone = self.post(place, "to be deleted")
        self.phone.say(place, None, kind="delete", target=gone, id=f"{self.mark}-d{gone}")
        self.phone.say(place, None, kind="reaction", target=first, emoji=self.mark,
                       id=f"{self.mark}-r{first}")
        return first

    def talk(self):
        place = self.places["direct"] = self.do(self.alice, "createDirect",
                                                user=self.bob.handle)["conversation"]
        first = self.everything_in(place)
        his = self.bobs.say(place, "his own words", reply_to=first)["seq"]
        self.phone.say(place, None, kind="reaction", target=his, emoji=self.mark)
        self.bobs.say(place, None, kind="reaction", target=first, emoji="👍")
        self.phone.publish(f"send/{place}/cursor", json.dumps({"read": his}))
        self.do(self.alice, "mute", conversation=place, until="2999-01-01T00:00:00Z")

    def groups(self):
        members = [self.bob.handle, self.eve.handle]
        own = self.places["own"] = self.do(self.alice, "createGroup", title=self.word("first"),
                                           members=members)["conversation"]
        self.everything_in(own)
        self.do(self.alice, "modifyConversation", conversation=own, title="Ours")
        self.do(self.alice, "addMembers", conversation=own, members=[self.dan.handle])
        self.do(self.alice, "setRole", conversation=own, user=self.eve.handle, role="admin")
        self.do(self.alice, "removeMember", conversation=own, user=self.dan.handle)
        self.do(self.alice, "createInvite", conversation=own)
        his = self.places["his"] = self.do(self.bob, "createGroup", title="His",
                                           members=[self.alice.handle])["conversation"]
        self.do(self.bob, "setRole", conversation=his, user=self.alice.handle, role="owner")
        self.do(self.bob, "setRole", conversation=his, user=self.bob.handle, role="member")
        self.everything_in(his)
        left = self.places["left"] = self.do(self.bob, "createGroup", title="Left",
                                             members=[])["conversation"]
        self.do(self.bob, "addMembers", conversation=left, members=[self.alice.handle])
        event_of(self.phone, left, "added")
        self.everything_in(left)
        self.do(self.bob, "removeMember", conversation=left, user=self.alice.handle)
        self.do(self.bob, "addMembers", conversation=left, members=[self.alice.handle])
        self.do(self.alice, "leave", conversation=left)

    def channel(self):
        place = self.places["channel"] = self.do(
            self.alice, "createChannel", title=self.word("channel"), name=f"{self.mark}-news",
            public=True)["conversation"]
        self.do(self.bob, "join", conversation=place)
        self.everything_in(place)
        self.do(self.alice, "modifyConversation", conversation=place, title="News",
                name=f"news-{self.bob.handle[-8:]}")

    def oneself(self):
        notes = self.do(self.alice, "createDirect", user=self.alice.handle)["conversation"]
        self.everything_in(notes)
        self.do(self.alice, "block", user=self.eve.handle)
        self.do(self.dan, "block", user=self.alice.handle)
        self.do(self.bob, "registerPush", provider="webhook", url="http://127.0.0.1:9/bob",
                secret=SECRET)
        push = {"provider": "webhook", "secret": self.mark * 2}
        for url in ("http", "mqtt"):
            push["url"] = f"http://127.0.0.1:9/{self.mark}/{url}"
            made = self.phone.control({"command": "registerPush", **push})[0]["data"] \
                if url == "mqtt" else self.do(self.alice, "registerPush", **push)
            self.ids.append(made["registration"])
        avatar = self.system.request("PUT", "/v1/me/avatar", GIF, self.alice).ok()["avatar"]
        self.ids.append(avatar)
        self.bobs.subscribe(f"presence/{self.alice.handle}")
        self.phone.publish("send/me/presence", json.dumps({"state": "hidden"}))
        self.phone.publish(f"send/{self.places['direct']}/typing", json.dumps({"state": "start"}))

    def waiting(self):
        """What only failures bring about: a push that was given up, drafts set aside."""
        self.system.psql(f"""
            INSERT INTO banter.push_dead (registration, conversation, provider, bulk, from_seq, seq,
                                          attempts, reason, created_at)
            SELECT id, '{self.places["direct"]}', 3, false, 1, 1, 4, address, now()
              FROM banter.push_registrations WHERE address LIKE '%{self.mark}%';
            INSERT INTO banter.quarantine (sender, target, sqlstate, payload)
            SELECT id, '@bob', '22000', convert_to('{self.mark}', 'UTF8') FROM banter.users
             WHERE handle = '{self.alice.handle}';
            INSERT INTO banter.quarantine (sender, target, sqlstate, payload)
            SELECT id, '@{self.alice.handle}', '22000', 'his' FROM banter.users
             WHERE handle = '{self.bob.handle}'""")

    def everything_bob_gets(self):
        """A device that holds nothing yet: all it hears, syncs and reads of everything."""
        device = self.system.device(self.bob, "fresh")
        said = [device.sync(limit=1000)]
        for place in self.places.values():
            for query in ({}, {"view": "folded"}):
                said.append(self.system.history(self.bob, place, limit=1000, **query))
            for command in ("getConversation", "listMembers"):
                said.append(self.do(self.bob, command, conversation=place))
        for command in ("listConversations", "listBlocks"):
            said.append(self.do(self.bob, command))
        said.append(self.do(self.bob, "searchMessages", query=self.mark))
        said.append(self.do(self.bob, "searchUsers", query=self.mark))
        return json.dumps(said) + "".join(str(m.payload) + m.topic for m in device.messages)


def found_in_tables(rows):
    return {row.split(":")[0] for row in rows}


def test_nothing_is_left(make_system, redis):
    system = make_system(BANTER_REDIS=f"127.0.0.1:{redis.port}", **SETTINGS)
    life = Life(system)
    wait_until(lambda: life.do(life.bob, "searchMessages", query=life.mark)["hits"], 60,
               "the index")
    system.psql("ANALYZE")
    needles = [life.mark, *life.ids]
    before = found_in_tables(rows_with(system, needles))
    assert before >= {
        "banter.users", "banter.search", "banter.reactors", "banter.reactions", "banter.quarantine",
        "banter.push_registrations", "banter.push_dead", "banter.login_sessions", "pg_stats",
        "dump"}
    assert files_with(system, needles), "the picture"
    assert life.mark in life.everything_bob_gets()
    heads = {c["conversation"]: c["last_seq"] for c in life.bobs.sync(limit=0)}

    done = wait_erased(system, erase(life.alice))

    life.phone.wait_closed(20)
    # What lasts for minutes only: numbers, random ids, what nodes told each other.
    expiring = {f"banter.{table}" for table, _column in system.psql(EXPIRING)}
    assert rows_with(system, [life.mark]) == []
    assert found_in_tables(rows_with(system, life.ids)) <= expiring | {"dump"}
    assert files_with(system, needles) == []
    assert life.mark not in life.everything_bob_gets()
    assert redis.command("DBSIZE") == "0", "Redis holds nothing"

    after = {c["conversation"]: c for c in system.device(life.bob, "later").sync(limit=1000)}
    assert after.keys() == heads.keys()
    for place, head in heads.items():
        entries = system.history(life.bob, place, limit=1000)
        assert [e["seq"] for e in entries] == list(range(1, head + 2)), "dense, one entry more"
        assert entries[-1]["kind"] == "member_erased" and entries[-1]["from"] == done["author"]
        assert all(e["from"] in (done["author"], life.bob.handle) for e in entries)
        assert life.bobs.wait_entry(place, kind="member_erased", timeout=20) == entries[-1]
    texts = [e["text"] for e in system.history(life.bob, life.places["direct"]) if "text" in e]
    assert texts == ["his own words"], "what others wrote stays"
