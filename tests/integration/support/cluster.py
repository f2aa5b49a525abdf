# SPDX-License-Identifier: MIT
"""Several nodes on one database and one Redis, all of the tests' own.

The first node runs the database; the others are given its address, its keys and its pictures. Rule:
the first one's postgres may be hurt like any other process, but the first node is never taken down
before the others."""
import concurrent.futures
import subprocess

from .server import Server
from .system import System
from .waiting import wait_until

GRACE_MS = 1000  # of presence: what tests wait for


def request(*words):
    """One command in Redis's protocol; words are text, numbers or bytes."""
    found = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    return b"*%d\r\n" % len(found) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word)
                                               for word in found)


def _read_push(stream):
    """What a subscriber is sent, as a list of bytes."""
    parts = []
    for _ in range(int(stream.readline()[1:])):
        head = stream.readline().strip()
        parts.append(stream.read(int(head[1:]) + 2)[:-2] if head[:1] == b"$" else head[1:])
    return parts


class Redis(Server):
    """redis-server without persistence."""

    _binds = ("127.0.0.1",)

    def __init__(self):
        super().__init__("redis")
        self.start()

    def options(self):
        return ["--port", str(self.port)]

    def start(self):
        self.process = subprocess.Popen(
            ["redis-server", *self.options(), "--bind", *self._binds, "--save", "",
             "--appendonly", "no", "--dir", str(self.directory)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        wait_until(self._answers, 10, "Redis", interval=0.02)

    def _answers(self):
        try:
            return self.command("PING") == "PONG"
        except OSError:
            return False

    def command(self, *words):
        """One command; the first line of the answer, without its mark."""
        with self.connect() as s:
            s.sendall(request(*words))
            return s.makefile().readline().strip()[1:]

    def overhear(self, channel, wanted, timeout=10):
        """The first message from now on for which `wanted` holds, as bytes."""
        with self.connect() as s, s.makefile("rb") as stream:
            s.sendall(request("SUBSCRIBE", channel))
            assert _read_push(stream)[0] == b"subscribe"
            s.settimeout(timeout)
            while True:
                kind, _channel, message = _read_push(stream)
                if kind == b"message" and wanted(message):
                    return message


class Cluster:
    """`nodes` are Systems. Settings for all of them may be given, and for one as {"b": {…}}.
    `redis` is the first of `redises`."""

    def __init__(self, names=("a", "b"), per_node=None, redises=1, **environment):
        self.redises = [Redis() for _ in range(redises)]
        self.redis = self.redises[0]
        self.nodes = []
        addresses = " ".join(f"127.0.0.1:{redis.port}" for redis in self.redises)
        self._environment = {"BANTER_REDIS": addresses,
                             "BANTER_PRESENCE_GRACE_MS": GRACE_MS, **environment}
        try:
            self.add(names[0], **(per_node or {}).get(names[0], {}))
            self._add_at_once({name: (per_node or {}).get(name, {}) for name in names[1:]})
        except BaseException:
            self.close()
            raise

    def add(self, name, **environment):
        """One more node."""
        self.nodes.append(self._make(name, environment))

    def _add_at_once(self, settings):
        with concurrent.futures.ThreadPoolExecutor() as pool:
            made = [pool.submit(self._make, name, own) for name, own in settings.items()]
        self.nodes += [future.result() for future in made if not future.exception()]
        for future in made:
            future.result()

    def _make(self, name, environment):
        settings = {**self._environment, "BANTER_NODE": name, **environment}
        if self.nodes:
            first = self.nodes[0]
            settings |= {"BANTER_DATABASE": first.bridge_dsn,
                         "BANTER_MIGRATE_DATABASE": first.postgres_dsn,
                         "BANTER_KEYS_DIR": first.data / "keys",
                         "BANTER_BLOBS_DIR": first.data / "blobs"}
        return System(**settings)

    def __iter__(self):
        return iter(self.nodes)

    def __getitem__(self, index):
        return self.nodes[index]

    def wait_ready(self, timeout=30):
        for node in self.nodes:
            node.wait_ready(timeout)
        for node in self.nodes:
            wait_until(lambda: self._is_complete(node), timeout, "all nodes know each other",
                       interval=0.05)

    def _is_complete(self, node):
        return self.metric(node, "banter_cluster_nodes") == len(self.nodes) and \
            self.metric(node, "banter_bus_up") == 1

    def metric(self, node, name):
        for line in node.metrics().splitlines():
            if line.startswith(name + " "):
                return float(line.split()[-1])
        return None

    @property
    def data(self):
        return self.nodes[0].data

    def tails(self, lines=40):
        return "\n".join(node.tails(lines) for node in self.nodes)

    def take_contract_problems(self):
        return [problem for node in self.nodes for problem in node.take_contract_problems()]

    def close_devices(self):
        for node in self.nodes:
            node.close_devices()

    def close(self):
        """Stops everything; what the logs say of crashes."""
        with concurrent.futures.ThreadPoolExecutor() as pool:
            crashes = list(pool.map(lambda node: node.close(), self.nodes[1:]))
        crashes += [node.close() for node in self.nodes[:1]]
        for redis in self.redises:
            redis.close()
        return "\n".join(filter(None, crashes))
