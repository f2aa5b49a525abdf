/* SPDX-License-Identifier: MIT */
/* ingest_asides_test.c - the writer while something else holds a lock on a conversation: the others
 * go on, and no order that was promised is lost. */
#include "unit/ingest_rig.h"

#include <event2/event.h>

/* The drafts whose ids begin with `prefix` are told in order, whatever is told between them. */
static void assert_told_in_order_of(char prefix, unsigned count)
{
    unsigned found = 0;

    for (size_t i = 0; i < told_count; i++) {
        if (told[i].id[0] != prefix)
            continue;
        assert_int_equal(strtoul(told[i].id + 1, NULL, 10), found);
        assert_int_equal(told[i].code, CODE_OK);
        assert_int_equal(told[i].seq, ++found);
    }
    assert_int_equal(found, count);
}

static void test_a_held_conversation_does_not_stop_the_others(void **state)
{
    struct ingest_stats stats;
    (void)state;

    fake_server_hold(HELD);
    for (unsigned n = 0; n < 20; n++) {
        submit_numbered(n, 1);
        submit_held(n, 1);
    }
    ingest_kick(ingest);
    run_until_told(20);
    submit_numbered(20, 40);
    submit_held(20, 40);
    submit_json(HELD, "no json"); /* refused, but in its place */
    ingest_kick(ingest);
    run_until_told(60);
    assert_told_in_order_of('d', 60);
    assert_false(ingest_is_idle(ingest));
    fake_server_hold(NULL);
    run_until_idle();
    assert_told_in_order_of('h', 60);
    assert_int_equal(told[told_count - 1].code, CODE_INVALID);
    assert_int_equal(last_held_seq, 60);
    ingest_get_stats(ingest, &stats);
    assert_int_equal(stats.quarantined, 0);
    assert_int_equal(stats.queued, 0);
}

static void test_a_conversation_set_aside_survives_a_lost_connection(void **state)
{
    (void)state;
    fake_server_hold(HELD);
    submit_held(0, 3);
    submit_numbered(0, 3);
    ingest_kick(ingest);
    run_until_told(3);
    wait_for_batch(); /* the look whether it is free now */
    fake_server_break_after(1);
    fake_server_hold(NULL);
    submit_held(3, 3);
    fake_server_connect();
    run_until_idle();
    assert_told_in_order_of('d', 3);
    assert_told_in_order_of('h', 6);
}

static void test_a_draft_set_aside_may_be_refused(void **state)
{
    (void)state;
    fake_server_hold(HELD);
    submit_json(HELD, "{\"id\":\"x\",\"text\":\"poison\"}");
    submit_held(0, 3);
    submit_numbered(0, 3);
    ingest_kick(ingest);
    run_until_told(3);
    fake_server_hold(NULL);
    run_until_idle();
    assert_string_equal(told[3].id, "x");
    assert_int_equal(told[3].code, CODE_INVALID);
    assert_told_in_order_of('h', 3);
}

static void test_order_holds_while_locks_come_and_go(void **state)
{
    unsigned random = 3;
    unsigned submitted = 0;
    bool held = false;
    (void)state;

    while (submitted < 400 || !ingest_is_idle(ingest)) {
        random = random * 1103515245 + 12345;
        if (submitted < 400 && (random >> 16) % 4 == 0) {
            submit_numbered(submitted, 4);
            submit_held(submitted, 4);
            submitted += 4;
            ingest_kick(ingest);
        }
        if ((random >> 8) % 32 == 0) {
            held = !held && submitted < 400;
            fake_server_hold(held ? HELD : NULL);
        }
        if (fake_server_waiting() > 0 && (random >> 12) % 32 == 0) {
            fake_server_break_after((random >> 20) % 3);
            fake_server_connect();
        } else if (fake_server_waiting() > 0 && (random >> 12) % 32 == 1) {
            fake_server_fail("57014");
        } else if (fake_server_waiting() > 0) {
            fake_server_run();
        }
        event_base_loop(base, EVLOOP_NONBLOCK);
    }
    assert_told_in_order_of('d', submitted);
    assert_told_in_order_of('h', submitted);
    assert_int_equal(fake_server_stored(), 2 * submitted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        INGEST_TEST(test_a_held_conversation_does_not_stop_the_others),
        INGEST_TEST(test_a_conversation_set_aside_survives_a_lost_connection),
        INGEST_TEST(test_a_draft_set_aside_may_be_refused),
        INGEST_TEST(test_order_holds_while_locks_come_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
