# SPDX-License-Identifier: MIT
"""One hostile MQTT connection, over TCP or over a WebSocket, and what comes of what it sends.

Rule: an attack is bytes and nothing is repaired; behind them goes a PINGREQ, so that "nothing
happened" is something that is seen and not waited for."""
import contextlib
import dataclasses
import socket

from support.websocket import BINARY, CLOSE, PING, PONG, WebSocket
from support.wire import (CONNACK, CONNECT, DISCONNECT, PINGREQ, PINGRESP, PUBLISH, Wire, packet,
                          take_properties, take_text)

DEADLINE = 30.0  # of every wait; a loaded machine may need it


class _Carried:
    """A WebSocket that is used like a socket."""

    def __init__(self, websocket):
        self._websocket = websocket
        self.close_code = None

    def sendall(self, data):
        self._websocket.send(data)

    def settimeout(self, seconds):
        self._websocket.sock.settimeout(seconds)

    def recv(self, _most):
        while True:
            try:
                opcode, payload = self._websocket.receive()
            except (EOFError, ConnectionError):
                return b""
            if opcode == CLOSE:
                self.close_code = int.from_bytes(payload[:2], "big")
                return b""
            if opcode == PING:
                self._websocket.send(payload, opcode=PONG)
            if opcode == BINARY and payload:
                return payload

    def shutdown(self, how):
        self._websocket.sock.shutdown(how)

    def close(self):
        self._websocket.close()


@dataclasses.dataclass
class Seen:
    """What came back behind an attack."""
    answers: list = dataclasses.field(default_factory=list)    # packets but PUBLISH, DISCONNECT
    published: list = dataclasses.field(default_factory=list)  # (topic, payload)
    ended: bool = False
    reason: int = None  # of a DISCONNECT

    def take(self, found, version):
        if found.type == PUBLISH:
            topic, rest = take_text(found.body)
            payload = take_properties(rest)[1] if version == 5 else rest
            self.published.append((topic.decode(), payload))
        elif found.type == DISCONNECT:
            self.reason = found.body[0] if found.body else 0
        else:
            self.answers.append(found)


class Attacker(Wire):
    """`siege` is whom it attacks, for what the attacks need to know of the others."""

    def __init__(self, siege, account, name, *, version=5, transport="tcp", source=None):
        # pylint: disable=super-init-not-called
        self.siege, self.account, self.name = siege, account, name
        self.version, self.transport = version, transport
        self._received, self._waiting = b"", []
        system = siege.system
        if transport == "tcp":
            self.socket = socket.create_connection((system.mqtt_host, system.mqtt_port),
                                                   timeout=DEADLINE,
                                                   source_address=source and (source, 0))
        else:
            self.socket = _Carried(WebSocket.connect(system.ws, timeout=DEADLINE, source=source))

    def body(self, **options):
        """Of a CONNECT that would be let in, but for what `options` change."""
        return self.connect_body(self.account, self.name, **options)

    def log_in(self, **options):
        """Connected, and ready: from here on nothing comes unasked."""
        self.send(packet(CONNECT, 0, self.body(**options)))
        answer = self.receive(CONNACK, DEADLINE)
        assert answer.body[1] == 0, hex(answer.body[1])
        self.publish_on("me/ready", DEADLINE)
        return self

    def next_packet(self):
        return self.next(DEADLINE)

    def attack(self, data):
        """Sends it with a PINGREQ behind it, and says what comes until that is answered."""
        self.send(data + packet(PINGREQ))
        seen = Seen()
        while True:
            found = self.next_packet()
            if found is None:
                seen.ended = True
                return seen
            if found.type == PINGRESP:
                return seen
            seen.take(found, self.version)

    def last_word(self, data):
        """Sends it, says no more, and waits for the end: what came before it."""
        self.send(data)
        with contextlib.suppress(OSError):  # it may have ended already
            self.socket.shutdown(socket.SHUT_WR)
        found = []
        while (one := self.next_packet()) is not None:
            found.append(one)
        return found

    def knock(self, data):
        """Sends what should be a CONNECT: the code of the CONNACK, or None when it just closed.
        Whoever is refused is also closed."""
        self.send(data)
        found = self.next_packet()
        if found is None:
            return None
        if found.type == DISCONNECT:  # Mosquitto 2.1 says why
            assert self.next_packet() is None
            return None
        assert found.type == CONNACK, found
        if found.body[1] != 0:
            assert self.next_packet() is None, "refused, and left open"
        return found.body[1]

    def until(self, wanted, seen=None):
        """Everything published until `wanted(topic, payload)` holds: that one."""
        for topic, payload in seen.published if seen else ():
            if wanted(topic, payload):
                return topic, payload
        later = Seen()
        while True:
            found = self.next_packet()
            assert found is not None, f"closed; before that: {seen} {later}"
            later.take(found, self.version)
            if later.published and wanted(*later.published[-1]):
                return later.published[-1]
