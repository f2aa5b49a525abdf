# SPDX-License-Identifier: MIT
"""banter-cli account: what a server holds about oneself, and its end."""
import http.server
import json
import subprocess
import threading

import pytest

from support.erasure import export, wait_erased
from test_cli import CLI, cli, lines_of  # noqa: F401 (cli is a fixture)

pytestmark = pytest.mark.once


def entries_of(lines):
    return [line for line in lines if line["type"] == "entry"]


def test_an_account_is_exported_and_erased(banter, cli):  # noqa: F811
    alice = banter.signup("alice")
    phone = banter.device(alice)
    group = banter.group(alice, [banter.signup("bob")])
    phone.say(group, "by alice")
    file = cli.home / "alice.ndjson"

    def account(*words, password=alice.password, status=0):
        return cli("none", "account", *words, password=password, status=status)

    lines = lines_of(account("export", alice.handle))
    assert lines[-1] == {"type": "end"} and lines[0]["user"] == alice.handle
    assert [entry["text"] for entry in entries_of(lines) if "text" in entry] == ["by alice"]
    assert entries_of(lines) == entries_of(
        lines_of(account("export", f"@{alice.handle}", "--after", "")))
    entry = entries_of(lines)[0]
    account("export", alice.handle, "--output", file, "--after", entry["cursor"])
    assert lines_of(file.read_text()) == lines[lines.index(entry) + 1:]
    assert file.stat().st_mode & 0o777 == 0o600
    account("export", alice.handle, "--output", file, status=1)
    assert "File exists" in cli.said
    account("export", alice.handle, "--after", "no such place", status=1)
    account("export", alice.handle, "--after", "x", status=1)
    assert len([line for line in export(alice) if line["type"] == "login"]) == 1, "but alice's own"

    account("export", alice.handle, password="no\udcff text", status=1)
    assert "invalid" in cli.said
    account("erase", alice.handle, password="not this one", status=3)
    account("erase", alice.handle, password="", status=1)
    erasure = account("erase", alice.handle).strip()
    phone.wait_closed(20)
    assert wait_erased(banter, erasure)["author"].startswith("erased-")
    account("export", alice.handle, status=3)


class Server(http.server.ThreadingHTTPServer):
    """Gives an export in pieces: what one request gets is what `pieces` has next."""

    def __init__(self, pieces):
        super().__init__(("127.0.0.1", 0), Handler)
        self.pieces, self.asked, self.logins, self.logouts = pieces, [], 0, 0
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.thread = threading.Thread(target=self.serve_forever)
        self.thread.start()

    def close(self):
        self.shutdown()
        self.thread.join()
        self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, format, *arguments):  # pylint: disable=redefined-builtin
        pass

    def answer(self, status, body, length=None):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/v1/logout":
            assert body == {"refresh_token": f"r{self.server.logins}"}
            self.server.logouts += 1
            self.answer(204, b"")
        else:
            assert body == {"handle": "alice", "password": "secret"}
            self.server.logins += 1
            tokens = {"access_token": f"a{self.server.logins}",
                      "refresh_token": f"r{self.server.logins}"}
            self.answer(200, json.dumps(tokens).encode())

    def do_GET(self):
        assert self.headers["Authorization"] == f"Bearer a{self.server.logins}"
        self.server.asked.append(self.path.removeprefix("/v1/me/export"))
        status, body, missing = self.server.pieces.pop(0)
        self.answer(status, body, len(body) + missing)
        self.close_connection = True


@pytest.fixture
def pieces(cli):  # noqa: F811
    """Runs an export against such a server: status, output, what the server was asked, messages."""
    def run(*given, out=subprocess.PIPE):
        server = Server(list(given))
        try:
            done = subprocess.run(
                [CLI, "--server", server.url, "account", "export", "alice"], text=True,
                env=cli.environment("secret"), stdout=out, stderr=subprocess.PIPE, timeout=60,
                check=False)
        finally:
            server.close()
        assert server.logins == server.logouts, "no login is left"
        return done.returncode, done.stdout, server.asked, done.stderr
    return run


ONE = b'{"type":"entry","cursor":"entries:1","text":"one"}\n'
TWO = b'{"type":"entry","cursor":"entries:2","text":"two"}\n'
END = b'{"type":"end"}\n'


def test_a_long_export_goes_on(pieces):
    status, out, asked, _ = pieces((200, ONE + b'{"type":"more","cursor":"members:7"}\n', 0),
                                   (200, TWO + END, 0))
    assert (status, out.encode()) == (0, ONE + TWO + END)
    assert asked == ["", "?after=members:7"]


@pytest.mark.parametrize("piece, status, out", [
    ((200, ONE + TWO[:20], 100), 4, ONE),            # broken off within a line
    ((200, ONE + b'{"what":1}\n', 0), 1, ONE),       # something else
    ((200, ONE + b"no json\n", 0), 1, ONE),
    ((200, b"", 0), 1, b""),                         # ended, but not at its end
    ((429, b'{"detail":"too many exports"}', 0), 4, b""),
    ((503, b'{"detail":"later"}', 0), 4, b""),
    ((404, b"<html>", 0), 1, b""),
])
def test_an_export_that_breaks_off(pieces, piece, status, out):
    got, said, _, told = pieces(piece)
    assert (got, said.encode()) == (status, out)
    assert ("--after 'entries:1'" in told) == (out == ONE)
    assert len(told.splitlines()) == (2 if out == ONE else 1), "one cause is told once"


def test_what_cannot_be_written_is_not_gone_on_behind(pieces):
    """The output takes nothing: no place is told from which the rest would come without it."""
    with open("/dev/full", "w", encoding="utf-8") as full:
        status, _, _, told = pieces((200, ONE + TWO[:20], 100), out=full)
    assert status == 1
    assert "No space left" in told and "--after" not in told


def test_an_end_without_an_end(pieces):
    """What came is not given twice, and it does not go on for ever."""
    status, out, asked, told = pieces((200, ONE, 0), (200, b"", 0))
    assert (status, out.encode(), asked) == (1, ONE, ["", "?after=entries:1"])
    assert "before its end" in told
