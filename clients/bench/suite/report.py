# SPDX-License-Identifier: MIT
"""What is written of results: tables and plots of docs/performance.md, and the terminal's table.

Rule: docs/performance.md is prose by hand but between its two markers, which this file fills."""
import pathlib

from suite import plan, results, stats, svg, tables

BEGIN = "<!-- what ./banter bench report writes begins here -->"
END = "<!-- what ./banter bench report writes ends here -->"
PLOTS = "bench"  # beside performance.md
RAW = "results.json"


def on_terminal(document):
    return "\n".join([*_tables(document, tables.plain, "{}\n"), conditions(document)])


def _tables(document, written, heading):
    """All that have rows, as `written` has them; a growth's title stands in its `heading`."""
    for header, rows in ((tables.HEADER, tables.target_rows(document)),
                         (tables.PROCESS_HEADER, tables.process_rows(document))):
        if rows:
            yield written(header, rows)
    for series in document["growth"].values():
        header = (series["axis"], series["unit"], "of the first", "messages/s")
        yield heading.format(series["title"]) + written(header, tables.growth_rows(series))


def conditions(document):
    """Where, with what, and how quiet it was."""
    machine, versions, settings = (document[k] for k in ("machine", "versions", "settings"))
    changed = " with changes" if versions["changed"] else ""
    text = (f"Measured {document['at'][:16].replace('T', ' ')} UTC on {machine['cores']} cores "
            f"({machine['cpu']}), {machine['memory_mib'] / 1024:.0f} GiB, Linux "
            f"{machine['kernel']}, files on {machine['file_system'] or 'an unknown file system'}; "
            f"{versions['system']}, Mosquitto {versions['mosquitto']}, {versions['postgresql']}, "
            f"{versions['compiler']}; {versions['banter']}, commit "
            f"{versions['commit']}{changed}. Up to {settings['repeat']} rounds, "
            f"{settings['seconds']} s each after {settings['warm_up']} s of warming up.")
    growth = document["growth_settings"]
    if growth:
        text += f" Growth: up to {growth['repeat']} rounds of {growth['seconds']} s."
    load = tables.foreign_load(document)
    if load:
        text += (f" Cores taken by what is no part of it: {load.median:.2f} in the median run, "
                 f"at most {load.high:.2f}.")
    if document["notices"]:
        text += "".join(f"\nNotice: {notice}." for notice in document["notices"])
    return text + "\n"


def plots(document):
    """File name -> SVG."""
    drawn = {}
    _plot_rates(document, drawn)
    _plot_latencies(document, drawn)
    _plot_processes(document, drawn)
    for name, series in document["growth"].items():
        points = [(p["x"], spread) for p in series["points"]
                  if (spread := stats.of_metric(p["runs"], series["metric"]))]
        if points:
            drawn[f"growth-{name}.svg"] = svg.curve(
                f"Processor time by {series['title'].lower()}", series["unit"], series["axis"],
                points)
    return drawn


def _plot_rates(document, drawn):
    groups = []
    for work, label, metric in (("pairs", "1,000 pairs: messages/s", "messages_per_s"),
                                ("group", "group of 100: deliveries/s", "deliveries_per_s"),
                                ("broadcast", "channel of 1,000: deliveries/s",
                                 "deliveries_per_s")):
        sides = [stats.of_metric(results.runs_of(document, work), metric),
                 stats.of_metric(results.baseline_of(document, work, "bare"), metric)]
        for other in ("append", plan.EJABBERD):
            runs = results.runs_of(document, other) if work == "pairs" else []
            sides.append(stats.of_metric(runs, metric))
        if any(sides):
            groups.append((label, sides))
    if groups:
        drawn["rates.svg"] = svg.bars(
            "Saturated, beside the baselines of the same run", "1/s", groups,
            ("Banter", "bare Mosquitto", "appends to PostgreSQL", "ejabberd with archive"))


def _plot_latencies(document, drawn):
    groups = []
    for rate in plan.RATES:
        runs = results.runs_of(document, f"rate{rate}")
        bare = results.baseline_of(document, f"rate{rate}", "bare")
        values = [stats.of_metric(side, f"delivery_{name}_ms")
                  for side in (runs, bare) for name in ("p50", "p99")]
        if any(values):
            groups.append((f"{rate:,}/s", values))
    if groups:
        drawn["latency.svg"] = svg.bars(
            "Send to delivery", "ms", groups,
            ("Banter p50", "Banter p99", "bare Mosquitto p50", "bare Mosquitto p99"))


def _plot_processes(document, drawn):
    groups = []
    for name, (_row, bar) in plan.MESSAGES.items():
        runs = results.runs_of(document, name)
        values = [stats.of_metric(runs, metric) for _n, metric in plan.PROCESSES]
        if None not in values:
            groups.append((bar, [v.median for v in values]))
    if groups:
        drawn["processor.svg"] = svg.stacks("Processor time per durable message", "µs", groups,
                                            [name for name, _m in plan.PROCESSES])


def in_markdown(document):
    pictures = (f"![{name}]({PLOTS}/{name})\n" for name in sorted(plots(document)))
    return "\n".join([conditions(document), *_tables(document, tables.markdown, "**{}**\n\n"),
                      *pictures])


def fill(text, inside):
    """`text` with what is between its markers replaced."""
    before, found, rest = text.partition(BEGIN)
    _old, found_end, after = rest.partition(END)
    if not found or not found_end:
        raise ValueError("the text has no markers")
    return f"{before}{BEGIN}\n\n{inside.strip()}\n\n{END}{after}"


def publish(document, docs):
    """Writes plots and raw results below `docs`, and fills performance.md there."""
    docs = pathlib.Path(docs)
    page = docs / "performance.md"
    filled = fill(page.read_text(encoding="utf-8"), in_markdown(document))
    folder = docs / PLOTS
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.svg"):
        old.unlink()
    for name, drawing in plots(document).items():
        (folder / name).write_text(drawing, encoding="utf-8")
    results.write(document, folder / RAW)
    page.write_text(filled, encoding="utf-8")
