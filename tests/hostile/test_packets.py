# SPDX-License-Identifier: MIT
"""Malformed packets of somebody who is let in. Each entry says what comes of it; where MQTT
demands that the connection ends, and Mosquitto 2.0.11 is laxer, both are named."""
import struct

import pytest

from support.wire import (AUTH, CONNACK, CONNECT, DISCONNECT, PINGREQ, PUBACK, PUBCOMP, PUBLISH,
                          PUBREC, PUBREL, SUBACK, SUBSCRIBE, UNSUBACK, UNSUBSCRIBE, packet, text)

from outcomes import Answered, Ends, Ignored, NOT_AUTHORIZED, not_granted
from test_connects import WAYS

U16, U32 = struct.Struct(">H").pack, struct.Struct(">I").pack
MID = U16(77)
ENDS, IGNORED = Ends(), Ignored()
MALFORMED = Ends(0x81, 0x82)
LAX = MALFORMED | IGNORED  # an error by the standard, which Mosquitto 2.0.11 passes over


def attack(siege, way, data, outcome):
    """`data`: bytes, or what makes them of the connection."""
    wire = siege.dial(*way, source="127.1.1.1").log_in()
    seen = wire.attack(data if isinstance(data, bytes) else data(wire))
    problem = outcome.problem(seen, wire)
    assert problem is None, problem


def none(wire):
    """No properties."""
    return wire.properties({})


# ---------------------------------------------------------------- every type with flags

def outcome_of(kind, flags):
    """Of a packet with the body 0, 1, by MQTT 2.1.2 and 2.1.3."""
    if kind in (0, CONNECT, CONNACK) or kind == PUBLISH or kind == DISCONNECT:
        return ENDS
    if kind in (SUBACK, UNSUBACK, 13):  # 2.0.11 has ears for servers
        return ENDS | IGNORED
    if kind in (SUBSCRIBE, UNSUBSCRIBE):  # they have no filters either
        return ENDS
    if kind == AUTH:
        return ENDS
    if kind == PUBREL:  # of nothing: answered, or (MQTT 5) said so
        return ENDS | IGNORED | (Answered(PUBCOMP, [0]) | Answered(PUBCOMP, [0x92]))
    if kind == PUBREC:
        return ENDS | IGNORED | Answered(PUBREL, [0x92]) | Answered(PUBREL, [0])
    return ENDS | IGNORED


@WAYS
@pytest.mark.parametrize("kind", range(16))
def test_every_type_with_flags(siege, way, kind):
    for flags in (0, 1, 2, 3, 4, 8, 15):
        attack(siege, way, packet(kind, flags, b"\0\1"), outcome_of(kind, flags))
        siege.hang_up()


# ---------------------------------------------------------------- lengths

def raw(*parts):
    return lambda wire: b"".join(part(wire) if callable(part) else part for part in parts)


LENGTHS = {
    "five bytes": (bytes([PUBLISH << 4, 0x80, 0x80, 0x80, 0x80, 1]), MALFORMED),
    "five bytes of SUBSCRIBE": (bytes([0x82, 0xff, 0xff, 0xff, 0xff, 1]), MALFORMED),
    "256 MB": (bytes([PUBLISH << 4, 0xff, 0xff, 0xff, 0x7f]), Ends(0x95, 0x81)),
    "one byte too many": (b"\x30\x80\x80\x40" + b"x" * (1 << 20), Ends(0x95, 0x81)),
    "a SUBSCRIBE beyond the limit": (b"\x82\x80\x80\x40" + b"x" * 5000, Ends(0x95, 0x81)),
    "PINGREQ with a body": (packet(PINGREQ, 0, b"x" * 100), LAX),
    "empty PUBLISH": (packet(PUBLISH), MALFORMED),
    "empty PUBACK": (packet(PUBACK), MALFORMED),
    "empty PUBREL": (packet(PUBREL, 2), MALFORMED),
    "empty SUBSCRIBE": (packet(SUBSCRIBE, 2), MALFORMED),
    "empty UNSUBSCRIBE": (packet(UNSUBSCRIBE, 2), MALFORMED),
    "PUBACK of one byte": (packet(PUBACK, 0, b"\1"), MALFORMED),
    "PUBACK for 0": (packet(PUBACK, 0, b"\0\0"), LAX),
    "PUBREL for 0": (packet(PUBREL, 2, b"\0\0"), LAX | Answered(PUBCOMP, [0])
                     | Answered(PUBCOMP, [0x92])),
    "a second CONNECT": (lambda w: packet(CONNECT, 0, w.body()), ENDS),
    "alice's CONNECT on mallory's connection": (lambda w: packet(CONNECT, 0, w.connect_body(
        w.siege.alice, "phone5", password=w.account.access_token)), ENDS),
}


@WAYS
@pytest.mark.parametrize("name", LENGTHS)
def test_lengths(siege, way, name):
    attack(siege, way, *LENGTHS[name])


# ---------------------------------------------------------------- PUBLISH

def publish(topic="nowhere", *, flags=2, mid=MID, payload=b"HOSTILE", values=None):
    def make(wire):
        props = none(wire) if values is None else values
        return packet(PUBLISH, flags, text(topic) + (mid if flags & 6 else b"") + props + payload)
    return make


REFUSED = Answered(PUBACK, [NOT_AUTHORIZED])
BAD_TOPIC = Ends(0x81, 0x82, 0x90) | Answered(PUBACK, [0x90]) | REFUSED
PUBLISHES = {
    "QoS 3": (publish(flags=6), MALFORMED),
    "QoS 3 and DUP": (publish(flags=14), MALFORMED),
    "identifier 0": (publish(mid=b"\0\0"), MALFORMED),
    "no identifier": (packet(PUBLISH, 2, text("nowhere")), MALFORMED),
    "half an identifier": (packet(PUBLISH, 2, text("nowhere") + b"\1"), MALFORMED),
    "a topic beyond the packet": (packet(PUBLISH, 2, b"\xff\xffnowhere"), MALFORMED),
    "a topic one byte beyond": (packet(PUBLISH, 0, b"\0\x08nowhere"), MALFORMED),
    "half a topic's length": (packet(PUBLISH, 0, b"\0"), MALFORMED),
    "DUP with QoS 0": (publish(flags=8), LAX),
    "retained": (publish(flags=3), Ends(0x9A) | REFUSED),
    "retained QoS 0": (publish(flags=1), Ends(0x9A) | IGNORED),
    "retained to alice": (lambda w: publish(f"chat/{w.siege.conversation}", flags=3)(w),
                          Ends(0x9A) | REFUSED),
    **{f"topic {topic!r}": (publish(topic), BAD_TOPIC)
       for topic in ("#", "+", "a/#", "a/+/b", "send/+", "send/#", "chat/+", "#/", "a#", "a+")},
    **{f"topic {topic!r} QoS 0": (publish(topic, flags=0), Ends(0x81, 0x82, 0x90) | IGNORED)
       for topic in ("#", "+", "send/+", "chat/#")},
    **{f"topic of {topic!r}": (publish(topic), Ends(0x81, 0x82, 0x99) | REFUSED)
       for topic in (b"send/\0", b"\0", b"a\0b", b"\xff", b"send/\xc3\x28", b"send/\xed\xa0\x80",
                     b"send/\xf5\x80\x80\x80", b"send/\xc0\xaf", b"send/\xe2\x82", b"a\x01",
                     b"a\x7f", b"a\xc2\x80", "a\uffff", "a\ufdd0")},
    "an empty topic": (publish(""), MALFORMED | REFUSED),
}


@WAYS
@pytest.mark.parametrize("name", PUBLISHES)
def test_publishes(siege, way, name):
    attack(siege, way, *PUBLISHES[name])


def with_values(raw_values, *, length=None, topic="nowhere", payload=b"HOSTILE"):
    values = (bytes([len(raw_values)]) if length is None else length) + raw_values
    return publish(topic, values=values, payload=payload)


WRONG = Ends(0x81, 0x82, 0x94, 0x99, 0x90)
PUBLISH_VALUES = {
    **{f"property {identifier:#x} of other packets": (with_values(bytes([identifier]) + value),
                                                      WRONG)
       for identifier, value in (
           (0x11, U32(1)), (0x12, text("x")), (0x13, U16(1)), (0x15, text("x")), (0x16, text("x")),
           (0x17, b"\1"), (0x18, U32(1)), (0x19, b"\1"), (0x1A, text("x")), (0x1C, text("x")),
           (0x1F, text("x")), (0x21, U16(1)), (0x22, U16(1)), (0x24, b"\1"), (0x25, b"\1"),
           (0x27, U32(9)), (0x28, b"\1"), (0x29, b"\1"), (0x2A, b"\1"))},
    **{f"unknown property {identifier:#x}": (with_values(bytes([identifier]) + b"\0\0"), WRONG)
       for identifier in (0x00, 0x04, 0x0A, 0x2B, 0x7E)},
    "a subscription identifier": (with_values(b"\x0b\1"), WRONG | REFUSED),
    "an alias of 0": (with_values(b"\x23\0\0"), WRONG),
    "an alias beyond the maximum": (with_values(b"\x23\xff\xff"), WRONG),
    "an alias never set": (with_values(b"\x23\0\2", topic=""), WRONG),
    "an alias twice": (with_values(b"\x23\0\1\x23\0\2"), WRONG),
    "an alias for a wildcard": (with_values(b"\x23\0\1", topic="send/#"), WRONG | REFUSED),
    "an expiry twice": (with_values(b"\2" + U32(1) + b"\2" + U32(2)), WRONG),
    "payload format 2": (with_values(b"\1\2"), WRONG | REFUSED),
    "payload format twice": (with_values(b"\1\1\1\1"), WRONG),
    "UTF-8 that is none": (with_values(b"\1\1", payload=b"\xff\xfe"),
                           WRONG | REFUSED | Answered(PUBACK, [0x99])),
    "a content type that is no UTF-8": (with_values(b"\3" + text(b"\xff")), WRONG),
    "a content type with NUL": (with_values(b"\3" + text("a\0")), WRONG),
    "a content type twice": (with_values(b"\3" + text("a") + b"\3" + text("b")), WRONG),
    "a response topic with a wildcard": (with_values(b"\x08" + text("a/#")), WRONG | REFUSED),
    "a response topic that is no UTF-8": (with_values(b"\x08" + text(b"\xff")), WRONG),
    "correlation data twice": (with_values(b"\x09" + text("a") + b"\x09" + text("b")), WRONG),
    "correlation data cut off": (with_values(b"\x09\xff\xffab"), WRONG),
    "a user property cut off": (with_values(b"\x26" + text("a") + b"\0\5b"), WRONG),
    "a user property that is no UTF-8": (with_values(b"\x26" + text(b"\xff") + text("b")), WRONG),
    "a length beyond the packet": (with_values(b"", length=b"\xff\x7f"), WRONG),
    "a length of five bytes": (with_values(b"", length=b"\x80\x80\x80\x80\1"), WRONG),
    "a length inside a property": (with_values(b"\2" + U32(1), length=b"\3"), WRONG),
    "no length": (lambda w: packet(PUBLISH, 2, text("nowhere") + MID), WRONG | REFUSED),
}


@pytest.mark.parametrize("transport", ["tcp", "websocket"])
@pytest.mark.parametrize("name", PUBLISH_VALUES)
def test_properties_of_publishes(siege, transport, name):
    attack(siege, (5, transport), *PUBLISH_VALUES[name])


# ---------------------------------------------------------------- SUBSCRIBE and UNSUBSCRIBE

def subscribe(*filters, options=b"\0", mid=MID, flags=2, values=None):
    def make(wire):
        return packet(SUBSCRIBE, flags, mid + (none(wire) if values is None else values)
                      + b"".join(text(f) + options for f in filters))
    return make


def unsubscribe(*filters, mid=MID, flags=2):
    return lambda wire: packet(UNSUBSCRIBE, flags, mid + none(wire)
                               + b"".join(text(f) for f in filters))


BAD_FILTER = Ends(0x81, 0x82, 0x8F) | not_granted() | Answered(SUBACK, [0x8F], [0x80])
SUBSCRIBES = {
    "flags 0": (subscribe("chat/#", flags=0), MALFORMED),
    "flags 15": (subscribe("chat/#", flags=15), MALFORMED),
    "identifier 0": (subscribe("chat/#", mid=b"\0\0"), MALFORMED),
    "no filters": (subscribe(), MALFORMED),
    "no options": (subscribe("chat/#", options=b""), MALFORMED),
    "a filter beyond the packet": (lambda w: packet(SUBSCRIBE, 2, MID + none(w) + b"\xff\xffch"),
                                   MALFORMED),
    "a good one, then one cut off": (lambda w: packet(SUBSCRIBE, 2, MID + none(w) + text("chat/#")
                                                      + b"\0\0\x09cha"), MALFORMED),
    "QoS 3": (subscribe("chat/#", options=b"\3"), MALFORMED),
    "reserved options": (subscribe("chat/#", options=b"\xc0"), MALFORMED),
    "all options": (subscribe("chat/#", options=b"\xff"), MALFORMED),
    **{f"filter {f!r}": (subscribe(f), BAD_FILTER)
       for f in ("", "chat/#/x", "chat/a#", "chat/a+", "chat/##", "chat/++", "+chat", "#chat",
                 b"chat/\0", b"chat/\xff", b"chat/\xed\xa0\x80", b"chat/\xc0\xaf", b"chat/\x01",
                 "$share", "$share/", "$share//chat/#", "$share/g", "$share/g/", "$share/+/chat/#",
                 "$share/#/chat", "$share/a+b/chat/#")},
    "200 levels": (subscribe("chat" + "/a" * 200), BAD_FILTER | Answered(SUBACK, [0], [0])),
    "30000 levels": (subscribe("chat" + "/" * 30_000), BAD_FILTER),
}


@WAYS
@pytest.mark.parametrize("name", SUBSCRIBES)
def test_subscribes(siege, way, name):
    attack(siege, way, *SUBSCRIBES[name])


UNSUBSCRIBED = Answered(UNSUBACK, [0x11])
UNSUBSCRIBES = {
    "flags 0": (unsubscribe("chat/#", flags=0), MALFORMED),
    "identifier 0": (unsubscribe("chat/#", mid=b"\0\0"), MALFORMED),
    "no filters": (unsubscribe(), MALFORMED),
    "a filter beyond the packet": (lambda w: packet(UNSUBSCRIBE, 2, MID + none(w) + b"\xff\xffch"),
                                   MALFORMED),
    **{f"filter {f!r}": (unsubscribe(f), Ends(0x81, 0x82, 0x8F) | UNSUBSCRIBED
                         | Answered(UNSUBACK, [0x8F]))
       for f in ("", "chat/#/x", "chat/a+", b"chat/\0", b"chat/\xff", "$share/g")},
    "one that is alice's": (lambda w: unsubscribe(f"presence/{w.siege.alice.handle}")(w),
                            UNSUBSCRIBED),
    "the server's": (unsubscribe("banter/bell"), UNSUBSCRIBED),
}


@WAYS
@pytest.mark.parametrize("name", UNSUBSCRIBES)
def test_unsubscribes(siege, way, name):
    attack(siege, way, *UNSUBSCRIBES[name])


SUBSCRIBE_VALUES = {
    "identifier 0": b"\x02\x0b\0",
    "identifier twice": b"\x04\x0b\1\x0b\2",
    "an identifier of five bytes": b"\x06\x0b\xff\xff\xff\xff\1",
    "an identifier cut off": b"\x02\x0b\xff",
    "a session's expiry": b"\x05\x11" + U32(1),
    "a topic alias": b"\x03\x23\0\1",
    "unknown": b"\x02\x7f\0",
    "a length beyond the packet": b"\xff\x7f",
    "a length of five bytes": b"\x80\x80\x80\x80\1",
    "a user property that is no UTF-8": b"\x07\x26" + text(b"\xff") + text("b"),
}


@pytest.mark.parametrize("transport", ["tcp", "websocket"])
@pytest.mark.parametrize("name", SUBSCRIBE_VALUES)
def test_properties_of_subscribes(siege, transport, name):
    attack(siege, (5, transport), subscribe("chat/#", values=SUBSCRIBE_VALUES[name]), MALFORMED)


# ---------------------------------------------------------------- the rest

RAISED = packet(DISCONNECT, 0, b"\0\x05\x11" + U32(0xFFFFFFFF))
LAST_WORDS = {
    "DISCONNECT with a reason of servers": (packet(DISCONNECT, 0, b"\x8e\0"), ENDS),
    "DISCONNECT with no reason there is": (packet(DISCONNECT, 0, b"\x7f\0"), ENDS),
    "DISCONNECT that raises the session's expiry": (RAISED, ENDS),
    "DISCONNECT with a property of others": (packet(DISCONNECT, 0, b"\0\x03\x23\0\1"), ENDS),
    "DISCONNECT with properties beyond it": (packet(DISCONNECT, 0, b"\0\xff\x7f"), ENDS),
    "DISCONNECT with flags": (packet(DISCONNECT, 3), ENDS),
    "AUTH": (packet(AUTH, 0), ENDS),
    "AUTH that goes on": (packet(AUTH, 0, b"\x18\x05\x15" + text("x") + b"\x16"), ENDS),
    "AUTH again": (packet(AUTH, 0, b"\x19\0"), ENDS),
    "AUTH with a method": (packet(AUTH, 0, b"\x19\x08\x15" + text("PLAIN")), ENDS),
}


@pytest.mark.parametrize("transport", ["tcp", "websocket"])
@pytest.mark.parametrize("name", LAST_WORDS)
def test_last_words(siege, transport, name):
    attack(siege, (5, transport), *LAST_WORDS[name])


@WAYS
def test_nothing_counts_after_a_disconnect(siege, way):
    """Not even when it comes in the same segment."""
    wire = siege.dial(*way, source="127.1.1.1").log_in()
    draft = publish(f"send/@{siege.mallory.handle}", payload=b'{"id":"late","text":"HOSTILE"}')
    seen = wire.attack(packet(DISCONNECT) + draft(wire) + subscribe("chat/#")(wire))
    assert Ends().problem(seen, wire) is None
