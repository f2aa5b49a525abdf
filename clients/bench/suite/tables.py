# SPDX-License-Identifier: MIT
"""Results as rows of text: for a terminal and in Markdown."""
from suite import plan, results, stats

HEADER = ("work", "target", "result (lowest–highest)", "against", "met")
NAMES = {"bare": "bare Mosquitto", "append": "appends", plan.EJABBERD: "ejabberd",
         plan.EJABBERD_PACED: "ejabberd", "pairs": "without"}
PROCESS_HEADER = ("processor time per message", *(name for name, _m in plan.PROCESSES), "together",
                  "messages per commit")


def number(value, unit=""):
    """Three digits that count, and separators."""
    size = abs(value)
    digits = 0 if size >= 100 or value == int(value) else 1 if size >= 10 else 2
    return f"{value:,.{digits}f}{' ' + unit if unit else ''}"


def interval(spread, unit=""):
    if spread.count == 1:
        return f"{number(spread.median, unit)} (one run)"
    return f"{number(spread.median, unit)} ({number(spread.low)}–{number(spread.high)})"


def compared(document, target, runs):
    """ "0.46 of bare Mosquitto (44,100)" for each baseline that ran."""
    parts = []
    for against in target.against:
        others = results.baseline_of(document, target.work, against)
        ratio = stats.ratio(runs, others, target.metric)
        if ratio:
            baseline = stats.of_metric(others, target.metric)
            parts.append(f"{ratio.median:.2f} of {NAMES[against]} "
                         f"({number(baseline.median, target.unit)})")
    return ", ".join(parts) or "–"


def row(document, target):
    """The cells of one target; None when its work did not run."""
    runs = results.runs_of(document, target.work)
    if target.is_ratio:
        value = stats.ratio(runs, results.baseline_of(document, target.work, target.against[0]),
                            target.metric)
        against = "–"
    else:
        value = stats.of_metric(runs, target.metric)
        against = compared(document, target, runs)
    if value is None:
        return None
    sign = {">=": "≥", "<=": "≤"}[target.sense]
    met = stats.is_met(value.median, target.sense, target.wanted)
    return (target.title, f"{sign} {number(target.wanted, target.unit)}",
            interval(value, target.unit), against, "yes" if met else "**no**")


def target_rows(document):
    return [cells for target in plan.TARGETS if (cells := row(document, target))]


def process_rows(document):
    """Where the processor time of a message goes, in the works that send messages."""
    rows = []
    history = document["settings"].get("history") or 0
    for name, (title, _bar) in plan.MESSAGES.items():
        runs = results.runs_of(document, name)
        values = [stats.of_metric(runs, metric) for _n, metric in plan.PROCESSES]
        together = stats.of_metric(runs, "cpu_system_us")
        if together is None or None in values:
            continue
        batch = stats.of_metric(runs, "messages_per_commit")
        rows.append((title.format(history=history), *(number(v.median, "µs") for v in values),
                     number(together.median, "µs"), number(batch.median) if batch else "–"))
    return rows


def growth_rows(series):
    """One row for each point: x, cost, and its ratio to the first."""
    rows = []
    first = None
    for point in series["points"]:
        value = stats.of_metric(point["runs"], series["metric"])
        if value is None:
            continue
        first = first or value.median
        rate = stats.of_metric(point["runs"], "messages_per_s")
        rows.append((f"{point['x']:,}", interval(value, "µs"), f"{value.median / first:.2f}",
                     number(rate.median) if rate else "–"))
    return rows


def foreign_load(document):
    """Cores that others took while it was measured: the median over all runs, and the most."""
    values = [run.get("cpu_others") for work in document["works"].values() for run in work["runs"]]
    values += [run.get("cpu_others") for series in document["growth"].values()
               for point in series["points"] for run in point["runs"]]
    return stats.spread(values)


def markdown(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    lines += ["| " + " | ".join(cells) + " |" for cells in rows]
    return "\n".join(lines) + "\n"


def plain(header, rows):
    """Aligned columns."""
    table = [header, *([cell.replace("**", "") for cell in cells] for cells in rows)]
    widths = [max(len(line[i]) for line in table) for i in range(len(header))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip()
             for line in table]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines) + "\n"
