# SPDX-License-Identifier: MIT
"""banter-bench works and finds nothing lost, doubled or out of order. How fast things are is not
judged here, where the machine is busy with tests."""
import json
import subprocess

import pytest

from support.system import REPOSITORY, System
from support.lifetime import kept

pytestmark = pytest.mark.bench

MUST_BE_ZERO = ("refused", "failed", "unanswered", "missing", "duplicates", "disorder",
                "disconnected", "incomplete", "presence_stray", "presence_missing",
                "presence_echoes", "presence_wrong", "watches_refused", "push_again",
                "push_missing")
GRACE_MS = 1000


def bench(system, *arguments):
    """Runs it for a moment; the options and the medians of its JSON line."""
    done = subprocess.run([REPOSITORY / "banter", "--data", system.data, "bench", *arguments],
                          text=True, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "nothing refused, lost, doubled or out of order" in done.stdout
    line = json.loads(done.stdout.splitlines()[-1])
    medians = {name: value["median"] for name, value in line["banter"].items()}
    assert all(medians.get(name, 0) == 0 for name in MUST_BE_ZERO)
    return line["options"], medians


@pytest.mark.parametrize("load", [(), ("--rate", "200")], ids=["saturated", "paced"])
def test_pairs(banter, load):
    options, medians = bench(banter, "pairs", "--pairs", "10", "--seconds", "1", "--warm-up", "0",
                             *load)
    assert options["pairs"] == 10 and options["seconds"] == 1
    assert medians["messages_per_s"] > 100
    assert 0 < medians["delivery_p50_ms"] <= medians["delivery_p99_ms"]


def test_group(banter):
    _options, medians = bench(banter, "group", "--members", "10", "--senders", "2", "--seconds",
                              "1", "--warm-up", "0")
    assert medians["deliveries_per_s"] > 5 * medians["messages_per_s"] > 0


def test_channel(banter):
    _options, medians = bench(banter, "channel", "--members", "60", "--connected", "20", "--pairs",
                              "5", "--direct-rate", "50", "--rate", "20", "--seconds", "1",
                              "--warm-up", "0", "--joins", "5")
    assert medians["posts"] == 20 and medians["channel_deliveries_per_s"] > 100
    assert min(medians["alone_p99_ms"], medians["beside_p99_ms"]) > 0
    assert medians["join_ratio"] > 0 and medians["leave_ratio"] > 0


def test_push(make_system):
    system = make_system(BANTER_PUSH_WEBHOOKS="true", BANTER_PUSH_ALLOW_PRIVATE="true")
    _options, medians = bench(system, "push", "--members", "300", "--registered", "200",
                              "--pairs", "5", "--direct-rate", "50", "--seconds", "2",
                              "--warm-up", "0")
    assert medians["pushes"] == 200
    assert medians["push_first_ms"] <= medians["push_all_ms"]
    assert medians["push_direct_p50_ms"] > 0


def test_inbox(banter):
    _options, medians = bench(banter, "inbox", "--conversations", "20", "--unread", "3", "--syncs",
                              "3")
    assert medians["sync_mqtt_bytes"] > 20 * 3 * 200 < medians["sync_http_bytes"]
    assert all(medians[f"sync_{way}_p50_ms"] > 0 for way in ("cold", "warm", "http"))


@pytest.fixture(scope="module")
def hasty():
    """A copy whose grace time is short."""
    yield from kept(System(BANTER_PRESENCE_GRACE_MS=GRACE_MS))


def test_storm(hasty):
    """20 of 100 stay away: none of them a neighbor of another."""
    _options, medians = bench(hasty, "storm", "--clients", "100", "--watchers", "2", "--away", "20",
                              "--grace", str(GRACE_MS))
    assert medians["storm_answers"] == 200 and medians["storm_changes"] == 0
    assert medians["away_due"] == medians["away_seen"] == medians["back_seen"] > 0
    assert medians["away_after_ms"] >= GRACE_MS


def test_a_storm_of_false_news_is_found(hasty):
    """Who says that the grace time is longer than it is misses the quiet that it promises."""
    done = subprocess.run([REPOSITORY / "banter", "--data", hasty.data, "bench", "storm",
                           "--clients", "10", "--watchers", "1", "--spread", "2500", "--away", "0",
                           "--grace", "4000"],
                          text=True, capture_output=True, timeout=120, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    line = json.loads(done.stdout.splitlines()[-1])
    assert line["banter"]["presence_stray"]["median"] > 0


def test_replay(banter):
    _options, medians = bench(banter, "replay", "--messages", "2000", "--seconds", "1")
    assert medians["entries_per_s"] > 1000


def test_a_baseline_runs_beside_it(banter):
    """The same load on a bare Mosquitto, and the ratio between the two."""
    done = subprocess.run([REPOSITORY / "banter", "--data", banter.data, "bench", "pairs",
                           "--pairs", "10", "--seconds", "1", "--warm-up", "0", "--baseline",
                           "/usr/sbin/mosquitto"],
                          text=True, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    line = json.loads(done.stdout.splitlines()[-1])
    assert line["bare"]["messages_per_s"]["median"] > 0


def test_broadcast(banter):
    _options, medians = bench(banter, "broadcast", "--members", "20", "--seconds", "1",
                              "--warm-up", "0", "--rate", "20")
    assert medians["deliveries_per_s"] > 10 * medians["messages_per_s"] > 0


def test_append(banter):
    _options, medians = bench(banter, "append", "--pairs", "10", "--batch", "20", "--seconds",
                              "1", "--warm-up", "0")
    assert medians["messages_per_s"] > 100 and 15 < medians["messages_per_commit"] <= 20


def test_connect(banter):
    _options, medians = bench(banter, "connect", "--clients", "30", "--conversations", "4")
    assert medians["connects_per_s"] > 10
    assert 0 < medians["ready_p50_ms"] <= medians["ready_p99_ms"]
    assert abs(medians["broker_kib_per_user"]) < 1000


def test_a_history_is_there_before(banter):
    _options, medians = bench(banter, "pairs", "--pairs", "7", "--history", "300", "--seconds",
                              "1", "--warm-up", "0")
    assert medians["messages_per_s"] > 100
    line = (banter.data / "bridge.conf").read_text(encoding="utf-8")
    dsn = next(part for part in line.splitlines() if part.startswith("database "))
    stored = subprocess.run(["psql", "-XqAt", dsn.removeprefix("database "), "-c",
                             "SELECT count(*) FROM banter.messages WHERE seq <= 300 AND "
                             "conversation IN (SELECT conversation FROM banter.members JOIN "
                             "banter.users ON id = user_id WHERE handle ~ '^bench-p00000[0-6]')"],
                            text=True, capture_output=True, check=True)
    assert int(stored.stdout) == 7 * 300


def test_everything_in_rounds(tmp_path):
    """Two of its works on a copy of its own, and the tables and plots of that."""
    results = tmp_path / "results.json"
    done = subprocess.run([REPOSITORY / "banter", "bench", "all", "--only", "pairs,append",
                           "--repeat", "1", "--seconds", "1", "--warm-up", "0", "--out", results],
                          text=True, capture_output=True, timeout=200, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "of appends" in done.stdout and "of bare Mosquitto" in done.stdout
    works = json.loads(results.read_text(encoding="utf-8"))["works"]
    assert set(works) == {"pairs", "append"}
    assert works["pairs"]["runs"][0]["messages_per_s"] > 100
    batch = works["append"]["arguments"].index("--batch")
    assert int(works["append"]["arguments"][batch + 1]) >= 1
    page = tmp_path / "performance.md"
    page.write_text("<!-- what ./banter bench report writes begins here -->\n"
                    "<!-- what ./banter bench report writes ends here -->\n", encoding="utf-8")
    subprocess.run([REPOSITORY / "banter", "bench", "report", results, "--docs", tmp_path],
                   check=True, capture_output=True, timeout=60)
    assert "| 1,000 pairs, saturated: durable messages/s |" in page.read_text(encoding="utf-8")
    assert (tmp_path / "bench" / "rates.svg").exists()


def test_door(banter):
    done = subprocess.run([REPOSITORY / "banter", "--data", banter.data, "bench", "door", "--idle",
                           "60", "--receivers", "20", "--rounds", "3"],
                          text=True, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["burst"]["websocket"]["p50_ms"] > 0 and result["idle"]["idle"] == 60
