# SPDX-License-Identifier: MIT
"""One connected device of one account, on Eclipse Paho: a client that we did not write.

Paho's thread only appends to lists under a condition; every method that waits does so on the
test's thread and has a deadline. There is no automatic reconnect: a test says when.
"""
import collections
import contextlib
import json
import socket
import threading
import time
import uuid

import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from .waiting import Timeout

MQTTv311 = paho.MQTTv311
MQTTv5 = paho.MQTTv5

Message = collections.namedtuple("Message", "topic payload at properties")


class Refused(AssertionError):
    """The broker refused the connection; `code` is the CONNACK's."""

    def __init__(self, code):
        super().__init__(f"connection refused: {code}")
        self.code = code


class _Client(paho.Client):
    """Paho 1.6 reads the reason code of a PUBACK and drops it: keep it before it does."""

    def _handle_pubackcomp(self, cmd):
        packet = bytes(self._in_packet["packet"])
        mid = int.from_bytes(packet[:2], "big")
        self.on_reason(mid, packet[2] if len(packet) > 2 else 0)
        return super()._handle_pubackcomp(cmd)

    def _handle_disconnect(self):
        """It also passes over the reason of a DISCONNECT that has nothing else."""
        packet = bytes(self._in_packet["packet"])
        self.on_disconnect_packet(packet[0] if packet else 0)
        return super()._handle_disconnect()


class Device:
    def __init__(self, system, account, name="phone", *, protocol=MQTTv5, transport="tcp",
                 token=None, client_id=None, username=None, will=None, keepalive=30,
                 properties=None, tls=None, wait_ready=True, connect=True):
        self.system = system
        self.account = account
        self.name = name
        self.protocol = protocol
        self.messages = []
        self.response_topics = set()
        self._transport = transport
        self._tls = tls
        self._token = token
        self._client_id = f"{account.handle}/{name}" if client_id is None else client_id
        self._username = account.handle if username is None else username
        self._will = will
        self._keepalive = keepalive
        self._properties = properties
        self._changed = threading.Condition()
        self._client = None
        self._forget()
        if connect:
            self.connect(wait_ready=wait_ready)

    # ---------------------------------------------------------------- connection

    def _forget(self):
        self._connack = None
        self._closed = None
        self.disconnect_reason = None  # of the broker's DISCONNECT packet, if there was one
        self._pubacks = {}
        self._subacks = {}

    def _make_client(self):
        options = {} if self.protocol == MQTTv5 else {"clean_session": True}
        client = _Client(client_id=self._client_id, protocol=self.protocol,
                         transport=self._transport, reconnect_on_failure=False, **options)
        token = self.account.access_token if self._token is None else self._token
        client.username_pw_set(self._username, token)
        client.max_inflight_messages_set(1000)
        if self._transport == "websockets":
            client.ws_set_options(path="/mqtt")
        if self._tls:
            client.tls_set(ca_certs=str(self._tls))
        if self._will:
            client.will_set(*self._will)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_subscribe = self._on_subscribe
        client.on_reason = self._on_reason
        client.on_disconnect_packet = self._on_disconnect_packet
        return client

    def _port(self):
        system = self.system
        address = {("tcp", False): f":{system.mqtt_port}", ("tcp", True): system.mqtts,
                   ("websockets", False): system.ws, ("websockets", True): system.wss,
                   }[self._transport, bool(self._tls)]
        return int(address.removesuffix("/mqtt").rsplit(":", 1)[1])

    def connect(self, wait_ready=True, timeout=10):
        """Connects with a clean session. Raises Refused, or Timeout without a CONNACK."""
        self._forget()
        seen = len(self.messages)
        self._client = client = self._make_client()
        options = {}
        if self.protocol == MQTTv5:
            options = {"clean_start": True, "properties": self._properties}
        client.connect(self.system.mqtt_host, self._port(), self._keepalive, **options)
        client.loop_start()
        self._wait(lambda: self._connack is not None or self._closed is not None, timeout,
                   "CONNACK")
        if self._connack is None:
            raise Refused("closed without CONNACK")
        if self._connack != 0:
            raise Refused(self._connack)
        if wait_ready:
            self._wait(lambda: any(m.topic == "me/ready" for m in self.messages[seen:]), timeout,
                       "me/ready")
        return self

    def stop_reading(self):
        """From now on it sends, and reads nothing."""
        self._client.loop_stop()  # without the thread, publish() writes by itself

    @property
    def connected(self):
        return self._connack == 0 and self._closed is None

    def wait_closed(self, timeout=10):
        """Waits until the connection has ended; returns Paho's reason."""
        self._wait(lambda: self._closed is not None, timeout, "end of the connection")
        return self._closed

    def disconnect(self, timeout=3):
        """Says DISCONNECT and waits a little for the end; a broker that hangs is left behind.
        Twice is fine."""
        if self._client is None:
            return
        if self.connected:
            self._client.disconnect()
            with self._changed:
                self._changed.wait_for(lambda: self._closed is not None, timeout)
        self._client.loop_stop()
        self._client = None

    def drop(self):
        """Cuts the connection as a lost network does: no DISCONNECT packet."""
        sock = self._client.socket()
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        self._client.loop_stop()
        self._client = None
        self._closed = "dropped"

    def reconnect(self, wait_ready=True, timeout=10):
        self.disconnect()
        return self.connect(wait_ready, timeout)

    # ---------------------------------------------------------------- Paho's thread

    def _note(self, change):
        with self._changed:
            change()
            self._changed.notify_all()

    def _on_connect(self, _client, _userdata, _flags, code, _properties=None):
        self._note(lambda: setattr(self, "_connack", getattr(code, "value", code)))

    def _on_disconnect(self, client, _userdata, code, _properties=None):
        if client is self._client:
            self._note(lambda: setattr(self, "_closed", getattr(code, "value", code) or "closed"))

    def _on_disconnect_packet(self, reason):
        self._note(lambda: setattr(self, "disconnect_reason", reason))

    def _on_message(self, _client, _userdata, message):
        got = Message(message.topic, bytes(message.payload), time.monotonic(),
                      getattr(message, "properties", None))
        self._note(lambda: self.messages.append(got))

    def _on_subscribe(self, _client, _userdata, mid, codes, _properties=None):
        granted = [getattr(code, "value", code) for code in codes]
        self._note(lambda: self._subacks.__setitem__(mid, granted))

    def _on_reason(self, mid, code):
        self._note(lambda: self._pubacks.__setitem__(mid, code))

    # ---------------------------------------------------------------- waiting

    def _wait(self, predicate, timeout, what):
        with self._changed:
            if not self._changed.wait_for(predicate, timeout):
                raise Timeout(f"{self._client_id}: no {what} within {timeout} s; "
                              f"last received: {self.messages[-5:]}")

    def wait_message(self, predicate, timeout=10, what="such message"):
        """The first message, received before or from now on, for which `predicate` holds."""
        found = []
        checked = 0

        def look():
            nonlocal checked
            while checked < len(self.messages) and not found:
                if predicate(self.messages[checked]):
                    found.append(self.messages[checked])
                checked += 1
            return found

        self._wait(look, timeout, what)
        return found[0]

    def quiet(self, seconds=0.5):
        """Fails if anything arrives within `seconds`."""
        seen = len(self.messages)
        time.sleep(seconds)
        news = self.messages[seen:]
        assert not news, f"{self._client_id} should have heard nothing, but got {news}"

    # ---------------------------------------------------------------- publishing

    def publish(self, topic, payload, qos=1, retain=False, properties=None):
        """Publishes as it is; returns the packet id."""
        if self._client is None:
            raise ConnectionError(f"{self._client_id} is not connected")
        options = {"properties": properties} if self.protocol == MQTTv5 else {}
        return self._client.publish(topic, payload, qos, retain, **options).mid

    def puback(self, mid, timeout=10):
        """Waits for the acknowledgement; its MQTT 5 reason code."""
        self._wait(lambda: mid in self._pubacks, timeout, f"PUBACK {mid}")
        return self._pubacks[mid]

    def subscribe(self, topic_filter, qos=0, timeout=10):
        """The code that the broker granted for the one filter."""
        _result, mid = self._client.subscribe(topic_filter, qos)
        self._wait(lambda: mid in self._subacks, timeout, f"SUBACK {mid}")
        return self._subacks[mid][0]

    def send(self, to, text=None, id=None, qos=1, **fields):
        """Publishes a draft to `send/{to}` and returns its id at once."""
        draft = {"id": id or str(uuid.uuid4()), **fields}
        if text is not None:
            draft["text"] = text
        self.publish(f"send/{to}", json.dumps(draft, ensure_ascii=False).encode(), qos)
        return draft["id"]

    def say(self, to, text, id=None, timeout=10, **fields):
        """Sends a draft and waits for its receipt, which must not be a refusal."""
        receipt = self.receipt(self.send(to, text, id, **fields), timeout)
        assert "error" not in receipt, f"refused: {receipt}"
        return receipt

    # ---------------------------------------------------------------- what arrived

    def _decoded(self, topic):
        return [json.loads(m.payload) for m in list(self.messages) if m.topic == topic]

    def receipts(self):
        return self._decoded("me/receipt")

    def events(self):
        return self._decoded("me/event")

    def entries(self, conversation):
        """The conversation's entries received so far, in order of arrival."""
        return self._decoded(f"chat/{conversation}")

    def receipt(self, id, timeout=10):
        """The first receipt of the draft `id`."""
        def of_draft(message):
            return message.topic == "me/receipt" and json.loads(message.payload).get("id") == id
        return json.loads(self.wait_message(of_draft, timeout, f"receipt of {id}").payload)

    def wait_entries(self, conversation, count, timeout=10):
        topic = f"chat/{conversation}"
        self._wait(lambda: sum(m.topic == topic for m in self.messages) >= count, timeout,
                   f"{count} entries on {topic}")
        return self.entries(conversation)

    def wait_entry(self, conversation, timeout=10, **fields):
        """The first entry of the conversation whose members equal `fields`."""
        topic = f"chat/{conversation}"

        def matches(message):
            if message.topic != topic:
                return False
            entry = json.loads(message.payload)
            return all(entry.get(key) == value for key, value in fields.items())
        return json.loads(self.wait_message(matches, timeout, f"{topic} with {fields}").payload)

    # ---------------------------------------------------------------- questions

    def control(self, *commands, timeout=10):
        """Sends the commands through $CONTROL/chat/v1; the list of their responses. With MQTT 5
        the answer is told from others by its Correlation Data, else by its arrival."""
        seen = len(self.messages)
        properties, mark = None, None
        if self.protocol == MQTTv5:
            mark = uuid.uuid4().bytes
            properties = Properties(PacketTypes.PUBLISH)
            properties.ResponseTopic = "$CONTROL/chat/v1/response"
            properties.CorrelationData = mark
        self.publish("$CONTROL/chat/v1", json.dumps({"commands": list(commands)}).encode(),
                     properties=properties)

        def is_answer(message):
            if message.topic != "$CONTROL/chat/v1/response" or message not in self.messages[seen:]:
                return False
            return mark is None or getattr(message.properties, "CorrelationData", None) == mark
        return json.loads(self.wait_message(is_answer, timeout, "response").payload)["responses"]

    def sync(self, cursors=None, limit=None, timeout=20):
        """Asks on send/me/sync and puts the pages of the answer together."""
        request = {}
        if cursors is not None:
            request["cursors"] = cursors
        if limit is not None:
            request["limit"] = limit
        seen = sum(m.topic == "me/sync" for m in self.messages)
        self.publish("send/me/sync", json.dumps(request).encode())

        def pages():
            return self._decoded("me/sync")[seen:]
        self._wait(lambda: any(not page.get("more") for page in pages()), timeout, "last sync page")
        return [conversation for page in pages() for conversation in page.get("conversations", [])]
