# SPDX-License-Identifier: MIT
"""schema/citus.sql against the schema as all migrations have made it: nothing in it breaks the
rules that Citus has for tables. Citus itself does not run here.
"""
import copy
import pathlib

import pytest

from support import citus

pytestmark = pytest.mark.once

CITUS_SQL = pathlib.Path(__file__).resolve().parents[2] / "schema" / "citus.sql"

SQL = """
SELECT create_distributed_table('banter.rooms', 'id', colocate_with => 'none', shard_count => 8);
SELECT create_distributed_table('banter.posts', 'room', colocate_with => 'banter.rooms');
SELECT create_reference_table('banter.people');
-- any words
-- local banter.jobs: because
"""
TABLES = {
    "banter.rooms": citus.Table({"id": "uuid"}, [["id"]]),
    "banter.posts": citus.Table({"room": "uuid", "n": "bigint", "by": "bigint"}, [["n", "room"]],
                                foreign_keys=[(["by"], "banter.people", ["id"]),
                                              (["room"], "banter.rooms", ["id"])]),
    "banter.people": citus.Table({"id": "bigint", "name": "text"}, [["id"], ["name"]]),
    "banter.jobs": citus.Table({"id": "integer"}, [["id"]], triggers=["told"], serials=["id"],
                               foreign_keys=[(["id"], "banter.people", ["id"])]),
}


def test_the_schema_can_be_distributed(banter):
    placed, problems = citus.places(CITUS_SQL.read_text())
    [row] = banter.psql(citus.SCHEMA_SQL)
    tables = citus.schema(row[0])
    assert problems + list(citus.problems_of(tables, placed)) == []
    assert tables["banter.messages"].unique, "the keys of a partitioned table are seen"


def test_a_good_schema_has_no_problems():
    placed, problems = citus.places(SQL)
    assert problems == []
    assert placed["banter.posts"] == citus.Place("distributed", "room", "banter.rooms")
    assert list(citus.problems_of(TABLES, placed)) == []


@pytest.mark.parametrize("table, change, problem", [
    ("posts", {"unique": [["n", "room"], ["n"]]}, "the unique key (n) lacks room"),
    ("posts", {"unique": [[]]}, "the unique key () lacks room"),
    ("posts", {"triggers": ["told"]}, "is distributed and has the trigger told"),
    ("people", {"triggers": ["told"]}, "is reference and has the trigger told"),
    ("posts", {"serials": ["n"]}, "the numbers of n are not bigint"),
    ("posts", {"exclusions": 1}, "has an exclusion constraint"),
    ("posts", {"columns": {"n": "bigint"}}, "has no column room"),
    ("posts", {"columns": {"room": "text"}}, "room is of another type"),
    ("posts", {"foreign_keys": [(["by"], "banter.jobs", ["id"])]}, "from a distributed table to a"),
    ("posts", {"foreign_keys": [(["by"], "banter.rooms", ["id"])]}, "crosses shards"),
    ("posts", {"foreign_keys": [(["n", "room"], "banter.rooms", ["id", "n"])]}, "crosses shards"),
    ("people", {"foreign_keys": [(["id"], "banter.rooms", ["id"])]}, "reference table to a distr"),
    ("jobs", {"foreign_keys": [(["id"], "banter.posts", ["n"])]}, "local table to a distributed"),
])
def test_what_citus_refuses(table, change, problem):
    tables = copy.deepcopy(TABLES)
    for name, value in change.items():
        setattr(tables[f"banter.{table}"], name, value)
    placed, _ = citus.places(SQL)
    [found] = citus.problems_of(tables, placed)
    assert found.startswith(f"banter.{table}") and problem in found


def test_tables_that_are_forgotten_or_gone():
    placed, _ = citus.places(SQL)
    tables = {**TABLES, "banter.new": citus.Table()}
    del tables["banter.jobs"]
    assert list(citus.problems_of(tables, placed)) == [
        "banter.new is not named in citus.sql",
        "banter.jobs is named in citus.sql, and is no table"]


def test_other_groups_are_other_shards():
    placed, problems = citus.places(SQL.replace("'banter.rooms');", "'none');"))
    assert problems == []
    assert any("crosses shards" in problem for problem in citus.problems_of(TABLES, placed))


@pytest.mark.parametrize("line", [
    "SELECT create_distributed_table('banter.x', 'id');",           # colocated with whatever fits
    "SELECT create_distributed_table('banter.x', 'id', colocate_with => 'banter.unknown');",
    "SELECT create_distributed_table('banter.x', 'id', colocate_with => 'banter.posts');",
    "SELECT create_reference_table('banter.people');",              # twice
    "-- local banter.x",                                            # without a reason
    "DROP TABLE banter.x;",
])
def test_statements_that_are_refused(line):
    _, problems = citus.places(SQL + line + "\n")
    assert len(problems) == 1
