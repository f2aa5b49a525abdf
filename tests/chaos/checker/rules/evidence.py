# SPDX-License-Identifier: MIT
"""I0 evidence: whether the run says enough to be judged; every other rule passes on an empty log.
I12 contract: what the clients themselves found wrong."""
from . import Rule

# What a run must have at least; a caller may ask for more or, for a short run, for less.
LEAST = {"receipts": 1000, "deliveries": 1000, "syncs": 50, "faults": 5, "members": 0}
SHARE = 0.5        # of devices that must have got something live, and of faults judged or fired
AIMED = ".at."     # in the name of a fault at a fault point
FEW = 4            # fewer of these say nothing: what one waits for need not happen in half a minute


class Contract(Rule):
    def handlers(self):
        return {"E": lambda device, f: self.report(
            "I12", f"{device.name} saw what the contract forbids: {' '.join(f[4:])}", f)}


class Evidence(Rule):
    def finish(self):
        self._amounts()
        self._points()
        self._logs()
        self._devices()
        self._database()
        for what, problems in (("faults.log", self.run.faults.problems),
                               ("members.log", self.run.members.problems)):
            for line in problems:
                self.report("I0", f"{what} has a line that is not complete or has no end", line)

    def _amounts(self):
        counts = self.run.amounts()
        for what, least in self.run.least.items():
            if counts[what] < least:
                self.report("I0", f"too few {what}: {counts[what]} of at least {least}")
        judged = len(self.run.fault_rule.times)
        if judged < SHARE * len(self.run.faults.all):
            self.report("I0", f"recovery could be judged after {judged} of "
                              f"{len(self.run.faults.all)} faults only")

    def _points(self):
        aimed = sum(1 for fault in self.run.faults.all if AIMED in fault.name)
        if aimed >= FEW and len(self.run.passed) < SHARE * aimed:
            self.report("I0", f"of {aimed} fault points that were armed only "
                              f"{len(self.run.passed)} were passed")

    def _logs(self):
        for driver, lines in self.run.lines_of.items():
            if lines == 0:
                self.report("I0", f"the log of {driver} is empty or not there")
            receipts = sum(device.counts["A"] for device in self.run.reader.devices.values()
                           if device.driver == driver)
            if self._posts(driver) and not receipts:
                self.report("I0", f"no device of {driver} had a receipt")
        for line in self.run.reader.problems:
            self.report("I0", "a line of an event log is cut off or no event", line)

    def _posts(self, driver):
        """Whether the cast lets a device of this driver's users post."""
        return any(self.run.cast.driver_of[name] == driver
                   and name.split("/")[0] in self.run.cast.posters for name in self.run.cast.roles)

    def _devices(self):
        devices = self.run.reader.devices.values()
        for device in devices:
            connects = device.role != "http"
            if connects and (not device.counts["C"] or not device.ready_us):
                self.report("I0", f"{device.name} was never ready", device.last_line)
            elif not device.counts["Z"] and self.run.cast.conversations_of.get(device.handle):
                self.report("I0", f"{device.name}'s log ends before the last sync",
                            device.last_line)
        live = sum(1 for device in devices if device.counts["D"])
        if live < SHARE * len(self.run.reader.devices):
            self.report("I0", f"only {live} of {len(self.run.reader.devices)} devices got "
                              "something live")

    def _database(self):
        stored = self.run.stored
        if not stored.entries:
            self.report("I0", "the database holds no entry")
        if stored.undated:
            self.report("I0", f"{stored.undated} texts have no commit time: is "
                              "track_commit_timestamp on?")
        for conversation in self.run.cast.conversations:
            c = stored.conversations.get(conversation)
            if c is None or c.last_seq is None:
                self.report("I0", f"the database has no conversation {conversation}")
