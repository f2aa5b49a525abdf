# SPDX-License-Identifier: MIT
"""The front door as hostile, slow and unusual WebSocket clients meet it, on raw sockets; honest
ones are in test_mqttjs.py and below."""
import json
import os
import re
import resource
import socket
import time

import pytest

from support import Refused, wait_until
from support.bad_websockets import FIRST_PACKETS, FRAMES, HANDSHAKES
from support.device import MQTTv5, MQTTv311
from support.faults import resident_kib
from support.raw_http import connect_raw, exchange
from support.websocket import (BINARY, CLOSE, CONNACK, CONTINUATION, DISCONNECT, PING, PINGREQ,
                               PINGRESP, PONG, WebSocket, frame, mqtt_connect, mqtt_publish,
                               read_head, request_head, string)


def connect(system, account, device="raw", **options):
    """A WebSocket whose MQTT is connected."""
    websocket = WebSocket.connect(system.ws, **options)
    websocket.send(mqtt_connect(account, device))
    received = b""
    while len(received) < len(CONNACK):
        received += websocket.receive_data()
    assert received.startswith(CONNACK), received
    return websocket


def metric(system, name):
    found = re.search(rf"^banter_{re.escape(name)} (\d+)$", system.metrics(), re.MULTILINE)
    return int(found[1])


def draft(text, name):
    return json.dumps({"id": name, "kind": "text", "text": text}).encode()


# ---------------------------------------------------------------- honest clients


@pytest.mark.parametrize("protocol", [MQTTv311, MQTTv5])
def test_paho_talks_over_websockets(banter, protocol):
    alice, bob = banter.signup("alice"), banter.signup("bob")
    phone = banter.device(alice, transport="websockets", protocol=protocol)
    other = banter.device(bob, transport="websockets", protocol=protocol)
    text = "ö" * 100_000
    receipt = phone.say(f"@{bob.handle}", text)
    assert other.wait_entry(receipt["conversation"], seq=receipt["seq"], timeout=20)["text"] == text
    for i in range(200):
        other.send(receipt["conversation"], text=f"answer {i}")
    phone.wait_entries(receipt["conversation"], 200)
    assert [e["text"] for e in phone.entries(receipt["conversation"])] == \
        [f"answer {i}" for i in range(200)]


def test_credentials_count_as_they_do_on_tcp(banter):
    alice, bob = banter.signup("alice"), banter.signup("bob")
    with pytest.raises(Refused):
        banter.device(alice, transport="websockets", token="wrong")
    with pytest.raises(Refused):
        banter.device(alice, transport="websockets", client_id=f"{bob.handle}/phone")
    websocket = WebSocket.connect(banter.ws)
    websocket.send(mqtt_connect(alice, token="wrong"))
    assert websocket.receive_data() == b"\x20\x02\x00\x05"
    assert websocket.close_code() == 1001


def test_http_and_websocket_share_the_port(banter):
    assert banter.ws == banter.http.replace("http", "ws") + "/mqtt"
    assert banter.request("GET", "/livez").status == 200


# ---------------------------------------------------------------- the handshake

@pytest.mark.parametrize("name", HANDSHAKES)
def test_refused_handshakes(banter, name):
    fields, status = HANDSHAKES[name]
    answer = exchange(banter.ws, request_head(banter.ws, **fields)).decode()
    head, _, body = answer.partition("\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} "), head
    assert "Content-Type: application/problem+json" in head
    problem = json.loads(body)
    assert problem["status"] == status and problem["detail"] and problem["code"]
    assert (status == 426) == ("Sec-WebSocket-Version: 13" in head)
    assert len(re.findall(r"^HTTP/1.1 ", answer, re.MULTILINE)) == 1


def test_the_refusal_of_an_older_subprotocol_says_what_to_do(banter):
    answer = exchange(banter.ws, request_head(banter.ws, Sec_WebSocket_Protocol="mqttv3.1"))
    assert "subprotocol mqtt" in json.loads(answer.partition(b"\r\n\r\n")[2])["detail"]


def test_origins(make_system):
    system = make_system(BANTER_WEBSOCKET_ORIGINS="https://app.example.org")
    alice = system.signup("alice")
    for origin in (system.http, "https://app.example.org"):
        connect(system, alice, Origin=origin).close()
    evil = exchange(system.ws, request_head(system.ws, Origin="https://evil.example"))
    assert evil.startswith(b"HTTP/1.1 403 ")
    # The same pages may ask the API, by what the token says and nothing else.
    for path, account, status in (("/v1/me", alice, 200), ("/v1/me", None, 401),
                                  ("/v1/nothing", None, 404)):
        answer = system.request("GET", path, account=account,
                                headers={"Origin": "https://app.example.org"})
        assert answer.status == status
        assert answer.headers["Access-Control-Allow-Origin"] == "https://app.example.org"
        assert "Retry-After" in answer.headers["Access-Control-Expose-Headers"]
        assert "Origin" in answer.headers["Vary"]
        assert "Access-Control-Allow-Credentials" not in answer.headers
    for origin, method, path in (("https://evil.example", "GET", "/v1/me"),
                                 ("https://evil.example", "OPTIONS", "/v1/me"),
                                 ("null", "GET", "/v1/me"), (system.http, "GET", "/v1/me"),
                                 ("https://app.example.org", "GET", "/livez")):
        answer = system.request(method, path, account=alice, headers={"Origin": origin})
        assert not any(name.startswith("Access-Control") for name in answer.headers), origin
    asked = system.request("OPTIONS", "/v1/me", headers={
        "Origin": "https://app.example.org", "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "authorization,content-type"})
    assert asked.status == 204
    assert asked.headers["Access-Control-Allow-Origin"] == "https://app.example.org"
    assert asked.headers["Access-Control-Allow-Methods"] == "GET, HEAD, PATCH, OPTIONS"
    assert "Authorization" in asked.headers["Access-Control-Allow-Headers"]
    assert int(asked.headers["Access-Control-Max-Age"]) > 0


def test_mqtt_is_chosen_among_several_and_nothing_is_compressed(banter):
    WebSocket.connect(banter.ws, Sec_WebSocket_Protocol="mqttv3.1, mqtt",
                      Sec_WebSocket_Extensions="permessage-deflate").close()


def test_a_handshake_that_comes_byte_by_byte_with_mqtt_behind_it(banter):
    alice = banter.signup("alice")
    with connect_raw(banter.ws) as sock:
        for byte in request_head(banter.ws) + frame(mqtt_connect(alice)):
            sock.sendall(bytes([byte]))
        answer, rest = read_head(sock)
        assert answer.startswith("HTTP/1.1 101 ")
        assert WebSocket(sock, rest).receive_data().startswith(CONNACK)


# ---------------------------------------------------------------- frames


def test_packets_need_not_align_with_frames(banter):
    """One byte per frame, empty frames, fragments, pings in between; then all in one frame."""
    alice, bob = banter.signup("alice"), banter.signup("bob")
    phone = banter.device(bob)
    stream = mqtt_connect(alice) + b"".join(
        mqtt_publish(f"send/@{bob.handle}", draft(f"text {i}", f"d{i}"), i + 1) for i in range(5))
    websocket = WebSocket.connect(banter.ws)
    for i, byte in enumerate(stream):
        websocket.send(bytes([byte]), opcode=CONTINUATION if i else BINARY, final=False)
        if i % 50 == 0:
            websocket.send(b"", opcode=CONTINUATION, final=False)
            websocket.send(b"x", opcode=PING)
    websocket.send(b"", opcode=CONTINUATION)
    texts = [mqtt_publish(f"send/@{bob.handle}", draft(f"text {i}", f"d{i}"), i + 1)
             for i in range(5, 10)]
    websocket.send(b"".join(texts) + PINGREQ)
    first = phone.wait_message(lambda m: m.topic.startswith("chat/"))
    conversation = json.loads(first.payload)["conversation"]
    entries = phone.wait_entries(conversation, 10)
    assert [e["text"] for e in entries] == [f"text {i}" for i in range(10)]
    websocket.close()


def test_pings_are_answered(banter):
    websocket = connect(banter, banter.signup("alice"))
    websocket.send(b"are you there?", opcode=PING)
    wanted = {(PONG, b"are you there?"), (BINARY, PINGRESP)}
    websocket.send(PINGREQ)
    while wanted:
        opcode, payload = websocket.receive()
        wanted = {(kind, part) for kind, part in wanted if kind != opcode or part not in payload}
    websocket.close()


def test_closing_is_answered(banter):
    websocket = connect(banter, banter.signup("alice"))
    websocket.send(b"\x03\xe9bye", opcode=CLOSE)
    assert websocket.close_code() == 1001


@pytest.mark.parametrize("name", FRAMES)
def test_who_breaks_the_rules_is_told_why(banter, name):
    data, code = FRAMES[name]
    websocket = connect(banter, banter.signup("alice"))
    websocket.sock.sendall(data)
    assert websocket.close_code() == code


@pytest.mark.parametrize("name", FIRST_PACKETS)
def test_the_first_packet_is_a_connect(banter, name):
    data, code = FIRST_PACKETS[name]
    websocket = WebSocket.connect(banter.ws)
    websocket.send(data)
    assert websocket.close_code() == code


LATE = {"nothing": b"", "not a whole frame": b"\x10", "not a whole CONNECT": frame(b"\x10\x20")}


@pytest.mark.parametrize("name", LATE)
def test_a_connect_that_does_not_come(banter, name):
    data = LATE[name]
    websocket = WebSocket.connect(banter.ws)
    began = time.monotonic()
    websocket.sock.sendall(data)
    assert websocket.close_code() == 1008
    assert 4 < time.monotonic() - began < 8


def test_the_largest_packet_passes(banter):
    """Mosquitto's own limit is the same."""
    alice = banter.signup("alice")
    websocket = connect(banter, alice)
    topic = f"send/@{alice.handle}"
    body = b"x" * ((1 << 20) - 1 - len(string(topic)) - 2)
    websocket.send(mqtt_publish(topic, body))
    while b"\x40\x02\x00\x01" not in websocket.receive_data():
        pass
    websocket.close()


def test_nothing_is_carried_after_a_disconnect(banter):
    alice, bob = banter.signup("alice"), banter.signup("bob")
    phone = banter.device(bob)
    before, after = (mqtt_publish(f"send/@{bob.handle}", draft(name, name)) for name in
                     ("before", "after"))
    websocket = connect(banter, alice)
    websocket.send(before + DISCONNECT + after)
    websocket.send(after)
    assert websocket.close_code() == 1000
    entry = phone.wait_message(lambda m: m.topic.startswith("chat/"))
    assert json.loads(entry.payload)["text"] == "before"
    phone.quiet()


def test_last_words_of_who_does_not_wait_arrive(banter):
    """CONNECT, a message and DISCONNECT at once, then gone."""
    alice, bob = banter.signup("alice"), banter.signup("bob")
    phone = banter.device(bob)
    for end in (b"", frame(b"\x03\xe8", opcode=CLOSE)):
        websocket = connect(banter, alice)
        websocket.send(mqtt_publish(f"send/@{bob.handle}", draft("bye", f"bye{len(end)}"))
                       + DISCONNECT)
        websocket.sock.sendall(end)
        websocket.close()
    messages = phone.wait_message(lambda m: b'"bye6"' in m.payload or b'"bye8"' in m.payload)
    assert messages


# ---------------------------------------------------------------- time


def test_half_open_connections_are_found(make_system):
    """Who gives no sign of life is closed; who answers pings stays."""
    system = make_system(BANTER_WEBSOCKET_PING_MS=400)
    silent = connect(system, system.signup("alice"))
    lively = connect(system, system.signup("bob"))
    began = time.monotonic()
    answered = 0
    while time.monotonic() - began < 2.5:
        opcode, payload = lively.receive()
        if opcode == PING:
            lively.send(payload, opcode=PONG)
            answered += 1
    assert answered >= 3
    with pytest.raises((EOFError, ConnectionResetError)):
        while True:
            silent.receive()
    lively.send(PINGREQ)
    while PINGRESP not in lively.receive_data():
        pass
    assert metric(system, 'door_refused_total{reason="silence"}') == 1


@pytest.mark.slow
def test_slow_heads_end(banter):
    with connect_raw(banter.ws, timeout=40) as partial, connect_raw(banter.ws, timeout=40) as drip:
        began = time.monotonic()
        partial.sendall(b"GET /mqtt HTTP/1.1\r\nHost: x\r\n")
        drip.sendall(b"GET /mqtt HTTP/1.1\r\nX: ")
        drip.settimeout(0.2)
        answer = b""
        while not answer:
            assert time.monotonic() - began < 30
            try:
                drip.sendall(b"y")
                answer = drip.recv(4096)
            except TimeoutError:
                pass
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert partial.recv(4096).startswith(b"HTTP/1.1 408 ")
        assert 10 < time.monotonic() - began < 25


# ---------------------------------------------------------------- memory and room


@pytest.mark.slow  # memory says nothing under a sanitizer
def test_a_slow_reader_costs_one_read(banter):
    """It takes nothing of 200 messages of 100 KB; others get all of them, and the door keeps no
    more than what it reads at once."""
    alice, bob = banter.signup("alice"), banter.signup("bob")
    conversation = banter.group(alice, [bob])
    phone, reader = banter.device(alice), banter.device(bob, name="reader")
    slow = connect(banter, bob, "slow")
    pid = banter.pid("bridge")
    before, most = resident_kib(pid), 0
    for i in range(200):
        phone.say(conversation, "x" * 100_000)
        most = max(most, metric(banter, "door_waiting_bytes"))
    assert len(reader.wait_entries(conversation, 200, timeout=30)) >= 200
    assert most < 256 << 10, f"{most} bytes wait"
    assert resident_kib(pid) - before < 32 << 10
    slow.close()


HOSTILE = (
    b"",
    b"G",
    b"GET /mqtt HTTP/1.1\r\nX: " + b"y" * 4000,
    b"GET /v1/me HTTP/1.1\r\nX: " + b"y" * 4000,
    b"\x16\x03\x01\x02\x00\x01",
    "handshake",
    "part of a frame",
    "part of a CONNECT",
    "pings",
)


def assault(system, kind):
    sock = connect_raw(system.ws)
    if isinstance(kind, bytes):
        sock.sendall(kind)
        return sock
    part = b"\x82\xff\0\0\0\0\1\0\0\0" b"abcd\x71\x92\x5c" + b"x" * 3000  # of a CONNECT of 8 KB
    behind = {"handshake": b"", "part of a frame": part,
              "part of a CONNECT": frame(b"\x10\xf0\x3f" + b"x" * 7000),
              "pings": frame(b"x" * 100, opcode=PING) * 300}[kind]
    sock.sendall(request_head(system.ws) + behind)
    return sock


def besiege(system, count):
    """`count` hostile sockets; people come in and talk all the while. Returns the growth in KiB."""
    alice, bob = system.signup("alice"), system.signup("bob")
    phone = system.device(bob)
    pid = system.pid("bridge")
    before, most, sockets = resident_kib(pid), 0, []
    try:
        for i in range(count):
            sockets.append(assault(system, HOSTILE[i % len(HOSTILE)]))
            if i % 500 == 499:
                began = time.monotonic()
                honest = connect(system, alice)
                honest.send(mqtt_publish(f"send/@{bob.handle}", draft("hello", f"d{i}")))
                phone.wait_message(lambda m, n=f'"d{i}"'.encode(): n in m.payload)
                honest.close()
                assert time.monotonic() - began < 5
                most = max(most, resident_kib(pid) - before)
    finally:
        for sock in sockets:
            sock.close()
    return most


def test_two_thousand_hostile_sockets(banter):
    most = besiege(banter, 2000)
    assert most < 64 << 10, f"the bridge grew by {most} KiB"
    wait_until(lambda: metric(banter, 'door_connections{kind="undecided"}') == 0, 10, "the end")


@pytest.mark.slow
def test_eight_thousand_hostile_sockets(fresh_banter):
    most = besiege(fresh_banter, 8000)
    assert most < 64 << 10, f"the bridge grew by {most} KiB"


def test_connections_per_address(make_system):
    system = make_system(BANTER_CONNECTIONS_PER_ADDRESS=5, BANTER_TRUSTED_PROXIES="127.0.0.3")
    alice = system.signup("alice")
    sockets = [connect_raw(system.ws, source="127.0.0.2") for _ in range(5)]
    refused = exchange(system.ws, b"", source="127.0.0.2")
    assert refused.startswith(b"HTTP/1.1 503 ") and b"your address" in refused
    assert system.request("GET", "/livez").status == 200, "others are not concerned"
    sockets.pop().close()
    wait_until(lambda: exchange(system.ws, b"GET /livez HTTP/1.0\r\n\r\n", source="127.0.0.2")
               .split(b" ")[1] == b"200", 5, "room for another one")
    # Behind a proxy it is the client that counts, if the proxy is trusted.
    behind = [connect(system, alice, f"d{i}", source="127.0.0.3", X_Forwarded_For="203.0.113.5")
              for i in range(5)]
    head = request_head(system.ws, X_Forwarded_For="198.51.100.1, 203.0.113.5")
    assert exchange(system.ws, head, source="127.0.0.3").startswith(b"HTTP/1.1 503 ")
    connect(system, alice, "x", source="127.0.0.3", X_Forwarded_For="203.0.113.6").close()
    connect(system, alice, "y", source="127.0.0.4", X_Forwarded_For="203.0.113.5").close()
    for one in [*sockets, *behind]:
        one.close()


def test_connections_in_all(make_system):
    system = make_system(BANTER_CONNECTIONS_MAX=20)
    sockets = [connect_raw(system.ws) for _ in range(20)]
    refused = exchange(system.ws, request_head(system.ws))
    assert refused.startswith(b"HTTP/1.1 503 ") and b"Retry-After" in refused
    for sock in sockets:
        sock.close()
    system.wait_ready()
    assert metric(system, 'door_refused_total{reason="capacity"}') >= 1


def test_the_clients_address_is_known(make_system):
    system = make_system(BANTER_LOG_LEVEL="debug", BANTER_TRUSTED_PROXIES="127.0.0.3, 10.0.0.0/8")
    alice = system.signup("alice")
    live = "GET /livez HTTP/1.0\r\nX-Request-Id: {}\r\nX-Forwarded-For: {}\r\n\r\n"
    cases = {"direct": ("127.0.0.2", "203.0.113.5", "127.0.0.2"),
             "proxy": ("127.0.0.3", "192.0.2.1, 203.0.113.5, 10.1.2.3", "203.0.113.5")}
    for name, (source, forwarded, _client) in cases.items():
        exchange(system.ws, live.format(name, forwarded).encode(), source=source)
    connect(system, alice, "phone", source="127.0.0.3", X_Forwarded_For="2001:db8::7").close()
    log = system.log("bridge")
    for name, (_source, _forwarded, client) in cases.items():
        assert re.search(rf" request={name} method=GET route=/livez client={client} ", log)
    assert f"client {alice.handle}/phone from 2001:db8::7 over WebSocket" in log
    assert alice.access_token not in log


# ---------------------------------------------------------------- others that go away


def test_when_the_broker_goes(fresh_banter):
    system = fresh_banter
    alice = system.signup("alice")
    websocket = connect(system, alice)
    system.stop("broker")
    assert websocket.close_code() == 1001
    websocket = WebSocket.connect(system.ws)
    websocket.send(mqtt_connect(alice))
    assert websocket.close_code() == 1013
    system.start("broker")
    system.wait_ready()
    connect(system, alice).close()


def test_when_the_bridge_stops(fresh_banter):
    system = fresh_banter
    websocket = connect(system, system.signup("alice"))
    idle = connect_raw(system.http)
    idle.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
    assert idle.recv(4096).startswith(b"HTTP/1.1 200 ")
    began = time.monotonic()
    system.stop("bridge")
    assert time.monotonic() - began < 5
    assert websocket.close_code() == 1001
    assert idle.recv(4096) == b""
    system.start("bridge")
    system.wait_ready()


def test_clients_that_leave_at_every_moment(banter):
    alice = banter.signup("alice")
    stream = request_head(banter.ws) + frame(mqtt_connect(alice, "leaver")) + frame(PINGREQ)
    for length in [*range(0, len(stream), 37), *[len(stream)] * 20]:
        with connect_raw(banter.ws) as sock:
            sock.sendall(stream[:length])
            if length % 2:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    connect(banter, alice, "stays").close()


def narrow(system):
    """Has the bridge start again with a thousand descriptors: those of its parent, which may only
    ever be fewer."""
    pid = system.pid("bridge")
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        parent = int(stat.read().rpartition(")")[2].split()[1])
    resource.prlimit(parent, resource.RLIMIT_NOFILE, (1024, 1024))
    system.wait_restarted("bridge", system.kill("bridge"))
    system.wait_ready()


def fill_the_door(system, count, request):
    """The most descriptors that the bridge had while so many connected and then sent this."""
    descriptors, most, sockets = f"/proc/{system.pid('bridge')}/fd", 0, []
    try:
        for i in range(count):
            sockets.append(connect_raw(system.ws))
            if i % 20 == 0:
                most = max(most, len(os.listdir(descriptors)))
        for sock in sockets:
            try:
                sock.sendall(request)
            except ConnectionError:
                pass  # turned away
        for _ in range(50):
            most = max(most, len(os.listdir(descriptors)))
            time.sleep(0.01)
    finally:
        for sock in sockets:
            sock.close()
    return most


def test_descriptors_are_left_by_who_is_turned_away(make_system):
    """Though they do not go."""
    system = make_system(BANTER_CONNECTIONS_MAX=100)
    narrow(system)
    assert fill_the_door(system, 1500, b"") < 1024 - 64
    system.wait_ready()


def test_descriptors_are_left_by_who_comes_first_and_asks_later(fresh_banter):
    """A connection that has said nothing costs less than one with the server behind it."""
    system = fresh_banter
    narrow(system)
    assert fill_the_door(system, 700, b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n") < 1024 - 64
    system.wait_ready()
