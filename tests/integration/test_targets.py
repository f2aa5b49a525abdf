# SPDX-License-Identifier: MIT
"""Edits, deletions and reactions as entries: who may, what is refused, what members receive, and
that a deleted text is nowhere."""
import subprocess
import uuid

import pytest

from support import MQTTv5, MQTTv311, wait_until
from support.log import assert_dense, assert_invariants, whole_log


def edit(device, conversation, target, text, **options):
    return device.say(conversation, text, kind="edit", target=target, **options)


def delete(device, conversation, target, **options):
    return device.say(conversation, None, kind="delete", target=target, **options)


def react(device, conversation, target, emoji, **options):
    return device.say(conversation, None, kind="reaction", target=target, emoji=emoji, **options)


def refusal(device, conversation, **draft):
    """The code with which the draft is refused."""
    return device.receipt(device.send(conversation, **draft))["error"]["code"]


class Room:
    """A group of alice (owner), bob and carol, each with a device."""

    def __init__(self, banter):
        self.banter = banter
        self.accounts = [banter.signup(name) for name in ("alice", "bob", "carol")]
        self.alice, self.bob, self.carol = [banter.device(a) for a in self.accounts]
        self.id = banter.group(self.accounts[0], self.accounts[1:])

    def log(self):
        return whole_log(self.banter, self.accounts[0], self.id)

    def posts(self, account, **draft):
        return self.banter.request("POST", f"/v1/conversations/{self.id}/messages", draft, account)


@pytest.fixture
def room(banter):
    yield Room(banter)
    assert_invariants(banter)


def test_all_kinds_reach_all_members(room):
    said = room.bob.say(room.id, "helo")
    about = {"conversation": room.id, "from": room.accounts[1].handle, "target": said["seq"]}
    receipts = [edit(room.bob, room.id, said["seq"], "hello"),
                react(room.bob, room.id, said["seq"], "👍"),
                react(room.bob, room.id, said["seq"], "👍", remove=True),
                delete(room.bob, room.id, said["seq"])]
    expected = [{"kind": "edit", "text": "hello"}, {"kind": "reaction", "emoji": "👍"},
                {"kind": "reaction", "emoji": "👍", "remove": True}, {"kind": "delete"}]
    assert [r["seq"] for r in receipts] == list(range(said["seq"] + 1, said["seq"] + 5))
    for device in (room.alice, room.carol):
        device.wait_entry(room.id, seq=receipts[-1]["seq"])
        heard = [e for e in device.entries(room.id) if e["seq"] > said["seq"]]
        assert heard == [{**about, **fields, "seq": r["seq"], "at": r["at"], "id": r["id"]}
                         for fields, r in zip(expected, receipts)]
    log = room.log()
    assert_dense(log)
    assert log[-3:] == heard[-3:]
    assert log[-4] == {**{k: v for k, v in heard[0].items() if k != "text"}, "deleted": True}
    assert log[-5]["kind"] == "text" and log[-5]["deleted"] is True and "text" not in log[-5]


def test_they_work_over_http_and_in_direct_conversations(banter):
    alice, bob = banter.signup("alice"), banter.signup("bob")
    path = f"/v1/conversations/@{bob.handle}/messages"
    phone = banter.device(bob)

    def post(account, **draft):
        return banter.request("POST", path if account is alice else
                              f"/v1/conversations/@{alice.handle}/messages",
                              {"id": str(uuid.uuid4()), **draft}, account)

    said = post(alice, text="hello").ok()
    assert post(alice, kind="edit", target=1, text="hello bob").status == 201
    assert post(bob, kind="reaction", target=1, emoji="🎉").status == 201
    assert post(bob, kind="edit", target=1, text="mine").status == 403
    assert post(bob, kind="delete", target=1).status == 403
    assert post(alice, kind="delete", target=1).status == 201
    assert post(alice, kind="delete", target=1).status == 404
    assert post(alice, kind="delete", target=2).status == 400
    phone.wait_entry(said["conversation"], seq=4, kind="delete", target=1)
    assert_invariants(banter)


def test_who_may(room):
    seq = room.bob.say(room.id, "bob's")["seq"]
    other = room.alice.say(room.id, "alice's")["seq"]
    assert refusal(room.alice, room.id, kind="edit", target=seq, text="x") == "forbidden"
    assert refusal(room.carol, room.id, kind="edit", target=seq, text="x") == "forbidden"
    assert refusal(room.carol, room.id, kind="delete", target=seq) == "forbidden"
    assert refusal(room.bob, room.id, kind="delete", target=other) == "forbidden"
    react(room.carol, room.id, seq, "👍")
    edit(room.bob, room.id, seq, "still bob's")
    room.banter.psql("UPDATE banter.members m SET role = 3 FROM banter.users u WHERE u.id ="
                     f" m.user_id AND u.handle = '{room.accounts[2].handle}'"
                     f" AND m.conversation = '{room.id}'")
    delete(room.carol, room.id, other)  # admins may, even of owners
    delete(room.alice, room.id, seq)
    room.banter.psql("UPDATE banter.members m SET role = 1 FROM banter.users u WHERE u.id ="
                     f" m.user_id AND u.handle = '{room.accounts[1].handle}'"
                     f" AND m.conversation = '{room.id}'")
    stays = room.alice.say(room.id, "stays")["seq"]
    for draft in ({"kind": "reaction", "emoji": "👍"}, {"kind": "delete"}):
        assert room.posts(room.accounts[1], id="r", target=stays, **draft).status == 403
    eve = room.banter.signup("eve")
    assert room.posts(eve, id="r", kind="reaction", target=stays, emoji="👍").status == 404


@pytest.mark.parametrize("protocol", [MQTTv5, MQTTv311])
def test_readers_of_channels_react(banter, protocol):
    """And do nothing else; in a group they do not even react."""
    alice, bob = banter.signup("alice"), banter.signup("bob")
    channel = banter.data_of(alice, {"command": "createChannel", "title": "News",
                                     "public": True})["conversation"]
    banter.data_of(bob, {"command": "join", "conversation": channel})
    owner, reader = banter.device(alice), banter.device(bob, protocol=protocol)
    seq = owner.say(channel, "news")["seq"]
    reader.wait_entry(channel, seq=seq)
    receipt = react(reader, channel, seq, "👍")
    assert owner.wait_entry(channel, seq=receipt["seq"])["from"] == bob.handle
    react(reader, channel, seq, "👍", remove=True)
    path = f"/v1/conversations/{channel}/messages"
    reaction = {"kind": "reaction", "target": seq, "emoji": "🎉"}
    assert banter.request("POST", path, {"id": "http", **reaction}, bob).status == 201
    [message] = [entry for entry in banter.request(
        "GET", f"{path}?view=folded", account=alice).ok()["entries"] if entry["seq"] == seq]
    assert message["reactions"] == {"🎉": {"count": 1, "users": [bob.handle]}}

    for draft in ({"text": "x"}, {"kind": "edit", "target": seq, "text": "x"},
                  {"kind": "delete", "target": seq}, {**reaction, "padding": "x" * 1024}):
        assert refusal(reader, channel, **draft) == "forbidden"
    for draft in ({"text": "x"}, {"kind": "delete", "target": seq}):
        assert banter.request("POST", path, {"id": "x", **draft}, bob).status == 403
    assert refusal(reader, channel, kind="reaction", target=1, emoji="+") == "invalid"
    banter.data_of(alice, {"command": "removeMember", "conversation": channel,
                           "user": bob.handle})
    assert banter.request("POST", path, {"id": "y", **reaction}, bob).status == 404
    assert refusal(reader, channel, **reaction) == "not_found"

    group = banter.group(alice, [bob])
    seq = owner.say(group, "hello")["seq"]
    banter.data_of(alice, {"command": "setRole", "conversation": group, "user": bob.handle,
                           "role": "reader"})
    assert refusal(reader, group, kind="reaction", target=seq, emoji="+") == "forbidden"
    assert banter.request("POST", f"/v1/conversations/{group}/messages", {
        "id": "z", "kind": "reaction", "target": seq, "emoji": "+"}, bob).status == 403


def test_only_messages_that_are_there(room):
    seq = room.bob.say(room.id, "first")["seq"]
    reaction = react(room.bob, room.id, seq, "👍")["seq"]
    for draft in ({"kind": "edit", "text": "x"}, {"kind": "delete"},
                  {"kind": "reaction", "emoji": "+"}):
        for target in (1, reaction, reaction + 1, 2 ** 63 - 1):
            assert refusal(room.bob, room.id, target=target, **draft) == "invalid", target
    delete(room.bob, room.id, seq)
    for draft in ({"kind": "edit", "text": "x"}, {"kind": "delete"},
                  {"kind": "reaction", "emoji": "+"},
                  {"kind": "reaction", "emoji": "👍", "remove": True}):
        assert refusal(room.bob, room.id, target=seq, **draft) == "not_found"
    assert_dense(room.log())


def test_bad_drafts(room):
    seq = room.bob.say(room.id, "first")["seq"]
    for draft in ({"kind": "edit", "target": seq}, {"kind": "edit", "text": "x"},
                  {"kind": "edit", "target": seq, "text": ""}, {"kind": "delete"},
                  {"kind": "delete", "target": 0}, {"kind": "reaction", "target": seq},
                  {"kind": "reaction", "target": seq, "emoji": ""},
                  {"kind": "reaction", "target": seq, "emoji": "123456789"},
                  {"kind": "reaction", "target": seq, "emoji": "\n"},
                  {"kind": "reaction", "target": seq, "emoji": "+", "remove": "yes"},
                  {"kind": "members_added", "target": seq}):
        assert refusal(room.bob, room.id, **draft) == "invalid", draft
    too_long = {"kind": "edit", "target": seq, "text": "x" * 100_001}
    assert refusal(room.bob, room.id, **too_long) == "too_large"
    react(room.bob, room.id, seq, "👨‍👩‍👧‍👦")
    assert_dense(room.log())


def test_resends_and_conflicts(room):
    seq = room.bob.say(room.id, "one", id="t")["seq"]
    drafts = [{"id": "e", "kind": "edit", "target": seq, "text": "two"},
              {"id": "r", "kind": "reaction", "target": seq, "emoji": "👍"},
              {"id": "u", "kind": "reaction", "target": seq, "emoji": "👍", "remove": True},
              {"id": "d", "kind": "delete", "target": seq}]
    first = [room.bob.say(room.id, draft.pop("text", None), **draft) for draft in
             [dict(draft) for draft in drafts]]
    laptop = room.banter.device(room.accounts[1], "laptop")
    for _ in range(2):  # from another device, over HTTP, in any order, after the deletion
        for draft, receipt in reversed(list(zip(drafts, first))):
            assert laptop.receipt(laptop.send(room.id, **draft))["seq"] == receipt["seq"]
            answer = room.posts(room.accounts[1], **draft)
            assert answer.status == 200 and answer.ok()["seq"] == receipt["seq"]
        laptop.messages.clear()
    assert laptop.receipt(laptop.send(room.id, "one", id="t"))["seq"] == seq
    for draft in ({"id": "t", "kind": "delete", "target": seq},
                  {"id": "t", "text": "one", "reply_to": 1},
                  {"id": "e", "text": "two"},
                  {"id": "e", "kind": "edit", "target": 1, "text": "two"},
                  {"id": "r", "kind": "reaction", "target": seq, "emoji": "👎"},
                  {"id": "r", "kind": "reaction", "target": seq, "emoji": "👍", "remove": True},
                  {"id": "u", "kind": "reaction", "target": seq, "emoji": "👍"},
                  {"id": "d", "kind": "delete", "target": 1}):
        assert room.posts(room.accounts[1], **draft).status == 409, draft
    assert room.log()[-1]["seq"] == first[-1]["seq"]


def test_a_deleted_text_is_nowhere(room):
    canaries = [f"canary-{uuid.uuid4()}" for _ in range(4)]
    seq = room.bob.say(room.id, f"{canaries[0]} " + "long " * 5000)["seq"]  # out of line
    for canary in canaries[1:]:
        edit(room.bob, room.id, seq, canary)
    kept = room.bob.say(room.id, f"kept-{canaries[0]}"[:12], reply_to=seq)["seq"]

    def dump():
        return subprocess.run(["pg_dump", "-d", room.banter.postgres_dsn, "--data-only"],
                              capture_output=True, check=True, timeout=120).stdout.decode()

    before = dump()
    assert all(canary in before for canary in canaries)
    last = delete(room.bob, room.id, seq)["seq"]
    after = dump()
    assert not any(canary in after for canary in canaries)
    log = room.log()
    assert_dense(log)
    assert log[-1]["seq"] == last == kept + 1
    for entry in log[seq - 1:seq + 3]:
        assert entry["deleted"] is True and "text" not in entry
    assert log[kept - 1]["reply_to"] == seq
    for account in room.accounts:
        for view in ("raw", "folded"):
            answer = room.banter.request("POST", "/v1/sync", {"view": view, "limit": 1000}, account)
            assert not any(canary.encode() in answer.body for canary in canaries)


def test_what_comes_after_a_deletion_in_the_same_breath(room):
    """All at once, from several devices: whatever is stored is stored before the deletion."""
    devices = [room.bob] + [room.banter.device(room.accounts[1], f"d{n}") for n in range(3)]
    for _ in range(10):
        seq = room.bob.say(room.id, "target")["seq"]
        drafts = []
        for n in range(30):
            device = devices[n % 4]
            kind = ({"kind": "edit", "text": f"edit {n}"}, {"kind": "delete"},
                    {"kind": "reaction", "emoji": "+"})[n % 3 if n > 6 else 0]
            drafts.append((device, device.send(room.id, target=seq, **kind)))
        receipts = [device.receipt(draft) for device, draft in drafts]
        codes = {r["error"]["code"] for r in receipts if "error" in r}
        assert codes == {"not_found"}
        entries = [e for e in room.log() if e.get("target") == seq]
        assert [e["kind"] for e in entries].count("delete") == 1 and entries[-1]["kind"] == "delete"
        assert not any("text" in e for e in entries)


def test_edits_have_a_limit(room):
    seq = room.bob.say(room.id, "first")["seq"]
    drafts = [room.bob.send(room.id, f"edit {n}", kind="edit", target=seq) for n in range(105)]
    codes = [room.bob.receipt(draft, timeout=30).get("error", {}).get("code") for draft in drafts]
    assert codes == [None] * 100 + ["limit_reached"] * 5
    delete(room.bob, room.id, seq)


def test_a_crash_in_between_loses_and_doubles_nothing(make_system):
    banter = make_system()
    room = Room(banter)
    seq = room.alice.say(room.id, "target")["seq"]
    drafts = []
    for n in range(300):
        emoji = {"kind": "reaction", "target": seq, "emoji": "+", "remove": n % 2 == 1}
        drafts.append(room.bob.send(room.id, f"text {n}") if n % 3 else
                      room.bob.send(room.id, **emoji))
        if n == 150:
            old = banter.kill("bridge")
    banter.wait_restarted("bridge", old)
    receipts = [room.bob.receipt(draft, timeout=30) for draft in drafts]
    refused = [r for r in receipts if "error" in r]
    assert not refused
    assert len({r["seq"] for r in receipts}) == 300
    wait_until(lambda: len(room.log()) == 302, 10, "the whole log")
    assert_dense(room.log())
    assert_invariants(banter)
