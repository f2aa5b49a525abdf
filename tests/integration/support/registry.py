# SPDX-License-Identifier: MIT
"""What GET /v1/servers tells, whether the registry is in use, and that nothing needs it."""
from .faults import stopped
from .waiting import wait_until

PATIENCE = 60


def told(node):
    return sorted(server["node"] for server in node.request("GET", "/v1/servers").ok()["servers"])


def wait_registry(nodes, up, entries=1):
    """Until every node has it, or not, with so many entries of others."""
    for node in nodes:
        wait_until(lambda n=node: nodes.metric(n, "banter_registry_up") == up, PATIENCE, "up")
        if up:
            wait_until(lambda n=node: nodes.metric(n, "banter_registry_entries") == entries,
                       PATIENCE, f"{entries} entries")


def assert_names_all(nodes):
    """Of a and b, where b has said eu/de."""
    assert told(nodes[0]) == told(nodes[1]) == ["a", "b"]
    first = nodes[0].request("GET", "/v1/servers?location=eu/de").ok()["servers"][0]
    assert first["node"] == "b" and first["location"] == "eu/de"


def assert_goes_on_without_database(nodes):
    """While PostgreSQL, which the first node runs, is away for longer than a lease: both are named,
    and what b says of itself still comes, though no turn brings it."""
    with stopped(nodes[0], "postgres"):
        wait_until(lambda: "lost its lease" in nodes[0].log("bridge"), PATIENCE, "no lease")
        assert told(nodes[0]) == told(nodes[1]) == ["a", "b"]
        nodes[1].operate("drain", "--over", "0")
        try:
            wait_until(lambda: told(nodes[0]) == ["a"], PATIENCE, "b drains")
        finally:
            nodes[1].operate("drain", "--off")
        wait_until(lambda: told(nodes[0]) == told(nodes[1]) == ["a", "b"], PATIENCE, "both again")
    nodes.wait_ready()
