# SPDX-License-Identifier: MIT
"""What a system says of its own health: /readyz and the metrics, both from the operators' port,
which answers even when the front door does not."""
import re

from .waiting import wait_until


class Health:
    """One look."""

    def __init__(self, system):
        answer = system.ask_operators_port("GET", "/readyz", timeout=3)
        self.reason = None if answer.status == 200 else answer.json()["detail"]
        self.values = dict(re.findall(r"^(banter_\S+) (\S+)$", system.metrics(), re.MULTILINE))

    def is_well(self, part):
        return self.values[f'banter_healthy{{part="{part}"}}'] == "1"


def wait_unwell(system, part, reason, timeout):
    """Waits until the system is not ready for this reason, and the metrics say which part it is."""
    def look():
        health = Health(system)
        return health.reason and re.search(reason, health.reason) and health
    health = wait_until(look, timeout, f"/readyz saying {reason!r}", interval=0.1)
    assert health.values["banter_ready"] == "0"
    assert not health.is_well(part), health.values
    return health


def wait_well(system, timeout=20):
    """Waits until everything is well again, through the front door, too."""
    wait_until(lambda: Health(system).reason is None, timeout, "/readyz saying yes", interval=0.1)
    system.wait_ready()
