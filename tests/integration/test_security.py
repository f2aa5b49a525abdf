# SPDX-License-Identifier: MIT
"""Attacks of docs/security.md that no other file is the place for."""
import os
import pathlib

import pytest

from support.account import unique_handle

TICKS = os.sysconf("SC_CLK_TCK")


def processor_seconds(pid):
    """What all threads of a process have computed so far."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


@pytest.mark.once
def test_who_does_not_exist_costs_what_a_wrong_password_costs(make_system):
    """The work is compared, not the time: that depends on what else the machine does."""
    banter = make_system(BANTER_ARGON2_MEMORY_KIB=65536, BANTER_ARGON2_PASSES=3)
    alice = banter.signup("alice")
    bridge = banter.pid("bridge")

    def work(handles):
        before = processor_seconds(bridge)
        for handle in handles:
            answer = banter.request("POST", "/v1/login",
                                    {"handle": handle, "password": "not the password"})
            assert answer.status == 401
        return processor_seconds(bridge) - before

    wrong = work([alice.handle] * 5)
    unknown = work([unique_handle("nobody") for _ in range(5)])
    assert wrong > 0.1, "too little to compare"
    assert 0.6 < unknown / wrong < 1.7, (unknown, wrong)
