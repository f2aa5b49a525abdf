# SPDX-License-Identifier: MIT
"""The arithmetic of clients/bench/simulate.py, on days that can be counted by hand."""
import dataclasses
import random

import pytest

import simulate
from simulate import CHANNEL, DIRECT, GROUP, Habits, Post, Session, World

HABITS = Habits(typing=1, cursors=0.5)
ANN, BOB, EVE = range(3)
PAIR, TEAM, NEWS = range(3)


def world(nodes=4):
    """Ann and Bob talk; all three are in a team and in a channel."""
    return World(nodes, [DIRECT, GROUP, CHANNEL],
                 [[PAIR, TEAM, NEWS], [PAIR, TEAM, NEWS], [TEAM, NEWS]], [[BOB], [ANN], []])


def count(sessions, posts=(), nodes=4, bins=1):
    tally = simulate.play(world(nodes), HABITS, sessions, posts, bins)
    return {name: sum(values) for name, values in tally.counts.items()} | {
        name: values[-1] for name, values in tally.gauges.items()}


@pytest.fixture(name="three")
def fixture_three():
    """Ann on node 0, Bob on 1, Eve on 1 and on 2, one after the other; nobody goes."""
    return [Session(ANN, 0, 1, 5000), Session(BOB, 1, 2, 5000), Session(EVE, 1, 3, 5000),
            Session(EVE, 2, 4, 5000)]


def test_who_is_there(three):
    found = count(three)
    assert (found["users online"], found["connections"], found["connects"]) == (3, 4, 4)
    # Node 0 holds Ann's three, node 1 Bob's three, node 2 Eve's two.
    assert found["subscriptions"] == found["subscribes"] == 8


@pytest.mark.parametrize("conversation, deliveries, elsewhere, copies, signals", [
    (PAIR, 1, 1, 1, 1.5),
    (TEAM, 3, 3, 2, 2.5),
    (NEWS, 3, 3, 2, 0),
])
def test_a_message_of_ann(three, conversation, deliveries, elsewhere, copies, signals):
    found = count(three, [Post(10, three[0], conversation)])
    assert (found["messages"], found["deliveries"]) == (1, deliveries)
    assert found["deliveries elsewhere"] == elsewhere
    assert (found["entry copies"], found["entry copies, all nodes"]) == (copies, 3)
    assert (found.get("signals", 0), found.get("signal copies", 0)) == (signals, signals * copies)
    assert found.get("signal copies, all nodes", 0) == signals * 3


def test_the_own_node_is_not_elsewhere(three):
    """Eve's first device: Bob and her own other device get the entry, he on her own node."""
    found = count(three, [Post(10, three[2], TEAM)])
    assert (found["deliveries"], found["deliveries elsewhere"]) == (3, 2)


def test_presence(three):
    found = count(three)
    assert found["presence news"] == 4  # Eve is news of two nodes
    assert found["presence copies"] == 4 * 3
    assert found["presence copies, watchers"] == 1  # Bob comes, Ann's node wants to know
    assert found["presence told"] == 1


def test_who_comes_back_soon_was_never_gone():
    first, soon = Session(ANN, 0, 1, 100), Session(ANN, 0, 100 + simulate.LINGER_S - 1, 5000)
    late = Session(ANN, 0, 100 + simulate.LINGER_S + 1, 5000)
    elsewhere = Session(ANN, 3, 110, 5000)
    assert (count([first, soon])["subscribes"], count([first, soon])["presence news"]) == (3, 1)
    assert (count([first, late])["subscribes"], count([first, late])["presence news"]) == (6, 3)
    found = count([first, elsewhere])
    assert (found["subscribes"], found["subscriptions"], found["presence news"]) == (6, 3, 3)


def test_who_has_just_gone_gets_copies_and_no_deliveries():
    ann, bob = Session(ANN, 0, 1, 5000), Session(BOB, 1, 1, 50)
    for at, deliveries, copies in ((50 - 1, 1, 1), (50 + 1, 0, 1), (51 + simulate.LINGER_S, 0, 0)):
        found = count([ann, bob], [Post(at, ann, PAIR)])
        assert (found["deliveries"], found["entry copies"]) == (deliveries, copies)


def test_means_and_peaks():
    tally = simulate.Tally(bins=2)
    tally.add("messages", 0, 900)
    tally.add("messages", simulate.BIN_S, 2700)
    tally.add("messages", -1)
    tally.add("messages", 2 * simulate.BIN_S)
    tally.read("connections", 0, 10)
    tally.read("connections", 1, 30)
    assert (tally.mean("messages"), tally.peak("messages")) == (2, 3)
    assert (tally.mean("connections"), tally.peak("connections")) == (20, 30)


def test_a_user_stands_for_many(three):
    tally = simulate.play(world(), HABITS, three, [Post(10, three[0], TEAM)], 1)
    one, ten = (simulate.report_of(tally, 4, factor) for factor in (1, 10))
    assert ten["deliveries"]["peak"] == pytest.approx(10 * one["deliveries"]["peak"])
    assert ten["messages"]["peak_over_mean"] == one["messages"]["peak_over_mean"] == 1
    assert ten["share elsewhere"] == one["share elsewhere"] == 1
    assert ten["nodes per message"] == 3


def test_the_bus():
    """Ten nodes, each with 50 news a second: it gathers for 20 ms, and waits 20 ms for the next."""
    bus = simulate.bus_of(10, entries=100, entry_copies=150, signals=0, signal_copies=0,
                          persons=500)
    beats = 10 / simulate.BEAT_S
    assert bus["published"] == pytest.approx(100 + 10 * 25 + beats)
    assert bus["out"]["entries"] == 250
    assert bus["out"]["bulletins"] == pytest.approx(10 * 10 * 25)
    assert bus["bytes"]["bulletins"] == pytest.approx(
        10 * (10 * 25 * simulate.MESSAGE_BYTES + 500 * simulate.PERSON_BYTES
              + 100 * simulate.HEAD_BYTES))
    assert bus["bytes"]["beats"] == pytest.approx(
        beats * 10 * (simulate.MESSAGE_BYTES + 9 * simulate.APPLIED_BYTES))


def test_beats_alone_when_nothing_happens():
    bus = simulate.bus_of(3, 0, 0, 0, 0, 0)
    assert bus["published"] == pytest.approx(3 / simulate.BEAT_S)
    assert bus["out"]["bulletins"] == bus["bytes"]["bulletins"] == 0


def made_day(seed, **changes):
    habits = dataclasses.replace(Habits(), **changes)
    rng = random.Random(seed)
    made = simulate.make_world(rng, habits, users=200, nodes=7)
    return made, *simulate.make_day(rng, habits, made)


def test_a_day_as_assumed():
    made, sessions, posts = made_day(1)
    begun = [session for session in sessions if session.begin >= 0]
    assert len(begun) / 200 == pytest.approx(12 + 0.25 * 3, rel=0.1)
    assert len(posts) / 200 == pytest.approx(40, rel=0.1)
    for post in posts:
        assert post.conversation in made.memberships[post.session.user]
        assert post.session.begin <= post.at <= post.session.end
    direct = sum(made.kinds[post.conversation] == DIRECT for post in posts)
    assert direct / len(posts) == pytest.approx(0.6, rel=0.1)


def test_sessions_go_to_their_region_and_use_every_node():
    made, sessions, _ = made_day(2)
    nodes = {}
    for session in sessions:
        nodes.setdefault(simulate.region_of(made.zones[session.user]), set()).add(session.node)
    assert set.union(*nodes.values()) == set(range(7))
    assert sum(map(len, nodes.values())) == 7


def test_fewer_nodes_than_regions():
    made, _, _ = made_day(3)
    made.nodes = 1
    assert set(simulate.nodes_of(made).values()) == {range(1)}


def test_the_same_seed_is_the_same_day():
    assert made_day(4)[1:] == made_day(4)[1:]
    assert made_day(4)[1:] != made_day(5)[1:]


def test_sizes_by_a_power_law():
    sizes = simulate.Power(random.Random(1), 1.2, 3, 1000)
    drawn = sorted(sizes.draw() for _ in range(5000))
    assert drawn[0] == 3 and drawn[-1] <= 1000
    assert drawn[2500] <= 6 and drawn[-50] > 50


def test_what_it_prints(capsys):
    simulate.main(["--users", "30", "--stands-for", "30", "--nodes", "2"])
    assert "nodes that a message reaches" in capsys.readouterr().out
    simulate.main(["--users", "30", "--nodes", "2", "--json"])
    assert '"bus without interest"' in capsys.readouterr().out
    with pytest.raises(SystemExit):
        simulate.main(["--nodes", "0"])
