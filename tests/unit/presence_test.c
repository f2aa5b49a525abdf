/* SPDX-License-Identifier: MIT */
/* presence_test.c - who types, on a clock of the test; what is read and written of rows, on a
 * database that answers when and how the test likes. */
#include "unit/unit.h"

#include "core/presence/ledger.h"
#include "core/presence/questions.h"
#include "core/presence/rows.h"
#include "core/presence/typing.h"
#include "unit/fake_database.h"

#include <event2/event.h>
#include <stdio.h>

static char told[4096];
static unsigned count;
static struct event_base *base;

static int set_up(void **state)
{
    (void)state;
    base = event_base_new();
    assert_non_null(base);
    fake_database_set_up(true);
    told[0] = '\0';
    count = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    assert_int_equal(fake_database_waiting(), 0);
    event_base_free(base);
    return 0;
}

static void note(const char *text)
{
    size_t length = strlen(told);

    snprintf(told + length, sizeof told - length, "%s; ", text);
}

static void turn(void)
{
    event_base_loop(base, EVLOOP_NONBLOCK);
}

/* Runs the loop until a query has been asked. */
static void wait_query(void)
{
    const struct timeval interval = {.tv_usec = 10000};

    for (unsigned i = 0; i < 500 && fake_database_waiting() == 0; i++) {
        event_base_loopexit(base, &interval);
        event_base_dispatch(base);
    }
    assert_int_equal(fake_database_waiting(), 1);
}

/* ---------------------------------------------------------------- typing */

static void on_typing(void *owner, const struct frame_signal_out *f)
{
    char text[256];

    (void)owner;
    assert_int_equal(f->kind, SIGNAL_TYPING);
    assert_int_equal(f->audience, AUDIENCE_OTHERS);
    snprintf(text, sizeof text, "%u %.*s", (unsigned)f->conversation.bytes[0],
             (int)f->payload.length, f->payload.data);
    note(text);
    count++;
}

static void type_in(struct typing *t, unsigned conversation, uint64_t uid, const char *json,
                    uint64_t now_ms)
{
    struct frame_signal f = {.kind = SIGNAL_TYPING,
                             .uid = uid,
                             .handle = slice_str("bob"),
                             .device = slice_str("phone"),
                             .payload = slice_str(json)};

    f.conversation.bytes[0] = (uint8_t)conversation;
    typing_signal(t, &f, now_ms);
}

#define START "{\"state\":\"start\"}"
#define STOP "{\"state\":\"stop\"}"

static void test_typing(void **state)
{
    struct typing *t = typing_create(on_typing, NULL);

    (void)state;
    assert_int_equal(typing_turn(t, 0), UINT64_MAX);
    type_in(t, 1, 2, START, 0);
    assert_string_equal(told, "1 {\"from\":\"bob\",\"state\":\"start\"}; ");
    type_in(t, 1, 2, START, TYPING_REPEAT_MS - 1);
    assert_int_equal(count, 1);
    type_in(t, 1, 2, START, TYPING_REPEAT_MS);
    assert_int_equal(count, 2);
    assert_int_equal(typing_turn(t, TYPING_REPEAT_MS), TYPING_REPEAT_MS + TYPING_EXPIRES_MS);
    told[0] = '\0';
    type_in(t, 1, 2, STOP, 3000);
    type_in(t, 1, 2, STOP, 3000);
    assert_string_equal(told, "1 {\"from\":\"bob\",\"state\":\"stop\"}; ");
    assert_int_equal(typing_turn(t, 3000), UINT64_MAX);
    typing_destroy(t);
}

static void test_typing_expires(void **state)
{
    struct typing *t = typing_create(on_typing, NULL);

    (void)state;
    type_in(t, 1, 2, START, 0);
    type_in(t, 2, 2, START, 100);
    type_in(t, 1, 3, START, 200);
    type_in(t, 1, 2, START, 300);
    told[0] = '\0';
    assert_int_equal(typing_turn(t, TYPING_EXPIRES_MS), 100 + TYPING_EXPIRES_MS);
    assert_string_equal(told, "");
    assert_int_equal(typing_turn(t, 100 + TYPING_EXPIRES_MS), 200 + TYPING_EXPIRES_MS);
    assert_string_equal(told, "2 {\"from\":\"bob\",\"state\":\"stop\"}; ");
    count = 0;
    assert_int_equal(typing_turn(t, 10 * TYPING_EXPIRES_MS), UINT64_MAX);
    assert_int_equal(count, 2);
    typing_destroy(t);
}

static void test_typing_nonsense(void **state)
{
    static const char *const bad[] = {"",        "{}",  "[]", "{\"state\":1}", "{\"state\":\"go\"}",
                                      "{\"stat", "nil", STOP};
    struct typing *t = typing_create(on_typing, NULL);

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
        type_in(t, 1, 2, bad[i], 0);
    assert_int_equal(count, 0);
    assert_int_equal(typing_turn(t, 0), UINT64_MAX);
    type_in(t, 1, 2, START, 0);
    typing_link_lost(t);
    assert_int_equal(typing_turn(t, 10 * TYPING_EXPIRES_MS), UINT64_MAX);
    assert_int_equal(count, 1);
    typing_destroy(t);
}

static void test_typing_limit(void **state)
{
    struct typing *t = typing_create(on_typing, NULL);

    (void)state;
    for (uint64_t uid = 1; uid <= TYPING_MAX + 5; uid++)
        type_in(t, 1, uid, START, 0);
    assert_int_equal(count, TYPING_MAX);
    typing_turn(t, TYPING_EXPIRES_MS);
    type_in(t, 1, TYPING_MAX + 5, START, TYPING_EXPIRES_MS);
    assert_int_equal(count, 2 * TYPING_MAX + 1);
    typing_destroy(t);
}

/* ---------------------------------------------------------------- ledger */

static void test_ledger_collects(void **state)
{
    struct ledger *l = ledger_create(base, NULL);
    bool hidden = false;
    int64_t seen = 50;

    (void)state;
    assert_true(ledger_is_idle(l));
    for (int64_t i = 0; i < 100; i++)
        ledger_seen(l, 2, i);
    ledger_overlay(l, 3, &hidden, &seen);
    assert_int_equal(seen, 50);
    ledger_overlay(l, 2, &hidden, &seen);
    assert_int_equal(seen, 99);
    assert_false(hidden);
    turn();
    assert_int_equal(fake_database_waiting(), 0); /* at most once a second */
    ledger_flush(l);
    wait_query();
    ledger_hidden(l, 2, true, 200); /* while it is being written */
    fake_database_answer(0, fake_result(0));
    assert_false(ledger_is_idle(l));
    ledger_overlay(l, 2, &hidden, &seen);
    assert_true(hidden);
    assert_int_equal(seen, 200);
    wait_query();
    fake_database_answer(0, fake_result(0));
    assert_true(ledger_is_idle(l));
    ledger_destroy(l);
}

static void test_ledger_tries_again(void **state)
{
    struct ledger *l = ledger_create(base, NULL);

    (void)state;
    fake_database_set_up(false);
    ledger_seen(l, 2, 1);
    ledger_flush(l);
    turn();
    assert_false(ledger_is_idle(l));
    fake_database_set_up(true);
    ledger_flush(l);
    wait_query();
    fake_database_fail(0, DB_LOST);
    ledger_flush(l);
    wait_query();
    fake_database_refuse(0, "XX000", "no");
    ledger_flush(l);
    wait_query();
    fake_database_answer(0, fake_result(0));
    assert_true(ledger_is_idle(l));
    ledger_seen(l, 2, 1);
    ledger_destroy(l); /* with something that waits */
}

/* While the database is away the number of users is bounded, but nobody who hides is forgotten. */
static void test_ledger_limit(void **state)
{
    struct ledger *l = ledger_create(base, NULL);
    bool hidden = false;
    int64_t seen = 0;

    (void)state;
    for (uint64_t uid = 1; uid <= LEDGER_MAX + 1; uid++)
        ledger_seen(l, uid, 5);
    ledger_overlay(l, LEDGER_MAX + 1, &hidden, &seen);
    assert_int_equal(seen, 0);
    ledger_hidden(l, LEDGER_MAX + 1, true, 6);
    ledger_overlay(l, LEDGER_MAX + 1, &hidden, &seen);
    assert_true(hidden);
    ledger_destroy(l);
}

/* Of a user whose row hides them nothing newer is shown. */
static void test_ledger_overlay_of_a_hidden_row(void **state)
{
    struct ledger *l = ledger_create(base, NULL);
    bool hidden = true;
    int64_t seen = 7;

    (void)state;
    ledger_seen(l, 2, 100);
    ledger_overlay(l, 2, &hidden, &seen);
    assert_true(hidden);
    assert_int_equal(seen, 7);
    ledger_hidden(l, 2, false, 200);
    ledger_overlay(l, 2, &hidden, &seen);
    assert_false(hidden);
    assert_int_equal(seen, 200);
    ledger_destroy(l);
}

/* ---------------------------------------------------------------- rows */

static void on_row(void *owner, uint64_t uid, const struct presence_row *row)
{
    char text[64];

    (void)owner;
    snprintf(text, sizeof text, "%d %s %d%s", (int)uid, row->hidden ? "hidden" : "shown",
             (int)row->last_seen_ms, row->discreet ? " discreet" : "");
    note(text);
}

static void test_rows(void **state)
{
    struct rows *r = rows_create(base, NULL, on_row, NULL);
    PGresult *result = fake_result(4);

    (void)state;
    fake_database_set_up(false);
    rows_read(r, 2);
    turn();
    fake_database_set_up(true);
    wait_query();
    fake_database_fail(0, DB_LOST);
    rows_read(r, 3);
    wait_query();
    rows_read(r, 4); /* the next query */
    turn();
    assert_int_equal(fake_database_waiting(), 1);
    fake_result_i64(result, fake_result_add_row(result), 0, 2);
    fake_result_bool(result, 0, 1, true);
    fake_result_bool(result, 0, 3, true);
    fake_database_answer(0, result);
    assert_string_equal(told, "2 hidden 0 discreet; ");
    wait_query();
    fake_database_refuse(0, "XX000", "no");
    wait_query();
    fake_database_answer(0, fake_result(4));
    turn();
    assert_int_equal(fake_database_waiting(), 0);
    rows_destroy(r);
}

/* ---------------------------------------------------------------- questions */

static void on_verdict(void *owner, const struct question *q, const struct verdict *verdict)
{
    char text[128];

    (void)owner;
    snprintf(text, sizeof text, "%d %s %s %d", (int)q->number, q->target,
             verdict->allowed ? "yes" : "no", (int)verdict->target_uid);
    note(text);
}

static void ask(struct questions *q, uint64_t number, const char *target)
{
    questions_ask(q, &(struct frame_watch){.number = number,
                                           .uid = 1,
                                           .device = slice_str("phone"),
                                           .target = slice_str(target)});
}

/* A row for each target, all allowed but the unknown ones (uid 0). */
static PGresult *verdicts(const uint64_t *uids, int rows)
{
    PGresult *result = fake_result(5);

    for (int i = 0; i < rows; i++) {
        int row = fake_result_add_row(result);

        if (uids[i] > 0)
            fake_result_i64(result, row, 0, (int64_t)uids[i]);
        fake_result_bool(result, row, 1, uids[i] > 0);
    }
    return result;
}

/* Of a row that changes while it is being read only what is read afterwards counts. */
static void test_a_row_that_changes_under_way(void **state)
{
    static const uint64_t both[] = {2, 3}, again[] = {4, 2};
    struct questions *q = questions_create(base, NULL, on_verdict, NULL);

    (void)state;
    ask(q, 1, "bob");
    ask(q, 2, "carol");
    wait_query();
    ask(q, 3, "dave");
    questions_row_changed(q, slice_str("bob"));
    fake_database_answer(0, verdicts(both, 2));
    assert_string_equal(told, "2 carol yes 3; ");
    wait_query();
    fake_database_answer(0, verdicts(again, 2));
    assert_string_equal(told, "2 carol yes 3; 3 dave yes 4; 1 bob yes 2; ");
    questions_destroy(q);
}

static void test_questions(void **state)
{
    static const uint64_t first[] = {2, 0}, second[] = {4};
    struct questions *q = questions_create(base, NULL, on_verdict, NULL);

    (void)state;
    ask(q, 1, "bob");
    ask(q, 2, "nobody");
    wait_query();
    ask(q, 3, "dave");
    fake_database_fail(0, DB_TIMED_OUT);
    wait_query(); /* all three again, in their order */
    fake_database_refuse(0, "XX000", "no");
    wait_query();
    fake_database_answer(0, verdicts((const uint64_t[]){2, 0, 3}, 3));
    assert_string_equal(told, "1 bob yes 2; 2 nobody no 0; 3 dave yes 3; ");
    told[0] = '\0';
    ask(q, 4, "erin");
    wait_query();
    ask(q, 5, "lost");
    questions_link_lost(q);
    ask(q, 6, "frank");
    turn();
    assert_int_equal(fake_database_waiting(), 1);
    fake_database_answer(0, verdicts(first, 2)); /* for nobody */
    assert_string_equal(told, "");
    wait_query();
    fake_database_answer(0, verdicts(second, 1));
    assert_string_equal(told, "6 frank yes 4; ");
    fake_database_set_up(false);
    ask(q, 7, "bob");
    turn();
    questions_destroy(q); /* with one that waits */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_typing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_typing_expires, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_typing_nonsense, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_typing_limit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_ledger_collects, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_ledger_tries_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_ledger_limit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_ledger_overlay_of_a_hidden_row, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rows, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_questions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_row_that_changes_under_way, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
