/* SPDX-License-Identifier: MIT */
/* replica_test.c - when a page is read from the replica, when its answer counts, and what happens
 * instead. tests/integration/test_cluster_replica.py does the same with a real one. */
#include "unit/unit.h"

#include "unit/fake_database.h"

#include "base/clock.h"
#include "core/history.h"
#include "core/replica.h"

#include <event2/event.h>
#include <stdio.h>
#include <string.h>

enum {
    STATE_COLUMNS = 4,
    COLUMN_SEQ = STATE_COLUMNS,
    COLUMN_TEXT = COLUMN_SEQ + 5,
    COLUMNS = STATE_COLUMNS + 10,
    LAG_MAX_MS = 60000,
    SHORT_LAG_MAX_MS = 20,
};

struct rig {
    struct event_base *base;
    struct replica *replica;
    struct history *history;
    int calls; /* what was told: */
    enum code code;
    char text[16];
};

static void on_page(void *owner, enum code code, const struct history_page *page)
{
    struct rig *rig = owner;

    rig->calls++;
    rig->code = code;
    rig->text[0] = '\0';
    if (page && page->count > 0)
        snprintf(rig->text, sizeof rig->text, "%.*s", (int)page->items[0].entry.text.length,
                 page->items[0].entry.text.data);
}

static PGresult *place(int64_t at)
{
    PGresult *result = fake_result(1);

    fake_result_i64(result, fake_result_add_row(result), 0, at);
    return result;
}

static PGresult *replayed(bool in_recovery, int64_t at)
{
    PGresult *result = fake_result(2);
    int row = fake_result_add_row(result);

    fake_result_bool(result, row, 0, in_recovery);
    if (in_recovery)
        fake_result_i64(result, row, 1, at);
    return result;
}

struct state {
    int64_t last_seq, erased_seq, rights, erasures;
};

static const struct state of_primary = {5, 2, 90, 3};

static void put_state(PGresult *result, int row, const struct state *s)
{
    fake_result_i64(result, row, 0, s->last_seq);
    fake_result_i64(result, row, 1, s->erased_seq);
    fake_result_i64(result, row, 2, s->rights);
    fake_result_i64(result, row, 3, s->erasures);
}

/* The primary's. */
static PGresult *state(void)
{
    PGresult *result = fake_result(STATE_COLUMNS);

    put_state(result, fake_result_add_row(result), &of_primary);
    return result;
}

static PGresult *page(struct state s, const char *text)
{
    PGresult *result = fake_result(COLUMNS);
    int row = fake_result_add_row(result);

    put_state(result, row, &s);
    fake_result_i64(result, row, COLUMN_SEQ, 1);
    fake_result_text(result, row, COLUMN_TEXT, text);
    return result;
}

/* Turns the loop until somebody is asked how far they are. */
static void wait_for_look(struct rig *rig, const char *statement)
{
    while (fake_database_waiting() == 0)
        event_base_loop(rig->base, EVLOOP_ONCE);
    assert_string_equal(fake_database_statement(0), statement);
}

static struct rig rig_of_test;

static int set_up_with(void **test_state, unsigned lag_max_ms)
{
    struct rig *rig = &rig_of_test;
    const struct replica_config config = {.lag_max_ms = lag_max_ms};

    fake_database_set_up(true);
    *rig = (struct rig){0};
    rig->base = event_base_new();
    rig->replica = replica_create(rig->base, &config);
    rig->history = history_create(NULL, rig->replica);
    assert_non_null(rig->replica);
    wait_for_look(rig, "replica_wanted");
    fake_database_answer(0, place(1000));
    assert_false(replica_is_usable(rig->replica));
    fake_database_answer(0, replayed(true, 1000));
    *test_state = rig;
    return 0;
}

static int set_up(void **test_state)
{
    return set_up_with(test_state, LAG_MAX_MS);
}

static int set_up_impatient(void **test_state)
{
    return set_up_with(test_state, SHORT_LAG_MAX_MS);
}

static int tear_down(void **test_state)
{
    struct rig *rig = *test_state;

    history_destroy(rig->history);
    while (fake_database_waiting() > 0)
        fake_database_fail(0, DB_LOST);
    replica_destroy(rig->replica);
    event_base_free(rig->base);
    return 0;
}

static void ask(struct rig *rig, const char *first_statement)
{
    const struct history_query query = {
        .reader = 1, .limit = 50, .bytes_max = 1000, .spares = true};

    rig->calls = 0;
    assert_true(history_read(rig->history, &query, on_page, rig));
    assert_string_equal(fake_database_statement(0), first_statement);
}

static uint64_t pages(const struct rig *rig, enum replica_outcome outcome)
{
    struct replica_stats stats;

    replica_get_stats(rig->replica, &stats);
    return stats.pages[outcome];
}

/* The primary's page, which is asked for in the end. */
static void expect_fallback(struct rig *rig)
{
    assert_int_equal(rig->calls, 0);
    assert_int_equal(fake_database_waiting(), 1);
    assert_string_equal(fake_database_statement(0), "history_after");
    fake_database_answer(0, page(of_primary, "primary"));
    assert_int_equal(rig->calls, 1);
    assert_string_equal(rig->text, "primary");
}

static void test_a_replica_that_has_come_so_far_answers(void **test_state)
{
    struct rig *rig = *test_state;

    ask(rig, "history_state");
    fake_database_answer(0, state());
    assert_string_equal(fake_database_statement(0), "history_after");
    fake_database_answer(0, page((struct state){6, 2, 90, 4}, "replica"));
    assert_int_equal(rig->calls, 1);
    assert_int_equal(rig->code, CODE_OK);
    assert_string_equal(rig->text, "replica");
    assert_int_equal(pages(rig, REPLICA_ANSWERED), 1);
}

static void test_the_primary_decides_who_may_read(void **test_state)
{
    struct rig *rig = *test_state;

    ask(rig, "history_state");
    fake_database_answer(0, fake_result(STATE_COLUMNS));
    assert_int_equal(rig->calls, 1);
    assert_int_equal(rig->code, CODE_NOT_FOUND);
    assert_int_equal(fake_database_waiting(), 0);
    ask(rig, "history_state");
    fake_database_fail(0, DB_LOST);
    assert_int_equal(rig->code, CODE_UNAVAILABLE);
}

static void test_what_does_not_count(void **test_state)
{
    struct rig *rig = *test_state;
    PGresult *const answers[] = {
        page((struct state){4, 2, 90, 3}, "old"), /* an entry lacks, which may be a deletion */
        page((struct state){5, 1, 90, 3}, "old"), /* a text is there that has expired */
        page((struct state){5, 2, 89, 3}, "old"), /* or that an erased user wrote */
        page((struct state){5, 2, 91, 3}, "old"), /* this may have committed before 90 */
        page((struct state){5, 2, 90, 2}, "old"), /* a handle is there of an erased user */
        fake_result(COLUMNS),                     /* the reader is not a member there */
    };

    for (size_t i = 0; i < ARRAY_LENGTH(answers); i++) {
        ask(rig, "history_state");
        fake_database_answer(0, state());
        fake_database_answer(0, answers[i]);
        assert_int_equal(pages(rig, REPLICA_BEHIND), i + 1);
        expect_fallback(rig);
    }
    assert_int_equal(pages(rig, REPLICA_ANSWERED), 0);
}

static void test_a_conflict_with_the_log_costs_one_page(void **test_state)
{
    struct rig *rig = *test_state;

    ask(rig, "history_state");
    fake_database_answer(0, state());
    fake_database_refuse(0, "40001", "canceling statement due to conflict with recovery");
    expect_fallback(rig);
    assert_true(replica_is_usable(rig->replica));
}

static void test_who_fails_is_left_alone(void **test_state)
{
    struct rig *rig = *test_state;

    ask(rig, "history_state");
    fake_database_answer(0, state());
    fake_database_fail(0, DB_TIMED_OUT);
    expect_fallback(rig);
    assert_int_equal(pages(rig, REPLICA_FAILED), 1);
    assert_false(replica_is_usable(rig->replica));
    ask(rig, "history_after");
    expect_fallback(rig);
    assert_int_equal(pages(rig, REPLICA_AWAY), 1);
}

static void test_a_replica_that_goes_between_the_questions(void **test_state)
{
    struct rig *rig = *test_state;

    ask(rig, "history_state");
    ask(rig, "history_state");
    fake_database_answer(1, state());
    fake_database_fail(1, DB_LOST); /* so the first one need not try */
    fake_database_answer(0, state());
    assert_int_equal(pages(rig, REPLICA_FAILED), 1);
    assert_int_equal(pages(rig, REPLICA_AWAY), 1);
    for (int i = 0; i < 2; i++) {
        assert_string_equal(fake_database_statement(0), "history_after");
        fake_database_answer(0, page(of_primary, "primary"));
    }
    assert_int_equal(rig->calls, 2);
}

static void test_without_a_database(void **test_state)
{
    struct rig *rig = *test_state;
    const struct history_query query = {.limit = 1, .bytes_max = 1, .spares = true};

    ask(rig, "history_state");
    fake_database_set_up(false);
    fake_database_answer(0, state());
    assert_int_equal(rig->calls, 1);
    assert_int_equal(rig->code, CODE_UNAVAILABLE);
    assert_false(history_read(rig->history, &query, on_page, rig));
}

static void test_too_far_behind(void **test_state)
{
    struct rig *rig = *test_state;
    struct replica_stats stats;

    wait_for_look(rig, "replica_wanted");
    fake_database_answer(0, place(2000));
    fake_database_answer(0, replayed(true, 1999));
    do
        replica_get_stats(rig->replica, &stats);
    while (stats.lag_ms <= SHORT_LAG_MAX_MS);
    assert_false(replica_is_usable(rig->replica));
    wait_for_look(rig, "replica_wanted"); /* until it has come there, */
    fake_database_answer(0, place(3000)); /* wherever the primary is by then */
    assert_string_equal(fake_database_statement(0), "replica_replayed");
    fake_database_answer(0, replayed(true, 2000));
    assert_false(replica_is_usable(rig->replica)); /* it took too long */
    do {
        wait_for_look(rig, "replica_wanted");
        fake_database_answer(0, place(2000));
        fake_database_answer(0, replayed(true, 2000));
    } while (!replica_is_usable(rig->replica)); /* at once, but on a machine that is busy */
}

/* Its log may end before the place that the one before it had told. */
static void test_another_primary(void **test_state)
{
    struct rig *rig = *test_state;

    wait_for_look(rig, "replica_wanted");
    fake_database_answer(0, place(9000));
    fake_database_answer(0, replayed(true, 1500));
    for (int i = 0; i < 2; i++) { /* meanwhile there is none */
        wait_for_look(rig, "replica_wanted");
        fake_database_fail(0, DB_LOST);
        assert_string_equal(fake_database_statement(0), "replica_replayed");
        fake_database_answer(0, replayed(true, 1500));
    }
    wait_for_look(rig, "replica_wanted");
    fake_database_answer(0, place(1600));
    fake_database_answer(0, replayed(true, 1500));
    assert_int_equal(fake_database_waiting(), 0);
    do {
        wait_for_look(rig, "replica_wanted");
        fake_database_answer(0, place(1600));
        fake_database_answer(0, replayed(true, 1600));
    } while (!replica_is_usable(rig->replica)); /* at once, but on a machine that is busy */
}

static void test_a_replica_that_was_made_a_primary(void **test_state)
{
    struct rig *rig = *test_state;

    wait_for_look(rig, "replica_wanted");
    fake_database_answer(0, place(2000));
    fake_database_answer(0, replayed(false, 0));
    assert_false(replica_is_usable(rig->replica));
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_a_replica_that_has_come_so_far_answers),
        CASE(test_the_primary_decides_who_may_read),
        CASE(test_what_does_not_count),
        CASE(test_a_conflict_with_the_log_costs_one_page),
        CASE(test_who_fails_is_left_alone),
        CASE(test_a_replica_that_goes_between_the_questions),
        CASE(test_without_a_database),
        cmocka_unit_test_setup_teardown(test_too_far_behind, set_up_impatient, tear_down),
        cmocka_unit_test_setup_teardown(test_another_primary, set_up_impatient, tear_down),
        CASE(test_a_replica_that_was_made_a_primary),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
