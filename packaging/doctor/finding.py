# SPDX-License-Identifier: MIT
"""What a check has found: one line for people, one object for scripts."""
import dataclasses

LEVELS = ("ok", "warning", "error")


@dataclasses.dataclass
class Finding:
    level: str
    text: str
    remedy: str = ""
    check: str = ""  # set by whoever ran the check

    def line(self):
        remedy = f". {self.remedy}" if self.remedy else ""
        return f"{self.level:<8} {self.check:<13} {self.text}{remedy}"


def ok(text):
    return Finding("ok", text)


def warning(text, remedy):
    return Finding("warning", text, remedy)


def error(text, remedy):
    return Finding("error", text, remedy)
