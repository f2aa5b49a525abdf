/* SPDX-License-Identifier: MIT */
/* client_arrivals_test.c - libbanter while it comes in: what happens between `me/ready` and the
 * answer to its sync, when another node tells it to stay away, when it is not let in, and when its
 * disk is full. */
#include "unit/unit.h"

#include "unit/client_rig.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

static struct rig rig;

static int start(void **state)
{
    (void)state;
    rig_init(&rig, 7, NULL, BANTER_FROM_NOW);
    return 0;
}

static int finish(void **state)
{
    (void)state;
    rig_finish(&rig);
    return 0;
}

static void lose_connection(void)
{
    int before = rig.connects;

    rig_lose(&rig, 0);
    while (rig.connects == before)
        rig_step(&rig);
}

/* Connected and ready, with a sync under way. */
static void step_until_syncing(void)
{
    while (rig.engine.connection.step != STEP_READY)
        rig_step(&rig);
    engine_tick(&rig.engine);
    assert_true(rig.engine.catch_up.is_syncing);
}

/* A group of which the sync that is under way does not know. */
static void a_group_may_come_during_the_first_sync(void **state)
{
    (void)state;
    rig.unsynced = rig_ids[1];
    rig_log_in(&rig);
    step_until_syncing();
    rig_event(&rig,
              "{\"event\":\"added\",\"conversation\":"
              "\"0190f3a1-0000-7000-8000-000000000002\",\"kind\":\"group\",\"role\":\"member\"}");
    rig_others_post(&rig, 1);
    rig_others_post(&rig, 1);
    rig_settle(&rig);
    assert_int_equal(rig.conversations[1].told, 2);
}

/* It was joined elsewhere while this device was away: nobody has told it that it is a channel. */
static void a_channel_of_another_device_begins_with_what_comes(void **state)
{
    (void)state;
    rig_log_in(&rig);
    rig_settle(&rig);
    lose_connection();
    logs_clear(&rig.engine.logs);
    for (int i = 0; i < 30; i++)
        rig_append(&rig.conversations[2], "bob", "b");
    rig.conversations[2].told = 30; /* these are not to come */
    step_until_syncing();
    rig_others_post(&rig, 2);
    rig_settle(&rig);
    assert_int_equal(rig.conversations[2].told, 31);
}

/* The same of a group: its log is told from its beginning. */
static void a_group_of_another_device_is_told_whole(void **state)
{
    (void)state;
    rig_log_in(&rig);
    rig_settle(&rig);
    lose_connection();
    logs_clear(&rig.engine.logs);
    for (int i = 0; i < 30; i++)
        rig_append(&rig.conversations[1], "bob", "b");
    step_until_syncing();
    rig_others_post(&rig, 1);
    rig_settle(&rig);
    assert_int_equal(rig.conversations[1].told, 31);
}

/* No event and no sync has told of it; what comes of it is told all the same. */
static void what_nobody_told_of_begins_with_what_comes(void **state)
{
    (void)state;
    rig.unsynced = rig_ids[1];
    rig_append(&rig.conversations[1], "bob", "b1");
    rig.conversations[1].told = 1;
    rig_log_in(&rig);
    step_until_syncing();
    rig_message(&rig, "me/heads", "{\"0190f3a1-0000-7000-8000-000000000002\":1}");
    while (rig.state != BANTER_ONLINE)
        rig_step(&rig);
    rig_others_post(&rig, 1);
    rig_settle(&rig);
    assert_int_equal(rig.conversations[1].told, 2);
}

/* Within one node MQTT says it, with 0x8E; another one has this event alone. */
static void whoever_was_displaced_at_another_node_waits(void **state)
{
    (void)state;
    rig_log_in(&rig);
    rig_settle(&rig);
    rig_event(&rig, "{\"event\":\"closing\",\"reason\":\"taken_over\"}");
    rig_pass(&rig, 1);
    rig_lose(&rig, 0);
    rig_pass(&rig, 100000);
    assert_int_equal(rig.state, BANTER_DISPLACED);
    assert_int_equal(rig.connects, 1);
    connection_nudge(&rig.engine.connection);
    rig_settle(&rig);
    assert_int_equal(rig.connects, 2);
}

/* Tokens are given, and then refused: nobody asks for them without a pause. */
static void a_history_that_takes_no_token_is_asked_ever_more_slowly(void **state)
{
    uint64_t began;

    (void)state;
    rig_log_in(&rig);
    rig_settle(&rig);
    rig.faults.lose_live = 100;
    rig_others_post(&rig, 0);
    rig.faults.lose_live = 0;
    rig.faults.expire = 100;
    began = rig.now;
    rig_others_post(&rig, 0);
    for (int i = 0; i < 1000; i++)
        rig_step(&rig);
    assert_true(rig.now - began > 100000);
    assert_true(rig.logins > 1);
    rig.faults.expire = 0;
    rig_settle(&rig);
}

/* A draft to @bob is under way when the receipt of another one comes, again: both have one id,
 * which is unique in one conversation only. */
static void a_late_receipt_is_of_no_other_draft(void **state)
{
    (void)state;
    rig_log_in(&rig);
    rig_settle(&rig);
    rig.faults.lose_receipt = 100;
    assert_true(rig_post(&rig, 0, "d1")); /* to @bob */
    rig_pass(&rig, 100);
    rig_append(&rig.conversations[1], "alice", "d1");
    rig.conversations[1].told = 1;
    rig_message(&rig, "me/receipt",
                "{\"id\":\"d1\",\"conversation\":\"0190f3a1-0000-7000-8000-000000000002\","
                "\"seq\":1,\"at\":\"2026-11-22T10:00:00.000Z\"}");
    rig_message(&rig, "me/receipt",
                "{\"id\":\"d1\",\"conversation\":\"0190f3a1-0000-7000-8000-000000000002\","
                "\"to\":\"@eve\",\"seq\":1,\"at\":\"2026-11-22T10:00:00.000Z\"}");
    rig_pass(&rig, 100);
    assert_int_equal(rig.receipts[0], 0);
    assert_int_equal(store_draft_count(rig.store), 1);
    rig.faults.lose_receipt = 0;
    assert_true(rig_post(&rig, 0, "d2")); /* goes where the first one has gone */
    rig_settle(&rig);
    assert_int_equal(rig.receipts[0], 1);
    assert_int_equal(rig.conversations[0].last_seq, 2);
}

/* Such as a proxy that does not find its server: it does not say that one is no member any more. */
static void what_is_no_banter_settles_no_gap(void **state)
{
    (void)state;
    rig_log_in(&rig);
    rig_settle(&rig);
    rig.faults.lose_live = 100;
    rig_others_post(&rig, 0);
    rig.faults.lose_live = 0;
    rig.strangers = 3;
    rig_others_post(&rig, 0);
    rig_pass(&rig, 100000);
    assert_int_equal(rig.strangers, 0);
    assert_int_equal(rig.conversations[0].told, 2);
}

static void done(void *owner, const struct banter_result *result)
{
    *(int *)owner = result->error;
}

/* The program's last word was that nobody is to be logged in. */
static void a_login_that_is_under_way_ends_with_the_logout(void **state)
{
    int in = -1, out = -1;

    (void)state;
    assert_int_equal(session_enter(rig.engine.session, "/v1/login", "alice", "correct horse", NULL,
                                   NULL, done, &in),
                     BANTER_OK);
    assert_int_equal(engine_log_out(&rig.engine, done, &out), BANTER_OK);
    rig_pass(&rig, 1000);
    assert_int_equal(in, BANTER_UNAUTHORIZED);
    assert_int_equal(out, BANTER_OK);
    assert_int_equal(rig.state, BANTER_SIGNED_OUT);
    assert_int_equal(rig.connects, 0);
    rig_log_in(&rig);
    rig_settle(&rig);
}

static void set_file_limit(rlim_t bytes)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* The receipt is told, but the draft cannot be taken out of the store: that is made up for. */
static void a_disk_that_was_full_keeps_no_draft(void **state)
{
    char path[] = "/tmp/banter-unit-XXXXXX";

    (void)state;
    close(mkstemp(path));
    assert_ptr_not_equal(signal(SIGXFSZ, SIG_IGN), SIG_ERR);
    rig_restart(&rig, path, BANTER_FROM_NOW);
    rig_log_in(&rig);
    rig_settle(&rig);
    assert_true(rig_post(&rig, 1, "d1"));
    assert_true(rig_post(&rig, 1, "d2"));
    set_file_limit(0);
    rig_pass(&rig, 3000);
    assert_int_equal(rig.receipts[0] + rig.receipts[1], 2);
    assert_int_equal(store_draft_count(rig.store), 2);
    set_file_limit(RLIM_INFINITY);
    rig_pass(&rig, 3000);
    assert_int_equal(store_draft_count(rig.store), 0);
    rig_others_post(&rig, 1); /* with it the position is noted again */
    rig_settle(&rig);
    rig_restart(&rig, path, BANTER_FROM_NOW);
    rig_settle(&rig);
    rig_assert_complete(&rig);                /* and one receipt of each */
    rig_restart(&rig, NULL, BANTER_FROM_NOW); /* SQLite takes its own files away */
    unlink(path);
}

#define LIFE_TEST(name) cmocka_unit_test_setup_teardown(name, start, finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIFE_TEST(a_group_may_come_during_the_first_sync),
        LIFE_TEST(a_channel_of_another_device_begins_with_what_comes),
        LIFE_TEST(a_group_of_another_device_is_told_whole),
        LIFE_TEST(what_nobody_told_of_begins_with_what_comes),
        LIFE_TEST(whoever_was_displaced_at_another_node_waits),
        LIFE_TEST(a_late_receipt_is_of_no_other_draft),
        LIFE_TEST(what_is_no_banter_settles_no_gap),
        LIFE_TEST(a_login_that_is_under_way_ends_with_the_logout),
        LIFE_TEST(a_disk_that_was_full_keeps_no_draft),
        LIFE_TEST(a_history_that_takes_no_token_is_asked_ever_more_slowly),
    };

    return cmocka_run_group_tests_name("client_arrivals", tests, NULL, NULL);
}
