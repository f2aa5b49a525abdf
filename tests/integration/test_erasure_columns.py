# SPDX-License-Identifier: MIT
"""No column of the database is forgotten when a user is erased: each has its row in banter.columns,
which a migration that makes one adds."""
import pytest

pytestmark = pytest.mark.once

CATALOG = """
SELECT c.relname, a.attname
  FROM pg_attribute a
  JOIN pg_class c ON c.oid = a.attrelid
 WHERE c.relnamespace = 'banter'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
   AND a.attnum > 0 AND NOT a.attisdropped
"""
# What names of columns that hold the number of a user, which is a bigint, look like.
NUMBER = ("^(user_id|sender|blocker|blocked|created_by|uid.*"
          "|.*(owner|actor|member|author)(_id|_uid)?)$")


def rows(system, sql):
    return {tuple(row) for row in system.psql(sql)}


def test_every_column_says_what_becomes_of_it(banter):
    there = rows(banter, CATALOG)
    said = rows(banter, "SELECT table_name, column_name FROM banter.columns")
    assert there - said == set(), "these need a row in banter.columns, made by their migration"
    assert said - there == set(), "these are gone"


def test_what_looks_like_a_user_is_not_passed_over(banter):
    """A number of a user is deleted with its row, or becomes an anonymous author's."""
    assert rows(banter, f"""
        SELECT c.table_name, c.column_name
          FROM banter.columns c
          JOIN information_schema.columns i ON i.table_schema = 'banter'
               AND (i.table_name, i.column_name) = (c.table_name, c.column_name)
         WHERE c.column_name ~ '{NUMBER}' AND i.data_type = 'bigint'
           AND c.fate IN ('none', 'row', 'job')""") == set()


def test_rows_that_are_to_go_have_a_number_to_go_by(banter):
    assert rows(banter, """
        SELECT table_name FROM banter.columns GROUP BY table_name
        HAVING bool_or(fate = 'row') AND NOT bool_or(fate = 'delete')""") == {
            ("push_dead",), ("push_jobs",)}, "these two go by the registration"


def test_rows_that_are_to_go_are_found_by_an_index(banter):
    found = rows(banter, """
        SELECT c.table_name, c.column_name
          FROM banter.columns c
         WHERE c.fate = 'delete' AND NOT EXISTS (
               SELECT FROM pg_index i
                 JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
                WHERE i.indrelid = ('banter.' || c.table_name)::regclass
                  AND i.indpred IS NULL AND a.attname = c.column_name)""")
    assert found == {("quarantine", "sender")}, "that one has a row for each bug that was met"


def test_the_numbers_of_rows_that_go_are_bigint(banter):
    assert rows(banter, """
        SELECT c.table_name, c.column_name
          FROM banter.columns c
          JOIN information_schema.columns i ON i.table_schema = 'banter'
               AND (i.table_name, i.column_name) = (c.table_name, c.column_name)
         WHERE c.fate = 'delete' AND i.data_type <> 'bigint'""") == set()


@pytest.mark.parametrize("kind, own, before, after", [
    (10, False, '{"title":"a \\"bob\\" b","members":["bob","eve"]}',
     '{"title":"a \\"bob\\" b","members":["x-1","eve"]}'),
    (10, True, '{"title":"mine","members":["eve"]}', '{"members":["eve"]}'),
    (10, False, '{"members":[]}', '{"members":[]}'),
    (11, False, '{"members":["eve","bob"]}', '{"members":["eve","x-1"]}'),
    (12, True, '{"members":["eve"]}', '{"members":["eve"]}'),
    (13, False, '{"owner":"bob"}', '{"owner":"x-1"}'),
    (13, False, '{"owner":"eve"}', '{"owner":"eve"}'),
    (13, True, None, None),
    (15, True, '{"title":"mine"}', '{"deleted":true}'),
    (15, False, '{"title":"bob"}', '{"title":"bob"}'),
    (16, False, '{"user":"bob","role":"owner"}', '{"user":"x-1","role":"owner"}'),
    (17, True, '{"name":"mine","public":true}', '{"public": true}'),
    (17, True, '{"name":"mine"}', '{}'),
    (17, True, '{"public":true}', '{"public":true}'),
    (18, True, None, None),
    (19, False, '{"owner":"bob"}', '{"owner":"x-1"}'),
])
def test_entries_of_the_server_without_a_handle(banter, kind, own, before, after):
    for given in (before, after):  # twice is as good as once
        text = "NULL" if given is None else f"$${given}$$"
        [[got]] = banter.psql(f"SELECT coalesce(banter.anonymous_data({kind}::smallint, {text}, "
                              f"{own}, 'bob', 'x-1'), 'NULL')")
        assert got == (after or "NULL")


@pytest.mark.parametrize("handle", ["members", "title", "owner", "user", "role"])
def test_handles_that_are_words_of_the_format(banter, handle):
    for kind, data in ((11, '{"members":["%s"]}'), (13, '{"owner":"%s"}'),
                       (16, '{"user":"%s","role":"owner"}')):
        [[got]] = banter.psql(f"SELECT banter.anonymous_data({kind}::smallint, "
                              f"$${data % handle}$$, false, '{handle}', 'x-1')")
        assert got == data % "x-1"
