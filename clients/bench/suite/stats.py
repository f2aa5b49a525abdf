# SPDX-License-Identifier: MIT
"""Medians, spreads and ratios of repetitions, and whether a target is met.

Rule: a run that did not yield a value counts as none, never as 0."""
import statistics
from typing import NamedTuple


class Spread(NamedTuple):
    """Of the same value in several runs."""
    median: float
    low: float
    high: float
    count: int


def spread(values):
    """None when there is no value at all."""
    present = sorted(value for value in values if value is not None)
    if not present:
        return None
    return Spread(statistics.median(present), present[0], present[-1], len(present))


def of_metric(runs, metric):
    return spread(run.get(metric) for run in runs)


def ratio(runs, others, metric, other_metric=None):
    """The median of the ratios of what ran in the same round, so that a machine that slows down
    slows both; None when no round has both."""
    pairs = ((run.get(metric), other.get(other_metric or metric))
             for run, other in zip(runs, others))
    return spread(one / other for one, other in pairs if one is not None and other)


def is_met(value, sense, target):
    """`sense` is ">=" or "<="."""
    if sense not in (">=", "<="):
        raise ValueError(sense)
    return value >= target if sense == ">=" else value <= target
