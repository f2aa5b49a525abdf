# SPDX-License-Identifier: MIT
"""A streaming replica of a System's PostgreSQL, of the tests' own, that can be held back."""
import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

from .waiting import wait_until

PATIENCE = 60


class Replica:
    """Not there until start(). `dsn` is where it will be, for a bridge."""

    def __init__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="banter-replica-", dir="/tmp"))
        self.directory.chmod(0o755)
        self.dsn = self._dsn_of("banter_bridge")
        self.system = None  # whose replica it is
        self.process = None

    def _dsn_of(self, user):
        return f"host={self.directory} port=5432 user={user} dbname=banter"

    @property
    def _files(self):
        return self.directory / "postgres"

    def _bin(self, name):
        version = (self.system.data / "postgres/PG_VERSION").read_text(encoding="ascii").strip()
        return f"/usr/lib/postgresql/{version}/bin/{name}"

    def _as_owner(self):
        """The user that the primary runs as: PostgreSQL refuses root."""
        owner = (self.system.data / "postgres").stat()
        if os.geteuid() != 0:
            return {}
        return {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}

    def start(self):
        """Copies the primary at the first time; returns when it answers."""
        owner = self._as_owner()
        if owner:
            os.chown(self.directory, owner["user"], owner["group"])
        if not self._files.exists():
            primary = self.system.postgres_dsn.replace("user=banter dbname=banter", "user=postgres")
            subprocess.run([self._bin("pg_basebackup"), "-d", primary, "-D", self._files, "-R",
                            "-c", "fast", "--no-sync"], check=True, capture_output=True,
                           timeout=120, cwd="/", **owner)
        with open(self.directory / "log", "ab") as log:
            self.process = subprocess.Popen(
                [self._bin("postgres"), "-D", self._files, "-c", "listen_addresses=",
                 "-c", f"unix_socket_directories={self.directory}", "-c", "port=5432",
                 "-c", f"hba_file={self.system.data / 'pg_hba.conf'}", "-c", "shared_buffers=16MB",
                 "-c", "fsync=off", "-c", "wal_receiver_status_interval=1s"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", **owner)
        wait_until(self._answers, PATIENCE, "the replica")

    def _answers(self):
        assert self.process.poll() is None, (self.directory / "log").read_text(errors="replace")
        with contextlib.suppress(RuntimeError):
            return self.psql("SELECT pg_is_in_recovery()") == "t"
        return False

    def psql(self, sql, user="banter"):
        done = subprocess.run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", self._dsn_of(user),
                               "-c", sql],
                              text=True, capture_output=True, timeout=PATIENCE, check=False)
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        return done.stdout.strip()

    def wait_caught_up(self):
        """It has all that the primary has written by now."""
        ((place,),) = self.system.psql("SELECT pg_current_wal_flush_lsn()")
        wait_until(lambda: self.psql(f"SELECT pg_last_wal_replay_lsn() >= '{place}'") == "t",
                   PATIENCE, f"the replica at {place}")

    @contextlib.contextmanager
    def held(self):
        """It repeats nothing meanwhile, and answers as ever."""
        self.wait_caught_up()
        self.psql("SELECT pg_wal_replay_pause()", "postgres")
        wait_until(lambda: self.psql("SELECT pg_get_wal_replay_pause_state()") == "paused",
                   PATIENCE, "the pause")
        try:
            yield
        finally:
            self.psql("SELECT pg_wal_replay_resume()", "postgres")

    @contextlib.contextmanager
    def frozen(self):
        """Neither the server nor any of its processes does anything meanwhile."""
        main = self.process.pid
        os.kill(main, signal.SIGSTOP)  # first, so that it starts no backend meanwhile
        with open(f"/proc/{main}/task/{main}/children", encoding="ascii") as file:
            stopped = [main, *(int(child) for child in file.read().split())]
        try:
            for pid in stopped[1:]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGSTOP)
            yield
        finally:
            for pid in reversed(stopped):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    def stop(self):
        """At once, as if it had crashed."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(PATIENCE)

    def close(self):
        if self.process and self.process.poll() is None:
            self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)
