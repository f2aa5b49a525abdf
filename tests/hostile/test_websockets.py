# SPDX-License-Identifier: MIT
"""WebSockets that break RFC 6455, and MQTT inside them that breaks the door's own rules. Each is
told why with a status or a close code, and closed."""
import json
import struct

import pytest

from support.bad_websockets import FIRST_PACKETS, FRAMES, HANDSHAKES
from support.raw_http import connect_raw, exchange_hostile
from support.websocket import (BINARY, CLOSE, CONNACK, CONTINUATION, PING, PINGREQ, PINGRESP, PONG,
                               TEXT, WebSocket, frame, mqtt_connect, mqtt_publish, packet,
                               read_head, request_head)

from attacker import DEADLINE

SOURCE = "127.1.7.1"


MORE_HANDSHAKES = {
    "version 0": ({"Sec_WebSocket_Version": "0"}, 426),
    "version 13, 8": ({"Sec_WebSocket_Version": "13, 8"}, 426),
    "version 013": ({"Sec_WebSocket_Version": "013"}, 426),
    "no version": ({"drop": ["Sec-WebSocket-Version"]}, 426),
    "no key": ({"drop": ["Sec-WebSocket-Key"]}, 400),
    "a key of other characters": ({"Sec_WebSocket_Key": "!" * 22 + "=="}, 400),
    "a key of 17 bytes": ({"Sec_WebSocket_Key": "A" * 23 + "="}, 400),
    "a key of blanks": ({"Sec_WebSocket_Key": " " * 24}, 400),
    "a key of 2000": ({"Sec_WebSocket_Key": "A" * 2000}, 400),
    "a connection that closes": ({"Connection": "close"}, 426),
    "MQTT in capitals": ({"Sec_WebSocket_Protocol": "MQTT"}, 400),
    "a subprotocol that contains it": ({"Sec_WebSocket_Protocol": "xmqtt"}, 400),
    "a thousand subprotocols": ({"Sec_WebSocket_Protocol": "a," * 400}, 400),
    "an origin with a port of ours behind it": ({"Origin": "http://evil.example#127.0.0.1"}, 403),
    "an origin that begins as ours": ({"Origin": "{http}.evil.example"}, 403),
    "an origin with a user": ({"Origin": "http://{host}@evil.example"}, 403),
    "an origin of a file": ({"Origin": "file://"}, 403),
    "an empty origin": ({"Origin": ""}, 403),
    "PUT": ({"method": "PUT"}, 405),
    "OPTIONS": ({"method": "OPTIONS"}, 405),
    "HTTP/2.0": ({"version": "HTTP/2.0"}, 400),
    "HTTP/1.1 and more": ({"version": "HTTP/1.1x"}, 400),
    "a bare CR": ({"X": "a\rb"}, 400),
    "a folded line": ({"X": "a\r\n b"}, 400),
    "a line without a colon": ({"X": "a\r\nnothing"}, 400),
    "a blank before the colon": ({"X": "a\r\nHost : b"}, 400),
    "two hosts": ({"X": "a\r\nHost: b"}, 400),
    "two keys": ({"X": "a\r\nSec-WebSocket-Key: " + "A" * 22 + "=="}, 400),
    "two origins": ({"Origin": "http://a.example", "X": "a\r\nOrigin: http://a.example"}, 400),
    "a list of forwarders without end": ({"X_Forwarded_For": "1.2.3.4, " * 300}, 400),
    "DEL": ({"X": "a\x7fb"}, 400),
}


@pytest.mark.parametrize("name", {**HANDSHAKES, **MORE_HANDSHAKES})
def test_handshakes(siege, name):
    fields, status = {**HANDSHAKES, **MORE_HANDSHAKES}[name]
    places = {"{http}": siege.system.http, "{host}": siege.system.http.split("//")[1]}
    filled = dict(fields)
    for place, value in places.items():
        if isinstance(filled.get("Origin"), str):
            filled["Origin"] = filled["Origin"].replace(place, value)
    answer = exchange_hostile(siege.system.ws, request_head(siege.system.ws, **filled), DEADLINE,
                              SOURCE).decode()
    head, _, body = answer.partition("\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} "), head
    assert json.loads(body)["status"] == status


@pytest.mark.parametrize("path", ["/mqtt/", "/mqtt/x", "/mqtt%2f", "/mqtt;x", "/", "/v1/me",
                                  "/MQTT",
                                  "//mqtt", "/./mqtt", "/assets/../mqtt", "/mqtt\\x"])
def test_other_paths_are_no_websockets(siege, path):
    with connect_raw(siege.system.ws, DEADLINE, SOURCE) as sock:
        sock.sendall(request_head(siege.system.ws, path=path))
        head, _ = read_head(sock)
    assert head.startswith("HTTP/1.1 ") and not head.startswith("HTTP/1.1 101"), head


@pytest.mark.parametrize("query", ["?", "?a=b", "?" + "x" * 3000])
def test_a_query_changes_nothing(siege, query):
    WebSocket.connect(siege.system.ws, DEADLINE, SOURCE, path="/mqtt" + query).close()


def connected(siege):
    wire = siege.dial(4, "websocket", SOURCE).log_in()
    websocket = wire.socket._websocket  # the frames themselves are the attack
    return websocket


def close_code(websocket):
    """What the server closes with; it may have more to say before."""
    while True:
        opcode, payload = websocket.receive()
        if opcode == CLOSE:
            return struct.unpack(">H", payload[:2])[0] if payload else None


U64 = struct.Struct(">Q").pack
MASK = b"\0\0\0\0"
MORE_FRAMES = {
    **{f"reserved bits {bits:#x}": (frame(PINGREQ, first=0x82 | bits), 1002)
       for bits in (0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70)},
    **{f"opcode {opcode}": (frame(b"", first=0x80 | opcode), 1002)
       for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)},
    "a fragmented ping": (frame(b"x", opcode=PING, final=False), 1002),
    "a fragmented close": (frame(b"\x03\xe8", opcode=CLOSE, final=False), 1002),
    "a pong that is too long": (frame(b"x" * 126, opcode=PONG), 1002),
    "a close that is too long": (frame(b"\x03\xe8" + b"x" * 124, opcode=CLOSE), 1002),
    "an unmasked ping": (frame(b"x", opcode=PING, mask=False), 1002),
    "an unmasked close": (frame(b"\x03\xe8", opcode=CLOSE, mask=False), 1002),
    "a second message inside one": (frame(b"\xc0", final=False) + frame(b"\0"), 1002),
    "text inside a message": (frame(b"\xc0", final=False) + frame(b"\0", opcode=TEXT), 1002),
    "text in fragments": (frame(b"a", opcode=TEXT, final=False), 1003),
    "a length of 2^63": (b"\x82\xff" + U64(1 << 63) + MASK, 1002),
    "a length of 2^64-1": (b"\x82\xff" + b"\xff" * 8 + MASK, 1002),
    "a length that is too long by form": (b"\x82\xff" + U64(5) + MASK + b"\xc0\0\xc0\0\xc0", 1002),
    "a 16-bit length of 5": (b"\x82\xfe\0\5" + MASK + b"\xc0\0\xc0\0\xc0", 1002),
    "a close of one byte": (frame(b"\3", opcode=CLOSE), 1002),
    **{f"a close with {code}": (frame(struct.pack(">H", code), opcode=CLOSE), 1002)
       for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535)},
    "a close with bad UTF-8": (frame(b"\x03\xe8\xff\xfe", opcode=CLOSE), 1007),
    **{f"an MQTT packet of type {kind}": (frame(packet(kind << 4, b"\0\1")), 1002)
       for kind in (0, 1, 2, 9, 11, 13)},
    "a length of MQTT in five frames": (
        b"".join(frame(bytes([byte]), final=False, opcode=0 if number else BINARY)
                 for number, byte in enumerate(b"\x30\xff\xff\xff\xff")), 1002),
    "a PUBLISH of 256 MB": (frame(b"\x30\xff\xff\xff\x7f"), 1009),
    "a SUBSCRIBE of 2 MB": (frame(b"\x82\x80\x80\x80\x01"), 1009),
}


@pytest.mark.parametrize("name", {**FRAMES, **MORE_FRAMES})
def test_frames(siege, name):
    data, code = {**FRAMES, **MORE_FRAMES}[name]
    websocket = connected(siege)
    websocket.sock.sendall(data)
    assert close_code(websocket) == code


MORE_FIRST = {
    "a PINGREQ": (PINGREQ, 1002),
    "a CONNECT with flags": (b"\x11\x10\0\4MQTT\4\2\0\0\0\0\0\0\0\0", 1002),
    "a CONNECT of another name": (packet(0x10, b"\0\4HTTP\4\2\0\0\0\0"), 1002),
    "a CONNECT without a client id": (packet(0x10, b"\0\4MQTT\4\2\0\0"), 1002),
    "a CONNECT whose client id is longer": (packet(0x10, b"\0\4MQTT\4\2\0\0\xff\xffa"), 1002),
    "a CONNECT whose properties are longer": (packet(0x10, b"\0\4MQTT\5\2\0\0\xff\x7fa"), 1002),
    "a length of five bytes": (b"\x10\xff\xff\xff\xff\x01", 1002),
    "zeros": (b"\0" * 100, 1002),
}


@pytest.mark.parametrize("name", {**FIRST_PACKETS, **MORE_FIRST})
def test_first_packets(siege, name):
    data, code = {**FIRST_PACKETS, **MORE_FIRST}[name]
    websocket = WebSocket.connect(siege.system.ws, DEADLINE, SOURCE)
    websocket.send(data)
    assert close_code(websocket) == code
    websocket.close()


def alive(websocket):
    """It answers MQTT still, whatever else comes."""
    websocket.send(PINGREQ)
    received = b""
    while not received.endswith(PINGRESP):
        received += websocket.receive_data()
    return True


def test_a_message_that_never_ends(siege):
    """Ten thousand empty fragments, then MQTT in fragments of one byte: it costs nothing, and what
    is in them counts."""
    websocket = connected(siege)
    empty = frame(b"", opcode=CONTINUATION, final=False)
    websocket.send(b"", final=False)
    for _ in range(100):
        websocket.sock.sendall(empty * 100)
    for byte in PINGREQ:
        websocket.send(bytes([byte]), opcode=CONTINUATION, final=False)
    assert websocket.receive_data() == PINGRESP


def test_pings_without_end(siege):
    """Five thousand, their answers unread for long; each is answered in the end, or the connection
    has been closed for it. Pongs that nobody asked for are passed over."""
    websocket = connected(siege)
    websocket.sock.sendall(frame(b"x" * 100, opcode=PONG) * 2000)
    assert alive(websocket)
    ping = frame(b"y" * 100, opcode=PING)
    try:
        for _ in range(50):
            websocket.sock.sendall(ping * 100)
        websocket.send(PINGREQ)
        while websocket.receive() != (BINARY, PINGRESP):
            pass
    except (EOFError, ConnectionError):
        pass


def test_nothing_is_compressed(siege):
    """Offered, and not accepted; what is compressed all the same is refused (above)."""
    websocket = WebSocket.connect(siege.system.ws, DEADLINE, SOURCE, Sec_WebSocket_Extensions=(
        "permessage-deflate; client_max_window_bits, x-webkit-deflate-frame, " + "a; b=c, " * 100))
    websocket.close()


def test_packets_across_frames_and_frames_across_packets(siege):
    """A CONNECT, a draft and garbage, cut everywhere: the garbage ends it, with a code."""
    stream = mqtt_connect(siege.mallory, "cut") + mqtt_publish(
        f"send/@{siege.mallory.handle}", b'{"id":"cut","text":"to myself"}') + b"\0"
    for size in (1, 2, 3, 7, 50):
        websocket = WebSocket.connect(siege.system.ws, DEADLINE, SOURCE)
        parts = [stream[at:at + size] for at in range(0, len(stream), size)]
        websocket.sock.sendall(b"".join(frame(part, final=False,
                                              opcode=CONTINUATION if number else BINARY)
                                        for number, part in enumerate(parts)))
        received = b""
        code = None
        while code is None:
            opcode, payload = websocket.receive()
            if opcode == CLOSE:
                code = struct.unpack(">H", payload[:2])[0]
            elif opcode == BINARY:
                received += payload
        # The garbage may have been seen before the broker had answered anything.
        assert code == 1002 and (not received or received.startswith(CONNACK)), (code, received)
        websocket.close()
