/* SPDX-License-Identifier: MIT */
/* cursors_test.c - cursors between a fake database and a fake link: what goes into one statement,
 * who is told and answered, and that nothing is lost while PostgreSQL is away. */
#include "unit/unit.h"

#include "unit/fake_database.h"

#include "base/buf.h"
#include "core/cursors.h"
#include "core/herald.h"

#include <event2/event.h>
#include <stdio.h>

enum { COLUMNS = 6 };

static struct event_base *base;
static struct cursors *cursors;
static struct buf happened; /* "all 1 phone {…}; " */
static const struct uuid group = {{1}}, other_group = {{2}};

void herald_signal(struct herald *h, const struct frame_signal_out *f)
{
    static const char *const audiences[] = {"", "others", "own", "all"};

    (void)h;
    assert_int_equal(f->kind, SIGNAL_CURSOR);
    buf_printf(&happened, "%s %d %.*s %.*s; ", audiences[f->audience], (int)f->sender,
               (int)f->sender_device.length, f->sender_device.data, (int)f->payload.length,
               f->payload.data);
}

static int set_up(void **state)
{
    (void)state;
    fake_database_set_up(true);
    buf_init(&happened, 1 << 20);
    base = event_base_new();
    cursors = cursors_create(base, NULL, NULL);
    return cursors ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    cursors_destroy(cursors);
    while (fake_database_waiting() > 0)
        fake_database_fail(0, DB_LOST);
    event_base_free(base);
    buf_finish(&happened);
    return 0;
}

static void expect(const char *text)
{
    assert_string_equal(happened.data ? happened.data : "", text);
    buf_reset(&happened);
}

static void say(const struct uuid *conversation, const char *device, const char *payload)
{
    cursors_signal(cursors, &(struct frame_signal){.kind = SIGNAL_CURSOR,
                                                   .uid = 1,
                                                   .handle = slice_str("alice"),
                                                   .device = slice_str(device),
                                                   .conversation = *conversation,
                                                   .payload = slice_str(payload)});
}

static void on_done(void *owner, enum code code, const char *reason, const struct cursor_pair *now)
{
    (void)owner;
    assert_int_equal(code == CODE_OK, reason == NULL);
    if (code == CODE_OK)
        buf_printf(&happened, "now %d %d; ", (int)now->received, (int)now->read);
    else
        buf_printf(&happened, "%s; ", code_name(code));
}

static void ask(const struct uuid *conversation, int64_t received, int64_t read)
{
    const struct actor actor = {.uid = 1, .handle = {"alice", 5}};
    const struct cursor_pair to = {received, read};

    assert_true(cursors_move(cursors, &actor, conversation, &to, on_done, NULL));
    expect(""); /* never from inside the call */
}

/* Waits for the next statement. */
static void wait_statement(void)
{
    while (fake_database_waiting() == 0)
        event_base_loop(base, EVLOOP_ONCE);
    assert_int_equal(fake_database_waiting(), 1);
}

static void add_row(PGresult *result, int ord, enum conversation_kind kind, int64_t received,
                    int64_t read, bool moved, bool busy)
{
    int row = fake_result_add_row(result);

    fake_result_i64(result, row, 0, ord);
    fake_result_i64(result, row, 1, kind);
    fake_result_i64(result, row, 2, received);
    fake_result_i64(result, row, 3, read);
    fake_result_bool(result, row, 4, moved);
    fake_result_bool(result, row, 5, busy);
}

/* One row in answer to the next statement. */
static void settle(enum conversation_kind kind, int64_t received, int64_t read, bool moved)
{
    PGresult *result = fake_result(COLUMNS);

    wait_statement();
    add_row(result, 1, kind, received, read, moved, false);
    fake_database_answer(0, result);
}

static void test_what_is_said(void **state)
{
    static const struct {
        const char *json;
        int64_t received, read; /* -1: refused */
    } cases[] = {
        {"{\"received\":42,\"read\":40}", 42, 40},
        {"{\"received\":42}", 42, 0},
        {"{\"read\":40}", 40, 40},
        {"{\"received\":1,\"read\":9223372036854775807}", INT64_MAX, INT64_MAX},
        {"{\"read\":0,\"more\":true}", 0, 0},
        {"{}", -1, 0},
        {"{\"read\":-1}", -1, 0},
        {"{\"read\":1.0}", -1, 0},
        {"{\"read\":\"1\"}", -1, 0},
        {"{\"read\":null}", -1, 0},
        {"{\"read\":1,\"received\":true}", -1, 0},
        {"[1]", -1, 0},
        {"", -1, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        const char *reason = NULL;
        struct cursor_pair pair;
        bool ok = cursor_pair_parse(slice_str(cases[i].json), &pair, &reason);

        assert_int_equal(ok, cases[i].received >= 0);
        if (ok)
            assert_true(pair.received == cases[i].received && pair.read == cases[i].read);
        else
            assert_non_null(reason);
    }
}

static void test_many_updates_are_one_statement(void **state)
{
    struct cursors_stats stats;
    char payload[64];

    (void)state;
    for (int i = 1; i <= 1000; i++) {
        snprintf(payload, sizeof payload, "{\"received\":%d,\"read\":%d}", i, 1001 - i);
        say(&group, "phone", payload);
    }
    say(&group, "phone", "nonsense");
    settle(CONVERSATION_GROUP, 1000, 1000, true);
    expect("all 1 phone {\"from\":\"alice\",\"received\":1000,\"read\":1000}; ");
    cursors_get_stats(cursors, &stats);
    assert_int_equal(stats.updates, 1000);
    assert_int_equal(stats.commits, 1);
    assert_int_equal(stats.waiting, 0);
    assert_true(cursors_is_idle(cursors));
}

static void test_who_is_told(void **state)
{
    (void)state;
    say(&group, "phone", "{\"read\":5}");
    settle(CONVERSATION_CHANNEL, 5, 5, true);
    expect("own 1 phone {\"from\":\"alice\",\"received\":5,\"read\":5}; ");
    say(&group, "phone", "{\"read\":9}"); /* beyond the log: the device hears of it */
    settle(CONVERSATION_DIRECT, 7, 7, true);
    expect("all 1  {\"from\":\"alice\",\"received\":7,\"read\":7}; ");
    say(&group, "phone", "{\"read\":8}");
    say(&group, "web", "{\"read\":7}"); /* of two devices each may not know */
    settle(CONVERSATION_DIRECT, 8, 8, true);
    expect("all 1  {\"from\":\"alice\",\"received\":8,\"read\":8}; ");
    say(&group, "phone", "{\"read\":1}");
    settle(CONVERSATION_DIRECT, 8, 8, false);
    expect("");
}

static void test_requests_are_answered(void **state)
{
    PGresult *result = fake_result(COLUMNS);

    (void)state;
    ask(&group, 5, 5);
    ask(&group, 6, 4);
    ask(&other_group, 1, 1);
    wait_statement();
    add_row(result, 1, CONVERSATION_GROUP, 6, 5, true, false);
    fake_database_answer(0, result);
    expect("all 1  {\"from\":\"alice\",\"received\":6,\"read\":5}; now 6 5; now 6 5; not_found; ");
}

/* Somebody else has locked the row. */
static void test_a_busy_row_is_tried_again(void **state)
{
    PGresult *result = fake_result(COLUMNS);

    (void)state;
    ask(&group, 5, 5);
    wait_statement();
    add_row(result, 1, CONVERSATION_GROUP, 1, 1, false, true);
    fake_database_answer(0, result);
    expect("");
    assert_false(cursors_is_idle(cursors));
    settle(CONVERSATION_GROUP, 5, 5, true);
    expect("all 1  {\"from\":\"alice\",\"received\":5,\"read\":5}; now 5 5; ");
}

static void test_nothing_is_lost_while_the_database_is_away(void **state)
{
    (void)state;
    fake_database_set_up(false);
    say(&group, "phone", "{\"read\":5}");
    ask(&group, 3, 3);
    event_base_loop(base, EVLOOP_ONCE);
    expect("unavailable; "); /* to whoever waits; the cursor itself goes on */
    fake_database_set_up(true);
    wait_statement();
    say(&group, "phone", "{\"read\":6}");
    fake_database_fail(0, DB_LOST);
    settle(CONVERSATION_GROUP, 6, 6, true);
    expect("all 1  {\"from\":\"alice\",\"received\":6,\"read\":6}; ");
}

static void test_a_bound(void **state)
{
    const struct cursor_pair to = {1, 1};
    struct cursors_stats stats;

    (void)state;
    for (uint64_t uid = 1; uid <= CURSORS_MAX; uid++) {
        const struct actor actor = {.uid = uid, .handle = {"alice", 5}};

        assert_true(cursors_move(cursors, &actor, &group, &to, on_done, NULL));
    }
    assert_false(cursors_move(cursors,
                              &(struct actor){.uid = CURSORS_MAX + 1, .handle = {"bob", 3}}, &group,
                              &to, on_done, NULL));
    ask(&group, 2, 2); /* one that waits already */
    cursors_get_stats(cursors, &stats);
    assert_int_equal(stats.refused, 1);
    assert_int_equal(stats.waiting, CURSORS_MAX);
    wait_statement();
}

static void test_destroy_while_under_way(void **state)
{
    (void)state;
    ask(&group, 1, 1);
    wait_statement();
    ask(&group, 2, 2);
    cursors_destroy(cursors);
    cursors = NULL;
    fake_database_fail(0, DB_LOST);
    expect("");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_is_said, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_many_updates_are_one_statement, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_who_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_requests_are_answered, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_busy_row_is_tried_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nothing_is_lost_while_the_database_is_away, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_bound, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_destroy_while_under_way, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
