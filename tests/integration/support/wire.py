# SPDX-License-Identifier: MIT
"""MQTT packets by hand: what no well-behaved client library would send, and what comes back byte
for byte. Properties are kept as they are on the wire, so that a test sees each of them.

Rule: nothing here repairs or hides anything; a packet is built as told."""
import collections
import contextlib
import json
import socket
import struct
import time

CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBSCRIBE, SUBACK, UNSUBSCRIBE, \
    UNSUBACK, PINGREQ, PINGRESP, DISCONNECT, AUTH = range(1, 16)

# MQTT 5, section 2.2.2.2: identifier -> (name, form)
PROPERTIES = {
    0x01: ("payload_format", "B"), 0x02: ("message_expiry", "I"), 0x03: ("content_type", "s"),
    0x08: ("response_topic", "s"), 0x09: ("correlation", "b"), 0x0B: ("subscription_id", "v"),
    0x11: ("session_expiry", "I"), 0x12: ("assigned_client_id", "s"),
    0x13: ("server_keep_alive", "H"), 0x15: ("auth_method", "s"), 0x16: ("auth_data", "b"),
    0x17: ("request_problem", "B"), 0x18: ("will_delay", "I"), 0x19: ("request_response", "B"),
    0x1A: ("response_information", "s"), 0x1C: ("server_reference", "s"), 0x1F: ("reason", "s"),
    0x21: ("receive_maximum", "H"), 0x22: ("topic_alias_maximum", "H"), 0x23: ("topic_alias", "H"),
    0x24: ("maximum_qos", "B"), 0x25: ("retain_available", "B"), 0x26: ("user", "p"),
    0x27: ("maximum_packet", "I"), 0x28: ("wildcards_available", "B"),
    0x29: ("subscription_ids_available", "B"), 0x2A: ("shared_available", "B"),
}
IDENTIFIERS = {name: (identifier, form) for identifier, (name, form) in PROPERTIES.items()}

Packet = collections.namedtuple("Packet", "type flags body")


def varint(value):
    out = bytearray()
    while True:
        value, digit = divmod(value, 128)
        out.append(digit | (0x80 if value else 0))
        if not value:
            return bytes(out)


def text(value):
    data = value.encode() if isinstance(value, str) else value
    return struct.pack(">H", len(data)) + data


def packet(kind, flags=0, body=b""):
    return bytes([kind << 4 | flags]) + varint(len(body)) + body


def _property(name, value):
    identifier, form = IDENTIFIERS[name]
    if form == "p":
        return b"".join(bytes([identifier]) + text(k) + text(v) for k, v in value)
    if form == "v":
        return bytes([identifier]) + varint(value)
    if form in "sb":
        return bytes([identifier]) + text(value)
    return bytes([identifier]) + struct.pack(">" + form, value)


def properties(**values):
    data = b"".join(_property(name, value) for name, value in values.items())
    return varint(len(data)) + data


def take_varint(data):
    value, shift = 0, 0
    for at, byte in enumerate(data[:4]):
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return value, data[at + 1:]
    raise AssertionError(f"not a length: {data[:4]!r}")


def take_text(data):
    length = struct.unpack(">H", data[:2])[0]
    return data[2:2 + length], data[2 + length:]


def take_properties(data):
    """The properties at the start of `data`, by name, and what follows them."""
    length, data = take_varint(data)
    rest, data = data[:length], data[length:]
    found = {}
    while rest:
        name, form = PROPERTIES[rest[0]]
        rest = rest[1:]
        if form == "p":
            key, rest = take_text(rest)
            value, rest = take_text(rest)
            found.setdefault(name, []).append((key.decode(), value.decode()))
            continue
        assert name not in found, f"{name} twice"
        if form == "v":
            found[name], rest = take_varint(rest)
        elif form in "sb":
            value, rest = take_text(rest)
            found[name] = value.decode() if form == "s" else value
        else:
            size = struct.calcsize(form)
            found[name] = struct.unpack(">" + form, rest[:size])[0]
            rest = rest[size:]
    return found, data


def draft(number, words="hello"):
    return json.dumps({"id": f"d{number}", "text": words}).encode()


class Wire:
    """One TCP connection to the broker."""

    def __init__(self, system, version=5, source=None):
        self.version = version
        self.socket = socket.create_connection((system.mqtt_host, system.mqtt_port), timeout=10,
                                               source_address=source and (source, 0))
        self._received = b""
        self._waiting = []  # packets that have come and that nobody asked for yet

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        """A server that has ended the connection already takes no more; ended() says so."""
        with contextlib.suppress(ConnectionError):
            self.socket.sendall(data)

    # ---------------------------------------------------------------- packets

    def properties(self, values):
        return properties(**values) if self.version == 5 else b""

    def connect_body(self, account, name="wire", *, flags=0xC2, keepalive=30, level=None,
                     protocol="MQTT", client_id=None, username=None, password=None, will=b"",
                     **values):
        """`flags` say what is there; user name and password are written if they do."""
        client_id = f"{account.handle}/{name}" if client_id is None else client_id
        body = text(protocol) + bytes([self.version_level() if level is None else level, flags])
        body += struct.pack(">H", keepalive) + self.properties(values) + text(client_id) + will
        if flags & 0x80:
            body += text(account.handle if username is None else username)
        if flags & 0x40:
            body += text(account.access_token if password is None else password)
        return body

    def version_level(self):
        return 5 if self.version == 5 else 4

    def connect(self, account, name="wire", **options):
        """CONNECT and what is answered: (session present, code, properties)."""
        self.send(packet(CONNECT, 0, self.connect_body(account, name, **options)))
        answer = self.receive(CONNACK)
        found = take_properties(answer.body[2:])[0] if self.version == 5 and answer.body[2:] else {}
        return answer.body[0], answer.body[1], found

    def publish(self, topic, payload=b"", *, qos=1, mid=1, retain=False, dup=False, **values):
        body = text(topic) + (struct.pack(">H", mid) if qos else b"")
        body += self.properties(values) + payload
        self.send(packet(PUBLISH, dup << 3 | qos << 1 | retain, body))

    def subscribe(self, *filters, mid=1, options=0, flags=2, **values):
        body = struct.pack(">H", mid) + self.properties(values)
        body += b"".join(text(f) + bytes([options]) for f in filters)
        self.send(packet(SUBSCRIBE, flags, body))

    def unsubscribe(self, *filters, mid=1, flags=2):
        body = struct.pack(">H", mid) + self.properties({}) + b"".join(text(f) for f in filters)
        self.send(packet(UNSUBSCRIBE, flags, body))

    # ---------------------------------------------------------------- receiving

    def _fill(self):
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:  # it was closed with something of ours unread
            data = b""
        self._received += data
        return bool(data)

    def next(self, timeout=10):
        """The next packet that nobody asked for; None at the end of the connection."""
        self.socket.settimeout(timeout)
        try:
            return self._waiting.pop(0) if self._waiting else self._read()
        except ConnectionResetError:
            return None

    def _read(self):
        while True:
            if len(self._received) >= 2:
                head = self._received[1:5]
                if any(byte < 0x80 for byte in head):
                    length, rest = take_varint(head)
                    start = 1 + len(head) - len(rest)
                    if len(self._received) >= start + length:
                        found = Packet(self._received[0] >> 4, self._received[0] & 15,
                                       self._received[start:start + length])
                        self._received = self._received[start + length:]
                        return found
            if not self._fill():
                return None

    def receive(self, kind, timeout=10):
        """The next packet of this kind; others before it are kept for those who ask for them."""
        deadline = time.monotonic() + timeout
        for at, found in enumerate(self._waiting):
            if found.type == kind:
                return self._waiting.pop(at)
        while True:
            self.socket.settimeout(max(0.01, deadline - time.monotonic()))
            found = self._read()
            assert found is not None, f"closed before a packet of type {kind}"
            if found.type == kind:
                return found
            self._waiting.append(found)

    def publish_on(self, topic, timeout=10):
        """The next PUBLISH on this topic: (flags, properties, payload)."""
        while True:
            found = self.receive(PUBLISH, timeout)
            on, rest = take_text(found.body)
            if found.flags >> 1 & 3:
                rest = rest[2:]
            values, rest = take_properties(rest) if self.version == 5 else ({}, rest)
            if on.decode() == topic:
                return found.flags, values, rest

    def receipt(self):
        return json.loads(self.publish_on("me/receipt")[2])

    def code(self, kind, timeout=10):
        """The reason code of the next acknowledgement of this kind; 0 where there is none."""
        body = self.receive(kind, timeout).body
        return body[2] if len(body) > 2 else 0

    def ended(self, timeout=10):
        """Waits for the broker to close. The reason of its DISCONNECT, or None without one."""
        reason = None
        while (found := self.next(timeout)) is not None:
            if found.type == DISCONNECT:
                reason = found.body[0] if found.body else 0
        return reason

    def ping(self):
        """A round trip: everything sent before has been dealt with."""
        self.send(packet(PINGREQ))
        self.receive(PINGRESP)

    def assert_not_let_in(self):
        """Refused with a code, or closed without a word."""
        try:
            assert self.receive(CONNACK).body[1] != 0
        except (AssertionError, ConnectionResetError) as end:
            assert isinstance(end, ConnectionResetError) or "closed" in str(end), end
        self.ended()
