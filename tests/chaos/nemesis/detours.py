# SPDX-License-Identifier: MIT
"""Faults on the way through our proxy (tests/chaos/proxy): between devices and broker, devices and
bridge (`http`), bridge and PostgreSQL (`database`), and on the link of broker and bridge (`link`,
a Unix socket, which no kernel rule reaches)."""
import time

from .fault import Fault


def ailing(world, seconds, route, *commands):
    """Says the commands, waits, and lets the route be well again."""
    try:
        for command in commands:
            world.proxies.say(route, command)
        time.sleep(seconds)
    finally:
        world.proxies.say(route, "calm")


def struck(world, _seconds, route, command):
    world.proxies.say(route, command)


FAULTS = (
    Fault("slow.devices", ailing, ("mqtt", "delay 100 400"), (2, 8)),
    Fault("slow.http", ailing, ("http", "delay 50 200"), (2, 6)),
    Fault("slow.database", ailing, ("database", "delay 5 40"), (2, 8)),
    Fault("slow.link", ailing, ("link", "delay 20 100"), (2, 8)),
    Fault("trickle.devices", ailing, ("mqtt", "rate 2000"), (2, 6)),
    Fault("trickle.link", ailing, ("link", "rate 50000"), (2, 6)),
    Fault("trickle.database", ailing, ("database", "rate 100000"), (2, 6)),
    Fault("hole.devices", ailing, ("mqtt", "hold 1 1"), (1, 6)),
    Fault("hole.devices.up", ailing, ("mqtt", "hold 1 0"), (1, 6)),
    Fault("hole.devices.down", ailing, ("mqtt", "hold 0 1"), (1, 6)),
    Fault("hole.devices,reset", ailing, ("mqtt", "hold 1 1", "refuse 100"), (1, 6)),
    Fault("hole.database", ailing, ("database", "hold 1 1"), (1, 8)),
    Fault("hole.database.up", ailing, ("database", "hold 1 0"), (1, 8)),
    Fault("hole.database.down", ailing, ("database", "hold 0 1"), (1, 8)),
    Fault("hole.link", ailing, ("link", "hold 1 1"), (1, 6)),
    Fault("hole.link.up", ailing, ("link", "hold 1 0"), (1, 6)),
    Fault("hole.link.down", ailing, ("link", "hold 0 1"), (1, 6)),
    Fault("hole.http", ailing, ("http", "hold 1 1"), (1, 6)),
    Fault("halve.devices", ailing, ("mqtt", "halve 50"), (1, 6)),
    Fault("halve.database", ailing, ("database", "halve 50"), (1, 6)),
    Fault("halve.link", ailing, ("link", "halve 100"), (1, 6)),
    Fault("sever.devices", struck, ("mqtt", "cut 50")),
    Fault("sever.database", struck, ("database", "reset 100")),
    Fault("sever.database.half", struck, ("database", "reset 50")),
    Fault("sever.link", struck, ("link", "cut 100"), weight=2),
    Fault("sever.http", struck, ("http", "reset 100")),
    Fault("shut.database", ailing, ("database", "reset 100", "refuse 100"), (1, 6)),
    Fault("shut.link", ailing, ("link", "cut 100", "refuse 100"), (1, 6)),
    Fault("shut.devices", ailing, ("mqtt", "reset 100", "refuse 80"), (1, 6)),
)
