# SPDX-License-Identifier: MIT
"""The private sockets, from somebody who has got as far as that and has no key: nothing is
answered, every connection is closed, and the broker's own link does not notice."""
import contextlib
import random
import socket
import struct

import pytest

from support.wire import CONNECT, packet, text

from attacker import DEADLINE

VERSION = 5
U32, U64 = struct.Struct("<I").pack, struct.Struct("<Q").pack


def frame(kind, body, length=None, reserved=b"\0\0\0"):
    return U32(len(body) if length is None else length) + bytes([kind]) + reserved + body


def string(data):
    return struct.pack("<H", len(data)) + data


def hello(key, version=VERSION, boot=1, behind=b""):
    return frame(1, U32(version) + string(key) + U64(boot) + behind)


def closed_without_a_word(siege, name, data, end=False):
    """`end`: they say no more; what has begun will not be finished."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(DEADLINE)
        sock.connect(str(siege.system.data / "run" / name))
        try:
            sock.sendall(data)
            if end:
                sock.shutdown(socket.SHUT_WR)
            found = sock.recv(1000)
        except ConnectionError:
            found = b""
    assert found == b"", found


HELLOS = {
    "no key": hello(b""),
    "a wrong key": hello(b"k" * 64),
    "a key that is too long": hello(b"k" * 129),
    "a key of 65535": frame(1, U32(VERSION) + b"\xff\xff" + b"k" * 65_535 + U64(1)),
    "a key of NULs": hello(b"\0" * 64),
    "a key beyond the frame": frame(1, U32(VERSION) + b"\xff\xff" + b"k" * 10),
    "version 0": hello(b"k" * 64, version=0),
    "an older version": hello(b"k" * 64, version=VERSION - 1),
    "version 2^32-1": hello(b"k" * 64, version=2 ** 32 - 1),
    "bytes behind it": hello(b"k" * 64, behind=b"x"),
    "a second one": hello(b"k" * 64) * 2,
    "an empty one": frame(1, b""),
    "a draft behind it": hello(b"k" * 64) + frame(3, b"x" * 100),
    "reserved bytes": frame(1, U32(VERSION) + string(b"k" * 64) + U64(1), reserved=b"\0\0\1"),
    "a length of 8 MB and one": frame(1, b"", (8 << 20) + 1),
    "a length of 2^31": frame(1, b"", 1 << 31),
    "a length of 2^32-1": frame(1, b"", 2 ** 32 - 1),
    "MQTT": packet(CONNECT, 0, text("MQTT") + b"\4\2\0\0" + text("banter-bell")),
    "HTTP": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "zeros": b"\0" * 8,
    "ones": b"\xff" * 64,
}


@pytest.mark.parametrize("name", HELLOS)
def test_hellos(siege, name):
    closed_without_a_word(siege, "link.sock", HELLOS[name])


@pytest.mark.parametrize("kind", [*range(2, 32), *range(60, 90), 127, 128, 255])
def test_frames_before_hello(siege, kind):
    """Whatever they hold, of plugins, of bridges and of nobody."""
    closed_without_a_word(siege, "link.sock", frame(kind, b"\0" * 40))


@pytest.mark.parametrize("part", range(8))
def test_what_is_cut_off(siege, part):
    data = hello(b"k" * 64)
    closed_without_a_word(siege, "link.sock", data[:len(data) * part // 8], end=True)


@pytest.mark.parametrize("part", range(6))
def test_keys_that_are_nearly_right(siege, part):
    """Its beginning, with more behind it, with one byte changed, in other letters."""
    key = (siege.system.data / "link.key").read_bytes().strip()
    closed_without_a_word(siege, "link.sock", hello(
        [key[:-1], key + b"0", bytes([key[0] ^ 1]) + key[1:], key[:-1] + bytes([key[-1] ^ 1]),
         key.upper() + b"\n", key + b"\0"][part]))


def test_the_right_key_and_the_wrong_version(siege):
    """It is not the key alone that counts."""
    key = (siege.system.data / "link.key").read_bytes().strip()
    closed_without_a_word(siege, "link.sock", hello(key, version=VERSION + 1))


def test_the_same_again_and_again(siege):
    for _ in range(50):
        closed_without_a_word(siege, "link.sock", HELLOS["a wrong key"])


@pytest.mark.parametrize("seed", range(30))
def test_mutations(siege, seed):
    """Bytes of HELLO changed, its key a wrong one."""
    dice = random.Random(f"links {seed}")
    data = bytearray(hello(b"k" * 64))
    for _ in range(dice.randint(1, 5)):
        data[dice.randrange(len(data))] = dice.randrange(256)
    closed_without_a_word(siege, "link.sock", bytes(data), end=True)


def test_more_at_once_than_there_are_places(siege):
    """Silent ones in all places: the next one is turned away at once, and those who were linked
    go on."""
    path, sockets = str(siege.system.data / "run" / "link.sock"), []
    with contextlib.ExitStack() as opened:
        for _ in range(12):
            sock = opened.enter_context(socket.socket(socket.AF_UNIX))
            sock.settimeout(DEADLINE)
            with contextlib.suppress(BlockingIOError):  # they do not even fit into the queue
                sock.connect(path)
                sockets.append(sock)
        assert len(sockets) > 4
        for sock in sockets:
            assert sock.recv(100) == b""
    siege.chat.go_on()


BROKERS = {
    "a stranger": ("mallory/x", "mallory", b"x"),
    "the bell without a key": ("banter-bell", "banter-bell", b""),
    "the bell with a wrong key": ("banter-bell", "banter-bell", b"k" * 64),
    "the bell's user, another id": ("banter-bell2", "banter-bell", b"k" * 64),
}


@pytest.mark.parametrize("name", ["broker.sock", "mqtt.sock"])
@pytest.mark.parametrize("who", BROKERS)
def test_the_brokers_sockets(siege, name, who):
    """They ask for the same as the public one: 5, or 2 for a client id that is none, and closed."""
    client_id, user, password = BROKERS[who]
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(DEADLINE)
        sock.connect(str(siege.system.data / "run" / name))
        sock.sendall(packet(CONNECT, 0, text("MQTT") + b"\4\xc2\0\x3c" + text(client_id)
                            + text(user) + text(password)))
        found = b""
        while part := sock.recv(100):
            found += part
    assert found in (b"", b"\x20\2\0\5", b"\x20\2\0\2"), found
