# SPDX-License-Identifier: MIT
"""Debian's ZooKeeper, one server of the tests' own on loopback."""
import subprocess

from .server import Server
from .waiting import wait_until

CLASSES = "/usr/share/java/*"
TICK_MS = 500  # sessions last from two to twenty of them
PATIENCE = 60


class ZooKeeper(Server):
    """Started again, it has what it knew."""

    def __init__(self):
        super().__init__("zookeeper")
        (self.directory / "zoo.cfg").write_text(
            f"tickTime={TICK_MS}\ndataDir={self.directory}\nclientPort={self.port}\n"
            "clientPortAddress=127.0.0.1\nadmin.enableServer=false\n"
            "4lw.commands.whitelist=ruok,dump\n", encoding="ascii")
        self.start()

    def start(self):
        with open(self.directory / "log", "ab") as log:
            self.process = subprocess.Popen(
                ["java", "-Xmx128m", "-cp", CLASSES,
                 "org.apache.zookeeper.server.quorum.QuorumPeerMain", self.directory / "zoo.cfg"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.directory)
        wait_until(lambda: self._ask("ruok") == "imok", PATIENCE, "ZooKeeper", interval=0.1)

    def _ask(self, word):
        assert self.process.poll() is None, (self.directory / "log").read_text(errors="replace")
        try:
            with self.connect() as s:
                s.sendall(word.encode())
                return s.makefile().read()
        except OSError:
            return ""

    def shell(self, *commands, credentials=None):
        """What ZooKeeper's own client says to the commands, with USER:PASSWORD or as nobody."""
        if credentials:
            commands = (f"addauth digest {credentials}", *commands)
        done = subprocess.run(
            ["java", "-Xmx128m", "-cp", CLASSES, "org.apache.zookeeper.ZooKeeperMain",
             "-waitforconnection", "-server", f"127.0.0.1:{self.port}"],
            input="\n".join((*commands, "quit\n")), capture_output=True, text=True,
            errors="replace", cwd=self.directory, timeout=PATIENCE, check=False)
        return done.stdout + done.stderr

    def ephemerals(self):
        """Paths of the entries that go with their sessions."""
        return sorted(line.strip() for line in self._ask("dump").splitlines()
                      if line.startswith("\t/"))
