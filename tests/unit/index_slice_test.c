/* SPDX-License-Identifier: MIT */
/* index_slice_test.c - what a slice asks for, and what the entries that were read come to. */
#include "unit/unit.h"

#include "core/index_slice.h"
#include "db/params.h"
#include "unit/fake_database.h"
#include "wire/entry.h"

#include <stdio.h>
#include <stdlib.h>

#define ID(n) "0198c0de-0000-7000-8000-00000000000" n

static struct index_slice slice_with(size_t count, enum slice_care care)
{
    struct index_slice s = {.count = count, .care = care};
    char id[UUID_TEXT_LENGTH + 1];

    for (size_t i = 0; i < count; i++) {
        snprintf(id, sizeof id, ID("%u"), (unsigned)i + 1);
        assert_true(uuid_parse(&s.conversations[i], slice_str(id)));
    }
    return s;
}

static void expect(const struct params_pointers *p, int index, const char *value)
{
    char *text = fake_parameter_text(p, index);

    assert_string_equal(text, value);
    free(text);
}

static void expect_limit(enum slice_care care, const char *limit)
{
    struct index_slice s = slice_with(2, care);
    struct db_params *params = index_slice_read_params(&s);
    struct params_pointers p;

    params_point(params, &p);
    assert_int_equal(p.count, index_slice_read_statement.parameter_count);
    expect(&p, 0, "{" ID("1") "," ID("2") "}");
    expect(&p, 1, limit);
    expect(&p, 2, "65536");
    db_params_destroy(params);
}

static void test_what_is_asked_for(void **state)
{
    (void)state;
    expect_limit(SLICE_AS_USUAL, "256");
    expect_limit(SLICE_SINGLE_ENTRY, "1");
    expect_limit(SLICE_WITHOUT_WORDS, "1");
}

/* The next row of the result of index_slice_read_statement. `text` may be NULL. */
static void add(PGresult *result, const struct index_slice *s, unsigned n, int64_t indexed_seq,
                int64_t seq, enum entry_kind kind, int64_t target, const char *text, bool is_cut)
{
    int row = fake_result_add_row(result);

    fake_result_i64(result, row, 0, n);
    fake_result_uuid(result, row, 1, &s->conversations[n - 1]);
    fake_result_i64(result, row, 2, indexed_seq);
    fake_result_i64(result, row, 3, seq);
    fake_result_i64(result, row, 4, kind);
    fake_result_i64(result, row, 5, target);
    if (text)
        fake_result_text(result, row, 6, text);
    fake_result_bool(result, row, 7, is_cut);
}

static void test_what_entries_come_to(void **state)
{
    struct index_slice s = slice_with(4, SLICE_AS_USUAL);
    PGresult *result = fake_result(8);
    struct db_params *params;
    struct params_pointers p;

    (void)state;
    add(result, &s, 1, 4, 5, ENTRY_TEXT, 5, "Two words", true);
    add(result, &s, 1, 4, 6, ENTRY_REACTION, 5, NULL, true);
    add(result, &s, 1, 4, 7, ENTRY_EDIT, 5, "edited", true);
    add(result, &s, 2, 0, 1, ENTRY_CREATED, 1, NULL, true);
    add(result, &s, 4, 9, 10, ENTRY_DELETE, 3, NULL, true);
    add(result, &s, 4, 9, 11, ENTRY_TEXT, 11, "...", false);
    add(result, &s, 4, 9, 12, ENTRY_TEXT, 12, NULL, false);
    params = index_slice_read(&s, result);
    assert_non_null(params);
    params_point(params, &p);
    assert_int_equal(p.count, index_slice_write_statement.parameter_count);
    expect(&p, 0, "{" ID("1") "," ID("2") "," ID("4") "}");
    expect(&p, 1, "{4,0,9}");
    expect(&p, 2, "{7,1,12}");
    expect(&p, 3, "{" ID("1") "," ID("1") "," ID("4") "," ID("4") "," ID("4") "}");
    expect(&p, 4, "{5,7,10,11,12}");
    expect(&p, 5, "{5,5,3,11,12}");
    expect(&p, 6, "{\"'two' 'words'\",\"'edited'\",NULL,NULL,NULL}");
    assert_int_equal(s.entries, 7);
    assert_false(s.is_cut);
    assert_true(index_slice_wants_more(&s, 0) && index_slice_wants_more(&s, 1));
    assert_false(index_slice_wants_more(&s, 2)); /* it had none */
    assert_true(index_slice_wants_more(&s, 3));
    db_params_destroy(params);
    PQclear(result);
}

/* Of those behind the cut nobody knows. */
static void test_a_cut(void **state)
{
    struct index_slice s = slice_with(3, SLICE_AS_USUAL);
    PGresult *result = fake_result(8);

    (void)state;
    add(result, &s, 1, 0, 1, ENTRY_TEXT, 1, "a", true);
    db_params_destroy(index_slice_read(&s, result));
    assert_true(s.is_cut);
    for (size_t i = 0; i < 3; i++)
        assert_true(index_slice_wants_more(&s, i));
    PQclear(result);
}

static void test_nothing_new(void **state)
{
    struct index_slice s = slice_with(2, SLICE_AS_USUAL);
    PGresult *result = fake_result(8);

    (void)state;
    assert_null(index_slice_read(&s, result));
    assert_int_equal(s.entries, 0);
    assert_false(index_slice_wants_more(&s, 0) || index_slice_wants_more(&s, 1));
    PQclear(result);
}

/* The entry whose words PostgreSQL refuses moves the progress on and is not to be found. */
static void test_without_words(void **state)
{
    struct index_slice s = slice_with(1, SLICE_WITHOUT_WORDS);
    PGresult *result = fake_result(8);
    struct db_params *params;
    struct params_pointers p;

    (void)state;
    add(result, &s, 1, 0, 1, ENTRY_TEXT, 1, "refused", true);
    params = index_slice_read(&s, result);
    params_point(params, &p);
    expect(&p, 2, "{1}");
    expect(&p, 4, "{1}");
    expect(&p, 6, "{NULL}");
    db_params_destroy(params);
    PQclear(result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_asked_for),
        cmocka_unit_test(test_what_entries_come_to),
        cmocka_unit_test(test_a_cut),
        cmocka_unit_test(test_nothing_new),
        cmocka_unit_test(test_without_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
