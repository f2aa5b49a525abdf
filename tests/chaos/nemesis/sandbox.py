# SPDX-License-Identifier: MIT
"""A network, process and mount namespace of a run's own: what is broken in it is broken for nobody
else, and whatever ends the run, its processes, rules and mounts end with it.

Rule: inside, loopback is the only network, and this process's child has process id 1's child, so
everything that is started here dies with it, `kill -9` of the run included."""
import contextlib
import ctypes
import os
import signal
import subprocess
import sys

_CLONE_NEWNS, _CLONE_NEWPID, _CLONE_NEWNET = 0x20000, 0x20000000, 0x40000000
_PR_SET_PDEATHSIG = 1
# As between machines: larger texts travel in several packets, so that losing one means something.
_MTU = 1500
_libc = ctypes.CDLL(None, use_errno=True)


def is_possible():
    """Whether this process may make namespaces: as root with its rights, outside of containers
    that take them away."""
    done = subprocess.run(["unshare", "--net", "--mount", "--pid", "--fork", "true"],
                          capture_output=True, check=False)
    return done.returncode == 0


def run(function):
    """Runs `function()` in a sandbox and returns its exit status. This process stays outside."""
    return _parent_of(lambda: _enter(function))


def _enter(function):
    if _libc.unshare(_CLONE_NEWNS | _CLONE_NEWPID | _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    return _parent_of(lambda: _be_init(function))


def _parent_of(function):
    """Runs it in a child, passes on what this process is told, and returns how the child ended. The
    terminal's Ctrl-C reaches all of them by itself: the one who works answers it."""
    child = os.fork()
    if child == 0:
        _guard(function)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _frame: os.kill(child, number))
    while True:
        with contextlib.suppress(ChildProcessError):
            pid, status = os.wait()
            if pid == child:
                return os.waitstatus_to_exitcode(status) % 256


def _guard(function):
    """Ends this process with what `function` returns: it never comes back into the caller."""
    status = 70
    try:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        status = function()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    except BaseException:  # what escapes here would run the caller's code a second time
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status or 0)


def _be_init(function):
    """Process 1, which buries everybody, and its child, which works."""
    _furnish()
    return _parent_of(function)


def _furnish():
    for command in (["mount", "--make-rprivate", "/"], ["mount", "-t", "proc", "proc", "/proc"],
                    ["mount", "-t", "tmpfs", "tmpfs", "/dev/shm"],
                    ["ip", "link", "set", "lo", "mtu", str(_MTU)],
                    ["ip", "link", "set", "lo", "up"]):
        subprocess.run(command, check=True)

