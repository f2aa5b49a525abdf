# SPDX-License-Identifier: MIT
"""Issue 6: what MQTT 3.1.1 and MQTT 5 (OASIS Standards) demand of a server, as far as it applies to
one that routes nothing by subscription and keeps no sessions. Byte by byte over plain sockets; each
test names the sections. docs/conformance.md has the whole picture, and the results of the
independent tests of Eclipse Paho; test_mqtt5_conformance.py has what only MQTT 5 knows.

Where the specification leaves a choice, or Mosquitto 2.0 and 2.1 differ within it, both are
right."""
import time

import pytest

from support.wire import (AUTH, CONNACK, CONNECT, DISCONNECT, PINGREQ, PINGRESP, PUBACK,
                          PUBCOMP, PUBLISH, PUBREC, PUBREL, SUBACK, UNSUBACK, draft, packet,
                          take_properties, text)

NOT_AUTHORIZED = {5: 0x87, 4: 5}
VERSIONS = pytest.mark.parametrize("version", [5, 4], ids=["mqtt5", "mqtt311"])


# ---------------------------------------------------------------- CONNECT

@VERSIONS
def test_connack_says_no_session(dial, version):
    """3.1.1 3.2.2.2, 5 3.2.2.1.1: Session Present is 0 with Clean Start, and also without it, as
    nothing is kept."""
    account = None
    for flags in (0xC2, 0xC2, 0xC0):
        wire = dial(version, account, connect=False)
        account = wire.account
        present, code, _ = wire.connect(account, flags=flags)
        assert (present, code) == (0, 0)
        wire.send(packet(DISCONNECT))
        assert wire.ended() is None


@VERSIONS
@pytest.mark.parametrize("level", [0, 2, 6, 7, 200])
def test_unknown_protocol_levels_are_refused(dial, version, level):
    """3.1.1 3.1.2.2, 5 3.1.2.2: an unacceptable level may be answered with a code, and then the
    connection is closed."""
    wire = dial(version, connect=False)
    wire.send(packet(CONNECT, 0, wire.connect_body(wire.account, level=level)))
    try:
        answer = wire.receive(CONNACK)
        assert answer.body[1] in (1, 0x84)
    except AssertionError as closed:
        assert "closed" in str(closed)
    wire.ended()


@VERSIONS
@pytest.mark.parametrize("protocol", ["", "mqtt", "MQTT ", "HTTP", "MQTTT"])
def test_other_protocol_names_are_refused(dial, version, protocol):
    """3.1.1 3.1.2.1, 5 3.1.2.1: another name closes the connection; nothing is let in."""
    wire = dial(version, connect=False)
    wire.send(packet(CONNECT, 0, wire.connect_body(wire.account, protocol=protocol)))
    wire.assert_not_let_in()


@VERSIONS
@pytest.mark.parametrize("flags", [0xC3, 0xCA, 0xDE, 0xE2])
def test_malformed_connect_flags_are_refused(dial, version, flags):
    """3.1.1 3.1.2.3, 5 3.1.2.3: the reserved flag is 0; Will QoS and Will Retain are 0 without a
    Will; Will QoS is never 3."""
    wire = dial(version, connect=False)
    will = b""
    if flags & 4:
        will = wire.properties({}) + text("send/@bob") + text("bye")
    wire.send(packet(CONNECT, 0, wire.connect_body(wire.account, flags=flags, will=will)))
    wire.assert_not_let_in()


@VERSIONS
def test_password_without_user_name(dial, version):
    """3.1.1 3.1.2.9 forbids it, 5 3.1.2.9 allows it; here a user name is needed either way."""
    wire = dial(version, connect=False)
    wire.send(packet(CONNECT, 0, wire.connect_body(wire.account, flags=0x42)))
    wire.assert_not_let_in()


@VERSIONS
def test_a_bad_password_has_its_code(dial, version):
    """3.1.1 3.2.2.3, 5 3.2.2.2: a code of 0x80 or more (3.1.1: not 0) and the end."""
    wire = dial(version, connect=False)
    present, code, _ = wire.connect(wire.account, password="nonsense")
    assert (present, code) == (0, NOT_AUTHORIZED[version])
    wire.ended()


@VERSIONS
def test_no_client_id_is_assigned(dial, version):
    """3.1.1 3.1.3.1, 5 3.1.3.1: a server that requires a client id refuses an empty one."""
    wire = dial(version, connect=False)
    wire.send(packet(CONNECT, 0, wire.connect_body(wire.account, client_id="")))
    wire.assert_not_let_in()


@VERSIONS
def test_the_first_packet_is_connect(dial, version):
    """3.1.1 3.1, 5 3.1: anything else before it closes the connection, and so does a second one."""
    for first in (packet(PINGREQ), packet(DISCONNECT), packet(PUBLISH, 0, text("a") + b"x"),
                  packet(PUBACK, 0, b"\0\1"), packet(AUTH)):
        wire = dial(version, connect=False)
        wire.send(first)
        wire.ended()
    wire = dial(version)
    wire.send(packet(CONNECT, 0, wire.connect_body(wire.account)))
    wire.ended()


@VERSIONS
def test_reserved_header_flags(dial, version):
    """3.1.1 2.2.2, 5 2.1.3: SUBSCRIBE and UNSUBSCRIBE with other flags than 0010, and CONNECT with
    others than 0000, are malformed."""
    wire = dial(version)
    wire.subscribe("chat/#", flags=0)
    wire.ended()
    wire = dial(version)
    wire.unsubscribe("chat/#", flags=0)
    wire.ended()
    wire = dial(version, connect=False)
    wire.send(packet(CONNECT, 1, wire.connect_body(wire.account)))
    wire.assert_not_let_in()


@VERSIONS
def test_lengths_of_five_bytes_are_malformed(dial, version):
    """3.1.1 2.2.3, 5 1.5.5: a remaining length has four bytes at most."""
    wire = dial(version)
    wire.send(bytes([PUBLISH << 4, 0x80, 0x80, 0x80, 0x80, 1]))
    wire.ended()


@VERSIONS
def test_takeover(dial, version):
    """3.1.1 3.1.4, 5 3.1.4: a client id that connects again ends the earlier connection; MQTT 5
    says 0x8E, from Mosquitto 2.0.15 on."""
    first = dial(version)
    second = dial(version, first.account)
    assert first.ended() in (None, 0x8E)
    second.ping()


# ---------------------------------------------------------------- keep-alive

@VERSIONS
def test_silence_ends_the_connection(dial, version):
    """3.1.1 3.1.2.10, 5 3.1.2.10: after one and a half times the keep-alive."""
    wire = dial(version, keepalive=1)
    began = time.monotonic()
    assert wire.ended(timeout=20) in (None, 0x8D)
    assert 1 < time.monotonic() - began < 10


@VERSIONS
def test_pings_keep_it(dial, version):
    """3.1.1 3.12, 5 3.12."""
    wire = dial(version, keepalive=1)
    for _ in range(6):
        wire.ping()
        time.sleep(0.5)


# ---------------------------------------------------------------- PUBLISH

@VERSIONS
def test_qos_1_is_acknowledged_with_its_identifier(dial, version):
    """3.1.1 4.3.2, 5 4.3.2; 5 3.4.2.1: 0x10, because nobody subscribes to drafts."""
    wire = dial(version)
    for mid in (1, 77, 65535):
        wire.publish(f"send/@{wire.account.handle}", draft(mid), mid=mid)
        answer = wire.receive(PUBACK)
        assert answer.body[:2] == mid.to_bytes(2, "big") and answer.flags == 0
        assert answer.body[2:3] in (b"", b"\0", b"\x10")


@VERSIONS
def test_qos_0_is_not_acknowledged(dial, version):
    """3.1.1 4.3.1, 5 4.3.1; and it is stored all the same."""
    wire = dial(version)
    wire.publish(f"send/@{wire.account.handle}", draft(1), qos=0)
    assert wire.receipt()["seq"] == 1
    wire.ping()


@VERSIONS
def test_dup_is_stored_once(dial, version):
    """3.1.1 3.3.1.1, 5 3.3.1.1: a server may take a packet with DUP for a new one; the draft's id
    makes it one message."""
    wire = dial(version)
    topic = f"send/@{wire.account.handle}"
    wire.publish(topic, draft(1), mid=5)
    wire.receive(PUBACK)
    wire.publish(topic, draft(1), mid=5, dup=True)
    first = wire.receipt()
    wire.receive(PUBACK)
    assert wire.receipt()["seq"] == first["seq"] == 1


@VERSIONS
def test_packet_identifier_zero_is_malformed(dial, version):
    """3.1.1 2.3.1, 5 2.2.1."""
    wire = dial(version)
    wire.publish(f"send/@{wire.account.handle}", draft(1), mid=0)
    wire.ended()


@VERSIONS
def test_qos_3_is_malformed(dial, version):
    """3.1.1 3.3.1.2, 5 3.3.1.2."""
    wire = dial(version)
    wire.publish(f"send/@{wire.account.handle}", draft(1), qos=3)
    assert wire.ended() in (None, 0x81)


@VERSIONS
def test_dup_with_qos_0_does_no_harm(dial, version):
    """3.1.1 3.3.1.1, 5 3.3.1.1: DUP must be 0 with QoS 0: refused, or taken as QoS 0."""
    wire = dial(version)
    wire.publish(f"send/@{wire.account.handle}", draft(1), qos=0, dup=True)
    other = dial(version)
    other.ping()


@VERSIONS
def test_qos_2_is_refused_as_documented(dial, version):
    """3.1.1 4.3.3, 5 4.3.3: PUBREC with a code of 0x80 or more ends the exchange in MQTT 5. MQTT
    3.1.1 has no such code: there the handshake runs to its end, and the receipt says no."""
    wire = dial(version)
    wire.publish(f"send/@{wire.account.handle}", draft(1), qos=2, mid=9)
    answer = wire.receive(PUBREC)
    assert answer.body[:2] == b"\0\x09"
    if version == 5:
        assert answer.body[2] == 0x87
    else:
        wire.send(packet(PUBREL, 2, b"\0\x09"))
        assert wire.receive(PUBCOMP).body[:2] == b"\0\x09"
    wire.ping()


@VERSIONS
def test_refusals_name_their_reason(dial, version):
    """3.1.1 3.3.5.2: a server that does not authorize a PUBLISH acknowledges it or closes. 5
    3.4.2.1: 0x87, not authorized."""
    wire = dial(version)
    for topic in ("chat/x", "somewhere", "$SYS/broker/load", "send/@", "banter/bell"):
        wire.publish(topic, draft(1))
        assert wire.code(PUBACK) == (0x87 if version == 5 else 0)
    wire.ping()


@VERSIONS
def test_retained_messages_are_refused(dial, version):
    """5 3.2.2.3.5: Retain Available 0 in the CONNACK; 5 3.3.1.3: then a retained PUBLISH ends the
    connection with 0x9A, or is refused. 3.1.1 has no word for it: nothing is retained."""
    wire = dial(version)
    if version == 5:
        assert wire.connack.get("retain_available") == 0
    wire.publish(f"send/@{wire.account.handle}", draft(1), retain=True)
    if version == 5:
        assert wire.ended() in (None, 0x9A)
    later = dial(version, wire.account)
    later.subscribe("send/#", "chat/#", "me/#")
    later.receive(SUBACK)
    later.ping()


@VERSIONS
@pytest.mark.parametrize("topic", ["send/+", "send/#", "#", "", "send/\0", b"send/\xff",
                                   b"send/\xed\xa0\x80"])
def test_topics_that_are_none(dial, version, topic):
    """3.1.1 3.3.2.1 and 1.5.3, 5 3.3.2.1 and 1.5.4: no wildcards, no empty name, no NUL, no
    ill-formed UTF-8: the connection ends, or (5) the packet is refused."""
    wire = dial(version)
    wire.publish(topic, draft(1))
    found = wire.next()
    if found is not None and found.type == PUBACK:
        assert version == 5 and found.body[2] >= 0x80
    else:
        assert found is None or found.type == DISCONNECT
    dial(version).ping()


@VERSIONS
def test_an_empty_payload_is_a_packet(dial, version):
    """3.1.1 3.3.3, 5 3.3.3: zero bytes are valid; as a draft they are refused."""
    wire = dial(version)
    wire.publish(f"send/@{wire.account.handle}", b"")
    assert wire.code(PUBACK) == (0x87 if version == 5 else 0)
    wire.ping()


# ---------------------------------------------------------------- SUBSCRIBE and UNSUBSCRIBE

@VERSIONS
def test_suback_has_a_code_for_each_filter_in_order(dial, version):
    """3.1.1 3.8.4 and 3.9.3, 5 3.8.4 and 3.9.3."""
    wire = dial(version)
    wire.subscribe("chat/#", "#", "me/+", "other", "chat/a/+/b", mid=300)
    body = wire.receive(SUBACK).body
    refused = 0x87 if version == 5 else 0x80
    assert body[:2] == (300).to_bytes(2, "big")
    codes = take_properties(body[2:])[1] if version == 5 else body[2:]
    assert list(codes) == [0, refused, 0, refused, 0]


@VERSIONS
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_granted_qos_is_no_higher_than_asked(dial, version, qos):
    """3.1.1 3.8.4, 5 3.8.4; and entries come at QoS 0, which is no higher either."""
    wire = dial(version)
    wire.subscribe("me/#", options=qos)
    assert wire.receive(SUBACK).body[-1] <= qos
    wire.publish(f"send/@{wire.account.handle}", draft(1))
    flags, _, _ = wire.publish_on("me/receipt")
    assert flags & 0b0110 == 0


@VERSIONS
@pytest.mark.parametrize("filter_", ["chat/#/x", "chat/a#", "chat/a+", "", b"chat/\xff", "chat/\0"])
def test_filters_that_are_none(dial, version, filter_):
    """3.1.1 4.7.1, 5 4.7.1: a malformed filter ends the connection, or gets a code of its own."""
    wire = dial(version)
    wire.subscribe(filter_)
    found = wire.next()
    if found is not None and found.type == SUBACK:
        assert found.body[-1] >= 0x80
    else:
        assert found is None or found.type == DISCONNECT
    dial(version).ping()


@VERSIONS
def test_subscribe_without_filters_is_malformed(dial, version):
    """3.1.1 3.8.3, 5 3.8.3; and 3.10.3 of both."""
    wire = dial(version)
    wire.subscribe()
    wire.ended()
    wire = dial(version)
    wire.unsubscribe()
    wire.ended()


@VERSIONS
def test_unsubscribe_is_acknowledged_whatever_it_names(dial, version):
    """3.1.1 3.10.4 and 3.11, 5 3.10.4 and 3.11.3: 0x11 where there was no subscription."""
    wire = dial(version)
    wire.subscribe("chat/#")
    wire.receive(SUBACK)
    wire.unsubscribe("chat/#", "never", mid=12)
    body = wire.receive(UNSUBACK).body
    assert body[:2] == b"\0\x0c"
    if version == 5:
        assert list(take_properties(body[2:])[1]) == [0, 0x11]
    else:
        assert body[2:] == b""


@VERSIONS
def test_subscriptions_are_not_what_delivers(dial, version):
    """3.1.1 3.8.4 leaves it to the server what it sends: with a subscription, overlapping ones or
    none, each message comes once."""
    wire = dial(version)
    wire.subscribe("me/#", "me/receipt", "chat/#", "chat/+")
    wire.receive(SUBACK)
    wire.publish(f"send/@{wire.account.handle}", draft(1))
    assert wire.receipt()["seq"] == 1
    wire.unsubscribe("me/#", "me/receipt")
    wire.receive(UNSUBACK)
    wire.publish(f"send/@{wire.account.handle}", draft(2), mid=2)
    assert wire.receipt()["seq"] == 2


# ---------------------------------------------------------------- wills and DISCONNECT

def will_of(wire, topic, payload):
    return wire.properties({}) + text(topic) + text(payload)


@VERSIONS
@pytest.mark.parametrize("good_bye", [True, False], ids=["disconnect", "reset"])
def test_wills_are_accepted_and_go_nowhere(dial, version, good_bye):
    """3.1.1 3.1.2.5, 5 3.1.2.5: the server publishes the Will, for which the same rights hold as
    for any publish; here nobody has the right after their connection has ended."""
    bob = dial(version)
    wire = dial(version, connect=False)
    wire.connect(wire.account, flags=0xC6,
                 will=will_of(wire, f"send/@{bob.account.handle}", draft(1)))
    wire.publish_on("me/ready")
    if good_bye:
        wire.send(packet(DISCONNECT))
        wire.ended()
    wire.socket.close()
    again = dial(version, wire.account)
    again.publish(f"send/@{bob.account.handle}", draft(2))
    assert again.receipt()["seq"] == 1


# ---------------------------------------------------------------- what only a server sends

@VERSIONS
@pytest.mark.parametrize("kind", [CONNACK, SUBACK, UNSUBACK, PINGRESP, 0])
def test_packets_of_servers_are_no_packets_of_clients(dial, version, kind):
    """3.1.1 2.2.1, 5 2.1.2: such a packet is a protocol error. Mosquitto 2.0.11 passes over those
    that it knows from its own bridges."""
    wire = dial(version)
    wire.send(packet(kind, 0, b"\0\1\0") + packet(PINGREQ))
    found = wire.next()
    if kind in (CONNACK, 0):
        assert found is None or found.type == DISCONNECT
    else:
        assert found is None or found.type in (DISCONNECT, PINGRESP)


@VERSIONS
def test_acknowledgements_of_nothing_do_no_harm(dial, version):
    """3.1.1 4.3, 5 4.3: PUBACK, PUBREC, PUBREL and PUBCOMP for an unknown identifier."""
    for kind, flags in ((PUBACK, 0), (PUBREC, 0), (PUBREL, 2), (PUBCOMP, 0)):
        wire = dial(version)
        wire.send(packet(kind, flags, b"\x12\x34"))
        wire.socket.close()
    dial(version).ping()
