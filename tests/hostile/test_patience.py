# SPDX-License-Identifier: MIT
"""Who is slow or silent is closed in the end, and told why where there is a way to."""


def test_nobody_holds_on_for_ever(siege):
    problems = [problem for name in siege.patience.names()
                for problem in siege.patience.problems(name)]
    assert not problems
