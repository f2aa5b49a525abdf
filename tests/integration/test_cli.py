# SPDX-License-Identifier: MIT
"""banter-cli (clients/cli) as people and scripts use it."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

import pytest

from support import wait_until
from test_client_c import BUILD

CLI = BUILD / "clients/cli/banter-cli"
pytestmark = pytest.mark.once


@pytest.fixture
def cli(banter):
    """cli(profile, *words, status=0, input="") -> what it printed."""
    home = pathlib.Path(tempfile.mkdtemp(prefix="banter-test-", dir="/tmp"))

    def run(profile, *words, status=0, text="", password=None):
        done = subprocess.run(command(profile, *words), env=environment(password), text=True,
                              input=text, capture_output=True, timeout=60, check=False)
        assert done.returncode == status, done.stdout + done.stderr
        run.said = done.stderr
        return done.stdout

    def command(profile, *words):
        return [CLI, "--profile", profile, "--server", banter.http, *words]

    def environment(password=None):
        extra = {"BANTER_PASSWORD": password} if password else {}
        return {**os.environ, "BANTER_HOME": str(home), **extra}

    def log_in(account):
        run(account.handle, "login", account.handle, password=account.password)
        return account.handle

    run.command, run.environment, run.log_in, run.home = command, environment, log_in, home
    yield run
    shutil.rmtree(home)


def lines_of(output):
    return [json.loads(line) for line in output.splitlines()]


def test_two_people_talk(banter, cli):
    alice = cli.log_in(banter.signup("alice"))
    bob = cli.log_in(banter.signup("bob"))
    with open(cli.home / "out", "w", encoding="utf-8") as out, \
            open(cli.home / "said", "w", encoding="utf-8") as said:
        tail = subprocess.Popen(cli.command(bob, "--json", "tail"), env=cli.environment(),
                                stdout=out, stderr=said)
    try:
        wait_until(lambda: "connected" in (cli.home / "said").read_text(), 20, "a connection")
        receipt, = lines_of(cli(alice, "--json", "send", f"@{bob}", "hello", "bob"))
        wait_until(lambda: (cli.home / "out").read_text().endswith("\n"), 20, "the entry")
        entry, = lines_of((cli.home / "out").read_text())
        assert entry["text"] == "hello bob" and entry["id"] == receipt["id"]
        cli(bob, "whoami", status=4)
        assert "in use" in cli.said
        tail.send_signal(signal.SIGINT)
        assert tail.wait(20) == 0
    finally:
        tail.kill()
    conversation = receipt["conversation"]
    cli(alice, "send", conversation, text="one\ntwo\n\nthree\n")
    texts = [e["text"] for e in lines_of(cli(bob, "--json", "history", conversation))]
    assert texts == ["hello bob", "one", "two", "three"]
    page = cli(alice, "history", conversation, "--after", "1", "--limit", "2")
    assert [line.split(": ")[1] for line in page.splitlines()] == ["one", "two"]
    assert "there is more" in cli.said
    listed, = lines_of(cli(alice, "--json", "conversations"))
    assert listed["user"] == bob and listed["last_seq"] == 4
    wait_until(lambda: [hit["seq"] for hit in lines_of(cli(alice, "--json", "search", "three"))]
               == [4], 10, "the index")


def test_groups_and_channels(banter, cli):
    alice, bob, eve = (cli.log_in(banter.signup(name)) for name in ("alice", "bob", "eve"))
    group = cli(alice, "create", "group", "Team", bob).strip()
    cli(alice, "add", group, eve)
    members = cli(bob, "members", group)
    assert {line.split("\t")[0] for line in members.splitlines()} == {alice, bob, eve}
    cli(eve, "leave", group)
    assert cli(alice, "create", "direct", bob).strip() != group
    assert len(cli(alice, "create", "channel", "News").strip()) == 36
    answer, = lines_of(cli(alice, "command", '{"command":"listBlocks"}'))
    assert answer["blocks"] == []
    cli(eve, "send", group, "still here?", status=1)
    assert "not_found" in cli.said
    cli(bob, "leave", "nonsense", status=1)
    cli(bob, "leave", status=2)
    cli(bob, "dance", status=2)


def test_who_one_is(banter, cli):
    account = banter.signup("alice")
    cli("main", "whoami", status=3)
    cli("main", "login", account.handle, password="wrong password", status=3)
    cli("main", "login", account.handle, text=account.password + "\n")
    who, = lines_of(cli("main", "--json", "whoami"))
    assert who["user"] == account.handle and who["device"].startswith("cli-")
    for file in cli.home.glob("main.db*"):
        assert file.stat().st_mode & 0o77 == 0
    cli("main", "--server", "http://127.0.0.1:1", "whoami", status=1)
    assert banter.http in cli.said, "its tokens are for no other server"
    cli("main", "logout")
    cli("main", "send", "@x1", "y", status=3)
    assert not (cli.home / "main.conf").exists()


def test_what_nobody_reads_is_told_later(banter, cli):
    """`tail | head -1` ends; the next tail goes on from there. And no text gives orders."""
    alice, bob = (cli.log_in(banter.signup(name)) for name in ("alice", "bob"))

    def tail():
        return subprocess.Popen(cli.command(bob, "tail"), env=cli.environment(), text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    first = tail()
    try:
        assert first.stderr.readline() == "connected\n"
        cli(alice, "send", f"@{bob}", "one\u009b2J")
        assert first.stdout.readline().endswith(": one2J\n")
        first.stdout.close()
        cli(alice, "send", f"@{bob}", "two")
        assert first.wait(20) == 1
        first = tail()
        assert first.stdout.readline().endswith(": two\n")
        first.send_signal(signal.SIGINT)
        assert first.wait(20) == 0
    finally:
        first.kill()
