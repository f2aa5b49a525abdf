# SPDX-License-Identifier: MIT
"""Faults that one signal to one process cannot make, down to one thread. Every one of them is
undone on the way out, so that a failed test leaves the system usable."""
import contextlib
import ctypes
import os
import signal

import pytest

from .waiting import wait_until


def _children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(child) for child in file.read().split()]


@contextlib.contextmanager
def postgres_frozen(system):
    """Stops the server and all its backends: connections stay, nothing answers any more."""
    main = system.pid("postgres")
    os.kill(main, signal.SIGSTOP)  # first, so that it starts no backend meanwhile
    frozen = [main, *_children(main)]
    try:
        for pid in frozen[1:]:
            os.kill(pid, signal.SIGSTOP)
        yield
    finally:
        for pid in reversed(frozen):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


@contextlib.contextmanager
def stopped(system, name):
    """The process is down meanwhile; running and ready afterwards."""
    system.stop(name)
    try:
        yield
    finally:
        system.start(name)
        system.wait_ready()


@contextlib.contextmanager
def frozen(system, name):
    """SIGSTOP to one process; thawed afterwards, if it still lives."""
    pid = system.pid(name)
    os.kill(pid, signal.SIGSTOP)
    try:
        yield pid
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT = 17, 0x4206, 0x4207
WAIT_ALL = 0x40000000  # __WALL: for threads that are no children
_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


def _ptrace(request, thread):
    if _libc.ptrace(request, thread, None, None) != 0:
        raise OSError(ctypes.get_errno(), "ptrace")


@contextlib.contextmanager
def thread_frozen(thread):
    """Stops one thread, as a debugger would; the others of its process go on."""
    try:
        _ptrace(PTRACE_SEIZE, thread)
    except PermissionError:
        pytest.fail("no thread may be stopped here: ptrace is not permitted", pytrace=False)
    _ptrace(PTRACE_INTERRUPT, thread)
    os.waitpid(thread, WAIT_ALL)
    try:
        yield
    finally:
        try:
            _ptrace(PTRACE_DETACH, thread)
        except OSError:  # its process has been killed, and waits for us to take note
            os.waitpid(thread, WAIT_ALL)


def thread_named(pid, name):
    """The thread of the process that has this name."""
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/comm", encoding="ascii") as file:
            if file.read().strip() == name:
                return int(thread)
    raise LookupError(f"process {pid} has no thread {name}")


def crash_postgres(system):
    """An immediate shutdown, as a power failure looks to clients; the supervisor starts it
    again, and it recovers from its log."""
    old = system.pid("postgres")
    os.kill(old, signal.SIGQUIT)
    system.wait_restarted("postgres", old)


def hang_up(system, name):
    """SIGHUP, and waits until the process has gone through its loop after it."""
    os.kill(system.pid(name), signal.SIGHUP)


def resident_kib(pid):
    """Resident memory of a process now."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))


def restart(system, name):
    """kill -9, and waits until everything works together again."""
    old = system.kill(name)
    system.wait_restarted(name, old)
    system.wait_ready()
    wait_until(lambda: system.pid(name) not in (None, old), 10, f"{name} to be back")
