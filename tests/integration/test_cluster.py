# SPDX-License-Identifier: MIT
"""Two nodes on one database: what people notice of it, which is nothing."""
import json
import pathlib
import shutil
import tempfile
import time

import pytest

from support import Cluster, Refused, wait_until
from support.lifetime import kept, lent
from support.erasure import erase, wait_erased
from support.promise import PATIENCE, promised
from support.raw_http import connect_raw
from support.waiting import Timeout
from support.websocket import read_head, request_head

SOON = 3  # seconds in which what one node does has come to another
WITHIN_S = 1  # and in which connections end everywhere, if their login does

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def shared_cluster():
    # Not tmp_path: the user that runs the processes must be able to get there.
    root = pathlib.Path(tempfile.mkdtemp(prefix="banter-test-", dir="/tmp"))
    root.chmod(0o755)
    (root / "index.html").write_text("<!doctype html><title>Banter</title>")
    made = Cluster(("a", "b"), per_node={
        "a": {"BANTER_PUBLIC_MQTT": "mqtt://a.example:1883", "BANTER_LOCATION": "eu/de",
              "BANTER_PUBLIC_HTTP": "https://a.example"},
        "b": {"BANTER_PUBLIC_MQTT": "mqtt://b.example:1883", "BANTER_LOCATION": "us/west",
              "BANTER_PUBLIC_HTTP": "https://b.example:8443/",
              "BANTER_PUBLIC_WS": "wss://ws.b.example/mqtt"}},
        BANTER_WEB_ROOT=root, BANTER_WEB_CONNECT_SOURCES="wss://*.example.org")
    yield from kept(made)
    shutil.rmtree(root)


@pytest.fixture
def nodes(shared_cluster, request):
    yield from lent(shared_cluster, request)


@pytest.fixture
def pair(nodes):
    """alice on the first node, bob on the second."""
    a, b = nodes
    return a.device(a.signup("alice")), b.device(b.signup("bob"))


@pytest.fixture
def group(pair):
    """The two in a group."""
    alice, bob = pair
    conversation = alice.system.group(alice.account, [bob.account])
    bob.wait_entry(conversation, seq=1, timeout=SOON)
    return conversation


def texts(device, conversation):
    return [e["text"] for e in device.entries(conversation) if e["kind"] == "text"]


def test_two_people_chat(pair):
    alice, bob = pair
    receipt = alice.say(f"@{bob.account.handle}", "hello")
    conversation = receipt["conversation"]
    assert bob.wait_entry(conversation, seq=1, timeout=SOON)["text"] == "hello"
    for number in range(20):
        assert bob.say(conversation, f"b{number}")["seq"] == 2 + 2 * number
        alice.wait_entry(conversation, seq=2 + 2 * number, timeout=SOON)
        alice.say(conversation, f"a{number}")
        bob.wait_entry(conversation, seq=3 + 2 * number, timeout=SOON)
    assert [e["seq"] for e in bob.entries(conversation)] == [1, *range(3, 43, 2)]
    assert [e["seq"] for e in alice.entries(conversation)] == [*range(2, 42, 2)]


def test_it_is_quick(pair, group):
    """Not by the database's turns: a message takes milliseconds."""
    alice, bob = pair
    bob.say(group, "warm")
    took = []
    for number in range(20):
        began = time.monotonic()
        alice.send(group, f"quick {number}")
        bob.wait_entry(group, text=f"quick {number}", timeout=SOON)
        took.append(time.monotonic() - began)
    assert sorted(took)[10] < 0.1, took


def test_both_at_once_in_one_order(pair, group):
    alice, bob = pair
    watcher = alice.system.device(alice.account, "laptop")
    count = 200
    for number in range(count):
        alice.send(group, f"a{number}")
        bob.send(group, f"b{number}")
    entries = watcher.wait_entries(group, 2 * count, timeout=20)
    seqs = [e["seq"] for e in entries]
    assert seqs == list(range(seqs[0], seqs[0] + 2 * count))
    for letter in "ab":
        assert [e["text"] for e in entries if e["text"][0] == letter] == \
            [f"{letter}{number}" for number in range(count)]
    for device, other in ((alice, "b"), (bob, "a")):
        wait_until(lambda: len(texts(device, group)) >= count, 10, "the other's messages")
        assert texts(device, group) == [f"{other}{number}" for number in range(count)]


def test_a_long_message(pair, group):
    alice, bob = pair
    text = "long " * 20000
    alice.say(group, text)
    assert bob.wait_entry(group, text=text, timeout=SOON)


def test_a_newcomer_gets_what_follows(nodes, pair, group):
    alice, bob = pair
    carol = nodes[1].device(nodes[1].signup("carol"))
    alice.system.data_of(alice.account, {"command": "addMembers", "conversation": group,
                                         "members": [carol.account.handle]})
    alice.send(group, "welcome")
    assert [e["kind"] for e in carol.wait_entries(group, 2, timeout=SOON)] == \
        ["members_added", "text"]
    assert carol.wait_message(lambda m: m.topic == "me/event" and b"added" in m.payload)
    carol.say(group, "thanks")
    alice.wait_entry(group, text="thanks", timeout=SOON)
    bob.wait_entry(group, text="thanks", timeout=SOON)


@pytest.mark.parametrize("where", [0, 1])
def test_removed_is_removed_everywhere(nodes, pair, group, where):
    """Once confirmed, nothing that follows reaches the removed member, on whichever node."""
    alice, bob = pair
    bob.say(group, "here")
    phone = nodes[where].device(alice.account, "tool")
    for turn in range(3):
        nodes[where].data_of(alice.account, {"command": "removeMember", "conversation": group,
                                             "user": bob.account.handle})
        seen = len(bob.entries(group))
        for number in range(5):
            phone.say(group, f"secret {turn} {number}")
        assert bob.wait_message(lambda m: m.topic == "me/event" and b"removed" in m.payload)
        time.sleep(0.3)
        assert len(bob.entries(group)) == seen, bob.entries(group)[seen:]
        nodes[1 - where].data_of(alice.account, {"command": "addMembers", "conversation": group,
                                                 "members": [bob.account.handle]})
        phone.send(group, f"again {turn}")
        bob.wait_entry(group, text=f"again {turn}", timeout=SOON)


def test_a_deleted_conversation(nodes, pair, group):
    alice, bob = pair
    bob.say(group, "here")
    nodes[0].data_of(alice.account, {"command": "deleteConversation", "conversation": group})
    assert bob.wait_message(lambda m: m.topic == "me/event" and b"removed" in m.payload)
    assert bob.receipt(bob.send(group, "anybody?"))["error"]["code"] == "not_found"


def test_roles(nodes, pair, group):
    alice, bob = pair
    bob.say(group, "here")
    nodes[0].data_of(alice.account, {"command": "setRole", "conversation": group,
                                     "user": bob.account.handle, "role": "reader"})
    assert bob.wait_message(lambda m: m.topic == "me/event" and b"role_changed" in m.payload)
    assert bob.receipt(bob.send(group, "may I?"))["error"]["code"] == "forbidden"


def test_a_channel(nodes, pair):
    alice, bob = pair
    channel = nodes[0].data_of(alice.account, {"command": "createChannel", "title": "News",
                                               "public": True})["conversation"]
    nodes[1].data_of(bob.account, {"command": "join", "conversation": channel})
    alice.say(channel, "headline")
    bob.wait_entry(channel, text="headline", timeout=SOON)


# ---------------------------------------------------------------- signals

def test_typing_and_cursors(pair, group):
    alice, bob = pair
    bob.say(group, "here")
    alice.wait_entry(group, text="here", timeout=SOON)
    alice.publish(f"send/{group}/typing", json.dumps({"state": "start"}))
    told = bob.wait_message(lambda m: m.topic == f"chat/{group}/typing", timeout=SOON)
    assert json.loads(told.payload) == {"from": alice.account.handle, "state": "start"}
    alice.publish(f"send/{group}/cursor", json.dumps({"read": 2}))
    told = bob.wait_message(lambda m: m.topic == f"chat/{group}/cursor", timeout=SOON)
    assert json.loads(told.payload)["read"] == 2


def test_a_users_own_devices(nodes, pair, group):
    """On two nodes: the other one hears what the one says, and what was read."""
    alice, _bob = pair
    laptop = nodes[1].device(alice.account, "laptop")
    alice.say(group, "from my phone")
    laptop.wait_entry(group, text="from my phone", timeout=SOON)
    laptop.publish(f"send/{group}/cursor", json.dumps({"read": 2}))
    alice.wait_message(lambda m: m.topic == f"chat/{group}/cursor", timeout=SOON)
    nodes[1].request("PATCH", "/v1/me", {"name": "Alice A."}, account=alice.account).ok()
    for device in (alice, laptop):
        device.wait_message(lambda m: b"profile_changed" in m.payload, timeout=SOON)


# ---------------------------------------------------------------- presence

def states(device, account):
    return [json.loads(m.payload)["state"] for m in list(device.messages)
            if m.topic == f"presence/{account.handle}"]


def wait_states(device, account, *expected, timeout=10):
    try:
        wait_until(lambda: states(device, account)[-len(expected):] == list(expected), timeout,
                   "presence")
    except Timeout:
        pytest.fail(f"not {expected} but {states(device, account)}")


def test_presence(nodes, pair, group):
    alice, bob = pair
    assert alice.subscribe(f"presence/{bob.account.handle}") == 0
    wait_states(alice, bob.account, "online")
    bob.publish("send/me/presence", json.dumps({"state": "away"}))
    wait_states(alice, bob.account, "online", "away")
    laptop = nodes[0].device(bob.account, "laptop")
    wait_states(alice, bob.account, "online", "away", "online")
    bob.disconnect()
    time.sleep(1.5)  # the grace time: the other node still has him
    wait_states(alice, bob.account, "online", "away", "online")
    laptop.publish("send/me/presence", json.dumps({"state": "hidden"}))
    wait_states(alice, bob.account, "online", "away", "online", "offline")
    bob.connect()
    time.sleep(0.3)
    wait_states(alice, bob.account, "online", "away", "online", "offline")
    bob.publish("send/me/presence", json.dumps({"state": "online"}))
    wait_states(alice, bob.account, "offline", "online")
    laptop.disconnect()
    bob.disconnect()
    wait_states(alice, bob.account, "offline", "online", "offline")


def test_last_seen_of_another_node(nodes, pair, group):
    alice, bob = pair
    alice.subscribe(f"presence/{bob.account.handle}")
    wait_states(alice, bob.account, "online")
    bob.disconnect()
    wait_states(alice, bob.account, "online", "offline")
    told = [json.loads(m.payload) for m in alice.messages
            if m.topic == f"presence/{bob.account.handle}"]
    assert "last_seen" in told[-1]
    late = nodes[1].device(alice.account, "late")
    late.subscribe(f"presence/{bob.account.handle}")
    wait_states(late, bob.account, "offline")


# ---------------------------------------------------------------- logins and devices

def test_the_same_device_on_two_nodes(nodes, pair):
    alice, _bob = pair
    again = nodes[1].device(alice.account, "phone")
    alice.wait_closed(timeout=SOON)
    assert json.loads(alice.wait_message(
        lambda m: m.topic == "me/event").payload)["reason"] == "taken_over"
    time.sleep(0.5)
    assert again.connected
    alice.reconnect()
    again.wait_closed(timeout=SOON)
    assert alice.connected


def test_an_erased_user(nodes, pair, group):
    """Erased at one node: the other one's devices of theirs go, and its people hear of it."""
    alice, bob = pair
    a, b = nodes
    roaming = b.device(alice.account.another_login(system=b), "tablet")
    said = alice.say(group, "words that go")["seq"]
    bob.wait_entry(group, seq=said)
    with promised(b, WITHIN_S) as promise:
        erasure = erase(alice.account)
        promise.begins()
        for device in (alice, roaming):
            device.wait_closed(PATIENCE)
    for device in (alice, roaming):
        assert {"event": "closing", "reason": "revoked"} in device.events()
    done = wait_erased(a, erasure)
    entry = bob.wait_entry(group, kind="member_erased", timeout=20)
    assert entry["from"] == done["author"]
    refused = b.request("GET", "/v1/me", account=roaming.account)
    assert refused.status == 401


def test_a_revoked_device(nodes, pair):
    alice, _bob = pair
    lost = alice.account.another_login("laptop", system=nodes[1])
    laptop = nodes[1].device(lost, "laptop")
    with promised(nodes[1], WITHIN_S):
        answer = alice.control({"command": "revokeDevice", "device": "laptop"})[0]
        assert answer["data"] == {"revoked": 1}
        laptop.wait_closed(PATIENCE)
    assert {"event": "closing", "reason": "revoked"} in laptop.events()
    for node in nodes:
        assert node.request("GET", "/v1/me", account=lost).status == 401
        with pytest.raises(Refused):
            node.device(lost, "laptop")
    assert alice.connected


def test_logging_out(nodes, pair):
    alice, _bob = pair
    login = alice.account.another_login(system=nodes[1])
    other = nodes[1].device(login, "web")
    nodes[0].request("POST", "/v1/logout", {"refresh_token": login.refresh_token}).ok()
    other.wait_closed(timeout=SOON)
    assert alice.connected


# ---------------------------------------------------------------- where to connect

def test_servers(nodes):
    a, b = nodes
    for node in nodes:
        def told(location):
            return [s["node"] for s in node.request(
                "GET", f"/v1/servers?location={location}").ok()["servers"]]
        wait_until(lambda: sorted(told("")) == ["a", "b"], 5, "both nodes")
        assert told("eu/fr") == ["a", "b"]
        assert told("us/west/sf") == ["b", "a"]
    answer = a.request("GET", "/v1/servers?location=us").ok()["servers"][0]
    assert answer == {"node": "b", "mqtt": "mqtt://b.example:1883", "location": "us/west",
                      "http": "https://b.example:8443/", "ws": "wss://ws.b.example/mqtt",
                      "load": answer["load"]}
    b.operate("drain", "--over", "1")
    try:
        wait_until(lambda: [s["node"] for s in a.request(
            "GET", "/v1/servers").ok()["servers"]] == ["a"], 5, "the draining node gone")
    finally:
        b.operate("drain", "--off")


def test_the_pages_of_one_node_may_use_the_other(nodes):
    """Also when that one has died: they are still open."""
    a, b = nodes

    def page(**headers):
        return a.request("GET", "/", headers={"Accept": "text/html", **headers})

    def sources():
        rules = page().headers["Content-Security-Policy"].split("; ")
        return next(rule for rule in rules if rule.startswith("connect-src "))
    wanted = ("connect-src 'self' wss://*.example.org https://a.example https://b.example:8443 "
              "wss://a.example wss://ws.b.example")
    wait_until(lambda: sources() == wanted, 30, "both nodes' addresses")
    tag = page().headers["ETag"]
    assert page(**{"If-None-Match": tag}).status == 304

    def admitted(node, origin):
        answer = node.request("GET", "/v1/servers", headers={"Origin": origin})
        return answer.headers["Access-Control-Allow-Origin"] == origin

    def shakes_hands(node, origin):
        with connect_raw(node.ws) as sock:
            sock.sendall(request_head(node.ws, Origin=origin))
            return read_head(sock)[0].startswith("HTTP/1.1 101 ")
    for node in nodes:
        for origin in ("https://a.example", "https://b.example:8443"):
            wait_until(lambda: admitted(node, origin) and shakes_hands(node, origin), 30,
                       f"{origin} may use both")
        for origin in ("https://b.example", "https://ws.b.example", "https://a.example.org"):
            assert not admitted(node, origin) and not shakes_hands(node, origin)
    b.down()
    try:
        # Nor does a bridge that has never met that node keep its pages out.
        a.operate("restart", "bridge")
        a.wait_ready(60)
        wait_until(lambda: sources() == wanted, 30, "the addresses of a node that is gone")
        wait_until(lambda: shakes_hands(a, "https://b.example:8443"), 30, "its pages")
    finally:
        b.up()


def test_what_strangers_write_to_redis_is_nothing(nodes, pair, group):
    alice, bob = pair
    bob.say(group, "here")
    for payload in ("", "x", "y" * 100):
        for channel in ("banter:all", f"banter:c:{group}", "banter:n:b"):
            nodes.redis.command("PUBLISH", channel, payload)
    alice.say(group, "all well")
    bob.wait_entry(group, text="all well", timeout=SOON)
    assert nodes.metric(nodes[1], "banter_bus_forged_total") > 0


@pytest.fixture
def root(nodes):
    """An administrator, at the first node."""
    account = nodes[0].signup("root")
    nodes[0].operate("users", "admin", account.handle)
    return account


def operate(node, root, command, **arguments):
    response, = node.control(root, {"command": command, **arguments})
    return response["data"]


def test_a_disabled_user_is_gone_everywhere(nodes, pair, group, root):
    """Disabled at the first node: connections on both end, and both refuse what comes."""
    alice, bob = pair
    a, b = nodes
    home = a.device(bob.account.another_login(system=a), "laptop")
    assert operate(a, root, "disableUser", user=bob.account.handle) == {"revoked": 2}
    for device in (bob, home):
        device.wait_closed(timeout=20)
        assert {"event": "closing", "reason": "disabled"} in device.events()
        with pytest.raises(Refused):
            device.reconnect()
    body = {"handle": bob.account.handle, "password": bob.account.password}
    for node in nodes:
        answer = node.request("POST", f"/v1/conversations/{group}/messages",
                              {"id": "1", "text": "no"}, account=bob.account)
        assert answer.status == 401
        assert node.request("POST", "/v1/login", body).status == 403
    operate(b, root, "enableUser", user=bob.account.handle)
    back = b.device(bob.account.another_login(system=b), "phone")
    seq = alice.say(group, "welcome back")["seq"]
    assert back.wait_entry(group, seq=seq, timeout=20)["text"] == "welcome back"


def test_a_kick_reaches_all_nodes(nodes, pair, root):
    """Kicked by way of the node where the user is not; the logins stay good."""
    _alice, bob = pair
    a, b = nodes
    tablet = b.device(bob.account, "tablet")
    home = a.device(bob.account, "laptop")
    sessions = operate(b, root, "listSessions", user=bob.account.handle)
    assert sorted(sessions["connected"]) == ["phone", "tablet"]
    wait_until(lambda: operate(b, root, "listSessions", user=bob.account.handle)["elsewhere"], 20,
               "news of the laptop")
    operate(a, root, "kickUser", user=bob.account.handle, device="tablet")
    tablet.wait_closed(timeout=20)
    assert {"event": "closing", "reason": "kicked"} in tablet.events()
    assert bob.connected and home.connected
    operate(a, root, "kickUser", user=bob.account.handle)
    for device in (bob, home):
        device.wait_closed(timeout=20)
        assert {"event": "closing", "reason": "kicked"} in device.events()
        device.reconnect()
    assert operate(a, root, "getStats")["nodes"] == 2
