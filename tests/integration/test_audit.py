# SPDX-License-Identifier: MIT
"""The audit log: what is written down, what is not, and that it stays as it was written."""
import getpass
import pathlib
import re

import pytest

from support import System, wait_until
from support.lifetime import kept, lent

KEY = "an operator's key of this test"
WRITTEN = 60  # seconds within which a row is there, however busy the machine is


@pytest.fixture(scope="module")
def system():
    yield from kept(System(BANTER_OPERATOR_KEY=KEY))


@pytest.fixture
def banter(system, request):
    yield from lent(system, request)


def ask(banter, path="/v1/admin/audit", key=KEY):
    return banter.ask_operators_port("GET", path, key)


def rows(banter, **wanted):
    """The newest rows with these members, newest first."""
    events = ask(banter, "/v1/admin/audit?limit=1000").ok()["events"]
    return [e for e in events if all(e.get(name) == value for name, value in wanted.items())]


def row(banter, **wanted):
    return wait_until(lambda: rows(banter, **wanted), WRITTEN, f"a row with {wanted}")[0]


def log_in(banter, handle, password, device=None):
    return banter.request("POST", "/v1/login", {"handle": handle, "password": password,
                                                **({"device": device} if device else {})})


def test_what_strangers_try(banter):
    alice = banter.signup("alice")
    assert log_in(banter, alice.handle, "not this one").status == 401
    found = row(banter, action="login", user=alice.handle)
    assert (found["by"], found["result"], found["address"]) == ("nobody", "unauthorized",
                                                                "127.0.0.1")
    assert found["node"] and "actor" not in found and found["at"].endswith("Z")
    assert banter.request("POST", "/v1/signup", {"handle": alice.handle,
                                                 "password": "another one"}).status == 409
    row(banter, action="signup", result="conflict", by="nobody")
    # What somebody typed may be anything, a password in the wrong field, say.
    before = len(rows(banter, action="login"))
    assert log_in(banter, "my-own-secret", "also a secret").status == 401
    wait_until(lambda: len(rows(banter, action="login")) > before, WRITTEN, "the row")
    assert "user" not in rows(banter, action="login")[0]
    everything = str(banter.psql("SELECT * FROM banter.audit"))
    for secret in ("secret", "not this one", "another one", alice.access_token,
                   alice.refresh_token):
        assert secret not in everything


def test_sessions_that_end(banter):
    alice = banter.signup("alice")
    lost = log_in(banter, alice.handle, alice.password, "phone").ok()
    phone = banter.device(alice, "phone", token=lost["access_token"])
    laptop = banter.device(alice, "laptop")
    assert laptop.control({"command": "revokeDevice", "device": "phone"})[0]["data"]["revoked"] == 1
    phone.wait_closed()
    found = row(banter, action="session_end", user=alice.handle, detail="revoked")
    assert (found["by"], found["actor"], found["result"]) == ("user", alice.handle, "ok")
    assert found["object"] and "address" not in found  # the broker does not tell where it is

    other = log_in(banter, alice.handle, alice.password, "tablet").ok()
    banter.request("DELETE", "/v1/devices/tablet", account=alice).ok()
    wait_until(lambda: len(rows(banter, user=alice.handle, detail="revoked")) == 2, WRITTEN, "it")
    assert rows(banter, user=alice.handle, detail="revoked")[0]["address"] == "127.0.0.1"

    stolen = log_in(banter, alice.handle, alice.password).ok()["refresh_token"]
    assert banter.request("POST", "/v1/token", {"refresh_token": stolen}).status == 200
    assert banter.request("POST", "/v1/token", {"refresh_token": stolen}).status == 401
    found = row(banter, action="session_end", user=alice.handle, by="system")
    assert found["detail"] == "a used refresh token came again"

    banter.request("POST", "/v1/logout", {"refresh_token": alice.refresh_token}).ok()
    assert row(banter, user=alice.handle, detail="logout")["actor"] == alice.handle
    assert other["access_token"] not in str(rows(banter))


def test_who_rules_whom(banter):
    owner, admin, member = (banter.signup(name) for name in ("owner", "admin", "member"))
    group = banter.group(owner, [admin, member])
    device = banter.device(owner)
    device.control({"command": "setRole", "conversation": group, "user": admin.handle,
                    "role": "admin"})
    found = row(banter, action="setRole", actor=owner.handle)
    assert (found["user"], found["object"], found["detail"], found["result"]) == (
        admin.handle, group, "admin", "ok")
    refused = banter.control(member, {"command": "setRole", "conversation": group,
                                      "user": owner.handle, "role": "member"})[0]
    assert refused["error"]["code"] == "forbidden"
    found = row(banter, action="setRole", actor=member.handle)
    assert (found["result"], found["object"]) == ("forbidden", group)
    banter.data_of(admin, {"command": "removeMember", "conversation": group,
                           "user": member.handle})
    found = row(banter, action="removeMember", actor=admin.handle)
    assert (found["user"], found["result"]) == (member.handle, "ok")
    banter.data_of(owner, {"command": "deleteConversation", "conversation": group})
    assert row(banter, action="deleteConversation", actor=owner.handle)["object"] == group


def test_what_operators_do(banter):
    me = getpass.getuser()
    banter.operate("keys", "rotate")
    assert row(banter, action="keys_rotate")["actor"] == me
    added = row(banter, action="key_added", by="system")["object"]
    banter.operate("keys", "retire", added)  # it does not sign yet
    found = row(banter, action="keys_retire", by="operator")
    assert (found["object"], found["actor"]) == (added, me)
    row(banter, action="key_removed", object=added)
    banter.operate("keys", "list")
    banter.operate("push", "requeue")
    row(banter, action="push_requeue", actor=me)
    banter.operate("drain", "--over", "0")
    banter.operate("drain", "--off")
    for action in ("drain", "drain_off"):
        row(banter, action=action, actor=me)
        row(banter, action=action, by="system")
    assert not rows(banter, action="keys_list") and not rows(banter, action="push_list")
    lines = [line.split("\t") for line in banter.operate("audit").splitlines()]
    assert lines[0][:2] == ["id", "at"] and lines[1][5] == "drain_off"
    older = banter.operate("audit", lines[1][0]).splitlines()[1].split("\t")
    assert older == lines[2]


def test_pages(banter):
    alice = banter.signup("alice")
    for _ in range(5):
        log_in(banter, alice.handle, "wrong")
    path = f"/v1/admin/audit?limit=2&action=login&user={alice.handle}"
    wait_until(lambda: len(rows(banter, action="login", user=alice.handle)) == 5, WRITTEN, "rows")
    seen, before = [], ""
    while before is not None:
        page = ask(banter, path + (f"&before={before}" if before else "")).ok()
        seen += [event["id"] for event in page["events"]]
        before = page.get("before")
    assert len(seen) == len(set(seen)) == 5 and seen == sorted(seen, reverse=True)
    assert ask(banter, "/v1/admin/audit?limit=0").status == 400
    assert ask(banter, "/v1/admin/audit?before=x").status == 400
    assert ask(banter, "/v1/admin/audit?action=nothing").ok() == {"events": []}


BLOCKS_OF_A_PAGE = 150  # read for three rows, and for planning; the whole table has 1,300


@pytest.mark.parametrize("action, of_alice", [("'seldom'", False), ("NULL", True),
                                              ("'seldom'", True), ("'often'", True)])
def test_what_is_seldom_is_found_among_many(banter, action, of_alice):
    """However long ago it was; here it is as long ago as can be."""
    alice = banter.signup("alice")
    uid = f"(SELECT id FROM banter.users WHERE handle = '{alice.handle}')"
    page = (f"FROM banter.audit_page({2 ** 62}, 50, {action}, "
            + (f"'{alice.handle}')" if of_alice else "NULL)"))
    said = banter.psql(
        "BEGIN; INSERT INTO banter.audit (actor, actor_id, action, user_id, result) VALUES "
        f"('nobody', NULL, 'seldom', {uid}, 'ok'), ('user', {uid}, 'seldom', NULL, 'ok'), "
        f"('user', {uid}, 'often', {uid}, 'ok'); "
        "INSERT INTO banter.audit (actor, action, result) SELECT 'nobody', 'often', 'ok' "
        f"FROM generate_series(1, 100000); ANALYZE banter.audit; SELECT id {page}; "
        f"EXPLAIN (ANALYZE, BUFFERS) SELECT * {page}; ROLLBACK")
    found = [int(row[0]) for row in said if row[0].isdigit()]
    assert len(found) == {"'seldom'": 2, "NULL": 3, "'often'": 1}[action]
    assert found == sorted(found, reverse=True)
    blocks = next(row[0] for row in said if "Buffers: " in row[0])
    assert sum(map(int, re.findall(r"(?:hit|read)=(\d+)", blocks))) < BLOCKS_OF_A_PAGE, blocks


def test_it_is_for_operators_alone(banter):
    alice = banter.signup("alice")
    for key in (None, "", KEY[:-1], KEY + "x", alice.access_token):
        assert ask(banter, key=key).status == 401
    assert banter.request("GET", "/v1/admin/audit", token=KEY).status == 404  # another port


def test_without_a_key_nobody_is_let_in(shared_system):
    shared_system.wait_ready()
    for key in (None, "", KEY):
        assert ask(shared_system, key=key).status == 404


def test_what_is_written_stays(banter):
    alice = banter.signup("alice")
    log_in(banter, alice.handle, "wrong")
    found = row(banter, action="login", user=alice.handle)
    for change in ("UPDATE banter.audit SET result = 'ok'",
                   "UPDATE banter.audit SET address = NULL",
                   f"UPDATE banter.audit SET user_id = NULL WHERE id = {found['id']}",
                   "DELETE FROM banter.audit", "TRUNCATE banter.audit"):
        with pytest.raises(RuntimeError, match="neither changed nor deleted"):
            banter.psql(change)
    assert rows(banter, id=found["id"]) == [found]


def test_old_rows_go(banter):
    banter.psql("INSERT INTO banter.audit (actor, action, result, at)"
                " SELECT 'system', 'long ago', 'ok', now() - make_interval(days => d)"
                "   FROM unnest(ARRAY[29, 31, 364, 366, 4000]) d")
    assert len(rows(banter, action="long ago")) == 5
    pid = banter.kill("bridge")  # it looks when it starts, and then every hour
    banter.wait_restarted("bridge", pid, timeout=WRITTEN)
    banter.wait_ready(WRITTEN)
    wait_until(lambda: len(rows(banter, action="long ago")) == 3, WRITTEN, "their end")


def test_who_is_no_user_any_more_is_a_number(banter):
    alice, bob = banter.signup("alice"), banter.signup("bob")
    uid = banter.psql(f"SELECT id FROM banter.users WHERE handle = '{alice.handle}'")[0][0]
    for account in (alice, bob):
        log_in(banter, account.handle, "wrong")
        banter.request("POST", "/v1/logout", {"refresh_token": account.refresh_token}).ok()
        row(banter, action="session_end", user=account.handle)
        row(banter, action="login", user=account.handle)
    kept = rows(banter, user=bob.handle)
    with pytest.raises(RuntimeError, match="neither changed nor deleted"):
        banter.psql(f"SELECT banter.audit_forget({uid})")
    banter.psql(f"UPDATE banter.users SET disabled_at = now() WHERE id = {uid}")
    with pytest.raises(RuntimeError, match="neither changed nor deleted"):
        banter.psql(f"SELECT banter.audit_forget({uid})")
    banter.psql(f"INSERT INTO banter.erasures (user_id, handle, due_at)"
                f" VALUES ({uid}, '{alice.handle}', now() + interval '1 day')")
    assert banter.psql(f"SELECT banter.audit_forget({uid})") == [["2"]]
    assert banter.psql(f"SELECT banter.audit_forget({uid})") == [["0"]]
    found = rows(banter, user=alice.handle)
    assert [e["action"] for e in found] == ["session_end", "login"]
    for event in found:
        assert not {"address", "object", "detail"} & event.keys()
    assert rows(banter, user=bob.handle) == kept


def test_a_database_that_is_away_gets_it_later(banter):
    drain = pathlib.Path(banter.data) / "run" / "drain"
    before = len(rows(banter, action="drain", by="system"))
    begun = banter.log("bridge").count("draining: connections end")
    banter.stop("postgres")
    drain.write_text("0\n")
    wait_until(lambda: banter.log("bridge").count("draining: connections end") > begun, WRITTEN,
               "the drain")
    drain.unlink()
    banter.start("postgres")
    banter.wait_ready(WRITTEN)
    wait_until(lambda: len(rows(banter, action="drain", by="system")) == before + 1, WRITTEN,
               "the row")
