# SPDX-License-Identifier: MIT
"""Judges a run of the chaos suite: what clients saw (event logs) against what PostgreSQL holds.

    python3 tests/chaos/checker --help

`rules/` has one file for each family of rules, and `rules/__init__.py` the table of them. Logs are
read once, line by line; what is kept of a message is a few numbers, so that a run of a million
messages and five million deliveries fits in memory. `sql.py` answers four of the questions a second
time, in SQL, and the two must agree.

Rule: what was not seen cannot be judged. A log that is missing or ends early, a run with too few
receipts, deliveries, syncs or faults is a violation (I0), never a pass."""
