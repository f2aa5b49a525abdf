# SPDX-License-Identifier: MIT
"""A broker that has the link's key and lost its mind: it takes the place of the real one, which is
as much as the key allows, and says what no plugin says. The bridge throws it out and lives, and
what it may not decide it does not decide; the real one comes back, and people go on, who have
everything once."""
import json
import random
import socket
import struct
import uuid

import pytest

from support import tokens
from support.faults import frozen

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


class Link:
    """With HELLO said, in the place of the real one, which sleeps meanwhile: what the bridge says
    comes here, so that it is seen what it has decided."""

    WELCOME, ATTACHED, ENTRY, DEVICE, MEMBER, BARRIER, WATCHED = 64, 66, 67, 68, 69, 71, 75

    def __init__(self, siege):
        self._siege = siege
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(DEADLINE)
        self._received = b""
        self.seen = []      # (kind, body) of all that came
        self.receipts = []
        self.answers = {}   # to requests, by their numbers: the last page
        self.told = []      # payloads for devices that are no receipts, in text

    def __enter__(self):
        system = self._siege.system
        self._socket.connect(str(system.data / "run" / "link.sock"))
        self.send(hello(key_of(self._siege), boot=0xBAD))
        self.wait(self.WELCOME)
        return self

    def __exit__(self, *_):
        self._socket.close()

    def send(self, *frames_):
        self._socket.sendall(b"".join(frames_))

    def _read(self):
        while True:
            if len(self._received) >= 8:
                length, kind = struct.unpack("<IB", self._received[:5])
                if len(self._received) >= 8 + length:
                    found = kind, self._received[8:8 + length]
                    self._received = self._received[8 + length:]
                    return found
            part = self._socket.recv(65536)
            assert part, f"closed; before that: {self.seen[-5:]}"
            self._received += part

    def _take_device(self, body):
        _uid, _device, topic, _correlation, number, payload = take(body, "QsssQp")
        if topic == b"me/receipt":
            self.receipts.append(json.loads(payload))
            return
        self.told.append(payload.decode())
        if number:
            self.answers[number] = json.loads(payload)

    def _hear(self):
        kind, body = self._read()
        self.seen.append((kind, body))
        if kind == self.BARRIER:
            self.send(frame(7, body))
        elif kind == self.DEVICE:
            self._take_device(body)

    def bodies(self, kind):
        return [body for one, body in self.seen if one == kind]

    def wait(self, kind):
        while not self.bodies(kind):
            self._hear()
        return self.bodies(kind)

    def wait_answers(self, receipts, answers):
        """So many receipts, and the answers to these requests."""
        while len(self.receipts) < receipts or not set(answers) <= self.answers.keys():
            self._hear()


def take(body, form):
    """The fields at the beginning of a body: u64 and u8, strings and payloads."""
    found = []
    for letter in form:
        if letter in "QB":
            size = struct.calcsize(letter)
            found.append(int.from_bytes(body[:size], "little"))
        else:
            head = {"s": 2, "p": 4}[letter]
            size = head + int.from_bytes(body[:head], "little")
            found.append(body[head:size])
        body = body[size:]
    return found


def draft(number, uid, handle, target, text="HOSTILE"):
    payload = json.dumps({"id": f"lie-{number}", "text": text}).encode()
    return frame(3, U64(number) + U64(uid) + string(handle.encode()) + string(b"x")
                 + string(target.encode()) + U32(len(payload)) + payload)


def request(number, kind, uid, handle, payload):
    body = json.dumps(payload).encode()
    return frame(4, U64(number) + bytes([kind]) + U64(uid) + string(handle.encode()) + string(b"x")
                 + string(b"") + string(b"") + U32(len(body)) + body)


def assert_not_found(receipts):
    assert {receipt["error"]["code"] for receipt in receipts} == {"not_found"}, receipts


CONTROL, SYNC = 1, 2
NOBODY = 2 ** 62


def test_lies(siege):
    """Well-formed: uids that do not exist, others' conversations, handles that are not the uid's.
    What the database knows better is refused there."""
    conversation = uuid_bytes(siege.conversation)
    nobody = U64(NOBODY) + string(b"nobody-at-all") + string(b"x")
    with frozen(siege.system, "broker"), Link(siege) as link:
        link.send(frame(2, U64(2 ** 63 + 5)), frame(2, U64(0)),
                  draft(1, NOBODY, "nobody-at-all", siege.conversation),
                  draft(2, NOBODY, "nobody-at-all", f"@{siege.bob.handle}"),
                  request(1, CONTROL, NOBODY, "nobody-at-all", {"commands": [{}]}),
                  request(2, SYNC, NOBODY, "nobody-at-all", {}),
                  frame(5, conversation + struct.pack("<q", -2 ** 63)),
                  frame(5, conversation + struct.pack("<q", 2 ** 63 - 1)),
                  frame(5, b"\0" * 16 + U64(0)),
                  frame(8, nobody + b"\1\0"),
                  frame(9, b"\2" + nobody + conversation + U32(13) + b'{"read":9999}'),
                  frame(10, U64(1) + U64(NOBODY) + string(b"x")
                        + string(siege.alice.handle.encode()) + b"\0"),
                  frame(6, b"") * 100)
        link.wait_answers(2, {1, 2})
    assert_not_found(link.receipts)
    assert siege.conversation not in "".join(link.told)
    assert not siege.damage()


def commands_of_no_member(siege):
    """What nobody outside may do to the conversation of alice and bob, or learn of it."""
    one, mallory = siege.conversation, siege.mallory.handle
    return [
        {"command": "listMembers", "conversation": one},
        {"command": "addMembers", "conversation": one, "members": [mallory]},
        {"command": "removeMember", "conversation": one, "user": siege.bob.handle},
        {"command": "setRole", "conversation": one, "user": mallory, "role": "owner"},
        {"command": "modifyConversation", "conversation": one, "title": "HOSTILE"},
        {"command": "createInvite", "conversation": one},
        {"command": "leave", "conversation": one},
        {"command": "deleteConversation", "conversation": one},
        {"command": "mute", "conversation": one, "until": None},
        {"command": "join", "conversation": one},
    ]


@pytest.mark.parametrize("name", ["mallory", "alice", "bob"])
def test_a_real_user_without_rights(siege, name):
    """The uid is mallory's, the handle perhaps another's, by which the bridge names conversations:
    with bob's, a draft to @alice is one to their conversation. Whatever it is called, mallory is
    not in it."""
    uid = tokens.parts(siege.mallory.access_token)[1]["uid"]
    handle = getattr(siege, name).handle
    names = [siege.conversation, str(uuid.UUID(int=0)), str(uuid.uuid4()),
             siege.conversation[:-1] + "0123"[siege.conversation[-1] == "0"], "@nobody-at-all"]
    names += [f"@{other.handle}" for other in (siege.alice, siege.bob)
              if name != "mallory" and other.handle != handle]
    drafts = [draft(number, uid, handle, target) for number, target in enumerate(names, 1)]
    commands = commands_of_no_member(siege)
    with frozen(siege.system, "broker"), Link(siege) as link:
        link.send(frame(2, U64(uid)), *drafts,
                  request(1, CONTROL, uid, handle, {"commands": commands}),
                  request(2, SYNC, uid, handle, {"cursors": {siege.conversation: 0}}),
                  request(3, CONTROL, uid, handle, {"commands": [
                      {"command": "listConversations"},
                      {"command": "searchMessages", "query": "message"}]}),
                  frame(9, b"\2" + U64(uid) + string(handle.encode()) + string(b"x")
                        + uuid_bytes(siege.conversation) + U32(13) + b'{"read":9999}'),
                  frame(10, U64(7) + U64(uid) + string(b"x")
                        + string(siege.alice.handle.encode()) + b"\0"))
        link.wait_answers(len(drafts), {1, 2, 3})
        _, _, _, _, _, may_watch = take(link.wait(link.WATCHED)[0], "QQssQB")
        link.wait(link.ATTACHED)
    assert_not_found(link.receipts)
    for command, response in zip(commands, link.answers[1]["responses"], strict=True):
        assert response["error"]["code"] == "not_found", (command, response)
    assert siege.conversation not in "".join(link.told)
    assert not may_watch
    for kind in (link.ATTACHED, link.ENTRY):
        assert uuid_bytes(siege.conversation) not in b"".join(link.bodies(kind))
    for body in link.bodies(link.MEMBER):  # "leave" says so once more to whoever is none
        _kind, of, role = take(body[16:], "BQB")
        assert body[:16] != uuid_bytes(siege.conversation) or (of, role) == (uid, 0)
    assert siege.system.psql(
        f"SELECT count(*) FROM banter.members WHERE conversation = '{siege.conversation}'"
    ) == [["2"]]
    assert not siege.damage()


# ---------------------------------------------------------------- afterwards

def assert_all_works(siege):
    """Messages, commands, syncs, presence: over both ways in, and over HTTP."""
    for way in ((5, "tcp"), (4, "websocket")):
        wire = siege.dial(*way, source="127.1.8.1").log_in()
        for number in range(20):
            wire.publish(f"send/@{siege.mallory.handle}",
                         b'{"id":"%s %d","text":"after"}' % (uuid.uuid4().bytes.hex().encode(),
                                                             number), mid=number + 1)
        for _ in range(20):
            assert b'"seq"' in wire.until(lambda topic, _: topic == "me/receipt")[1]
        wire.publish("$CONTROL/chat/v1", b'{"commands":[{"command":"listConversations"}]}', mid=30)
        _, answer = wire.until(lambda topic, _: topic == "$CONTROL/chat/v1/response")
        assert "error" not in json.loads(answer)["responses"][0], answer
        wire.publish("send/me/sync", b"{}", mid=31)
        wire.until(lambda topic, _: topic == "me/sync")
        wire.subscribe(f"presence/{siege.mallory.handle}")
        _, shown = wire.until(lambda topic, _: topic == f"presence/{siege.mallory.handle}")
        assert json.loads(shown)["state"] == "online"
    notes = siege.system.history(siege.mallory, f"@{siege.mallory.handle}", limit=1000)
    assert [entry["text"] for entry in notes][-40:] == ["after"] * 40
    siege.chat.go_on()


@pytest.fixture(autouse=True)
def the_real_one_comes_back(siege):
    """And serves as before, in the same processes; alice and bob miss nothing."""
    with siege.watch.unready(), siege.chat.failing():
        yield
        siege.system.wait_ready(timeout=60)
        assert_all_works(siege)
    assert siege.system.status()["pids"] == siege.watch.pids
