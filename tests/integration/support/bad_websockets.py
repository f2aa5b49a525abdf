# SPDX-License-Identifier: MIT
"""What the front door refuses of WebSocket clients: handshakes with their status, what follows with
the code that it closes with."""
from .websocket import (CLOSE, CONNACK, CONTINUATION, PING, PINGREQ, TEXT, frame, mqtt_publish,
                        packet, string)

HANDSHAKES = {
    "no subprotocol": ({"drop": ["Sec-WebSocket-Protocol"]}, 400),
    "an older subprotocol": ({"Sec_WebSocket_Protocol": "mqttv3.1"}, 400),
    "no upgrade": ({"drop": ["Upgrade"]}, 426),
    "another upgrade": ({"Upgrade": "h2c"}, 426),
    "an older version": ({"Sec_WebSocket_Version": "8"}, 426),
    "a short key": ({"Sec_WebSocket_Key": "AAAA"}, 400),
    "POST": ({"method": "POST"}, 405),
    "HTTP/1.0": ({"version": "HTTP/1.0"}, 400),
    "no host": ({"drop": ["Host"]}, 400),
    "a page of another site": ({"Origin": "https://evil.example"}, 403),
    "a page of nowhere": ({"Origin": "null"}, 403),
    "a control character": ({"X": "a\x00b"}, 400),
    "a head without end": ({"X": "y" * 9000}, 431),
}

FRAMES = {
    "text": (frame(b"hello", opcode=TEXT), 1003),
    "not masked": (frame(PINGREQ, mask=False), 1002),
    "compressed": (frame(PINGREQ, first=0xc2), 1002),
    "a continuation of nothing": (frame(PINGREQ, opcode=CONTINUATION), 1002),
    "an unknown opcode": (frame(b"", first=0x83), 1002),
    "a ping that is too long": (frame(b"x" * 126, opcode=PING), 1002),
    "a close code that is none": (frame(b"\x00\x01", opcode=CLOSE), 1002),
    "a second CONNECT": (frame(packet(0x10, string("MQTT") + b"\x04\x02\0\x3c\0\0")), 1002),
    "a packet of servers": (frame(CONNACK), 1002),
    "a length of five bytes": (frame(b"\x30\xff\xff\xff\xff\x01"), 1002),
    "a packet that is too large": (frame(b"\x32\x80\x80\x80\x01" + b"x" * 1000), 1009),
}

FIRST_PACKETS = {
    "a PUBLISH": (mqtt_publish("send/@bob", b"{}"), 1002),
    "no MQTT": (b"hello, world", 1002),
    "a CONNECT of 9 KB": (packet(0x10, b"x" * 9000), 1009),
    "the beginning of a huge CONNECT": (b"\x10\xff\xff\xff\x7f", 1009),
}
