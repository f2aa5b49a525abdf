# SPDX-License-Identifier: MIT
"""PostgreSQL: reachable, new enough, honest about its disk, with the schema that is wanted."""
import hashlib
import pathlib
import re
import time

from .finding import error, ok, warning
from .probe import Unanswered, psql, tool

VERSION_MIN = 140000
CONNECTIONS_USED_MAX = 0.8
CLOCK_WARNING_S = 2
CLOCK_ERROR_S = 60
DURABLE = ("fsync", "full_page_writes")
SERVER_SQL = """SELECT current_setting('server_version_num'), current_setting('server_version'),
    pg_is_in_recovery(), current_setting('server_encoding'), current_setting('max_connections'),
    (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')"""


def ask(inst, sql, setting="database"):
    return psql(inst.settings[setting], sql, inst.identity_of("bridge"))


def check_database(inst):
    """It can be reached with the bridge's own words, and written to."""
    try:
        row = ask(inst, SERVER_SQL)[0]
    except Unanswered as problem:
        yield error(f"PostgreSQL: {problem}",
                    "Does it run, and does the setting database name it, with the right user?")
        return
    number, version, replica, encoding, most, used = row
    if int(number) < VERSION_MIN:
        yield error(f"PostgreSQL {version} is too old", "Banter needs 14 or later")
    if replica == "t":
        yield error("PostgreSQL is a replica: nothing can be written",
                    "Name the primary in the setting database, or promote this one")
    if encoding != "UTF8":
        yield error(f"the database's encoding is {encoding}", "Make it anew with UTF8")
    if int(used) > CONNECTIONS_USED_MAX * int(most):
        yield warning(f"{used} of PostgreSQL's {most} connections are taken",
                      "Raise max_connections, or see in pg_stat_activity who has them")
    yield ok(f"PostgreSQL {version.split()[0]}, {used} of {most} connections")


def check_durability(inst):
    """A receipt promises that its message survives: PostgreSQL must not be told to hurry."""
    names = (*DURABLE, "synchronous_commit")
    columns = ", ".join(f"current_setting('{name}')" for name in names)
    try:
        values = dict(zip(names, ask(inst, f"SELECT {columns}")[0]))
    except Unanswered:
        return  # said by check_database
    for name in names:
        if values[name] == "off":
            yield error(f"{name} is off: what has a receipt can be lost in a crash",
                        f"Set {name} = on, for the server, the database and the user banter, and "
                        "restart PostgreSQL")
    if "off" not in values.values():
        yield ok(", ".join(f"{name} = {value}" for name, value in values.items()))


def _on_disk(directory):
    """{number: (name, sha256)}"""
    files = pathlib.Path(directory).glob("[0-9][0-9][0-9][0-9]_*.sql")
    return {int(path.name[:4]): (path.name, hashlib.sha256(path.read_bytes()).hexdigest())
            for path in files}


def check_schema(inst):
    """The migrations in the database are those on disk, all of them."""
    migrate = f"{inst.bridge_program} migrate --config {inst.bridge_conf}"
    disk = _on_disk(inst.settings["migrations"])
    if not disk:
        yield error(f"no migrations in {inst.settings['migrations']}", "Correct `migrations`")
        return
    try:
        rows = ask(inst, "SELECT number, name, sha256 FROM banter.migrations ORDER BY number")
    except Unanswered as problem:
        if re.search("banter", str(problem)) and "does not exist" in str(problem):
            yield error("the database has no schema of Banter's", f"Make it: {migrate}")
        return
    applied = {int(number): (name, sha256) for number, name, sha256 in rows}
    newer = sorted(applied.keys() - disk.keys())
    lacking = sorted(disk.keys() - applied.keys())
    changed = [number for number in applied.keys() & disk.keys() if applied[number] != disk[number]]
    if newer:
        yield error(f"the database has migration {newer[-1]:04}, this version ends with "
                    f"{max(disk):04}", "Install the version that made it, or a newer one")
    if changed:
        yield error(f"{disk[min(changed)][0]} is not the one that was applied",
                    "Install the version whose files the database was made with")
    if lacking:
        yield error(f"the database lacks migration {disk[lacking[0]][0]}", f"Run {migrate}")
    if not (newer or changed or lacking):
        yield ok(f"the schema is at {max(applied):04}, as this version's")


def check_clock(inst):
    """This machine, the database's and the time servers agree what time it is."""
    try:
        theirs = float(ask(inst, "SELECT extract(epoch FROM clock_timestamp())")[0][0])
        away = abs(theirs - time.time())
    except Unanswered:
        away = 0  # said by check_database
    synchronized = tool("timedatectl", "show", "-p", "NTPSynchronized", "--value")
    if away > CLOCK_ERROR_S:
        yield error(f"the database's clock and this machine's are {away:.0f} s apart",
                    "Tokens and times of messages go wrong: synchronize both (NTP)")
    elif away > CLOCK_WARNING_S:
        yield warning(f"the database's clock and this machine's are {away:.0f} s apart",
                      "Synchronize both (NTP)")
    elif synchronized == (0, "no"):
        yield warning("the clock is not synchronized", "Enable NTP: timedatectl set-ntp true")
    else:
        yield ok("the clocks agree")
