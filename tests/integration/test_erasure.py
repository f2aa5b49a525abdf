# SPDX-License-Identifier: MIT
"""Export and erasure of a user: what an export has, what the others see of an erasure, and that it
comes to its end whatever dies."""
import json
import uuid

import pytest

from support import Refused, wait_until
from support.erasure import Marked, erase, export, receipt, wait_erased
from support.life import data, event_of, invariants, roles  # noqa: F401 (a fixture)
from support.promise import PATIENCE, promised

pytestmark = pytest.mark.once

AUTHOR = "erased-"
WITHIN_S = 1  # connections end


def log_of(system, account, conversation):
    """The whole log, dense from 1."""
    entries = []
    while page := system.history(account, conversation, after=len(entries), limit=1000):
        entries += page
        assert [entry["seq"] for entry in entries] == list(range(1, len(entries) + 1))
    return entries


def direct(system, account, other):
    return system.data_of(account, {"command": "createDirect", "user": other.handle})[
        "conversation"]


def channel(system, account, **more):
    return system.data_of(account, {"command": "createChannel", "title": "News", **more})[
        "conversation"]


def ask(system, account, command, **arguments):
    return system.control(account, {"command": command, **arguments})[0]


# ---------------------------------------------------------------- export

def test_an_export_has_everything_and_goes_on_anywhere(banter):
    alice, bob = Marked(banter).signup(), banter.signup("bob")
    phone = banter.device(alice, f"{alice.mark}-dev")
    group = banter.group(bob, [alice], title="Team")
    for n in range(3):
        phone.say(group, f"text {n} {alice.mark}", id=f"{alice.mark}-{n}")
    phone.say(group, kind="reaction", target=2, emoji="👍", text=None)
    banter.data_of(bob, {"command": "setRole", "conversation": group, "user": alice.handle,
                         "role": "admin"})
    banter.data_of(alice, {"command": "createInvite", "conversation": group})
    left = banter.group(bob, [alice], title="Left")
    phone.say(left, "said before leaving")
    banter.data_of(alice, {"command": "leave", "conversation": left})
    banter.data_of(alice, {"command": "block", "user": bob.handle})

    lines = export(alice)
    assert lines[-1] == {"type": "end"}
    assert len({json.dumps(line) for line in lines}) == len(lines)
    (profile,) = [line for line in lines if line["type"] == "profile"]
    assert (profile["user"], profile["name"]) == (alice.handle, f"Name {alice.mark}")
    assert profile["email"] == f"{alice.mark}@example.org"
    (login,) = [line for line in lines if line["type"] == "login"]
    assert login["device"] == f"{alice.mark}-dev"
    assert [line["user"] for line in lines if line["type"] == "block"] == [bob.handle]
    assert [line["conversation"] for line in lines if line["type"] == "invite"] == [group]
    assert [line["conversation"] for line in lines if line["type"] == "membership"] == [group]
    entries = [line for line in lines if line["type"] == "entry"]
    assert [e["kind"] for e in entries if e["conversation"] == group] == [
        "created", "text", "text", "text", "reaction", "role_changed"]
    assert [e["kind"] for e in entries if e["conversation"] == left] == [
        "created", "text", "member_left"]
    assert [e["text"] for e in entries if e["kind"] == "text" and e["conversation"] == group] == [
        f"text {n} {alice.mark}" for n in range(3)]

    for n, line in enumerate(lines[:-1]):
        rest = export(alice, after=line["cursor"])
        assert rest[-1] == {"type": "end"}
        if line["type"] in ("membership", "entry"):
            assert rest == lines[n + 1:], line
    assert not [line for line in export(bob) if alice.mark in json.dumps(line)
                and line["type"] not in ("entry",)]
    for bad in ("x", "entries:" + "z" * 70, "y" * 200, "members:" + "0" * 36, "entries:" + "-" * 36,
                "entries:" + "0" * 36 + ":1", "entries::1"):
        answer = banter.request("GET", f"/v1/me/export?after={bad}", account=alice)
        assert (answer.status, answer.json()["code"]) == (400, "invalid")
    assert banter.request("GET", "/v1/me/export").status == 401


def test_a_long_export_comes_in_pages(banter):
    """More entries than a page has, and texts larger than one page may be."""
    alice = banter.signup("alice")
    phone = banter.device(alice)
    group = banter.group(alice, [])
    ids = [phone.send(group, f"{n} " + "x" * (100 if n % 50 else 90_000)) for n in range(1200)]
    phone.receipt(ids[-1], 60)
    entries = [line for line in export(alice) if line["type"] == "entry"]
    assert [entry["seq"] for entry in entries] == list(range(1, 1202))


# ---------------------------------------------------------------- erasure

def test_only_with_the_password(banter):
    alice = banter.signup("alice")
    for password, status in (("wrong horse battery", 403), ("", 403), ("x" * 1000, 403)):
        answer = banter.request("POST", "/v1/me/erasure", {"password": password}, alice)
        assert answer.status == status, answer
    assert banter.request("POST", "/v1/me/erasure", {}, alice).status == 400
    assert banter.request("POST", "/v1/me/erasure", {"password": alice.password}).status == 401
    assert banter.request("GET", "/v1/me", account=alice).status == 200
    assert banter.request("GET", f"/v1/erasures/{uuid.uuid4()}").status == 404
    assert banter.request("GET", "/v1/erasures/nonsense").status == 404


def test_doors_close_at_once_and_the_handle_stays_taken(banter):
    alice, bob = banter.signup("alice"), banter.signup("bob")
    other = alice.another_login()
    phone, laptop = banter.device(alice), banter.device(other, "laptop")
    with promised(banter, WITHIN_S) as promise:
        erasure = erase(alice)
        promise.begins()
        for account in (alice, other):
            assert banter.request("GET", "/v1/me", account=account).status == 401
            answer = banter.request("POST", "/v1/token", {"refresh_token": account.refresh_token})
            assert answer.status == 401
        for device in (phone, laptop):
            device.wait_closed(PATIENCE)
    for device in (phone, laptop):
        with pytest.raises(Refused):
            device.reconnect()
    login = {"handle": alice.handle, "password": alice.password}
    assert banter.request("POST", "/v1/login", login).status == 401
    for handle in (alice.handle, "erased-0123456789ab", "erased-x"):
        answer = banter.request("POST", "/v1/signup", {**login, "handle": handle})
        assert (answer.status, answer.json()["code"]) == (409, "conflict"), handle
    assert banter.request("GET", f"/v1/users/{alice.handle}", account=bob).status == 404
    done = wait_erased(banter, erasure)
    assert done["author"].startswith(AUTHOR)
    assert banter.request("GET", f"/v1/users/{done['author']}", account=bob).status == 404
    answer = banter.request("POST", "/v1/signup", login)
    assert answer.status == 409


def test_what_the_others_see(banter):
    """In a direct conversation and a group: live, and read anew."""
    alice, bob, eve = banter.signup("alice"), banter.signup("bob"), banter.signup("eve")
    phone, bobs = banter.device(alice), banter.device(bob)
    talk = direct(banter, alice, bob)
    group = banter.group(alice, [bob, eve], title="First")
    mine = phone.say(talk, "mine")["seq"]
    his = bobs.say(talk, "his", reply_to=mine)["seq"]
    phone.say(talk, "mine, edited", kind="edit", target=mine)
    phone.say(talk, None, kind="reaction", target=his, emoji="👍")
    bobs.say(talk, None, kind="reaction", target=his, emoji="👍")
    phone.say(group, "to all")
    data(ask(banter, alice, "modifyConversation", conversation=group, title="Second"))
    data(ask(banter, alice, "setRole", conversation=group, user=eve.handle, role="admin"))
    data(ask(banter, bob, "createGroup", title="His", members=[alice.handle]))

    done = wait_erased(banter, erase(alice))
    author = done["author"]
    for place in (talk, group):
        entry = bobs.wait_entry(place, kind="member_erased", timeout=20)
        assert entry["from"] == author
    assert entry["owner"] == eve.handle and roles(banter, bob, group) == {
        bob.handle: "member", eve.handle: "owner"}

    log = log_of(banter, bob, talk)
    assert [e["kind"] for e in log] == ["text", "text", "edit", "reaction", "reaction",
                                        "member_erased"]
    assert log[0] == {**log[0], "from": author, "deleted": True} and not log[0].keys() & {
        "id", "text"}
    assert (log[1]["text"], log[1]["reply_to"], log[1]["from"]) == ("his", mine, bob.handle)
    assert log[3]["deleted"] is True and "emoji" not in log[3]
    folded = {e["seq"]: e for e in banter.history(bob, talk, view="folded")}
    assert folded[his]["reactions"] == {"👍": {"count": 1, "users": [bob.handle], "own": True}}
    assert folded[mine]["deleted"] is True and "edited_at" not in folded[mine]

    log = log_of(banter, bob, group)
    assert [e["kind"] for e in log] == ["created", "text", "renamed", "role_changed",
                                        "member_erased"]
    assert "title" not in log[0] and log[2]["deleted"] is True and log[3]["user"] == eve.handle
    heads = {c["conversation"]: c for c in bobs.sync(limit=0)}
    assert heads[talk]["user"] == author and heads[talk]["role"] == "reader"
    assert heads[group]["title"] == "Second"
    refused = bobs.receipt(bobs.send(talk, "anybody there?"))
    assert refused["error"]["code"] == "forbidden"
    refused = bobs.receipt(bobs.send(f"@{alice.handle}", "anybody there?"))
    assert refused["error"]["code"] in ("forbidden", "not_found")


def test_who_goes_on_where_the_user_was_an_owner(banter):
    alice, bob, eve = banter.signup("alice"), banter.signup("bob"), banter.signup("eve")
    alone = banter.group(alice, [])
    notes = direct(banter, alice, alice)
    inherited = channel(banter, alice, public=True)
    orphan = channel(banter, alice, public=True)
    for place in (inherited, orphan):
        for account in (bob, eve):
            data(ask(banter, account, "join", conversation=place))
    data(ask(banter, alice, "setRole", conversation=inherited, user=eve.handle, role="admin"))
    phone = banter.device(alice)
    for place in (alone, notes, inherited, orphan):
        phone.say(place, "words that only one says")
    eves = banter.device(eve)

    wait_erased(banter, erase(alice))
    assert eves.wait_entry(inherited, kind="member_erased", timeout=20)["owner"] == eve.handle
    assert event_of(eves, inherited, "role_changed")["role"] == "owner"
    assert roles(banter, eve, inherited) == {bob.handle: "reader", eve.handle: "owner"}
    assert roles(banter, eve, orphan) == {bob.handle: "reader", eve.handle: "reader"}
    assert "owner" not in eves.wait_entry(orphan, kind="member_erased", timeout=20)
    ended = banter.psql(f"SELECT id FROM banter.conversations WHERE deleted_at IS NOT NULL "
                        f"AND id IN ('{alone}', '{notes}', '{inherited}', '{orphan}')")
    assert ended == [[alone]]


def test_two_who_are_erased_at_once(banter):
    """In the same conversations: each erasure meets the other one's work."""
    alice, bob, eve = banter.signup("alice"), banter.signup("bob"), banter.signup("eve")
    group = banter.group(alice, [bob, eve])
    talk = direct(banter, alice, bob)
    for account in (alice, bob):
        device = banter.device(account)
        for place in (group, talk):
            device.say(place, f"by {account.handle}")
    erasures = [erase(alice), erase(bob)]
    authors = {wait_erased(banter, erasure)["author"] for erasure in erasures}
    log = log_of(banter, eve, group)
    assert [e["from"] for e in log if e["kind"] == "text"] != [] and authors == {
        e["from"] for e in log}
    assert not [e for e in log if alice.handle in json.dumps(e) or bob.handle in json.dumps(e)]
    assert roles(banter, eve, group) == {eve.handle: "owner"}


def test_it_comes_to_its_end_although_the_bridge_dies(fresh_banter):
    system = fresh_banter
    alice, bob = system.signup("alice"), system.signup("bob")
    phone = system.device(alice)
    groups = [system.group(alice, [bob]) for _ in range(3)]
    ids = [phone.send(groups[n % 3], f"needle {n}") for n in range(3000)]
    for sent in ids[-3:]:
        phone.receipt(sent, 120)
    erasure = erase(alice)
    for least in (1, 1000, 2000):
        wait_until(lambda least=least: receipt(system, erasure)["entries"] >= least, 60,
                   f"{least} entries", interval=0.01)
        system.wait_restarted("bridge", system.kill("bridge"))
        system.wait_ready()
    done = wait_erased(system, erasure)
    assert done["entries"] == 3003, "each posted entry once, and the titles of three groups"
    assert done["conversations"] >= 3
    for group in groups:
        log = log_of(system, bob, group)
        assert [e["kind"] for e in log].count("member_erased") == 1
        assert not [e for e in log if "text" in e]
    assert system.psql("SELECT count(*) FROM banter.search") == [["0"]]


def test_the_operators_way(banter):
    alice, bob = banter.signup("alice"), banter.signup("bob")
    phone = banter.device(alice)
    group = banter.group(bob, [alice])
    phone.say(group, "by alice")
    exported = [json.loads(line)
                for line in banter.operate("users", "export", alice.handle).splitlines()]
    assert exported == [line for line in export(alice)]
    done = json.loads(banter.operate("users", "erase", alice.handle, "--yes"))
    assert done["author"].startswith(AUTHOR) and done["finished_at"]
    phone.wait_closed(20)
    assert banter.request("GET", "/v1/me", account=alice).status == 401
    assert json.loads(banter.operate("users", "receipt", done["erasure"])) == done
    for action in ("erase", "export"):
        with pytest.raises(RuntimeError, match="no such user"):
            banter.operate("users", action, alice.handle, *["--yes"][:action == "erase"])
    with pytest.raises(RuntimeError, match="nothing was erased"):
        banter.operate("users", "erase", bob.handle)
