# SPDX-License-Identifier: MIT
"""The table of faults, and how rows are drawn from it."""
import collections
import io
import pathlib
import sys

CHAOS = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(CHAOS.parent / "integration"))

from nemesis import TABLE, Nemesis, choose  # noqa: E402
from nemesis.fault import Fault  # noqa: E402

CAPABILITIES = {"sandbox", "disk", "clock", "points", "crowd", "nodes"}


class World:
    def __init__(self, suffix=""):
        self.count = 0
        self.suffix = suffix

    def is_ready(self):
        return True

    def receipts(self):
        self.count += 1
        return self.count


def nemesis(rows, seed=1):
    return Nemesis([World()], rows, seed, io.StringIO(), 1, (0, 0))


def test_names_are_unique():
    names = collections.Counter(row.name for row in TABLE)
    assert not [name for name, count in names.items() if count > 1]
    assert all(set(row.needs) <= CAPABILITIES for row in TABLE)


def test_what_the_machine_cannot_do_is_left_out():
    assert all(not row.needs for row in choose([], set(), ci=False))
    assert len(choose([], CAPABILITIES, ci=False)) == len(TABLE)


def test_chosen_by_the_beginning_of_the_name():
    rows = choose(["kill.bridge", "disk"], CAPABILITIES, ci=True)
    assert {row.name for row in rows} == {
        "kill.bridge", "kill.bridge+broker", "kill.bridge+postgres", "kill.bridge.again",
        "disk.full", "disk.full.crash"}


def test_each_row_as_often_as_it_weighs_and_the_same_again():
    rows = [Fault(name, print, weight=weight) for name, weight in (("a", 1), ("b", 3))]
    first, second = nemesis(rows), nemesis(rows)
    drawn = [first._draw().name for _ in range(40)]
    assert collections.Counter(drawn) == {"a": 10, "b": 30}
    assert drawn == [second._draw().name for _ in range(40)]


def test_a_fault_that_cannot_be_done_is_told():
    def fail(_world, _seconds):
        raise RuntimeError("no such thing")
    one = nemesis([])
    one.strike(Fault("impossible", fail))
    one.strike(Fault("fine", lambda *_: None, seconds=(9, 9)))
    assert one.failures == ["fault 1, impossible: RuntimeError('no such thing')"]
    assert one.done == ["impossible", "fine"]
    lines = [line.split("\t")[2:] for line in one._log.getvalue().splitlines()]
    assert lines == [["begin", "1", "impossible", "0.0"], ["end", "1", "impossible", "0.0"],
                     ["begin", "2", "fine", "1"], ["end", "2", "fine", "1"]]


def test_of_several_nodes_each_is_struck_and_the_one_with_the_database_alone_loses_it():
    struck = []
    worlds = [World(), World("@b"), World("@c")]
    one = Nemesis(worlds, [], 1, io.StringIO(), 1, (0, 0))
    for _ in range(30):
        one.strike(Fault("any", lambda world, _seconds: struck.append(world.suffix)))
    assert set(struck) == {"", "@b", "@c"}
    names = {line.split("\t")[4] for line in one._log.getvalue().splitlines()}
    assert names == {"any", "any@b", "any@c"} and set(one.done) == {"any"}
    for row in choose(["kill.bridge+postgres", "freeze.postgres", "crash.postgres", "disk", "lock"],
                      CAPABILITIES, ci=False):
        assert all(one._victim(row) is worlds[0] for _ in range(10)), row.name
