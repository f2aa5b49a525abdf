# SPDX-License-Identifier: MIT
"""Servers of others that tests start for themselves, on loopback."""
import pathlib
import shutil
import signal
import socket
import tempfile


class Server:
    """One process with a port that it keeps when it is started again, and a directory. Whoever is
    one has start(), which sets `process`."""

    def __init__(self, name):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix=f"banter-{name}-", dir="/tmp"))
        self.process = None

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=5)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def close(self):
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)
