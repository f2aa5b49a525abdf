# SPDX-License-Identifier: MIT
"""What must hold of any conversation's log, checked three ways: in PostgreSQL with
schema/check.sql, through the replay, and at the devices that listened."""
import json
import pathlib
import subprocess

from .waiting import wait_until

CHECK_SQL = pathlib.Path(__file__).resolve().parents[3] / "schema" / "check.sql"


def whole_log(banter, account, conversation):
    """Every entry, streamed."""
    path = f"/v1/conversations/{conversation}/messages?after=0"
    return [json.loads(line) for line in banter.stream(path, account)]


def assert_invariants(banter):
    """schema/check.sql finds nothing."""
    done = subprocess.run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", banter.postgres_dsn,
                           "-f", CHECK_SQL], text=True, capture_output=True, timeout=120,
                          check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "", f"broken invariants:\n{done.stdout}"


def assert_dense(entries, first=1):
    assert [e["seq"] for e in entries] == list(range(first, first + len(entries)))


def assert_heard_in_order(device, conversation):
    """Rule 3: in seq order, none twice, and none of its own (those have receipts)."""
    entries = device.entries(conversation)
    seqs = [e["seq"] for e in entries]
    assert seqs == sorted(set(seqs)), f"{device.account} {device.name}: {seqs}"
    return entries


def assert_heard_all(device, conversation, log):
    """Receipts and entries together give the device the whole log from its first entry on, each
    `seq` once, with the bytes that are stored."""
    got = {e["seq"]: e for e in assert_heard_in_order(device, conversation)}
    own = {r["seq"] for r in device.receipts() if r.get("seq") and
           r["conversation"] == conversation}
    for entry in log:
        if entry["seq"] in own:
            continue
        assert got.get(entry["seq"]) == entry, f"{device.account} {device.name}: {entry['seq']}"


def wait_receipts(device, ids, timeout=30):
    """The first receipt of each of these drafts, in their order: for many, each looked at once."""
    found, checked = {}, 0

    def look():
        nonlocal checked
        messages = device.messages
        while checked < len(messages):
            message = messages[checked]
            checked += 1
            if message.topic == "me/receipt":
                receipt = json.loads(message.payload)
                found.setdefault(receipt.get("id"), receipt)
        return all(draft in found for draft in ids)
    wait_until(look, timeout, f"receipts of {len(ids)} drafts")
    return [found[draft] for draft in ids]


def texts_of(entries, handle):
    return [e["text"] for e in entries if e["kind"] == "text" and e["from"] == handle]
