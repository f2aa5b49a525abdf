# SPDX-License-Identifier: MIT
"""The checker on runs told by hand: each rule with the smallest run that violates it, and with what
looks like a violation and is none. test_broken_rules.py does it with a real system."""
import pytest

from checker import report
from checker.rules import TABLE
from story import GROUP, LAST, OTHER, SECOND, Story


@pytest.fixture
def story(tmp_path):
    return Story.good(tmp_path)


def ended(story):
    story.finish()
    return story.found()


def test_nothing_wrong(story):
    story.finish()
    run = story.judge()
    assert run.violations.rules() == [], report.as_text(report.summarize(run))
    summary = report.summarize(run, "again")
    assert summary["receipts"] == 17 and summary["fault_count"] == 1
    assert summary["receipt_after_fault"]["count"] == 1
    assert "no violations" in report.as_text(summary)


# -------------------------------------------------------------------- I1 stored

def test_a_receipt_for_nothing(story):
    story.send("a/d0", 99)
    story.log("a/d0", "A", GROUP, "d0-99", 99, "-")
    assert "I1" in ended(story)


def test_a_receipt_with_another_seq(story):
    story.send("a/d0", 17)
    row = story.store("a/d0", 17)
    story.log("a/d0", "A", GROUP, row[2], row[0] - 1, "-")
    story.receipt("a/d0", row)
    for device in ("b/d0", "b/d1", "c/d0"):
        story.deliver(device, row)
    assert "I1" in ended(story)


def test_a_receipt_for_another_text(story):
    story.send("a/d0", 18)
    row = story.store("a/d0", 17, id_="d0-18")
    story.receipt("a/d0", row)
    for device in ("b/d0", "b/d1", "c/d0"):
        story.deliver(device, row)
    assert ended(story) == {"I1"}


def test_stored_under_another_name(story):
    row = story.talk("a/d0", 17)
    row[1] = "b"
    assert "I1" in ended(story)


def test_receipted_again(story):
    story.log("a/d0", "T", GROUP, "d0-1")
    story.receipt("a/d0", story.entries[GROUP][0])
    assert ended(story) == set()


# -------------------------------------------------------------------- I2, I3, I6: the table

def test_stored_twice(story):
    row = story.talk("a/d0", 17)
    again = story.store("a/d0", 18, id_=row[2])
    for device in ("a/d0", "b/d0", "b/d1", "c/d0"):
        story.deliver(device, again)
    assert ended(story) == {"I2"}


def test_the_same_id_of_two_senders(story):
    story.send("a/d0", 17)
    story.talk("a/d0", 17)
    story.talk("b/d0", 17)
    assert ended(story) == set()


def test_a_seq_is_missing(story):
    story.send("a/d0", 17)
    row = story.store("a/d0", 17, seq=18)
    story.receipt("a/d0", row)
    story.heads[GROUP] = 18
    assert "I3" in ended(story)


def test_the_head_is_wrong(story):
    story.heads[GROUP] = 17
    assert ended(story) == {"I3"}


def test_a_sender_overtaken_by_itself(story):
    for n in (18, 17):
        story.send("a/d0", n)
    for n in (18, 17):
        row = story.store("a/d0", n)
        story.receipt("a/d0", row)
        for device in ("b/d0", "b/d1", "c/d0"):
            story.deliver(device, row)
    assert ended(story) == {"I6"}


# -------------------------------------------------------------------- I4 committed

def test_delivered_and_never_stored(story):
    row = list(story.entries[GROUP][-1])
    row[0], row[2] = 17, "d0-77"
    story.deliver("b/d0", row)
    assert "I4" in ended(story)


def test_delivered_before_the_commit(story):
    row = story.talk("a/d0", 17)
    row[4] += 300_000
    assert ended(story) == {"I4"}


def test_only_the_receipt_is_early(story):
    story.send("a/d0", 17)
    row = story.store("a/d0", 17)
    row[4] += 50_000
    story.receipt("a/d0", row)
    story.tick(100_000)
    for device in ("b/d0", "b/d1", "c/d0"):
        story.deliver(device, row)
    assert ended(story) == {"I4"}


def test_something_else_came(story):
    story.send("a/d0", 17)
    row = story.store("a/d0", 17)
    story.receipt("a/d0", row)
    for device in ("b/d0", "b/d1", "c/d0"):
        fields = story.entry_fields(row)
        fields[4] = "d0-18" if device == "b/d0" else fields[4]
        story.log(device, "D", *fields)
    assert ended(story) == {"I4"}


# -------------------------------------------------------------------- I5 stream

def test_live_twice(story):
    story.deliver("c/d0", story.entries[GROUP][-1])
    assert ended(story) == {"I5"}


def test_live_twice_on_two_connections(story):
    story.log("c/d0", "X", "reset")
    story.connect("c/d0")
    story.deliver("c/d0", story.entries[GROUP][-1])
    assert ended(story) == {"I5"}


def two_more(story, without):
    """Two messages, of which `without` does not get the first."""
    rows = []
    for n in (17, 18):
        story.send("a/d0", n)
        rows.append(story.store("a/d0", n))
        story.receipt("a/d0", rows[-1])
        for device in ("b/d0", "b/d1", "c/d0"):
            if device != without or n == 18:
                story.deliver(device, rows[-1])
    return rows


def test_swapped(story):
    story.now = LAST
    first, _ = two_more(story, "c/d0")
    story.deliver("c/d0", first)
    assert ended(story) == {"I5"}


def test_a_hole_without_a_reason(story):
    story.now = LAST
    first, _ = two_more(story, "c/d0")
    story.log("c/d0", "G", GROUP, first[0], first[0])
    story.deliver("c/d0", first, "Y")
    assert ended(story) == {"I5"}


def test_a_hole_of_a_slow_reader(story):
    first, _ = two_more(story, "b/d1")
    story.deliver("b/d1", first, "Y")
    assert ended(story) == set()


def test_a_hole_in_a_fault(story):
    story.fault(story.now, story.now + SECOND)
    first, _ = two_more(story, "c/d0")
    story.now += 2 * SECOND
    story.deliver("c/d0", first, "Y")
    story.talk("a/d0", 19)
    assert ended(story) == set()


def test_own_drafts_are_no_hole(story):
    """Their receipts come instead, perhaps later."""
    story.send("a/d0", 17)
    own = story.store("a/d0", 17)
    story.talk("b/d0", 18)
    for device in ("b/d0", "b/d1", "c/d0"):
        story.deliver(device, own, "Y")
    story.receipt("a/d0", own)
    found = story.judge()
    holes = [one.sentence for one in found.violations.kept if one.sentence.startswith("a/d0")]
    assert not [sentence for sentence in holes if "nothing was wrong" in sentence]


# -------------------------------------------------------------------- I7 private

def test_a_stranger_hears(story):
    story.deliver("x/d0", story.entries[GROUP][-1])
    assert ended(story) == {"I7"}


def test_a_stranger_syncs(story):
    story.deliver("x/d0", story.entries[GROUP][0], "Y")
    assert ended(story) == {"I7"}


def test_removed_and_heard_what_followed(story):
    story.member("-", "c")
    story.tick()
    story.talk("a/d0", 17)
    assert ended(story) == {"I7"}


def test_removed_while_something_was_on_its_way(story):
    story.send("a/d0", 17)
    row = story.store("a/d0", 17)
    story.receipt("a/d0", row)
    story.member("-", "c")
    story.tick()
    for device in ("b/d0", "b/d1", "c/d0"):
        story.deliver(device, row)
    assert ended(story) == set()


def test_added_hears_what_follows_and_may_read_all(story):
    story.member("+", "x")
    story.tick()
    for row in story.entries[GROUP][:16]:
        story.deliver("x/d0", row, "Y")
    row = story.talk("a/d0", 17)
    story.deliver("x/d0", row)
    story.tick()
    story.member("-", "x")
    assert ended(story) == set()


def test_removed_added_and_told_live_of_what_was_between(story):
    story.member("-", "c")
    story.tick()
    story.send("a/d0", 17)
    row = story.store("a/d0", 17)
    story.receipt("a/d0", row)
    for device in ("b/d0", "b/d1"):
        story.deliver(device, row)
    story.tick()
    story.member("+", "c")
    story.tick()
    story.deliver("c/d0", row)
    assert ended(story) == {"I7"}


# -------------------------------------------------------------------- I8 complete

def test_something_is_missing_in_the_end(story):
    story.now = LAST
    two_more(story, "b/d1")
    assert ended(story) == {"I8"}


def test_another_text(story):
    story.send("a/d0", 17)
    row = story.store("a/d0", 17)
    story.receipt("a/d0", row)
    for device in ("b/d0", "b/d1", "c/d0"):
        fields = story.entry_fields(row)
        fields[5] = "0" * 16 if device == "c/d0" else fields[5]
        story.log(device, "D", *fields)
    assert ended(story) == {"I8"}


def test_a_sync_with_a_hole(story):
    story.log("c/d0", "X", "reset")
    rows = []
    for n in (17, 18, 19):
        story.send("a/d0", n)
        rows.append(story.store("a/d0", n))
        story.receipt("a/d0", rows[-1])
        for device in ("b/d0", "b/d1"):
            story.deliver(device, rows[-1])
    story.connect("c/d0")
    for row in (rows[0], rows[2], rows[1]):
        story.deliver("c/d0", row, "Y")
    assert ended(story) == {"I8"}


def test_the_last_sync_was_too_short(story):
    story.finish()
    story.events["c"] = [e[:5] + [15] if e[2:5] == ["c/d0", "Z", GROUP] else e
                         for e in story.events["c"]]
    assert story.found() == {"I8"}


# -------------------------------------------------------------------- I9 recovers

def test_no_receipt_for_long_after_a_fault(story):
    story.fault(story.now + SECOND, story.now + 2 * SECOND)
    story.now += 2 * SECOND
    story.send("a/d0", 17)
    for _ in range(12):
        story.now += SECOND
        story.log("a/d0", "T", GROUP, "d0-17")
    row = story.store("a/d0", 17)
    story.receipt("a/d0", row)
    for device in ("b/d0", "b/d1", "c/d0"):
        story.deliver(device, row)
    assert ended(story) == {"I9"}


def test_a_receipt_that_was_on_its_way_is_no_recovery(story):
    story.send("a/d0", 17)
    row = story.store("a/d0", 17)
    story.fault(story.now, story.now + SECOND)
    story.now += SECOND + 1000
    story.receipt("a/d0", row)
    story.send("a/d0", 18)
    for _ in range(12):
        story.now += SECOND
        story.log("a/d0", "T", GROUP, "d0-18")
    for device in ("b/d0", "b/d1", "c/d0"):
        story.deliver(device, row)
    assert ended(story) == {"I9", "I11"}


def test_a_fault_when_nobody_was_sending_any_more(story):
    story.fault(story.now, story.now + SECOND)
    story.fault(story.now + 2, story.now + SECOND)
    assert ended(story) == {"I0"}   # too few faults could be judged


def missed_for(story, us):
    """c/d0 is away, comes back, and has after `us` what it missed."""
    story.log("c/d0", "X", "reset")
    story.send("a/d0", 17)
    row = story.store("a/d0", 17)
    story.receipt("a/d0", row)
    for device in ("b/d0", "b/d1"):
        story.deliver(device, row)
    story.connect("c/d0")
    story.now += us
    story.deliver("c/d0", row, "Y")
    return ended(story)


def test_what_was_missed_comes_soon(story):
    assert missed_for(story, SECOND) == set()


def test_what_was_missed_comes_late(story):
    assert missed_for(story, 3 * SECOND) == {"I9"}


def test_late_because_of_a_fault(story):
    story.fault(story.now + SECOND // 10, story.now + SECOND)
    story.send("b/d0", 16.5)
    assert "I9" not in missed_for(story, 3 * SECOND)


# -------------------------------------------------------------------- I10 bounded

def test_memory_that_does_not_return(story):
    for sample in story.memory[-20:]:
        sample[3] = 100_000
    assert ended(story) == {"I10"}


def test_memory_over_its_ceiling(story):
    story.memory[30][3] = 3 << 20
    assert ended(story) == {"I10"}


# -------------------------------------------------------------------- I11 answered

def test_never_answered(story):
    story.send("a/d0", 17)
    assert ended(story) == {"I11"}


def test_refused_for_good(story):
    story.send("a/d0", 17)
    story.log("a/d0", "N", GROUP, "d0-17", "invalid")
    assert ended(story) == {"I11"}


def test_refused_in_passing(story):
    story.send("a/d0", 17)
    story.log("a/d0", "N", GROUP, "d0-17", "unavailable")
    story.log("a/d0", "T", GROUP, "d0-17")
    row = story.store("a/d0", 17)
    story.receipt("a/d0", row)
    for device in ("b/d0", "b/d1", "c/d0"):
        story.deliver(device, row)
    assert ended(story) == set()


# -------------------------------------------------------------------- I12, and I0: evidence

def test_a_client_complains(story):
    story.log("a/d0", "E", "an entry that cannot be read", "{")
    assert ended(story) == {"I12"}


def without_log(story):
    story.events["paho"] = []


def without_last_sync(story):
    story.events["c"] = [e for e in story.events["c"] if e[2:4] != ["b/d0", "Z"]]


def without_faults(story):
    story.faults = []


def without_the_end_of_a_fault(story):
    story.faults.pop()


def without_memory(story):
    story.memory = []


def without_receipts(story):
    story.events["c"] = [e for e in story.events["c"] if e[3] != "A"]


def without_what_was_sent(story):
    story.events["c"] = [e for e in story.events["c"] if e[3] != "S"]


def without_deliveries(story):
    for events in story.events.values():
        events[:] = [[*e[:3], "Y", *e[4:]] if e[3] == "D" else e for e in events]


def without_commit_times(story):
    for rows in story.entries.values():
        for row in rows:
            row[4] = 0


def without_a_conversation(story):
    story.events["paho"] = [e for e in story.events["paho"] if len(e) < 5]
    story.events["c"] = [e for e in story.events["c"] if len(e) < 5 or e[4] != OTHER]
    del story.entries[OTHER]


def with_a_stranger_in_the_log(story):
    story.log("nobody/d0", "R")


@pytest.mark.parametrize("spoil", [
    without_log, without_last_sync, without_faults, without_the_end_of_a_fault, without_memory,
    without_receipts, without_what_was_sent, without_deliveries, without_commit_times,
    without_a_conversation, with_a_stranger_in_the_log])
def test_a_run_that_says_too_little(story, spoil):
    story.finish()
    spoil(story)
    assert "I0" in story.found()


def test_a_log_that_was_cut_off(story):
    story.finish()
    story.write()
    path = story.directory / "c.log"
    path.write_text(path.read_text()[:-5])
    assert "I0" in story.judge(write=False).violations.rules()


@pytest.mark.parametrize("armed, rules", [(3, []), (4, ["I0"])])
def test_fault_points_that_nobody_passed(story, armed, rules):
    for n in range(armed):
        story.fault(story.now, story.now + 1000, "kill.at.bridge.in_fill")
        story.talk("a/d0", 17 + n)
    fired = story.directory / "fired"
    story.finish()
    assert story.judge(fired=[fired]).violations.rules() == rules
    fired.write_text("".join(f"1\t2\t3\tbridge.in_fill\tkill\t1.00000000{n}\n" for n in (1, 2)))
    assert story.judge(fired=[fired]).violations.rules() == []


def test_an_empty_run(tmp_path):
    assert "I0" in Story(tmp_path).found()


def test_two_checkers_must_agree(story):
    story.finish()
    run = story.judge()
    run.compare({"I1": 0, "I2": 0, "I3": 0, "I6": 0})
    assert run.violations.rules() == []
    run.compare({"I1": 0, "I2": 3, "I3": 0})
    assert run.violations.counts["I0"] == 2


def test_every_rule_has_its_test():
    """What is found here by name is what the report can say."""
    with open(__file__, encoding="utf-8") as file:
        text = file.read()
    assert [rule for rule in TABLE if f'"{rule}"' not in text] == []
