/* SPDX-License-Identifier: MIT */
/* ingest_known_test.c - drafts of which the writer foresees the place: when it does, when it looks
 * again, and that whatever it remembers wrongly, outcomes are those of what is stored. */
#include "unit/ingest_rig.h"

#include "base/hash.h"
#include "core/ingest/heads.h"

#include <event2/event.h>
#include <stdio.h>

/* So many batches look for themselves after a connection, or anything unexpected. */
enum { WARY_BATCHES = 16, KNOWN_MIN = 16, BOB = 2 };

static unsigned next_id;

static struct uuid id_of(const char *conversation)
{
    struct uuid id;

    assert_true(uuid_parse(&id, slice_str(conversation)));
    return id;
}

/* Drafts with ids of their own; the batch is on its way. */
static void send_from(uint64_t uid, const char *conversation, unsigned count)
{
    char json[64];

    for (unsigned i = 0; i < count; i++) {
        snprintf(json, sizeof json, "{\"id\":\"k%u\",\"text\":\"hello\"}", next_id++);
        submit_json_from(uid, conversation, json);
    }
    ingest_kick(ingest);
}

static void store_one(const char *conversation)
{
    send_from(1, conversation, 1);
    run_until_idle();
}

/* From now on batches are swift, and alice's place in this conversation is known. */
static void become_known(const char *conversation)
{
    for (unsigned i = 0; i <= WARY_BATCHES; i++)
        store_one(conversation);
}

static void expect_known(size_t known, size_t drafts)
{
    assert_int_equal(fake_server_known_waiting(), known);
    assert_int_equal(fake_server_drafts_waiting(), drafts);
    assert_false(fake_server_looks_for_drafts());
}

static void somebody_else_writes(const char *conversation)
{
    heard_in_order = false;
    fake_server_write(conversation);
}

static struct told last_told(void)
{
    assert_true(told_count > 0);
    return told[told_count - 1];
}

static void test_the_second_swift_draft_is_known(void **state)
{
    struct ingest_stats stats;
    (void)state;

    for (unsigned i = 0; i < WARY_BATCHES; i++) {
        send_from(1, CONVERSATION, 1);
        assert_true(fake_server_looks_for_drafts());
        run_until_idle();
    }
    send_from(1, CONVERSATION, 1);
    expect_known(0, 1);
    run_until_idle();
    send_from(1, CONVERSATION, 3);
    expect_known(3, 3);
    run_until_idle();
    assert_int_equal(last_told().code, CODE_OK);
    assert_int_equal(last_told().seq, WARY_BATCHES + 4);
    assert_int_equal(last_entry_seq, WARY_BATCHES + 4);
    ingest_get_stats(ingest, &stats);
    assert_int_equal(stats.foreseen, 3);
    assert_int_equal(stats.retries, 0);
}

static void test_a_batch_builds_on_those_on_their_way(void **state)
{
    (void)state;
    become_known(CONVERSATION);
    send_from(1, CONVERSATION, 2);
    send_from(1, CONVERSATION, 2);
    assert_int_equal(fake_server_waiting(), 2);
    expect_known(2, 2);
    fake_server_run();
    expect_known(2, 2);
    send_from(1, CONVERSATION, 1);
    run_until_idle();
    assert_int_equal(last_told().seq, WARY_BATCHES + 1 + 5);
}

/* The second does not know yet what the first one will find; and what the first one finds is old
 * by the time when the second one is answered. */
static void test_two_that_look_one_behind_the_other(void **state)
{
    (void)state;
    become_known(CONVERSATION);
    send_from(1, HELD, 1);
    send_from(1, HELD, 2);
    expect_known(0, 1);
    fake_server_run();
    expect_known(0, 2);
    send_from(1, HELD, 1);
    fake_server_run();
    expect_known(0, 1);
    run_until_idle();
    send_from(1, HELD, 1);
    expect_known(1, 1);
    run_until_idle();
    assert_int_equal(last_told().seq, 5);
}

static void test_an_entry_of_somebody_else_is_noticed(void **state)
{
    struct ingest_stats stats;
    (void)state;

    become_known(CONVERSATION);
    somebody_else_writes(CONVERSATION);
    send_from(1, CONVERSATION, 2);
    expect_known(2, 2);
    run_until_idle();
    assert_int_equal(last_told().code, CODE_OK);
    assert_int_equal(last_told().seq, WARY_BATCHES + 4);
    ingest_get_stats(ingest, &stats);
    assert_int_equal(stats.retries, 1);
}

/* Who has been wrong once would be wrong again, and each time costs everybody a batch. */
static void test_who_was_wrong_looks_for_a_while(void **state)
{
    (void)state;
    become_known(CONVERSATION);
    become_known(HELD);
    somebody_else_writes(CONVERSATION);
    become_known(CONVERSATION);
    send_from(1, CONVERSATION, 1);
    expect_known(0, 1);
    run_until_idle();
    store_one(HELD);
    send_from(1, HELD, 1);
    expect_known(1, 1);
    run_until_idle();
}

static void test_who_is_told_looks_and_loses_no_batch(void **state)
{
    struct ingest_stats stats;
    struct uuid conversation = id_of(CONVERSATION);
    (void)state;

    become_known(CONVERSATION);
    somebody_else_writes(CONVERSATION);
    ingest_look_again(ingest, &conversation);
    send_from(1, CONVERSATION, 1);
    expect_known(0, 1);
    run_until_idle();
    assert_int_equal(last_told().seq, WARY_BATCHES + 3);
    send_from(1, CONVERSATION, 1);
    expect_known(1, 1);
    run_until_idle();
    ingest_get_stats(ingest, &stats);
    assert_int_equal(stats.retries, 0);
}

/* It was told while the look was on its way: what that found may be older. */
static void test_who_is_told_meanwhile_looks_again(void **state)
{
    struct uuid conversation = id_of(CONVERSATION);
    (void)state;

    become_known(CONVERSATION);
    ingest_look_again(ingest, &conversation);
    send_from(1, CONVERSATION, 1);
    ingest_look_again(ingest, &conversation);
    run_until_idle();
    send_from(1, CONVERSATION, 1);
    expect_known(0, 1);
    run_until_idle();
}

static void test_a_right_that_was_taken_is_noticed(void **state)
{
    size_t stored;
    (void)state;

    become_known(CONVERSATION);
    stored = fake_server_stored();
    fake_server_make_readers();
    send_from(1, CONVERSATION, 1);
    expect_known(1, 1);
    run_until_idle();
    assert_int_equal(last_told().code, CODE_FORBIDDEN);
    assert_int_equal(fake_server_stored(), stored);
}

/* Whoever leaves a channel leaves no trace there. */
static void test_channels_are_looked_up(void **state)
{
    (void)state;
    fake_server_make_channels();
    become_known(CONVERSATION);
    send_from(1, CONVERSATION, 1);
    expect_known(0, 1);
    run_until_idle();
}

static void test_another_sender_is_looked_up(void **state)
{
    (void)state;
    become_known(CONVERSATION);
    send_from(BOB, CONVERSATION, 1);
    expect_known(0, 1);
    run_until_idle();
    send_from(BOB, CONVERSATION, 1);
    send_from(1, CONVERSATION, 1);
    expect_known(1, 1);
    fake_server_run();
    expect_known(1, 1);
    run_until_idle();
    for (unsigned i = 0; i < HEAD_WRITERS_MAX; i++) {
        send_from(BOB + 1 + i, CONVERSATION, 1);
        run_until_idle();
    }
    send_from(BOB, CONVERSATION, 1); /* has made way */
    expect_known(0, 1);
    run_until_idle();
}

static void test_an_answer_to_what_may_not_be_there_is_looked_up(void **state)
{
    char json[128];
    (void)state;

    become_known(CONVERSATION);
    snprintf(json, sizeof json, "{\"id\":\"r1\",\"text\":\"yes\",\"reply_to\":%d}",
             WARY_BATCHES + 1);
    submit_json(CONVERSATION, json);
    ingest_kick(ingest);
    expect_known(1, 1);
    run_until_idle();
    snprintf(json, sizeof json, "{\"id\":\"r2\",\"text\":\"yes\",\"reply_to\":%d}",
             WARY_BATCHES + 3);
    submit_json(CONVERSATION, json);
    ingest_kick(ingest);
    expect_known(0, 1);
    run_until_idle();
}

/* In one batch; both slots are taken when they come. */
static void send_with_one_unknown(unsigned known, uint64_t stranger)
{
    send_from(1, CONVERSATION, 1);
    send_from(1, CONVERSATION, 1);
    send_from(1, CONVERSATION, known);
    send_from(stranger, HELD, 1);
    fake_server_run();
    fake_server_run();
}

/* A second statement pays if it takes enough. */
static void test_some_known_and_some_not(void **state)
{
    (void)state;
    become_known(CONVERSATION);
    send_with_one_unknown(KNOWN_MIN, 1);
    expect_known(KNOWN_MIN, KNOWN_MIN + 1);
    run_until_idle();
    assert_int_equal(last_told().code, CODE_OK);
    assert_int_equal(last_told().seq, 1);
    send_with_one_unknown(KNOWN_MIN - 1, BOB);
    expect_known(0, KNOWN_MIN);
    run_until_idle();
    assert_int_equal(last_told().seq, 2);
}

/* What was known has been right; only what was looked up beside it failed. */
static void test_who_was_right_is_built_on_again(void **state)
{
    (void)state;
    become_known(CONVERSATION);
    fake_server_close(HELD);
    send_with_one_unknown(KNOWN_MIN, 1);
    expect_known(KNOWN_MIN, KNOWN_MIN + 1);
    run_until_idle();
    assert_int_equal(last_told().code, CODE_FORBIDDEN);
    become_known(CONVERSATION);
    send_from(1, CONVERSATION, 1);
    expect_known(1, 1);
    run_until_idle();
}

/* It was built on before its commit failed. */
static void test_what_was_found_and_not_committed(void **state)
{
    (void)state;
    become_known(CONVERSATION);
    send_from(1, HELD, 1);
    fake_server_answer();
    send_from(1, HELD, 1);
    fake_server_fail("40001");
    expect_known(1, 1);
    fake_server_run();
    wait_for_batch();
    expect_known(0, 2);
    run_until_idle();
    assert_int_equal(last_told().code, CODE_OK);
    assert_int_equal(last_told().seq, 2);
}

static void test_what_is_on_its_way_when_the_connection_breaks(void **state)
{
    (void)state;
    become_known(CONVERSATION);
    send_from(1, CONVERSATION, 2);
    send_from(1, CONVERSATION, 2);
    fake_server_break_after(1);
    fake_server_connect();
    run_until_idle();
    become_known(CONVERSATION);
    assert_int_equal(last_told().seq, 2 * (WARY_BATCHES + 1) + 4);
    send_from(1, CONVERSATION, 1);
    expect_known(1, 1);
    run_until_idle();
}

static void test_a_slot_is_of_the_last_who_took_it(void **state)
{
    struct heads heads;
    struct uuid first = id_of(CONVERSATION), second = first;
    uint64_t slot = hash_bytes(first.bytes, sizeof first.bytes) % HEADS_SLOTS;
    (void)state;

    do {
        uint32_t n;
        memcpy(&n, second.bytes, sizeof n);
        n++;
        memcpy(second.bytes, &n, sizeof n);
    } while (hash_bytes(second.bytes, sizeof second.bytes) % HEADS_SLOTS != slot);
    heads_init(&heads);
    assert_null(heads_find(&heads, &first));
    head_claim(heads_slot(&heads, &first), &first, 1);
    head_add_writer(heads_find(&heads, &first), 7);
    heads_find(&heads, &first)->known = true;
    heads_forget(&heads, &second); /* it has no slot */
    assert_true(heads_find(&heads, &first)->known);
    head_claim(heads_slot(&heads, &second), &second, 2);
    assert_null(heads_find(&heads, &first));
    assert_false(heads_find(&heads, &second)->known);
    assert_false(head_has_writer(heads_find(&heads, &second), 7));
    heads_forget_all(&heads);
    assert_null(heads_find(&heads, &second));
    heads_finish(&heads);
}

/* A random walk, always the same one: two conversations, somebody else who writes in them and is
 * heard or not, senders who come and go, and everything that can fail. */
static void test_seqs_are_those_stored_whatever_happens(void **state)
{
    static const char *const conversations[] = {CONVERSATION, HELD};
    struct uuid ids[] = {id_of(CONVERSATION), id_of(HELD)};
    struct ingest_stats stats;
    size_t submitted = 0, others = 0;
    unsigned random = 4;
    (void)state;

    while (submitted < 3000 || !ingest_is_idle(ingest)) {
        random = random * 1103515245 + 12345;
        unsigned which = random >> 30 & 1;
        if (submitted < 3000) {
            send_from(1 + (random >> 24) % 3 / 2, conversations[which], 1 + (random >> 16) % 4);
            submitted += 1 + (random >> 16) % 4;
        }
        if ((random >> 10) % 300 == 1) {
            somebody_else_writes(conversations[which]);
            others++;
            if (random >> 29 & 1)
                ingest_look_again(ingest, &ids[which]);
        }
        if (fake_server_waiting() > 0 && (random >> 8) % 256 == 0) {
            fake_server_break_after((random >> 12) % 3);
            fake_server_connect();
        } else if (fake_server_waiting() > 0) {
            fake_server_run();
        }
        event_base_loop(base, EVLOOP_NONBLOCK);
    }
    assert_int_equal(told_count, submitted);
    assert_int_equal(fake_server_stored(), submitted + others);
    for (size_t i = 0; i < told_count; i++)
        assert_int_equal(told[i].seq, fake_server_seq_of(told[i].id));
    ingest_get_stats(ingest, &stats);
    assert_true(stats.foreseen > 100 && stats.retries > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        INGEST_TEST(test_the_second_swift_draft_is_known),
        INGEST_TEST(test_a_batch_builds_on_those_on_their_way),
        INGEST_TEST(test_two_that_look_one_behind_the_other),
        INGEST_TEST(test_an_entry_of_somebody_else_is_noticed),
        INGEST_TEST(test_who_was_wrong_looks_for_a_while),
        INGEST_TEST(test_who_is_told_looks_and_loses_no_batch),
        INGEST_TEST(test_who_is_told_meanwhile_looks_again),
        INGEST_TEST(test_a_right_that_was_taken_is_noticed),
        INGEST_TEST(test_channels_are_looked_up),
        INGEST_TEST(test_another_sender_is_looked_up),
        INGEST_TEST(test_an_answer_to_what_may_not_be_there_is_looked_up),
        INGEST_TEST(test_some_known_and_some_not),
        INGEST_TEST(test_who_was_right_is_built_on_again),
        INGEST_TEST(test_what_was_found_and_not_committed),
        INGEST_TEST(test_what_is_on_its_way_when_the_connection_breaks),
        INGEST_TEST(test_a_slot_is_of_the_last_who_took_it),
        INGEST_TEST(test_seqs_are_those_stored_whatever_happens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
