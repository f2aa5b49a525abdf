# SPDX-License-Identifier: MIT
"""What may come of a hostile input, said beside the input. An outcome finds the problem with what
was seen, or None; `a | b` allows either, which is for what MQTT leaves to the server, and where
Mosquitto 2.0 and 2.1 differ without harm."""
import json

from support.wire import (PUBACK, PUBCOMP, PUBREC, PUBREL, SUBACK, UNSUBACK,
                          take_properties)

NAMES = {PUBACK: "PUBACK", PUBREC: "PUBREC", PUBREL: "PUBREL", PUBCOMP: "PUBCOMP",
         SUBACK: "SUBACK", UNSUBACK: "UNSUBACK"}


class Outcome:
    def problem(self, seen, wire):
        raise NotImplementedError

    def __or__(self, other):
        return _Either(self, other)


class _Either(Outcome):
    def __init__(self, *choices):
        self._choices = choices

    def problem(self, seen, wire):
        found = [choice.problem(seen, wire) for choice in self._choices]
        return None if None in found else "; ".join(found)


class Ends(Outcome):
    """The connection is closed; nothing was acknowledged; MQTT 5 may say one of these reasons."""

    def __init__(self, *reasons):
        self._reasons = reasons

    def problem(self, seen, wire):
        if not seen.ended:
            return f"still open, and answered {seen.answers}"
        if seen.answers:
            return f"answered {seen.answers} before it closed"
        if self._reasons and seen.reason not in (None, *self._reasons):
            return f"closed with {seen.reason:#x}"
        return None


class Ignored(Outcome):
    """No answer, and the connection lives."""

    def problem(self, seen, wire):
        if seen.ended:
            return f"closed ({seen.reason})"
        return f"answered {seen.answers}" if seen.answers else None


def _codes(found, version):
    """The reason codes of an acknowledgement, as far as the version has them."""
    if found.type in (SUBACK, UNSUBACK):
        if version == 5:
            return list(take_properties(found.body[2:])[1])
        return list(found.body[2:])
    return [found.body[2] if len(found.body) > 2 else 0]


class Answered(Outcome):
    """One acknowledgement of this kind, with these codes in MQTT 5 and, where it has any, 3.1.1."""

    def __init__(self, kind, codes, codes_311=None):
        self._kind, self._codes, self._codes_311 = kind, codes, codes_311

    def problem(self, seen, wire):
        if seen.ended or len(seen.answers) != 1 or seen.answers[0].type != self._kind:
            return f"not one {NAMES[self._kind]}: {seen}"
        wanted = self._codes if wire.version == 5 else self._codes_311
        found = _codes(seen.answers[0], wire.version)
        if wanted is not None and found != list(wanted):
            return f"{NAMES[self._kind]} with {found}"
        return None


class Receipted(Outcome):
    """Acknowledged, in MQTT 5 with this code if one is given, and refused by a receipt."""

    def __init__(self, code, puback=None, kind=PUBACK):
        self._code, self._puback, self._kind = code, puback, kind

    def problem(self, seen, wire):
        if seen.ended or any(found.type != self._kind for found in seen.answers):
            return f"not only acknowledged: {seen}"
        if wire.version == 5 and self._puback is not None and (
                [_codes(found, 5) for found in seen.answers] != [[self._puback]]):
            return f"acknowledged with {seen.answers}"
        _, payload = wire.until(lambda topic, _: topic == "me/receipt", seen)
        receipt = json.loads(payload)
        if receipt.get("error", {}).get("code") != self._code or "seq" in receipt:
            return f"receipt {receipt}"
        return None


NOT_AUTHORIZED = 0x87


def refused():
    """A PUBLISH that MQTT itself refuses: 3.1.1 acknowledges it and has no code."""
    return Answered(PUBACK, [NOT_AUTHORIZED])


def not_granted(count=1):
    """A SUBSCRIBE of so many filters, none of which is granted."""
    return Answered(SUBACK, [NOT_AUTHORIZED] * count, [0x80] * count)
