# SPDX-License-Identifier: MIT
"""Databases for further systems of one test process: copies of one that a first start has made and
an orderly stop has closed. Making each anew takes as long as many a test that needs one.

How a system makes its own is seen in the first one of every process, and wherever a test starts
`./banter` without this.
"""
import atexit
import pathlib
import shutil
import subprocess
import tempfile

_WHAT = ("postgres", ".banter")  # the second tells `./banter` that the directory is its own

_systems = 0
_original = None


def _make(banter, environment):
    directory = pathlib.Path(tempfile.mkdtemp(prefix="banter-test-", dir="/tmp"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    for command in (("up", "-d"), ("down",)):
        subprocess.run([*banter, "--data", directory, *command], env=environment, check=True,
                       capture_output=True, stdin=subprocess.DEVNULL, timeout=120)
    return directory


def put_into(directory, banter, environment):
    """Puts a copy into a new system's directory, unless that is the first one of this process.
    `banter` is the command that makes the original, `environment` its settings."""
    global _systems, _original
    _systems += 1
    if _systems == 1:
        return
    if _original is None:
        _original = _make(banter, environment)
    subprocess.run(["cp", "-a", *(_original / name for name in _WHAT), directory], check=True)
