/* SPDX-License-Identifier: MIT */
/* ingest_test.c - the writer against a tiny server: outcomes come once, in order, and mean what is
 * stored, whatever fails on the way. */
#include "unit/ingest_rig.h"

#include <event2/event.h>
#include <stdio.h>

static void assert_told_in_order(unsigned count)
{
    char id[16];

    assert_int_equal(told_count, count);
    for (unsigned n = 0; n < count; n++) {
        snprintf(id, sizeof id, "d%u", n);
        assert_string_equal(told[n].id, id);
        assert_int_equal(told[n].code, CODE_OK);
        assert_int_equal(told[n].seq, n + 1);
    }
}

static void test_what_queues_meanwhile_is_one_batch(void **state)
{
    (void)state;
    submit_numbered(0, 1);
    ingest_kick(ingest);
    submit_numbered(1, 1);
    ingest_kick(ingest);
    submit_numbered(2, 30);
    ingest_kick(ingest);
    assert_int_equal(fake_server_waiting(), 2); /* both slots are taken */
    assert_int_equal(told_count, 0);            /* nothing is told before its commit */
    fake_server_run();
    assert_int_equal(told_count, 1);
    fake_server_run();
    assert_int_equal(fake_server_drafts_waiting(), 30);
    run_until_idle();
    assert_told_in_order(32);
    assert_int_equal(settled_count, 3);
    assert_int_equal(last_entry_seq, 32);
}

static void test_few_wait_for_each_other_and_many_do_not(void **state)
{
    (void)state;
    submit_numbered(0, 1);
    ingest_kick(ingest);
    submit_numbered(1, RIG_CROWD - 1);
    ingest_kick(ingest);
    assert_int_equal(fake_server_waiting(), 1);
    fake_server_run();
    assert_int_equal(told_count, 1);
    assert_int_equal(fake_server_drafts_waiting(), RIG_CROWD - 1);
    submit_numbered(RIG_CROWD, RIG_CROWD);
    ingest_kick(ingest);
    assert_int_equal(fake_server_waiting(), 2); /* the second one did not wait for the first */
    submit_numbered(2 * RIG_CROWD, RIG_CROWD);
    ingest_kick(ingest);
    assert_int_equal(fake_server_waiting(), 2);
    run_until_idle();
    assert_told_in_order(3 * RIG_CROWD);
    assert_int_equal(settled_count, 4);
}

static void test_a_later_batch_does_not_overtake_a_failed_one(void **state)
{
    (void)state;
    submit_numbered(0, 10);
    ingest_kick(ingest);
    submit_numbered(10, 10);
    ingest_kick(ingest);
    fake_server_fail("40001");
    assert_int_equal(told_count, 0);
    fake_server_run(); /* fails: it follows a batch that was not committed */
    assert_int_equal(fake_server_stored(), 0);
    submit_numbered(20, 5);
    run_until_idle();
    assert_told_in_order(25);
    assert_int_equal(fake_server_stored(), 25);
}

static void test_unknown_outcome_is_stored_once_and_told_once(void **state)
{
    (void)state;
    submit_numbered(0, 10);
    ingest_kick(ingest);
    submit_numbered(10, 10);
    ingest_kick(ingest);
    fake_server_break_after(1);
    assert_int_equal(fake_server_stored(), 10);
    assert_int_equal(told_count, 0);
    submit_numbered(20, 5);
    ingest_kick(ingest);
    assert_int_equal(fake_server_waiting(), 0);
    fake_server_connect();
    run_until_idle();
    assert_told_in_order(25);
    assert_int_equal(fake_server_stored(), 25);
    assert_int_equal(last_entry_seq, 25); /* also of those that were stored before */
    assert_true(told[0].duplicate);
    assert_false(told[10].duplicate);
}

static void test_poison_is_found_and_the_rest_keeps_its_order(void **state)
{
    struct ingest_stats stats;
    (void)state;

    submit_numbered(0, 37);
    submit("poison", "poison");
    submit_numbered(37, 26);
    submit("poison", "poison");
    ingest_kick(ingest);
    run_until_idle();
    assert_int_equal(told_count, 65);
    assert_string_equal(told[37].id, "poison");
    assert_int_equal(told[37].code, CODE_INVALID);
    assert_int_equal(told[64].code, CODE_INVALID);
    assert_int_equal(told[38].seq, 38);
    assert_int_equal(told[63].seq, 63);
    assert_int_equal(fake_server_stored(), 63);
    while (fake_server_waiting() > 0)
        fake_server_run();
    ingest_get_stats(ingest, &stats);
    assert_int_equal(stats.quarantined, 2);
    assert_int_equal(fake_server_quarantined(), 2);
    assert_true(stats.retries <= 2 * 8);
}

static void test_a_name_twice_in_one_batch(void **state)
{
    (void)state;
    submit("a", "one");
    submit("a", "one");
    submit("b", "two");
    ingest_kick(ingest);
    assert_int_equal(fake_server_drafts_waiting(), 2);
    run_until_idle();
    assert_int_equal(told[0].seq, 1);
    assert_int_equal(told[1].seq, 1);
    assert_true(told[1].duplicate);
    assert_int_equal(told[2].seq, 2);
    assert_int_equal(entry_count, 2);
}

static void test_a_name_twice_in_two_batches(void **state)
{
    (void)state;
    submit("a", "one");
    ingest_kick(ingest);
    submit("a", "one");
    submit("a", "other");
    ingest_kick(ingest);
    run_until_idle();
    assert_int_equal(told[1].seq, 1);
    assert_true(told[1].duplicate);
    assert_int_equal(told[2].code, CODE_CONFLICT);
    assert_int_equal(entry_count, 2); /* again: nobody knows whether it was written before */
}

/* After some batches of new drafts nobody looks for them any more, until one is not new. */
static void test_a_name_again_when_nobody_looks(void **state)
{
    unsigned submitted = 0;
    (void)state;

    submit("a", "one");
    ingest_kick(ingest);
    assert_true(fake_server_looks_for_drafts()); /* a new connection: resends are to be expected */
    run_until_idle();
    do {
        submit_numbered(submitted++, 1);
        ingest_kick(ingest);
        assert_true(submitted < 2000);
        if (!fake_server_looks_for_drafts())
            break;
        run_until_idle();
    } while (true);
    submit("a", "one");
    submit("b", "two");
    ingest_kick(ingest);
    run_until_idle();
    assert_string_equal(told[submitted + 1].id, "a");
    assert_int_equal(told[submitted + 1].seq, 1);
    assert_true(told[submitted + 1].duplicate);
    assert_string_equal(told[submitted + 2].id, "b");
    assert_false(told[submitted + 2].duplicate);
    assert_int_equal(fake_server_stored(), submitted + 2);
    submit("c", "three");
    ingest_kick(ingest);
    assert_true(fake_server_looks_for_drafts());
    run_until_idle();
    fake_server_make_readers();
    submit("a", "one");
    ingest_kick(ingest);
    run_until_idle();
    assert_true(told[told_count - 1].duplicate); /* though by now they could not send it */
}

/* What the second says of the first hangs on what is stored, which only PostgreSQL knows. */
static void test_a_name_with_two_bodies_in_one_turn(void **state)
{
    (void)state;
    submit("a", "one");
    ingest_kick(ingest);
    run_until_idle();
    submit("a", "other");
    submit("a", "one");
    submit("b", "two");
    ingest_kick(ingest);
    assert_int_equal(fake_server_drafts_waiting(), 1);
    run_until_idle();
    assert_int_equal(told[1].code, CODE_CONFLICT);
    assert_int_equal(told[2].seq, 1);
    assert_true(told[2].duplicate);
    assert_int_equal(told[3].seq, 2);
}

static void test_what_was_deleted_is_not_told_again(void **state)
{
    (void)state;
    submit("a", "one");
    ingest_kick(ingest);
    run_until_idle();
    fake_server_erase();
    submit("a", "one");
    ingest_kick(ingest);
    run_until_idle();
    assert_true(told[1].duplicate);
    assert_int_equal(told[1].seq, 1);
    assert_int_equal(entry_count, 1);
}

static void test_a_block_that_came_between_is_told(void **state)
{
    (void)state;
    submit_json("@bob", "{\"id\":\"a\",\"text\":\"one\"}");
    ingest_kick(ingest);
    fake_server_break_after(1);
    fake_server_make_readers();
    fake_server_connect();
    run_until_idle();
    assert_true(told[0].duplicate);
    assert_int_equal(member_count, 2);
    assert_int_equal(member_role, ROLE_READER);
}

static void submit_reaction(const char *id, const char *emoji, int target)
{
    char json[128];
    snprintf(json, sizeof json,
             "{\"id\":\"%s\",\"kind\":\"reaction\",\"target\":%d,\"emoji\":\"%s\"}", id, target,
             emoji);
    submit_json(CONVERSATION, json);
}

static void submit_delete(const char *id, int target)
{
    char json[128];
    snprintf(json, sizeof json, "{\"id\":\"%s\",\"kind\":\"delete\",\"target\":%d}", id, target);
    submit_json(CONVERSATION, json);
}

static void test_a_kind_that_differs_is_another_body(void **state)
{
    (void)state;
    submit("a", "+");
    submit_reaction("a", "+", 1);
    submit_reaction("b", "+", 1);
    submit_reaction("b", "+", 2);
    submit_reaction("b", "+", 1);
    ingest_kick(ingest);
    assert_int_equal(fake_server_drafts_waiting(), 1);
    run_until_idle();
    assert_int_equal(told[0].seq, 1);
    assert_int_equal(told[1].code, CODE_CONFLICT);
    assert_int_equal(told[2].seq, 2);
    assert_int_equal(told[3].code, CODE_CONFLICT);
    assert_int_equal(told[4].seq, 2);
    assert_true(told[4].duplicate);
}

static void test_what_follows_a_deletion_is_judged_after_it(void **state)
{
    (void)state;
    submit("a", "one");
    submit_reaction("b", "+", 1);
    submit_reaction("c", "+", 1); /* reactions do not change a message */
    submit_delete("d", 1);
    submit_delete("e", 2); /* another message */
    submit("f", "two");    /* none */
    submit_reaction("g", "+", 1);
    submit("h", "three");
    ingest_kick(ingest);
    assert_int_equal(fake_server_waiting(), 2);
    assert_int_equal(fake_server_drafts_waiting(), 6);
    fake_server_run();
    assert_int_equal(fake_server_drafts_waiting(), 2);
    run_until_idle();
    assert_int_equal(told_count, 8);
    for (size_t i = 0; i < told_count; i++)
        assert_int_equal(told[i].seq, i + 1);
}

static void test_refusals_keep_their_place(void **state)
{
    (void)state;
    submit_json("nonsense", "{\"id\":\"x\",\"text\":\"t\"}");
    submit_json(CONVERSATION, "no json");
    ingest_kick(ingest);             /* nothing to ask PostgreSQL */
    assert_int_equal(told_count, 0); /* never from inside */
    submit("a", "one");
    submit_json(CONVERSATION, "{}");
    submit("b", "two");
    ingest_kick(ingest);
    event_base_loop(base, EVLOOP_NONBLOCK);
    assert_int_equal(told_count, 2);
    assert_int_equal(told[0].code, CODE_NOT_FOUND);
    assert_int_equal(told[1].code, CODE_INVALID);
    run_until_idle();
    assert_int_equal(told_count, 5);
    assert_int_equal(told[2].seq, 1);
    assert_int_equal(told[3].code, CODE_INVALID);
    assert_int_equal(told[4].seq, 2);
}

static void test_drafts_wait_while_there_is_no_database(void **state)
{
    (void)state;
    fake_server_break_after(0);
    submit_numbered(0, 99);
    ingest_kick(ingest);
    assert_false(ingest_is_full(ingest));
    submit_numbered(99, 1);
    assert_true(ingest_is_full(ingest));
    assert_false(ingest_has_room(ingest));
    assert_false(ingest_is_ready(ingest));
    event_base_loop(base, EVLOOP_NONBLOCK);
    assert_int_equal(told_count, 0);
    fake_server_connect();
    run_until_idle();
    assert_told_in_order(100);
    assert_true(ingest_has_room(ingest));
}

static void test_what_a_slow_plugin_has_not_read_is_bounded(void **state)
{
    (void)state;
    link_waiting_bytes = 40 << 20;
    submit_numbered(0, 10);
    ingest_kick(ingest);
    assert_int_equal(fake_server_waiting(), 0);
    link_waiting_bytes = 1 << 20;
    wait_for_batch(); /* without being asked */
    run_until_idle();
    assert_told_in_order(10);
    link_waiting_bytes = 40 << 20; /* stuck, not slow: posts over HTTP do not wait for it */
    link_silence_ms = 60000;
    submit_numbered(10, 10);
    ingest_kick(ingest);
    run_until_idle();
    assert_told_in_order(20);
}

/* A random walk through everything that can happen, always the same one. */
static void test_order_holds_under_random_failures(void **state)
{
    unsigned submitted = 0;
    unsigned random = 2;
    (void)state;

    while (submitted < 3000 || !ingest_is_idle(ingest)) {
        random = random * 1103515245 + 12345;
        if (submitted < 3000) {
            submit_numbered(submitted, (random >> 16) % 40);
            submitted += (random >> 16) % 40;
            ingest_kick(ingest);
        }
        if (fake_server_waiting() > 0 && (random >> 8) % 16 == 0) {
            fake_server_break_after((random >> 12) % 3);
            fake_server_connect();
        } else if (fake_server_waiting() > 0 && (random >> 8) % 64 == 1) {
            fake_server_fail("40P01");
        } else if (fake_server_waiting() > 0) {
            fake_server_run();
        }
        event_base_loop(base, EVLOOP_NONBLOCK);
    }
    assert_told_in_order(submitted);
    assert_int_equal(fake_server_stored(), submitted);
    assert_int_equal(last_entry_seq, submitted);
}

static void test_stopping_tells_what_is_left(void **state)
{
    (void)state;
    submit_numbered(0, 10);
    ingest_kick(ingest);
    submit_numbered(10, 100);
    ingest_destroy(ingest);
    assert_int_equal(told_count, 110);
    assert_int_equal(told[0].code, CODE_UNAVAILABLE);
    assert_int_equal(told[109].code, CODE_UNAVAILABLE);
    ingest = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        INGEST_TEST(test_what_queues_meanwhile_is_one_batch),
        cmocka_unit_test_setup_teardown(test_few_wait_for_each_other_and_many_do_not,
                                        rig_set_up_crowds, rig_tear_down),
        INGEST_TEST(test_a_later_batch_does_not_overtake_a_failed_one),
        INGEST_TEST(test_unknown_outcome_is_stored_once_and_told_once),
        INGEST_TEST(test_poison_is_found_and_the_rest_keeps_its_order),
        INGEST_TEST(test_a_name_twice_in_one_batch),
        INGEST_TEST(test_a_name_twice_in_two_batches),
        INGEST_TEST(test_a_name_again_when_nobody_looks),
        INGEST_TEST(test_a_name_with_two_bodies_in_one_turn),
        INGEST_TEST(test_what_was_deleted_is_not_told_again),
        INGEST_TEST(test_a_block_that_came_between_is_told),
        INGEST_TEST(test_a_kind_that_differs_is_another_body),
        INGEST_TEST(test_what_follows_a_deletion_is_judged_after_it),
        INGEST_TEST(test_refusals_keep_their_place),
        INGEST_TEST(test_drafts_wait_while_there_is_no_database),
        INGEST_TEST(test_what_a_slow_plugin_has_not_read_is_bounded),
        INGEST_TEST(test_order_holds_under_random_failures),
        INGEST_TEST(test_stopping_tells_what_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
