# SPDX-License-Identifier: MIT
"""Where the bench's own Python is, and a small result to try its reports on."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "clients" / "bench"))

from suite import results  # noqa: E402 (after the path is set)


def line(bare=None, **values):
    """What banter-bench prints of one run."""
    return {side: {name: {"median": value} for name, value in metrics.items()}
            for side, metrics in (("banter", values), ("bare", bare or {}))}


@pytest.fixture(name="line")
def fixture_line():
    return line


@pytest.fixture
def document():
    """Two rounds: pairs miss their target, the group meets both of its own."""
    made = results.new(
        {"machine": {"cpu": "Some <CPU>", "cores": 2, "memory_mib": 2048, "kernel": "6.1",
                     "file_system": "ext4"},
         "versions": {"banter": "banter 0.1.0", "commit": "abc1234", "changed": False,
                      "mosquitto": "2.0.11", "postgresql": "psql 15", "compiler": "gcc 12",
                      "system": "Debian"}},
        {"repeat": 2, "seconds": 10, "warm_up": 2, "history": 20000000},
        "2026-01-02T03:04:05+00:00")
    for index, (rate, bare) in enumerate(((20000, 40000), (22000, 44000))):
        results.add_work(made, "pairs", index, ("pairs",), line(
            messages_per_s=rate, cpu_broker_us=40, cpu_bridge_us=8, cpu_postgres_us=30,
            cpu_system_us=78, messages_per_commit=300, cpu_others=0.1 * index,
            bare={"messages_per_s": bare}))
        results.add_work(made, "append", index, ("append",), line(messages_per_s=50000))
        results.add_work(made, "group", index, ("group",), line(
            messages_per_s=1000, deliveries_per_s=99000, cpu_system_us=99,
            bare={"deliveries_per_s": 110000}))
    return made
