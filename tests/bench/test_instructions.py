# SPDX-License-Identifier: MIT
"""No path that every message takes has become dearer; and the check would find it."""
import os
import pathlib

import pytest

import instructions

BUILD = pathlib.Path(os.environ.get("BANTER_BUILD_DIR", "build/release"))
KEPT = {"plugin": 1000, "writer": 2000, "yardstick": 500}


def test_no_path_has_become_dearer():
    counted, _kept, problems = instructions.check(BUILD)
    assert not problems, (counted, problems)


@pytest.mark.parametrize("counted, found", [
    ({"plugin": 1000, "writer": 2000}, []),
    ({"plugin": 1049, "writer": 500}, []),
    ({"plugin": 1051, "writer": 2000}, ["plugin"]),
    ({"plugin": 1051, "writer": 3000}, ["plugin", "writer"]),
])
def test_what_has_become_dearer_is_found(counted, found):
    problems = instructions.compare({**counted, "yardstick": 9}, KEPT, same_tools=True)
    assert [problem.partition(":")[0] for problem in problems] == found


@pytest.mark.parametrize("counted, found", [
    ({"plugin": 2000, "writer": 4000, "yardstick": 1000}, []),
    ({"plugin": 2600, "writer": 4000, "yardstick": 1000}, ["plugin"]),
    ({"plugin": 1000, "writer": 2000, "yardstick": 380}, ["plugin", "writer"]),
])
def test_another_compiler_is_judged_by_the_yardstick(counted, found):
    problems = instructions.compare(counted, KEPT, same_tools=False)
    assert [problem.partition(":")[0] for problem in problems] == found


def test_a_program_that_fails_is_no_count():
    with pytest.raises(RuntimeError):
        instructions._instructions("false", "writer", 1)
