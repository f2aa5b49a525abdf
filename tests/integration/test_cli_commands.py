# SPDX-License-Identifier: MIT
"""banter-cli: export, invites, presence, what is for operators, and what shells and man read."""
import fcntl
import json
import os
import pty
import shutil
import signal
import subprocess

import pytest

from support import wait_until
from test_cli import CLI, cli, lines_of  # noqa: F401 (cli is a fixture)
from test_client_c import BUILD

pytestmark = pytest.mark.once


def test_an_export_goes_on_where_it_ended(banter, cli):
    alice = banter.signup("alice")
    me, phone = cli.log_in(alice), banter.device(alice)
    conversation = banter.group(alice, [])
    file = cli.home / "log.ndjson"

    def export(*words, status=0):
        return cli(me, "export", conversation, *words, status=status)

    def seqs():
        return [json.loads(line)["seq"] for line in file.read_bytes().splitlines()]

    assert export("--output", file) == ""
    assert seqs() == [1] and file.stat().st_mode & 0o777 == 0o600
    for number in range(2):
        phone.say(conversation, f"text {number}\u2028\n")
    export("--output", file)
    whole = file.read_bytes()
    assert seqs() == [1, 2, 3]
    assert export() == whole.decode()
    assert export("--after", "1") == whole.decode().split("\n", 1)[1]
    # Wherever it was cut off.
    ends = [at + 1 for at, byte in enumerate(whole) if byte == ord("\n")]
    for size in (0, 5, ends[0], ends[0] + 1, ends[1] - 1, len(whole) - 2):
        file.write_bytes(whole[:size])
        export("--output", file)
        assert file.read_bytes() == whole, size
    export("--output", file, "--after", "1", status=2)
    with open(file, encoding="utf-8") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        export("--output", file, status=4)
    other = banter.group(alice, [])
    cli(me, "export", other, "--output", file, status=1)
    assert conversation in cli.said
    letter = cli.home / "letter"
    for text in ("dear bob", "dear bob\n", '{"seq":1}\n'):
        letter.write_text(text)
        export("--output", letter, status=1)
        assert letter.read_text() == text
    file.write_bytes(whole + whole[ends[1]:].replace(b'"seq":3', b'"seq":4'))
    export("--output", file, status=1)
    assert "more entries than the server" in cli.said


def test_a_long_export_shows_how_far_it_has_come(banter, cli):
    """On a terminal, and only there; and a pipe that is closed says nothing."""
    alice = banter.signup("alice")
    me, phone = cli.log_in(alice), banter.device(alice)
    conversation = banter.group(alice, [])
    phone.say(conversation, "one")
    ours, theirs = pty.openpty()
    done = subprocess.run(cli.command(me, "export", conversation), env=cli.environment(),
                          stdout=subprocess.PIPE, stderr=theirs, timeout=60, check=True)
    os.close(theirs)
    shown = b""
    try:
        while block := os.read(ours, 4096):
            shown += block
    except OSError:
        pass  # so it ends when nobody has it any more
    os.close(ours)
    assert len(lines_of(done.stdout.decode())) == 2
    assert b"export:   0% [-" in shown and shown.endswith(b"\r\x1b[K"), shown
    cli(me, "export", conversation)
    assert cli.said == ""
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(cli.command(me, "export", conversation), env=cli.environment(),
                          stdout=write, stderr=subprocess.PIPE, timeout=60, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (1, b"")


def test_invites(banter, cli):
    alice, bob, eve = (cli.log_in(banter.signup(name)) for name in ("alice", "bob", "eve"))
    group = cli(alice, "create", "group", "Team").strip()
    link = cli(alice, "invite", "create", group, "--uses", "5", "--expires-in", "3600").strip()
    assert link.startswith(banter.http + "/join/")
    assert cli(bob, "join", link).strip() == group
    assert cli(eve, "join", "--invite", link.rsplit("/", 1)[1]).strip() == group
    cli(eve, "join", status=2)
    cli(eve, "join", link, "--invite", link, status=2)
    invite, = lines_of(cli(alice, "--json", "invite", "list", group))
    assert invite["uses_left"] == 3 and invite["created_by"] == alice
    cli(alice, "invite", "revoke", invite["id"])
    made, = lines_of(cli(alice, "invite", "create", group, "--json"))
    assert made["conversation"] == group
    cli(alice, "invite", "revoke", "--all", group)
    assert cli(alice, "invite", "list", group) == ""
    assert cli(alice, "remove", group, f"@{eve}").strip() == group
    cli(eve, "join", link, status=1)
    assert "not_found" in cli.said
    name = bob.replace("-", ".")
    channel = cli(bob, "create", "channel", "News", "--public", "--name", name,
                  "--posting", "all").strip()
    assert cli(eve, "join", name).strip() == channel
    assert cli(alice, "join", channel).strip() == channel


def test_presence(banter, cli):
    alice, bob, eve = banter.signup("alice"), banter.signup("bob"), banter.signup("eve")
    me = cli.log_in(alice)
    banter.group(alice, [bob])
    phone = banter.device(bob)

    def states():
        told = lines_of(cli(me, "--json", "presence", bob.handle, f"@{alice.handle}"))
        return {one["user"]: one["state"] for one in told}

    wait_until(lambda: states() == {alice.handle: "online", bob.handle: "online"}, 60, "both")
    line, = cli(me, "presence", eve.handle, status=1).splitlines()
    assert line.split("\t")[:2] == [eve.handle, "-"]
    follow = subprocess.Popen(cli.command(me, "presence", "--follow", bob.handle), text=True,
                              env=cli.environment(), stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL)
    try:
        assert follow.stdout.readline().split("\t")[1] == "online"
        phone.publish("send/me/presence", json.dumps({"state": "away"}))
        assert follow.stdout.readline().split("\t")[1] == "away"
        follow.send_signal(signal.SIGTERM)
        assert follow.wait(30) == 0
    finally:
        follow.kill()
        follow.wait()


def test_send_and_search(banter, cli):
    alice, bob = (cli.log_in(banter.signup(name)) for name in ("alice", "bob"))
    first, = lines_of(cli(alice, "--json", "send", f"@{bob}", "tea", "--and", "biscuits"))
    conversation = first["conversation"]
    cli(alice, "--json", "send", "--reply-to", "1", conversation, "-", text="more tea\n\nno end")
    entries = lines_of(cli(bob, "--json", "history", conversation, "--folded"))
    assert [(e["text"], e.get("reply_to")) for e in entries] == \
        [("tea --and biscuits", None), ("more tea", 1), ("no end", 1)]
    cli(alice, "send", conversation, text="fine\na\0b\n", status=1)
    assert "it ended after 1 messages; these are taken" in cli.said

    def found(*words):
        return [hit["seq"] for hit in lines_of(cli(bob, "--json", "search", *words))]

    wait_until(lambda: found("tea") == [2, 1], 30, "the index")
    assert found("tea", "--limit", "1") == [2]
    assert found("tea", "--in", conversation, "--from", f"@{alice}") == [2, 1]
    assert found("tea", "--from", bob) == []
    assert found("tea", "--before", "2020-01-01T00:00:00Z") == []


def test_operators(banter, cli):
    assert cli("none", "admin", "ready") == "ready\n"
    assert lines_of(cli("none", "admin", "live", "--json")) == [{"status": "live"}]
    assert isinstance(lines_of(cli("none", "--json", "admin", "nodes")), list)
    metrics = banter.operators
    sample, = lines_of(cli("none", "--json", "admin", "metrics", "--metrics", metrics,
                           "banter_ready"))
    assert sample == {"name": "banter_ready", "labels": {}, "value": 1.0}
    parts = lines_of(cli("none", "--json", "admin", "metrics", "--metrics", metrics,
                         "banter_healthy"))
    assert "writer" in {part["labels"]["part"] for part in parts}
    assert "banter_ready 1\n" in cli("none", "admin", "metrics", "--metrics", metrics)
    cli("none", "--server", "http://127.0.0.1:1", "admin", "ready", status=4)
    assert not list(cli.home.iterdir()), "none of it needs a profile"


def test_other_programs(cli):
    """What is installed is called with all words; what is not, is missed."""
    programs = cli.home / "bin"
    programs.mkdir()
    for name in ("banter-bench", "banter-doctor", "banter-bridge"):
        (programs / name).write_text(f'#!/bin/sh\necho {name} "$@"\nexit 7\n')
        (programs / name).chmod(0o755)

    def run(*words, path):
        done = subprocess.run([CLI, *words], env={**os.environ, "PATH": f"{path}:/usr/bin:/bin"},
                              text=True, capture_output=True, timeout=60, check=False)
        return done.returncode, done.stdout or done.stderr

    assert run("bench", "pairs", "--help", path=programs) == (7, "banter-bench pairs --help\n")
    assert run("--json", "doctor", path=programs) == (7, "banter-doctor --json\n")
    assert run("admin", "push", "list", "--config", "x", path=programs) == \
        (7, "banter-bridge push list --config x\n")
    assert run("admin", "users", "erase", "alice", "--config", "x", path=programs) == \
        (7, "banter-bridge users erase alice --config x\n")
    for words in ("bench",), ("doctor",), ("admin", "settings"), ("admin", "keys", "list"):
        status, said = run(*words, path="/nonexistent")
        assert status == 1 and "is not installed" in said, said


def test_shells_and_man_read_what_it_prints(cli):
    manual = cli("none", "manual")
    done = subprocess.run(["man", "--warnings", "-l", "-"], input=manual, text=True,
                          capture_output=True, timeout=60, check=True)
    assert "EXIT STATUS" in done.stdout and done.stderr == ""
    bash = cli.home / "completion.bash"
    bash.write_text(cli("none", "completion", "bash"))
    script = ('. "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _banter_cli; '
              'printf "%s\\n" "${COMPREPLY[@]}"')

    def offered(*words):
        done = subprocess.run(["bash", "-euc", script, bash, "banter-cli", *words], text=True,
                              capture_output=True, timeout=60, check=True)
        assert done.stderr == ""
        return done.stdout.split()

    assert offered("his") == ["history"]
    assert offered("--json", "--profile", "send", "create", "")[:3] == \
        ["direct", "group", "channel"]
    assert offered("create", "channel", "News", "--pu") == ["--public"]
    assert offered("history", "x", "--be") == ["--before"]
    assert offered("completion", "z") == ["zsh"]
    assert offered("send", "--timeout", "") == []
    assert offered("export", "x", "--output", str(bash)[:-3]) == [str(bash)]
    for shell in ("zsh", "fish"):
        text = cli("none", "completion", shell)
        assert "banter-cli" in text
        if shutil.which(shell):
            subprocess.run([shell, "-n", "/dev/stdin"], input=text, text=True, check=True,
                           timeout=60)


def test_every_command_has_help(cli):
    def commands(*names):
        lines = cli("none", *names, "--help").splitlines()
        return [line.split()[0] for line in lines[2:] if line[:2] == "  " and line[2:3].isalpha()]

    tops = commands()
    assert {"login", "send", "tail", "history", "conversations", "create", "invite", "members",
            "presence", "search", "export", "admin", "bench", "doctor"} <= set(tops)
    for top in set(tops) - {"bench", "doctor"}:
        assert cli("none", top, "--help").startswith(f"usage: banter-cli {top}")
        cli("none", top, "--no-such-option", status=2)
        assert "there is no option" in cli.said
    assert json.dumps(cli("none", "--version")).startswith('"banter-cli 0.')
    for wrong in ((), ("dance",), ("history",), ("history", "a", "b"), ("create",),
                  ("completion", "tcsh"), ("history", "a", "--limit", "0")):
        assert cli("none", *wrong, status=2) == ""
        assert "usage: banter-cli" in cli.said


def test_what_is_installed(cli):
    subprocess.run(["cmake", "--install", BUILD, "--prefix", cli.home / "usr", "--component",
                    "client"], check=True, capture_output=True, timeout=120)
    usr = cli.home / "usr"
    manual = usr / "share/man/man1/banter-cli.1"
    assert manual.read_text() == cli("none", "manual")
    for shell, file in (("bash", "bash-completion/completions/banter-cli"),
                        ("zsh", "zsh/vendor-completions/_banter-cli"),
                        ("fish", "fish/vendor_completions.d/banter-cli.fish")):
        assert (usr / "share" / file).read_text() == cli("none", "completion", shell)
    library = next(usr.glob("lib/**/libbanter.so.0")).parent
    done = subprocess.run([usr / "bin/banter-cli", "--version"], text=True, capture_output=True,
                          env={**os.environ, "LD_LIBRARY_PATH": str(library)}, timeout=60,
                          check=True)
    assert done.stdout == cli("none", "--version")
