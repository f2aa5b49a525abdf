# SPDX-License-Identifier: MIT
"""Good packets in which bytes are changed, left out, doubled or moved: always the same ones, as
they are drawn with fixed seeds. Whatever becomes of one, the connection either ends or still
answers, nobody but its sender is concerned, and nobody is let in who should not be."""
import random

import pytest

from support.wire import (CONNECT, PUBLISH, PUBREL, SUBSCRIBE, UNSUBSCRIBE, packet, properties,
                          take_text, text)

from test_connects import WAYS

SEEDS = range(8)
ORIGINALS = 7  # good packets, each of which is changed once for each seed and way
CONNECTS = 5  # changed for each


def mutate(data, dice):
    """One to four changes."""
    data = bytearray(data)
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(data))
        match dice.randrange(5):
            case 0:
                data[at] ^= 1 << dice.randrange(8)
            case 1:
                data[at] = dice.choice((0, 1, 0x7F, 0x80, 0xFF))
            case 2:
                del data[at:at + dice.randint(1, 8)]
            case 3:
                data[at:at] = data[at:at + dice.randint(1, 40)]
            case 4:
                data[at:at] = dice.randbytes(dice.randint(1, 8))
        if not data:
            return b"\0"
    return bytes(data)


def originals(wire):
    """Packets that are good and do no harm; the drafts go to their sender alone."""
    to = f"send/@{wire.account.handle}"
    mid = b"\0\x21"
    values = properties(content_type="a/b", response_topic="me/x", correlation=b"cc",
                        user=[("k", "v")], message_expiry=60) if wire.version == 5 else b""
    return (
        packet(PUBLISH, 2, text(to) + mid + values + b'{"id":"m","text":"mutant","reply_to":1}'),
        packet(PUBLISH, 2, text("$CONTROL/chat/v1") + mid + values
               + b'{"commands":[{"command":"getProfile"}]}'),
        packet(PUBLISH, 2, text("send/me/sync") + mid + values + b'{"cursors":{},"limit":1}'),
        packet(SUBSCRIBE, 2, mid + wire.properties({}) + text("chat/#") + b"\1" + text("me/+")
               + b"\0"),
        packet(UNSUBSCRIBE, 2, mid + wire.properties({}) + text("chat/#")),
        packet(PUBLISH, 4, text(to) + mid + values + b"{}"),
        packet(PUBREL, 2, mid),
    )


def assert_ready_as_oneself(wire, found):
    assert take_text(found.body)[0] == b"me/ready", found
    assert f'"user":"{wire.account.handle}"'.encode() in found.body, found


@WAYS
@pytest.mark.parametrize("seed", SEEDS)
def test_packets(siege, way, seed):
    for number in range(ORIGINALS):
        dice = random.Random(f"packets {way} {seed} {number}")
        wire = siege.dial(*way, source="127.1.2.1").log_in()
        wire.last_word(mutate(originals(wire)[number], dice))
        siege.hang_up()


@WAYS
@pytest.mark.parametrize("seed", SEEDS)
def test_connects(siege, way, seed):
    """Who changes their own CONNECT is let in as themselves or not at all."""
    for number in range(CONNECTS):
        dice = random.Random(f"connects {way} {seed} {number}")
        wire = siege.dial(*way, source="127.1.2.2")
        for found in wire.last_word(mutate(packet(CONNECT, 0, wire.body()), dice)):
            if found.type == PUBLISH:
                assert_ready_as_oneself(wire, found)
        siege.hang_up()
