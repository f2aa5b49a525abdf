# SPDX-License-Identifier: MIT
"""The hostile clients use the integration tests' support library. One system for all of them, in
one process: what one attack leaves behind the next one meets. Nearly last comes the mad broker,
with which the real one is away for moments, and last of all the aftermath."""
import pathlib
import signal
import sys

import pytest

_HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(_HERE), str(_HERE.parent / "integration")]

LAST = ("test_patience", "test_mad_broker", "test_aftermath")


def pytest_configure():
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: LAST.index(item.module.__name__)
               if item.module.__name__ in LAST else -1)


@pytest.fixture(scope="session")
def besieged():
    from siege import Siege  # not before a test needs it

    siege = Siege()
    yield siege
    crashes = siege.close()
    assert not crashes, f"a process crashed, or a sanitizer found something:\n{crashes}"


@pytest.fixture(scope="module", autouse=True)
def another(besieged):
    besieged.send_another()
    yield
    assert not besieged.problems(log=True)


@pytest.fixture
def siege(besieged, request):
    """After every single attack: do the others notice anything, and do their books balance?"""
    request.node.system = besieged.system
    yield besieged
    besieged.hang_up()
    assert not besieged.problems()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    report = (yield).get_result()
    system = getattr(item, "system", None)
    if report.failed and system is not None and system.data.exists():
        report.sections.append(("Logs of the system under attack", system.tails()))
