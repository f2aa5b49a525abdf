# SPDX-License-Identifier: MIT
"""Presence: who is shown what of whom, and how little is sent for it."""
import calendar
import json
import time

import pytest

from support import MosquittoSub, MQTTv5, MQTTv311, Refused, System, wait_until
from support.lifetime import kept, lent

GRACE = 0.8
REFUSED = {MQTTv5: 0x87, MQTTv311: 0x80}


@pytest.fixture(scope="module")
def system():
    """A system whose grace time a test can wait for."""
    yield from kept(System(BANTER_PRESENCE_GRACE_MS=int(GRACE * 1000)))


@pytest.fixture
def banter(system, request):
    yield from lent(system, request)


def states(device, account):
    """What the device was told of the account, in order."""
    return [json.loads(m.payload) for m in list(device.messages)
            if m.topic == f"presence/{account.handle}"]


def wait_states(device, account, *expected, timeout=10):
    """Waits for exactly these states, counted from the first message."""
    def told():
        return [state["state"] for state in states(device, account)]
    wait_until(lambda: len(told()) >= len(expected), timeout,
               f"{expected} of {account}; told {told()}")
    assert told() == list(expected)
    return states(device, account)


def say(device, state):
    mid = device.publish("send/me/presence", json.dumps({"state": state}))
    return device.puback(mid)


def friends(banter, *names):
    """Accounts that share a group."""
    accounts = [banter.signup(name) for name in names]
    banter.group(accounts[0], accounts[1:])
    return accounts


@pytest.fixture
def pair(banter):
    return friends(banter, "alice", "bob")


def watching(banter, watcher, target, **options):
    """A device that watches the target and has been told what it is now."""
    device = banter.device(watcher, **options)
    assert device.subscribe(f"presence/{target.handle}") == 0
    wait_until(lambda: states(device, target), 10, "the current state")
    return device


@pytest.mark.parametrize("protocol", [MQTTv5, MQTTv311])
def test_online_away_offline(banter, pair, protocol):
    alice, bob = pair
    watcher = watching(banter, alice, bob, protocol=protocol)
    first = wait_states(watcher, bob, "offline")[0]
    assert first == {"user": bob.handle, "state": "offline"}, "never seen"
    phone = banter.device(bob, protocol=protocol)
    assert wait_states(watcher, bob, "offline", "online")[1] == {
        "user": bob.handle, "state": "online"}
    say(phone, "away")
    say(phone, "away")
    wait_states(watcher, bob, "offline", "online", "away")
    say(phone, "online")
    before = time.time()
    phone.disconnect()
    told = wait_states(watcher, bob, "offline", "online", "away", "online", "offline")
    seen = time.strptime(told[-1]["last_seen"][:19], "%Y-%m-%dT%H:%M:%S")
    assert abs(calendar.timegm(seen) - before) < 3


def test_the_current_state_comes_with_the_subscription(banter, pair):
    alice, bob = pair
    phone = banter.device(bob)
    say(phone, "away")
    watcher = watching(banter, alice, bob)
    wait_states(watcher, bob, "away")
    watcher.subscribe(f"presence/{bob.handle}")
    wait_states(watcher, bob, "away", "away")
    with MosquittoSub(banter, alice, f"presence/{bob.handle}", options=("-i",
                      f"{alice.handle}/tool")) as tool:
        tool.wait_line(lambda line: '"away"' in line)


def test_several_devices(banter, pair):
    alice, bob = pair
    watcher = watching(banter, alice, bob)
    phone = banter.device(bob, "phone")
    laptop = banter.device(bob, "laptop")
    wait_states(watcher, bob, "offline", "online")
    say(phone, "away")
    watcher.quiet(0.3)
    laptop.disconnect()  # the phone is left, and it is away
    wait_states(watcher, bob, "offline", "online", "away")
    laptop.reconnect()
    wait_states(watcher, bob, "offline", "online", "away", "online")
    phone.disconnect()
    watcher.quiet(GRACE + 0.5)


def test_a_short_absence_is_not_seen(banter, pair):
    alice, bob = pair
    phone = banter.device(bob)
    watcher = watching(banter, alice, bob)
    wait_states(watcher, bob, "online")
    for leave in (phone.drop, phone.disconnect) * 3:
        leave()
        time.sleep(GRACE / 8)
        phone.connect()
    watcher.quiet(GRACE + 0.5)
    say(phone, "away")
    wait_states(watcher, bob, "online", "away")
    phone.reconnect()  # it is still what it said
    watcher.quiet(GRACE + 0.5)
    banter.device(bob, "phone")  # takes over
    watcher.quiet(GRACE + 0.5)


def test_hidden(banter, pair):
    alice, bob = pair
    watcher = watching(banter, alice, bob)
    phone = banter.device(bob)
    wait_states(watcher, bob, "offline", "online")
    say(phone, "hidden")
    hidden = wait_states(watcher, bob, "offline", "online", "offline")[-1]
    banter.device(bob, "laptop")
    phone.disconnect()
    time.sleep(GRACE + 0.5)
    phone.connect()
    watcher.quiet(0.3)
    # Nothing betrays that they are here, not even the time at which they were last seen.
    assert wait_states(watching(banter, alice, bob, name="other"), bob, "offline")[-1] == hidden
    say(phone, "online")
    wait_states(watcher, bob, "offline", "online", "offline", "online")


def show_last_seen_to(banter, account, visibility):
    banter.request("PATCH", "/v1/me", {"last_seen_visibility": visibility}, account).ok()


def test_last_seen_is_for_those_who_may_know(banter, pair):
    """Nobody: also what is known by then is taken back. Everybody who watches is a contact."""
    alice, bob = pair
    watcher = watching(banter, alice, bob)
    phone = banter.device(bob)
    wait_states(watcher, bob, "offline", "online")
    show_last_seen_to(banter, bob, "nobody")
    phone.disconnect()
    told = wait_states(watcher, bob, "offline", "online", "offline")
    assert "last_seen" not in told[-1]
    time.sleep(GRACE + 0.3)  # bob is in nobody's memory but the database's now
    for visibility in ("everyone", "nobody", "contacts", "nobody"):
        known = len(states(watcher, bob))
        show_last_seen_to(banter, bob, visibility)
        wait_until(lambda known=known: len(states(watcher, bob)) > known, 10, visibility)
        assert ("last_seen" in states(watcher, bob)[-1]) == (visibility != "nobody")
    other = watching(banter, alice, bob, name="other")
    assert wait_states(other, bob, "offline")[0] == {"user": bob.handle, "state": "offline"}
    show_last_seen_to(banter, bob, "nobody")
    other.quiet(0.3)


def test_own_devices_see_when_one_was_seen(banter, pair):
    """Also while nobody else does, and while one hides."""
    alice, bob = pair
    watcher = watching(banter, alice, bob)
    laptop = watching(banter, bob, bob, name="laptop")
    show_last_seen_to(banter, bob, "nobody")
    say(laptop, "hidden")
    told = wait_states(watcher, bob, "offline", "online", "offline")
    assert "last_seen" not in told[-1]
    own = wait_states(laptop, bob, "online", "offline")[-1]
    assert own["last_seen"]
    show_last_seen_to(banter, bob, "contacts")
    wait_until(lambda: states(watcher, bob)[-1] == own, 10, "last_seen")
    show_last_seen_to(banter, bob, "nobody")
    wait_until(lambda: "last_seen" not in states(watcher, bob)[-1], 10, "no last_seen")
    wait_states(laptop, bob, "online", "offline")
    assert wait_states(watching(banter, bob, bob, name="phone"), bob, "offline") == [own]


def test_hiding_and_last_seen_survive_restarts(make_system):
    banter = make_system(BANTER_PRESENCE_GRACE_MS=500)
    alice, bob, carol = friends(banter, "alice", "bob", "carol")
    bobs, carols = banter.device(bob), banter.device(carol)
    watcher = banter.device(alice)
    for account in (bob, carol):
        watcher.subscribe(f"presence/{account.handle}")
        wait_states(watcher, account, "online")
    say(carols, "hidden")
    hidden = wait_states(watcher, carol, "online", "offline")[-1]
    bobs.disconnect()
    gone = wait_states(watcher, bob, "online", "offline")[-1]
    carols.disconnect()
    watcher.disconnect()
    banter.down()
    banter.up()
    carols.connect()
    watcher.connect()
    for account, last in ((bob, gone), (carol, hidden)):
        seen = len(states(watcher, account))
        watcher.subscribe(f"presence/{account.handle}")
        wait_until(lambda: len(states(watcher, account)) > seen, 10, "state")
        assert states(watcher, account)[-1] == last


def test_who_was_online_at_a_stop_was_seen_then(make_system):
    banter = make_system(BANTER_PRESENCE_GRACE_MS=500)
    alice, bob = friends(banter, "alice", "bob")
    phone = banter.device(bob)
    time.sleep(1)
    banter.stop("bridge")
    phone.disconnect()
    row = banter.psql(f"SELECT last_seen > now() - interval '8 s' FROM banter.users "
                      f"WHERE handle = '{bob.handle}'")
    assert row == [["t"]]
    banter.start("bridge")
    banter.wait_ready()
    watcher = watching(banter, alice, bob)
    assert wait_states(watcher, bob, "offline")[0]["last_seen"]


@pytest.mark.parametrize("protocol", [MQTTv5, MQTTv311])
def test_strangers(banter, protocol):
    """Refused at once without any group; with one, by an event. Who exists is not told."""
    alice, bob, carol = (banter.signup(name) for name in ("alice", "bob", "carol"))
    phone = banter.device(alice, protocol=protocol)
    for target in (bob.handle, "no-such-user", "+", "#", f"{bob.handle}/x", "B"):
        assert phone.subscribe(f"presence/{target}") == REFUSED[protocol]
    banter.group(alice, [carol])
    wait_until(lambda: any(m.topic.startswith("chat/") for m in phone.messages), 10, "entry")
    for target in (bob.handle, "no-such-user"):
        assert phone.subscribe(f"presence/{target}") == 0
        phone.wait_message(lambda m, target=target: m.topic == "me/event" and json.loads(
            m.payload) == {"event": "presence_refused", "user": target})
    banter.device(bob)
    time.sleep(0.3)
    assert not states(phone, bob)
    assert phone.subscribe(f"presence/{alice.handle}") == 0
    wait_states(phone, alice, "online")


def test_a_refused_login_under_a_users_name_is_not_seen(banter, pair):
    """Neither does it end anybody's presence, nor does it begin one: what the watcher hears next is
    what the device itself says."""
    alice, bob = pair
    eve = banter.signup("eve")
    watcher = watching(banter, alice, bob)
    wait_states(watcher, bob, "offline")
    attempts = [("guess", bob.handle), (eve.access_token, bob.handle),
                (eve.access_token, eve.handle), ("", bob.handle)]

    def attack():
        for token, username in attempts:
            for protocol in (MQTTv5, MQTTv311):
                with pytest.raises(Refused):
                    banter.device(eve, protocol=protocol, client_id=f"{bob.handle}/phone",
                                  username=username, token=token, wait_ready=False)

    attack()
    phone = banter.device(bob, name="phone")
    wait_states(watcher, bob, "offline", "online")
    attack()
    time.sleep(2 * GRACE)  # in which an end would be told
    say(phone, "away")
    wait_states(watcher, bob, "offline", "online", "away")


def test_a_direct_conversation_is_enough(banter):
    alice, bob = banter.signup("alice"), banter.signup("bob")
    phone, bobs = banter.device(alice), banter.device(bob)
    assert phone.subscribe(f"presence/{bob.handle}") == 0x87
    phone.say(f"@{bob.handle}", "hello")
    assert phone.subscribe(f"presence/{bob.handle}") == 0
    wait_states(phone, bob, "online")
    assert bobs.subscribe(f"presence/{alice.handle}") == 0
    wait_states(bobs, alice, "online")


@pytest.mark.parametrize("leaver", ["watcher", "target"])
def test_it_stops_with_the_last_shared_conversation(banter, leaver):
    alice, bob, carol = friends(banter, "alice", "bob", "carol")
    second = banter.group(alice, [bob, carol])
    first = banter.data_of(alice, {"command": "listConversations"})["conversations"]
    first = next(c["conversation"] for c in first if c["conversation"] != second)
    phone = banter.device(bob)
    watcher = watching(banter, alice, bob)
    wait_states(watcher, bob, "online")
    who = alice if leaver == "watcher" else bob
    banter.data_of(who, {"command": "leave", "conversation": first})
    say(phone, "away")
    wait_states(watcher, bob, "online", "away")
    banter.data_of(who, {"command": "leave", "conversation": second})
    watcher.wait_message(lambda m: m.topic == "me/event" and json.loads(m.payload) == {
        "event": "presence_refused", "user": bob.handle})
    say(phone, "online")
    time.sleep(0.5)
    wait_states(watcher, bob, "online", "away")


def test_unsubscribing_ends_it(banter, pair):
    alice, bob = pair
    phone = banter.device(bob)
    watcher = watching(banter, alice, bob)
    wait_states(watcher, bob, "online")
    watcher._client.unsubscribe(f"presence/{bob.handle}")
    time.sleep(0.3)
    say(phone, "away")
    watcher.quiet(0.5)


def test_what_a_device_may_say(banter, pair):
    alice, bob = pair
    watcher = watching(banter, alice, bob)
    phone = banter.device(bob)
    wait_states(watcher, bob, "offline", "online")
    for payload in ("", "{}", '{"state":"offline"}', '{"state":7}', "away",
                    '{"state":"away"' * 200):
        assert phone.puback(phone.publish("send/me/presence", payload)) == 0x87
    watcher.quiet(0.3)
    assert not phone.receipts()


def test_a_new_bridge_is_not_noticed(banter, pair):
    """Killed while one is away and one offline: nobody is told anything but what is new."""
    alice, bob = pair
    carol = banter.signup("carol")
    banter.group(alice, [carol])
    watcher = banter.device(alice)
    phone = banter.device(bob)
    say(phone, "away")
    for account, state in ((bob, "away"), (carol, "offline")):
        watcher.subscribe(f"presence/{account.handle}")
        wait_states(watcher, account, state)
    for _ in range(2):
        pid = banter.pid("bridge")
        banter.kill("bridge")
        banter.wait_restarted("bridge", pid)
        banter.wait_ready()
        time.sleep(0.5)  # the plugin has told it who is here
        phone.drop()
        phone.connect()
        say(phone, "away")
        time.sleep(GRACE + 0.7)
    wait_states(watcher, bob, "away")
    wait_states(watcher, carol, "offline")
    phone.disconnect()
    wait_states(watcher, bob, "away", "offline")


def test_a_storm_of_reconnects_is_silent(make_system):
    """200 clients lose their connections at once, when the broker dies, and come back."""
    banter = make_system(BANTER_PRESENCE_GRACE_MS=15000)
    accounts = banter.signup_many(40)
    banter.group(accounts[0], accounts[1:])
    watcher = banter.device(accounts[0], "watcher")
    devices = [banter.device(account, f"d{n}") for account in accounts for n in range(5)]
    for account in accounts:
        assert watcher.subscribe(f"presence/{account.handle}") == 0
    for account in accounts:
        wait_states(watcher, account, "online")
    for device in devices:
        device.drop()
    for device in devices:
        device.connect()
    time.sleep(1)
    for account in accounts:
        wait_states(watcher, account, "online")
    pid = banter.pid("broker")
    banter.kill("broker")
    banter.wait_restarted("broker", pid)
    banter.wait_ready()
    seen = len(watcher.messages)
    watcher.reconnect()
    for account in accounts:
        watcher.subscribe(f"presence/{account.handle}")
    for device in devices:
        device.reconnect()
    time.sleep(1)
    told = [m for m in watcher.messages[seen:] if m.topic.startswith("presence/")]
    assert len(told) == len(accounts), "the answers to SUBSCRIBE and nothing else"
    assert all(json.loads(m.payload)["state"] == "online" for m in told)
