# SPDX-License-Identifier: MIT
"""The order in which the writer locks conversations, where there may be other nodes: that of their
ids, whatever it remembers of which of them."""
import time

import pytest

from support import wait_until
from support.session import Session

pytestmark = pytest.mark.once

FILLERS = 20  # after which the writer remembers where they went: it is wary of its first batches
KNOWN_MIN = 16  # drafts whose place it remembers have a statement of their own from here on


@pytest.fixture
def banter(make_system):
    return make_system(BANTER_REDIS="none", BANTER_BATCHES_FLYING=1)


def is_waiting(system, statement=""):
    return system.psql(
        "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'banter-writer/%'"
        f" AND wait_event_type = 'Lock' AND query LIKE '{statement}%'")


def test_who_locks_by_id_meets_no_deadlock(banter):
    """One conversation is remembered and comes last, one is not and comes first; the drafts of both
    wait for a batch that waits for a third."""
    alice = banter.signup("alice")
    phone = banter.device(alice)
    unknown, known, third = sorted(banter.group(alice, []) for _ in range(3))
    for n in range(FILLERS):
        phone.say(known, f"filler {n}")
    with Session(banter) as first, Session(banter) as other:
        first.lock(third)
        drafts = [phone.send(third, "in front")]
        wait_until(lambda: is_waiting(banter), 2, "the batch in front waits")
        drafts += [phone.send(known, f"known {n}") for n in range(KNOWN_MIN)]
        drafts.append(phone.send(unknown, "unknown"))
        time.sleep(0.2)
        other.lock(unknown)
        first.release()
        wait_until(lambda: is_waiting(banter, "WITH"), 1, "the batch of both waits")
        other.run("SET LOCAL lock_timeout = '500ms'")
        assert other.run(f"SELECT id FROM banter.conversations WHERE id = '{known}' FOR UPDATE") \
            == [known]
        other.release()
        assert all("seq" in phone.receipt(draft) for draft in drafts)
