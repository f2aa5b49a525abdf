# SPDX-License-Identifier: MIT
"""What runs, what it answers, and whether it has the ports and descriptors that it needs."""
import os
import pathlib
import re

from . import checks_database
from .finding import error, ok, warning
from .probe import (Unanswered, descriptors, holders, http_get, listeners, mqtt_connect, redis_ping,
                    split_address)

DESCRIPTORS_PER_WEBSOCKET = 2
DESCRIPTORS_ASIDE = 256  # not for clients
LISTEN_SETTINGS = ("http_listen", "https_listen", "mqtts_listen", "metrics_listen")


def check_processes(inst):
    """Everything that this installation runs, runs."""
    for name in inst.services():
        pid = inst.pid_of(name)
        if pid:
            yield ok(f"{name} is process {pid}")
        else:
            yield error(f"{name} does not run",
                        f"Start it: {inst.how_to('start', name)}; why it ended: {inst.logs}")


def check_bridge(inst):
    """It answers, on the operators' port and at the front door, and says that all is well."""
    place = inst.settings["metrics_listen"]
    if place == "off":
        place = inst.settings["http_listen"]
    try:
        alive, _ = http_get(place, "/livez")
        status, said = http_get(place, "/readyz")
        if inst.settings["http_listen"] != "off":
            http_get(inst.settings["http_listen"], "/livez")
    except Unanswered as problem:
        yield error(f"the bridge does not answer: {problem}",
                    f"Its log says more: {inst.logs}; if it hangs: "
                    f"{inst.how_to('restart', 'bridge')}")
        return
    if status == 200 and alive == 200:
        yield ok("the bridge is ready: database, writer and plugin are together")
        return
    detail = re.search(r'"detail": ?"([^"]*)"', said)
    reason = detail[1] if detail else f"/readyz answers {status}"
    if "draining" in reason:
        yield warning(reason, f"To let users in again remove {inst.settings['drain_file']} "
                      "(./banter drain --off)")
    else:
        yield error(f"the bridge is not ready: {reason}",
                    f"docs/operations.md, \"Health\", explains it; its log says more: {inst.logs}")


def metrics(inst):
    """{name with labels: number}; empty without an answer."""
    if inst.settings["metrics_listen"] == "off":
        return {}
    try:
        _, text = http_get(inst.settings["metrics_listen"], "/metrics")
    except Unanswered:
        return {}
    return {name: float(value) for name, value in
            re.findall(r"^(banter_\S+) (\S+)$", text, re.MULTILINE)}


def check_link(inst):
    """The broker has loaded the plugin that is on disk, and plugin and bridge talk."""
    path, _ = inst.plugin()
    path = os.path.realpath(path) if path else None
    pid = inst.pid_of("broker")
    try:
        maps = pathlib.Path(f"/proc/{pid}/maps").read_text(encoding="utf-8") if pid else None
    except OSError:
        maps = None  # another user's process
    if maps is not None and path and path not in maps:
        yield error(f"the broker runs without the plugin {path}",
                    f"Its log says why: {inst.logs}; then {inst.how_to('restart', 'broker')}")
    elif maps is not None and path and f"{path} (deleted)" in maps:
        yield warning(f"{path} was replaced after the broker had loaded it",
                      f"To run the new one: {inst.how_to('restart', 'broker')}")
    connected = metrics(inst).get("banter_link_connected")
    if connected == 1:
        yield ok("plugin and bridge are connected")
    elif connected == 0:
        yield error("the plugin is not connected to the bridge",
                    f"Does the broker run, can its user open {inst.settings['link_socket']}, and "
                    f"do both have the same link key? The broker's log says: {inst.logs}")


def check_broker(inst):
    """Each listener answers, and lets nobody in who has no token."""
    count = 0
    for listener in inst.broker.listeners:
        if not listener.speaks_plain_mqtt:
            continue
        count += 1
        try:
            code = mqtt_connect(listener.place)
        except Unanswered as problem:
            yield error(f"the broker does not answer: {problem}",
                        f"Its log: {inst.logs}; if it hangs: {inst.how_to('restart', 'broker')}")
            continue
        if code == 0:
            yield error(f"{listener.place} lets everybody in, with no token",
                        f"The plugin is not in force there: see {inst.broker_conf}")
        else:
            yield ok(f"the broker answers at {listener.place}")
    if count == 0:
        yield error(f"{inst.broker_conf} has no listener for MQTT", "Add one")


def _ports(inst):
    """(service, setting, HOST:PORT) of all that this installation listens on."""
    for setting in LISTEN_SETTINGS:
        if inst.listens(setting):
            yield "bridge", setting, inst.settings[setting]
    for listener in inst.broker.listeners:
        if not listener.is_socket:
            yield "broker", "listener", listener.place


def check_ports(inst):
    """Nobody else has them."""
    fine = []
    for service, setting, place in _ports(inst):
        inodes = listeners(split_address(place)[1])
        pid = inst.pid_of(service)
        others = [f"{name} (process {found})" for found, name in holders(inodes) if found != pid]
        if inodes and others:
            yield error(f"{place} ({setting}) is taken by {', '.join(others)}",
                        "Stop that (for the system's own broker: systemctl stop mosquitto), or "
                        "choose another port")
        elif pid and not inodes:
            yield error(f"nothing listens on {place} ({setting})", f"See {inst.logs}")
        else:
            fine.append(place)
    if fine:
        yield ok(f"ports: {', '.join(fine)}")


def check_descriptors(inst):
    """Bridge and broker may open as many files as their connections need."""
    limits = [int(listener.options.get("max_connections", 0))
              for listener in inst.broker.listeners]
    wanted = {"bridge": int(inst.settings["connections_max"]) * DESCRIPTORS_PER_WEBSOCKET,
              "broker": max(limits, default=0)}
    for service, count in wanted.items():
        found = descriptors(inst.pid_of(service))
        if not found:
            continue
        used, limit = found
        if used > limit * 0.9:
            yield error(f"the {service} has {used} of {limit} descriptors open",
                        "Raise the limit (LimitNOFILE, ulimit -n), or take in fewer connections")
        elif count + DESCRIPTORS_ASIDE > limit:
            yield warning(f"the {service} may open {limit} files; its connections can take {count}",
                          "Raise the limit (LimitNOFILE, ulimit -n) to "
                          f"{count + DESCRIPTORS_ASIDE}")
        else:
            yield ok(f"the {service} has {used} of {limit} descriptors open")


def check_replica(inst):
    """Histories are read from it, if there is one; else, and while it is away, from the primary."""
    if not inst.settings["replica_database"]:
        yield ok("no replica is configured")
        return
    try:
        row = checks_database.ask(inst, "SELECT pg_is_in_recovery()", "replica_database")[0]
    except Unanswered as problem:
        yield warning(f"the replica: {problem}",
                      "Until it is there the primary is read; see the setting replica_database")
        return
    lag = metrics(inst).get("banter_replica_lag_milliseconds")
    if row != ["t"]:
        yield warning("what replica_database names is no replica, and is not used",
                      "Name one that follows the primary, or leave the setting out")
    elif metrics(inst).get("banter_replica_usable") == 0:
        yield warning(f"the replica is not used: it is {lag:.0f} ms behind, or has just failed",
                      f"The bridge's log says why: {inst.logs}; see also the replica's own")
    else:
        yield ok("the replica follows")


def check_redis(inst):
    """Nodes reach each other by it, if this is one of several."""
    setting = inst.settings["redis"]
    if setting in ("", "none"):
        yield ok("no Redis is configured" if setting else "one node: no Redis is needed")
        return
    try:
        for address in setting.split():
            redis_ping(address, *(inst.settings[f"redis_{kind}_file"]
                                  for kind in ("ca", "certificate", "key")))
    except Unanswered as problem:
        yield error(f"Redis: {problem}", "Until it is back messages between nodes are slower; "
                    "see the setting redis, and Redis's own log")
        return
    if metrics(inst).get("banter_bus_up") == 0:
        yield error("Redis answers, but not the bridge", f"Its log says why: {inst.logs}")
    else:
        yield ok("Redis answers")


def check_pushes(inst):
    """None was given up."""
    dead = sum(value for name, value in metrics(inst).items()
               if name.startswith("banter_push_dead"))
    if dead:
        yield warning(f"{dead:.0f} pushes were given up", "banter-bridge push list --config "
                      f"{inst.bridge_conf} says which and why")
