# SPDX-License-Identifier: MIT
"""How far users have received and read: only forwards, one for all devices of a user, shown to
those who may see it, and written in few commits. Unread counts follow."""
import concurrent.futures
import json
import re
import urllib.request

import pytest

from support import MQTTv311, wait_until


def conversation_of(banter, account, conversation):
    return banter.request("GET", f"/v1/conversations/{conversation}", account=account).ok()


def cursors_of(banter, account, conversation):
    found = conversation_of(banter, account, conversation)
    return found["received"], found["read"]


def move(banter, account, conversation, **to):
    return banter.request("POST", f"/v1/conversations/{conversation}/cursor", to, account=account)


def listed(banter, account, conversation):
    """The cursors of all members, as one of them sees them."""
    data = banter.data_of(account, {"command": "listMembers", "conversation": conversation})
    return {m["user"]: (m.get("received"), m.get("read")) for m in data["members"]}


def say_cursor(device, conversation, **to):
    return device.puback(device.publish(f"send/{conversation}/cursor", json.dumps(to).encode()))


def shown(device, conversation):
    """What the device was told of cursors in this conversation."""
    return [json.loads(m.payload) for m in device.messages
            if m.topic == f"chat/{conversation}/cursor"]


def wait_shown(device, conversation, **wanted):
    return wait_until(lambda: wanted in shown(device, conversation), 10,
                      f"{wanted} on {device.name}")


def metric(banter, name):
    config = (banter.data / "bridge.conf").read_text()
    address = re.search(r"^metrics_listen (\S+)$", config, re.MULTILINE)[1]
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as answer:
        return int(re.search(rf"^banter_{name} (\d+)$", answer.read().decode(), re.MULTILINE)[1])


@pytest.fixture
def pair(banter):
    """alice, bob, and their conversation with five texts of bob's."""
    alice, bob = banter.signup("alice"), banter.signup("bob")
    device = banter.device(bob, "writer")
    receipts = [device.say(f"@{alice.handle}", f"text {n}") for n in range(1, 6)]
    return alice, bob, receipts[0]["conversation"]


def test_a_users_devices_share_it_and_the_others_see_it(banter, pair):
    alice, bob, conversation = pair
    phone, laptop = banter.device(alice, "phone"), banter.device(alice, "laptop")
    other = banter.device(bob, "phone", protocol=MQTTv311)
    say_cursor(phone, conversation, received=5, read=3)
    for device in (laptop, other):
        wait_shown(device, conversation, **{"from": alice.handle, "received": 5, "read": 3})
    assert cursors_of(banter, alice, conversation) == (5, 3)
    assert listed(banter, bob, conversation)[alice.handle] == (5, 3)
    assert cursors_of(banter, bob, conversation) == (0, 0)
    head = next(c for c in laptop.sync(limit=0) if c["conversation"] == conversation)
    assert (head["received"], head["read"]) == (5, 3)
    phone.quiet()
    assert shown(phone, conversation) == [], "it said so itself"


def test_over_http_all_devices_of_the_user_are_told(banter, pair):
    alice, bob, conversation = pair
    phone = banter.device(alice, "phone")
    answer = banter.request("POST", f"/v1/conversations/@{bob.handle}/cursor", {"read": 2},
                            account=alice).ok()
    assert answer == {"received": 2, "read": 2}, "who has read has received"
    wait_shown(phone, conversation, **{"from": alice.handle, "received": 2, "read": 2})


def test_it_never_goes_back(banter, pair):
    alice, _, conversation = pair
    laptop = banter.device(alice, "laptop")
    for to, wanted in (({"received": 4, "read": 2}, (4, 2)), ({"received": 1, "read": 1}, (4, 2)),
                       ({"received": 1}, (4, 2)), ({"read": 3}, (4, 3)), ({"read": 5}, (5, 5)),
                       ({"received": 0, "read": 0}, (5, 5))):
        now = move(banter, alice, conversation, **to).ok()
        assert (now["received"], now["read"]) == wanted
    laptop.quiet()
    told = [(c["received"], c["read"]) for c in shown(laptop, conversation)]
    assert told == [(4, 2), (4, 3), (5, 5)], "only what moved"


def test_it_ends_with_the_log(banter, pair):
    alice, bob, conversation = pair
    phone, other = banter.device(alice, "phone"), banter.device(bob, "phone")
    say_cursor(phone, conversation, received=2**62, read=1000)
    wanted = {"from": alice.handle, "received": 5, "read": 5}
    wait_shown(other, conversation, **wanted)
    wait_shown(phone, conversation, **wanted)  # it could not know
    other.say(conversation, "one more")
    assert cursors_of(banter, alice, conversation) == (5, 5)
    assert conversation_of(banter, alice, conversation)["unread"] == 1


def test_groups_show_it_and_channels_do_not(banter):
    owner, member = banter.signup("owner"), banter.signup("member")
    group, channel = banter.group(owner, [member]), banter.group(owner, [member])
    banter.psql(f"UPDATE banter.conversations SET kind = 3 WHERE id = '{channel}'")
    watching = banter.device(owner, "phone")
    phone, laptop = banter.device(member, "phone"), banter.device(member, "laptop")
    wanted = {"from": member.handle, "received": 1, "read": 1}
    for conversation in (channel, group):
        say_cursor(phone, conversation, read=1)
        wait_shown(laptop, conversation, **wanted)
    wait_shown(watching, group, **wanted)
    assert shown(watching, channel) == []
    assert listed(banter, owner, group)[member.handle] == (1, 1)
    assert listed(banter, owner, channel)[member.handle] == (None, None)
    banter.psql(f"UPDATE banter.conversations SET kind = 2 WHERE id = '{channel}'")


def test_readers_have_one(banter):
    owner, reader = banter.signup("owner"), banter.signup("reader")
    group = banter.group(owner, [reader])
    banter.psql(f"UPDATE banter.members SET role = 1 WHERE conversation = '{group}' AND user_id = "
                f"(SELECT id FROM banter.users WHERE handle = '{reader.handle}')")
    watching = banter.device(owner, "phone")
    say_cursor(banter.device(reader, "phone"), group, read=1)
    wait_shown(watching, group, **{"from": reader.handle, "received": 1, "read": 1})


def test_strangers_have_none(banter, pair):
    alice, _, conversation = pair
    eve = banter.signup("eve")
    assert say_cursor(banter.device(eve, "phone"), conversation, read=1) == 0x87
    refused = move(banter, eve, conversation, read=1)
    assert (refused.status, refused.json()["code"]) == (404, "not_found")
    nowhere = "0190f3a1-7c3e-7b1a-9d52-3f1f0a6d2b11"
    assert move(banter, alice, nowhere, read=1).status == 404
    assert move(banter, alice, f"@{eve.handle}", read=1).status == 404


@pytest.mark.parametrize("body", [{}, {"read": -1}, {"read": "1"}, {"read": 1.5}, {"read": 2**63},
                                  {"received": None}, b"", b"[1]", b"x"])
def test_what_is_no_cursor(banter, pair, body):
    alice, _, conversation = pair
    path = f"/v1/conversations/{conversation}/cursor"
    answer = banter.request("POST", path, body, account=alice)
    assert (answer.status, answer.json()["code"]) == (400, "invalid")
    phone = banter.device(alice, "phone")
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    phone.puback(phone.publish(f"send/{conversation}/cursor", raw))
    say_cursor(phone, conversation, read=1)  # nothing is hurt
    wait_until(lambda: cursors_of(banter, alice, conversation) == (1, 1), 10, "the next one")


def test_unread_counts_texts_of_others_and_falls_when_read_elsewhere(banter):
    alice, bob, eve = banter.signup("alice"), banter.signup("bob"), banter.signup("eve")
    group = banter.group(bob, [alice])
    writer, phone = banter.device(bob, "writer"), banter.device(alice, "phone")
    laptop = banter.device(alice, "laptop")
    for n in range(4):
        writer.say(group, f"text {n}")
    writer.say(group, None, kind="reaction", target=2, emoji="\U0001f44d")
    deleted = writer.say(group, "a slip")["seq"]
    writer.say(group, None, kind="delete", target=deleted)
    banter.data_of(bob, {"command": "addMembers", "conversation": group, "members": [eve.handle]})
    last = phone.say(group, "an answer")["seq"]

    def unread():
        """Everywhere the same."""
        listed = banter.request("GET", "/v1/conversations", account=alice).ok()["conversations"]
        counts = {next(c for c in found if c["conversation"] == group)["unread"]
                  for found in (listed, phone.sync(limit=0), laptop.sync(limit=0))}
        counts.add(conversation_of(banter, alice, group)["unread"])
        assert len(counts) == 1
        return counts.pop()

    assert unread() == 4, "texts of others that are there, and nothing else"
    say_cursor(phone, group, read=3)  # the creation and two texts
    wait_shown(laptop, group, **{"from": alice.handle, "received": 3, "read": 3})
    assert unread() == 2
    say_cursor(laptop, group, read=last)
    wait_shown(phone, group, **{"from": alice.handle, "received": last, "read": last})
    assert unread() == 0


def test_many_updates_are_few_commits(banter):
    users, updates = 10, 20
    owner, *members = banter.signup_many(users + 1, "reader")
    group = banter.group(owner, members)
    writer = banter.device(owner, "writer")
    for n in range(updates):
        writer.say(group, f"text {n}")
    devices = [banter.device(member, "phone") for member in members]
    updates_before = metric(banter, "cursor_updates_total")
    commits_before = metric(banter, "cursor_commits_total")
    with concurrent.futures.ThreadPoolExecutor(users) as pool:
        list(pool.map(lambda device: [
            device.publish(f"send/{group}/cursor", b'{"read":%d}' % seq)
            for seq in range(2, updates + 2)], devices))
    for member in members:
        wait_shown(writer, group, **{"from": member.handle, "received": updates + 1,
                                     "read": updates + 1})
    assert metric(banter, "cursor_updates_total") - updates_before == users * updates
    assert metric(banter, "cursor_commits_total") - commits_before <= users * updates / 5
    assert len(shown(writer, group)) <= users * updates / 2


def test_it_waits_for_the_database(banter, pair):
    alice, bob, conversation = pair
    phone, other = banter.device(alice, "phone"), banter.device(bob, "phone")
    banter.stop("postgres")
    try:
        say_cursor(phone, conversation, read=4)
        assert move(banter, alice, conversation, read=2).status == 503
    finally:
        banter.start("postgres")
    banter.wait_ready()
    wait_shown(other, conversation, **{"from": alice.handle, "received": 4, "read": 4})
