# SPDX-License-Identifier: MIT
"""How long a System or a Cluster lasts: what fixtures that give one have in common.

    @pytest.fixture(scope="module")
    def system():
        yield from kept(System(...))

    @pytest.fixture
    def banter(system, request):
        yield from lent(system, request)
"""


def assert_contract(*made):
    """All that they have said stands in schema/*.yaml."""
    problems = [problem for one in made for problem in one.take_contract_problems()]
    assert not problems, "not in the contract:\n" + "\n".join(problems[:20])


def end(made):
    crashes = made.close()
    assert not crashes, f"a process crashed during the tests:\n{crashes}"


def kept(made):
    """For several tests, then ended."""
    yield made
    end(made)


def lent(made, request):
    """For one test, ready; one that hurt it must leave it running."""
    request.node.banter_system = made
    made.wait_ready()
    yield made
    try:
        assert_contract(made)
    finally:
        made.close_devices()
