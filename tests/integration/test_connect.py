# SPDX-License-Identifier: MIT
"""Issue 2, item 1, over MQTT: who gets in, as whom, and that nobody else falls out."""
import json
import os
import re
import signal
import time

import pytest

from support import MQTTv5, MQTTv311, Refused, tokens, wait_until
from support.forgeries import forgeries

REFUSED = {MQTTv5: 0x87, MQTTv311: 5}
SESSION_TAKEN_OVER = 0x8e


def assert_refused(banter, account, protocol=MQTTv5, **options):
    with pytest.raises(Refused) as refusal:
        banter.device(account, protocol=protocol, wait_ready=False, **options)
    assert refusal.value.code == REFUSED[protocol]


# ---------------------------------------------------------------- tokens

def test_forged_tokens_are_refused(banter):
    alice = banter.signup("alice")
    key = tokens.server_key(banter)
    header, claims = tokens.parts(alice.access_token)
    # The forger's own signature is good: what follows is refused for what was changed, only.
    banter.device(alice, "control", token=tokens.sign(key, header, claims)).disconnect()
    names = []
    for name, forged in forgeries(alice.access_token, key):
        try:
            banter.device(alice, token=forged, wait_ready=False)
        except Refused as refusal:
            assert refusal.code == 0x87, name
        else:
            names.append(name)
    assert not names, "these got in"
    assert_refused(banter, alice, MQTTv311, token="nonsense")
    assert_refused(banter, alice, MQTTv311, token=alice.refresh_token)
    # HTTP asks the same judge.
    for name, forged in forgeries(alice.access_token, key):
        if forged.isprintable() and forged.strip():
            response = banter.request("GET", "/v1/conversations", token=forged)
            assert response.status in (400, 401, 431), name


def test_a_token_opens_only_its_own_users_connections(banter):
    alice, bob = banter.signup("alice"), banter.signup("bob")
    assert_refused(banter, bob, token=alice.access_token)
    assert_refused(banter, alice, username=bob.handle, client_id=f"{bob.handle}/phone")
    assert_refused(banter, alice, username=bob.handle)
    assert_refused(banter, alice, username="")
    assert_refused(banter, alice, MQTTv311, username=bob.handle)


def test_a_token_may_be_bound_to_one_device(banter):
    alice = banter.signup("alice")
    answer = banter.request("POST", "/v1/login", {
        "handle": alice.handle, "password": alice.password, "device": "tablet"}).ok()
    banter.device(alice, "tablet", token=answer["access_token"])
    assert_refused(banter, alice, name="phone", token=answer["access_token"])


def test_a_token_of_a_user_that_does_not_exist_gets_nothing(banter):
    alice = banter.signup("alice")
    header, claims = tokens.parts(alice.access_token)
    forged = tokens.sign(tokens.server_key(banter), header, {**claims, "uid": 2 ** 40})
    device = banter.device(alice, token=forged, wait_ready=False)
    device.wait_closed()
    assert not [m for m in device.messages if m.topic == "me/ready"]


# ---------------------------------------------------------------- client ids

@pytest.mark.parametrize("shape", [
    "{0}", "{0}/", "/phone", "{0}/phone/x", "{0}/ph one", "{0}/phöne", "{0}/+", "{0}/#", "{0}/$x",
    "{0}/ph.one", "{0}//phone", " {0}/phone", "{0}/phone ", "{0}\\phone", "{0}/" + "d" * 33,
    "phone/{0}", "banter-bell"])
def test_client_ids_must_be_handle_and_device(banter, shape):
    alice = banter.signup("alice")
    for protocol in (MQTTv5, MQTTv311):
        assert_refused(banter, alice, protocol, client_id=shape.format(alice.handle))
    assert_refused(banter, alice, client_id=shape.format(alice.handle).upper())


def test_an_assigned_client_id_is_refused(banter):
    alice = banter.signup("alice")
    assert_refused(banter, alice, client_id="")


@pytest.mark.parametrize("device", ["p", "d" * 32, "A_b-9"])
def test_every_good_device_name_connects(banter, device):
    banter.device(banter.signup("alice"), device)


def test_nobody_takes_over_anothers_client_id(banter):
    alice, bob, eve = banter.signup("alice"), banter.signup("bob"), banter.signup("eve")
    phone = banter.device(bob)
    sender = banter.device(alice)
    for protocol in (MQTTv5, MQTTv311):
        for username, token in ((eve.handle, eve.access_token), (bob.handle, eve.access_token),
                                (bob.handle, "guess"), (eve.handle, bob.access_token)):
            assert_refused(banter, eve, protocol, client_id=f"{bob.handle}/phone",
                           username=username, token=token)
    assert phone.connected
    receipt = sender.say(f"@{bob.handle}", "still there?")
    phone.wait_entry(receipt["conversation"], text="still there?")
    phone.say(f"@{alice.handle}", "yes")
    assert phone.connected


def test_the_bells_name_is_not_for_sale(banter):
    """The bridge's own connection: known name, unknown key."""
    alice = banter.signup("alice")
    for password in ("", "banter-bell", alice.access_token):
        assert_refused(banter, alice, username="banter-bell", client_id="banter-bell",
                       token=password)


def test_the_same_device_again_takes_over_its_own_connection(banter):
    alice, bob = banter.signup("alice"), banter.signup("bob")
    first = banter.device(bob)
    sender = banter.device(alice)
    second = banter.device(bob)
    first.wait_closed()
    receipt = sender.say(f"@{bob.handle}", "to the second")
    second.wait_entry(receipt["conversation"], seq=receipt["seq"])
    assert second.connected
    assert not first.entries(receipt["conversation"])


def broker_version(banter):
    found = re.search(r"mosquitto version (\d+)\.(\d+)\.(\d+)", banter.log("broker"))
    return tuple(map(int, found.groups()))


@pytest.mark.parametrize("protocol", [MQTTv5, MQTTv311])
def test_what_the_superseded_connection_hears(banter, protocol):
    """DISCONNECT 0x8E with MQTT 5, from the broker, if it is recent enough; else just the end."""
    alice = banter.signup("alice")
    first = banter.device(alice, protocol=protocol)
    seen = len(first.messages)
    second = banter.device(alice, protocol=protocol)
    first.wait_closed()
    is_told = protocol == MQTTv5 and broker_version(banter) >= (2, 0, 15)
    assert first.disconnect_reason == (SESSION_TAKEN_OVER if is_told else None)
    assert len(first.messages) == seen
    assert second.say(f"@{alice.handle}", "here")["seq"] and second.connected


# ---------------------------------------------------------------- ready

def test_ready_comes_once_per_connection(banter):
    alice = banter.signup("alice")
    for protocol in (MQTTv5, MQTTv311):
        phone = banter.device(alice, protocol=protocol)
        ready = [json.loads(m.payload) for m in phone.messages if m.topic == "me/ready"]
        assert len(ready) == 1
        assert (ready[0]["user"], ready[0]["device"]) == (alice.handle, "phone")
        assert ready[0]["node"] and ready[0]["at"]
        # A second device of a user who is known already is ready as well.
        banter.device(alice, "tablet", protocol=protocol)
        phone.reconnect()
        assert sum(m.topic == "me/ready" for m in phone.messages) == 2


# ---------------------------------------------------------------- SIGHUP

def reload_broker(banter):
    """SIGHUP; the broker's log line about it is the sign that callbacks have run."""
    lines = banter.log("broker").count("Reloading config")
    os.kill(banter.pid("broker"), signal.SIGHUP)
    wait_until(lambda: banter.log("broker").count("Reloading config") > lines, 10, "reload")


def test_sighup_drops_nobody(banter):
    accounts = banter.signup_many(10)
    devices = [banter.device(account, name, protocol=protocol)
               for account in accounts for name, protocol in (("a", MQTTv5), ("b", MQTTv311))]
    group = banter.group(accounts[0], accounts[1:])
    reload_broker(banter)
    reload_broker(banter)
    receipt = devices[0].say(group, "everybody still here?")
    for device in devices[1:]:
        device.wait_entry(group, seq=receipt["seq"])
    assert all(device.connected for device in devices)
    assert all(sum(m.topic == "me/ready" for m in d.messages) == 1 for d in devices)


def test_a_connection_ends_soon_after_its_token(banter):
    """It is told why, and a new token opens the next one; others are left alone."""
    alice = banter.signup("alice")
    header, claims = tokens.parts(alice.access_token)
    leeway = 30
    short = tokens.sign(tokens.server_key(banter), header,
                        {**claims, "exp": int(time.time()) - leeway + 2})
    phone = banter.device(alice, token=short)
    other = banter.device(alice, "laptop")
    phone.wait_message(lambda m: m.topic == "me/event", timeout=30)
    assert phone.events() == [{"event": "closing", "reason": "expired"}]
    phone.wait_closed()
    assert banter.request("GET", "/v1/conversations", token=short).status == 401
    assert_refused(banter, alice, token=short)
    banter.device(alice, "phone", token=alice.access_token)
    assert other.connected
