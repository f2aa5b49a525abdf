# SPDX-License-Identifier: MIT
"""Each rule of the product is broken on purpose, in a real system, and the checker must find that
very break; with nothing broken it must find nothing.

Most rules are broken by the build of the preset `chaos` (schema/base/fault_point.h, BANTER_BREAK);
where PostgreSQL keeps a rule, it is changed there."""
import dataclasses
import time
import typing

import pytest

from checker import report
from rig import Rig

SECONDS = 5
RATE = 150


def kill_bridge(rig):
    pid = rig.system.pid("bridge")
    rig.fault("kill.bridge", lambda: rig.system.kill("bridge"))
    rig.system.wait_restarted("bridge", pid)


def change_members(rig):
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        for conversation in rig.groups():
            rig.change_guest(conversation)


def storm(rig):
    """All connections break, so that devices miss something and ask for it."""
    for _ in range(3):
        rig.driver.say("storm")
        time.sleep(SECONDS / 4)


def refuse_one_of_many(rig):
    """A broker that slept finds many drafts at once, and has no room for one in between."""
    for _ in range(6):
        rig.system.freeze("broker")
        time.sleep(0.3)
        rig.arm("plugin.ring_full fail 1 7")
        rig.system.thaw("broker")
        time.sleep(0.3)


def forget_drafts(rig):
    """The table takes a draft twice, once the bridge has given the copy another name."""
    rig.system.psql("""
        ALTER TABLE banter.messages DROP CONSTRAINT messages_conversation_sender_id_key;
        CREATE FUNCTION banter.test_rename() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            NEW.id := regexp_replace(NEW.id, '~.*', '');
            RETURN NEW;
        END $$;
        CREATE TRIGGER test_rename BEFORE INSERT ON banter.messages
            FOR EACH ROW EXECUTE FUNCTION banter.test_rename()""")


def skip_numbers(rig):
    """Every 50th number that is given out is left out."""
    rig.system.psql("""
        CREATE FUNCTION banter.test_skip() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            NEW.last_seq := NEW.last_seq + (NEW.last_seq % 50 = 0)::integer;
            RETURN NEW;
        END $$;
        CREATE TRIGGER test_skip BEFORE UPDATE OF last_seq ON banter.conversations
            FOR EACH ROW EXECUTE FUNCTION banter.test_skip()""")


@dataclasses.dataclass
class Break:
    name: str                # the rule of the product
    found: str               # the rule of the checker
    spec: str = ""           # BANTER_BREAK
    letter: str = ""         # of the event that must be among the proof
    before: typing.Callable = None
    meanwhile: typing.Callable = None
    seconds: int = SECONDS
    rate: int = RATE


# The longest first: they run beside the others.
BREAKS = (
    Break("slow_recovery", "I9", "slow_recovery", meanwhile=kill_bridge, seconds=18),
    Break("no_sticky", "I6", "no_sticky", meanwhile=refuse_one_of_many, rate=600),
    Break("wrong_seq_receipt", "I1", "wrong_seq_receipt:50", "A"),
    Break("no_dedup", "I2", "no_dedup", before=forget_drafts),
    Break("seq_gap", "I3", before=skip_numbers),
    Break("early_receipt", "I4", "early_receipt", "A"),
    Break("early_entry", "I4", "early_entry", "D"),
    Break("repeat_delivery", "I5", "repeat_delivery:50", "D"),
    Break("swap_delivery", "I5", "swap_delivery", "D"),
    Break("drop_delivery_silently", "I5", "drop_delivery_silently:50", "D"),
    Break("leak_to_stranger", "I7", "leak_to_stranger:20", "D"),
    Break("leak_to_removed", "I7", "leak_to_removed", "D", meanwhile=change_members),
    Break("lossy_sync", "I8", "lossy_sync:20", "Y", meanwhile=storm),
    Break("leak_memory", "I10", "leak_memory"),
    Break("lost_draft", "I11", "lost_draft:50", "S"),
)


def told(run):
    return report.as_text(report.summarize(run))


@pytest.mark.parametrize("broken", BREAKS, ids=lambda one: one.name)
def test_the_break_is_found(stage, broken):
    with Rig(stage, broken.rate, broken.spec) as rig:
        if broken.before:
            broken.before(rig)
        rig.play(broken.seconds, broken.meanwhile)
        run = rig.judge()
        if broken.spec:
            assert f"\t{broken.name}\tbreak\t" in rig.fired.read_text()
    assert broken.found in run.violations.rules(), told(run)
    assert not any("SQL" in one.sentence for one in run.violations.kept), told(run)  # both find it
    proofs = [line.split("\t")[3] for one in run.violations.kept if one.rule == broken.found
              for line in one.proof if line.count("\t") > 3]
    assert not broken.letter or broken.letter in proofs, told(run)


def test_nothing_is_found_when_nothing_is_broken(stage):
    with Rig(stage, RATE) as rig:
        def meanwhile(rig):
            change_members(rig)
            kill_bridge(rig)
        rig.play(2 * SECONDS + 3, meanwhile)
        run = rig.judge()
    print(told(run))
    assert run.violations.rules() == [], told(run)
    assert run.fault_rule.times and run.members_lines
