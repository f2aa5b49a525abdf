# SPDX-License-Identifier: MIT
"""`banter-cli chat` in a real terminal: tmux says what is on the screen."""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile

import pytest

from support import wait_until
from support.faults import stopped
from support.terminal import Terminal
from test_client_c import BUILD

CLI = BUILD / "clients/cli/banter-cli"
pytestmark = pytest.mark.once


@pytest.fixture
def chat(banter):
    """chat(account, ...) -> a Terminal in which the account's chat runs."""
    home = pathlib.Path(tempfile.mkdtemp(prefix="banter-test-", dir="/tmp"))
    opened = []

    def run(account, columns=100, rows=24, **environment):
        directory = home / f"terminal{len(opened)}"
        directory.mkdir()
        command = [CLI, "--profile", account.handle, "--server", banter.http]
        settings = {"BANTER_HOME": str(home), **environment}
        subprocess.run([*command, "login", account.handle], check=True, timeout=60,
                       capture_output=True,
                       env={**os.environ, **settings, "BANTER_PASSWORD": account.password})
        terminal = Terminal(directory, [*command, "chat"], columns, rows, **settings)
        opened.append(terminal)
        terminal.wait("connected")
        return terminal

    yield run
    for terminal in opened:
        terminal.close()
    shutil.rmtree(home)


def say(banter, account, to, text, name="1"):
    banter.request("POST", f"/v1/conversations/{to}/messages", {"id": name, "text": text},
                   account).ok()


def test_two_people_chat(banter, chat):
    """Unread counts, typing, presence, receipts, replies, edits, reactions."""
    alice, bob = banter.signup("a"), banter.signup("b")
    say(banter, bob, f"@{alice.handle}", "hello 日本語 🎉")
    a, b = chat(alice), chat(bob, columns=80, rows=20)
    a.wait(bob.handle, " 1 ")                        # unread
    b.wait(alice.handle)                             # in the list
    b.type(alice.handle[:6])                         # finds it
    b.press("Enter")
    b.wait("hello 日本語 🎉", "online")
    b.type("are you there")
    a.wait(" 1 ")
    b.press("Enter")
    a.wait(" 2 ")
    a.press("Enter")                                 # reads it
    a.wait("── new ──", "are you there", absent=[" 2 "])
    b.wait("✓✓")
    b.press("Up")
    b.wait(f"read by {alice.handle}")
    b.press("Escape")
    b.wait("Tab list")                               # else it would be Alt-w
    b.type("well")

    def is_seen_typing():
        b.type("?")
        return f"{bob.handle} is typing …" in a.screen()
    wait_until(is_seen_typing, 60, "that bob is typing", interval=0.3)
    b.press("Enter")
    a.wait("well?", absent=["is typing"])
    a.press("Up")
    a.type("+1")
    b.wait("👍 1")
    a.press("Up")
    a.type("r")
    a.wait(f"reply to {bob.handle}: well")
    a.type("I am")
    a.press("M-Enter")
    a.type("here")
    a.press("Enter")
    b.wait(f"↳ {bob.handle}: well", "I am", "here")
    a.wait("✓✓")
    a.press("Up")
    a.type("e")
    a.press("BSpace", "BSpace", "BSpace", "BSpace")
    a.type("back")
    a.press("Enter")
    b.wait("back (edited)", absent=["│ here"])
    a.press("Up")
    a.type("dy")
    b.wait("│ deleted", absent=["back (edited)"])


def test_sizes(banter, chat):
    """Every size shows what fits; nothing is left of the one before."""
    alice, bob = banter.signup("a"), banter.signup("b")
    group = banter.group(alice, [bob], "Überraschung 🎂")
    for number in range(60):
        say(banter, bob, group, f"text {number:02}, long enough to be broken on a small screen",
            str(number))
    a = chat(alice, columns=200, rows=50)
    a.wait("Überraschung 🎂", "60")
    a.press("Enter")
    a.wait("text 59", "2 members")
    a.resize(40, 12)
    a.wait("text 59", absent=["text 20"])
    assert all(len(row) <= 40 for row in a.rows()) and len(a.rows()) == 12
    a.press("Tab")
    a.wait("find:", "Überraschung", absent=["text 59"])
    a.press("Escape")
    a.wait("text 59")
    a.resize(10, 3)
    a.wait("too small")
    a.resize(80, 24)
    a.wait("text 59", "Überraschung")
    for _ in range(8):
        a.press("PageUp")
    a.wait("text 00", "created “Überraschung 🎂”", absent=["text 59"])
    a.press("M->")
    a.wait("text 59", absent=["text 00"])


def test_nothing_gives_orders(banter, chat):
    """Texts, titles and reactions with escape sequences change nothing but their own cells."""
    alice, bob = banter.signup("a"), banter.signup("b")
    evil = "\x9b2J\x9b31mred\x9d0;stolen\x9c \u202edrow \x85\x90q"
    a = chat(alice)
    title = a.tell("pane_title")
    group = banter.data_of(bob, {"command": "createGroup", "title": f"T{evil}",
                                 "members": [alice.handle]})["conversation"]
    say(banter, bob, group, f"before{evil}after")
    a.wait("T�2J�31mred�0")
    a.type("T")
    a.press("Enter")
    screen = a.wait("before�2J�31mred�0;stolen� drow ��qafter")
    a.paste(f"pasted{evil}\x1b[2Jend")
    a.wait("pasted", "end")
    assert len(screen.split("\n")) == 25
    assert a.tell("pane_title") == title
    raw = a.screen("-e").replace("\x0e", "").replace("\x0f", "")
    assert not re.search(r"[\x80-\x9f]|\x1b(?!\[[0-9;]*m)", raw)


def test_offline_and_back(banter, chat):
    """What is written without a connection is shown as such, and sent with the next one."""
    alice, bob = banter.signup("a"), banter.signup("b")
    say(banter, bob, f"@{alice.handle}", "one")
    a = chat(alice)
    a.wait(" 1 ")
    a.press("Enter")
    a.wait("│ one")
    with stopped(banter, "broker"):
        a.wait("offline, again in")
        a.type("written offline")
        a.press("Enter")
        a.wait("written offline", "1 to send", "…")

    def is_back():
        a.press("C-r")
        return "connected" in a.screen()
    wait_until(is_back, 60, "a connection", interval=0.2)
    a.wait("✓", absent=["to send"])
    entries = banter.history(bob, f"@{alice.handle}")
    assert [entry["text"] for entry in entries] == ["one", "written offline"]


@pytest.mark.parametrize("way", ["C-c", signal.SIGTERM, signal.SIGHUP])
def test_the_terminal_is_as_it_was(banter, chat, way):
    """However it ends; and what was not sent is there the next time. Without colors on request."""
    alice, bob = banter.signup("a"), banter.signup("b")
    say(banter, bob, f"@{alice.handle}", "one")
    a = chat(alice, NO_COLOR="1")
    a.wait(" 1 ")                                    # the list is there
    a.press("Enter")
    a.wait("│ one")
    a.paste("unsent\nlines 🎂")
    a.wait("> unsent", "lines 🎂")
    assert not re.search(r"\x1b\[[0-9;]*\b[349][1-7]m", a.screen("-e"))
    assert a.tell("alternate_on") == "1"
    if way == "C-c":
        a.press(way)
    else:
        os.kill(a.child(), way)
    a.wait("status 0", absent=["unsent"])
    assert a.tell("alternate_on") == "0" and a.tell("cursor_flag") == "1"
    a.type("echoed")                                 # the line discipline is back
    a.wait("echoed")
    again = chat(alice)
    again.wait(bob.handle)
    again.press("Enter")
    again.wait("> unsent", "lines 🎂")


def test_it_says_which_texts_are_not_kept(banter, chat, tmp_path):
    alice, bob = banter.signup("a"), banter.signup("b")
    say(banter, bob, f"@{alice.handle}", "one")
    (tmp_path / f"{alice.handle}.drafts").mkdir()    # there can be no such file
    a = chat(alice, BANTER_HOME=str(tmp_path))
    a.wait(" 1 ")
    a.press("Enter")
    a.wait("│ one")
    a.type("unsent")
    a.wait("> unsent")
    a.press("C-c")
    a.wait("banter-cli: unsent texts cannot be kept: Is a directory", "status 1")
