# SPDX-License-Identifier: MIT
"""Where schema/citus.sql puts each table, and what is wrong with that for a given schema.

Rule: what is judged is the migrated database (pg_catalog), never the text of the migrations; the
schema comes as plain data, so that each rule can be tried on schemas that must not pass.
"""
import json
import re
from dataclasses import dataclass, field


_STATEMENT = re.compile(
    r"^SELECT create_distributed_table\('(?P<distributed>[\w.]+)', '(?P<column>\w+)', "
    r"colocate_with => '(?P<with>[\w.]+)'(?:, shard_count => \d+)?\);$"
    r"|^SELECT create_reference_table\('(?P<reference>[\w.]+)'\);$"
    r"|^-- local (?P<local>[\w.]+): \w.*$")


@dataclass
class Place:
    kind: str           # distributed, reference or local
    column: str = None  # of those distributed
    group: str = None   # likewise: the table that they are colocated with, or their own name


def places(sql):
    """Table -> Place, and what cannot be understood."""
    found, problems = {}, []
    for number, line in enumerate(sql.splitlines(), 1):
        if line.startswith("--") and not line.startswith("-- local "):
            continue
        match = _STATEMENT.match(line)
        if not match:
            if line:
                problems.append(f"line {number} is none of the three statements: {line}")
            continue
        table = match["distributed"] or match["reference"] or match["local"]
        if table in found:
            problems.append(f"line {number}: {table} is named twice")
        if match["distributed"]:
            first = match["with"]
            if first != "none" and (first not in found or found[first].group != first):
                problems.append(f"line {number}: {first} comes later, or follows another")
            found[table] = Place("distributed", match["column"],
                                 table if first == "none" else first)
        else:
            found[table] = Place("reference" if match["reference"] else "local")
    return found, problems


@dataclass
class Table:
    columns: dict = field(default_factory=dict)       # name -> type
    unique: list = field(default_factory=list)        # of each unique index: its columns
    exclusions: int = 0
    foreign_keys: list = field(default_factory=list)  # (columns, other table, its columns)
    triggers: list = field(default_factory=list)
    serials: list = field(default_factory=list)       # columns from a sequence, not bigint


# Partitions go where their parents go. Expressions in a unique index count as no column.
SCHEMA_SQL = """
SELECT json_object_agg('banter.' || c.relname, json_build_object(
    'columns', (
        SELECT json_object_agg(a.attname, format_type(a.atttypid, a.atttypmod))
          FROM pg_attribute a
         WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
    'unique', (
        SELECT coalesce(json_agg(ARRAY(
                   SELECT a.attname
                     FROM unnest(i.indkey) WITH ORDINALITY k (n, o)
                     JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.n
                    WHERE k.o <= i.indnkeyatts ORDER BY k.o)), '[]')
          FROM pg_index i WHERE i.indrelid = c.oid AND i.indisunique),
    'exclusions', (
        SELECT count(*) FROM pg_constraint x WHERE x.conrelid = c.oid AND x.contype = 'x'),
    'foreign_keys', (
        SELECT coalesce(json_agg(json_build_array(
                   ARRAY(SELECT a.attname
                           FROM unnest(f.conkey) WITH ORDINALITY k (n, o)
                           JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.n
                          ORDER BY k.o),
                   'banter.' || r.relname,
                   ARRAY(SELECT a.attname
                           FROM unnest(f.confkey) WITH ORDINALITY k (n, o)
                           JOIN pg_attribute a ON a.attrelid = f.confrelid AND a.attnum = k.n
                          ORDER BY k.o))), '[]')
          FROM pg_constraint f JOIN pg_class r ON r.oid = f.confrelid
         WHERE f.conrelid = c.oid AND f.contype = 'f'),
    'triggers', (
        SELECT coalesce(json_agg(t.tgname), '[]')
          FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal),
    'serials', (
        SELECT coalesce(json_agg(a.attname), '[]')
          FROM pg_attribute a
          LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
         WHERE a.attrelid = c.oid AND a.attnum > 0 AND a.atttypid <> 'bigint'::regtype
           AND (a.attidentity <> '' OR pg_get_expr(d.adbin, c.oid) LIKE 'nextval(%'))))
  FROM pg_class c
 WHERE c.relnamespace = 'banter'::regnamespace AND c.relkind IN ('r', 'p')
   AND NOT c.relispartition
"""


def schema(text):
    """What SCHEMA_SQL answers, as Tables by name."""
    return {name: Table(**table) for name, table in json.loads(text).items()}


def problems_of(tables, placed):
    """Sentences; none if Citus can take the schema in this way."""
    for name in sorted(tables.keys() - placed.keys()):
        yield f"{name} is not named in citus.sql"
    for name in sorted(placed.keys() - tables.keys()):
        yield f"{name} is named in citus.sql, and is no table"
    for name in sorted(placed.keys() & tables.keys()):
        table, place = tables[name], placed[name]
        if place.kind == "distributed":
            yield from _problems_of_distributed(name, table, place, tables, placed)
        if place.kind != "local":
            for trigger in table.triggers:
                yield f"{name} is {place.kind} and has the trigger {trigger}"
            for column in table.serials:
                yield f"{name}: the numbers of {column} are not bigint, so servers would run out"
        for foreign_key in table.foreign_keys:
            yield from _problems_of_foreign_key(name, foreign_key, placed)


def _problems_of_distributed(name, table, place, tables, placed):
    if place.column not in table.columns:
        yield f"{name} has no column {place.column}"
        return
    first = tables.get(place.group)
    if first and first.columns.get(placed[place.group].column) != table.columns[place.column]:
        yield f"{name}: {place.column} is of another type than that of {place.group}"
    for columns in table.unique:
        if place.column not in columns:
            yield f"{name}: the unique key ({', '.join(columns)}) lacks {place.column}"
    if table.exclusions:
        yield f"{name} has an exclusion constraint"


def _problems_of_foreign_key(name, foreign_key, placed):
    columns, other, other_columns = foreign_key
    if other not in placed:
        return  # said already
    own, its = placed[name], placed[other]
    key = f"{name}: the foreign key ({', '.join(columns)}) to {other}"
    if own.kind != "distributed":
        if its.kind == "distributed":
            yield f"{key} leads from a {own.kind} table to a distributed one"
    elif its.kind == "local":
        yield f"{key} leads from a distributed table to a local one"
    elif its.kind == "distributed" and (
            own.group != its.group
            or (own.column, its.column) not in zip(columns, other_columns, strict=True)):
        yield f"{key} crosses shards"
