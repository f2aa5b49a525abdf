# SPDX-License-Identifier: MIT
"""Issue 2, item 1, over MQTT: who gets in, as whom, and that nobody else falls out."""
import json
import os
import re
import signal
import time

import pytest

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from support import MQTTv5, MQTTv311, Refused, tokens, wait_until
from support.faults import restart

REFUSED = {MQTTv5: 0x87, MQTTv311: 5}
SESSION_TAKEN_OVER = 0x8e


def assert_refused(banter, account, protocol=MQTTv5, **options):
    with pytest.raises(Refused) as refusal:
        banter.device(account, protocol=protocol, wait_ready=False, **options)
    assert refusal.value.code == REFUSED[protocol]


# ---------------------------------------------------------------- tokens

def forgeries(genuine, key):
    """Name and token of everything that must not get in. The key is the server's own, so that each
    one is wrong in exactly one way."""
    header, claims = tokens.parts(genuine)
    stranger = Ed25519PrivateKey.generate()
    now = int(time.time())
    head, body, signature = genuine.split(".")
    public = tokens.raw_public(key)

    def claim(**changes):
        return tokens.sign(key, header, {**claims, **changes})

    def without(name):
        return tokens.sign(key, header, {k: v for k, v in claims.items() if k != name})

    def headed(changes=None, drop=()):
        changed = {k: v for k, v in {**header, **(changes or {})}.items() if k not in drop}
        return tokens.sign(key, changed, claims)

    def es256():
        p256 = ec.generate_private_key(ec.SECP256R1())
        signed = f"{tokens.b64(tokens.as_json({**header, 'alg': 'ES256'}))}.{body}"
        r, s = decode_dss_signature(p256.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{signed}.{tokens.b64(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"

    yield "empty", ""
    yield "nonsense", "nonsense"
    yield "only dots", ".."
    yield "two parts", f"{head}.{body}"
    yield "four parts", f"{genuine}.{signature}"
    yield "no signature", f"{head}.{body}."
    yield "space before", " " + genuine
    yield "newline after", genuine + "\n"
    yield "padded", genuine + "=="
    yield "Bearer", "Bearer " + genuine
    yield "signature of zeros", f"{head}.{body}.{tokens.b64(bytes(64))}"
    yield "signature cut", genuine[:-8]
    yield "another signature bit", f"{head}.{body}.{flip(signature)}"
    yield "not canonical base64url", f"{head}.{body}.{noncanonical(signature)}"
    changed = tokens.b64(tokens.as_json({**claims, "x": 1}))
    yield "body changed after signing", f"{head}.{changed}.{signature}"
    yield "stranger's key", tokens.sign(stranger, header, claims)
    yield "stranger's key and kid", tokens.sign(stranger, {**header, "kid": "stranger"}, claims)
    yield "stranger's key in the header", tokens.sign(stranger, {**header, "jwk": {
        "kty": "OKP", "crv": "Ed25519", "x": tokens.b64(tokens.raw_public(stranger))}}, claims)
    yield "alg none", f"{tokens.b64(tokens.as_json({**header, 'alg': 'none'}))}.{body}."
    yield "alg None with signature", headed({"alg": "None"})
    yield "alg HS256 keyed with the public key", tokens.sign_hs256(
        public, {**header, "alg": "HS256"}, claims)
    yield "alg HS256 keyed with the PEM", tokens.sign_hs256(
        tokens.pem_public(key), {**header, "alg": "HS256"}, claims)
    yield "alg HS256 keyed with the JWK's x", tokens.sign_hs256(
        tokens.b64(public).encode(), {**header, "alg": "HS256"}, claims)
    yield "EdDSA said, HS256 done", tokens.sign_hs256(public, header, claims)
    yield "alg ES256", es256()
    yield "alg RS256", headed({"alg": "RS256"})
    yield "alg eddsa", headed({"alg": "eddsa"})
    yield "alg an array", headed({"alg": ["EdDSA"]})
    yield "no alg", headed(drop=["alg"])
    yield "no kid", headed(drop=["kid"])
    yield "empty kid", headed({"kid": ""})
    yield "kid a path", headed({"kid": "../../../../dev/null"})
    yield "kid of SQL", headed({"kid": "x' OR '1'='1"})
    yield "kid a number", headed({"kid": 1})
    yield "crit", headed({"crit": ["exp"]})
    yield "jku", headed({"jku": "https://example.org/jwks.json"})
    yield "x5u", headed({"x5u": "https://example.org/cert.pem"})
    yield "two algs", tokens.sign(
        key, json.dumps(header).encode()[:-1] + b',"alg":"EdDSA"}', claims)
    yield "two subs", tokens.sign(
        key, header, json.dumps(claims).encode()[:-1] + b',"sub":"root"}')
    yield "header an array", tokens.sign(key, b"[]", claims)
    yield "claims an array", tokens.sign(key, header, b"[]")
    yield "claims not JSON", tokens.sign(key, header, b"{")
    yield "claims not UTF-8", tokens.sign(key, header, b'{"sub":"\xff"}')
    yield "expired", claim(exp=now - 120)
    yield "expired long ago", claim(exp=1)
    yield "exp negative", claim(exp=-1)
    yield "exp a string", claim(exp=str(now + 600))
    yield "exp a fraction", claim(exp=now + 600.5)
    yield "exp beyond 64 bits", claim(exp=2 ** 63)
    yield "exp 1e400", tokens.sign(key, header, json.dumps(claims).encode().replace(
        str(claims["exp"]).encode(), b"1e400"))
    yield "no exp", without("exp")
    yield "not yet", claim(nbf=now + 600)
    yield "another issuer", claim(iss="https://example.org")
    yield "no issuer", without("iss")
    yield "another audience", claim(aud="other")
    yield "audience a list", claim(aud=[claims["aud"]])
    yield "no audience", without("aud")
    yield "no sub", without("sub")
    yield "sub a number", claim(sub=7)
    yield "no uid", without("uid")
    yield "uid 0", claim(uid=0)
    yield "uid negative", claim(uid=-1)
    yield "uid a string", claim(uid=str(claims["uid"]))
    yield "too long", claim(filler="x" * 5000)


def flip(signature):
    raw = bytearray(tokens.unb64(signature))
    raw[10] ^= 1
    return tokens.b64(bytes(raw))


def noncanonical(signature):
    """The same 64 bytes: only the unused bits of the last character differ."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    changed = signature[:-1] + alphabet[alphabet.index(signature[-1]) ^ 1]
    assert tokens.unb64(changed) == tokens.unb64(signature)
    return changed


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


# ---------------------------------------------------------------- key rotation, SIGHUP

def reload_broker(banter):
    """SIGHUP; the broker's log line about it is the sign that callbacks have run."""
    lines = banter.log("broker").count("Reloading config")
    os.kill(banter.pid("broker"), signal.SIGHUP)
    wait_until(lambda: banter.log("broker").count("Reloading config") > lines, 10, "reload")


def test_keys_rotate_without_anyone_noticing(fresh_banter):
    banter = fresh_banter
    alice, bob = banter.signup("alice"), banter.signup("bob")
    watching = banter.device(bob)
    old_token = alice.access_token
    old_path = tokens.key_paths(banter)[0]

    tokens.add_key(banter)
    restart(banter, "bridge")
    reload_broker(banter)
    alice.login()
    new_token = alice.access_token
    kids = [tokens.parts(token)[0]["kid"] for token in (old_token, new_token)]
    assert kids[0] != kids[1], "the newest key signs"
    published = banter.request("GET", "/.well-known/jwks.json").ok()["keys"]
    assert {key["kid"] for key in published} == set(kids)
    assert not any("d" in key for key in published), "a private key was published"
    for name, token in (("old", old_token), ("new", new_token)):
        banter.device(alice, name, token=token)
        assert banter.request("GET", "/v1/conversations", token=token).status == 200

    # The old key retires: its tokens are refused, and who is connected stays.
    old_device = banter.device(alice, "old", token=old_token)
    old_path.unlink()
    restart(banter, "bridge")
    reload_broker(banter)
    assert_refused(banter, alice, token=old_token)
    assert banter.request("GET", "/v1/conversations", token=old_token).status == 401
    sender = banter.device(alice, "new", token=new_token)
    assert old_device.connected and watching.connected
    receipt = sender.say(f"@{bob.handle}", "rotated")
    watching.wait_entry(receipt["conversation"], seq=receipt["seq"])
    old_device.wait_entry(receipt["conversation"], seq=receipt["seq"])


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
