# SPDX-License-Identifier: MIT
"""The running copy that is broken: started by `./banter up -d` like any other, with detours through
the proxies, and the time of every commit on record.

Rule: whatever is special here (detours, clock, a second copy of the bridge, the file system of the
database) is made of settings, links and wrappers: the programs are those that were built."""
import os
import pathlib
import shutil
import stat
import subprocess

from support.system import System, free_port_base

from .points import FaultFile
from .world import Disk, Proxies

_DISK_BYTES = 12 << 30  # of which only what is used takes room: the image is sparse
_FAKETIME = pathlib.Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")
_DAY_S = 86400
# Whether commits come in the order of their receipts is checked with the time of each commit.
_POSTGRES_SETTINGS = """\
track_commit_timestamp = on
max_wal_size = 256MB
log_min_messages = warning
"""
_WRAPPER = """\
#!/bin/sh
exec env {environment} "{program}" "$@"
"""


def find_clock():
    return _FAKETIME if _FAKETIME.exists() else None


class Product(System):
    """A System in `directory`/data, from the binaries in `build`. Where there are several nodes
    `redis` has the ports of two, the first of which is reached through the proxy; `node` is this
    one's name then, and `first` the one with the database, whose `directory` others are below."""

    first = None
    _services = "postgres bridge broker"

    def __init__(self, directory, build, seed, with_disk, redis=None, node="a", **environment):
        self._directory = directory
        self._seed = seed
        self._redis = redis
        self.node = node
        if redis:
            environment |= {"BANTER_NODE": node, "BANTER_REDIS": self._redises(redis[0])}
        self._build = pathlib.Path(build)
        self._clock_file = directory / "clock"
        self.disk = self.proxies = None
        self.faults = FaultFile(directory / "faults")
        self.has_points = b"plugin.draft_in_ring" in self._plugin().read_bytes()
        self.set_clock(0)
        self._wrap_programs()
        super().__init__(
            data=directory / "data", BANTER_BUILD_DIR=directory / "build",
            BANTER_FAULTS=self.faults.path, BANTER_ACCESS_TOKEN_TTL=30 * _DAY_S, **environment)
        # The cluster exists now; what follows needs it, and another start.
        if not self.first:
            self.psql("ALTER ROLE banter RESET log_min_messages; "
                      "ALTER ROLE banter_bridge RESET log_min_messages",
                      dsn=self.dsn_of("postgres"))
        self.down()
        self._prepare_database(with_disk)
        self._take_detours(seed)
        self.up()

    def _plugin(self):
        return pathlib.Path(os.environ.get("BANTER_PLUGIN") or
                            self._build / "broker-plugin" / "banter_plugin.so")

    # ---------------------------------------------------------------- the programs

    def _wrap_programs(self):
        """A build directory whose bridge is a script around one of two copies of the real one."""
        self._copies = [self._directory / "bridge-a", self._directory / "bridge-b"]
        for copy in self._copies:
            shutil.copy(self._build / "bridge" / "banter-bridge", copy)
        self._program = self._directory / "banter-bridge"
        self.replace_bridge()
        wrapped = self._directory / "build"
        (wrapped / "bridge").mkdir(parents=True)
        (wrapped / "broker-plugin").mkdir()
        (wrapped / "broker-plugin" / "banter_plugin.so").symlink_to(self._plugin())
        script = wrapped / "bridge" / "banter-bridge"
        script.write_text(_WRAPPER.format(environment=self._clock_settings(),
                                          program=self._program))
        script.chmod(0o755)

    def replace_bridge(self):
        """The next start takes the other copy of the program."""
        self._copies.reverse()
        link = self._directory / "banter-bridge.new"
        link.symlink_to(self._copies[0])
        os.replace(link, self._program)

    def _clock_settings(self):
        if not find_clock():
            return ""
        return (f"LD_PRELOAD={find_clock()} FAKETIME_TIMESTAMP_FILE={self._clock_file} "
                "FAKETIME_CACHE_DURATION=1 FAKETIME_DONT_FAKE_MONOTONIC=1 DONT_FAKE_MONOTONIC=1 "
                # Else waits with a monotonic deadline are over at once.
                "FAKETIME_FORCE_MONOTONIC_FIX=0 NO_FAKE_STAT=1")

    def set_clock(self, offset_s):
        """What the bridge takes for the time of day, a second from now on."""
        new = self._clock_file.with_suffix(".new")
        new.write_text(f"{offset_s:+d}\n")
        os.replace(new, self._clock_file)

    # ---------------------------------------------------------------- disk and detours

    def _prepare_database(self, with_disk):
        with open(self.data / "postgres" / "postgresql.auto.conf", "a", encoding="ascii") as file:
            file.write(_POSTGRES_SETTINGS)
        if with_disk:
            self._move_database()

    def _database_socket(self):
        run = self.data / "run"
        if not stat.S_ISDIR(os.stat(run).st_mode) or "host=" + str(run) not in self.postgres_dsn:
            raise RuntimeError(f"{self.data} is too long a name for sockets")
        return f"{run}/.s.PGSQL.5432"

    def _move_database(self):
        self.disk = Disk(self._directory / "disk.image", self._directory / "disk", _DISK_BYTES)
        place, data = self.data / "postgres", self.disk.directory / "postgres"
        subprocess.run(["cp", "-a", place, data], check=True)
        shutil.rmtree(place)
        place.symlink_to(data)

    def _take_detours(self, seed):
        """Devices, database and link through the proxies; `ports` has what rules may name."""
        base = free_port_base()
        run = self.data / "run"
        behind = run / "link-behind.sock"
        _, http_port = self.http.rsplit(":", 1)
        self.detour_mqtt, self.detour_http = f"127.0.0.1:{base}", f"127.0.0.1:{base + 1}"
        self.ports = {"mqtt": self.mqtt_port, "http": int(http_port), "database": base + 2}
        routes = []
        if self._redis:
            self.ports["redis"] = base + 3
            self.configure(BANTER_REDIS=self._redises(base + 3))
            routes = [("redis", f"127.0.0.1:{base + 3}", f"127.0.0.1:{self._redis[0]}")]
        self.proxies = Proxies(self._build / "tests/chaos/banter-chaos-proxy", seed, (
            ("mqtt", self.detour_mqtt, f"127.0.0.1:{self.mqtt_port}"),
            ("http", self.detour_http, f"127.0.0.1:{http_port}"),
            ("database", f"127.0.0.1:{base + 2}", self._database_socket()),
            ("link", f"{run}/link.sock", behind), *routes))
        dsn = f"host=127.0.0.1 port={base + 2} user={{}} dbname=banter"
        self.configure(BANTER_LINK_SOCKET=behind, BANTER_SERVICES=self._services,
                       BANTER_DATABASE=dsn.format("banter_bridge"),
                       BANTER_MIGRATE_DATABASE=dsn.format("banter"))

    # ---------------------------------------------------------------- several nodes

    def _redises(self, first):
        return f"127.0.0.1:{first} 127.0.0.1:{self._redis[1]}"

    def add_node(self, name):
        """One more, on this one's database and both Redis."""
        directory = self._directory / name
        directory.mkdir()
        return _Further(self, directory, name)

    @property
    def bench(self):
        return self._build / "clients/bench/banter-bench"

    def driver(self, name):
        return self._build / "tests/chaos" / name

    def finish(self):
        """Stops all of it; the data stays."""
        self.down()
        self.close_parts()

    def close_parts(self):
        if self.proxies:
            self.proxies.close()
        if self.disk:
            self.disk.close()


class _Further(Product):
    """A node without a database of its own."""

    _services = "bridge broker"

    def __init__(self, first, directory, name):
        self.first = first
        super().__init__(
            directory, first._build, first._seed, False, first._redis, name,
            BANTER_DATABASE=first.bridge_dsn, BANTER_MIGRATE_DATABASE=first.postgres_dsn,
            BANTER_KEYS_DIR=first.data / "keys", BANTER_BLOBS_DIR=first.data / "blobs")

    def _prepare_database(self, with_disk):
        pass

    def _database_socket(self):
        return self.first._database_socket()
