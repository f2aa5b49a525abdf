# SPDX-License-Identifier: MIT
"""What is written of results: tables, plots, the page between its markers, and the raw file."""
import xml.etree.ElementTree as ET

import pytest

from suite import plan, report, results, stats, svg, tables


def cells_of(document, title):
    return next(row for row in tables.target_rows(document) if row[0].startswith(title))


def test_a_missed_target_says_so(document):
    title, target, result, against, met = cells_of(document, "1,000 pairs, saturated: durable")
    assert target == "≥ 28,000" and result == "21,000 (20,000–22,000)" and met == "**no**"
    assert against == "0.50 of bare Mosquitto (42,000), 0.42 of appends (50,000)"
    assert title in report.on_terminal(document) and "**" not in report.on_terminal(document)


def test_a_target_of_a_ratio(document):
    _title, target, result, _against, met = cells_of(document, "group of 100: part")
    assert (target, result, met) == ("≥ 0.90", "0.90 (0.90–0.90)", "yes")


def test_what_did_not_run_has_no_row(document):
    titles = [row[0] for row in tables.target_rows(document)]
    assert not any("replay" in title or "2.1" in title for title in titles)
    assert len(titles) == 4  # pairs: rate and processor time; group: rate and ratio


def test_a_round_that_was_missed_counts_as_none(document):
    document["works"]["pairs"]["runs"][0] = {}
    assert cells_of(document, "1,000 pairs, saturated: durable")[2] == "22,000 (one run)"


def test_every_target_has_its_work_and_metric():
    works = {*plan.WORK, plan.PAIRS21, plan.HISTORY}
    for target in plan.TARGETS:
        assert target.work in works and target.sense in (">=", "<="), target
        assert target.against or not target.is_ratio, target
        assert set(target.against) <= {*tables.NAMES}, target


def test_deliveries_cost_their_part_of_a_message(line):
    values = results.of_line(line(messages_per_s=10, deliveries_per_s=1000, cpu_system_us=500),
                             "banter")
    assert values["cpu_system_per_delivery_us"] == 5


def test_growth(document, line):
    series = plan.GROWTH["size"]
    for x, cost in ((1000, 80), (200, 40)):
        results.add_point(document, "size", series, 0, x, line(cpu_system_us=cost,
                                                              messages_per_s=7))
    rows = tables.growth_rows(document["growth"]["size"])
    assert [row[0] for row in rows] == ["200", "1,000"]
    assert [row[2] for row in rows] == ["1.00", "2.00"]
    assert "growth-size.svg" in report.plots(document)


def test_the_history_only_grows():
    points = plan.history_series(20_000_000).points
    assert points == (0, 1_000_000, 5_000_000, 20_000_000) == tuple(sorted(points))
    assert plan.history_series(4000).points == (0, 1000, 4000)
    assert plan.history_arguments(20_000_000)[-1] == "20000"


@pytest.mark.parametrize("value, expected", [
    (28000, "28,000"), (0.6, "0.60"), (38.44, "38.4"), (0, "0"), (1234.5, "1,234"), (2, "2")])
def test_numbers(value, expected):
    assert tables.number(value) == expected


def test_plots_are_xml_and_follow_from_the_numbers(document):
    drawn = report.plots(document)
    assert set(drawn) == {"rates.svg", "processor.svg"}
    assert drawn == report.plots(document)
    for text in drawn.values():
        assert ET.fromstring(text).tag.endswith("svg")


def test_what_is_written_in_a_plot_is_escaped():
    text = svg.bars("a < b & c", "1/s", [("<x>", [stats.spread([1, 2])])], ("\"n\"",))
    assert "a < b & c" in [t.text for t in ET.fromstring(text).iter() if t.text]


def test_bars_are_as_high_as_their_values():
    """The highest bar spans half of an axis that ends at twice its value."""
    text = svg.bars("t", "u", [("g", [stats.spread([5]), stats.spread([2.5])])], ("a", "b"))
    heights = [float(r.get("height")) for r in ET.fromstring(text).iter()
               if r.tag.endswith("rect") and r.get("x") and r.get("y") != "30"]
    assert heights == [248, 124]


@pytest.mark.parametrize("value, expected", [(0, 1), (1, 1), (1.1, 2), (22, 25), (43000, 50000),
                                             (0.03, 0.05), (99, 100)])
def test_the_axis_ends_at_a_round_number(value, expected):
    assert svg.nice_ceiling(value) == pytest.approx(expected)


def test_a_curve_begins_at_nothing():
    points = [(x, stats.spread([1, 2])) for x in (0, 10, 1000)]
    circles = [float(c.get("cx")) for c in ET.fromstring(svg.curve("t", "u", "x", points)).iter()
               if c.tag.endswith("circle")]
    assert circles == sorted(circles) and len(set(circles)) == 3


def test_publishing_touches_only_what_is_between_the_markers(document, tmp_path):
    page = tmp_path / "performance.md"
    page.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n", encoding="utf-8")
    (tmp_path / "bench").mkdir()
    (tmp_path / "bench" / "gone.svg").write_text("", encoding="utf-8")
    report.publish(document, tmp_path)
    text = page.read_text(encoding="utf-8")
    assert text.startswith("before\n") and text.endswith("\nafter\n") and "old" not in text
    assert "(bench/rates.svg)" in text and (tmp_path / "bench" / "rates.svg").exists()
    assert not (tmp_path / "bench" / "gone.svg").exists()
    assert results.read(tmp_path / "bench" / "results.json") == document
    report.publish(document, tmp_path)
    assert page.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("text", ["", report.BEGIN, f"{report.END} {report.BEGIN}"])
def test_a_page_without_markers_is_left_alone(document, tmp_path, text):
    page = tmp_path / "performance.md"
    page.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError):
        report.publish(document, tmp_path)
    assert page.read_text(encoding="utf-8") == text


def test_the_raw_file_survives_a_round_trip(document, tmp_path):
    document["notices"].append("two  spaces { and a brace")
    results.write(document, tmp_path / "r.json")
    assert results.read(tmp_path / "r.json") == document
    (tmp_path / "r.json").write_text('{"format": 9}', encoding="utf-8")
    with pytest.raises(ValueError):
        results.read(tmp_path / "r.json")
