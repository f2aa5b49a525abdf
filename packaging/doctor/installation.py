# SPDX-License-Identifier: MIT
"""Where everything of one installation is: a copy of ./banter's, or the packages'.

Rule: settings are what the bridge itself makes of its file and environment (`banter-bridge
settings`), never what this program would make of them.
"""
import dataclasses
import os
import pathlib
import pwd
import re
import subprocess

from . import broker_conf

TOOL_SECONDS = 10


@dataclasses.dataclass
class Installation:
    bridge_program: pathlib.Path
    bridge_conf: pathlib.Path
    broker_conf: pathlib.Path
    logs: str  # how to see them
    directories: tuple = ()  # of data, besides those that settings name
    settings: dict = dataclasses.field(default_factory=dict)
    setting_errors: list = dataclasses.field(default_factory=list)
    broker: broker_conf.BrokerConf = None

    def load(self):
        """Fills `settings` and `broker`, or `setting_errors`."""
        try:
            self.broker = broker_conf.read(self.broker_conf)
        except OSError as problem:
            self.setting_errors.append(f"{self.broker_conf}: {problem.strerror}")
        try:
            done = subprocess.run(
                [self.bridge_program, "settings", "--secrets", "--config", self.bridge_conf,
                 *self._flags()], env=self._whole_environment(), text=True, capture_output=True,
                timeout=TOOL_SECONDS, check=False)
        except (OSError, subprocess.TimeoutExpired) as problem:
            self.setting_errors.append(f"{self.bridge_program} cannot be run: {problem}")
            return
        if done.returncode != 0:
            said = re.findall(r'msg="((?:[^"\\]|\\.)*)"', done.stderr) or [done.stderr.strip()]
            self.setting_errors += said
        for line in done.stdout.splitlines():
            key, _, value = line.partition(" ")
            self.settings[key] = value

    def environment(self):
        """The settings in the environment of the running bridge, or of who will start it; if
        neither runs, ours count."""
        entries = _words_of(self.pid_of("bridge") or self.pid_of("supervisor"), "environ")
        theirs = dict(entry.split("=", 1) for entry in entries if "=" in entry)
        return {key: value for key, value in (theirs or os.environ).items()
                if key.startswith("BANTER_")}

    def _whole_environment(self):
        others = {key: value for key, value in os.environ.items() if not key.startswith("BANTER_")}
        return {**others, **self.environment()}

    def _flags(self):
        """--set KEY=VALUE of the running bridge."""
        words = _words_of(self.pid_of("bridge"), "cmdline")
        pairs = zip(words, words[1:] + [""])
        return [f"--set={after}" if word == "--set" else word for word, after in pairs
                if word == "--set" or word.startswith("--set=")]

    def pid_of(self, service):
        """Of the living process, or None."""
        raise NotImplementedError

    def services(self):
        """The names of the processes that this installation runs."""
        raise NotImplementedError

    def user_of(self, service):
        """The name of the user who is to run it, or None."""
        raise NotImplementedError

    def how_to(self, verb, service):
        """The command line that does this."""
        raise NotImplementedError

    def plugin(self):
        """Path and options of the plugin; (None, {}) without one."""
        ours = [row for row in self.broker.plugins if "banter" in row[0]]
        return ours[0] if ours else (None, {})

    def listens(self, setting):
        """Whether the bridge opens the port of this setting."""
        if self.settings[setting] == "off":
            return False
        return setting in ("http_listen", "metrics_listen") or self.has_tls()

    def has_tls(self):
        return bool(self.settings["tls_certificate_file"])

    def identity_of(self, service):
        """(uid, gid, groups) of the process, or of the user who will run it; None: not known."""
        try:
            text = pathlib.Path(f"/proc/{self.pid_of(service)}/status").read_text("ascii")
        except (OSError, UnicodeDecodeError):
            return _identity(self.user_of(service))
        fields = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
        groups = [int(group) for group in fields["Groups"].split()]
        return int(fields["Uid"].split()[1]), int(fields["Gid"].split()[1]), groups


class Copy(Installation):
    """One that ./banter runs, in a data directory."""

    def __init__(self, banter, data, run):
        super().__init__(data / "bin/banter-bridge", data / "bridge.conf",
                         data / "mosquitto.conf", f"{banter} --data {data} logs",
                         (data, data / "log", data / "postgres", run))
        self._command = f"{banter} --data {data}"
        self._state = data / "state"
        self._run = run

    def services(self):
        """The database is one of them, unless it is another copy's."""
        own = f"host={self._run} " in self.settings["database"]
        return ("postgres", "bridge", "broker") if own else ("bridge", "broker")

    def pid_of(self, service):
        return _living(self._state / f"{service}.pid")

    def user_of(self, service):
        try:
            return self._run.owner()
        except (OSError, KeyError):
            return None

    def how_to(self, verb, service):
        if not self.pid_of("supervisor"):
            return f"{self._command} up -d"
        return f"{self._command} {verb} {service}"


class Packaged(Installation):
    """The Debian packages', run by systemd."""

    def __init__(self):
        super().__init__(pathlib.Path("/usr/bin/banter-bridge"),
                         pathlib.Path("/etc/banter/bridge.conf"),
                         pathlib.Path("/etc/banter/mosquitto.conf"),
                         "journalctl -u banter-bridge -u banter-broker")

    def services(self):
        return ("bridge", "broker")

    def pid_of(self, service):
        try:
            said = subprocess.run(
                ["systemctl", "show", "-p", "MainPID", "--value", f"banter-{service}"], text=True,
                capture_output=True, timeout=TOOL_SECONDS, check=False).stdout.strip()
        except (OSError, subprocess.TimeoutExpired):
            return None
        return int(said) if said.isdigit() and said != "0" else None

    def user_of(self, service):
        return {"bridge": "banter", "broker": "banter-broker"}[service]

    def how_to(self, verb, service):
        return f"systemctl {verb} banter-{service}"


def _words_of(pid, file):
    """What the kernel keeps of a process's start, as a list; empty if we may not see it."""
    try:
        text = pathlib.Path(f"/proc/{pid}/{file}").read_bytes().decode(errors="replace")
    except OSError:
        return []
    return text.split("\0")[:-1]


def _identity(user):
    try:
        entry = pwd.getpwnam(user or "")
    except KeyError:
        return None
    return entry.pw_uid, entry.pw_gid, os.getgrouplist(user, entry.pw_gid)


def _living(pid_file):
    try:
        pid = int(pid_file.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    return pid if pathlib.Path(f"/proc/{pid}").is_dir() else None
