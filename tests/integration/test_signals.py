# SPDX-License-Identifier: MIT
"""Typing, me/heads and the notice before a token ends."""
import json
import time

import pytest

from support import MQTTv5, MQTTv311, tokens


def type_in(device, conversation, state="start"):
    return device.puback(device.publish(f"send/{conversation}/typing",
                                        json.dumps({"state": state})))


def typing(device, conversation):
    return [json.loads(m.payload) for m in list(device.messages)
            if m.topic == f"chat/{conversation}/typing"]


def wait_typing(device, conversation, count, timeout=10):
    device.wait_message(lambda _m: len(typing(device, conversation)) >= count, timeout,
                        f"{count} typing messages")
    return typing(device, conversation)


@pytest.fixture
def trio(banter):
    accounts = [banter.signup(name) for name in ("alice", "bob", "carol")]
    return accounts, banter.group(accounts[0], accounts[1:])


@pytest.mark.parametrize("protocol", [MQTTv5, MQTTv311])
def test_typing_reaches_the_others(banter, trio, protocol):
    (alice, bob, _carol), group = trio
    phone = banter.device(alice, protocol=protocol)
    laptop = banter.device(alice, "laptop")
    bobs = [banter.device(bob, name, protocol=protocol) for name in ("phone", "web")]
    type_in(phone, group)
    type_in(phone, group)  # goes on: heard again only after a while
    type_in(phone, group, "stop")
    type_in(phone, group, "stop")
    for device in bobs:
        assert wait_typing(device, group, 2) == [{"from": alice.handle, "state": "start"},
                                                 {"from": alice.handle, "state": "stop"}]
    for device in bobs + [phone, laptop]:
        device.quiet(0.3)
    assert not typing(phone, group) and not typing(laptop, group)


def test_typing_expires(banter, trio):
    (alice, bob, _carol), group = trio
    phone, bobs = banter.device(alice), banter.device(bob)
    type_in(phone, group)
    began = time.monotonic()
    phone.drop()
    told = wait_typing(bobs, group, 2, timeout=9)
    assert [t["state"] for t in told] == ["start", "stop"]
    assert 5 < time.monotonic() - began < 8


def test_who_may_type(banter, trio):
    (alice, bob, _carol), group = trio
    stranger = banter.device(banter.signup("eve"))
    phone, bobs = banter.device(alice), banter.device(bob)
    assert type_in(stranger, group) == 0x87
    assert type_in(phone, "00000000-0000-7000-8000-000000000000") == 0x87
    assert type_in(phone, group, "start" * 300) == 0x87
    type_in(phone, group, "perhaps")
    phone.puback(phone.publish(f"send/{group}/typing", "not JSON"))
    bobs.quiet(0.5)
    assert not phone.receipts() and not stranger.receipts()
    direct = phone.say(f"@{bob.handle}", "hello")["conversation"]
    bobs.wait_entries(direct, 1)
    type_in(phone, direct)
    wait_typing(bobs, direct, 1)


def test_typing_is_never_an_entry(banter, trio):
    (alice, bob, _carol), group = trio
    phone, bobs = banter.device(alice), banter.device(bob)
    type_in(phone, group)
    wait_typing(bobs, group, 1)
    assert [entry["kind"] for entry in banter.history(alice, group)] == ["created"]


def test_heads_tell_of_the_last_entry(banter, trio):
    """Half a minute after something was delivered, once."""
    (alice, bob, _carol), group = trio
    other = banter.group(alice, [bob])
    phone, bobs = banter.device(alice), banter.device(bob)
    for text in ("one", "two"):
        receipt = phone.say(group, text)
    bobs.wait_entry(group, seq=receipt["seq"])
    for device in (phone, bobs):
        heads = device.wait_message(lambda m: m.topic == "me/heads", timeout=45, what="me/heads")
        assert json.loads(heads.payload)[group] == receipt["seq"]
        assert other not in json.loads(heads.payload)
    time.sleep(1)
    assert sum(m.topic == "me/heads" for m in bobs.messages) == 1


def test_a_device_hears_before_its_token_ends(banter):
    alice = banter.signup("alice")
    header, claims = tokens.parts(alice.access_token)
    ends = int(time.time()) + 61
    phone = banter.device(alice, token=tokens.sign(tokens.server_key(banter), header,
                                                   {**claims, "exp": ends}))
    event = phone.wait_message(lambda m: m.topic == "me/event", timeout=15, what="token_expires")
    told = json.loads(event.payload)
    assert told.pop("event") == "token_expires"
    assert told == {"at": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(ends))}
    phone.quiet(0.3)
    assert phone.connected
