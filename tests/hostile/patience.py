# SPDX-License-Identifier: MIT
"""Those who hold on to a connection and say nothing, too little, or a byte at a time. They begin
with the siege and go on beside everything else; at its end each must have been closed."""
import socket
import threading
import time

from support.bad_requests import HOST, LIVE, LOGIN
from support.websocket import PING, frame, request_head

SOURCE = "127.1.9.1"
LONGEST = 120.0  # seconds after which one counts as never closed
EACH = 8         # of every kind, at the same time


class Patient(threading.Thread):
    """Sends `first`, then `drip` again and again, until the other side closes."""

    def __init__(self, address, first, drip=b"", family=socket.AF_INET):
        super().__init__(daemon=True)
        self._address, self._first, self._drip, self._family = address, first, drip, family
        self.began = time.monotonic()
        self.lasted = None  # seconds
        self.answer = b""

    def _hold(self, sock):
        sock.settimeout(0.5)
        sock.sendall(self._first)
        while time.monotonic() - self.began < LONGEST:
            try:
                part = sock.recv(65536)
                if not part:
                    return True
                self.answer += part
            except TimeoutError:
                sock.sendall(self._drip)
        return False

    def run(self):
        with socket.socket(self._family) as sock:
            if self._family == socket.AF_INET:
                sock.bind((SOURCE, 0))
            sock.connect(self._address)
            try:
                closed = self._hold(sock)
            except ConnectionError:
                closed = True
        if closed:
            self.lasted = time.monotonic() - self.began


def _kinds(system):
    """name -> (bytes, what drips, how the answer begins)"""
    upgrade = request_head(system.ws)
    return {
        "nothing": (b"", b"", b""),
        "a head without end": (b"GET /livez HTTP/1.1\r\n" + HOST, b"", b"HTTP/1.1 408 "),
        "a head that drips": (LIVE + b"X: ", b"y", b"HTTP/1.1 408 "),
        "a body without end": (LOGIN + b"Content-Length: 999\r\n\r\n{", b"", b"HTTP/1.1 408 "),
        "a body that drips": (LOGIN + b"Content-Length: 999\r\n\r\n", b" ", b"HTTP/1.1 408 "),
        "chunks that drip": (LOGIN + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n",
                             b"HTTP/1.1 408 "),
        "a request, and then nothing": (LIVE + b"\r\n", b"", b"HTTP/1.1 200 "),
        "half a handshake": (upgrade[:100], b"", b"HTTP/1.1 408 "),
        "a handshake that drips": (upgrade[:-2] + b"X: ", b"y", b"HTTP/1.1 408 "),
        "a WebSocket without MQTT": (upgrade, b"", b"HTTP/1.1 101 "),
        "a WebSocket with pings only": (upgrade, frame(b"x", opcode=PING), b"HTTP/1.1 101 "),
        "half a frame": (upgrade + b"\x82\xff\0\0", b"", b"HTTP/1.1 101 "),
        "a CONNECT that drips": (upgrade + frame(b"\x10\x7f"), frame(b"\0"), b"HTTP/1.1 101 "),
        "empty frames only": (upgrade, frame(b""), b"HTTP/1.1 101 "),
    }


class Patience:
    def __init__(self, system):
        host, port = system.http.removeprefix("http://").split(":")
        self._kinds = _kinds(system)
        self._patients = {name: [Patient((host, int(port)), first, drip) for _ in range(EACH)]
                          for name, (first, drip, _) in self._kinds.items()}
        # There are four places for them, and one is the broker's when it comes again.
        self._patients["a link without HELLO"] = [
            Patient(str(system.data / "run" / "link.sock"), b"", family=socket.AF_UNIX)
            for _ in range(3)]
        self._kinds["a link without HELLO"] = (b"", b"", b"")
        for patients in self._patients.values():
            for patient in patients:
                patient.start()

    def names(self):
        return list(self._kinds)

    def problems(self, name):
        """Of this kind; waits for their end."""
        begins = self._kinds[name][2]
        for patient in self._patients[name]:
            patient.join(LONGEST + 10)
            if patient.lasted is None:
                yield f"{name}: never closed"
            elif not patient.answer.startswith(begins) or not begins and patient.answer:
                yield f"{name}: answered {patient.answer[:200]!r}"
