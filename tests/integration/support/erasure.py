# SPDX-License-Identifier: MIT
"""A user all of whose data holds a mark that nothing else has, and where to look for such marks.

Rule: what is looked through is everything that the system keeps, found by its catalogs and
directories, and not by a list that somebody has to think of.
"""
import json
import re
import secrets
import subprocess

from .account import Account
from .waiting import wait_until

GIF = b"GIF89a\2\0\3\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\2\0\3\0\0\2\3\x84\x8f\x59\0;"
EXPIRING = "SELECT table_name, column_name FROM banter.columns WHERE fate = 'expires'"


class Marked(Account):
    """`mark` has 8 characters, the most that an emoji may have."""

    def __init__(self, system):
        self.mark = "zq" + secrets.token_hex(3)
        super().__init__(system, f"{self.mark}-x", f"{self.mark} horse battery")

    def signup(self):
        body = {"handle": self.handle, "password": self.password, "name": f"Name {self.mark}",
                "email": f"{self.mark}@example.org", "device": f"{self.mark}-dev"}
        return self.accept(self.system.request("POST", "/v1/signup", body).ok())


def erase(account, password=None):
    """Begins it; the receipt's id."""
    return account.system.request("POST", "/v1/me/erasure",
                                  {"password": password or account.password},
                                  account).ok()["erasure"]


def receipt(system, erasure):
    return system.request("GET", f"/v1/erasures/{erasure}").ok()


def wait_erased(system, erasure, timeout=120):
    return wait_until(lambda: (r := receipt(system, erasure))["finished_at"] and r, timeout,
                      f"the end of erasure {erasure}", interval=0.1)


def export(account, after=None):
    """All lines, each as an object."""
    path = "/v1/me/export" + (f"?after={after}" if after else "")
    return [json.loads(line) for line in account.system.stream(path, account)]


def _pattern(needles):
    """Finds them as text, and in what is shown as hexadecimal digits."""
    return "|".join(re.escape(n) for needle in needles
                    for n in (needle, needle.encode().hex()))


def rows_with(system, needles):
    """Where the database holds any of them, as `table: row`: all columns of all tables of all
    schemas but PostgreSQL's own, what its planner has sampled, and the texts of a dump."""
    tables = system.psql(
        "SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname)"
        "  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind IN ('r', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> "
        "'information_schema'")
    pattern = _pattern(needles)
    union = " UNION ALL ".join(
        f"SELECT '{table}' || ': ' || left(t::text, 300) FROM {table} t WHERE t::text ~* "
        f"'{pattern}'" for [table] in [*tables, ["pg_stats"]])
    found = [row[0] for row in system.psql(union)]
    dump = subprocess.run(["pg_dump", "-d", system.postgres_dsn], capture_output=True, text=True,
                          timeout=120, check=True).stdout
    found += [f"dump: {line[:300]}" for line in dump.splitlines() if re.search(pattern, line, re.I)]
    return found


def files_with(system, needles):
    """The same of files: logs, pictures by name and content, configuration, keys; but not of
    PostgreSQL's own, which only it can read."""
    pattern = re.compile(_pattern(needles).encode(), re.I)
    found = []
    for path in system.data.rglob("*"):
        if (system.data / "postgres") in path.parents or not path.is_file():
            continue
        if pattern.search(str(path.relative_to(system.data)).encode()):
            found.append(str(path))
        if (system.data / "bin") not in path.parents and pattern.search(path.read_bytes()):
            found.append(f"in {path}")
    return found
