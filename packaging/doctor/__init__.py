# SPDX-License-Identifier: MIT
"""`./banter doctor`: says what is wrong with an installation, and what to do about it.

    installation.py   where everything is: configuration, processes, who runs what
    broker_conf.py    reads mosquitto.conf
    probe.py          asks: HTTP, MQTT, Redis, PostgreSQL, the ports of this machine
    checks_*.py       the checks; checks.py has the table of them

Rule: it only looks. It changes nothing, restarts nothing, and every question has a deadline, so it
can be run at any time, on an installation in any state.
"""
