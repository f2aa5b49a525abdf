# SPDX-License-Identifier: MIT
"""What a row of the table of faults is.

Rule: a fault that returns has undone what it did, also when it was interrupted; what then still
has to recover by itself (a process that the supervisor starts, clients that reconnect) is what the
checker measures from there on."""
import dataclasses
import typing


@dataclasses.dataclass(frozen=True)
class Fault:
    name: str
    do: typing.Callable       # do(world, seconds, *arguments); returns False if nothing happened
    arguments: tuple = ()
    seconds: tuple = (0, 0)   # how long it lasts: drawn from this range
    needs: tuple = ()         # capabilities of the world, see world.py
    weight: int = 1           # how many of it are in the bag that is drawn from
    ci: bool = True           # short enough for the run of three minutes
