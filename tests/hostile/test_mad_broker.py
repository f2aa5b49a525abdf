# SPDX-License-Identifier: MIT
"""A broker that has the link's key and lost its mind: it takes the place of the real one, which is
as much as the key allows, and says what no plugin says. The bridge throws it out and lives, and
what it may not decide it does not decide; the real one comes back, and people go on.

This is last, because the real one is away for a moment."""
import random
import socket
import struct

import pytest

from attacker import DEADLINE
from test_links import U32, U64, frame, hello, string



def key_of(siege):
    return (siege.system.data / "link.key").read_bytes().strip()


def uuid_bytes(text):
    return bytes.fromhex(text.replace("-", ""))


def say(siege, data):
    """HELLO with the key, then this: waits for the end, which a malformed frame brings."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(DEADLINE)
        sock.connect(str(siege.system.data / "run" / "link.sock"))
        try:
            sock.sendall(hello(key_of(siege), boot=0xBAD) + data)
            while sock.recv(65536):
                pass
        except ConnectionError:
            pass


def person(name=b"mallory", device=b"x"):
    return U64(1) + string(name) + string(device)


def frames(siege):
    """Each ends the connection: form, kind or order is wrong."""
    payload = b'{"id":"h","text":"HOSTILE"}'
    draft = person() + string(b"@bob") + U32(len(payload)) + payload
    return {
        **{f"an empty frame of kind {kind}": frame(kind, b"") for kind in (0, 1, 2, 3, 4, 5, 7, 8,
                                                                           9, 10)},
        **{f"kind {kind} of nothing but ones": frame(kind, b"\xff" * 60) for kind in range(2, 16)},
        "kinds of bridges": frame(64, b"\0" * 30),
        "a second HELLO": hello(key_of(siege)),
        "an unknown kind": frame(99, b""),
        "reserved bytes": frame(2, U64(1), reserved=b"\1\0\0"),
        "8 MB and one": frame(3, b"", (8 << 20) + 1),
        "a draft with bytes behind it": frame(3, U64(1) + draft + b"x"),
        "a draft cut off": frame(3, (U64(1) + draft)[:-5]),
        "a draft of a handle that is none": frame(3, U64(1) + person(b"a/b") + string(b"@bob")
                                                  + U32(2) + b"{}"),
        "a draft of a device that is none": frame(3, U64(1) + person(device=b"#") + string(b"@bob")
                                                  + U32(2) + b"{}"),
        "a draft to no target": frame(3, U64(1) + person() + string(b"") + U32(2) + b"{}"),
        "a payload beyond the frame": frame(3, U64(1) + person() + string(b"@bob")
                                            + U32(0xFFFFFFFF) + b"{}"),
        "an answer to a barrier of tomorrow": frame(7, U64(2 ** 63)),
        "a session of no state": frame(8, person() + b"\x09\0"),
        "a signal of no kind": frame(9, b"\x09" + person() + b"\0" * 16 + U32(2) + b"{}"),
        "a signal that is too long": frame(9, b"\1" + person() + b"\0" * 16 + U32(2000)
                                           + b"x" * 2000),
        "a request for a topic with wildcards": frame(4, U64(1) + b"\1" + person() + string(b"a/#")
                                                      + string(b"") + U32(2) + b"{}"),
    }


def test_malformed_frames(siege):
    for data in frames(siege).values():
        say(siege, data)


def test_mutations(siege):
    for seed in range(40):
        dice = random.Random(f"mad {seed}")
        body = bytearray(U64(7) + person() + string(b"@bob") + U32(2) + b"{}")
        for _ in range(dice.randint(1, 6)):
            body[dice.randrange(len(body))] = dice.randrange(256)
        say(siege, frame(dice.choice((3, 4, 5, 8, 9, 10)), bytes(body)) + frame(99, b""))


def test_lies(siege):
    """Well-formed: uids that do not exist, others' conversations, handles that are not the uid's.
    What the database knows better is refused there."""
    payload = b'{"id":"h","text":"HOSTILE"}'
    nobody = U64(2 ** 62) + string(b"nobody-at-all") + string(b"x")
    conversation = uuid_bytes(siege.conversation)
    lies = [frame(2, U64(2 ** 63 + 5)), frame(2, U64(0)),
            frame(3, U64(1) + nobody + string(siege.conversation.encode()) + U32(len(payload))
                  + payload),
            frame(3, U64(2) + nobody + string(b"@" + siege.bob.handle.encode())
                  + U32(len(payload)) + payload),
            frame(4, U64(1) + b"\1" + nobody + string(b"") + string(b"")
                  + U32(20) + b'{"commands":[{}]}   '),
            frame(4, U64(2) + b"\2" + nobody + string(b"") + string(b"") + U32(2) + b"{}"),
            frame(5, conversation + struct.pack("<q", -2 ** 63)),
            frame(5, conversation + struct.pack("<q", 2 ** 63 - 1)), frame(5, b"\0" * 16 + U64(0)),
            frame(8, nobody + b"\1\0"), frame(9, b"\2" + nobody + conversation + U32(13)
                                              + b'{"read":9999}'),
            frame(10, U64(1) + U64(2 ** 62) + string(b"x") + string(siege.alice.handle.encode())
                  + b"\0"),
            frame(6, b"") * 100]
    say(siege, b"".join(lies) + frame(99, b""))
    assert not siege.damage()


@pytest.fixture(autouse=True)
def the_real_one_comes_back(besieged):
    """And serves as before, in the same processes."""
    yield
    system = besieged.system
    system.wait_ready(timeout=60)
    assert system.status()["pids"] == besieged.watch.pids
    wire = besieged.dial(source="127.1.8.1").log_in()
    for number in range(20):
        wire.publish(f"send/@{besieged.mallory.handle}",
                     b'{"id":"after %d","text":"after"}' % number, mid=number + 1)
    for _ in range(20):
        assert b'"seq"' in wire.until(lambda topic, _: topic == "me/receipt")[1]
    besieged.hang_up()
