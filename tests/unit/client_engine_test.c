/* SPDX-License-Identifier: MIT */
/* client_engine_test.c - libbanter against a server that is not there: what a device has to do, one
 * test for each sentence of docs/protocol.md that asks for it. Whole lives: client_lives_test.c. */
#include "unit/unit.h"

#include "unit/client_rig.h"

#include <stdio.h>
#include <stdlib.h>

static struct rig rig;

static int start(void **state)
{
    (void)state;
    rig_init(&rig, 7, NULL, BANTER_FROM_FIRST);
    return 0;
}

static int finish(void **state)
{
    (void)state;
    rig_finish(&rig);
    return 0;
}

static void nobody_is_logged_in_at_first(void **state)
{
    (void)state;
    assert_int_equal(rig.state, BANTER_SIGNED_OUT);
    rig_pass(&rig, 100000);
    assert_int_equal(rig.connects, 0);
}

static void entries_are_told_live(void **state)
{
    (void)state;
    rig_log_in(&rig);
    rig_settle(&rig);
    assert_int_equal(rig.logins, 1);
    for (int i = 0; i < 5; i++)
        rig_others_post(&rig, i % RIG_CONVERSATIONS);
    rig_settle(&rig);
}

static void what_was_there_before_is_told(void **state)
{
    (void)state;
    for (int i = 0; i < 90; i++)
        rig_others_post(&rig, 1);
    rig_log_in(&rig);
    rig_settle(&rig);
    assert_int_equal(rig.conversations[1].told, 90);
}

static void a_new_store_may_begin_now(void **state)
{
    (void)state;
    rig_finish(&rig);
    rig_init(&rig, 7, NULL, BANTER_FROM_NOW);
    for (int i = 0; i < 30; i++)
        rig_others_post(&rig, 1);
    rig.conversations[1].told = 30; /* these are not to come */
    rig_log_in(&rig);
    rig_settle(&rig);
    rig_others_post(&rig, 1);
    rig_settle(&rig);
    assert_int_equal(rig.conversations[1].told, 31);
}

static void a_gap_is_filled_from_the_history(void **state)
{
    (void)state;
    rig_log_in(&rig);
    rig_settle(&rig);
    rig.faults.lose_live = 100;
    for (int i = 0; i < 45; i++)
        rig_others_post(&rig, 0);
    rig.faults.lose_live = 0;
    rig_others_post(&rig, 0);
    rig_settle(&rig);
    assert_int_equal(rig.conversations[0].told, 46);
}

static void the_lost_end_of_a_log_shows_in_the_heads(void **state)
{
    (void)state;
    rig_log_in(&rig);
    rig_settle(&rig);
    rig.faults.lose_live = 100;
    rig_others_post(&rig, 2);
    rig_pass(&rig, 1000);
    assert_int_equal(rig.conversations[2].told, 0);
    rig_message(&rig, "me/heads", "{\"0190f3a1-0000-7000-8000-000000000003\":1}");
    rig_settle(&rig);
}

static void drafts_keep_their_order(void **state)
{
    char id[24];

    (void)state;
    for (int i = 0; i < 60; i++) {
        (void)snprintf(id, sizeof id, "d%d", i);
        assert_true(rig_post(&rig, i % 2, id));
    }
    rig_log_in(&rig);
    rig_settle(&rig);
    rig_assert_complete(&rig);
}

static void a_refusal_in_passing_holds_up_what_follows(void **state)
{
    char id[24];

    (void)state;
    rig_log_in(&rig);
    rig_settle(&rig);
    rig.faults.refuse = 100;
    for (int i = 0; i < 20; i++) {
        (void)snprintf(id, sizeof id, "d%d", i);
        assert_true(rig_post(&rig, 1, id));
    }
    rig_pass(&rig, 1000);
    assert_int_equal(store_draft_count(rig.store), 20);
    rig.faults.refuse = 0;
    rig_settle(&rig);
    rig_assert_complete(&rig);
}

static void a_final_refusal_is_told_and_holds_up_nothing(void **state)
{
    (void)state;
    rig_log_in(&rig);
    assert_true(rig_post(&rig, 1, "d1"));
    assert_true(rig_post(&rig, 1, "bad1"));
    assert_true(rig_post(&rig, 1, "d2"));
    rig_settle(&rig);
    rig_assert_complete(&rig);
    assert_int_equal(rig.errors[1], BANTER_INVALID);
    assert_int_equal(rig.conversations[1].last_seq, 2);
}

static void a_lost_receipt_is_asked_for_by_sending_again(void **state)
{
    (void)state;
    rig_log_in(&rig);
    rig_settle(&rig);
    rig.faults.lose_receipt = 100;
    assert_true(rig_post(&rig, 1, "d1"));
    rig_pass(&rig, 5000);
    assert_int_equal(rig.receipts[0], 0);
    rig.faults.lose_receipt = 0;
    rig_settle(&rig);
    rig_assert_complete(&rig);
    assert_int_equal(rig.conversations[1].last_seq, 1);
}

/* Alice posts from another device. */
static void say_entry(int conversation, const char *id)
{
    struct rig_conversation *c = &rig.conversations[conversation];
    char topic[64], payload[2 * RIG_TEXT_SIZE];

    rig_entry_json(c, rig_append(c, "alice", id), payload, sizeof payload);
    (void)snprintf(topic, sizeof topic, "chat/%s", c->id);
    rig_message(&rig, topic, payload);
}

static void an_entry_is_as_good_as_a_receipt(void **state)
{
    (void)state;
    rig_log_in(&rig);
    rig_settle(&rig);
    rig.faults.lose_receipt = 100;
    assert_true(rig_post(&rig, 1, "d1"));
    rig_pass(&rig, 1000);
    rig_others_post(&rig, 1); /* the gap before it is this device's own draft */
    rig_settle(&rig);
    rig_assert_complete(&rig);
}

/* (conversation, sender, id) is unique; the same user may have posted this id elsewhere. */
static void an_id_may_be_used_in_another_conversation(void **state)
{
    (void)state;
    rig_log_in(&rig);
    rig_settle(&rig);
    rig.faults.refuse = 100;
    assert_true(rig_post(&rig, 0, "d1")); /* to @bob */
    assert_true(rig_post(&rig, 2, "d2"));
    rig_pass(&rig, 1000);
    say_entry(1, "d1");
    say_entry(1, "d2");
    rig_message(&rig, "me/receipt",
                "{\"id\":\"d2\",\"conversation\":\"0190f3a1-0000-7000-8000-000000000002\","
                "\"seq\":2,\"at\":\"2026-11-22T10:00:00.000Z\"}");
    rig_pass(&rig, 1000);
    assert_int_equal(rig.conversations[1].told, 2);
    assert_int_equal(rig.receipts[0] + rig.receipts[1], 0);
    assert_int_equal(store_draft_count(rig.store), 2);
    rig.faults.refuse = 0;
    rig_settle(&rig);
    rig_assert_complete(&rig);
}

static void whoever_was_displaced_waits(void **state)
{
    (void)state;
    rig_log_in(&rig);
    rig_settle(&rig);
    rig_lose(&rig, REASON_TAKEN_OVER);
    rig_pass(&rig, 100000);
    assert_int_equal(rig.state, BANTER_DISPLACED);
    assert_int_equal(rig.connects, 1);
    connection_nudge(&rig.engine.connection);
    rig_settle(&rig);
    assert_int_equal(rig.connects, 2);
}

static void a_server_that_goes_away_is_left(void **state)
{
    uint64_t began;

    (void)state;
    rig_log_in(&rig);
    rig_settle(&rig);
    rig_pass(&rig, 20000);
    began = rig.now;
    rig_event(&rig, "{\"event\":\"closing\",\"reason\":\"going_away\",\"within_ms\":10000}");
    while (rig.connects == 1)
        rig_step(&rig);
    assert_in_range(rig.now - began, 0, 5000 + 500); /* the first half, and the first back-off */
    assert_string_equal(servers_current(&rig.settings.servers)->mqtt, "mqtts://two:8883");
    rig_settle(&rig);
}

static const char *current_server(void)
{
    return servers_current(&rig.settings.servers)->mqtt;
}

static void lose_one(void)
{
    int before = rig.connects;

    rig_lose(&rig, 0);
    while (rig.connects == before)
        rig_step(&rig);
    rig_settle(&rig);
}

static void the_nodes_that_a_server_names_are_next(void **state)
{
    (void)state;
    rig.nodes = "{\"servers\":[{\"node\":\"a\",\"load\":0.1,\"ws\":\"ws://a/mqtt\","
                "\"http\":\"http://a\"}]}";
    rig_log_in(&rig);
    rig_settle(&rig);
    assert_string_equal(current_server(), "ws://one:1/mqtt");
    assert_int_equal(rig.settings.servers.count, 3);
    rig.nodes = NULL; /* not known there: what was found stays */
    lose_one();
    assert_string_equal(current_server(), "mqtts://two:8883");
    lose_one();
    assert_string_equal(current_server(), "ws://a/mqtt");
    assert_int_equal(rig.settings.servers.count, 3);
    lose_one();
    assert_string_equal(current_server(), "ws://one:1/mqtt");
}

/* MQTT is up, but HTTP is not: entries are missing, and nobody there has them. */
static void a_server_that_does_not_answer_is_left(void **state)
{
    (void)state;
    rig_log_in(&rig);
    rig.faults.http_offline = 100;
    rig_pass(&rig, 120000);
    assert_in_range(rig.connects, 3, 12); /* a quarter of a minute each */
    rig.faults.http_offline = 0;
    rig_settle(&rig);
}

/* Nor is a server that has no other beside it connected to again and again. */
static void the_only_server_is_not_left(void **state)
{
    (void)state;
    rig.settings.servers.count = 1;
    rig_log_in(&rig);
    rig.faults.http_offline = 100;
    rig_pass(&rig, 120000);
    assert_int_equal(rig.connects, 1);
    rig.settings.servers.count = 2; /* which the rig has made */
    rig.faults.http_offline = 0;
    rig_settle(&rig);
}

static void attempts_come_ever_more_slowly(void **state)
{
    (void)state;
    rig_log_in(&rig);
    rig.faults.refuse_connect = 100;
    rig_pass(&rig, 10 * 60 * 1000);
    assert_in_range(rig.connects, 12, 60); /* half of 60 s on average in the end */
    assert_int_equal(rig.state, BANTER_WAITING);
    rig.faults.refuse_connect = 0;
    rig_settle(&rig);
}

static void a_token_is_renewed_before_it_expires(void **state)
{
    (void)state;
    rig_log_in(&rig);
    rig_settle(&rig);
    rig_pass(&rig, 3500 * 1000);
    rig_event(&rig, "{\"event\":\"token_expires\",\"at\":\"2026-11-22T10:00:00.000Z\"}");
    while (rig.logins == 1)
        rig_step(&rig);
    rig_settle(&rig);
    assert_int_equal(rig.connects, 2);
}

static void a_refused_token_is_renewed_at_once(void **state)
{
    uint64_t began;

    (void)state;
    rig_log_in(&rig);
    rig_settle(&rig);
    rig_pass(&rig, 20000);
    rig.access++;
    rig_lose(&rig, 0);
    while (rig.connects == 1)
        rig_step(&rig);
    began = rig.now;
    rig_settle(&rig);
    assert_int_equal(rig.now, began);
}

static void a_login_that_ended_is_told(void **state)
{
    (void)state;
    rig_log_in(&rig);
    rig_settle(&rig);
    rig.access++;
    rig.refresh++;
    rig_lose(&rig, 0);
    rig_pass(&rig, 100000);
    assert_int_equal(rig.state, BANTER_SIGNED_OUT);
    assert_int_equal(rig.logouts, 1);
    assert_true(rig_post(&rig, 1, "later")); /* waits for the next login of the same user */
    rig_log_in(&rig);
    rig_settle(&rig);
    rig_assert_complete(&rig);
}

/* Such as a hotel's network that wants a login of its own. */
static void what_is_no_banter_ends_no_login(void **state)
{
    (void)state;
    rig_log_in(&rig);
    rig_settle(&rig);
    rig.access++;
    rig.strangers = 3;
    rig_lose(&rig, 0);
    rig_pass(&rig, 100000);
    rig_settle(&rig);
    assert_int_equal(rig.strangers, 0);
    assert_int_equal(rig.logouts, 0);
}

static void done(void *owner, const struct banter_result *result)
{
    *(int *)owner = result->error;
}

static void a_store_is_one_users(void **state)
{
    int error = -1;

    (void)state;
    rig_log_in(&rig);
    rig_settle(&rig);
    assert_int_equal(session_enter(rig.engine.session, "/v1/signup", "bob", "correct horse", NULL,
                                   NULL, done, &error),
                     BANTER_OK);
    assert_int_equal(error, BANTER_CONFLICT);
    assert_int_equal(rig.call_count, 0); /* no account is made that could not be used */
}

static void logging_out_forgets_everything(void **state)
{
    int error = -1;
    char *user;

    (void)state;
    rig_log_in(&rig);
    rig_settle(&rig);
    assert_int_equal(engine_log_out(&rig.engine, done, &error), BANTER_OK);
    rig_pass(&rig, 1000);
    assert_int_equal(error, BANTER_OK);
    assert_int_equal(rig.state, BANTER_SIGNED_OUT);
    assert_int_equal(store_get(rig.store, "user", &user), BANTER_OK);
    assert_null(user);
    assert_int_equal(store_draft_count(rig.store), 0);
}

static void presence_is_watched(void **state)
{
    (void)state;
    assert_int_equal(watches_add(&rig.engine.watches, "bob"), BANTER_OK);
    assert_int_equal(watches_add(&rig.engine.watches, "nobody"), BANTER_OK);
    rig_log_in(&rig);
    rig_settle(&rig);
    assert_int_equal(rig.presences, 2);
    rig_lose(&rig, 0);
    rig_step(&rig);
    rig_settle(&rig);
    rig_event(&rig, "{\"event\":\"presence_refused\",\"user\":\"bob\"}");
    rig_settle(&rig);
    assert_string_equal(rig.last_presence, "?");
    watches_remove(&rig.engine.watches, "bob");
    watches_remove(&rig.engine.watches, "bob");
}

static void signals_are_heard(void **state)
{
    (void)state;
    rig_log_in(&rig);
    rig_settle(&rig);
    rig_message(&rig, "chat/0190f3a1-0000-7000-8000-000000000001/typing",
                "{\"from\":\"bob\",\"state\":\"start\"}");
    rig_message(&rig, "chat/0190f3a1-0000-7000-8000-000000000001/cursor",
                "{\"from\":\"bob\",\"received\":1,\"read\":1}");
    rig_message(&rig, "chat/0190f3a1-0000-7000-8000-000000000001/else", "{}");
    rig_message(&rig, "chat/short", "{}");
    rig_message(&rig, "me/other", "{}");
    rig_message(&rig, "me/event", "{\"event\":\"profile_changed\"}");
    rig_message(&rig, "me/event", "{\"event\":1}");
    rig_message(&rig, "me/event", "no JSON");
    rig_settle(&rig);
    assert_int_equal(rig.typings, 1);
    assert_int_equal(rig.cursors, 1);
    assert_int_equal(rig.events, 1);
}

static void cursors_are_said_when_they_rest(void **state)
{
    (void)state;
    rig_log_in(&rig);
    rig_settle(&rig);
    for (int i = 0; i < 10; i++)
        rig_others_post(&rig, 1);
    rig_others_post(&rig, 2); /* a channel has none */
    rig_settle(&rig);
    rig_pass(&rig, 2000);
    assert_int_equal(rig.signals, 1);
    assert_string_equal(rig.last_publish, "send/0190f3a1-0000-7000-8000-000000000002/cursor "
                                          "{\"received\":10,\"read\":0}");
}

static void not_more_than_twenty_signals_a_second(void **state)
{
    (void)state;
    rig_log_in(&rig);
    rig_settle(&rig);
    for (int i = 0; i < 40; i++) {
        char id[40];

        (void)snprintf(id, sizeof id, "0190f3a1-0000-7000-8000-0000000001%02d", i);
        assert_int_equal(signals_typing(&rig.engine.signals, id, true), BANTER_OK);
    }
    signals_tick(&rig.engine.signals);
    assert_int_equal(rig.signals, 20);
    rig_pass(&rig, 500);
    assert_in_range(rig.signals, 28, 31);
    rig_pass(&rig, 1000);
    assert_int_equal(rig.signals, 40);
}

static void ones_presence_is_said_on_each_connection(void **state)
{
    (void)state;
    rig_log_in(&rig);
    rig_settle(&rig);
    signals_presence(&rig.engine.signals, "away");
    rig_pass(&rig, 100);
    assert_string_equal(rig.last_publish, "send/me/presence {\"state\":\"away\"}");
    rig_lose(&rig, 0);
    rig_step(&rig);
    rig_settle(&rig);
    rig_pass(&rig, 100);
    assert_int_equal(rig.signals, 2);
}

static void an_unheard_end_is_found(void **state)
{
    (void)state;
    rig_log_in(&rig);
    rig_settle(&rig);
    rig.connected = rig.ready = false;
    while (rig.connects == 1)
        rig_step(&rig);
    rig_settle(&rig);
}

static void whoever_came_into_a_group_reads_all_of_it(void **state)
{
    (void)state;
    rig_finish(&rig);
    rig_init(&rig, 7, NULL, BANTER_FROM_NOW);
    rig_log_in(&rig);
    for (int i = 0; i < 20; i++)
        rig_step(&rig);
    logs_clear(&rig.engine.logs); /* as if it had not known of these */
    rig.faults.lose_live = 100;
    for (int i = 0; i < 30; i++)
        rig_others_post(&rig, 1);
    rig_event(&rig,
              "{\"event\":\"added\",\"conversation\":"
              "\"0190f3a1-0000-7000-8000-000000000002\",\"kind\":\"group\",\"role\":\"member\"}");
    rig_settle(&rig);
    assert_int_equal(rig.conversations[1].told, 30);
}

static void a_channel_begins_with_what_comes(void **state)
{
    (void)state;
    rig_finish(&rig);
    rig_init(&rig, 7, NULL, BANTER_FROM_NOW);
    rig_log_in(&rig);
    for (int i = 0; i < 20; i++)
        rig_step(&rig);
    logs_clear(&rig.engine.logs);
    rig.faults.lose_live = 100;
    for (int i = 0; i < 30; i++)
        rig_others_post(&rig, 2);
    rig.faults.lose_live = 0;
    rig.conversations[2].told = 30;
    rig_event(&rig,
              "{\"event\":\"added\",\"conversation\":\"0190f3a1-0000-7000-8000-000000000003\","
              "\"kind\":\"channel\",\"role\":\"reader\"}");
    rig_others_post(&rig, 2);
    rig_settle(&rig);
    assert_int_equal(rig.conversations[2].told, 31);
}

#define LIFE_TEST(name) cmocka_unit_test_setup_teardown(name, start, finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIFE_TEST(nobody_is_logged_in_at_first),
        LIFE_TEST(entries_are_told_live),
        LIFE_TEST(what_was_there_before_is_told),
        LIFE_TEST(a_new_store_may_begin_now),
        LIFE_TEST(a_gap_is_filled_from_the_history),
        LIFE_TEST(the_lost_end_of_a_log_shows_in_the_heads),
        LIFE_TEST(drafts_keep_their_order),
        LIFE_TEST(a_refusal_in_passing_holds_up_what_follows),
        LIFE_TEST(a_final_refusal_is_told_and_holds_up_nothing),
        LIFE_TEST(a_lost_receipt_is_asked_for_by_sending_again),
        LIFE_TEST(an_entry_is_as_good_as_a_receipt),
        LIFE_TEST(an_id_may_be_used_in_another_conversation),
        LIFE_TEST(whoever_was_displaced_waits),
        LIFE_TEST(a_server_that_goes_away_is_left),
        LIFE_TEST(the_nodes_that_a_server_names_are_next),
        LIFE_TEST(a_server_that_does_not_answer_is_left),
        LIFE_TEST(the_only_server_is_not_left),
        LIFE_TEST(attempts_come_ever_more_slowly),
        LIFE_TEST(a_token_is_renewed_before_it_expires),
        LIFE_TEST(a_refused_token_is_renewed_at_once),
        LIFE_TEST(a_login_that_ended_is_told),
        LIFE_TEST(what_is_no_banter_ends_no_login),
        LIFE_TEST(a_store_is_one_users),
        LIFE_TEST(logging_out_forgets_everything),
        LIFE_TEST(presence_is_watched),
        LIFE_TEST(signals_are_heard),
        LIFE_TEST(cursors_are_said_when_they_rest),
        LIFE_TEST(not_more_than_twenty_signals_a_second),
        LIFE_TEST(ones_presence_is_said_on_each_connection),
        LIFE_TEST(an_unheard_end_is_found),
        LIFE_TEST(whoever_came_into_a_group_reads_all_of_it),
        LIFE_TEST(a_channel_begins_with_what_comes),
    };

    return cmocka_run_group_tests_name("client_engine", tests, NULL, NULL);
}
