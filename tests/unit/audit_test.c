/* SPDX-License-Identifier: MIT */
/* audit_test.c - what is noted waits, goes once, and is neither lost in silence nor kept without
 * bound. */
#include "unit/unit.h"

#include "unit/fake_database.h"

#include "base/clock.h"
#include "core/audit.h"

#include <event2/event.h>
#include <string.h>

enum { NOW_MS = 1000000, BATCH = 64 };

static struct event_base *base;
static struct audit *audit;

static int set_up(void **state)
{
    (void)state;
    fake_database_set_up(true);
    base = event_base_new();
    audit = audit_create(base, NULL, "here", 30);
    return audit ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    while (fake_database_waiting() > 0)
        fake_database_fail(0, DB_LOST);
    audit_destroy(audit);
    event_base_free(base);
    return 0;
}

static void note_at(enum code result, uint64_t now_ms)
{
    audit_note(audit,
               &(struct audit_event){.action = "setRole",
                                     .by = AUDIT_USER,
                                     .actor = 7,
                                     .user = 8,
                                     .object = slice_str("0192f7c4-8f3c-8c1e-9a51-6b8d3f1c2a10"),
                                     .result = result,
                                     .detail = slice_str("admin")},
               now_ms);
}

static void note(void)
{
    note_at(CODE_OK, NOW_MS);
}

static struct audit_stats stats(void)
{
    struct audit_stats s;

    audit_get_stats(audit, &s);
    return s;
}

static void test_what_comes_meanwhile_goes_together(void **state)
{
    (void)state;
    assert_true(audit_is_idle(audit));
    note();
    assert_int_equal(fake_database_waiting(), 1);
    assert_string_equal(fake_database_statement(0), "audit_write");
    for (int i = 0; i < BATCH + 1; i++)
        note();
    assert_int_equal(fake_database_waiting(), 1);
    fake_database_answer(0, fake_result(0));
    assert_int_equal(stats().stored, 1);
    fake_database_answer(0, fake_result(0));
    assert_int_equal(stats().stored, 1 + BATCH);
    assert_false(audit_is_idle(audit));
    fake_database_answer(0, fake_result(0));
    assert_int_equal(stats().stored, 2 + BATCH);
    assert_true(audit_is_idle(audit));
    assert_int_equal(fake_database_waiting(), 0);
}

/* Runs the loop until the database is asked this; where it waits. */
static size_t await(const char *statement)
{
    for (;;) {
        for (size_t i = 0; i < fake_database_waiting(); i++) {
            if (strcmp(fake_database_statement(i), statement) == 0)
                return i;
        }
        assert_int_equal(event_base_loop(base, EVLOOP_ONCE), 0);
    }
}

static void test_a_lost_database_is_asked_again(void **state)
{
    (void)state;
    note();
    fake_database_fail(0, DB_LOST);
    assert_int_equal(stats().waiting, 1);
    fake_database_set_up(false);
    note(); /* there is no connection */
    fake_database_set_up(true);
    fake_database_refuse(await("audit_write"), "42P01", "there is no such table yet");
    fake_database_answer(await("audit_write"), fake_result(0));
    assert_int_equal(stats().stored, 2);
    assert_int_equal(stats().lost, 0);
}

static void test_what_is_refused_for_good_goes_to_the_log(void **state)
{
    (void)state;
    note();
    fake_database_refuse(0, "22021", "no such text");
    assert_int_equal(stats().lost, 1);
    assert_true(audit_is_idle(audit));
    note();
    assert_int_equal(fake_database_waiting(), 1);
}

/* What is noted while the database fails is no reason to ask it more often. */
static void test_a_failing_database_is_asked_once_a_while(void **state)
{
    (void)state;
    note();
    fake_database_refuse(0, "42P01", "there is no such table yet");
    for (int i = 0; i < 3; i++) {
        note();
        assert_int_equal(fake_database_waiting(), 0);
    }
    fake_database_answer(await("audit_write"), fake_result(0));
    assert_int_equal(stats().stored, 4);
    note();
    (void)await("audit_write");
}

static void test_one_bad_row_takes_no_other_with_it(void **state)
{
    static const char *const refusals[] = {"22021", "23514"};

    (void)state;
    for (unsigned round = 0; round < 2; round++) {
        for (int i = 0; i < 4; i++)
            note();
        fake_database_answer(0, fake_result(0)); /* the first, which came alone */
        fake_database_refuse(0, refusals[round], "one of them is bad");
        note(); /* comes after those */
        assert_int_equal(fake_database_waiting(), 1);
        fake_database_answer(0, fake_result(0));
        assert_int_equal(stats().stored, round * 4 + 2);
        fake_database_refuse(0, refusals[round], "this is the one");
        assert_int_equal(stats().lost, round + 1);
        fake_database_answer(0, fake_result(0));
        assert_int_equal(stats().stored, round * 4 + 3);
        fake_database_answer(0, fake_result(0));
        assert_int_equal(stats().stored, round * 4 + 4);
        assert_true(audit_is_idle(audit));
    }
}

/* Each of them alone, over a loss, and then together again. */
static void test_what_goes_alone_is_tried_again(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        note();
    fake_database_answer(0, fake_result(0));
    fake_database_refuse(0, "23502", "one of them is bad");
    fake_database_fail(0, DB_LOST);
    for (int i = 0; i < 2; i++) {
        note();
        fake_database_answer(await("audit_write"), fake_result(0));
        assert_int_equal(stats().stored, 2 + i);
    }
    assert_int_equal(stats().waiting, 2);
    fake_database_answer(await("audit_write"), fake_result(0));
    assert_int_equal(stats().stored, 5);
    assert_int_equal(stats().lost, 0);
}

/* The pool goes first: answers of the link that come after it still note something. */
static void test_nothing_is_asked_of_a_pool_that_goes(void **state)
{
    (void)state;
    note();
    audit_stop(audit);
    fake_database_fail(0, DB_LOST);
    note();
    assert_int_equal(fake_database_waiting(), 0);
    assert_int_equal(stats().waiting, 2);
    assert_int_equal(event_base_loop(base, 0), 1); /* there is nothing to wait for */
}

static void test_the_queue_is_bounded(void **state)
{
    (void)state;
    for (int i = 0; i < AUDIT_QUEUE_MAX + 3; i++)
        note();
    assert_int_equal(stats().waiting, AUDIT_QUEUE_MAX);
    assert_int_equal(stats().lost, 3);
    fake_database_answer(0, fake_result(0));
    note();
    assert_int_equal(stats().lost, 3);
}

static void test_refusals_are_noted_so_many_a_minute(void **state)
{
    uint64_t begin = NOW_MS + (uint64_t)10 * AUDIT_WINDOW_MS;

    (void)state;
    for (int i = 0; i < AUDIT_REFUSALS_MAX + 5; i++)
        note_at(CODE_UNAUTHORIZED, begin + (uint64_t)i);
    assert_int_equal(stats().waiting, AUDIT_REFUSALS_MAX);
    assert_int_equal(stats().left_out, 5);
    note_at(CODE_OK, begin + 1000); /* is no refusal */
    assert_int_equal(stats().waiting, AUDIT_REFUSALS_MAX + 1);
    /* A new minute begins with how many those were. */
    note_at(CODE_UNAUTHORIZED, begin + AUDIT_WINDOW_MS);
    assert_int_equal(stats().waiting, AUDIT_REFUSALS_MAX + 3);
    note_at(CODE_UNAUTHORIZED, begin + (uint64_t)3 * AUDIT_WINDOW_MS);
    assert_int_equal(stats().waiting, AUDIT_REFUSALS_MAX + 4);
    assert_int_equal(stats().left_out, 5);
}

static void test_long_texts_are_cut(void **state)
{
    char text[2 * AUDIT_TEXT_MAX];

    (void)state;
    memset(text, 'x', sizeof text);
    audit_note(audit,
               &(struct audit_event){.action = "key_added",
                                     .by = AUDIT_SYSTEM,
                                     .object = slice_of(text, sizeof text),
                                     .detail = slice_of(text, sizeof text)},
               NOW_MS);
    fake_database_answer(0, fake_result(0));
    assert_int_equal(stats().stored, 1);
}

static void answer_expire(int64_t deleted)
{
    PGresult *result = fake_result(1);

    fake_result_add_row(result);
    fake_result_i64(result, 0, 0, deleted);
    fake_database_answer(await("audit_expire"), result);
}

static void test_old_rows_are_deleted(void **state)
{
    (void)state;
    answer_expire(1000); /* there are more */
    fake_database_fail(await("audit_expire"), DB_TIMED_OUT);
    fake_database_refuse(await("audit_expire"), "42501", "not allowed");
    answer_expire(0);
}

/* What is refused may be refused for ever. */
static void test_a_refused_deletion_is_tried_ever_more_rarely(void **state)
{
    uint64_t began_ms;

    (void)state;
    fake_database_refuse(await("audit_expire"), "42501", "not allowed");
    fake_database_refuse(await("audit_expire"), "42501", "not allowed");
    began_ms = clock_monotonic_ms();
    (void)await("audit_expire");
    assert_true(clock_monotonic_ms() - began_ms >= 1900);
    answer_expire(1000); /* which ends that */
    began_ms = clock_monotonic_ms();
    fake_database_refuse(await("audit_expire"), "42501", "not allowed");
    (void)await("audit_expire");
    assert_true(clock_monotonic_ms() - began_ms < 4500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_comes_meanwhile_goes_together, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_lost_database_is_asked_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_refused_for_good_goes_to_the_log, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_failing_database_is_asked_once_a_while, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_one_bad_row_takes_no_other_with_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_goes_alone_is_tried_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nothing_is_asked_of_a_pool_that_goes, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_the_queue_is_bounded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refusals_are_noted_so_many_a_minute, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_long_texts_are_cut, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_old_rows_are_deleted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_refused_deletion_is_tried_ever_more_rarely, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
