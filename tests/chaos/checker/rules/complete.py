# SPDX-License-Identifier: MIT
"""I8 complete: after the last sync nothing is missing anywhere."""
from . import Rule

SHOWN = 5


class Complete(Rule):
    def finish(self):
        for device in self.run.reader.devices.values():
            for conversation in self.run.members.conversations_at_end(device.handle):
                self._check(device, conversation)

    def _check(self, device, conversation):
        c = self.run.stored.conversations.get(conversation)
        length = len(c) if c else 0
        seen = device.of(conversation)
        if seen.position < length:
            missing = [seq for seq in range(seen.position + 1, length + 1)
                       if seq >= len(seen.have) or not seen.have[seq]]
            self.report("I8", f"{device.name} has not {len(missing)} of {length} entries of "
                              f"{conversation}", device.last_line, *map(c.row, missing[:SHOWN]))
        elif seen.complete < length:
            self.report("I8", f"{device.name} never said that it has everything of "
                              f"{conversation}: {seen.complete} of {length}", device.last_line)
        elif seen.complete > length:
            self.report("I8", f"{device.name} says that it has {seen.complete} entries of "
                              f"{conversation}, which has {length}", device.last_line)
