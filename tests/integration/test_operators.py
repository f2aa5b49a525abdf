# SPDX-License-Identifier: MIT
"""Administrators' commands over both doors: who may, what becomes of whom, and that all of it is
written down."""
import json

import pytest

from support import Account, Refused, wait_until
from support.account import unique_handle
from support.erasure import wait_erased
from support.tokens import parts

WRITTEN = 60  # seconds within which a row is there, however busy the machine is
GONE = 30  # and within which a connection has ended
ABOUT_ONE = ("disableUser", "enableUser", "eraseUser", "exportUser", "kickUser", "listSessions")

pytestmark = pytest.mark.once


def appoint(banter, account, word="admin"):
    assert account.handle in banter.operate("users", word, account.handle)


@pytest.fixture
def root(banter):
    """An administrator."""
    account = banter.signup("root")
    appoint(banter, account)
    return account


def ask(banter, account, command, **arguments):
    return banter.control(account, {"command": command, **arguments})[0]


def refusal(banter, account, command, **arguments):
    return ask(banter, account, command, **arguments)["error"]


def uid_of(banter, account):
    return banter.psql(f"SELECT id FROM banter.users WHERE handle = '{account.handle}'")[0][0]


def audited(banter, actor, action, result, user=None):
    """Waits for such a row of the audit log."""
    about = f"= {uid_of(banter, user)}" if user else "IS NULL"
    return wait_until(lambda: banter.psql(
        "SELECT coalesce(address, '-') FROM banter.audit"
        f" WHERE actor = 'user' AND actor_id = {uid_of(banter, actor)} AND action = '{action}'"
        f" AND result = '{result}' AND user_id {about}"),
        WRITTEN, f"{action}: {result}")[0][0]


def log_in(banter, account, password=None):
    return banter.request("POST", "/v1/login", {"handle": account.handle,
                                                "password": password or account.password})


# ---------------------------------------------------------------- who may

def test_others_are_told_nothing(banter):
    """The same words whoever it is about, over both doors; and each attempt is written down."""
    mallory, bob = banter.signup("mallory"), banter.signup("bob")
    device = banter.device(mallory)
    said = set()
    for handle in (bob.handle, unique_handle("nobody"), mallory.handle):
        commands = [{"command": name, "user": handle} for name in ABOUT_ONE]
        for response in (*banter.control(mallory, *commands), *device.control(*commands)):
            said.add((response["error"]["code"], response["error"]["reason"]))
        answer = banter.request("GET", f"/v1/users/{handle}/export", account=mallory)
        said.add((answer.json()["code"], answer.json()["detail"]))
        assert answer.status == 403
    for commands in ([{"command": "createUser", "user": bob.handle}, {"command": "getStats"}],
                     [{"command": "createUser", "user": unique_handle("new")}]):
        for response in (*banter.control(mallory, *commands), *device.control(*commands)):
            said.add((response["error"]["code"], response["error"]["reason"]))
    assert said == {("forbidden", "only administrators do this")}
    for action in ("createUser", "getStats", *ABOUT_ONE):
        audited(banter, mallory, action, "forbidden")
    assert device.connected and log_in(banter, bob).status == 200


def test_the_right_is_taken_away_in_the_middle(banter, root):
    """The token that said so, and the connection, go on; what it could do does not."""
    bob = banter.signup("bob")
    token = log_in(banter, root).ok()["access_token"]
    assert parts(token)[1]["role"] == "admin"
    assert "role" not in parts(bob.access_token)[1]
    renewed = banter.request("POST", "/v1/token", {"refresh_token": root.refresh_token}).ok()
    assert parts(renewed["access_token"])[1]["role"] == "admin"
    root.access_token = token
    device = banter.device(root)
    listing = {"command": "listSessions", "user": bob.handle}
    assert "data" in device.control(listing)[0]
    appoint(banter, root, "noadmin")
    assert device.control(listing)[0]["error"]["code"] == "forbidden"
    assert refusal(banter, root, "getStats")["code"] == "forbidden"
    assert device.connected
    assert "role" not in parts(log_in(banter, root).ok()["access_token"])[1]
    with pytest.raises(RuntimeError, match="no such user"):
        banter.operate("users", "admin", unique_handle("nobody"))
    rows = banter.psql("SELECT action FROM banter.audit WHERE actor = 'operator'"
                       f" AND user_id = {uid_of(banter, root)} ORDER BY id")
    assert rows == [["user_admin"], ["user_noadmin"]]


def test_a_disabled_administrator_is_none(banter, root):
    """And cannot be made one."""
    banter.psql(f"UPDATE banter.users SET disabled_at = now() WHERE handle = '{root.handle}'")
    assert refusal(banter, root, "getStats")["code"] == "forbidden"
    with pytest.raises(RuntimeError, match="no such user"):
        banter.operate("users", "admin", root.handle)


# ---------------------------------------------------------------- disable, enable

def test_a_disabled_user(banter, root):
    bob, eve = banter.signup("bob"), banter.signup("eve")
    group = banter.group(eve, [bob])
    phone, other = banter.device(bob), banter.device(eve)
    phone.say(group, "before")
    assert ask(banter, root, "disableUser", user=bob.handle)["data"] == {"revoked": 1}
    phone.wait_closed(GONE)
    assert {"event": "closing", "reason": "disabled"} in phone.events()

    with pytest.raises(Refused):
        phone.reconnect()
    answer = banter.request("POST", f"/v1/conversations/{group}/messages",
                            {"id": "1", "text": "after"}, account=bob)
    assert answer.status == 401
    refused = banter.request("POST", "/v1/token", {"refresh_token": bob.refresh_token})
    assert refused.status == 401 and "disabled" in refused.json()["detail"]
    refused = log_in(banter, bob)
    assert (refused.status, refused.json()["code"]) == (403, "forbidden")
    assert "disabled" in refused.json()["detail"]
    wrong, unknown = log_in(banter, bob, "not this one"), log_in(
        banter, Account(banter, unique_handle("nobody"), "not this one"))
    assert wrong.status == 401 and wrong.json() == unknown.json()

    assert [entry["text"] for entry in banter.history(eve, group, after=1)] == ["before"]
    other.say(group, "while bob is away")
    sessions = ask(banter, root, "listSessions", user=bob.handle)["data"]
    assert (sessions["disabled"], sessions["logins"]) == (True, [])
    audited(banter, root, "disableUser", "ok", bob)
    assert ask(banter, root, "disableUser", user=bob.handle)["data"] == {"revoked": 0}

    assert ask(banter, root, "enableUser", user=bob.handle)["data"] == {}
    assert banter.request("POST", "/v1/token", {"refresh_token": bob.refresh_token}).status == 401
    bob.login()
    phone = banter.device(bob)
    phone.say(group, "again")
    assert [entry["text"] for entry in banter.history(bob, group, after=1)] == [
        "before", "while bob is away", "again"]
    audited(banter, root, "enableUser", "ok", bob)


def test_administrators_do_not_shut_each_other_out(banter, root):
    other = banter.signup("root")
    appoint(banter, other)
    for command in ("disableUser", "eraseUser"):
        for handle in (other.handle, root.handle):
            error = refusal(banter, root, command, user=handle)
            assert error["code"] == "forbidden" and "taken away first" in error["reason"]
        audited(banter, root, command, "forbidden")
    assert refusal(banter, root, "disableUser", user=unique_handle("nobody"))["code"] == "not_found"
    assert log_in(banter, other).status == 200


# ---------------------------------------------------------------- kick, sessions

def test_a_kicked_user(banter, root):
    """Connections end; logins stay."""
    bob = banter.signup("bob")
    phone, laptop = banter.device(bob, "phone"), banter.device(bob, "laptop")
    admin = banter.device(root)
    sessions = ask(banter, root, "listSessions", user=bob.handle)["data"]
    assert sorted(sessions["connected"]) == ["laptop", "phone"] and not sessions["elsewhere"]
    assert [set(login) for login in sessions["logins"]] == [
        {"login", "created_at", "last_used_at", "expires_at"}]
    assert admin.control({"command": "kickUser", "user": bob.handle, "device": "phone"})[0][
        "data"] == {}
    phone.wait_closed(GONE)
    assert {"event": "closing", "reason": "kicked"} in phone.events()
    wait_until(lambda: ask(banter, root, "listSessions", user=bob.handle)["data"]["connected"]
               == ["laptop"], GONE, "the phone's end")
    assert laptop.connected
    phone.reconnect()
    assert ask(banter, root, "kickUser", user=bob.handle)["data"] == {}
    phone.wait_closed(GONE)
    laptop.wait_closed(GONE)
    phone.reconnect()
    assert banter.request("POST", "/v1/token", {"refresh_token": bob.refresh_token}).status == 200
    audited(banter, root, "kickUser", "ok", bob)
    assert audited(banter, root, "listSessions", "ok", bob) == "127.0.0.1"


# ---------------------------------------------------------------- create, stats

def test_a_user_is_made(banter, root):
    handle = unique_handle("made")
    assert ask(banter, root, "createUser", user=handle, password="correct horse battery",
               name="Maud Made")["data"] == {"user": handle}
    made = Account(banter, handle, "correct horse battery").login()
    assert banter.request("GET", "/v1/me", account=made).json()["name"] == "Maud Made"
    audited(banter, root, "createUser", "ok", made)
    drawn = ask(banter, root, "createUser", user=unique_handle("made"))["data"]
    assert len(drawn["password"]) == 22
    Account(banter, drawn["user"], drawn["password"]).login()
    for taken in (handle, "me", "banter-bell"):
        assert refusal(banter, root, "createUser", user=taken)["code"] == "conflict"
    assert "correct horse" not in str(banter.psql("SELECT * FROM banter.audit"))
    assert drawn["password"] not in str(banter.psql("SELECT * FROM banter.audit"))


def test_a_user_is_made_while_sign_up_is_closed(make_system):
    """The first one by an operator, the others by that one."""
    banter = make_system(BANTER_SIGNUP="false")
    handle = unique_handle("made")
    body = {"handle": handle, "password": "correct horse battery"}
    assert banter.request("POST", "/v1/signup", body).status == 403
    banter.operate("users", "create", "root", stdin="the first password\n")
    root = Account(banter, "root", "the first password").login()
    appoint(banter, root)
    assert "data" in ask(banter, root, "createUser", user=handle, password=body["password"])
    banter.device(Account(banter, handle, body["password"]).login())


def test_an_operator_makes_users(banter):
    handle, other = unique_handle("made"), unique_handle("made")
    printed = banter.operate("users", "create", handle)
    password = printed.removeprefix(f"made {handle}, whose password is ").strip()
    account = Account(banter, handle, password).login()
    assert banter.psql("SELECT actor FROM banter.audit WHERE action = 'user_create'"
                       f" AND user_id = {uid_of(banter, account)}") == [["operator"]]
    for wrong, word, reason in ((handle, "a good password", "this handle is taken"),
                                ("me", "a good password", "this handle is taken"),
                                ("Not One", "a good password", "a handle consists of"),
                                (other, "short", "a password has at least 8 bytes"),
                                (other, "x" * 300, "a password has at most 256 bytes")):
        with pytest.raises(RuntimeError, match=reason):
            banter.operate("users", "create", wrong, stdin=word + "\n")
    assert banter.operate("users", "create", other, stdin="x" * 256) == f"made {other}\n"
    banter.device(Account(banter, other, "x" * 256).login())


def test_stats(make_system):
    banter = make_system()  # where so few have been that they are counted, and nobody else comes
    root = banter.signup("root")
    appoint(banter, root)
    device = banter.device(root)
    before = device.control({"command": "getStats"})[0]["data"]
    bob = banter.signup("bob")
    banter.device(bob).say(banter.group(root, [bob]), "counted")
    after = device.control({"command": "getStats"})[0]["data"]
    assert (after["users"], after["conversations"], after["messages"]) == (
        before["users"] + 1, before["conversations"] + 1, before["messages"] + 2)
    assert after["nodes"] == 1 and after["devices"] == 2 and after["users_online"] >= 2
    assert banter.psql("SELECT relkind FROM pg_class WHERE oid = 'banter.messages'::regclass") == [
        ["p"]]
    parts = "".join(f"CREATE TEMP TABLE t{n} PARTITION OF t FOR VALUES WITH (MODULUS 2, "
                    f"REMAINDER {n}); " for n in range(2))
    for kind, analyze in (("", "ANALYZE t; "), ("PARTITION BY HASH (n); " + parts, "ANALYZE t; "),
                          # as autovacuum does it: the whole is never looked at
                          ("PARTITION BY HASH (n); " + parts, "ANALYZE t0; ANALYZE t1; ")):
        assert banter.psql(
            f"CREATE TEMP TABLE t (n int) {kind}; INSERT INTO t SELECT generate_series(1, 60000); "
            f"{analyze} DELETE FROM t WHERE n < 100; SELECT banter.about_rows('t')") == [
                ["60000"]]  # nobody counts so many


# ---------------------------------------------------------------- export, erase

def test_export_and_erasure_of_another(banter, root):
    bob = banter.signup("bob")
    phone = banter.device(bob)
    group = banter.group(root, [bob])
    phone.say(group, "by bob")
    told = ask(banter, root, "exportUser", user=bob.handle)["data"]
    lines = [json.loads(line) for line in banter.stream(told["export"], root)]
    assert lines[0]["user"] == bob.handle and lines[-1] == {"type": "end"}
    assert "by bob" in [line.get("text") for line in lines]
    rest = [json.loads(line) for line in banter.stream(
        told["export"] + "?after=" + lines[-2]["cursor"], root)]
    assert rest == [{"type": "end"}]
    assert banter.request("HEAD", told["export"], account=root).status == 200
    assert banter.request("HEAD", told["export"], account=bob).status == 403
    assert banter.request("GET", told["export"] + "?after=x", account=root).status == 400
    missing = f"/v1/users/{unique_handle('nobody')}/export"
    assert banter.request("GET", missing, account=root).status == 404
    audited(banter, root, "exportUser", "ok", bob)

    who = uid_of(banter, bob)
    erasure = ask(banter, root, "eraseUser", user=bob.handle)["data"]["erasure"]
    phone.wait_closed(GONE)
    assert {"event": "closing", "reason": "disabled"} in phone.events()
    assert log_in(banter, bob).status == 401
    author = wait_erased(banter, erasure)["author"]
    assert banter.history(root, group)[1]["from"] == author
    for command in ABOUT_ONE:
        for handle in (bob.handle, author):
            assert refusal(banter, root, command, user=handle)["code"] == "not_found"
    wait_until(lambda: banter.psql(
        f"SELECT id FROM banter.audit WHERE action = 'eraseUser' AND result = 'ok'"
        f" AND user_id = {who} AND actor_id = {uid_of(banter, root)}"), WRITTEN, "the row")
    assert refusal(banter, root, "createUser", user=bob.handle)["code"] == "conflict"
