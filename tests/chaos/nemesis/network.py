# SPDX-License-Identifier: MIT
"""Faults of the network, made by the kernel: lost packets, packets lost one way, links that are cut
or narrow, connections that are reset. Retransmissions reorder what travels on different ones.

Rule: only in a sandbox: the rules name ports, and another process may have the same."""
import subprocess
import time

from .fault import Fault

_NARROW_BURST = "32kbit"


def _run(*command):
    subprocess.run(command, check=True, capture_output=True)


def filtered(world, seconds, port_name, *rules):
    """Each rule is what follows `iptables -A INPUT -p tcp`; PORT stands for the port."""
    port = str(world.product.ports[port_name])
    try:
        for rule in rules:
            _run("iptables", "-w", "-A", "INPUT", "-i", "lo", "-p", "tcp",
                 *(port if word == "PORT" else word for word in rule.split()))
        time.sleep(seconds)
    finally:
        _run("iptables", "-w", "-F", "INPUT")


def narrow(_world, seconds, rate):
    """Everything that is said over TCP on this machine shares one link."""
    _run("tc", "qdisc", "add", "dev", "lo", "root", "tbf", "rate", rate, "burst", _NARROW_BURST,
         "latency", "400ms")
    try:
        time.sleep(seconds)
    finally:
        _run("tc", "qdisc", "del", "dev", "lo", "root")


def reset_all(world, seconds, port_name):
    """ss -K: the kernel forgets the sockets and tells the other side."""
    port = world.product.ports[port_name]
    deadline = time.monotonic() + seconds
    while True:
        _run("ss", "-K", "state", "established", f"sport = :{port}")
        if time.monotonic() >= deadline:
            return
        time.sleep(0.3)


def _lossy(percent):
    odds = f"-m statistic --mode random --probability {percent / 100} -j DROP"
    return f"--dport PORT {odds}", f"--sport PORT {odds}"


_FROM_CLIENTS, _TO_CLIENTS = "--dport PORT -j DROP", "--sport PORT -j DROP"
_REFUSED = "--dport PORT -j REJECT --reject-with tcp-reset"
_SANDBOX = ("sandbox",)

FAULTS = (
    Fault("loss.devices.5", filtered, ("mqtt", *_lossy(5)), (2, 8), _SANDBOX),
    Fault("loss.devices.30", filtered, ("mqtt", *_lossy(30)), (2, 6), _SANDBOX),
    Fault("loss.http.20", filtered, ("http", *_lossy(20)), (2, 6), _SANDBOX),
    Fault("loss.database.10", filtered, ("database", *_lossy(10)), (2, 6), _SANDBOX),
    Fault("cut.devices", filtered, ("mqtt", _FROM_CLIENTS, _TO_CLIENTS), (1, 4), _SANDBOX),
    Fault("cut.devices.up", filtered, ("mqtt", _FROM_CLIENTS), (1, 4), _SANDBOX),
    Fault("cut.devices.down", filtered, ("mqtt", _TO_CLIENTS), (1, 4), _SANDBOX),
    Fault("cut.database", filtered, ("database", _FROM_CLIENTS, _TO_CLIENTS), (1, 4), _SANDBOX),
    Fault("refuse.devices", filtered, ("mqtt", _REFUSED), (1, 4), _SANDBOX),
    Fault("refuse.database", filtered, ("database", _REFUSED), (1, 4), _SANDBOX),
    Fault("narrow.8mbit", narrow, ("8mbit",), (2, 8), _SANDBOX),
    Fault("narrow.2mbit", narrow, ("2mbit",), (2, 5), _SANDBOX, ci=False),
    Fault("reset.devices", reset_all, ("mqtt",), (0, 0), _SANDBOX, weight=2),
    Fault("reset.devices.again", reset_all, ("mqtt",), (1, 3), _SANDBOX),
    Fault("reset.http", reset_all, ("http",), (0, 1), _SANDBOX),
    Fault("reset.database", reset_all, ("database",), (0, 1), _SANDBOX),
)
