# SPDX-License-Identifier: MIT
"""What `./banter bench all` measures: the work, what is wanted of it, and how cost is to grow.

Rule: everything that the report says of a target stands in TARGETS; the report knows no numbers.
"""
from typing import NamedTuple


class Work(NamedTuple):
    """One invocation of banter-bench in each round."""
    arguments: tuple
    bare: bool = False      # also on a bare Mosquitto
    timed: bool = True      # takes --seconds
    fresh: bool = False     # on a broker that has just been started
    rested: bool = False    # after the search has taken in what was written before
    batch_of: str = ""      # with as many rows in a commit as that work had messages


class Target(NamedTuple):
    work: str
    title: str
    metric: str
    sense: str
    wanted: float
    unit: str
    against: tuple = ()      # works, or "bare": what it is compared with
    is_ratio: bool = False   # the target is one of the ratio to the first of them


RATES = (1000, 5000, 10000)  # messages/s at which latencies are measured

WORK = {
    "pairs": Work(("pairs",), bare=True),
    "append": Work(("append",), batch_of="pairs"),
    **{f"rate{rate}": Work(("pairs", "--rate", str(rate)), bare=True, rested=True)
       for rate in RATES},
    "group": Work(("group", "--members", "100", "--senders", "10"), bare=True),
    "broadcast": Work(("broadcast", "--members", "1000"), bare=True),
    "connect": Work(("connect", "--clients", "10000", "--conversations", "50"), timed=False,
                    fresh=True),
    "replay": Work(("replay", "--messages", "100000"), timed=False),
    "inbox": Work(("inbox", "--conversations", "500", "--unread", "20", "--syncs", "10"),
                  timed=False),
}
# Only where asked for, or installed.
PAIRS21 = "pairs21"
EJABBERD = "ejabberd"
EJABBERD_PACED = "ejabberd1000"
EJABBERD_PAIRS = 1000
EJABBERD_WORK = {EJABBERD: ("ejabberd",), EJABBERD_PACED: ("ejabberd", "--rate", "1000")}
HISTORY = "history"

TARGETS = (
    Target("pairs", "1,000 pairs, saturated: durable messages/s", "messages_per_s", ">=", 28000,
           "", ("bare", "append", EJABBERD)),
    Target(PAIRS21, "1,000 pairs, saturated, on Mosquitto 2.1: durable messages/s",
           "messages_per_s", ">=", 36000, "", ("bare", "append")),
    *(Target(f"rate{rate}", f"send to delivery at {rate:,}/s, {name}", f"delivery_{name}_ms", "<=",
             wanted, "ms", ("bare",) if rate > 1000 else ("bare", EJABBERD_PACED))
      for rate, name, wanted in ((1000, "p50", 0.6), (1000, "p99", 2), (5000, "p50", 0.8),
                                 (5000, "p99", 4), (10000, "p50", 1.2), (10000, "p99", 20))),
    Target("group", "group of 100, all online: deliveries/s", "deliveries_per_s", ">=", 80000, "",
           ("bare",)),
    Target("group", "group of 100: part of a bare broker's fan-out", "deliveries_per_s", ">=", 0.9,
           "", ("bare",), True),
    Target("broadcast", "channel of 1,000 online: part of a bare broker's fan-out",
           "deliveries_per_s", ">=", 1.0, "", ("bare",), True),
    Target("connect", "10,000 users with 50 conversations: connected and attached per second",
           "connects_per_s", ">=", 3000, ""),
    Target("connect", "the same: connect to me/ready, p99", "ready_p99_ms", "<=", 2000, "ms"),
    Target("connect", "the same, idle: memory in broker and plugin per user",
           "broker_kib_per_user", "<=", 8, "KiB"),
    Target("replay", "replay of 100,000 messages over HTTP: messages/s", "entries_per_s", ">=",
           200000, ""),
    Target("inbox", "sync of 10,000 missed messages over 500 conversations, p50",
           "sync_warm_p50_ms", "<=", 500, "ms"),
    Target("pairs", "processor time per durable message, whole system", "cpu_system_us", "<=", 50,
           "µs", ("bare", "append", EJABBERD)),
    Target(HISTORY, "the same with a grown history", "cpu_system_us", "<=", 50, "µs", ("pairs",)),
)

# The works whose messages are weighed by process: the row of the table, the bar of the plot.
MESSAGES = {
    "pairs": ("1,000 pairs, saturated", "saturated"),
    PAIRS21: ("the same on Mosquitto 2.1", "Mosquitto 2.1"),
    HISTORY: ("the same with {history:,} messages stored before", "grown history"),
    **{f"rate{rate}": (f"at {rate:,}/s", f"{rate:,}/s") for rate in RATES},
}
PROCESSES = (("broker", "cpu_broker_us"), ("bridge", "cpu_bridge_us"),
             ("PostgreSQL", "cpu_postgres_us"))


class Series(NamedTuple):
    """How the cost of one thing grows: one invocation for each point in each round."""
    title: str
    axis: str
    points: tuple      # of x
    arguments: object  # x -> tuple
    metric: str
    unit: str
    idle: bool = False   # x users are connected and idle beside it
    nodes: bool = False  # on x nodes, of which each conversation's members are on different ones


def _pairs_of_size(size):
    """Fewer of them, so that what is on its way stays within bounds."""
    return ("pairs", "--pairs", "100", "--window", "2", "--size", str(size))


GROWTH = {
    "conversations": Series(
        "Conversations", "conversations of two that talk", (10, 100, 1000, 5000),
        lambda x: ("pairs", "--pairs", str(x), "--window", str(max(1, min(8, 8000 // x)))),
        "cpu_system_us", "µs per message"),
    "members": Series(
        "Members", "members of a group, all online", (2, 10, 100, 1000),
        lambda x: ("group", "--members", str(x), "--senders", str(min(x, 10)), "--window", "4"),
        "cpu_system_per_delivery_us", "µs per delivery"),
    "connections": Series(
        "Connections", "idle users with 50 conversations each beside the pairs",
        (0, 1000, 5000, 10000), lambda x: ("pairs",), "cpu_system_us", "µs per message",
        idle=True),
    "size": Series(
        "Message size", "bytes of text", (200, 1000, 10000, 100000), _pairs_of_size,
        "cpu_system_us", "µs per message"),
    "nodes": Series(
        "Nodes, saturated", "nodes on one database and one Redis", (1, 2, 4), lambda x: ("pairs",),
        "cpu_system_us", "µs per message", nodes=True),
    "nodes_paced": Series(
        "Nodes, at 1,000/s", "nodes on one database and one Redis", (1, 2, 4),
        lambda x: ("pairs", "--rate", "1000"), "cpu_system_us", "µs per message", nodes=True),
}
HISTORY_PAIRS = 1000


def history_arguments(rows):
    """The pairs with so many messages stored before."""
    return ("pairs", "--pairs", str(HISTORY_PAIRS), "--history", str(rows // HISTORY_PAIRS))


def history_series(rows):
    """In steps up to `rows`; the log never shrinks, so in this order."""
    points = (0, *(rows // part for part in (20, 4, 1) if rows // part >= HISTORY_PAIRS))
    return Series("History", "messages stored before", points, history_arguments, "cpu_system_us",
                  "µs per message")
