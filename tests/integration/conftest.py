# SPDX-License-Identifier: MIT
"""Fixtures of the integration tests; support/__init__.py describes what they give.

The binaries come from BANTER_BUILD_DIR (default build/release), the broker from BANTER_MOSQUITTO
(default: the installed mosquitto): the same tests run against sanitizers and other brokers.
"""
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from support import System  # noqa: E402 (after the path is set)
from support.system import REPOSITORY  # noqa: E402
from support.wire import Wire  # noqa: E402


def _assert_contract(*systems):
    problems = [problem for system in systems for problem in system.take_contract_problems()]
    assert not problems, "not in the contract:\n" + "\n".join(problems[:20])


def pytest_configure():
    """Whoever ends a run that takes too long does so with SIGTERM: stop our systems even then."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def _finish(system):
    crashes = system.close()
    assert not crashes, f"a process crashed during the tests:\n{crashes}"


@pytest.fixture(scope="session")
def shared_system():
    system = System()
    yield system
    _finish(system)


@pytest.fixture
def banter(shared_system, request):
    """The session's system, ready: a test that hurt it must leave it running."""
    request.node.banter_system = shared_system
    shared_system.wait_ready()
    yield shared_system
    try:
        _assert_contract(shared_system)
    finally:
        shared_system.close_devices()


@pytest.fixture
def dial(banter):
    """Opens plain sockets to the broker, closed after the test: dial(version, account) is let in
    and ready unless connect=False; further options are those of Wire.connect()."""
    opened = []

    def make(version=5, account=None, connect=True, **options):
        wire = Wire(banter, version)
        opened.append(wire)
        wire.account = account or banter.signup("wire")
        if connect:
            _, code, wire.connack = wire.connect(wire.account, **options)
            assert code == 0, hex(code)
            wire.publish_on("me/ready")
        return wire

    yield make
    for wire in opened:
        wire.socket.close()


@pytest.fixture
def make_system(request):
    """Makes systems of this test alone, with environment settings for the bridge."""
    made = []

    def make(**environment):
        system = System(**environment)
        made.append(system)
        request.node.banter_system = system
        return system

    yield make
    try:
        _assert_contract(*made)
    finally:
        for system in made:
            _finish(system)


@pytest.fixture
def fresh_banter(make_system):
    return make_system()


@pytest.fixture
def tmp_data():
    """A data directory for copies that a test starts itself; gone afterwards. Not tmp_path: the
    user that runs the processes must be able to get there."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="banter-test-", dir="/tmp"))
    yield path
    subprocess.run([REPOSITORY / "banter", "--data", path, "down"], check=True,
                   capture_output=True, timeout=120)
    shutil.rmtree(path)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """A failed test shows the end of the logs of the system that it used."""
    report = (yield).get_result()
    system = getattr(item, "banter_system", None)
    if report.failed and system is not None and system.data.exists():
        report.sections.append(("Logs of the system under test", system.tails()))
