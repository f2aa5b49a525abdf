# SPDX-License-Identifier: MIT
"""Invites, and what users decide for themselves: mutes and blocks; through both doors."""
import datetime
import json
import uuid

from support import wait_until
from support.life import ask, code, data, event_of, invariants  # noqa: F401


# ---------------------------------------------------------------- invites

def test_invites(banter, ask):
    alice, bob, eve, dan = (banter.signup(name) for name in ("alice", "bob", "eve", "dan"))
    group = banter.group(alice, [bob])
    phone = banter.device(bob)
    made = data(ask(alice, "createInvite", conversation=group, uses=1, expires_in=3600))
    assert made["url"] == f"/join/{made['invite']}" and made["uses"] == 1
    assert [] == banter.psql("SELECT FROM banter.invites WHERE "
                             f"encode(hash, 'escape') LIKE '%{made['invite']}%'")

    seen = banter.request("GET", made["url"]).ok()
    assert seen == {"kind": "group", "title": "Team", "member_count": 2,
                    "expires_at": made["expires_at"]}
    page = banter.request("GET", made["url"], headers={"Accept": "text/html,*/*"})
    assert page.status == 200 and "Team" in page.body.decode()
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert banter.request("HEAD", made["url"]).status == 200

    assert data(ask(bob, "join", invite=made["invite"]))["role"] == "member"  # uses nothing up
    joined = data(ask(eve, "join", invite=made["invite"]))
    assert joined == {"conversation": group, "role": "member", "last_seq": 1}
    entry = phone.wait_entry(group, seq=2)
    assert (entry["kind"], entry["from"]) == ("joined", eve.handle)
    assert data(ask(eve, "join", invite=made["invite"]))["conversation"] == group
    assert code(ask(dan, "join", invite=made["invite"])) == "not_found"
    assert banter.request("GET", made["url"]).status == 404

    again = data(ask(alice, "createInvite", conversation=group))
    assert again["expires_at"] is None and again["uses"] is None
    banter.psql(f"UPDATE banter.invites SET expires_at = now() WHERE conversation = '{group}'")
    assert code(ask(dan, "join", invite=again["invite"])) == "not_found"
    assert banter.request("POST", again["url"], account=dan).status == 404

    third = data(ask(alice, "createInvite", conversation=group))
    assert code(ask(bob, "revokeInvite", invite=third["invite"])) == "forbidden"
    assert code(ask(dan, "revokeInvite", invite=third["invite"])) == "not_found"
    assert data(ask(alice, "revokeInvite", invite=third["invite"])) == {
        "conversation": group, "revoked": 1}
    assert code(ask(alice, "revokeInvite", invite=third["invite"])) == "not_found"
    assert code(ask(dan, "join", invite=third["invite"])) == "not_found"
    for _ in range(3):
        data(ask(alice, "createInvite", conversation=group))
    assert data(ask(alice, "revokeInvite", conversation=group))["revoked"] == 3
    assert data(ask(alice, "revokeInvite", conversation=group))["revoked"] == 0

    direct = banter.data_of(alice, {"command": "createDirect", "user": bob.handle})["conversation"]
    cases = [
        (bob, {"conversation": group}, "forbidden"), (dan, {"conversation": group}, "not_found"),
        (alice, {"conversation": direct}, "forbidden"),
        (alice, {"conversation": group, "uses": 0}, "invalid"),
        (alice, {"conversation": group, "uses": "1"}, "invalid"),
        (alice, {"conversation": group, "expires_in": 366 * 86400 + 1}, "invalid"),
    ]
    for who, arguments, expected in cases:
        assert code(ask(who, "createInvite", **arguments)) == expected, arguments
    for arguments in ({}, {"name": "x", "invite": "y"}, {"invite": 7}, {"conversation": "x"}):
        assert code(ask(dan, "join", **arguments)) == "invalid", arguments
    for arguments in ({"invite": "x"}, {"invite": "A" * 22}, {"conversation": group},
                      {"conversation": direct}, {"conversation": str(uuid.uuid4())},
                      {"name": "nobody-has-this"}):
        assert code(ask(dan, "join", **arguments)) == "not_found", arguments


def test_invites_are_listed_and_revoked_by_id(banter, ask):
    alice, bob, eve, dan = (banter.signup(name) for name in ("alice", "bob", "eve", "dan"))
    group = banter.group(alice, [bob, eve])
    data(ask(alice, "setRole", conversation=group, user=eve.handle, role="admin"))
    assert data(ask(alice, "listInvites", conversation=group)) == {
        "conversation": group, "invites": [], "more": False}
    made = [data(ask(who, "createInvite", conversation=group, **bounds)) for who, bounds in (
        (alice, {"uses": 2, "expires_in": 3600}), (eve, {}), (alice, {"uses": 1}))]
    listed = data(ask(eve, "listInvites", conversation=group))
    assert [(i["id"], i["created_by"], i["expires_at"], i["uses_left"])
            for i in listed["invites"]] == [
        (made[0]["id"], alice.handle, made[0]["expires_at"], 2),
        (made[1]["id"], eve.handle, None, None), (made[2]["id"], alice.handle, None, 1)]
    assert not any(m["invite"] in json.dumps(listed) for m in made)

    data(ask(dan, "join", invite=made[0]["invite"]))
    data(ask(banter.signup("fay"), "join", invite=made[2]["invite"]))  # which is used up by it
    listed = data(ask(alice, "listInvites", conversation=group))["invites"]
    assert [(i["id"], i["uses_left"]) for i in listed] == [(made[0]["id"], 1),
                                                           (made[1]["id"], None)]
    banter.psql(f"UPDATE banter.invites SET expires_at = now() WHERE id = '{made[0]['id']}'")
    listed = data(ask(alice, "listInvites", conversation=group))["invites"]
    assert [i["id"] for i in listed] == [made[1]["id"]]

    stranger = banter.signup("stranger")
    for who, expected in ((bob, "forbidden"), (stranger, "not_found")):
        assert code(ask(who, "listInvites", conversation=group)) == expected
        assert code(ask(who, "revokeInvite", id=made[1]["id"])) == expected
    direct = data(ask(alice, "createDirect", user=bob.handle))["conversation"]
    assert code(ask(alice, "listInvites", conversation=direct)) == "forbidden"
    for bad in ({"conversation": "x"}, {"conversation": group, "after": "x"},
                {"conversation": group, "limit": 0}):
        assert code(ask(alice, "listInvites", **bad)) == "invalid", bad
    for bad in ({}, {"id": "x"}, {"id": 7}, {"id": made[1]["id"], "conversation": group}):
        assert code(ask(alice, "revokeInvite", **bad)) == "invalid", bad

    assert data(ask(alice, "revokeInvite", id=made[1]["id"])) == {
        "conversation": group, "revoked": 1}
    assert code(ask(alice, "revokeInvite", id=made[1]["id"])) == "not_found"
    assert code(ask(stranger, "join", invite=made[1]["invite"])) == "not_found"
    data(ask(alice, "deleteConversation", conversation=group))
    assert code(ask(alice, "listInvites", conversation=group)) == "not_found"


def test_invites_as_resources(banter):
    alice, bob = banter.signup("alice"), banter.signup("bob")
    group = banter.group(alice, [bob])
    command = {"command": "createInvite", "conversation": group}
    ids = [banter.data_of(alice, command)["id"] for _ in range(5)]
    assert ids == sorted(ids)
    path, after, seen = f"/v1/conversations/{group}/invites?limit=2", "", []
    while True:
        page = banter.request("GET", path + after, account=alice).ok()
        seen += [invite["id"] for invite in page["invites"]]
        if not page["more"]:
            break
        after = f"&after={seen[-1]}"
    assert seen == ids
    for who, status in ((bob, 403), (None, 401)):
        assert banter.request("GET", path, account=who).status == status
        assert banter.request("DELETE", f"/v1/invites/{ids[0]}", account=who).status == status
    assert banter.request("DELETE", f"/v1/invites/{ids[0]}", account=alice).ok() == {
        "conversation": group, "revoked": 1}
    for name, status in ((ids[0], 404), (str(uuid.uuid4()), 404), ("x", 400), ("%ff", 400)):
        assert banter.request("DELETE", f"/v1/invites/{name}", account=alice).status == status
    assert len(banter.request("GET", path + "0", account=alice).ok()["invites"]) == 4


def test_joining_by_url(banter):
    alice, bob = banter.signup("alice"), banter.signup("bob")
    title = "<script>alert('&')</script>"
    channel = banter.data_of(alice, {"command": "createChannel", "title": title})["conversation"]
    made = banter.data_of(alice, {"command": "createInvite", "conversation": channel})
    page = banter.request("GET", made["url"], headers={"Accept": "text/html"}).body.decode()
    assert "<script>" not in page and "&lt;script&gt;alert(&#39;&amp;&#39;)" in page
    assert banter.request("POST", made["url"]).status == 401
    for _ in range(2):
        assert banter.request("POST", made["url"], account=bob).ok() == {
            "conversation": channel, "role": "reader", "last_seq": 1}
    assert banter.request("GET", made["url"]).ok()["member_count"] == 2
    for token in ("x", "A" * 22, "A" * 23, "%00", "%ff"):
        assert banter.request("GET", f"/join/{token}").status == 404, token
        assert banter.request("POST", f"/join/{token}", account=bob).status == 404, token


def test_invites_are_bounded(banter):
    alice, bob = banter.signup("alice"), banter.signup("bob")
    group = banter.group(alice, [])
    commands = [{"command": "createInvite", "conversation": group}] * 100
    assert all("data" in r for r in banter.control(alice, *commands))
    assert code(banter.control(alice, commands[0])[0]) == "limit_reached"
    banter.psql(f"UPDATE banter.invites SET uses_left = 0 WHERE conversation = '{group}'")
    invite = banter.data_of(alice, commands[0])["invite"]
    people = banter.signup_many(99)
    for person in people:
        banter.data_of(person, {"command": "join", "invite": invite})
    assert code(banter.control(bob, {"command": "join", "invite": invite})[0]) == "limit_reached"


# ---------------------------------------------------------------- mute, block

def test_mute(banter, ask):
    alice, bob, eve = (banter.signup(name) for name in ("alice", "bob", "eve"))
    group = banter.group(alice, [bob])
    soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
    until = soon.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert data(ask(alice, "mute", conversation=group, until=until)) == {
        "conversation": group, "muted_until": until}
    assert data(ask(alice, "getConversation", conversation=group))["muted_until"] == until
    [head] = banter.device(alice).sync()
    assert head["muted_until"] == until
    assert head["limits"]["members"] == 100 and head["limits"]["typing"] is True
    assert "muted_until" not in data(ask(bob, "getConversation", conversation=group))
    zoned = soon.astimezone(datetime.timezone(datetime.timedelta(hours=5))).isoformat()
    assert data(ask(alice, "mute", conversation=group, until=zoned))["muted_until"] == until
    assert data(ask(alice, "mute", conversation=group, until=None))["muted_until"] is None
    assert "muted_until" not in data(ask(alice, "getConversation", conversation=group))
    data(ask(alice, "mute", conversation=group, until="2020-01-01T00:00:00Z"))
    assert "muted_until" not in data(ask(alice, "getConversation", conversation=group))
    for value in ("tomorrow", 7, "2026-02-30T00:00:00Z"):
        assert code(ask(alice, "mute", conversation=group, until=value)) == "invalid"
    assert code(ask(alice, "mute", conversation=group)) == "invalid"
    assert code(ask(eve, "mute", conversation=group, until=None)) == "not_found"


def test_block(banter, ask):
    alice, bob = banter.signup("alice"), banter.signup("bob")
    phones = {who.handle: banter.device(who) for who in (alice, bob)}
    direct = phones[alice.handle].say(f"@{bob.handle}", "hello")["conversation"]
    phones[bob.handle].wait_entry(direct, seq=1)

    def refused(who, other):
        phone = phones[who.handle]
        by_id = phone.receipt(phone.send(direct, "x"))
        by_name = phone.receipt(phone.send(f"@{other.handle}", "x"))
        over_http = banter.request("POST", f"/v1/conversations/{direct}/messages",
                                   {"id": str(uuid.uuid4()), "text": "x"}, who)
        assert over_http.status == 403
        return {by_id["error"]["code"], by_name["error"]["code"]} == {"forbidden"}

    for _ in range(2):
        assert data(ask(alice, "block", user=bob.handle)) == {}
    for who, other in ((alice, bob), (bob, alice)):
        assert event_of(phones[who.handle], direct, "role_changed")["role"] == "reader"
        assert refused(who, other)
    assert len(banter.history(bob, direct)) == 1
    listed = data(ask(alice, "listBlocks"))
    assert [b["user"] for b in listed["blocks"]] == [bob.handle] and listed["more"] is False
    assert data(ask(bob, "listBlocks")) == {"blocks": [], "more": False}

    # While the other one blocks too, one unblock changes nothing.
    data(ask(bob, "block", user=alice.handle))
    data(ask(alice, "unblock", user=bob.handle))
    assert refused(alice, bob) and refused(bob, alice)
    for _ in range(2):
        assert data(ask(bob, "unblock", user=alice.handle)) == {}
    assert phones[bob.handle].say(direct, "again")["seq"] == 2
    assert phones[alice.handle].say(direct, "indeed")["seq"] == 3
    for arguments, expected in (({"user": alice.handle}, "invalid"), ({}, "invalid"),
                                ({"user": "nobody-has-this"}, "not_found")):
        assert code(ask(alice, "block", **arguments)) == expected
        assert code(ask(alice, "unblock", **arguments)) == expected


def test_block_before_the_first_word(banter, ask):
    alice, bob, eve = (banter.signup(name) for name in ("alice", "bob", "eve"))
    data(ask(alice, "block", user=bob.handle))
    assert banter.data_of(bob, {"command": "listConversations"})["conversations"] == []
    phones = {who.handle: banter.device(who) for who in (alice, bob)}
    for who, other in ((bob, alice), (alice, bob)):
        phone = phones[who.handle]
        receipt = phone.receipt(phone.send(f"@{other.handle}", "hello?"))
        assert receipt["error"]["code"] == "forbidden"
    # Nor by a group, and nobody is named.
    group = banter.group(bob, [eve])
    for response in (ask(bob, "createGroup", members=[alice.handle]),
                     ask(bob, "addMembers", conversation=group, members=[alice.handle])):
        assert code(response) == "forbidden"
        assert alice.handle not in response["error"]["reason"]
    data(ask(alice, "createGroup", members=[bob.handle]))
    data(ask(alice, "unblock", user=bob.handle))
    assert phones[bob.handle].say(f"@{alice.handle}", "hello")["seq"] == 1


def test_blocks_are_listed_page_by_page(banter):
    alice, others = banter.signup("alice"), banter.signup_many(5)
    for other in others:
        banter.data_of(alice, {"command": "block", "user": other.handle})
    seen, after = [], {}
    while True:
        page = banter.data_of(alice, {"command": "listBlocks", "limit": 2, **after})
        seen += [block["user"] for block in page["blocks"]]
        if not page["more"]:
            break
        after = {"after": seen[-1]}
    assert sorted(seen) == sorted(other.handle for other in others)


def test_block_ends_presence(banter):
    """Also where two share a group and have never written to each other."""
    alice, bob = banter.signup("alice"), banter.signup("bob")
    banter.group(alice, [bob])
    phones = {who.handle: banter.device(who) for who in (alice, bob)}
    for who, other in ((alice, bob), (bob, alice)):
        assert phones[who.handle].subscribe(f"presence/{other.handle}") < 0x80
        phones[who.handle].wait_message(lambda m: m.topic.startswith("presence/"))
    banter.data_of(alice, {"command": "block", "user": bob.handle})
    for who, other in ((alice, bob), (bob, alice)):
        phones[who.handle].wait_message(
            lambda m, user=other.handle: m.topic == "me/event" and json.loads(m.payload) == {
                "event": "presence_refused", "user": user})
    banter.data_of(alice, {"command": "unblock", "user": bob.handle})
    seen = len(phones[bob.handle].messages)
    assert phones[bob.handle].subscribe(f"presence/{alice.handle}") < 0x80
    wait_until(lambda: any(m.topic.startswith("presence/")
                           for m in phones[bob.handle].messages[seen:]), 10, "presence again")
