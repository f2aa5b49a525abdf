# SPDX-License-Identifier: MIT
"""The chaos suite's tests use the integration tests' support library, and the checker beside them.

Tests that run side by side share one stage (rig.py): who comes first makes it."""
import fcntl
import pathlib
import shutil
import sys
import tempfile

import pytest

_HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(_HERE), str(_HERE.parent / "integration")]


def _is_controller(config):
    return not hasattr(config, "workerinput")


def pytest_configure(config):
    if _is_controller(config):
        config.stage_directory = tempfile.mkdtemp(prefix="banter-stage-", dir="/tmp")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node):
    node.workerinput["stage"] = node.config.stage_directory


def pytest_unconfigure(config):
    if _is_controller(config):
        shutil.rmtree(config.stage_directory, ignore_errors=True)


@pytest.fixture(scope="session")
def stage(request):
    from rig import Stage  # not before a test needs it: other tests run without any of this

    config = request.config
    directory = pathlib.Path(config.stage_directory if _is_controller(config)
                             else config.workerinput["stage"])
    directory.chmod(0o755)  # Banter's processes may run as another user
    with open(directory / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return Stage(directory)
