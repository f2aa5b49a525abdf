/* SPDX-License-Identifier: MIT */
/* history_test.c - what a page of history says, and that every accepted request ends once. The
 * query itself is tried against PostgreSQL by tests/integration. */
#include "unit/unit.h"

#include "unit/fake_database.h"

#include "core/history.h"
#include "wire/limits.h"

#include <stdlib.h>

enum { COLUMNS = 14, COLUMN_SEQ = 4, COLUMN_FROM = 7, COLUMN_TEXT = 9, COLUMN_SENDER = 13 };

struct told {
    int calls;
    enum code code;
    size_t count;
    int64_t first, last, last_seq;
    bool more;
    int64_t next;
};

static void on_page(void *owner, enum code code, const struct history_page *page)
{
    struct told *t = owner;

    t->calls++;
    t->code = code;
    assert_int_equal(code == CODE_OK, page != NULL);
    if (!page)
        return;
    t->count = page->count;
    t->more = page->more;
    t->next = page->next;
    t->last_seq = page->last_seq;
    if (page->count > 0) {
        t->first = page->items[0].entry.seq;
        t->last = page->items[page->count - 1].entry.seq;
        assert_true(slice_equal(page->items[0].entry.from, slice_str("bob")));
        assert_int_equal(page->items[0].sender, 7);
    }
}

/* Entries first..last of a log of `last_seq`; none when first > last. */
static PGresult *page_of(int64_t last_seq, int64_t first, int64_t last)
{
    PGresult *result = fake_result(COLUMNS);
    int64_t seq = first;

    do {
        int row = fake_result_add_row(result);

        fake_result_i64(result, row, 0, last_seq);
        if (first > last)
            break;
        fake_result_i64(result, row, COLUMN_SEQ, seq);
        fake_result_text(result, row, COLUMN_FROM, "bob");
        fake_result_text(result, row, COLUMN_TEXT, "hello");
        fake_result_i64(result, row, COLUMN_SENDER, 7);
    } while (++seq <= last);
    return result;
}

static const struct history_query from_start = {.reader = 1, .limit = 50, .bytes_max = 1000};

static void test_pages(void **state)
{
    static const struct {
        int64_t after, before, last_seq, first, last;
        bool more;
    } cases[] = {
        {0, 0, 100, 1, 50, true},     {50, 0, 100, 51, 100, false}, {100, 0, 100, 1, 0, false},
        {0, 101, 100, 51, 100, true}, {0, 51, 100, 1, 50, false},   {0, 1, 100, 1, 0, false},
        {0, 0, 0, 1, 0, false},
    };
    struct history *h = history_create(NULL, NULL);

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct history_query query = from_start;
        struct told t = {0};

        query.after = cases[i].after;
        query.before = cases[i].before;
        assert_true(history_read(h, &query, on_page, &t));
        assert_int_equal(t.calls, 0);
        assert_string_equal(fake_database_statement(0),
                            query.before > 0 ? "history_before" : "history_after");
        fake_database_answer(0, page_of(cases[i].last_seq, cases[i].first, cases[i].last));
        assert_int_equal(t.calls, 1);
        assert_int_equal(t.code, CODE_OK);
        assert_int_equal(t.more, cases[i].more);
        assert_int_equal(t.last_seq, cases[i].last_seq);
        assert_int_equal(t.count, cases[i].last - cases[i].first + 1);
    }
    history_destroy(h);
}

static void test_folded_pages_lead_on(void **state)
{
    static const struct {
        int64_t after, before, last_seq, first, last;
        bool more;
        int64_t next;
    } cases[] = {
        {0, 0, 60, 1, 50, true, 50}, /* full: go on behind the last one given */
        {0, 0, 60, 1, 49, false, 60},
        {0, 0, 30000, 1, 49, true, 10000}, /* looked through the span */
        {5, 0, 30000, 1, 0, true, 10005},
        {29000, 0, 30000, 1, 0, false, 30000},
        {INT64_MAX, 0, 30000, 1, 0, false, 30000},
        {0, 30001, 30000, 29951, 30000, true, 29951},
        {0, INT64_MAX, 30000, 1, 0, true, 20001},
        {0, 10002, 30000, 1, 0, true, 2},
        {0, 10001, 30000, 1, 0, false, 1},
        {0, 9, 30000, 1, 8, false, 1},
    };
    struct history *h = history_create(NULL, NULL);

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct history_query query = from_start;
        struct told t = {0};

        query.folded = true;
        query.after = cases[i].after;
        query.before = cases[i].before;
        assert_true(history_read(h, &query, on_page, &t));
        assert_string_equal(fake_database_statement(0),
                            query.before > 0 ? "history_folded_before" : "history_folded_after");
        fake_database_answer(0, page_of(cases[i].last_seq, cases[i].first, cases[i].last));
        assert_int_equal(t.more, cases[i].more);
        assert_int_equal(t.next, cases[i].next);
    }
    history_destroy(h);
}

static void test_a_page_that_is_cut_leads_on_behind_its_last_entry(void **state)
{
    struct history *h = history_create(NULL, NULL);
    struct history_query query = from_start;
    struct told t = {0};

    (void)state;
    query.folded = true;
    query.bytes_max = 15;
    assert_true(history_read(h, &query, on_page, &t));
    fake_database_answer(0, page_of(60, 1, 3)); /* three times "hello" */
    assert_true(t.more);
    assert_int_equal(t.next, 3);
    history_destroy(h);
}

static void test_failures(void **state)
{
    struct history *h = history_create(NULL, NULL);
    struct told t = {0};

    (void)state;
    assert_true(history_read(h, &from_start, on_page, &t));
    fake_database_answer(0, fake_result(COLUMNS));
    assert_int_equal(t.code, CODE_NOT_FOUND);
    assert_true(history_read(h, &from_start, on_page, &t));
    fake_database_fail(0, DB_LOST);
    assert_int_equal(t.code, CODE_UNAVAILABLE);
    assert_true(history_read(h, &from_start, on_page, &t));
    fake_database_refuse(0, "57014", "timeout");
    assert_int_equal(t.code, CODE_UNAVAILABLE);
    assert_int_equal(t.calls, 3);

    fake_database_set_up(false);
    assert_false(history_read(h, &from_start, on_page, &t));
    fake_database_set_up(true);
    assert_int_equal(t.calls, 3);
    history_destroy(h);
}

static void test_bounded_and_destroyed_while_running(void **state)
{
    struct history *h = history_create(NULL, NULL);
    struct told t = {0};
    int accepted = 0;

    (void)state;
    while (history_read(h, &from_start, on_page, &t))
        accepted++;
    assert_int_equal(accepted, 256);
    fake_database_answer(0, page_of(1, 1, 1));
    assert_int_equal(t.calls, 1);
    assert_true(history_read(h, &from_start, on_page, &t));
    history_destroy(h);
    while (fake_database_waiting() > 0)
        fake_database_fail(0, DB_LOST);
    assert_int_equal(t.calls, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pages),
        cmocka_unit_test(test_folded_pages_lead_on),
        cmocka_unit_test(test_a_page_that_is_cut_leads_on_behind_its_last_entry),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_bounded_and_destroyed_while_running),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
