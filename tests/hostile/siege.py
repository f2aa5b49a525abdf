# SPDX-License-Identifier: MIT
"""The system under attack, built with sanitizers and with its limits on, and who is there: alice
and bob, who chat all the while, eve's spies, who listen where they may, and mallory, who attacks.

Rule: who attacks comes from another address than who does not, as it would be outside."""
import itertools
import pathlib

from support import System
from support.wire import SUBACK

from attacker import DEADLINE, Attacker
from bystanders import Chat, Spies, Watch
from patience import Patience

# A freed block is not handed out again before so much has been freed after it: what a sanitizer
# keeps for that would hide what the system itself keeps.
SMALL_QUARANTINE = "quarantine_size_mb=8:malloc_context_size=8"
SETTINGS = {
    "ASAN_OPTIONS": SMALL_QUARANTINE,
    "BANTER_RATE_LIMITS": "true",
    "BANTER_HEALTH_DEADLINE_MS": 20000,
}
DAMAGE = "HOSTILE"  # part of every text that must be stored nowhere
NAMES_IN_USE = 5000  # device names, so that no late receipt reaches another attack's connection


class Siege:
    CONNECTS_PER_MINUTE = 1500  # of an address; half of the default, to spare the flood's time

    def __init__(self):
        self.system = System(
            BANTER_RATE_ADDRESS_CONNECTS=f"{self.CONNECTS_PER_MINUTE}/60", **SETTINGS)
        self._names = itertools.count()
        self._opened = []
        try:
            self._require_sanitizers()
            self.alice, self.bob, self.eve = (
                self.system.signup(name) for name in ("alice", "bob", "eve"))
            self.send_another()
            self._settle()
        except BaseException:
            self.system.close()
            raise

    def _require_sanitizers(self):
        for name in ("bridge", "broker"):
            maps = pathlib.Path(f"/proc/{self.system.pid(name)}/maps").read_text(encoding="utf-8")
            assert "libasan" in maps, f"{name} is not built with sanitizers: set BANTER_BUILD_DIR"

    def _settle(self):
        self.spies = Spies([self._spy(5, "tcp"), self._spy(4, "websocket")])
        self.watch = Watch(self.system)
        self.chat = Chat(self._log_in(self.alice, 5, "tcp"), self._log_in(self.bob, 4, "websocket"))
        self.watch.start()
        self.chat.start()
        self.spies.start()
        self.patience = Patience(self.system)

    def _spy(self, version, transport):
        wire = self._log_in(self.eve, version, transport)
        wire.subscribe("chat/#", "me/#", "$CONTROL/chat/v1/response")
        wire.receive(SUBACK, DEADLINE)
        return wire

    def _log_in(self, account, version, transport):
        return Attacker(self, account, f"phone{version}", version=version,
                        transport=transport).log_in(keepalive=100)

    # ---------------------------------------------------------------- for the attacks

    def send_another(self):
        """A new mallory, whose limits are not used up."""
        self.mallory = self.system.signup("mallory")

    @property
    def conversation(self):
        """alice's and bob's."""
        return self.chat.conversation

    def dial(self, version=5, transport="tcp", source="127.1.0.1", account=None):
        """A new connection of mallory's, closed when the test ends."""
        name = f"d{next(self._names) % NAMES_IN_USE}"
        wire = Attacker(self, account or self.mallory, name, version=version, transport=transport,
                        source=source)
        self._opened.append(wire)
        return wire

    def hang_up(self):
        while self._opened:
            self._opened.pop().socket.close()

    # ---------------------------------------------------------------- how the others are

    def damage(self):
        """The columns of the database that hold something hostile."""
        columns = self.system.psql(
            "SELECT table_name, column_name FROM information_schema.columns "
            "WHERE table_schema = 'banter' AND data_type IN ('text', 'character varying')")
        assert len(columns) > 10
        looks = (f"(SELECT '{table}.{column}' FROM banter.\"{table}\" "
                 f"WHERE \"{column}\" LIKE '%{DAMAGE}%' LIMIT 1)" for table, column in columns)
        return self.system.psql(" UNION ALL ".join(looks))

    def problems(self, log=False):
        """`log`: hold what the server has stored against the books, too."""
        self.chat.balance(self.system if log else None)
        return self.chat.problems + self.spies.problems + self.watch.problems

    def close(self):
        self.hang_up()
        for one in (self.watch, self.spies, self.chat):
            one.end()
        return self.system.close()
