# SPDX-License-Identifier: MIT
"""I10 bounded: samples of the processes' memory, from memory.log.

Calm is what a process had while clients talked and before the first fault. A process that was
started anew in between must return to that just the same."""
import statistics

from . import Rule

CEILINGS_KB = {"broker": 1 << 20, "bridge": 1 << 20}   # unless the caller says otherwise
CALM_SAMPLES = 6              # before the first fault and at the end: 3 s
SLACK_KB = 32 * 1024
GROWTH = 1.5


class Memory(Rule):
    def __init__(self, run):
        super().__init__(run)
        self.figures = {}     # name -> kB: calm, highest, at the end; and descriptors

    def finish(self):
        samples = {}
        for line in self.run.memory_lines:
            f = line.split("\t")
            if len(f) < 5:
                self.report("I0", "memory.log has a line that is no sample", line)
                continue
            samples.setdefault(f[1], []).append((int(f[3]), int(f[4]), int(f[0]), line))
        for name, ceiling in {**CEILINGS_KB, **self.run.ceilings}.items():
            own = samples.get(name, [])
            calm = self._calm(own)
            if len(calm) < CALM_SAMPLES or len(own) < 2 * CALM_SAMPLES:
                self.report("I0", f"memory.log has {len(own)} samples of {name}, {len(calm)} of "
                                  "them before the first fault")
            else:
                self._judge(name, ceiling, own, calm)

    def _calm(self, own):
        first_us = min((fault.begin_us for fault in self.run.faults.all), default=None)
        if first_us is None:
            return own[:len(own) // 2][-CALM_SAMPLES:]
        return [one for one in own if one[2] < first_us][-CALM_SAMPLES:]

    def _judge(self, name, ceiling, own, calm_samples):
        calm = statistics.median(one[0] for one in calm_samples)
        end = statistics.median(one[0] for one in own[-CALM_SAMPLES:])
        highest = max(own)
        self.figures[name] = {
            "calm_kb": int(calm), "highest_kb": highest[0], "end_kb": int(end),
            "highest_fds": max(one[1] for one in own)}
        if highest[0] > ceiling:
            self.report("I10", f"{name} had {highest[0]} kB; its ceiling is {ceiling} kB",
                        highest[3])
        if end > GROWTH * calm + SLACK_KB:
            self.report("I10", f"{name} had {calm:.0f} kB at the beginning and keeps {end:.0f} kB "
                               "at the end", calm_samples[-1][3], own[-1][3])
