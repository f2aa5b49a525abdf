# SPDX-License-Identifier: MIT
"""Leaving in good order: users are told, sent away over some time and lose nothing; a bridge that
is replaced is noticed by nobody."""
import concurrent.futures
import itertools
import json
import socket
import threading
import time

import pytest

from support import Refused, wait_until
from support.device import MQTTv311
from support.faults import restart
from support.health import Health
from support.log import assert_dense, assert_invariants, whole_log
from support.raw_http import connect_raw
from support.websocket import WebSocket, mqtt_connect, read_head, request_head

OVER_S = 3


def draining(banter, seconds, *, left=None):
    """Begins to drain, without waiting for the end."""
    thread = threading.Thread(target=banter.operate, args=("drain", "--over", str(seconds)))
    thread.start()
    wait_until(lambda: (Health(banter).reason or "").startswith("the node is draining"), 5,
             "draining", interval=0.05)
    if left is not None:
        wait_until(lambda: Health(banter).reason.endswith(f"left: {left}"), 5, f"{left} left",
                 interval=0.05)
    return thread


def going_away(device):
    return [e for e in device.events() if e.get("reason") == "going_away"]


@pytest.fixture
def crowd(fresh_banter):
    """Devices of all kinds."""
    accounts = fresh_banter.signup_many(24)
    kinds = itertools.cycle([{}, {"protocol": MQTTv311}, {"transport": "websockets"}])
    return [fresh_banter.device(account, **kind) for account, kind in zip(accounts, kinds)]


def test_all_are_told_and_leave_one_after_the_other(fresh_banter, crowd):
    began = time.monotonic()
    drain = draining(fresh_banter, OVER_S)
    ends = []
    for device in crowd:
        wait_until(lambda d=device: going_away(d), 2, "me/event")
        [event] = going_away(device)
        assert event["event"] == "closing"
        assert OVER_S * 500 < event["within_ms"] <= OVER_S * 1000
    open_devices = list(crowd)
    while open_devices:
        assert time.monotonic() - began < OVER_S + 3, "some were not ended"
        for device in [d for d in open_devices if not d.connected]:
            open_devices.remove(device)
            ends.append(time.monotonic() - began)
        time.sleep(0.02)
    drain.join(10)
    assert ends[0] >= OVER_S / 2 - 0.1, "nobody is ended before half of the time"
    assert ends[-1] - ends[0] > OVER_S / 6, "all were ended at once"
    assert max(sum(start <= end < start + 0.2 for end in ends) for start in ends) < len(ends) / 2
    assert Health(fresh_banter).reason == "the node is draining; connections left: 0"
    assert Health(fresh_banter).values["banter_draining"] == "1"


def test_nobody_is_let_in_until_it_is_over(fresh_banter):
    """The door says "unavailable"; the broker, which could only say "not authorized" and so make
    devices ask for new tokens, says nothing. HTTP goes on, and sends its users elsewhere."""
    alice = fresh_banter.signup("alice")
    fresh_banter.operate("drain", "--over", "0")
    with pytest.raises(Refused, match="closed without CONNACK"):
        fresh_banter.device(alice)
    with pytest.raises(Refused) as wrong:
        fresh_banter.device(alice, token="no.token.atall")
    assert wrong.value.code == 0x87
    sock = connect_raw(fresh_banter.ws)
    sock.sendall(request_head(fresh_banter.ws))
    head, _ = read_head(sock)
    assert head.startswith("HTTP/1.1 503 ") and "\r\nRetry-After: " in head
    answer = fresh_banter.request("GET", "/v1/me", account=alice)
    assert answer.status == 200 and answer.headers["Connection"] == "close"
    ready = fresh_banter.request("GET", "/readyz")
    assert ready.status == 503 and "draining" in ready.json()["detail"]
    assert ready.headers["Retry-After"]
    assert fresh_banter.request("GET", "/livez").status == 200
    restart_bridge_while_draining(fresh_banter)
    fresh_banter.operate("drain", "--off")
    fresh_banter.wait_ready()
    fresh_banter.device(alice)


def restart_bridge_while_draining(banter):
    """A new bridge knows, too."""
    old = banter.kill("bridge")
    banter.wait_restarted("bridge", old)
    wait_until(lambda: "left: 0" in (safe_reason(banter) or ""), 20, "draining goes on")


def safe_reason(banter):
    try:
        return Health(banter).reason
    except OSError:
        return None


def test_a_drain_is_called_off(fresh_banter, crowd):
    drain = draining(fresh_banter, 20, left=len(crowd))
    fresh_banter.operate("drain", "--off")
    drain.join(60)
    fresh_banter.wait_ready()
    time.sleep(0.5)
    assert all(device.connected for device in crowd)


def test_a_websocket_is_told_that_the_server_goes_away(fresh_banter):
    alice = fresh_banter.signup("alice")
    ws = WebSocket.connect(fresh_banter.ws)
    ws.send(mqtt_connect(alice))
    ws.receive()  # CONNACK
    draining(fresh_banter, 1).join(20)
    assert ws.close_code() == 1001


class Talker(threading.Thread):
    """Posts numbered drafts at a steady rate until it is told to stop, or its connection ends."""

    def __init__(self, device, conversation, rate):
        super().__init__()
        self.device, self.conversation, self.pause = device, conversation, 1 / rate
        self.sent = []
        self.over = threading.Event()

    def run(self):
        due = time.monotonic()
        while not self.over.is_set() and self.device.connected:
            try:
                self.sent.append(self.device.send(self.conversation, f"{len(self.sent)}"))
            except (OSError, ValueError, RuntimeError):
                return
            due += self.pause
            time.sleep(max(0, due - time.monotonic()))


def receipts_of(device):
    """Those that say "stored", by draft; each may come only once."""
    found = {}
    for receipt in device.receipts():
        if "seq" in receipt:
            assert receipt["id"] not in found, f"a second receipt: {receipt}"
            found[receipt["id"]] = receipt
    return found


def test_down_loses_nothing(make_system):
    """Everything stops while people chat. Whatever was receipted is in the log, and what was not is
    sent again: in the end each draft is there once."""
    banter = make_system(BANTER_DRAIN_SECONDS=2)
    alice, bob = banter.signup("alice"), banter.signup("bob")
    group = banter.group(alice, [bob])
    talkers = [Talker(banter.device(account, name), group, 50)
               for account in (alice, bob) for name in ("one", "two")]
    for talker in talkers:
        talker.start()
    time.sleep(1)
    banter.down()
    for talker in talkers:
        talker.join(30)
        assert going_away(talker.device), "nobody said that the server goes away"
    banter.up()
    banter.wait_ready()
    stored = {e["id"]: e["seq"] for e in whole_log(banter, alice, group) if e["kind"] == "text"}
    for talker in talkers:
        receipted = receipts_of(talker.device)
        assert receipted, "nothing was receipted"
        for draft, receipt in receipted.items():
            assert stored.get(draft) == receipt["seq"], f"receipted and lost: {receipt}"
        talker.device.connect()
        for draft in [d for d in talker.sent if d not in receipted]:
            talker.device.send(group, f"{talker.sent.index(draft)}", id=draft)
            talker.device.receipt(draft, timeout=20)
    log = whole_log(banter, alice, group)
    assert_dense(log)
    texts = [e["id"] for e in log if e["kind"] == "text"]
    assert sorted(texts) == sorted(d for t in talkers for d in t.sent)
    assert_invariants(banter)


def test_five_bridges_and_nobody_notices(fresh_banter):
    """The bridge is replaced five times while six devices post 300 messages/s: nobody is
    disconnected, each draft is receipted once, and the longest pause is short."""
    banter = fresh_banter
    accounts = banter.signup_many(6)
    group = banter.group(accounts[0], accounts[1:])
    devices = [banter.device(account) for account in accounts]
    listener = banter.device(accounts[0], "listener")
    talkers = [Talker(device, group, 50) for device in devices]
    for talker in talkers:
        talker.start()
    bridges = {banter.pid("bridge")}
    for _ in range(5):
        time.sleep(1.5)
        banter.operate("restart", "bridge")
        bridges.add(banter.pid("bridge"))
    time.sleep(1)
    for talker in talkers:
        talker.over.set()
        talker.join()
    assert len(bridges) == 6
    count = sum(len(talker.sent) for talker in talkers)
    wait_until(lambda: sum(len(receipts_of(d)) for d in devices) == count, 30, "all receipts",
               interval=0.2)
    assert all(device.connected for device in [*devices, listener])
    for talker in talkers:
        assert set(receipts_of(talker.device)) == set(talker.sent)
        refused = [r for r in talker.device.receipts() if "error" in r]
        assert not refused, refused[:3]
    at = sorted(m.at for d in devices for m in d.messages if m.topic == "me/receipt")
    pause = max(later - earlier for earlier, later in zip(at, at[1:]))
    print(f"{count} drafts, longest pause {pause:.2f} s")
    assert pause < 2, f"a pause of {pause:.2f} s"
    log = whole_log(banter, accounts[0], group)
    assert_dense(log)
    assert sorted(e["id"] for e in log if e["kind"] == "text") == sorted(
        d for t in talkers for d in t.sent)
    listener.wait_entry(group, seq=log[-1]["seq"], timeout=10)
    seqs = [e["seq"] for e in listener.entries(group)]
    assert seqs == list(range(seqs[0], log[-1]["seq"] + 1))
    assert_invariants(banter)


def test_requests_under_way_get_their_answers(make_system):
    """Passwords take long: the bridge is told to stop while some are being hashed."""
    banter = make_system(BANTER_ARGON2_MEMORY_KIB=65536, BANTER_ARGON2_PASSES=4,
                         BANTER_PASSWORD_WORKERS=1)
    alice = banter.signup("alice")
    body = {"handle": alice.handle, "password": alice.password}
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        logins = [pool.submit(banter.request, "POST", "/v1/login", body) for _ in range(4)]
        wait_until(lambda: int(Health(banter).values["banter_passwords_pending"]) >= 2, 10,
                   "logins under way", interval=0.01)
        banter.operate("restart", "bridge")
        assert [login.result().status for login in logins] == [200] * 4


def test_a_kept_connection_is_told_that_the_server_stops(make_system):
    """What comes while the bridge finishes its work is refused in a way that can be repeated."""
    banter = make_system(BANTER_ARGON2_MEMORY_KIB=262144, BANTER_ARGON2_PASSES=8,
                         BANTER_PASSWORD_WORKERS=1)
    alice = banter.signup("alice")
    kept = socket.create_connection((banter.mqtt_host, int(banter.http.rsplit(":", 1)[1])))
    ask = b"GET /v1/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"
    kept.settimeout(10)
    kept.sendall(ask)
    head, body = read_head(kept)
    assert head.startswith("HTTP/1.1 200")
    length = int(head.lower().split("content-length: ")[1].split("\r\n")[0])
    while len(body) < length:
        body += kept.recv(65536)
    login = {"handle": alice.handle, "password": alice.password}
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        answer = pool.submit(banter.request, "POST", "/v1/login", login)
        wait_until(lambda: int(Health(banter).values["banter_passwords_pending"]) >= 1, 10,
                   "a login under way", interval=0.01)
        stop = pool.submit(banter.operate, "restart", "bridge")
        wait_until(lambda: "stopping" in banter.log("bridge").split("serves")[-1], 5, "the stop")
        kept.sendall(ask)
        head, body = read_head(kept)
        assert head.startswith("HTTP/1.1 503") and "\r\nRetry-After: " in head
        assert json.loads(body or kept.recv(4096))["detail"] == "the server is stopping"
        assert answer.result().status == 200
        stop.result()
    restart(banter, "bridge")
