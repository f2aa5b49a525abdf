# SPDX-License-Identifier: MIT
"""CONNECT as nobody should send it: who sends it is not let in, unless the outcome says otherwise.
Everything but what an entry changes is good, credentials included."""
import struct

import pytest

from support.wire import AUTH, CONNECT, packet, properties, text

WAYS = pytest.mark.parametrize("way", [(v, t) for v in (5, 4) for t in ("tcp", "websocket")],
                               ids=lambda way: f"mqtt{way[0]}-{way[1]}")
LET_IN = 0


def dial(siege, way, source="127.1.0.2"):
    return siege.dial(*way, source=source)


def refused(siege, way, make):
    """`make(wire)` are the bytes of a CONNECT that lets nobody in."""
    wire = dial(siege, way)
    code = wire.knock(make(wire))
    assert code != LET_IN, "let in"


# ---------------------------------------------------------------- fields

def with_body(**options):
    return lambda wire: packet(CONNECT, 0, wire.body(**options))


def whole_will(wire, topic, payload=b"x", **values):
    return wire.properties(values) + text(topic) + text(payload)


def with_will(flags, topic="send/@bob", payload=b"x", raw=None):
    def make(wire):
        will = whole_will(wire, topic, payload) if raw is None else raw
        return packet(CONNECT, 0, wire.body(flags=flags, will=will))
    return make


FIELDS = {
    **{f"level {level}": with_body(level=level)
       for level in (0, 1, 2, 6, 7, 64, 127, 128, 129, 135, 200, 255)},
    **{f"protocol {name[:8]!r} of {len(name)}": with_body(protocol=name)
       for name in ("", "M", "MQT", "mqtt", "MQTT ", "MQTTT", "MQIsd", "MQIsdpp", "HTTP", "MQTT\0",
                    "\0\0\0\0", "ＭＱＴＴ", "M" * 60_000)},
    "reserved flag": with_body(flags=0xC3),
    "will QoS without a will": with_body(flags=0xCA),
    "will retain without a will": with_body(flags=0xE2),
    "will QoS 3": with_will(0xDE),
    "a will that is not there": with_body(flags=0xC6),
    "a will topic with a wildcard": with_will(0xC6, "chat/#"),
    "a will topic with NUL": with_will(0xC6, "send/\0"),
    "a will topic that is no UTF-8": with_will(0xC6, b"send/\xff"),
    "an empty will topic": with_will(0xC6, ""),
    "a will topic beyond the packet": with_will(0xC6, raw=b"\0\xff\xffsend"),
    "a password without a user": with_body(flags=0x42),
    "a user without a password": with_body(flags=0x82),
    "neither user nor password": with_body(flags=0x02),
    "a user flag without a user": lambda w: packet(CONNECT, 0, w.body(flags=2)[:7] + b"\xc2"
                                                   + w.body(flags=2)[8:]),
    "bytes of another packet inside": lambda w: packet(CONNECT, 0, b"\0\4MQTT" + b"\x30\0" * 20),
    "an empty password": with_body(password=""),
    "a password of 65535": with_body(password="x" * 60_000),
    "a password of NULs": with_body(password=b"\0" * 100),
    "the token, NUL and more": lambda w: packet(CONNECT, 0, w.body(
        password=w.account.access_token.encode()[:40] + b"\0" + w.account.access_token.encode())),
    "an empty user": with_body(username=""),
    "a user with NUL": lambda w: packet(CONNECT, 0, w.body(username=w.account.handle + "\0x")),
    "a user that is no UTF-8": with_body(username=b"\xc3\x28"),
    "alice's name": lambda w: packet(CONNECT, 0, w.body(username=w.siege.alice.handle)),
    "alice's name and client id": lambda w: packet(CONNECT, 0, w.body(
        username=w.siege.alice.handle, client_id=f"{w.siege.alice.handle}/phone5")),
    "alice's client id": lambda w: packet(CONNECT, 0, w.body(
        client_id=f"{w.siege.alice.handle}/phone5")),
    "alice's token": lambda w: packet(CONNECT, 0, w.body(password=w.siege.alice.access_token)),
    "a refresh token": lambda w: packet(CONNECT, 0, w.body(password=w.account.refresh_token)),
    "the bell, without its key": with_body(client_id="banter-bell", username="banter-bell"),
    "the bell, with an empty key": with_body(client_id="banter-bell", username="banter-bell",
                                             password=""),
    "the bell by its user name": with_body(username="banter-bell"),
    "the bell by its client id": with_body(client_id="banter-bell"),
}


@WAYS
@pytest.mark.parametrize("name", FIELDS)
def test_fields(siege, way, name):
    refused(siege, way, FIELDS[name])


# ---------------------------------------------------------------- client ids

CLIENT_IDS = [
    "", "+", "#", "/", "//", "$SYS", "$SYS/broker", "{0}", "{0}/", "{0}/a/b", "/{0}", "{0}/+",
    "{0}/#",
    "{0}/$a", "{0}/a b", "{0}/a\tb", "{0}/é", "{0}/a.b", "{0}//a", " {0}/a", "{0}/a ", "{0} /a",
    "{0}\\a", "{0}%2fa", "{0}/" + "d" * 33, "{0}/../a", "{0}x/a", "x{0}/a", "{0}/a\n",
    "{0}/\u202ea",
    "{0}/\ufeffa", "{0}/ａ", "{0}/a'--", "{0}/a;b", "{0}/%s%n%n", "{0}/" + "A" * 60_000,
    b"\xff\xfe", b"{0}/\x00", b"{0}/a\x00b", b"{0}/\xed\xa0\x80", b"{0}/\x01", b"{0}/\xc0\xaf",
]


@WAYS
@pytest.mark.parametrize("number", range(len(CLIENT_IDS)), ids=lambda n: repr(CLIENT_IDS[n])[:30])
def test_client_ids(siege, way, number):
    shape = CLIENT_IDS[number]

    def make(wire):
        handle = wire.account.handle
        client_id = (shape.replace("{0}", handle) if isinstance(shape, str)
                     else shape.replace(b"{0}", handle.encode()))
        return packet(CONNECT, 0, wire.body(client_id=client_id))
    refused(siege, way, make)


# ---------------------------------------------------------------- form

@WAYS
@pytest.mark.parametrize("part", range(20))
def test_cut_off(siege, way, part):
    """A twentieth, two … of the packet, its length made to fit: no field is read beyond it."""
    def make(wire):
        body = wire.body()
        return packet(CONNECT, 0, body[:len(body) * part // 20])
    refused(siege, way, make)


@WAYS
@pytest.mark.parametrize("flags", range(1, 16))
def test_header_flags(siege, way, flags):
    refused(siege, way, lambda wire: packet(CONNECT, flags, wire.body()))


@WAYS
@pytest.mark.parametrize("kind", [0, *range(2, 16)])
def test_something_else_first(siege, way, kind):
    """Nobody speaks before CONNECT: closed without a word."""
    wire = dial(siege, way)
    body = {3: text("send/@bob") + b"{}", 8: b"\0\1" + text("#") + b"\0",
            AUTH: b"\x18\0"}.get(kind, b"\0\1")
    flags = 2 if kind in (6, 8, 10) else 0
    assert wire.knock(packet(kind, flags, body)) is None


LENGTHS = {
    "five bytes": b"\x10\x80\x80\x80\x80\x01",
    "five bytes, all ones": b"\x10\xff\xff\xff\xff\xff\xff",
    "256 MB": b"\x10\xff\xff\xff\x7f",
    "one byte over the limit": b"\x10\x81\x80\x40",
    "zero": b"\x10\x00",
    "HTTP": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x55" * 600,
    "zeros": b"\0" * 3000,
    "ones": b"\xff" * 3000,
    "text": b"hello, is there anybody? " * 100,
    "XMPP": b"<?xml version='1.0'?><stream:stream to='x'>",
    "the link's HELLO": b"\x1d\0\0\0\1\0\0\0\5\0\0\0\x0f\0" + b"k" * 15 + b"\1" * 8,
}


@WAYS
@pytest.mark.parametrize("name", LENGTHS)
def test_lengths_and_other_languages(siege, way, name):
    assert dial(siege, way).knock(LENGTHS[name]) is None


@WAYS
def test_the_protocol_of_bridges(siege, way):
    """Mosquitto's bridges set the level's highest bit; whoever does so is let in as anybody is,
    with their own token and name, or not at all. They gain nothing by it."""
    wire = dial(siege, way)
    if wire.knock(packet(CONNECT, 0, wire.body(level=0x80 | wire.version_level()))) == LET_IN:
        wire.publish(f"chat/{siege.conversation}", b"HOSTILE", mid=9)
        wire.subscribe("#", "chat/+/typing", mid=10)
        wire.ping()


@pytest.mark.parametrize("version", [5, 4])
def test_all_flags(siege, version):
    """All 256 values of the flags, with what each of them promises: only those without the reserved
    one, with user and password, and with a will that is whole or absent, are let in."""
    for flags in range(256):
        wire = siege.dial(version, source=f"127.1.0.{3 + version}")
        will, qos, retain = flags & 4, flags >> 3 & 3, flags & 0x20
        data = packet(CONNECT, 0, wire.body(
            flags=flags, will=whole_will(wire, f"send/@{siege.alice.handle}", b"HOSTILE")
            if will else b""))
        code = wire.knock(data)
        good = not flags & 1 and flags & 0xC0 == 0xC0 and qos < 3 and (will or not (qos or retain))
        if not good:
            assert code != LET_IN, hex(flags)
        elif retain:  # the broker says that it retains nothing
            assert code in (LET_IN, None, 0x9A, 5, 0x87), (hex(flags), code)
        else:
            assert code == LET_IN, (hex(flags), code)
        wire.socket.close()


# ---------------------------------------------------------------- properties of MQTT 5

def replaced(raw, length=None):
    """A CONNECT whose properties are these bytes, and say that they are so long."""
    def make(wire):
        body = wire.body()
        length_bytes = bytes([len(raw)]) if length is None else length
        return packet(CONNECT, 0, body[:10] + length_bytes + raw + body[11:])
    return make


def given(**values):
    return with_body(**values)


def will_properties(raw, length=None):
    def make(wire):
        length_bytes = bytes([len(raw)]) if length is None else length
        will = length_bytes + raw + text("send/@bob") + text(b"HOSTILE")
        return packet(CONNECT, 0, wire.body(flags=0xC6, will=will))
    return make


U16, U32 = struct.Struct(">H").pack, struct.Struct(">I").pack
PROPERTIES = {
    **{f"identifier {identifier:#x} of other packets": replaced(bytes([identifier]) + value)
       for identifier, value in (
           (0x01, b"\1"), (0x02, U32(1)), (0x03, text("x")), (0x08, text("x")), (0x09, text("x")),
           (0x0B, b"\1"), (0x12, text("x")), (0x13, U16(1)), (0x18, U32(1)), (0x1A, text("x")),
           (0x1C, text("x")), (0x1F, text("x")), (0x23, U16(1)), (0x24, b"\1"), (0x25, b"\1"),
           (0x28, b"\1"), (0x29, b"\1"), (0x2A, b"\1"))},
    **{f"unknown identifier {identifier:#x}": replaced(bytes([identifier]) + b"\0\0\0\0")
       for identifier in (0x00, 0x04, 0x0A, 0x14, 0x20, 0x2B, 0x7F)},
    "an identifier of two bytes": replaced(b"\x80\x01\0\0"),
    "session expiry twice": replaced(b"\x11" + U32(1) + b"\x11" + U32(2)),
    "receive maximum twice": replaced(b"\x21\0\1\x21\0\1"),
    "receive maximum 0": given(receive_maximum=0),
    "maximum packet size 0": given(maximum_packet=0),
    "request problem information 2": given(request_problem=2),
    "request response information 2": given(request_response=2),
    "a method of authentication": given(auth_method="PLAIN"),
    "a method and data": given(auth_method="SCRAM-SHA-256", auth_data=b"n,,n=alice,r=x"),
    "a user property that is no UTF-8": given(user=[(b"\xff", b"x")]),
    "a user property with NUL": given(user=[("a\0b", "x")]),
    "a user property without a value": replaced(b"\x26" + text("key")),
    "a property cut off": replaced(b"\x11\0\0"),
    "a length of five bytes": replaced(b"", b"\x80\x80\x80\x80\x01"),
    "a length beyond the packet": replaced(b"", b"\xff\x7f"),
    "a length that ends inside a property": replaced(b"\x11" + U32(1), b"\x03"),
    "a length of 256 MB": replaced(b"", b"\xff\xff\xff\x7f"),
    "a will's delay twice": will_properties(b"\x18" + U32(1) + b"\x18" + U32(1)),
    "a will's topic alias": will_properties(b"\x23\0\1"),
    "a will's properties beyond it": will_properties(b"", b"\xff\xff\x03"),
    "a will's unknown property": will_properties(b"\x7f\0"),
}


# Errors by the standard that Mosquitto 2.0 passes over: one is let in as oneself, and no will is
# ever delivered.
PASSED_OVER = {
    "data of authentication alone": given(auth_data=b"x"),
    "a will's payload format 2": will_properties(b"\1\2"),
}


@pytest.mark.parametrize("transport", ["tcp", "websocket"])
@pytest.mark.parametrize("name", PASSED_OVER)
def test_properties_that_may_be_passed_over(siege, transport, name):
    wire = dial(siege, (5, transport))
    if wire.knock(PASSED_OVER[name](wire)) == LET_IN:
        _, _, payload = wire.publish_on("me/ready")
        assert f'"user":"{wire.account.handle}"'.encode() in payload


@pytest.mark.parametrize("transport", ["tcp", "websocket"])
@pytest.mark.parametrize("name", PROPERTIES)
def test_properties(siege, transport, name):
    refused(siege, (5, transport), PROPERTIES[name])


def test_many_user_properties(siege):
    """Seventy kilobytes of them: harmless, and not kept."""
    wire = siege.dial(source="127.1.0.2")
    assert wire.knock(packet(CONNECT, 0, wire.body(user=[("k", "v")] * 10_000))) == LET_IN
    assert not wire.attack(packet(3, 0, text("nowhere") + properties(
        user=[("k", "v")] * 10_000))).ended
