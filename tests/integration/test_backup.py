# SPDX-License-Identifier: MIT
"""Backup and restore with the commands of docs/operations.md, while people talk."""
import pathlib
import re
import shutil
import subprocess
import tempfile

import pytest

from support import wait_until
from support.cluster_faults import Chatter
from support.life import CHECK
from support.system import REPOSITORY

pytestmark = pytest.mark.once

PLACE = "/backup/banter"  # where the documentation puts it
PNG = bytes.fromhex("89504e470d0a1a0a0000000d494844520000000100000001080600000"
                    "01f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44"
                    "ae426082")


def documented(block):
    """The commands of a block of the chapter: 0 makes a backup, 1 restores it."""
    text = (REPOSITORY / "docs/operations.md").read_text(encoding="utf-8")
    chapter = text.partition("## Backup and restore\n")[2].partition("\n## ")[0]
    lines = re.findall(r"```sh\n(.*?)```", chapter, re.DOTALL)[block].splitlines()
    assert lines and all(line.startswith("./banter ") for line in lines)
    return [line.removeprefix("./banter ").split() for line in lines]


def follow(system, block, place):
    for arguments in documented(block):
        system.operate(*(str(place) if word == PLACE else word for word in arguments))


@pytest.fixture
def place():
    """A directory that the database's user can reach."""
    parent = pathlib.Path(tempfile.mkdtemp(prefix="banter-test-backup-", dir="/tmp"))
    parent.chmod(0o711)
    yield parent / "made"
    shutil.rmtree(parent)


def texts(system, account, conversation):
    """{seq: text} of the whole conversation, read page by page; seq must be dense."""
    found = {}
    after = 0
    while True:
        page = system.history(account, conversation, after=after, limit=500)
        if not page:
            return found
        for entry in page:
            assert entry["seq"] == after + 1
            after = entry["seq"]
            found[after] = entry.get("text")


def catch_up(device, conversation, cursor, head):
    """Syncs from the cursor to the head, page by page, and misses nothing."""
    while cursor < head:
        (page,) = device.sync({conversation: cursor})
        got = [entry["seq"] for entry in page["entries"]]
        assert got and got == list(range(cursor + 1, cursor + 1 + len(got)))
        cursor = got[-1]
    assert cursor == head


def test_everything_that_had_a_receipt_survives_the_loss_of_all_data(make_system, place):
    system = make_system()
    alice, bob = system.signup("alice"), system.signup("bob")
    speaker, listener = system.device(alice), system.device(bob)
    group = system.group(alice, [bob])
    system.request("PUT", "/v1/me/avatar", PNG, alice, headers={"Content-Type": "image/png"}).ok()
    picture = system.request("GET", f"/v1/users/{alice.handle}/avatar", account=bob).body

    chatter = Chatter(speaker, group)
    wait_until(lambda: len(speaker.receipts()) > 100, what="messages before the backup")
    promised = [receipt for receipt in speaker.receipts() if "seq" in receipt]
    said = {entry["seq"]: entry["text"] for entry in listener.entries(group)
            if entry["kind"] == "text"}
    follow(system, 0, place)
    during = len(speaker.receipts())
    wait_until(lambda: len(speaker.receipts()) > during + 20, what="messages after the backup")
    chatter.stop()
    system.close_devices()
    system.stop("broker")
    before = texts(system, alice, group)
    assert not {name.name for name in place.parent.iterdir()} - {place.name}

    follow(system, 1, place)
    system.wait_ready()
    after = texts(system, alice, group)  # with the token of before
    assert len(promised) > 100
    assert {receipt["seq"] for receipt in promised} <= after.keys()
    assert said.items() <= after.items()
    assert after.items() <= before.items() and len(after) < len(before)
    assert system.request("GET", f"/v1/users/{alice.handle}/avatar", account=bob).body == picture

    alice.login()
    speaker, listener = system.device(alice), system.device(bob)
    catch_up(listener, group, max(said), len(after))
    assert speaker.say(group, "we go on")["seq"] == len(after) + 1
    listener.wait_entry(group, text="we go on")
    checked = subprocess.run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", system.postgres_dsn,
                              "-f", CHECK], text=True, capture_output=True, timeout=60, check=True)
    assert checked.stdout == ""


def test_what_backup_and_restore_refuse(banter, place):
    place.mkdir()
    with pytest.raises(RuntimeError, match="exists already"):
        banter.operate("backup", str(place))
    with pytest.raises(RuntimeError, match="that ./banter backup has made"):
        banter.operate("restore", str(place))
    (place / "postgres").mkdir()
    (place / "postgres/backup_manifest").write_text("{}", encoding="ascii")
    with pytest.raises(RuntimeError, match="the copy runs"):
        banter.operate("restore", str(place))
