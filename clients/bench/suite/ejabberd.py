# SPDX-License-Identifier: MIT
"""ejabberd with its users and its message archive in the PostgreSQL of a copy, as a context.

Debian's package, its defaults but for the modules that a conversation of two needs; what it keeps
lies in a temporary directory, and its database is dropped in the end."""
import glob
import os
import pathlib
import resource
import shutil
import socket
import subprocess
import tempfile
import time

from suite.copy import BenchFailed, free_port_base

DATABASE = "banter_bench_ejabberd"
PASSWORD = "bench"  # XMPP_PASSWORD of xmpp.h
START_SECONDS = 60

CONFIG = """\
hosts: [localhost]
loglevel: error
listen:
  - port: {port}
    ip: "127.0.0.1"
    module: ejabberd_c2s
    max_stanza_size: 1048576
    shaper: none
    access: all
    starttls: false
auth_method: sql
auth_password_format: plain
auth_use_cache: true
default_db: sql
new_sql_schema: false
sql_type: pgsql
sql_server: "127.0.0.1"
sql_port: 5432
sql_database: {database}
sql_username: banter
sql_pool_size: 10
sql_prepared_statements: true
acl:
  local:
    user_regexp: ""
access_rules:
  local:
    allow: local
modules:
  mod_mam:
    db_type: sql
    default: always
    request_activates_archiving: false
"""


SCHEMA = "/usr/share/ejabberd/sql/pg.sql"


def code():
    """Where Debian has ejabberd's compiled code, or None."""
    return next(iter(glob.glob("/usr/lib/*/ejabberd-*/ebin")), None)


def is_installed():
    """Its driver for PostgreSQL, too."""
    return bool(shutil.which("erl") and code() and os.path.exists(SCHEMA)
                and glob.glob("/usr/lib/erlang/lib/p1_pgsql-*"))


def version():
    done = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", "ejabberd"], text=True,
                          capture_output=True, check=False)
    return done.stdout


def open_many_files():
    """Each connection is one."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class Ejabberd:
    """Inside the context it takes logins; `pid` and `address` say where it is."""

    def __init__(self, copy, pairs):
        self.copy, self.pairs = copy, pairs
        self.port = free_port_base(first=29080, parts=1)
        self.address = f"127.0.0.1:{self.port}"
        self.directory = None
        self.process = None

    @property
    def pid(self):
        return self.process.pid

    def __enter__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="banter-ejabberd-", dir="/var/tmp"))
        try:
            self._open_postgres()
            self._make_database()
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_exception):
        if self.process:
            self.process.kill()
            self.process.wait()
        self.copy.query(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        shutil.rmtree(self.directory, ignore_errors=True)

    def _open_postgres(self):
        """Its driver knows only TCP, and a copy's PostgreSQL listens on a socket alone."""
        if self.copy.query("SHOW listen_addresses") == "":
            self.copy.query("ALTER SYSTEM SET listen_addresses = '127.0.0.1'")
            self.copy.restart("postgres")
        rules = self.copy.data / "pg_hba.conf"  # written anew when the copy starts
        rule = f"host {DATABASE} banter 127.0.0.1/32 trust\n"
        text = rules.read_text(encoding="utf-8")
        if rule not in text:
            rules.write_text(text + rule, encoding="utf-8")
            self.copy.query("SELECT pg_reload_conf()")

    def _make_database(self):
        self.copy.query(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        self.copy.query(f"CREATE DATABASE {DATABASE} OWNER banter")
        done = subprocess.run(
            ["psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-h", self.copy.socket_directory(), "-U",
             "banter", "-d", DATABASE, "-f", SCHEMA, "-c",
             "INSERT INTO users (username, password) SELECT 'bench-p' || lpad(n::text, 6, '0') || "
             f"side, '{PASSWORD}' FROM generate_series(0, {self.pairs - 1}) n, "
             "unnest('{-a,-b}'::text[]) side"],
            text=True, capture_output=True, timeout=60, check=False)
        if done.returncode != 0:
            raise BenchFailed(f"ejabberd's database: {done.stderr[-2000:]}")

    def _start(self):
        """As the user that PostgreSQL's sockets belong to; no Erlang distribution, no shell."""
        config = self.directory / "ejabberd.yml"
        config.write_text(CONFIG.format(port=self.port, database=DATABASE), encoding="utf-8")
        owner = os.stat(self.copy.socket_directory())
        identity = {}
        if os.geteuid() == 0:
            identity = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}
            for path in (self.directory, config):
                os.chown(path, owner.st_uid, owner.st_gid)
        environment = {**os.environ, "HOME": str(self.directory),
                       "EJABBERD_CONFIG_PATH": str(config),
                       "ERL_CRASH_DUMP": str(self.directory / "crash")}
        with open(self.directory / "log", "wb") as log:
            self.process = subprocess.Popen(
                ["erl", "+K", "true", "+P", "250000", "-noinput", "-pa", code(), "-mnesia", "dir",
                 f'"{self.directory}/mnesia"', "-ejabberd", "log_path",
                 f'"{self.directory}/ejabberd.log"', "-s", "ejabberd"],
                env=environment, cwd=self.directory, stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, preexec_fn=open_many_files, **identity)
        self._wait()

    def _wait(self):
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and self.process.poll() is None:
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.2)
        said = (self.directory / "log").read_text(encoding="utf-8", errors="replace")
        raise BenchFailed(f"ejabberd does not start: {said[-2000:]}")
