# SPDX-License-Identifier: MIT
"""Issue 6: what MQTT 5 (OASIS Standard) demands of a server beyond MQTT 3.1.1, as far as it applies
here; see test_mqtt_conformance.py."""
import json

import pytest

from support.wire import (AUTH, CONNECT, DISCONNECT, PUBACK, PUBLISH, SUBACK, draft, packet,
                          properties, take_properties, text)


def test_the_server_sets_its_keep_alive(dial):
    """5 3.2.2.3.14: who asks for more than the server's maximum, or for none, is told."""
    assert dial(keepalive=3600).connack["server_keep_alive"] == 120
    assert dial(keepalive=0).connack["server_keep_alive"] == 120
    assert "server_keep_alive" not in dial(keepalive=60).connack


def test_shared_subscriptions_are_refused(dial):
    """5 4.8.2: they would share what belongs to each device."""
    wire = dial()
    wire.subscribe("$share/group/chat/#", "$share/group/me/#")
    assert list(take_properties(wire.receive(SUBACK).body[2:])[1]) == [0x87, 0x87]


def test_a_shared_subscription_with_no_local_is_a_protocol_error(dial):
    """5 3.8.3.1; Mosquitto 2.0 refuses it as any other shared one."""
    wire = dial()
    wire.subscribe("$share/group/chat/#", options=4)
    found = wire.next()
    assert found is None or found.type == DISCONNECT or found.body[-1] == 0x87


@pytest.mark.parametrize("options", [0x04, 0x08, 0x10, 0x20])
def test_subscription_options_are_accepted(dial, options):
    """5 3.8.3.1: No Local, Retain As Published, Retain Handling 1 and 2."""
    wire = dial()
    wire.subscribe("chat/#", options=options)
    assert wire.receive(SUBACK).body[-1] == 0


@pytest.mark.parametrize("options", [0x03, 0x30, 0x40, 0x80])
def test_reserved_subscription_options_are_malformed(dial, options):
    """5 3.8.3.1: QoS 3, Retain Handling 3 and the reserved bits."""
    wire = dial()
    wire.subscribe("chat/#", options=options)
    assert wire.ended() in (None, 0x81, 0x82)


def test_subscription_identifiers(dial):
    """5 3.8.2.1.2: 0 is a protocol error; another one is accepted, and as no subscription delivers
    anything, none comes back."""
    wire = dial()
    wire.subscribe("me/#", subscription_id=268435455)
    assert wire.receive(SUBACK).body[-1] == 0
    wire.publish(f"send/@{wire.account.handle}", draft(1))
    assert "subscription_id" not in wire.publish_on("me/receipt")[1]
    wire.subscribe("me/#", subscription_id=0)
    assert wire.ended() in (None, 0x81, 0x82)


def test_disconnect_with_reason_and_with_will(dial):
    """5 3.14.2.1: 0x00 and 0x04 from a client, with and without properties, end it quietly."""
    for body in (b"", b"\0", b"\4", b"\0" + properties(reason="bye", user=[("a", "b")]),
                 b"\0" + properties(session_expiry=0)):
        wire = dial()
        wire.send(packet(DISCONNECT, 0, body))
        assert wire.ended() is None


def test_session_expiry_cannot_be_raised_at_the_end(dial):
    """5 3.14.2.2.2: a session that was to end with its connection cannot be given a life: it is a
    protocol error. And no session outlives its connection here."""
    wire = dial()
    wire.send(packet(DISCONNECT, 0, b"\0" + properties(session_expiry=60)))
    assert wire.ended() in (None, 0x82)
    again = dial(account=wire.account, connect=False)
    assert again.connect(wire.account, flags=0xC0)[:2] == (0, 0)


def test_entries_missed_do_not_come_from_the_broker(dial):
    """5 4.1: what a session that is kept would have queued is not sent again on reconnecting: a
    device asks for a sync, as docs/protocol.md says."""
    bob = dial(session_expiry=3600, flags=0xC0)
    alice = dial()
    bob.send(packet(DISCONNECT))  # which leaves the session's life as it is
    bob.ended()
    alice.publish(f"send/@{bob.account.handle}", draft(1))
    conversation = alice.receipt()["conversation"]
    again = dial(account=bob.account, flags=0xC0, session_expiry=3600)
    alice.publish(f"send/@{bob.account.handle}", draft(2), mid=2)
    assert json.loads(again.publish_on(f"chat/{conversation}")[2])["seq"] == 2


def test_maximum_packet_size_of_the_server(dial):
    """5 3.2.2.3.6: announced. A larger packet ends the connection, with 0x95."""
    wire = dial()
    assert wire.connack["maximum_packet"] == 1 << 20
    wire.publish(f"send/@{wire.account.handle}", b" " * (1 << 20))
    assert wire.ended() in (None, 0x95)


def test_maximum_packet_size_of_the_client(dial):
    """5 3.1.2.11.4: packets that are larger than the client takes are not sent to it; the others
    come."""
    wire = dial(maximum_packet=400)
    other = dial(account=wire.account, name="other")
    other.publish(f"send/@{wire.account.handle}", draft(1, "x" * 1000))
    conversation = other.receipt()["conversation"]
    other.publish(f"send/@{wire.account.handle}", draft(2), mid=2)
    assert json.loads(wire.publish_on(f"chat/{conversation}")[2])["seq"] == 2


def test_receive_maximum_of_the_server(dial):
    """5 3.3.4: up to it QoS 1 packets may be under way at once, and all are acknowledged."""
    wire = dial()
    most = min(wire.connack.get("receive_maximum", 65535), 200)
    topic = f"send/@{wire.account.handle}"
    wire.send(b"".join(packet(PUBLISH, 2, text(topic) + mid.to_bytes(2, "big") + b"\0" + draft(mid))
                       for mid in range(1, most + 1)))
    acknowledged = [int.from_bytes(wire.receive(PUBACK).body[:2], "big") for _ in range(most)]
    assert acknowledged == list(range(1, most + 1))  # 5 4.6: in the order in which they came


def test_receive_maximum_zero_is_a_protocol_error(dial):
    """5 3.1.2.11.3; and 3.1.2.11.4 for the maximum packet size."""
    for wrong in ({"receive_maximum": 0}, {"maximum_packet": 0}):
        wire = dial(connect=False)
        wire.send(packet(CONNECT, 0, wire.connect_body(wire.account, **wrong)))
        wire.assert_not_let_in()


def test_topic_aliases_of_the_client(dial):
    """5 3.3.2.3.4: the topic is sent once; 0, one above the server's maximum, and one that was
    never set end the connection."""
    wire = dial()
    most = wire.connack.get("topic_alias_maximum", 0)
    assert most >= 1
    topic = f"send/@{wire.account.handle}"
    wire.publish(topic, draft(1), topic_alias=1)
    assert wire.receipt()["seq"] == 1
    wire.publish("", draft(2), mid=2, topic_alias=1)
    assert wire.receipt()["seq"] == 2
    for alias, name in ((0, topic), (most + 1, topic), (2, "")):
        wrong = dial()
        wrong.publish(name, draft(3), topic_alias=alias)
        assert wrong.ended() in (None, 0x81, 0x82, 0x94)


def test_no_topic_alias_is_sent_unasked(dial):
    """5 3.1.2.11.5: without a Topic Alias Maximum of the client's none may come."""
    wire = dial()
    wire.publish(f"send/@{wire.account.handle}", draft(1))
    assert "topic_alias" not in wire.publish_on("me/receipt")[1]


def test_properties_of_drafts_go_nowhere(dial):
    """5 3.3.2.3: user properties, content type, format, expiry and response topic of a draft are
    accepted; the entry is the server's own message and has none of them."""
    wire = dial()
    other = dial(account=wire.account, name="other")
    wire.publish(f"send/@{wire.account.handle}", draft(1), user=[("a", "1"), ("a", "2")],
                 content_type="application/json", payload_format=1, message_expiry=60,
                 response_topic="me/x", correlation=b"c")
    conversation = wire.receipt()["conversation"]
    assert other.publish_on(f"chat/{conversation}")[1] == {}


def test_request_and_response(dial):
    """5 4.10: a command is answered on its Response Topic with its Correlation Data, to the device
    that asked."""
    wire = dial()
    wire.publish("$CONTROL/chat/v1", b'{"commands":[{"command":"listConversations"}]}',
                 response_topic="my/answers", correlation=b"\0\1\2")
    _, found, payload = wire.publish_on("my/answers")
    assert found == {"correlation": b"\0\1\2"}
    assert json.loads(payload)["responses"][0]["data"]


@pytest.mark.parametrize("topic", ["a/+", "a/#", "#"])
def test_response_topics_with_wildcards(dial, topic):
    """5 3.3.2.3.5: a Response Topic has no wildcards."""
    wire = dial()
    wire.publish("$CONTROL/chat/v1", b'{"commands":[]}', response_topic=topic)
    while True:
        found = wire.next()
        if found is None or found.type == DISCONNECT:
            break
        if found.type == PUBLISH:
            assert b"error" in found.body
            break


def test_a_property_twice_or_unknown_is_a_protocol_error(dial):
    """5 2.2.2.2 and 3.1.2.11."""
    for wrong in (b"\x21\0\1\x21\0\1", b"\x7f\0", b"\x0b\1"):
        wire = dial(connect=False)
        body = wire.connect_body(wire.account)
        at = body.index(b"\0", 10)  # the empty properties, behind the keep-alive
        wire.send(packet(CONNECT, 0, body[:at] + bytes([len(wrong)]) + wrong + body[at + 1:]))
        wire.assert_not_let_in()


def test_enhanced_authentication_is_refused(dial):
    """5 3.1.2.11.9 and 4.12: a method that the server does not know: 0x8C, or 0x87."""
    wire = dial(connect=False)
    _, code, _ = wire.connect(wire.account, auth_method="SCRAM-SHA-256", auth_data=b"x")
    assert code in (0x8C, 0x87)
    wire.ended()


def test_auth_out_of_place_is_a_protocol_error(dial):
    """5 3.15: without an Authentication Method at CONNECT."""
    wire = dial()
    wire.send(packet(AUTH, 0, b"\x19" + properties()))
    assert wire.ended() in (None, 0x81, 0x82, 0x8C)
