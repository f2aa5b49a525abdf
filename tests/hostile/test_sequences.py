# SPDX-License-Identifier: MIT
"""What is harmless once and hostile in numbers, and what is begun and never finished. Each ends
with the others' chat going on."""
import concurrent.futures
import contextlib
import json
import socket

import pytest

from support.faults import resident_kib
from support.wire import (CONNACK, CONNECT, DISCONNECT, PUBACK, PUBCOMP, PUBLISH, PUBREC, PUBREL,
                          SUBACK, SUBSCRIBE, UNSUBACK, packet, text)

from attacker import DEADLINE, Attacker
from test_connects import WAYS
from test_rights import NOBODYS, publish

SOURCE = "127.1.10.1"
VERSIONS = pytest.mark.parametrize("version", [5, 4], ids=["mqtt5", "mqtt311"])


@pytest.fixture(autouse=True)
def others_go_on(besieged):
    yield
    besieged.hang_up()
    besieged.chat.go_on()


def mine(siege):
    return f"send/@{siege.mallory.handle}"


def mid(number):
    return number.to_bytes(2, "big")


# ---------------------------------------------------------------- connections

@WAYS
def test_the_same_client_id_again_and_again(siege, way):
    """Each takes over from the one before; the last one stands, and all others have ended."""
    wires = [Attacker(siege, siege.mallory, "one", version=way[0], transport=way[1], source=SOURCE)
             for _ in range(60)]
    data = packet(CONNECT, 0, wires[0].body())
    for wire in wires:
        wire.send(data)
    let_in = 0
    for wire in wires:
        with contextlib.closing(wire.socket):
            found = wire.next_packet()
            assert found is None or found.type in (CONNACK, DISCONNECT)
            let_in += found is not None and found.type == CONNACK and found.body[1] == 0
    assert let_in >= 1


def test_many_people_with_one_client_id(siege):
    """Twelve threads that fight for it."""
    def fight(number):
        for _ in range(10):
            wire = Attacker(siege, siege.mallory, "ring", version=4 + number % 2, source=SOURCE)
            with contextlib.closing(wire.socket):
                code = wire.knock(packet(CONNECT, 0, wire.body()))
                assert code in (None, 0), code
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        list(pool.map(fight, range(12)))


@WAYS
def test_more_devices_than_anybody_has(siege, way):
    """Forty: the longest connected ones are told `too_many_devices`, and closed."""
    wires = [siege.dial(*way, source=SOURCE).log_in() for _ in range(40)]
    _, payload = wires[0].until(lambda topic, _: topic == "me/event")
    assert json.loads(payload)["reason"] == "too_many_devices"
    wires[-1].ping()


def test_connects_with_bad_tokens(siege):
    """Five hundred: refused, each."""
    for number in range(500):
        wire = siege.dial(4 + number % 2, source="127.1.10.2")
        code = wire.knock(packet(CONNECT, 0, wire.body(password=f"x.{number}.y")))
        assert code in (5, 0x87, None)
        wire.socket.close()


def test_more_connects_than_an_address_may(siege):
    """Beyond the limit they are closed, or told 0x9F; others' addresses are not concerned."""
    refused = 0
    for _ in range(siege.CONNECTS_PER_MINUTE + 200):
        wire = siege.dial(source="127.1.10.3")
        refused += wire.knock(packet(CONNECT, 0, wire.body(password="x"))) in (None, 0x9F)
        wire.socket.close()
    assert refused > 0


def test_connections_that_are_reset_at_every_moment(siege):
    """With what was sent still unread, and with answers under way."""
    wire = siege.dial(source=SOURCE)
    stream = packet(CONNECT, 0, wire.body()) + publish(wire, mine(siege), b'{"id":"r","text":"r"}')
    host = siege.system.mqtt_host, siege.system.mqtt_port
    for length in [*range(0, len(stream), 23), *[len(stream)] * 40]:
        with socket.create_connection(host, DEADLINE, (SOURCE, 0)) as sock:
            sock.sendall(stream[:length])
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def test_hundreds_that_wait_before_connect(siege):
    """On TCP, with nothing, half a CONNECT, or the beginning of a megabyte."""
    host = siege.system.mqtt_host, siege.system.mqtt_port
    starts = (b"", b"\x10", b"\x10\xff\xff\x3f" + b"\0\4MQTT\5\xc2\0\x3c\0" + b"x" * 1000)
    with contextlib.ExitStack() as opened:
        for number in range(600):
            sock = opened.enter_context(socket.create_connection(host, DEADLINE, (SOURCE, 0)))
            sock.sendall(starts[number % 3])
        siege.chat.go_on()
        siege.dial(source="127.1.10.4").log_in()


# ---------------------------------------------------------------- subscriptions

@VERSIONS
def test_filters_without_end(siege, version):
    """1,000 are granted; 10,000 are looked at; the rest is refused."""
    wire = siege.dial(version, source=SOURCE).log_in()
    granted = 0
    for start in range(0, 11_000, 1000):
        filters = b"".join(text(f"chat/{number}") + b"\0" for number in range(start, start + 1000))
        wire.send(packet(SUBSCRIBE, 2, mid(9) + wire.properties({}) + filters))
        body = wire.receive(SUBACK, DEADLINE).body
        granted += sum(code < 0x80 for code in body[-1000:])
    assert granted == 1000
    wire.unsubscribe(*(f"chat/{number}" for number in range(1000)))
    wire.receive(UNSUBACK, DEADLINE)
    wire.subscribe("chat/again")
    assert wire.receive(SUBACK, DEADLINE).body[-1] >= 0x80


@VERSIONS
def test_subscribing_and_leaving_without_end(siege, version):
    wire = siege.dial(version, source=SOURCE).log_in()
    for number in range(500):
        wire.subscribe(f"chat/{number}/#", "me/+", mid=number + 1)
        wire.unsubscribe(f"chat/{number}/#", "me/+", mid=number + 1)
    wire.ping()


@VERSIONS
def test_watching_everybody(siege, version):
    """1,000 people may be watched on a connection; of the others it is refused. None is shown."""
    wire = siege.dial(version, source=SOURCE).log_in()
    granted = 0
    for start in range(0, 1500, 500):
        wire.send(packet(SUBSCRIBE, 2, mid(9) + wire.properties({}) + b"".join(
            text(f"presence/nobody-{number}") + b"\0" for number in range(start, start + 500))))
        body = wire.receive(SUBACK, DEADLINE).body
        granted += sum(code < 0x80 for code in body[-500:])
    assert granted <= 1000


ENDINGS = {"a filter cut off": b"\0\x09x", "QoS 3": text("chat/x") + b"\3",
           "a wildcard in the middle": text("chat/#/x") + b"\0", "no options": text("chat/x"),
           "bad UTF-8": text(b"\xff") + b"\0"}


@pytest.mark.parametrize("ending", ENDINGS)
def test_malformed_subscribes(siege, ending):
    """Ten of 5,000 filters, the last of which ends the connection, or gets its own refusal.
    Mosquitto before 2.0.21 keeps the codes that it had: a byte for each filter, and no more."""
    pid = siege.system.pid("broker")
    for number in range(10):
        wire = siege.dial(source="127.1.10.5").log_in()
        seen = wire.attack(packet(SUBSCRIBE, 2, mid(1) + b"\0" + (text("x") + b"\0") * 5000
                                  + ENDINGS[ending]))
        assert seen.ended or seen.answers[0].body[-1] >= 0x80
        wire.socket.close()
        if number == 0:
            before = resident_kib(pid)
    assert resident_kib(pid) - before < 8 << 10


# ---------------------------------------------------------------- QoS 2, identifiers, aliases

@WAYS
def test_qos_2_that_is_never_finished(siege, way):
    """Refused one by one in MQTT 5; in 3.1.1 acknowledged, kept to the broker's bound, and nothing
    comes of them. Then the releases of others'."""
    wire = siege.dial(*way, source=SOURCE).log_in()
    ended = False
    for number in range(1, 200):
        wire.send(publish(wire, mine(siege), b'{"id":"q","text":"HOSTILE"}', 2)
                  .replace(b"\0\x42", mid(number), 1))
    for number in range(200, 400):
        wire.send(packet(PUBREL, 2, mid(number)))
    seen = wire.attack(b"")
    ended = seen.ended
    kinds = {found.type for found in seen.answers}
    assert kinds <= {PUBREC, PUBCOMP} and (ended or PUBREC in kinds), kinds
    assert not any(b'"seq"' in payload for _, payload in seen.published)


@WAYS
def test_a_qos_2_of_somebody_who_went(siege, way):
    """Begun on one connection, released on the next one of the same name: nothing is stored."""
    for _ in range(3):
        wire = Attacker(siege, siege.mallory, "two", version=way[0], transport=way[1],
                        source=SOURCE).log_in(flags=0xC0)
        with contextlib.closing(wire.socket):
            wire.send(packet(PUBREL, 2, b"\0\x42"))
            seen = wire.attack(publish(wire, mine(siege), b'{"id":"q","text":"HOSTILE"}', 2))
            assert not any(b'"seq"' in payload for _, payload in seen.published)


@WAYS
def test_one_identifier_for_everything(siege, way):
    """PUBLISH, SUBSCRIBE and UNSUBSCRIBE with the same one, again and again: each is answered."""
    wire = siege.dial(*way, source=SOURCE).log_in()
    for number in range(50):
        wire.send(publish(wire, mine(siege), b'{"id":"same %d","text":"x"}' % number))
        wire.subscribe("chat/#", mid=0x42)
        wire.unsubscribe("chat/#", mid=0x42)
    seen = wire.attack(b"")
    assert not seen.ended
    assert [sum(found.type == kind for found in seen.answers)
            for kind in (PUBACK, SUBACK, UNSUBACK)] == [50, 50, 50]


@WAYS
def test_acknowledgements_of_nothing(siege, way):
    """A thousand of each: passed over, or the end."""
    for kind, flags in ((PUBACK, 0), (PUBREC, 0), (PUBREL, 2), (PUBCOMP, 0)):
        wire = siege.dial(*way, source=SOURCE).log_in()
        seen = wire.attack(b"".join(packet(kind, flags, mid(n)) for n in range(1, 1001)))
        assert seen.ended or {found.type for found in seen.answers} <= {PUBCOMP, PUBREL}


def test_aliases_that_change_what_they_mean(siege):
    """The newest one counts, and rights are judged each time."""
    wire = siege.dial(source=SOURCE).log_in()
    good, foreign = mine(siege), f"chat/{siege.conversation}"
    for number in range(50):
        topic = foreign if number % 2 else good
        data = b'{"id":"alias %d","text":"%s"}' % (number, b"HOSTILE" if number % 2 else b"x")
        for first in (True, False):
            wire.publish(topic if first else "", data, topic_alias=1, mid=number + 1)
            code = wire.code(PUBACK, DEADLINE)
            assert (code == 0x87) == bool(number % 2), (number, code)


def test_aliases_are_of_their_connection(siege):
    """What one connection has set another one does not have."""
    first, second = (siege.dial(source=SOURCE).log_in() for _ in range(2))
    first.publish(mine(siege), b'{"id":"a1","text":"x"}', topic_alias=1)
    assert first.code(PUBACK, DEADLINE) < 0x80
    second.publish("", b'{"id":"a2","text":"HOSTILE"}', topic_alias=1)
    assert second.ended(DEADLINE) in (None, 0x81, 0x82, 0x94)


# ---------------------------------------------------------------- floods

@WAYS
def test_retained_without_end(siege, way):
    for _ in range(30):
        wire = siege.dial(*way, source=SOURCE).log_in()
        wire.send(packet(PUBLISH, 3, text(f"chat/{siege.conversation}") + b"\0\1"
                         + wire.properties({}) + b"HOSTILE"))
        wire.attack(b"")
        siege.hang_up()
    late = siege.dial(*way, source=SOURCE).log_in()
    late.subscribe(f"chat/{siege.conversation}", "chat/#")
    assert not late.attack(b"").published


def test_drafts_beyond_the_limit(siege):
    """What is beyond it is refused with `rate_limited`, or in its turn; nothing of it is stored."""
    flooder = siege.system.signup("flooder")
    wire = siege.dial(source=SOURCE, account=flooder).log_in()
    count = 1800
    codes = {}
    for start in range(0, count, 200):
        wire.send(b"".join(packet(PUBLISH, 2, text(f"send/@{flooder.handle}") + mid(number + 1)
                                  + b"\0" + b'{"id":"f%d","text":"x"}' % number)
                           for number in range(start, start + 200)))
        for _ in range(200):
            _, payload = wire.until(lambda topic, _: topic == "me/receipt")
            code = json.loads(payload).get("error", {}).get("code", "stored")
            codes[code] = codes.get(code, 0) + 1
    assert set(codes) <= {"stored", "rate_limited", "out_of_order"}
    assert codes["rate_limited"] >= 1 and 1500 <= codes["stored"] < count, codes


def test_requests_beyond_the_limit(siege):
    """Syncs and commands: `rate_limited`, and none is left without an answer."""
    flooder = siege.system.signup("flooder")
    wire = siege.dial(source=SOURCE, account=flooder).log_in()
    limited = 0
    for _ in range(7):
        for _ in range(100):
            wire.send(publish(wire, "$CONTROL/chat/v1", b'{"commands":[]}'))
        for _ in range(100):
            _, payload = wire.until(lambda topic, _: topic == "$CONTROL/chat/v1/response")
            limited += b'"rate_limited"' in payload
    assert limited >= 50


@WAYS
def test_signals_without_end(siege, way):
    """Twenty a second get through, to nobody; the others are dropped."""
    wire = siege.dial(*way, source=SOURCE).log_in()
    for _ in range(1000):
        wire.send(publish(wire, f"send/{NOBODYS}/typing", b'{"state":"start"}', qos=0))
        wire.send(publish(wire, "send/me/presence", b'{"state":"away"}', qos=0))
    assert not wire.attack(b"").ended


def test_who_never_reads(siege):
    """Asks for much, and takes nothing: what waits for it is bounded, and others have theirs."""
    wires = [siege.dial(version, transport, source=SOURCE).log_in()
             for version in (5, 4) for transport in ("tcp", "websocket")]
    envelope = json.dumps({"commands": [{"command": "getProfile"}] * 100}).encode()
    for _ in range(20):
        for wire in wires:
            wire.send(publish(wire, "$CONTROL/chat/v1", envelope))
    siege.chat.go_on()


def test_packets_just_below_the_limit(siege):
    """Twenty of a megabyte at once, none of which is a draft: `invalid` for each."""
    wire = siege.dial(source=SOURCE).log_in()
    body = b'{"id":"big","text":"HOSTILE","x":"' + b"y" * ((1 << 20) - 300)
    for _ in range(20):
        wire.send(publish(wire, mine(siege), body))
    for _ in range(20):
        _, payload = wire.until(lambda topic, _: topic == "me/receipt")
        assert json.loads(payload)["error"]["code"] == "invalid"


def test_http_connections_without_end(siege):
    """Three hundred open at once, each with half a request, and one that is whole."""
    host, port = siege.system.http.removeprefix("http://").split(":")
    with contextlib.ExitStack() as opened:
        for number in range(300):
            sock = opened.enter_context(
                socket.create_connection((host, int(port)), DEADLINE, (SOURCE, 0)))
            sock.sendall((b"GET /livez HTTP/1.1\r\nHost: x\r\n", b"G", b"\x16\x03\x01",
                          b"GET /mqtt HTTP/1.1\r\n")[number % 4])
        assert siege.system.request("GET", "/livez", source=SOURCE).status == 200
