# SPDX-License-Identifier: MIT
"""What the bridge's role may do with the database: what schema/sql/rights.sql says, and no more."""
import pathlib
import re
import subprocess

import pytest

from support.system import REPOSITORY

pytestmark = pytest.mark.once

RIGHTS = (REPOSITORY / "schema" / "sql" / "rights.sql").read_text()
ROLE = "banter_bridge"
TABLES = """SELECT relname FROM pg_class WHERE relnamespace = 'banter'::regnamespace
              AND relkind IN ('r', 'p', 'v') AND NOT relispartition"""
# What nothing of a running bridge ever does.
FORBIDDEN = [
    # what was written
    "UPDATE banter.messages SET seq = seq + 1", "UPDATE banter.messages SET sender = 1",
    "UPDATE banter.messages SET at = now()", "UPDATE banter.messages SET id = 'x'",
    "TRUNCATE banter.messages", "DELETE FROM banter.users", "DELETE FROM banter.conversations",
    "UPDATE banter.users SET id = DEFAULT", "UPDATE banter.members SET user_id = 1",
    "UPDATE banter.login_sessions SET user_id = 1", "UPDATE banter.invites SET expires_at = NULL",
    "UPDATE banter.conversations SET kind = 3", "UPDATE banter.cluster_key SET key = ''",
    "DELETE FROM banter.cluster_key", "SELECT payload FROM banter.quarantine",
    "SELECT key FROM banter.erasure_key", "DELETE FROM banter.erased_handles",
    "UPDATE banter.erasures SET finished_at = now()",
    "INSERT INTO banter.migrations (number, name, sha256) VALUES (9999, 'x', 'y')",
    "INSERT INTO banter.administrators (user_id) VALUES (1)", "DELETE FROM banter.administrators",
    "SELECT banter.appoint('x', true, 'x')",
    "DELETE FROM banter.migrations", "SELECT * FROM banter.messages_0",
    # what there is
    "CREATE TABLE banter.mine (x int)", "CREATE TABLE public.mine (x int)",
    "CREATE TEMPORARY TABLE mine (x int)", "CREATE SCHEMA mine", "DROP TABLE banter.messages",
    "ALTER TABLE banter.users ADD COLUMN x int", "CREATE INDEX ON banter.users (name)",
    "ALTER TABLE banter.login_sessions DISABLE TRIGGER ALL", "DROP SCHEMA banter CASCADE",
    "CREATE OR REPLACE FUNCTION banter.may_see(smallint, bigint, bigint) RETURNS boolean "
    "LANGUAGE sql AS 'SELECT true'",
    "CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE EXTENSION pg_trgm", "SELECT setval('banter.push_outbox_ids', 1)",
    # who others are, and the machine
    "CREATE ROLE mine", "ALTER ROLE banter_bridge SUPERUSER", "ALTER ROLE banter PASSWORD 'x'",
    "SET ROLE banter", "SET ROLE postgres", "GRANT banter TO banter_bridge",
    "SELECT rolpassword FROM pg_authid",
    "ALTER SYSTEM SET fsync = off", "ALTER DATABASE banter SET fsync = off",
    "SET session_replication_role = replica", "SELECT pg_read_file('postgresql.conf')",
    "COPY banter.users TO PROGRAM 'cat'", "COPY banter.users FROM '/etc/passwd'",
    "SELECT lo_import('/etc/passwd')", "SELECT pg_reload_conf()",
]


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_what_the_bridges_role_may_not_do(banter, statement):
    with pytest.raises(RuntimeError, match="permission denied|must (be|have) ") as refusal:
        if statement.startswith("ALTER SYSTEM"):  # in no transaction
            banter.psql(statement, dsn=banter.bridge_dsn)
        banter.psql(f"BEGIN; {statement}; ROLLBACK", dsn=banter.bridge_dsn)
    assert "syntax" not in str(refusal.value)


def test_the_bridge_connects_as_that_role(banter):
    assert banter.psql("SELECT DISTINCT usename FROM pg_stat_activity"
                       " WHERE application_name LIKE 'banter-%'") == [[ROLE]]
    [flags] = banter.psql("SELECT rolsuper, rolcreaterole, rolcreatedb, rolreplication,"
                          f" rolbypassrls FROM pg_roles WHERE rolname = '{ROLE}'")
    assert set(flags) == {"f"}
    assert banter.psql(f"SELECT 1 FROM pg_auth_members WHERE member = '{ROLE}'::regrole") == []


def test_every_table_is_named(banter):
    """And for none it has a right to empty it, to refer to it or to hang a trigger on it."""
    named = set(re.findall(r"^ +\('(\w+)', ", RIGHTS, re.MULTILINE))
    assert named == {row[0] for row in banter.psql(TABLES)}
    for right in ("TRUNCATE", "REFERENCES", "TRIGGER"):
        assert banter.psql(f"SELECT relname FROM ({TABLES}) t"
                           f" WHERE has_table_privilege('{ROLE}', 'banter.' || relname, '{right}')"
                           ) == []
    assert banter.psql("SELECT column_name FROM information_schema.column_privileges WHERE grantee"
                       f" = '{ROLE}' AND table_name = 'messages' AND privilege_type = 'UPDATE'"
                       " ORDER BY 1") == [["data"], ["text"]]


def test_what_runs_as_the_owner(banter):
    """Few functions do, and none looks for a name where somebody else may have put one."""
    assert {tuple(row) for row in banter.psql(
        "SELECT proname, array_to_string(proconfig, ';') FROM pg_proc"
        " WHERE pronamespace = 'banter'::regnamespace AND prosecdef")} == {
            (name, "search_path=pg_catalog, pg_temp") for name in (
                "begin_erasure", "erase_author", "erasure_blob_removed", "erasure_step",
                "export_page", "handle_hash")}


def test_only_errors_that_may_name_users_are_in_no_log(banter):
    """Those of the bridge and of the owner, and of nobody else who uses that PostgreSQL."""
    for role in (ROLE, "banter", "postgres"):
        dsn = banter.dsn_of(role)
        with pytest.raises(RuntimeError, match=f"a mistake of {role}"):
            banter.psql(f"SELECT 'a mistake of {role}'::integer", dsn=dsn)
        level = "warning" if role == "postgres" else "log"
        assert banter.psql("SHOW log_min_messages", dsn=dsn) == [[level]]
    log = banter.log("postgres")
    assert "a mistake of postgres" in log and "a mistake of banter" not in log


def test_a_database_from_before_there_was_that_role(make_system):
    """The next start makes the role, and the bridge then has no more rights than it needs."""
    banter = make_system()
    alice, bob = banter.signup("alice"), banter.signup("bob")
    banter.device(alice).say(f"@{bob.handle}", "before")
    banter.close_devices()
    forget_role(banter)
    banter.down()
    (banter.data / "postgres" / "banter.roles").unlink()
    banter.up()
    banter.wait_ready()
    test_the_bridge_connects_as_that_role(banter)
    test_only_errors_that_may_name_users_are_in_no_log(banter)
    receipt = banter.device(alice).say(f"@{bob.handle}", "after")
    assert receipt["seq"] == 2


def forget_role(banter):
    banter.stop("bridge")
    banter.psql(f"DROP OWNED BY {ROLE}; DROP ROLE {ROLE}; ALTER ROLE banter RESET log_min_messages",
                dsn=banter.dsn_of("postgres"))


def test_a_database_whose_role_is_older(make_system):
    """It was made when what it may do was all that was to be said of it."""
    banter = make_system()
    banter.psql("ALTER ROLE banter RESET log_min_messages; "
                f"ALTER ROLE {ROLE} RESET log_min_messages", dsn=banter.dsn_of("postgres"))
    banter.down()
    (banter.data / "postgres" / "banter.roles").write_text("")
    banter.up()
    test_only_errors_that_may_name_users_are_in_no_log(banter)


def test_a_role_that_cannot_be_made_is_not_taken_for_made(make_system):
    banter = make_system()
    forget_role(banter)
    banter.psql("ALTER ROLE banter RENAME TO somebody_else", dsn=banter.dsn_of("postgres"))
    banter.down()
    mark = banter.data / "postgres" / "banter.roles"
    mark.unlink()
    with pytest.raises(RuntimeError, match='role "banter" does not exist'):
        banter.up()
    assert not mark.exists()


def migrate(banter, **settings):
    config = banter.data / "bridge.conf"
    flags = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    return subprocess.run([banter.data / "bin" / "banter-bridge", "migrate", "--config", config,
                           *flags], text=True, capture_output=True, timeout=60, check=False)


def test_a_role_that_is_not_there(banter, tmp_path):
    """The migration says which, and how it is made."""
    secret = pathlib.Path(tmp_path, "database")
    secret.write_text(banter.dsn_of("nobody_at_all"))
    done = migrate(banter, database_file=secret)
    assert done.returncode == 1
    assert "CREATE ROLE nobody_at_all LOGIN" in done.stderr
    assert migrate(banter).returncode == 0, "a second one changes nothing"
