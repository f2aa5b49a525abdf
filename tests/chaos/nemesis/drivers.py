# SPDX-License-Identifier: MIT
"""The processes that play the devices: what is said to them, and what they last said of
themselves."""
import contextlib
import json
import signal
import subprocess
import threading


class Driver:
    """`status` is the newest of the lines that the process prints each second, `lines` how many
    there have been."""

    def __init__(self, name, command, stderr):
        self.name = name
        self.status = {}
        self.lines = 0
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         stderr=stderr, text=True, bufsize=1)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self):
        return self._process.pid

    def _read(self):
        for line in self._process.stdout:
            with contextlib.suppress(ValueError):
                self.status = json.loads(line)
                self.lines += 1

    def say(self, line):
        """A process that has ended is missed by wait(), not here."""
        with contextlib.suppress(OSError, ValueError):
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()

    def is_alive(self):
        return self._process.poll() is None

    def wait(self, seconds):
        """How it ended; None: it did not in that time, and was killed."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            return None

    def kill(self):
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGCONT)
            self._process.kill()
        self._process.wait()
