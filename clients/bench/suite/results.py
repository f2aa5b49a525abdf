# SPDX-License-Identifier: MIT
"""The raw results: one JSON document with every repetition, read and written here alone.

    {"format": 1, "at": …, "machine": {…}, "versions": {…}, "settings": {…},
     "growth_settings": {…}, "notices": [text, …],
     "works": {NAME: {"arguments": […], "runs": [{METRIC: value}, …], "bare": [{…}, …]}},
     "growth": {SERIES: {"title": …, "axis": …, "metric": …, "unit": …,
                         "points": [{"x": …, "runs": [{…}, …]}, …]}}}

The runs of one round have the same index everywhere; a round that a work missed is {}."""
import json
import os
import re

FORMAT = 1


def new(description, settings, at):
    return {"format": FORMAT, "at": at, **description, "settings": settings, "growth_settings": {},
            "notices": [], "works": {}, "growth": {}}


def of_line(line, side):
    """The values of one invocation of banter-bench, which made one run."""
    values = {name: value["median"] for name, value in line.get(side, {}).items()}
    if values.get("deliveries_per_s") and values.get("messages_per_s") \
            and values.get("cpu_system_us") is not None:
        values["cpu_system_per_delivery_us"] = (
            values["cpu_system_us"] * values["messages_per_s"] / values["deliveries_per_s"])
    return values


def _put(runs, index, values):
    while len(runs) <= index:
        runs.append({})
    runs[index] = values


def add_work(results, name, index, arguments, line):
    work = results["works"].setdefault(name, {"arguments": list(arguments), "runs": [], "bare": []})
    _put(work["runs"], index, of_line(line, "banter"))
    _put(work["bare"], index, of_line(line, "bare"))


def add_point(results, name, series, index, x, line):
    kept = results["growth"].setdefault(
        name, {"title": series.title, "axis": series.axis, "metric": series.metric,
               "unit": series.unit, "points": []})
    point = next((p for p in kept["points"] if p["x"] == x), None)
    if point is None:
        point = {"x": x, "runs": []}
        kept["points"].append(point)
        kept["points"].sort(key=lambda p: p["x"])
    _put(point["runs"], index, of_line(line, "banter"))


def runs_of(results, name):
    return results["works"].get(name, {}).get("runs", [])


def baseline_of(results, work, against):
    """The runs that a work is compared with: those of its bare broker, or of another work."""
    if against == "bare":
        return results["works"].get(work, {}).get("bare", [])
    return runs_of(results, against)


def _dumps(results):
    """A line for each run."""
    text = json.dumps(results, indent=1, ensure_ascii=False)
    return re.sub(r"\{[^{}\[\]]*\}", lambda flat: re.sub(r"\n *", " ", flat.group()), text) + "\n"


def write(results, path):
    """Complete or not at all: a long run is written after each round."""
    new_path = f"{path}.new"
    with open(new_path, "w", encoding="utf-8") as file:
        file.write(_dumps(results))
    os.replace(new_path, path)


def read(path):
    with open(path, encoding="utf-8") as file:
        results = json.load(file)
    if results.get("format") != FORMAT:
        raise ValueError(f"{path} is no result of ./banter bench all")
    return results
