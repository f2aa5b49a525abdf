#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Presence and fan-out of a large Banter, without any: what goes between nodes on one day.

A few thousand users, each with all their conversations, stand for many more: what a user does, and
on how many nodes those sit whom it concerns, does not depend on how many users a node has. So rates
are multiplied, and the number of nodes is the real one. docs/scaling.md says what comes of it.

    ./banter bench simulate [--users N] [--stands-for N] [--nodes N] [--zones one] [--json]
"""
import argparse
import bisect
import collections
import dataclasses
import itertools
import json
import math
import random
import sys

DAY_S = 86400
BIN_S = 900
WARM_UP_S = 6 * 3600  # sessions that begin before the day, and may last into it
LINGER_S = 30         # INTEREST_LINGER_MS in bridge/core/cluster/interests.h; presence_grace_ms

# Of the people of the world, by hours from UTC; and how busy people are by their own clock.
ZONES = {-8: 4, -6: 6, -5: 8, -3: 7, 0: 7, 1: 9, 2: 9, 3: 8, 5.5: 20, 7: 8, 8: 10, 9: 4}
REGIONS = ((-12, -2), (-2, 4), (4, 14))  # where the nodes stand: hours from UTC, from and below
BUSY = (2, 1, 1, 1, 1, 2, 4, 6, 7, 7, 7, 7, 8, 8, 7, 7, 7, 8, 9, 10, 10, 9, 7, 4)

DIRECT, GROUP, CHANNEL = range(3)

# Bytes between nodes: what bridge/core/cluster/news.h writes, with its seal, and about 60 of Redis.
ENTRY_BYTES = 520   # a text of 200 bytes as JSON
SIGNAL_BYTES = 260
PERSON_BYTES = 45
HEAD_BYTES = 25
MESSAGE_BYTES = 110  # of a bulletin or beat, without what is in it
APPLIED_BYTES = 27   # in a beat, for each other node
BEAT_S, GATHER_S, HEADS_S = 0.3, 0.02, 0.25  # bridge/core/cluster/parts.h


@dataclasses.dataclass
class Habits:
    """Of the average user, per day. Assumptions, all of them: change what you know better."""
    messages: float = 40
    shares: tuple = (0.60, 0.395, 0.005)  # of the messages: direct, group, channel
    phone_sessions: float = 12
    phone_minutes: float = 8
    desktop_share: float = 0.25  # of the users
    desktop_sessions: float = 3
    desktop_minutes: float = 120
    same_zone: float = 0.85  # of those whom one talks with
    typing: float = 1        # signals per message that is not in a channel
    cursors: float = 0.5     # per such message and device that got it


@dataclasses.dataclass
class World:
    """Who is where. Conversations are numbers; kinds[conversation]; the rest goes by user."""
    nodes: int
    kinds: list
    memberships: list
    contacts: list
    zones: list = dataclasses.field(default_factory=list)


Session = collections.namedtuple("Session", "user node begin end")
Post = collections.namedtuple("Post", "at session conversation")


class Tally:
    """Counts by BIN_S of a day; gauges are read at the end of each bin."""

    def __init__(self, bins=DAY_S // BIN_S):
        self.bins = bins
        self.counts = collections.defaultdict(lambda: [0.0] * bins)
        self.gauges = collections.defaultdict(lambda: [0.0] * bins)

    def add(self, name, at, count=1):
        if 0 <= at < self.bins * BIN_S:
            self.counts[name][int(at // BIN_S)] += count

    def read(self, name, index, value):
        self.gauges[name][index] = value

    def mean(self, name):
        """Per second, or of the gauge."""
        if name in self.gauges:
            return sum(self.gauges[name]) / self.bins
        return sum(self.counts[name]) / self.bins / BIN_S

    def peak(self, name):
        if name in self.gauges:
            return max(self.gauges[name])
        return max(self.counts[name]) / BIN_S


# ---------------------------------------------------------------- what happens

class Play:
    """Goes through sessions and posts in the order of time, and counts what nodes tell each other.

    A node *holds* a conversation (is subscribed to it) from when a member comes until LINGER_S
    after the last one has gone; likewise it tells the others of a user.
    """

    def __init__(self, world, habits, tally):
        self.world, self.habits, self.tally = world, habits, tally
        count = len(world.kinds)
        self.here = [collections.Counter() for _ in range(count)]  # conversation: node -> devices
        self.held = [collections.Counter() for _ in range(count)]  # the same, with those who linger
        self.where = [collections.Counter() for _ in world.contacts]  # user: node -> as in held
        self.devices = [0] * len(world.contacts)
        self.users = self.connections = self.subscriptions = 0

    def begin(self, at, session):
        user, node = session.user, session.node
        for conversation in self.world.memberships[user]:
            self.here[conversation][node] += 1
            held = self.held[conversation]
            held[node] += 1
            if held[node] == 1:
                self.subscriptions += 1
                self.tally.add("subscribes", at)
        self.connections += 1
        self.tally.add("connects", at)
        self.devices[user] += 1
        self.users += self.devices[user] == 1
        where = self.where[user]
        if not where:
            self._tell_watchers(at, user)
        where[node] += 1
        if where[node] == 1:
            self._tell_nodes(at, user, node)

    def end(self, at, session):
        user, node = session.user, session.node
        for conversation in self.world.memberships[user]:
            _take(self.here[conversation], node)
        self.connections -= 1
        self.devices[user] -= 1
        self.users -= self.devices[user] == 0

    def gone(self, at, session):
        """LINGER_S after the end."""
        user, node = session.user, session.node
        for conversation in self.world.memberships[user]:
            if _take(self.held[conversation], node):
                self.subscriptions -= 1
        where = self.where[user]
        if _take(where, node):
            self._tell_nodes(at, user, node)
        if not where:
            self._tell_watchers(at, user)

    def post(self, at, session, conversation):
        here = self.here[conversation]
        devices = sum(here.values())
        others = len(self.held[conversation]) - 1  # nodes
        add = self.tally.add
        add("messages", at)
        add("deliveries", at, devices - 1)
        add("deliveries elsewhere", at, devices - here[session.node])
        add("entry copies", at, others)
        add("entry copies, all nodes", at, self.world.nodes - 1)
        if self.world.kinds[conversation] != CHANNEL:
            signals = self.habits.typing + self.habits.cursors * (devices - 1)
            add("signals", at, signals)
            add("signal copies", at, signals * others)
            add("signal copies, all nodes", at, signals * (self.world.nodes - 1))

    def _tell_nodes(self, at, user, node):
        """What the node makes of the user has changed; all others hear it."""
        nodes = set()
        for contact in self.world.contacts[user]:
            nodes.update(self.where[contact])
        nodes.discard(node)
        self.tally.add("presence news", at)
        self.tally.add("presence copies, watchers", at, len(nodes))
        self.tally.add("presence copies", at, self.world.nodes - 1)

    def _tell_watchers(self, at, user):
        """What others see of the user has changed."""
        self.tally.add("presence told", at,
                       sum(self.devices[contact] for contact in self.world.contacts[user]))

    def read(self, index):
        self.tally.read("users online", index, self.users)
        self.tally.read("connections", index, self.connections)
        self.tally.read("subscriptions", index, self.subscriptions)


def _take(counter, key):
    """True: it was the last one."""
    counter[key] -= 1
    if counter[key]:
        return False
    del counter[key]
    return True


def play(world, habits, sessions, posts, bins=DAY_S // BIN_S):
    """The day's tally. What happens at one moment happens as comings, posts, goings."""
    tally = Tally(bins)
    state = Play(world, habits, tally)
    events = [(s.begin, 0, s, None) for s in sessions]
    events += [(p.at, 1, p.session, p.conversation) for p in posts]
    events += [(s.end, 2, s, None) for s in sessions]
    events += [(s.end + LINGER_S, 3, s, None) for s in sessions]
    events.sort(key=lambda event: event[:2])
    index = 0
    for at, what, session, conversation in events:
        while index < bins and at >= (index + 1) * BIN_S:
            state.read(index)
            index += 1
        if index == bins:
            break
        if what == 1:
            state.post(at, session, conversation)
        else:
            (state.begin, None, state.end, state.gone)[what](at, session)
    for rest in range(index, bins):
        state.read(rest)
    return tally


# ---------------------------------------------------------------- a world

class Power:
    """Whole numbers from `least` to `most`, large ones by a power law."""

    def __init__(self, rng, alpha, least, most):
        self.rng, self.alpha, self.least = rng, alpha, least
        self.span = 1 - (least / most) ** alpha

    def draw(self):
        return int(self.least * (1 - self.rng.random() * self.span) ** (-1 / self.alpha))


def _zones(rng, users, only_one):
    zones = {0: 1} if only_one else ZONES
    return rng.choices(list(zones), weights=list(zones.values()), k=users)


def make_world(rng, habits, users, nodes, only_one_zone=False):
    zones = _zones(rng, users, only_one_zone)
    neighbors = collections.defaultdict(list)
    for user, zone in enumerate(zones):
        neighbors[zone].append(user)
    world = World(nodes, [], [[] for _ in range(users)], [[] for _ in range(users)], zones)

    def somebody(near):
        if rng.random() < habits.same_zone:
            return rng.choice(neighbors[zones[near]])
        return rng.randrange(users)

    def converse(kind, members):
        for user in members:
            world.memberships[user].append(len(world.kinds))
        world.kinds.append(kind)

    partners = Power(rng, 1.3, 3, 300)  # each pair is drawn from one side
    for user in range(users):
        others = {somebody(user) for _ in range(partners.draw())} - {user}
        for other in sorted(others - set(world.contacts[user])):
            world.contacts[user].append(other)
            world.contacts[other].append(user)
            converse(DIRECT, (user, other))
    for kind, each, sizes in ((GROUP, 8, Power(rng, 1.2, 3, 1000)),
                              (CHANNEL, 4, Power(rng, 0.8, 20, 100000))):
        places = users * each
        while places > 0:
            first = rng.randrange(users)
            size = min(sizes.draw(), users)
            members = {first} | {somebody(first) for _ in range(size - 1)}
            converse(kind, sorted(members))
            places -= len(members)
    return world


def nodes_of(world):
    """Zone -> its region's nodes, of which each region has as many as it has users."""
    by_region = collections.Counter(region_of(zone) for zone in world.zones)
    ends = list(itertools.accumulate(by_region[region] for region in range(len(REGIONS))))
    edges = [0] + [round(world.nodes * end / ends[-1]) for end in ends]
    found = {}
    for zone in set(world.zones):
        first, last = edges[region_of(zone)], edges[region_of(zone) + 1]
        found[zone] = range(first, last) if last > first else range(world.nodes)
    return found


def region_of(zone):
    return next(i for i, (least, below) in enumerate(REGIONS) if least <= zone < below)


def _poisson(rng, mean):
    """Knuth's, good for the small means here."""
    limit, product, count = math.exp(-mean), rng.random(), 0
    while product > limit:
        product *= rng.random()
        count += 1
    return count


def make_day(rng, habits, world):
    """Sessions and posts. Where a session goes is any node of the user's region."""
    nodes = nodes_of(world)
    kinds = [([], [], []) for _ in world.memberships]
    for user, conversations in enumerate(world.memberships):
        for conversation in conversations:
            kinds[user][world.kinds[conversation]].append(conversation)
    sessions, posts = [], []
    for user, zone in enumerate(world.zones):
        devices = [(habits.phone_sessions, habits.phone_minutes)]
        if rng.random() < habits.desktop_share:
            devices.append((habits.desktop_sessions, habits.desktop_minutes))
        each = habits.messages / sum(count for count, _ in devices)
        for (count, minutes), day in itertools.product(devices, (-1, 0)):
            for _ in range(_poisson(rng, count)):
                hour = rng.choices(range(24), BUSY)[0] + rng.random() - zone
                begin = day * DAY_S + hour * 3600 % DAY_S
                length = rng.lognormvariate(math.log(minutes * 60) - 0.5, 1)
                if begin < -WARM_UP_S:
                    continue
                session = Session(user, rng.choice(nodes[zone]), begin, begin + length)
                sessions.append(session)
                posts += _posts(rng, habits, session, each, kinds[user])
    return sessions, posts


_weights = list(itertools.accumulate(1 / rank for rank in range(1, 2001)))


def _posts(rng, habits, session, mean, kinds):
    """What one writes most goes where one wrote before: Zipf over the conversations of a kind."""
    for _ in range(_poisson(rng, mean)):
        at = rng.uniform(session.begin, session.end)
        [kind] = rng.choices((DIRECT, GROUP, CHANNEL), habits.shares)
        found = kinds[kind] or kinds[DIRECT] or kinds[GROUP]
        if found and at >= 0:
            count = min(len(found), len(_weights))
            rank = bisect.bisect(_weights, rng.random() * _weights[count - 1])
            yield Post(at, session, found[min(rank, count - 1)])


# ---------------------------------------------------------------- what comes of it

def bus_of(nodes, entries, entry_copies, signals, signal_copies, persons):
    """Per second: what is published, what Redis hands out, and its bytes. A node that publishes
    gets its own message back, as it is subscribed too."""
    own = persons / nodes
    bulletins = nodes * max(1 / (GATHER_S + 1 / own) if own else 0, 1 / HEADS_S if entries else 0)
    beats = nodes / BEAT_S
    out = {
        "entries": (entries + entry_copies, ENTRY_BYTES),
        "signals": (signals + signal_copies, SIGNAL_BYTES),
        "bulletins": (bulletins * nodes, MESSAGE_BYTES + _share(
            persons * PERSON_BYTES + entries * HEAD_BYTES, bulletins)),
        "beats": (beats * nodes, MESSAGE_BYTES + (nodes - 1) * APPLIED_BYTES),
    }
    return {
        "published": entries + signals + bulletins + beats,
        "out": {name: count for name, (count, _) in out.items()},
        "bytes": {name: count * size for name, (count, size) in out.items()},
    }


def _share(amount, count):
    return amount / count if count else 0


def report_of(tally, nodes, factor):
    """Everything, multiplied by how many users one stands for."""
    def both(name, times=factor):
        mean, peak = tally.mean(name) * times, tally.peak(name) * times
        return {"mean": mean, "peak": peak, "peak_over_mean": _share(peak, mean)}

    lines = ("users online", "connections", "connects", "messages", "deliveries",
             "deliveries elsewhere", "signals", "presence news", "presence told", "subscriptions",
             "subscribes", "entry copies", "entry copies, all nodes", "signal copies",
             "signal copies, all nodes", "presence copies", "presence copies, watchers")
    report = {name: both(name) for name in lines}

    def bus(which, entry, signal):
        value = {name: report[name][which] for name in lines}
        return bus_of(nodes, value["messages"], value[entry], value["signals"], value[signal],
                      value["presence news"])
    report["bus"] = {which: bus(which, "entry copies", "signal copies")
                     for which in ("mean", "peak")}
    report["bus without interest"] = {
        which: bus(which, "entry copies, all nodes", "signal copies, all nodes")
        for which in ("mean", "peak")}
    report["share elsewhere"] = _share(tally.mean("deliveries elsewhere"),
                                       tally.mean("deliveries"))
    report["nodes per message"] = 1 + _share(tally.mean("entry copies"), tally.mean("messages"))
    return report


def show(report, options, world):
    members = sum(map(len, world.memberships)) / len(world.memberships)
    print(f"{options.users:,} users stand for {options.stands_for:,}, on {options.nodes} nodes; "
          f"{members:.0f} conversations each\n")
    print(f"{'per second, or at one time':36}{'mean':>14}{'peak':>14}{'peak/mean':>11}")
    for name, value in report.items():
        if isinstance(value, dict) and "peak_over_mean" in value:
            print(f"{name:36}{value['mean']:14,.0f}{value['peak']:14,.0f}"
                  f"{value['peak_over_mean']:11.2f}")
    print(f"\ndeliveries to another node than the sender's: {report['share elsewhere']:.1%}; "
          f"nodes that a message reaches: {report['nodes per message']:.1f}\n")
    for name in ("bus", "bus without interest"):
        peak = report[name]["peak"]
        print(f"{name}, at the peak: {peak['published']:,.0f} published/s, "
              f"{sum(peak['out'].values()):,.0f} handed out/s, "
              f"{sum(peak['bytes'].values()) / 1e6:,.0f} MB/s; of these "
              + ", ".join(f"{part} {peak['out'][part]:,.0f}/s {peak['bytes'][part] / 1e6:,.0f} MB/s"
                          for part in peak["out"]))


def read_options(arguments):
    habits = Habits()
    parser = argparse.ArgumentParser(prog="banter bench simulate", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=5000, help="that are gone through one by one")
    parser.add_argument("--stands-for", type=int, default=50_000_000, help="daily users")
    parser.add_argument("--nodes", type=int, default=64)
    parser.add_argument("--messages", type=float, default=habits.messages, help="per user and day")
    parser.add_argument("--zones", choices=("world", "one"), default="world")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    if min(options.users, options.stands_for, options.nodes) < 1:
        parser.error("there is at least one user, and one node")
    return options, dataclasses.replace(habits, messages=options.messages)


def main(arguments):
    options, habits = read_options(arguments)
    rng = random.Random(options.seed)
    world = make_world(rng, habits, options.users, options.nodes, options.zones == "one")
    tally = play(world, habits, *make_day(rng, habits, world))
    report = report_of(tally, options.nodes, options.stands_for / options.users)
    if options.json:
        json.dump(report, sys.stdout, indent=1)
        print()
    else:
        show(report, options, world)


if __name__ == "__main__":
    main(sys.argv[1:])
