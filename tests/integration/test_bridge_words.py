# SPDX-License-Identifier: MIT
"""What the bridge's program makes of its command line: what is left out or in vain is said, and
what cannot be written is an error."""
import re
import subprocess

import pytest


def run(banter, *arguments, stdout=subprocess.PIPE):
    """banter-bridge ARGUMENTS, with the settings of the running one."""
    return subprocess.run([banter.data / "bin" / "banter-bridge", *arguments, "--config",
                           banter.data / "bridge.conf"], stdout=stdout, stderr=subprocess.PIPE,
                          text=True, timeout=120, check=False)


def test_a_full_disk_is_an_error(banter):
    alice, bob = banter.signup("alice"), banter.signup("bob")
    erased = run(banter, "users", "erase", bob.handle)
    erasure = re.search("erasure ([0-9a-f-]{36})", erased.stderr)[1]
    assert erasure in erased.stdout
    for words in (("audit", "list"), ("push", "list"), ("keys", "list"), ("settings",),
                  ("users", "export", alice.handle), ("users", "receipt", erasure)):
        assert run(banter, *words).returncode == 0, words
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = run(banter, *words, stdout=full)
        assert done.returncode == 1, words
        assert "No space left" in done.stderr, words


def test_a_note_says_what_was_done(banter):
    for words in (("audit", "note"), ("audit", "note", "")):
        done = run(banter, *words)
        assert done.returncode == 2 and "ACTION is missing" in done.stderr
    assert run(banter, "audit", "note", "a test of notes").stdout == "1 noted\n"
    assert banter.psql("SELECT actor FROM banter.audit WHERE action = 'a test of notes'") == [
        ["operator"]]
    assert "note ACTION" in run(banter, "--help").stdout


def test_now_is_for_one_key(banter):
    before = run(banter, "keys", "list").stdout
    for words in (("--now", "keys", "retire"), ("--now", "keys", "list"),
                  ("--now", "keys", "retire", ""), ("--now", "audit", "list")):
        done = run(banter, *words)
        assert done.returncode == 2 and "keys retire --now KEY" in done.stderr, words
    with pytest.raises(RuntimeError, match="keys retire --now KEY"):
        banter.operate("keys", "retire", "--now")
    with pytest.raises(RuntimeError, match="keys retire --now KEY"):
        banter.operate("keys", "rotate", "--now")
    assert run(banter, "keys", "list").stdout == before
    with pytest.raises(RuntimeError, match="there is no key unknown"):
        banter.operate("keys", "retire", "--now", "unknown")
