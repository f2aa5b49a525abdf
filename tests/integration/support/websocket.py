# SPDX-License-Identifier: MIT
"""A WebSocket client that can break every rule, on a raw socket, and the few MQTT packets that such
tests need. Honest clients are Paho's and MQTT.js."""
import base64
import hashlib
import os
import struct
import urllib.parse

from .raw_http import connect_raw

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


def request_head(url, drop=(), method="GET", path="/mqtt", version="HTTP/1.1", **fields):
    """The head of a good handshake, but for `fields` (underscores are hyphens) and `drop`."""
    head = {
        "Host": urllib.parse.urlsplit(url).netloc,
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
        "Sec-WebSocket-Protocol": "mqtt",
        **{name.replace("_", "-"): value for name, value in fields.items()},
    }
    lines = [f"{name}: {value}" for name, value in head.items() if name not in drop]
    return "\r\n".join([f"{method} {path} {version}", *lines, "", ""]).encode()


def read_head(sock):
    data = b""
    while b"\r\n\r\n" not in data:
        part = sock.recv(65536)
        if not part:
            break
        data += part
    head, _, rest = data.partition(b"\r\n\r\n")
    return head.decode(), rest


class WebSocket:
    """An open WebSocket; connect() fails the test unless the server accepts it properly."""

    def __init__(self, sock, rest=b""):
        self.sock = sock
        self._rest = rest

    @classmethod
    def connect(cls, url, timeout=10, source=None, wrap=None, **fields):
        sock = connect_raw(url, timeout, source, wrap)
        head = request_head(url, **fields)
        sock.sendall(head)
        answer, rest = read_head(sock)
        lines = answer.lower().split("\r\n")
        key = next(line.split(b": ")[1] for line in head.split(b"\r\n")
                   if line.startswith(b"Sec-WebSocket-Key"))
        expected = base64.b64encode(hashlib.sha1(key + GUID.encode()).digest()).decode()
        assert answer.startswith("HTTP/1.1 101 "), answer
        assert f"Sec-WebSocket-Accept: {expected}" in answer
        assert "sec-websocket-protocol: mqtt" in lines
        assert "sec-websocket-extensions" not in answer.lower()
        return cls(sock, rest)

    def send(self, payload, opcode=BINARY, final=True, mask=True, first=None):
        self.sock.sendall(frame(payload, opcode, final, mask, first))

    def _exactly(self, count):
        while len(self._rest) < count:
            part = self.sock.recv(65536)
            if not part:
                raise EOFError("the server closed the connection")
            self._rest += part
        data, self._rest = self._rest[:count], self._rest[count:]
        return data

    def receive(self):
        """(opcode, payload) of the next frame."""
        first, length = self._exactly(2)
        assert first & 0x70 == 0 and length < 128, "no extension, and no mask from a server"
        if length == 126:
            length, = struct.unpack(">H", self._exactly(2))
        elif length == 127:
            length, = struct.unpack(">Q", self._exactly(8))
        return first & 15, self._exactly(length)

    def receive_data(self):
        while True:
            opcode, payload = self.receive()
            if opcode == BINARY:
                return payload

    def close_code(self):
        """The code of the close frame, whatever comes before it; the server closes behind it."""
        while True:
            opcode, payload = self.receive()
            if opcode == CLOSE:
                break
        assert self.sock.recv(100) == b""
        return struct.unpack(">H", payload[:2])[0]

    def close(self):
        self.sock.close()


def frame(payload, opcode=BINARY, final=True, mask=True, first=None):
    head = bytes([first if first is not None else (0x80 if final else 0) | opcode])
    bit = 0x80 if mask else 0
    if len(payload) < 126:
        head += bytes([bit | len(payload)])
    elif len(payload) < 65536:
        head += bytes([bit | 126]) + struct.pack(">H", len(payload))
    else:
        head += bytes([bit | 127]) + struct.pack(">Q", len(payload))
    if not mask:
        return head + payload
    key = os.urandom(4)
    stream = key * (len(payload) // 4 + 1)
    masked = int.from_bytes(payload, "big") ^ int.from_bytes(stream[:len(payload)], "big")
    return head + key + masked.to_bytes(len(payload), "big")


# ---------------------------------------------------------------- MQTT 3.1.1


def packet(first, body):
    length, rest = b"", len(body)
    while True:
        rest, digit = divmod(rest, 128)
        length += bytes([digit | (0x80 if rest else 0)])
        if not rest:
            return bytes([first]) + length + body


def string(text):
    data = text.encode() if isinstance(text, str) else text
    return struct.pack(">H", len(data)) + data


def mqtt_connect(account, device="raw", keepalive=60, token=None):
    token = account.access_token if token is None else token
    return packet(0x10, string("MQTT") + b"\x04\xc2" + struct.pack(">H", keepalive)
                  + string(f"{account.handle}/{device}") + string(account.handle)
                  + string(token))


def mqtt_publish(topic, payload, packet_id=1):
    return packet(0x32, string(topic) + struct.pack(">H", packet_id) + payload)


PINGREQ, DISCONNECT = b"\xc0\x00", b"\xe0\x00"
CONNACK, PINGRESP = b"\x20\x02\x00\x00", b"\xd0\x00"
