# SPDX-License-Identifier: MIT
"""The report of a run: as a dictionary for machines and as text for people."""
import collections

from .rules import TABLE


def _times(values_us):
    values = sorted(values_us)
    if not values:
        return {"count": 0}
    return {"count": len(values), "p50_ms": _ms(values, 0.5), "p99_ms": _ms(values, 0.99),
            "max_ms": round(values[-1] / 1000, 1)}


def _ms(values, share):
    return round(values[min(len(values) - 1, int(share * len(values)))] / 1000, 1)


def summarize(run, command=""):
    counts = run.reader.counts
    return {
        "seed": run.cast.seed,
        "command": command,
        "devices": len(run.reader.devices),
        "conversations": len(run.cast.conversations),
        "entries": run.stored.entries,
        "drafts": counts["S"],
        "receipts": counts["A"],
        "resends": counts["T"],
        "refusals": counts["N"],
        "live": counts["D"],
        "synced": counts["Y"],
        "syncs": counts["Z"],
        "connections": counts["C"],
        "reconnects": counts["C"] - sum(1 for d in run.reader.devices.values() if d.connection),
        "holes": run.stream.holes,
        "member_changes": len(run.members_lines),
        "faults": dict(sorted(collections.Counter(f.name for f in run.faults.all).items())),
        "fault_count": len(run.faults.all),
        "points_passed": len(run.passed),
        "receipt_after_fault": {**_times(run.fault_rule.times),
                                "not_judged": run.fault_rule.unjudged},
        "missed_after_reconnect": {**_times(run.reconnects.times),
                                   "not_judged": run.reconnects.unjudged},
        "memory": run.memory.figures,
        "violations": {rule: run.violations.counts[rule] for rule in run.violations.rules()},
        "found": [{"rule": one.rule, "sentence": one.sentence, "proof": list(one.proof)}
                  for one in run.violations.kept],
    }


def _line(name, value):
    return f"{name:<35} {value}"


def _spread(times):
    if not times["count"]:
        return f"none judged, {times['not_judged']} not"
    return (f"p50 {times['p50_ms']} ms, p99 {times['p99_ms']} ms, max {times['max_ms']} ms "
            f"({times['count']} judged, {times['not_judged']} not)")


def as_text(summary):
    lines = [_line(name, f"{summary[key]:,}") for name, key in (
        ("devices", "devices"), ("conversations", "conversations"), ("entries stored", "entries"),
        ("drafts", "drafts"), ("receipts", "receipts"), ("published again", "resends"),
        ("refused in passing", "refusals"), ("delivered live", "live"),
        ("delivered by sync", "synced"), ("conversations synced", "syncs"),
        ("connections", "connections"), ("of them reconnects", "reconnects"),
        ("holes seen in streams", "holes"), ("changes of members", "member_changes"),
        ("faults", "fault_count"), ("fault points passed", "points_passed"))]
    lines += [_line(f"  {name}", f"{count:,}") for name, count in summary["faults"].items()]
    lines.append(_line("receipt after a fault", _spread(summary["receipt_after_fault"])))
    lines.append(_line("missed after a reconnect", _spread(summary["missed_after_reconnect"])))
    for name, one in summary["memory"].items():
        lines.append(_line(f"memory of {name}",
                           f"{one['calm_kb'] >> 10} MB calm, {one['highest_kb'] >> 10} at most, "
                           f"{one['end_kb'] >> 10} at the end; {one['highest_fds']} descriptors"))
    for one in summary["found"]:
        lines += ["", f"{one['rule']}: {one['sentence']}"]
        lines += [f"    {line}" for line in one["proof"]]
    lines.append("")
    for rule, number in summary["violations"].items():
        lines.append(f"{rule} {TABLE[rule]}: VIOLATED {number:,} times")
    lines.append(_line("seed", summary["seed"]))
    if summary["command"]:
        lines.append(_line("to repeat", summary["command"]))
    total = sum(summary["violations"].values())
    lines.append(f"{total:,} violations" if total else "no violations")
    return "\n".join(lines)
