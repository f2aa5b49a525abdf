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
from support.lifetime import assert_contract, end, kept, lent  # noqa: E402
from support.system import REPOSITORY  # noqa: E402
from support.wire import Wire  # noqa: E402


def pytest_configure():
    """Whoever ends a run that takes too long does so with SIGTERM: stop our systems even then."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_collection_modifyitems(items):
    """Files with tests that take long come first: else one worker is busy alone in the end."""
    long = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in long)


@pytest.fixture(scope="session")
def shared_system():
    yield from kept(System())


@pytest.fixture
def banter(shared_system, request):
    """The session's system, ready: a test that hurt it must leave it running."""
    yield from lent(shared_system, request)


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
        assert_contract(*made)
    finally:
        for system in made:
            end(system)


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
