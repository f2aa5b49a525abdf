# SPDX-License-Identifier: MIT
"""What is run in which order, on copies that only write down what they are asked for."""
import contextlib
import json
import socket
import types

from suite import copy, ejabberd, nodes, plan, results, rounds


class FakeCopy:
    """Answers every invocation with the same line."""

    def __init__(self, said, stored=0):
        self.asked, self.said, self.stored = [], said, stored
        self.environment = {"BANTER_MOSQUITTO": "m21"}

    def __enter__(self):
        self.asked.append(("up",))
        return self

    def __exit__(self, *_exception):
        self.asked.append(("down",))

    def bench(self, arguments, seconds=0):
        self.asked.append(tuple(arguments))
        return self.said

    def restart(self, service):
        self.asked.append(("restart", service))

    def query(self, _sql):
        return str(self.stored)

    def bare(self, mosquitto):
        return mosquitto

    def wait_for_index(self):
        self.asked.append(("wait for index",))
        return True

    def settle(self):
        self.asked.append(("settle",))

    @contextlib.contextmanager
    def crowd(self, users, seconds):
        self.asked.append(("crowd", users))
        yield
        self.asked.append(("gone", users))

    def names(self):
        return [words[0] for words in self.asked]


def runner(line, **changed):
    options = types.SimpleNamespace(**{
        "repeat": 2, "seconds": 10, "warm_up": 2, "minutes": 0, "only": [], "history": 0,
        "mosquitto": "m20", "ejabberd": False, **changed})
    document = results.new({"machine": {}, "versions": {}}, {}, "now")
    main = FakeCopy(line(messages_per_s=20000, messages_per_commit=287.6, cpu_system_us=70,
                         bare={"messages_per_s": 40000}))
    saved = []
    made = rounds.Rounds({"main": main}, document, options,
                         lambda: saved.append(json.dumps(document)))
    return made, main, document, saved


def test_every_work_is_run_in_every_round(line):
    made, main, document, saved = runner(line)
    made.play(made.targets)
    assert main.names().count("pairs") == 8 and main.names().count("restart") == 2
    assert set(document["works"]) == set(plan.WORK) and len(saved) == 2
    assert all(len(work["runs"]) == 2 for work in document["works"].values())
    assert main.names()[main.names().index("restart") + 1] == "connect"
    paced = [at for at, words in enumerate(main.asked) if "--rate" in words]
    assert len(paced) == 6
    assert all(main.asked[at - 1] == ("wait for index",) for at in paced)


def test_appends_have_the_batches_of_the_writer(line):
    made, main, _document, _saved = runner(line, only=["pairs", "append"])
    made.play(made.targets)
    assert main.asked[1][-2:] == ("--batch", "288")


def test_what_fails_is_noted_and_the_others_go_on(line, monkeypatch):
    made, main, document, _saved = runner(line, only=["append", "group"])
    made.play(made.targets)  # appends without the pairs whose batches they are to have
    assert made.failures == 2 and main.names() == ["group", "group"]
    assert document["notices"][0] == "append failed: append needs pairs in the same round"

    def fail(_arguments, seconds=0):
        raise copy.BenchFailed("lost\nmuch more")
    made, main, document, _saved = runner(line, only=["size"], repeat=1)
    monkeypatch.setattr(main, "bench", fail)
    made.play(made.growth)
    assert made.failures == 4 and document["notices"][0] == "size 200 failed: lost"


def test_the_other_copies_are_up_for_their_own_work_alone(line):
    made, _main, document, _saved = runner(line, only=[plan.PAIRS21, plan.HISTORY], history=5000)
    others = {name: FakeCopy(line(messages_per_s=1)) for name in ("mosquitto21", "history")}
    made.copies.update(others)
    made.targets(0)
    assert all(other.names() == ["up", "pairs", "down"] for other in others.values())
    assert "m21" in others["mosquitto21"].asked[1]
    assert set(document["works"]) == {plan.PAIRS21, plan.HISTORY}


def test_no_round_begins_that_would_end_too_late(line, monkeypatch):
    clock = iter(range(0, 10000, 40))
    monkeypatch.setattr(rounds.time, "monotonic", lambda: next(clock))
    made, _main, document, _saved = runner(line, repeat=9, minutes=3)
    done = []
    made.play(done.append)
    assert done == [0, 1]
    assert document["notices"] == ["2 of 9 rounds: the time was over"]


def test_the_first_round_is_always_run(line):
    made, _main, _document, _saved = runner(line, minutes=0.000001)
    made.longest = 100
    done = []
    made.play(done.append)
    assert done == [0]


def test_growth_beside_idle_users(line):
    made, main, document, _saved = runner(line, only=["connections"])
    made.growth(0)
    assert main.names() == ["pairs"] + ["crowd", "pairs", "gone"] * 3
    assert [p["x"] for p in document["growth"]["connections"]["points"]] == [0, 1000, 5000, 10000]


def test_each_number_of_nodes_has_its_own(line):
    made, main, document, _saved = runner(line, only=["nodes", "nodes_paced"])
    systems = []

    def start(count):
        systems.append((count, FakeCopy(line(cpu_system_us=70 * count))))
        return systems[-1][1]
    made.nodes = start
    made.growth(0)
    assert [count for count, _system in systems] == [1, 2, 4] * 2
    assert all(system.names() == ["up", "pairs", "down"] for _count, system in systems)
    assert main.asked == []
    points = document["growth"]["nodes_paced"]["points"]
    assert [(p["x"], p["runs"][0]["cpu_system_us"]) for p in points] == \
        [(1, 70), (2, 140), (4, 280)]


def test_what_is_told_of_further_nodes(line):
    class Node:
        def __init__(self, number):
            self.number, self.port_base, self.asked = number, 100 * number, []

        def pid(self, service):
            return f"{self.number}{'21'[service == 'broker']}"

        def bench(self, arguments):
            self.asked.append(arguments)
            return line()
    made = nodes.Nodes(3)
    made.copies = [Node(number) for number in (1, 2, 3)]
    made.redis = types.SimpleNamespace(process=types.SimpleNamespace(pid=9))
    made.bench(("pairs",))
    assert made.copies[0].asked == [
        ("pairs", "--further", "127.0.0.1:201/21/22,127.0.0.1:301/31/32", "--redis", "9")]
    alone = nodes.Nodes(1)
    alone.copies = [Node(1)]
    alone.bench(("pairs",))
    assert alone.copies[0].asked == [("pairs",)]


def test_a_history_grows_step_by_step(line):
    made, _main, document, _saved = runner(line, history=20000, repeat=1)
    made.copies["history"] = grown = FakeCopy(line(cpu_system_us=70), stored=1500)
    made.grown_history()
    points = document["growth"][plan.HISTORY]["points"]
    assert [p["x"] for p in points] == [5000, 20000]
    assert len(document["notices"]) == 2  # of 0 and 1,000 there is more already
    assert grown.names() == ["up", "pairs", "settle", "pairs", "pairs", "settle", "pairs", "down"]


def test_ports_that_are_taken_are_not_chosen():
    base = copy.free_port_base()
    with socket.socket() as s:
        s.bind(("127.0.0.1", base + 2))
        s.listen()
        assert copy.free_port_base(first=base) != base


def test_ejabberd_settings_name_what_they_must():
    text = ejabberd.CONFIG.format(port=5, database="d")
    assert "port: 5" in text and "sql_database: d" in text and "mod_mam" in text
