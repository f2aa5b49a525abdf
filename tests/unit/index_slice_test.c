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
        snprintf(id, sizeof id, "0198c0de-0000-7000-8000-0000000000%02x", (unsigned)i + 1);
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

static void test_what_is_asked_for(void **state)
{
    struct index_slice s = slice_with(2, SLICE_AS_USUAL);
    struct db_params *params = index_slice_read_params(&s);
    struct params_pointers p;

    (void)state;
    params_point(params, &p);
    assert_int_equal(p.count, index_slice_read_statement.parameter_count);
    expect(&p, 0, "{" ID("1") "," ID("2") "}");
    db_params_destroy(params);
}

static void expect_limits(const struct index_slice *s, const char *entries, const char *bytes,
                          const char *of_each)
{
    struct db_params *params = index_slice_read_params(s);
    struct params_pointers p;

    params_point(params, &p);
    expect(&p, 1, entries);
    expect(&p, 2, bytes);
    expect(&p, 3, of_each);
    db_params_destroy(params);
}

/* No more than twice as many rows are read as are taken, however many conversations have many. */
static void test_limits(void **state)
{
    static const struct {
        enum slice_size size;
        size_t count;
        const char *entries, *bytes, *of_each;
    } usual[] = {
        {SLICE_LONG, 1, "256", "65536", "256"}, {SLICE_LONG, 2, "256", "65536", "256"},
        {SLICE_LONG, 32, "256", "65536", "16"}, {SLICE_SHORT, 1, "16", "4096", "16"},
        {SLICE_SHORT, 3, "16", "4096", "10"},   {SLICE_SHORT, 16, "16", "4096", "2"},
    };

    (void)state;
    assert_int_equal(index_slice_conversations_max(SLICE_LONG), 32);
    assert_int_equal(index_slice_conversations_max(SLICE_SHORT), 16);
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
        struct index_slice s = slice_with(usual[i].count, SLICE_AS_USUAL);
        s.size = usual[i].size;
        expect_limits(&s, usual[i].entries, usual[i].bytes, usual[i].of_each);
    }
    for (size_t count = 1; count <= 16; count += 15) {
        struct index_slice single = slice_with(count, SLICE_SINGLE_ENTRY);
        struct index_slice without_words = slice_with(count, SLICE_WITHOUT_WORDS);
        expect_limits(&single, "1", "65536", "1");
        expect_limits(&without_words, "1", "65536", "1");
    }
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
    for (size_t i = 0; i < 4; i++)
        assert_false(index_slice_wants_more(&s, i)); /* all that there was has been read */
    db_params_destroy(params);
    PQclear(result);
}

/* Of those behind the cut nobody knows, of those before it all is known. */
static void test_a_cut(void **state)
{
    struct index_slice s = slice_with(5, SLICE_AS_USUAL);
    PGresult *result = fake_result(8);

    (void)state;
    add(result, &s, 1, 0, 1, ENTRY_TEXT, 1, "a", true);
    add(result, &s, 3, 0, 1, ENTRY_TEXT, 1, "a", true);
    db_params_destroy(index_slice_read(&s, result));
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(index_slice_wants_more(&s, i), i >= 2);
    PQclear(result);
}

static void test_who_may_have_more_than_was_read(void **state)
{
    struct index_slice s = slice_with(16, SLICE_AS_USUAL); /* two of each */
    PGresult *result = fake_result(8);

    (void)state;
    s.size = SLICE_SHORT;
    add(result, &s, 1, 0, 1, ENTRY_TEXT, 1, "a", true);
    add(result, &s, 2, 0, 1, ENTRY_TEXT, 1, "a", true);
    add(result, &s, 2, 0, 2, ENTRY_TEXT, 2, "b", true);
    add(result, &s, 16, 0, 1, ENTRY_TEXT, 1, "a", false);
    db_params_destroy(index_slice_read(&s, result));
    for (size_t i = 0; i < 16; i++)
        assert_int_equal(index_slice_wants_more(&s, i), i == 1);
    PQclear(result);
}

/* A single entry says nothing of the next one. */
static void test_single_entries(void **state)
{
    struct index_slice s = slice_with(2, SLICE_SINGLE_ENTRY);
    PGresult *result = fake_result(8);

    (void)state;
    add(result, &s, 2, 0, 1, ENTRY_TEXT, 1, "a", false);
    db_params_destroy(index_slice_read(&s, result));
    assert_false(index_slice_wants_more(&s, 0));
    assert_true(index_slice_wants_more(&s, 1));
    PQclear(result);
}

static void test_another_node_was_faster(void **state)
{
    struct index_slice s = slice_with(3, SLICE_AS_USUAL);
    PGresult *result = fake_result(8), *left_alone = fake_result(1);

    (void)state;
    for (unsigned n = 1; n <= 3; n++)
        add(result, &s, n, 0, 1, ENTRY_TEXT, 1, "a", n < 3);
    db_params_destroy(index_slice_read(&s, result));
    fake_result_uuid(left_alone, fake_result_add_row(left_alone), 0, &s.conversations[1]);
    index_slice_written(&s, left_alone);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(index_slice_wants_more(&s, i), i == 1);
    PQclear(left_alone);
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
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_what_entries_come_to),
        cmocka_unit_test(test_a_cut),
        cmocka_unit_test(test_who_may_have_more_than_was_read),
        cmocka_unit_test(test_single_entries),
        cmocka_unit_test(test_another_node_was_faster),
        cmocka_unit_test(test_nothing_new),
        cmocka_unit_test(test_without_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
