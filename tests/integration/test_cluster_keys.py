# SPDX-License-Identifier: MIT
"""Signing keys: changed while people chat on two nodes, which nobody notices; retired, which those
who hold their tokens do; and files that are of no use, which change nothing."""
import os
import pathlib
import signal
import time

import pytest

from support import Cluster, Refused, wait_until, tokens
from support.lifetime import kept, lent
from support.promise import PATIENCE, promised

OVERLAP_S = 10
RETIRED_S = 2  # in which a retired key's tokens are refused everywhere, and their connections end
NOTICED = 60  # seconds within which processes have seen a file, however busy the machine is

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def shared_cluster():
    yield from kept(Cluster(("a", "b"), BANTER_KEY_OVERLAP=OVERLAP_S))


@pytest.fixture
def nodes(shared_cluster, request):
    yield from lent(shared_cluster, request)


def states(node):
    """What `./banter keys list` says: kid -> state."""
    rows = [line.split("\t") for line in node.operate("keys", "list").splitlines()[1:]]
    return {row[0]: row[1] for row in rows}


def kid_in(state, node):
    return next((kid for kid, found in states(node).items() if found == state), None)


def kid_of(token):
    return tokens.parts(token)[0]["kid"]


def published(node):
    return {key["kid"] for key in node.request("GET", "/.well-known/jwks.json").ok()["keys"]}


def assert_good(nodes, login, device):
    """Its token lets it in everywhere, whichever node signed it."""
    for node in nodes:
        assert node.request("GET", "/v1/me", token=login.access_token).status == 200
        node.device(login, device).disconnect()


def is_refused_by(node, login):
    if node.request("GET", "/v1/me", token=login.access_token).status != 401:
        return False
    try:
        node.device(login, "refused").disconnect()
    except Refused:
        return True
    return False


class Chat:
    """alice on one node, bob on the other; each call is a message there and one back."""

    def __init__(self, nodes):
        self.alice = nodes[0].device(nodes[0].signup("alice"))
        self.bob = nodes[1].device(nodes[1].signup("bob"))
        self.count = 0

    def goes_on(self):
        self.count += 1
        for one, other in ((self.alice, self.bob), (self.bob, self.alice)):
            receipt = one.say(f"@{other.account.handle}", f"{self.count}", timeout=30)
            other.wait_entry(receipt["conversation"], seq=receipt["seq"], timeout=30)
        assert self.alice.connected and self.bob.connected
        return True


def test_keys_rotate_without_anyone_noticing_and_retire(nodes):
    a, b = nodes
    chat = Chat(nodes)
    old = kid_in("signing", a)
    a.operate("keys", "rotate")
    new = kid_in("next", b)
    with pytest.raises(RuntimeError, match="wait for that"):
        b.operate("keys", "rotate")

    def everybody_signs_with_it():
        """Until then, and from then on: all that was signed is good on both nodes.

        Without haste: of very many logins the oldest, with which alice and bob chat, would go."""
        time.sleep(1)
        logins = [person.account.another_login() for person in (chat.alice, chat.bob)]
        for login in logins:
            assert kid_of(login.access_token) in published(login.system)
            assert_good(nodes, login, "another")
        return chat.goes_on() and all(kid_of(l.access_token) == new for l in logins)

    wait_until(everybody_signs_with_it, NOTICED, "the new key")
    assert states(b) == {new: "signing", old: "old"}

    # Tokens of the old key are good until it is retired, and then nowhere.
    with pytest.raises(RuntimeError, match="may be good until"):
        a.operate("keys", "retire", old)
    assert "no key is due" in a.operate("keys", "retire")
    fresh = chat.alice.account.another_login()
    stays = a.device(fresh, "stays")
    assert kid_of(chat.alice.account.access_token) == kid_of(chat.bob.account.access_token) == old
    with promised(a, RETIRED_S) as promise:
        b.operate("keys", "retire", "--now", old)
        promise.begins()
        for device in (chat.alice, chat.bob):
            device.wait_closed(PATIENCE)
        for node in nodes:
            wait_until(lambda: is_refused_by(node, chat.bob.account), PATIENCE, "the refusal")
    for device in (chat.alice, chat.bob):
        assert {"event": "closing", "reason": "revoked"} in device.events()
    assert [published(node) for node in nodes] == [{new}, {new}]
    assert_good(nodes, fresh, "another")
    # A refresh is all that it takes: the login itself has not ended.
    renewed = b.request("POST", "/v1/token", {"refresh_token": chat.bob.account.refresh_token})
    assert_good(nodes, chat.bob.account.accept(renewed.ok()), "back")
    assert stays.connected


def is_broken(nodes, count):
    return all(nodes.metric(node, "banter_keys_broken") == count for node in nodes)


def test_broken_files_change_nothing(nodes):
    a, _ = nodes
    chat = Chat(nodes)
    directory = pathlib.Path(a.data) / "keys"
    signing = kid_in("signing", a)
    login = chat.alice.account.another_login()
    nonsense, key = directory / "-nonsense.pem", directory / f"{signing}.pem"
    nonsense.write_text("nonsense")
    nonsense.chmod(0o600)
    wait_until(lambda: is_broken(nodes, 1), NOTICED, "the metric")
    chat.goes_on()
    # Others may read the key that signs: it does so no longer, and what it has signed stays good.
    a.operate("keys", "rotate")
    new = next(iter(states(a).keys() - {signing, "-nonsense"}))
    key.chmod(0o644)
    wait_until(lambda: is_broken(nodes, 2), NOTICED, "the metric")
    assert_good(nodes, login, "another")
    assert kid_of(chat.bob.account.another_login().access_token) == new
    # A bridge that starts does not mind either.
    pid = a.kill("bridge")
    a.wait_restarted("bridge", pid, timeout=NOTICED)
    a.wait_ready(NOTICED)
    assert_good(nodes, login, "another")
    assert f"{key}: others than its owner may use it" in a.log("bridge")
    # jwks.json goes the same way: the broker keeps what it has, and the bridge mends it.
    (directory / "jwks.json").write_text("{}")
    for node in nodes:
        os.kill(node.pid("broker"), signal.SIGHUP)
    chat.goes_on()
    assert_good(nodes, login, "another")
    key.chmod(0o600)
    assert states(a)["-nonsense"] == "broken"
    a.operate("keys", "retire", "-nonsense")
    wait_until(lambda: is_broken(nodes, 0), NOTICED, "the metric")
    assert published(a) == {signing, new}
    chat.goes_on()
