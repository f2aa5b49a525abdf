# SPDX-License-Identifier: MIT
"""What faults act on: the processes of one running copy, the proxies between them, its disk, the
drivers, and what this machine allows.

With several nodes each has a World of its own, and they share drivers and Redis.

Capabilities: `sandbox` (namespaces: iptables, tc, ss -K harm nobody), `disk` (PostgreSQL's data is
on a file system of its own), `clock` (libfaketime), `points` (a build with fault points), `crowd`
(asked for: thousands of further clients), `nodes` (there are several)."""
import contextlib
import os
import pathlib
import signal
import subprocess
import threading
import time

PROCESSES = ("broker", "bridge", "postgres")


class World:
    def __init__(self, product, proxies, drivers, capabilities, disk=None, redis=None):
        self.product = product
        self.proxies = proxies
        self.drivers = drivers
        self.capabilities = frozenset(capabilities)
        self.disk = disk
        self.redis = redis
        # What the names of this node's processes and faults end with: nothing, of the first one's.
        self.suffix = f"@{product.node}" if product.first else ""

    def pid(self, name):
        """The process's id now; None while it is down."""
        with contextlib.suppress(OSError, ValueError):
            pid = int((self.product.data / "state" / f"{name}.pid").read_text())
            return pid if pathlib.Path(f"/proc/{pid}").exists() else None
        return None

    def wait_pid(self, name, seconds=15):
        """The process's id, as soon as it is there."""
        deadline = time.monotonic() + seconds
        while (pid := self.pid(name)) is None:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{name} was not started again within {seconds} s")
            time.sleep(0.02)
        return pid

    def family(self, name):
        """The process and all below it: PostgreSQL's are many."""
        pid = self.wait_pid(name)
        return [pid, *_children(pid)]

    def signal(self, name, number):
        """To the process alone. It may be dying just now: that is not ours to mind."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.wait_pid(name), number)

    def is_ready(self):
        try:
            return self.product.request("GET", "/readyz", timeout=2).status == 200
        except (OSError, AssertionError):
            return False

    def receipts(self):
        return sum(driver.status.get("receipted", 0) for driver in self.drivers)


def _children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return [int(child) for child in file.read().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def signal_all(pids, number):
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


class Proxies:
    """banter-chaos-proxy; `routes` are (name, where to listen, what is behind)."""

    def __init__(self, program, seed, routes):
        arguments = [f"{name}={listen},{upstream}" for name, listen, upstream in routes]
        self._process = subprocess.Popen([program, str(seed), *arguments], text=True, bufsize=1,
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if self._process.stdout.readline() != "ready\n":
            raise RuntimeError("the proxy did not start")

    def say(self, route, *command):
        self._process.stdin.write(" ".join(map(str, (route, *command))) + "\n")
        if (answer := self._process.stdout.readline()) != "ok\n":
            raise RuntimeError(f"the proxy answered {answer!r} to {route} {command}")

    def close(self):
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self._process.wait(10)


class Disk:
    """A file system of limited size, for PostgreSQL's data."""

    def __init__(self, image, directory, size_bytes):
        self.directory = pathlib.Path(directory)
        self._ballast = self.directory / "ballast"
        with open(image, "wb") as file:
            file.truncate(size_bytes)
        self.directory.mkdir()
        # No reserve: what root could still write would be no help to PostgreSQL.
        subprocess.run(["mkfs.ext4", "-q", "-m", "0", image], check=True)
        subprocess.run(["mount", "-o", "loop", image, self.directory], check=True)
        self.directory.chmod(0o711)

    @contextlib.contextmanager
    def filled(self):
        free = os.statvfs(self.directory)
        try:
            # A block for the directory; what others take meanwhile may leave less than we ask for.
            for blocks in (free.f_bavail - 1, free.f_bavail // 2, free.f_bavail // 4):
                with contextlib.suppress(OSError), open(self._ballast, "ab") as file:
                    end = file.seek(0, os.SEEK_END)
                    os.posix_fallocate(file.fileno(), end, blocks * free.f_frsize)
            yield
        finally:
            self._ballast.unlink(missing_ok=True)

    def close(self):
        subprocess.run(["umount", "--lazy", self.directory], check=False)


class Deaths(threading.Thread):
    """Follows the supervisor's log and keeps how processes ended: (monotonic time, sentence)."""

    def __init__(self, log):
        super().__init__(daemon=True)
        self._log = log
        self._end = threading.Event()
        self.seen = []

    def run(self):
        with open(self._log, encoding="utf-8", errors="replace") as file:
            file.seek(0, os.SEEK_END)
            while not self._end.wait(0.1):
                for line in file:
                    if "it is started again in" in line:
                        self.seen.append((time.monotonic(), line.split(";")[0]))

    def stop(self):
        self._end.set()
        self.join()


def freeze(pids):
    """SIGSTOP now; returns what thaws them."""
    signal_all(pids, signal.SIGSTOP)
    return lambda: signal_all(reversed(pids), signal.SIGCONT)
