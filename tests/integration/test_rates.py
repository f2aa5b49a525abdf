# SPDX-License-Identifier: MIT
"""Too much at once: who does it is told to wait, by every door, and nobody else notices.

The limits here are low, so that they are met soon. Each test attacks from an address of its own in
127.0.0.0/8; 127.0.0.1 itself stands for many and is not limited."""
import concurrent.futures
import contextlib
import json
import re
import time

import pytest

from support import MQTTv5, MQTTv311, System, wait_until
from support.lifetime import kept, lent
from support.account import unique_handle
from support.erasure import export
from support.http import request
from support.wire import CONNACK, CONNECT, PUBLISH, Wire, draft, packet, text

SETTINGS = {
    "BANTER_RATE_LIMITS": "true",
    "BANTER_RATE_DEVICE_DRAFTS": "100/20",
    "BANTER_RATE_USER_DRAFTS": "150/20",
    "BANTER_RATE_CONVERSATION_DRAFTS": "180/20",
    "BANTER_RATE_USER_REQUESTS": "20/20",
    "BANTER_RATE_ADDRESS_CONNECTS": "120/120",
    "BANTER_RATE_USER_HTTP": "50/50",
    "BANTER_RATE_ADDRESS_HTTP": "80/800",
    "BANTER_RATE_ADDRESS_SIGNUPS": "3/3600",
    "BANTER_RATE_ADDRESS_LOGINS": "20/3600",
    "BANTER_RATE_USER_EXPORTS": "2/3600",
}
FREE_TRIES = 8  # LOGIN_TRIES_FREE
WRONG = "not the password"


@pytest.fixture(scope="module")
def system():
    yield from kept(System(**SETTINGS))


@pytest.fixture
def banter(system, request):  # pylint: disable=redefined-outer-name
    yield from lent(system, request)


def limited(banter, what):
    """The counter of refusals."""
    found = re.search(rf'^banter_rate_limited_total{{what="{what}"}} (\d+)$', banter.metrics(),
                      re.MULTILINE)
    return int(found.group(1))


@contextlib.contextmanager
def counted(banter, what):
    """The counter rises meanwhile, or soon after."""
    before = limited(banter, what)
    yield
    wait_until(lambda: limited(banter, what) > before, 5, f"a higher count of {what}")


def quota_code(banter):
    """What PUBACK says: 0x97 from the version on that lets plugins say it."""
    major, minor = re.search(r"mosquitto version (\d+)\.(\d+)", banter.log("broker")).groups()
    return 0x97 if (int(major), int(minor)) >= (2, 1) else 0x87


def assert_limited(answer):
    assert answer.status == 429, answer
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "rate_limited"
    assert int(answer.headers["Retry-After"]) >= 1
    return int(answer.headers["Retry-After"])


# ---------------------------------------------------------------- messages

def test_a_flood_slows_nobody_else(banter):
    """Alice's flood is stored as far as it is allowed and not acknowledged beyond; in the
    same second bob's receipts come as ever. What she sends again later keeps its order."""
    alice, bob, carol = banter.signup_many(3)
    flooded = banter.group(alice, [carol])
    phone, quiet = banter.device(alice), banter.device(bob)
    with counted(banter, "drafts"):
        mids = {}
        for n in range(400):
            mids[f"d{n}"] = phone.publish(f"send/{flooded}",
                                          json.dumps({"id": f"d{n}", "text": "x" * 500}).encode())
        for _ in range(20):
            began = time.monotonic()
            quiet.say(f"@{carol.handle}", "hello")
            assert time.monotonic() - began < 1
    receipts = [phone.receipt(f"d{n}") for n in range(400)]
    stored = [r["seq"] for r in receipts if "seq" in r]
    refused = [n for n, r in enumerate(receipts) if "error" in r]
    assert 100 <= len(stored) <= 130
    assert stored == list(range(stored[0], stored[0] + len(stored)))
    assert refused == list(range(refused[0], 400))
    error = receipts[refused[0]]["error"]
    assert error["code"] == "rate_limited"
    assert 1 <= error["retry_after_ms"] <= 200
    assert {receipts[n]["error"]["code"] for n in refused[1:]} == {"out_of_order"}
    assert phone.puback(mids[f"d{refused[0]}"]) == quota_code(banter)
    assert {phone.puback(mids[f"d{n}"]) for n in refused[1:]} == {0x87}
    # What was acknowledged is stored, and what comes again later comes in order.
    assert all(phone.puback(mids[f"d{n}"]) < 0x80 for n in range(refused[0]))
    time.sleep(1)
    seen = len(phone.messages)
    for n in refused[:3]:
        phone.send(flooded, "x" * 500, id=f"d{n}")
    wait_until(lambda: sum("seq" in json.loads(m.payload) for m in phone.messages[seen:]
                           if m.topic == "me/receipt") == 3, 5, "three receipts")
    entries = banter.history(alice, flooded, limit=1000)
    assert [e["id"] for e in entries if e["kind"] == "text"] == \
        [f"d{n}" for n in range(refused[2] + 1)]


def test_a_heavy_flood_is_refused_on_the_spot(banter):
    """Ten thousand drafts of 1 kB, as fast as the network takes them."""
    alice, bob, carol = banter.signup_many(3)
    flooded = banter.group(alice, [carol])
    quiet = banter.device(bob)
    topic, words = text(f"send/{flooded}"), "x" * 1000
    drafts = b"".join(packet(PUBLISH, 0, topic + draft(n, words)) for n in range(10_000))
    with Wire(banter, 4) as wire, concurrent.futures.ThreadPoolExecutor(1) as pool:
        assert wire.connect(alice)[1] == 0
        flooding = pool.submit(wire.send, drafts)
        slowest = 0
        while not flooding.done() or slowest == 0:
            began = time.monotonic()
            quiet.say(f"@{carol.handle}", "hello")
            slowest = max(slowest, time.monotonic() - began)
            time.sleep(0.05)  # bob has a limit, too
        wire.ping()
    assert slowest < 1
    stored = banter.history(alice, flooded, limit=1000)
    assert 100 <= sum(e["kind"] == "text" for e in stored) <= 150


def flood(device, conversation, prefix, count):
    """How many of so many drafts were taken, and the first refusal."""
    for n in range(count):
        device.send(conversation, "x", id=f"{prefix}{n}")
    receipts = [device.receipt(f"{prefix}{n}") for n in range(count)]
    errors = [r["error"] for r in receipts if "error" in r]
    return count - len(errors), errors[0] if errors else None


def test_devices_share_what_their_user_may(banter):
    """Also with MQTT 3.1.1, which has no code to say it with, and across reconnects."""
    alice, bob = banter.signup_many(2)
    group = banter.group(alice, [bob])
    phone = banter.device(alice, protocol=MQTTv311)
    laptop = banter.device(alice, "laptop", protocol=MQTTv311)
    taken, error = flood(phone, group, "a", 120)
    assert 100 <= taken <= 115
    assert error["code"] == "rate_limited"
    taken, error = flood(laptop, group, "b", 80)
    assert 50 <= taken <= 70
    assert error["code"] == "rate_limited"
    laptop.reconnect()
    taken, error = flood(laptop, f"@{bob.handle}", "c", 40)
    assert taken <= 30
    assert error["code"] == "rate_limited"


def test_a_conversation_has_a_limit_of_its_own(banter):
    alice, bob, carol = banter.signup_many(3)
    group, other = banter.group(alice, [bob, carol]), banter.group(carol, [bob])
    assert flood(banter.device(alice), group, "a", 90)[1] is None
    assert flood(banter.device(bob), group, "b", 80)[1] is None
    phone = banter.device(carol)
    taken, error = flood(phone, group, "c", 60)
    assert taken < 50
    assert error["code"] == "rate_limited"
    phone.say(other, "here there is room")


@pytest.mark.parametrize("protocol", [MQTTv5, MQTTv311])
def test_syncs_and_commands(banter, protocol):
    alice, bob = banter.signup_many(2)
    phone = banter.device(alice, protocol=protocol)
    with counted(banter, "requests"):
        mids = [phone.publish("send/me/sync", b"{}") for _ in range(30)]
        refusal = phone.wait_message(
            lambda m: m.topic == "me/sync" and b"rate_limited" in m.payload)
    assert json.loads(refusal.payload)["error"]["retry_after_ms"] >= 1
    if protocol == MQTTv5:
        assert quota_code(banter) in [phone.puback(mid) for mid in mids]

    def refused_command():  # on a slow machine the one after the flood may be allowed again
        for _ in range(5):
            phone.publish("send/me/sync", b"{}")
        return phone.control({"command": "listConversations"})[0].get("error")

    error = wait_until(refused_command, 60, "a refused command")
    assert error["code"] == "rate_limited"
    assert error["retry_after_ms"] >= 1
    assert banter.device(bob).sync() == []


def test_signals(banter):
    """One who floods is cut down; entries are not touched by it."""
    alice, bob = banter.signup_many(2)
    group = banter.group(alice, [bob])
    phone, bobs = banter.device(alice), banter.device(bob)
    with counted(banter, "signals"):
        mids = [phone.publish(f"send/{group}/typing", json.dumps({"state": state}))
                for _ in range(100) for state in ("start", "stop")]
        codes = [phone.puback(mid) for mid in mids]
    receipt = phone.say(group, "and still")
    bobs.wait_entry(group, seq=receipt["seq"])
    assert 20 <= sum(code < 0x80 for code in codes) < 150
    assert quota_code(banter) in codes
    assert sum(m.topic == f"chat/{group}/typing" for m in bobs.messages) < 150


# ---------------------------------------------------------------- addresses

def knock(banter, account, source):
    """CONNECT with a bad token: its code, or None if it is cut off."""
    with Wire(banter, 5, source) as wire:
        wire.send(packet(CONNECT, 0, wire.connect_body(account, password="nonsense")))
        answer = wire.next()
        assert answer is None or answer.type == CONNACK
        return answer and answer.body[1]


def test_an_address_that_connects_too_often(banter):
    """With a broker that can say so it hears 0x9F, else nothing; others come in."""
    alice = banter.signup("alice")
    too_often = 0x9F if quota_code(banter) == 0x97 else None
    with counted(banter, "connections"):
        codes = [knock(banter, alice, "127.0.2.1") for _ in range(140)]
    refused = codes.index(too_often)
    assert 120 <= refused <= 130
    assert set(codes[:refused]) == {0x87}
    assert knock(banter, alice, "127.0.2.2") == 0x87
    banter.device(alice).say(f"@{alice.handle}", "still here")


def test_an_address_at_the_front_door(banter):
    def ask():
        return request(banter.http, "GET", "/livez", source="127.0.3.1")

    answers = [ask() for _ in range(140)]
    refused = [a for a in answers if a.status != 200]
    assert 5 <= len(refused) <= 20
    assert refused[0].status == 503
    assert refused[0].headers["Retry-After"]
    assert re.search(r'^banter_door_refused_total{reason="rate"} [1-9]', banter.metrics(), re.M)
    assert request(banter.http, "GET", "/livez", source="127.0.3.2").status == 200


def test_http_of_one_address(banter):
    with counted(banter, "http_address"):
        answers = [banter.request("GET", "/v1/servers", source="127.0.4.1") for _ in range(90)]
    assert sum(a.status == 200 for a in answers[:80]) == 80
    assert_limited(answers[-1])
    assert_limited(banter.request("GET", "/nothing/here", source="127.0.4.1"))
    assert banter.request("GET", "/readyz", source="127.0.4.1").status == 200
    assert banter.request("GET", "/v1/servers", source="127.0.4.2").status == 200


# ---------------------------------------------------------------- users over HTTP

def test_http_of_one_user(banter):
    alice, bob = banter.signup_many(2)
    with counted(banter, "http_user"):
        answers = [banter.request("GET", "/v1/me", account=alice) for _ in range(60)]
    assert sum(a.status == 200 for a in answers[:50]) == 50
    wait_s = assert_limited(answers[-1])
    assert banter.request("GET", "/v1/me", account=bob).status == 200
    time.sleep(wait_s)
    assert banter.request("GET", "/v1/me", account=alice).status == 200


def test_exports_of_one_user(banter):
    alice, bob = banter.signup_many(2)
    for _ in range(2):
        assert export(alice)[-1] == {"type": "end"}
    with counted(banter, "exports"):
        assert assert_limited(banter.request("GET", "/v1/me/export", account=alice)) > 60
    assert export(bob)[-1] == {"type": "end"}


def test_signups_from_one_address(banter):
    def sign_up(source):
        body = {"handle": unique_handle("new"), "password": "a good password"}
        return banter.request("POST", "/v1/signup", body, source=source)

    with counted(banter, "signups"):
        answers = [sign_up("127.0.5.1") for _ in range(4)]
    assert [a.status for a in answers] == [201, 201, 201, 429]
    assert assert_limited(answers[3]) > 600
    assert sign_up("127.0.5.2").status == 201


# ---------------------------------------------------------------- passwords

def log_in(banter, handle, password, source):
    body = {"handle": handle, "password": password}
    return banter.request("POST", "/v1/login", body, source=source)


def test_wrong_passwords_delay_who_guesses_and_not_the_owner(banter):
    alice = banter.signup("alice")
    with counted(banter, "logins_account"):
        answers = [log_in(banter, alice.handle, WRONG, "127.0.6.1") for _ in range(FREE_TRIES + 1)]
    assert [a.status for a in answers] == [401] * FREE_TRIES + [429]
    assert assert_limited(answers[-1]) == 1
    # Now the right one would tell the guesser nothing, and lets in the owner from elsewhere.
    assert log_in(banter, alice.handle, alice.password, "127.0.6.1").status == 429
    assert log_in(banter, alice.handle, alice.password, "127.0.6.2").status == 200
    time.sleep(1.05)
    assert log_in(banter, alice.handle, WRONG, "127.0.6.1").status == 401
    assert assert_limited(log_in(banter, alice.handle, WRONG, "127.0.6.1")) == 2  # it grows
    time.sleep(2.05)
    assert log_in(banter, alice.handle, alice.password, "127.0.6.1").status == 200
    assert log_in(banter, alice.handle, WRONG, "127.0.6.1").status == 401  # all is forgotten
    assert log_in(banter, alice.handle, alice.password, "127.0.6.1").status == 200


def test_guessing_at_the_same_time_gains_nothing_nor_tells_who_exists(banter):
    alice = banter.signup("alice")
    for handle, source in ((alice.handle, "127.0.7.1"), (unique_handle("nobody"), "127.0.7.2")):
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            tries = [pool.submit(log_in, banter, handle, WRONG, source) for _ in range(16)]
        statuses = sorted(t.result().status for t in tries)
        assert statuses == [401] * FREE_TRIES + [429] * (16 - FREE_TRIES)


def test_one_password_for_many_accounts(banter):
    """An address may be wrong so often, whoever it claims to be; who is right does not count."""
    alice = banter.signup("alice")
    for _ in range(3):
        assert log_in(banter, alice.handle, alice.password, "127.0.8.1").status == 200
    with counted(banter, "logins_address"):
        answers = [log_in(banter, unique_handle("user"), WRONG, "127.0.8.1") for _ in range(21)]
    assert [a.status for a in answers] == [401] * 20 + [429]
    assert assert_limited(answers[-1]) > 100
    assert log_in(banter, alice.handle, alice.password, "127.0.8.2").status == 200
