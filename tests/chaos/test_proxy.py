# SPDX-License-Identifier: MIT
"""The chaos proxy: each command does what its name says, and `calm` takes it back."""
import os
import pathlib
import socket
import socketserver
import sys
import threading
import time

import pytest

CHAOS = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(CHAOS.parent / "integration"))

from nemesis.world import Proxies  # noqa: E402

BUILD = pathlib.Path(os.environ.get("BANTER_BUILD_DIR", CHAOS.parents[1] / "build/chaos"))
LARGE = 1 << 20


class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(65536):
            if data == b"much":
                self.request.sendall(b"x" * LARGE)
                return
            self.request.sendall(data)


class Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


@pytest.fixture(name="route")
def fixture_route(tmp_path):
    """(what the proxy obeys, a function that connects through it)."""
    behind, front = tmp_path / "behind", tmp_path / "front"
    server = Server(str(behind), Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    proxies = Proxies(BUILD / "tests/chaos/banter-chaos-proxy", 1, [("way", front, behind),
                                                                     ("lost", f"{front}2", "/no")])
    yield (lambda *command: proxies.say("way", *command)), lambda: connect(front)
    with connect(f"{front}2") as nobody:
        assert is_over(nobody)
    proxies.close()
    server.shutdown()
    server.server_close()


def connect(path):
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(5)
    client.connect(str(path))
    return client


def echo(client, patience=5.0):
    """What comes back; None: nothing in that time."""
    client.settimeout(patience)
    client.sendall(b"hello")
    try:
        return client.recv(100)
    except TimeoutError:
        return None


def is_over(client):
    try:
        return client.recv(100) == b""
    except ConnectionError:
        return True


def test_passes_everything_on(route):
    _, connected = route
    with connected() as client:
        assert echo(client) == b"hello"
        client.sendall(b"much")
        got = 0
        while data := client.recv(65536):
            got += len(data)
        assert got == LARGE


def test_delay(route):
    say, connected = route
    with connected() as client:
        assert echo(client) == b"hello"
        say("delay", 150, 50)
        began = time.monotonic()
        assert echo(client) == b"hello"
        assert 0.3 <= time.monotonic() - began < 2
        say("calm")
        began = time.monotonic()
        assert echo(client) == b"hello"
        assert time.monotonic() - began < 0.15


def test_rate(route):
    say, connected = route
    with connected() as client:
        say("rate", LARGE)
        client.sendall(b"much")
        began = time.monotonic()
        while client.recv(65536):
            pass
        assert 0.8 < time.monotonic() - began < 4


def test_a_rate_ends_at_once(route):
    say, connected = route
    with connected() as client:
        say("rate", 10)
        client.sendall(b"much")
        time.sleep(0.8)  # what it answers is on its way
        say("calm")
        began = time.monotonic()
        while client.recv(65536):
            pass
        assert time.monotonic() - began < 5


@pytest.mark.parametrize("held", [(1, 0), (0, 1), (1, 1)])
def test_what_is_held_comes_later(route, held):
    say, connected = route
    with connected() as client:
        say("hold", *held)
        assert echo(client, 0.3) is None
        say("calm")
        client.settimeout(5)
        assert client.recv(100) == b"hello"


@pytest.mark.parametrize("blow", ["cut", "reset"])
def test_struck_connections_end(route, blow):
    say, connected = route
    with connected() as client:
        assert echo(client) == b"hello"
        say(blow, 100)
        assert is_over(client)
    with connected() as client:
        assert echo(client) == b"hello"


def test_half_a_connection(route):
    say, connected = route
    with connected() as client:
        assert echo(client) == b"hello"
        say("halve", 100)
        assert echo(client, 0.3) is None
        say("calm")
        assert is_over(client)


def test_refused(route):
    say, connected = route
    say("refuse", 100)
    with connected() as client:
        assert is_over(client)
    say("calm")
    with connected() as client:
        assert echo(client) == b"hello"


def test_no_command(route):
    say, _ = route
    with pytest.raises(RuntimeError):
        say("sing")
