/* SPDX-License-Identifier: MIT */
/* audit_page_test.c - pages of the audit log: whole ones, or a reason. */
#include "unit/unit.h"

#include "unit/fake_database.h"

#include "core/audit_page.h"

#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 11, COLUMN_ID = 0, COLUMN_ACTION = 5, COLUMN_OBJECT = 7 };

static struct audit_pages *pages;
static struct buf got;
static enum code got_code;
static int got_count;

static void on_page(void *owner, enum code code, struct buf *json)
{
    assert_ptr_equal(owner, &got);
    got_code = code;
    got_count++;
    buf_reset(&got);
    assert_int_equal(json != NULL, code == CODE_OK);
    if (json)
        buf_slice_put(&got, buf_slice(json));
}

static int set_up(void **state)
{
    (void)state;
    fake_database_set_up(true);
    buf_init(&got, 16 << 20);
    got_count = 0;
    pages = audit_pages_create(NULL);
    return pages ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    audit_pages_destroy(pages);
    buf_finish(&got);
    return 0;
}

static bool ask(int64_t limit)
{
    const struct audit_query query = {.before = INT64_MAX, .limit = limit};

    return audit_page(pages, &query, on_page, &got);
}

static PGresult *rows(int count, const char *object)
{
    PGresult *result = fake_result(COLUMNS);

    for (int i = 0; i < count; i++) {
        int row = fake_result_add_row(result);

        fake_result_i64(result, row, COLUMN_ID, 100 - row);
        fake_result_text(result, row, COLUMN_ACTION, "login");
        fake_result_text(result, row, COLUMN_OBJECT, object);
    }
    return result;
}

static void test_a_full_page_tells_where_the_next_one_begins(void **state)
{
    (void)state;
    assert_true(ask(2));
    fake_database_answer(0, rows(2, "it"));
    assert_int_equal(got_code, CODE_OK);
    assert_non_null(strstr(got.data, "{\"id\":100,"));
    assert_non_null(strstr(got.data, "\"action\":\"login\",\"object\":\"it\"}"));
    assert_non_null(strstr(got.data, "],\"before\":99}"));
    assert_true(ask(3));
    fake_database_answer(0, rows(2, "it"));
    assert_null(strstr(got.data, "before"));
    assert_int_equal(got_count, 2);
}

/* Half a page is no JSON. */
static void test_a_page_beyond_the_bound_is_refused(void **state)
{
    enum { LONG = 5 << 20 };
    char *object = malloc(LONG + 1);

    (void)state;
    memset(object, 'x', LONG);
    object[LONG] = '\0';
    assert_true(ask(1));
    fake_database_answer(0, rows(1, object));
    assert_int_equal(got_code, CODE_TOO_LARGE);
    assert_int_equal(got_count, 1);
    free(object);
}

static void test_failures_of_the_database(void **state)
{
    (void)state;
    assert_true(ask(1));
    fake_database_refuse(0, "42P01", "there is no such view");
    assert_int_equal(got_code, CODE_INTERNAL);
    assert_true(ask(1));
    fake_database_fail(0, DB_LOST);
    assert_int_equal(got_code, CODE_UNAVAILABLE);
    fake_database_set_up(false);
    assert_false(ask(1));
    assert_int_equal(got_count, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_full_page_tells_where_the_next_one_begins, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_page_beyond_the_bound_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_failures_of_the_database, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
