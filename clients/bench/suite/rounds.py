# SPDX-License-Identifier: MIT
"""The rounds: every work once in each, so that a machine that slows down slows all of them, and a
run that is cut short has whole rounds."""
import contextlib
import time

from suite import ejabberd, plan, results
from suite.copy import BenchFailed
from suite.nodes import Nodes


class Rounds:
    """`copies` has the copy "main", and those of them that were asked for: "mosquitto21",
    "history". Only "main" is up all the time."""

    def __init__(self, copies, document, options, save, nodes=Nodes):
        self.copies, self.document, self.options, self.save = copies, document, options, save
        self.nodes = nodes
        self.until = time.monotonic() + options.minutes * 60 if options.minutes else None
        self.longest = 0
        self.failures = 0

    def _timed(self, arguments):
        o = self.options
        return (*arguments, "--seconds", str(o.seconds), "--warm-up", str(o.warm_up))

    def _say(self, text):
        print(f"{time.strftime('%H:%M:%S')}  {text}", flush=True)

    @contextlib.contextmanager
    def _noting(self, what):
        """What fails is left out of this round, and said; the others go on."""
        try:
            yield
        except BenchFailed as error:
            self.failures += 1
            self.document["notices"].append(f"{what} failed: {error}".partition("\n")[0])
            self._say(f"  {what} failed: {error}")

    def play(self, one_round):
        """`one_round(index)` so many times as were asked for, or as there is time for."""
        for index in range(self.options.repeat):
            began = time.monotonic()
            if self.until and index > 0 and began + self.longest > self.until:
                notice = f"{index} of {self.options.repeat} rounds: the time was over"
                self.document["notices"].append(notice)
                self._say(notice)
                break
            self._say(f"round {index + 1} of {self.options.repeat}")
            one_round(index)
            self.longest = max(self.longest, time.monotonic() - began)
            self.save()

    # ------------------------------------------------------------ the works of `all`

    def _arguments(self, work, name, index, copy):
        arguments = work.arguments
        if work.timed:
            arguments = self._timed(arguments)
        if work.bare:
            arguments = (*arguments, "--baseline", copy.bare(self.options.mosquitto))
        if work.batch_of:
            batch = self._batch_of(work.batch_of, index)
            if batch is None:
                raise BenchFailed(f"{name} needs {work.batch_of} in the same round")
            arguments = (*arguments, "--batch", str(batch))
        return arguments

    def _batch_of(self, name, index):
        """The batches of the writer, as that work had them in this round."""
        runs = results.runs_of(self.document, name)
        size = runs[index].get("messages_per_commit") if index < len(runs) else None
        return max(1, round(size)) if size else None

    def _one_work(self, name, work, index, copy):
        with self._noting(name):
            if work.fresh:
                copy.restart("broker")
            if work.rested and not copy.wait_for_index():
                self._say("  the search is behind, and works on beside what follows")
            self._run(name, index, copy, self._arguments(work, name, index, copy))

    def _run(self, name, index, copy, arguments):
        self._say(f"  {' '.join(arguments)}")
        results.add_work(self.document, name, index, arguments, copy.bench(arguments))

    def targets(self, index):
        chosen = self.options.only
        for name, work in plan.WORK.items():
            if not chosen or name in chosen:
                self._one_work(name, work, index, self.copies["main"])
        if self.options.ejabberd and (not chosen or plan.EJABBERD in chosen):
            self._ejabberd(index, self.copies["main"])
        if "mosquitto21" in self.copies and (not chosen or plan.PAIRS21 in chosen):
            with self._noting(plan.PAIRS21), self.copies["mosquitto21"] as copy:
                self._run(plan.PAIRS21, index, copy,
                          (*self._timed(plan.WORK["pairs"].arguments), "--baseline",
                           copy.bare(copy.environment["BANTER_MOSQUITTO"])))
        if "history" in self.copies and (not chosen or plan.HISTORY in chosen):
            with self._noting(plan.HISTORY), self.copies["history"] as copy:
                self._run(plan.HISTORY, index, copy,
                          self._timed(plan.history_arguments(self.options.history)))

    def _ejabberd(self, index, copy):
        with self._noting(plan.EJABBERD), \
                ejabberd.Ejabberd(copy, plan.EJABBERD_PAIRS) as server:
            where = ("--mqtt", server.address, "--pids", f"{server.pid},0,{copy.pid('postgres')}")
            for name, arguments in plan.EJABBERD_WORK.items():
                self._run(name, index, copy, (*self._timed(arguments), *where))

    # ------------------------------------------------------------ growth

    def _point(self, name, series, index, x, copy):
        arguments = self._timed(series.arguments(x))
        self._say(f"  {series.title} {x:,}: {' '.join(arguments)}")
        idle = copy.crowd(x, seconds=600) if series.idle and x > 0 else contextlib.nullcontext()
        with self._noting(f"{name} {x:,}"), idle:
            results.add_point(self.document, name, series, index, x, copy.bench(arguments))

    def _point_of_nodes(self, name, series, index, x):
        arguments = self._timed(series.arguments(x))
        self._say(f"  {series.title} {x}: {' '.join(arguments)}")
        with self._noting(f"{name} {x}"), self.nodes(x) as nodes:
            results.add_point(self.document, name, series, index, x, nodes.bench(arguments))

    def growth(self, index):
        for name, series in plan.GROWTH.items():
            if not self.options.only or name in self.options.only:
                for x in series.points:
                    if series.nodes:
                        self._point_of_nodes(name, series, index, x)
                    else:
                        self._point(name, series, index, x, self.copies["main"])

    def grown_history(self):
        """Not in rounds, because a log does not shrink: all runs of a step one after the other."""
        series = plan.history_series(self.options.history)
        with self.copies["history"] as copy:
            stored = int(copy.query("SELECT coalesce(sum(last_seq), 0) FROM banter.conversations"))
            for x in series.points:
                if stored > x:
                    self.document["notices"].append(f"history of {x:,}: there is more already")
                    continue
                if x > 0:
                    seed_history(copy, x, self._say)
                for index in range(self.options.repeat):
                    self._point(plan.HISTORY, series, index, x, copy)
                self.save()


def seed_history(copy, rows, say):
    """Fills the logs of the pairs, and lets PostgreSQL come to rest."""
    say(f"  storing {rows:,} messages")
    copy.bench((*plan.history_arguments(rows), "--seconds", "1", "--warm-up", "0"), seconds=3600)
    copy.settle()
