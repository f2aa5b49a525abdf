# SPDX-License-Identifier: MIT
"""What was under way when a user was erased, and what a bridge still had in its memory, brings
nothing back; and what the audit log says of it."""
import concurrent.futures
import subprocess

import pytest

from support import wait_until
from support.erasure import Marked, erase, export, receipt, rows_with, wait_erased

pytestmark = pytest.mark.once

WRITTEN = 60  # seconds within which a row of the audit log is there


@pytest.fixture
def others_transaction(banter):
    """A session that PostgreSQL takes for a bridge's, in a transaction that has begun."""
    with subprocess.Popen(
            ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d",
             banter.postgres_dsn + " application_name=banter-late"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as session:
        def run(sql):
            session.stdin.write(f"{sql};\n\\echo done\n")
            session.stdin.flush()
            while (line := session.stdout.readline()) != "done\n":
                assert line, "psql has failed"
        run("BEGIN; SELECT count(*) FROM banter.users")
        yield run
        session.stdin.close()


def number_of(banter, account):
    [[number]] = banter.psql(f"SELECT id FROM banter.users WHERE handle = '{account.handle}'")
    return number


def audit(banter, number):
    return banter.psql(f"SELECT actor, action, result, coalesce(object, address, detail, '') "
                       f"FROM banter.audit WHERE user_id = {number} ORDER BY id")


def test_transactions_that_had_begun_are_waited_for(banter, others_transaction):
    alice, bob = Marked(banter).signup(), banter.signup("bob")
    number = number_of(banter, alice)
    erasure = erase(alice)

    def looks():
        """When it will look again; other than before: it has looked, and waits."""
        return banter.psql(f"SELECT stage, due_at FROM banter.erasures WHERE id = '{erasure}'")

    times = set()
    wait_until(lambda: times.update(due for stage, due in looks() if stage == "2")
               or len(times) > 2, 60, "that it waits")
    assert receipt(banter, erasure)["finished_at"] is None
    others_transaction(
        f"INSERT INTO banter.blocks (blocker, blocked) VALUES ({number}, "
        f"{number_of(banter, bob)}); "
        f"INSERT INTO banter.quarantine (sender, target, sqlstate, payload) VALUES "
        f"({number}, '{alice.mark}', '22000', ''); COMMIT")
    wait_erased(banter, erasure)
    assert banter.psql(f"SELECT FROM banter.blocks WHERE blocker = {number}") == []
    assert rows_with(banter, [alice.mark]) == []


STEPS = """
CREATE FUNCTION pg_temp.steps(n integer)
RETURNS TABLE (stage smallint, passes integer, ended boolean)
LANGUAGE plpgsql AS $$
DECLARE
    erasure constant uuid := (SELECT e.id FROM banter.erasures e WHERE e.user_id = {number});
BEGIN
    FOR i IN 1 .. n LOOP
        UPDATE banter.erasures e SET due_at = now() - interval '1 s' WHERE e.id = erasure;
        PERFORM banter.erasure_step(erasure, 1000);
    END LOOP;
    RETURN QUERY SELECT e.stage, e.passes, e.finished_at IS NOT NULL
                   FROM banter.erasures e WHERE e.id = erasure;
END
$$;
"""


def test_waiting_is_nothing_but_waiting(banter):
    """For a picture's file, and for a conversation that is being deleted: neither is what else has
    been done done again meanwhile, nor what has come since."""
    alice, bob = banter.signup("alice"), banter.signup("bob")
    number = number_of(banter, alice)
    group = banter.group(alice, [bob])
    banter.device(alice).say(group, "in a conversation that ends")
    block = f"FROM banter.blocks WHERE blocker = {number}"
    said = banter.psql(
        f"BEGIN; SELECT 1 FROM banter.begin_erasure({number}); {STEPS.format(number=number)}"
        f"SELECT 1 FROM banter.end_conversation('{group}'); "
        "UPDATE banter.erasures SET stage = 3, avatar = gen_random_uuid() "
        f"WHERE user_id = {number}; "
        "SELECT * FROM pg_temp.steps(50); "
        f"INSERT INTO banter.blocks VALUES ({number}, {number_of(banter, bob)}); "
        f"SELECT * FROM pg_temp.steps(5); SELECT count(*) {block}; DELETE {block}; "
        f"UPDATE banter.erasures SET avatar = NULL WHERE user_id = {number}; "
        "SELECT * FROM pg_temp.steps(100); "
        f"DELETE FROM banter.chores WHERE conversation = '{group}'; "
        "SELECT * FROM pg_temp.steps(50); ROLLBACK")
    waits, ends = ["6", "1", "f"], ["8", "1", "t"]
    assert said == [["1"], ["1"], waits, waits, ["1"], waits, ends]


def test_what_comes_later_is_not_written(banter):
    """All that a bridge writes in a user's name without asking who that is."""
    alice, bob = Marked(banter).signup(), banter.signup("bob")
    number = number_of(banter, alice)
    talk = banter.data_of(alice, {"command": "createDirect", "user": bob.handle})["conversation"]
    banter.device(bob).say(talk, "something to read")
    wait_erased(banter, erase(alice))
    assert banter.psql(f"SELECT * FROM banter.move_cursors(ARRAY[{number}]::bigint[], "
                       f"ARRAY['{talk}']::uuid[], ARRAY[1]::bigint[], ARRAY[1]::bigint[])") == []
    banter.psql(f"SELECT banter.audit_write('n', ARRAY[gen_random_uuid()], ARRAY[0::bigint], "
                f"ARRAY['nobody'], ARRAY[NULL::bigint], ARRAY['login'], ARRAY[{number}::bigint], "
                f"ARRAY['{alice.mark}'], ARRAY['{alice.mark}'], ARRAY['unauthorized'], "
                f"ARRAY['{alice.mark}'])")
    assert ["nobody", "login", "unauthorized", ""] in audit(banter, number)
    [[_, received, read]] = banter.psql(
        f"SELECT role, received_seq, read_seq FROM banter.members WHERE user_id = {number}")
    assert (received, read) == ("0", "0")
    assert rows_with(banter, [alice.mark]) == []


@pytest.mark.parametrize("change, status, reason", [
    ("SELECT FROM banter.begin_erasure({})", 401, "the handle or the password is wrong"),
    ("UPDATE banter.users SET disabled_at = now() WHERE id = {}", 403, "disabled")])
def test_a_login_that_was_under_way(banter, others_transaction, change, status, reason):
    """The password was right; of who has been erased since then nothing is told, not even that."""
    alice = banter.signup("alice")
    number = number_of(banter, alice)
    row = ("SELECT count(*) FROM banter.audit WHERE action = 'login' AND result = '{}' "
           "AND user_id {}").format(*(("unauthorized", "IS NULL") if status == 401 else
                                      ("forbidden", f"= {number}")))
    before = banter.psql(row)
    others_transaction(f"SELECT FROM banter.users WHERE id = {number} FOR UPDATE")
    body = {"handle": alice.handle, "password": alice.password}
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        login = pool.submit(banter.request, "POST", "/v1/login", body)
        wait_until(lambda: banter.psql(
            "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE "
            "'%begin_login%' AND application_name LIKE 'banter-pool/%'"), 10, "the login to wait")
        others_transaction(f"{change.format(number)}; COMMIT")
        answer = login.result()
    assert answer.status == status and reason in answer.json()["detail"]
    wait_until(lambda: banter.psql(row) != before, WRITTEN, "the row, which names no erased user")


def test_the_audit_log_has_it(banter):
    """That somebody exported and erased, and from where no longer than the user is there."""
    alice, bob = banter.signup("alice"), banter.signup("bob")
    export(alice)
    assert banter.request("POST", "/v1/me/erasure", {"password": "not this one"},
                          alice).status == 403
    numbers = {account: number_of(banter, account) for account in (alice, bob)}
    wait_until(lambda: audit(banter, numbers[alice]) == [
        ["user", "export", "ok", "127.0.0.1"], ["user", "erase", "unauthorized", "127.0.0.1"]],
        WRITTEN, "both rows")
    wait_erased(banter, erase(alice))
    wait_until(lambda: audit(banter, numbers[alice]) == [
        ["user", "export", "ok", ""], ["user", "erase", "unauthorized", ""],
        ["user", "erase", "ok", ""]], WRITTEN, "the third row, and nothing more in any")

    banter.operate("users", "export", bob.handle)
    banter.operate("users", "erase", bob.handle, "--yes")
    assert audit(banter, numbers[bob]) == [["operator", "user_export", "ok", ""],
                                           ["operator", "user_erase", "ok", ""]]
