# SPDX-License-Identifier: MIT
"""Medians, spreads and ratios: what is missing is no 0, and rounds stay together."""
import pytest

from suite import stats


@pytest.mark.parametrize("values, expected", [
    ([3], (3, 3, 3, 1)),
    ([5, 1, 3], (3, 1, 5, 3)),
    ([4, 1, 3, 2], (2.5, 1, 4, 4)),
    ([None, 7, None, 9], (8, 7, 9, 2)),
    ([0, 0, 6], (0, 0, 6, 3)),
])
def test_spread(values, expected):
    assert stats.spread(values) == expected


@pytest.mark.parametrize("values", [[], [None, None]])
def test_nothing_has_no_spread(values):
    assert stats.spread(values) is None


def test_ratios_are_of_the_same_round():
    """A machine at half its speed in the second round: the ratio does not notice."""
    ours = [{"rate": 20}, {"rate": 10}, {"rate": 21}]
    bare = [{"rate": 40}, {"rate": 20}, {"rate": 42}]
    assert stats.ratio(ours, bare, "rate") == (0.5, 0.5, 0.5, 3)


@pytest.mark.parametrize("bare", [[], [{}], [{"rate": 0}], [{"rate": None}]])
def test_no_ratio_without_a_baseline(bare):
    assert stats.ratio([{"rate": 20}], bare, "rate") is None


def test_a_round_without_the_baseline_is_left_out():
    assert stats.ratio([{"r": 1}, {"r": 9}], [{}, {"r": 3}], "r") == (3, 3, 3, 1)


def test_targets():
    assert stats.is_met(2, "<=", 2) and stats.is_met(2, ">=", 2)
    assert not stats.is_met(2.1, "<=", 2) and not stats.is_met(1.9, ">=", 2)
    with pytest.raises(ValueError):
        stats.is_met(1, "<", 2)
