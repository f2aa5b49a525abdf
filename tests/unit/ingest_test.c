/* SPDX-License-Identifier: MIT */
/* ingest_test.c - the writer against a tiny server: outcomes come once, in order, and mean what is
 * stored, whatever fails on the way. */
#include "unit/unit.h"

#include "unit/fake_writer_server.h"

#include "base/clock.h"
#include "core/ingest.h"
#include "link/link.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>

#define CONVERSATION "01900000-0000-7000-8000-000000000001"

enum { OUTCOMES_MAX = 4096, WAIT_MS = 5000 };

struct told {
    char id[32];
    enum code code;
    int64_t seq;
    bool duplicate;
};

static struct told told[OUTCOMES_MAX];
static size_t told_count;
static size_t settled_count;
static int64_t last_entry_seq; /* of the ENTRY frames, without those that come again */
static size_t entry_count;
static size_t member_count;
static enum role member_role; /* of the last MEMBER frame */
static struct event_base *base;
static struct ingest *ingest;

void link_member(struct link *l, const struct frame_member *f)
{
    (void)l;
    member_count++;
    member_role = f->role;
}

void link_entry(struct link *l, const struct frame_entry *f)
{
    (void)l;
    entry_count++;
    if (f->seq > last_entry_seq) {
        assert_int_equal(f->seq, last_entry_seq + 1);
        last_entry_seq = f->seq;
    }
}

bool link_is_connected(const struct link *l)
{
    (void)l;
    return true;
}

static void on_done(void *owner, struct slice id, const struct ingest_outcome *outcome)
{
    struct told *t = &told[told_count++];
    (void)owner;

    assert_true(id.length < sizeof t->id);
    memset(t, 0, sizeof *t);
    memcpy(t->id, id.data, id.length);
    t->code = outcome->code;
    t->seq = outcome->seq;
    t->duplicate = outcome->duplicate;
}

static void on_settled(void *owner)
{
    (void)owner;
    settled_count++;
}

static int set_up(void **state)
{
    const struct ingest_config config = {
        .dsn = "", .batch_max = 64, .batches_flying = 2, .queue_max = 100};
    (void)state;

    told_count = settled_count = entry_count = member_count = 0;
    last_entry_seq = 0;
    fake_server_reset();
    base = event_base_new();
    ingest = ingest_create(base, &config, NULL);
    ingest_on_settled(ingest, on_settled, NULL);
    fake_server_connect();
    return ingest ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    ingest_destroy(ingest);
    event_base_free(base);
    return 0;
}

static void submit_json(const char *target, const char *json)
{
    const struct ingest_draft draft = {.uid = 1,
                                       .handle = slice_str("alice"),
                                       .device = slice_str("phone"),
                                       .target = slice_str(target),
                                       .json = slice_str(json)};
    ingest_submit(ingest, &draft, on_done, NULL);
}

static void submit(const char *id, const char *text)
{
    char json[128];
    snprintf(json, sizeof json, "{\"id\":\"%s\",\"text\":\"%s\"}", id, text);
    submit_json(CONVERSATION, json);
}

static void submit_numbered(unsigned from, unsigned count)
{
    char id[16];

    for (unsigned n = from; n < from + count; n++) {
        snprintf(id, sizeof id, "d%u", n);
        submit(id, "hello");
    }
}

/* Lets the writer's timers run until it has sent something. */
static void wait_for_batch(void)
{
    uint64_t stop_ms = clock_monotonic_ms() + WAIT_MS;

    while (fake_server_waiting() == 0) {
        assert_true(clock_monotonic_ms() < stop_ms);
        event_base_loop(base, EVLOOP_ONCE);
    }
}

static void run_until_idle(void)
{
    while (!ingest_is_idle(ingest)) {
        wait_for_batch();
        fake_server_run();
        event_base_loop(base, EVLOOP_NONBLOCK);
    }
}

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
        cmocka_unit_test_setup_teardown(test_what_queues_meanwhile_is_one_batch, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_later_batch_does_not_overtake_a_failed_one, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_unknown_outcome_is_stored_once_and_told_once, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_poison_is_found_and_the_rest_keeps_its_order, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_name_twice_in_one_batch, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_name_twice_in_two_batches, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_name_with_two_bodies_in_one_turn, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_was_deleted_is_not_told_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_block_that_came_between_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_kind_that_differs_is_another_body, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_what_follows_a_deletion_is_judged_after_it, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_refusals_keep_their_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_drafts_wait_while_there_is_no_database, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_order_holds_under_random_failures, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stopping_tells_what_is_left, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
