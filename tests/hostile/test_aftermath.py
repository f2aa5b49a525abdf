# SPDX-License-Identifier: MIT
"""After all attacks: the same processes, small enough, ready; alice and bob have said and heard
everything, in order and in time; and nothing hostile is stored anywhere."""
import itertools

from support.log import assert_invariants, whole_log

from bystanders import LATEST

# What the attacks may cost: connections, subscriptions and waiting packets at their height, and
# what a sanitizer adds to each block.
GROWTH_KIB = 400 << 10


def test_nobody_was_disturbed(siege):
    siege.chat.go_on()
    for one in (siege.chat, siege.spies, siege.watch):
        one.end()
    assert not siege.problems()
    assert siege.watch.looks > 3
    assert siege.system.status()["pids"] == siege.watch.pids
    slowest = max(siege.chat.times)
    print(f"{len(siege.chat.times)} messages, the slowest after {slowest:.3f} s; grown by "
          f"{siege.watch.grown_kib()} KiB")
    assert slowest < LATEST


def test_nothing_was_lost_or_added(siege):
    siege.chat.balance()
    assert len(siege.chat.books.stored) == siege.chat.count
    for reader in (siege.alice, siege.bob):
        log = whole_log(siege.system, reader, siege.conversation)
        assert not siege.chat.books.against(log)
        assert [entry["seq"] for entry in log] == list(range(1, len(log) + 1))
        found = siege.system.data_of(reader, {"command": "listConversations"})["conversations"]
        assert [one["conversation"] for one in found] == [siege.conversation]


def test_nothing_hostile_is_stored(siege):
    """In no column of text of any table; and the books of the database are in order."""
    assert not siege.damage()
    assert siege.system.psql("SELECT count(*) FROM banter.quarantine") == [["0"]]
    assert_invariants(siege.system)


def test_memory_is_bounded(siege):
    assert all(grown < GROWTH_KIB for grown in siege.watch.grown_kib().values()), (
        siege.watch.grown_kib())


def test_newcomers_are_served(siege):
    """Sign-up, connection and conversation, over both ways in and with both versions."""
    carol = siege.system.signup("carol")
    for version, transport in itertools.product((5, 4), ("tcp", "websocket")):
        wire = siege.dial(version, transport, account=carol).log_in()
        draft = f'{{"id":"{version}{transport}","text":"x"}}'.encode()
        wire.publish(f"send/@{carol.handle}", draft)
        assert wire.receipt()["seq"] > 0


def test_no_sanitizer_has_spoken(siege):
    assert not siege.system.crashes()
