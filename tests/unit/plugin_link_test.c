/* SPDX-License-Identifier: MIT */
/* plugin_link_test.c - drafts, refusals and requests, with a bridge that comes and goes. */
#include "unit/unit.h"

#include "requests.h"
#include "unit/plugin_rig.h"
#include "wire/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PHONE "alice/phone"
#define BOB "send/@bob"

static struct rig rig;
static const char alice; /* an address is all that a connection is */

static int set_up(void **state)
{
    (void)state;
    rig_start(&rig);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    rig_stop(&rig);
    return 0;
}

static bool post(const char *topic, const char *id)
{
    char json[128];

    snprintf(json, sizeof json, "{\"id\":\"%s\",\"text\":\"hello\"}", id);
    return rig_publish(&rig, &alice, PHONE, topic, json);
}

static uint64_t next_draft(void)
{
    struct frame_draft draft;
    struct slice body;

    if (!rig_next(&rig, FRAME_DRAFT, &body))
        return 0;
    assert_true(frame_read_draft(body, &draft));
    assert_true(slice_equal(draft.handle, slice_str("alice")));
    assert_true(slice_equal(draft.device, slice_str("phone")));
    return draft.number;
}

static void test_draft_leaves_with_the_tick(void **state)
{
    (void)state;
    rig_link(&rig, true);
    rig_login_attached(&rig, &alice, 1, "alice", "phone", NULL, 0);
    assert_true(post(BOB, "1"));
    assert_int_equal(next_draft(), 0);
    rig_tick(&rig);
    assert_int_equal(next_draft(), 1);
    assert_int_equal(rig_message_count, 1); /* me/ready */
    assert_true(rig_last_has(PHONE, "me/ready",
                             "\"user\":\"alice\",\"device\":\"phone\","
                             "\"node\":\"node-1\",\"at\":\""));
}

/* Readers of a channel react, and send nothing else; readers elsewhere send nothing. */
static void test_what_readers_send(void **state)
{
    static const char reaction[] =
        "{\"id\":\"1\",\"kind\":\"reaction\",\"target\":1,\"emoji\":\"+\"}";
    static const char *const others[] = {
        "{\"id\":\"2\",\"text\":\"kind\"}",
        "{\"id\":\"3\",\"kind\":\"delete\",\"target\":1}",
        "{\"id\":\"4\",\"kind\":\"reactions\"}",
        "{\"id\":\"5\",\"kind\":1}",
        "{\"id\":\"6\",\"text\":{\"kind\":\"reaction\"}}",
        "reaction",
    };
    struct attached_conversation items[] = {rig_item(1, 1), rig_item(2, 1)};
    char topics[2][64], id[UUID_TEXT_LENGTH + 1], large[READER_DRAFT_MAX_BYTES + 64];

    (void)state;
    for (unsigned i = 0; i < ARRAY_LENGTH(items); i++) {
        items[i].role = ROLE_READER;
        uuid_format(&items[i].conversation, id);
        snprintf(topics[i], sizeof topics[i], "send/%s", id);
    }
    items[0].kind = CONVERSATION_CHANNEL;
    rig_link(&rig, true);
    rig_login_attached(&rig, &alice, 1, "alice", "phone", items, 2);
    assert_true(rig_publish(&rig, &alice, PHONE, topics[0], reaction));
    assert_false(rig_publish(&rig, &alice, PHONE, topics[1], reaction));
    for (size_t i = 0; i < ARRAY_LENGTH(others); i++)
        assert_false(rig_publish(&rig, &alice, PHONE, topics[0], others[i]));
    snprintf(large, sizeof large, "%.*s,\"x\":\"%*d\"}", (int)sizeof reaction - 2, reaction,
             READER_DRAFT_MAX_BYTES, 0);
    assert_false(rig_publish(&rig, &alice, PHONE, topics[0], large));
    assert_true(rig_last_has(PHONE, "me/receipt", "\"forbidden\""));
    rig_tick(&rig);
    assert_int_equal(next_draft(), 1);
    assert_int_equal(next_draft(), 0);
}

static void test_nothing_before_welcome(void **state)
{
    (void)state;
    rig_link(&rig, false);
    assert_true(rig_login(&rig, &alice, 1, "alice", "phone"));
    assert_true(post(BOB, "1"));
    rig_tick(&rig);
    assert_int_equal(next_draft(), 0);
    assert_int_equal(rig_message_count, 0);
}

static void test_unconfirmed_drafts_come_again(void **state)
{
    (void)state;
    rig_link(&rig, true);
    rig_login_attached(&rig, &alice, 1, "alice", "phone", NULL, 0);
    assert_true(post(BOB, "1") && post(BOB, "2") && post(BOB, "3"));
    rig_tick(&rig);
    rig_confirm(&rig, 1);
    rig_unlink(&rig);
    assert_true(post(BOB, "4")); /* while the bridge is away */
    rig_link(&rig, true);
    rig_tick(&rig);
    for (uint64_t number = 2; number <= 4; number++)
        assert_int_equal(next_draft(), number);
    assert_int_equal(next_draft(), 0);
}

static void hold(bool on)
{
    struct frame_hold f = {on};
    struct buf b;

    buf_init(&b, 64);
    frame_write_hold(&b, &f);
    rig_send(&rig, &b);
    buf_finish(&b);
    rig_tick(&rig);
}

/* Drafts wait, everything else goes on; a new connection starts without it. */
static void test_drafts_are_held(void **state)
{
    struct slice body;

    (void)state;
    rig_link(&rig, true);
    rig_login_attached(&rig, &alice, 1, "alice", "phone", NULL, 0);
    hold(true);
    assert_true(post(BOB, "1"));
    rig_tick(&rig);
    assert_int_equal(next_draft(), 0);
    rig_barrier(&rig, 5);
    rig_tick(&rig);
    assert_true(rig_next(&rig, FRAME_BARRIER_DONE, &body));
    hold(false);
    assert_int_equal(next_draft(), 1);
    hold(true);
    assert_true(post(BOB, "2"));
    rig_unlink(&rig);
    rig_link(&rig, true);
    rig_tick(&rig);
    assert_int_equal(next_draft(), 1);
    assert_int_equal(next_draft(), 2);
}

static void test_confirm_of_nothing_closes_the_link(void **state)
{
    (void)state;
    rig_link(&rig, true);
    rig_confirm(&rig, 1);
    assert_false(link_is_up(&rig.core->link));
}

static void test_unexpected_frame_closes_the_link(void **state)
{
    struct frame_hello hello = {LINK_VERSION, slice_str(RIG_KEY), 1};
    struct buf b;

    (void)state;
    rig_link(&rig, true);
    buf_init(&b, 1024);
    frame_write_hello(&b, &hello); /* a frame that only the plugin may send */
    rig_send(&rig, &b);
    buf_finish(&b);
    assert_false(link_is_up(&rig.core->link));
}

static void test_other_version_closes_the_link(void **state)
{
    struct frame_welcome welcome = {LINK_VERSION + 1, slice_str("n"), false};
    struct buf b;

    (void)state;
    rig_link(&rig, false);
    buf_init(&b, 1024);
    frame_write_welcome(&b, &welcome);
    rig_send(&rig, &b);
    buf_finish(&b);
    assert_int_equal(rig.core->link.state, LINK_DOWN);
}

static void test_silent_bridge_is_given_up(void **state)
{
    (void)state;
    rig_link(&rig, false);
    rig.core->link.deadline_ms = 0;
    rig.core->link.retry_ms = UINT64_MAX;
    rig_tick(&rig);
    assert_int_equal(rig.core->link.state, LINK_DOWN);
}

/* Fills the ring; returns how many drafts it took. */
static unsigned fill_ring(void)
{
    static const char draft[] = "{\"id\":\"big\",\"text\":\"x\"}";
    size_t length = 1000000;
    char *json = malloc(length + sizeof draft);
    unsigned count = 0;

    assert_non_null(json);
    memset(json, ' ', length);
    memcpy(json + length, draft, sizeof draft);
    while (rig_publish(&rig, &alice, PHONE, "send/@carol", json))
        count++;
    free(json);
    /* The one that did not fit waits for its resend; here it does not matter any more. */
    refusals_finish(&sessions_find_any(&rig.core->sessions, &alice)->refusals);
    while (post("send/@dave", "small"))
        count++;
    refusals_finish(&sessions_find_any(&rig.core->sessions, &alice)->refusals);
    rig_forget();
    return count;
}

static void test_refusals_keep_the_order(void **state)
{
    uint64_t all;

    (void)state;
    assert_true(rig_login(&rig, &alice, 1, "alice", "phone"));
    assert_true(fill_ring() > 7);
    assert_false(post(BOB, "1"));
    assert_true(rig_last_has(PHONE, "me/receipt",
                             "{\"id\":\"1\",\"conversation\":\"@bob\",\"error\":{\"code\":"
                             "\"unavailable\""));
    assert_true(rig_last_has(PHONE, "me/receipt", "retry_after_ms"));
    /* Room again: but 1 has to come before 2, by whichever name. */
    all = ring_next_number(&rig.core->ring) - 1;
    assert_true(ring_confirm(&rig.core->ring, all));
    assert_false(post(BOB, "2"));
    assert_true(rig_last_has(PHONE, "me/receipt", "\"out_of_order\""));
    assert_true(post("send/@erin", "other conversation"));
    assert_false(post(BOB, "3"));
    assert_true(post(BOB, "1"));
    assert_true(post(BOB, "2"));
    assert_true(post(BOB, "3"));
    assert_int_equal(rig.core->stats.refused[CODE_OUT_OF_ORDER], 2);
}

static void test_id_and_handle_are_one_conversation(void **state)
{
    char topic[64] = "send/";
    struct uuid direct = direct_conversation_id(slice_str("alice"), slice_str("bob"));

    (void)state;
    uuid_format(&direct, topic + 5);
    assert_true(rig_login(&rig, &alice, 1, "alice", "phone"));
    fill_ring();
    assert_false(post(BOB, "1"));
    assert_true(ring_confirm(&rig.core->ring, ring_next_number(&rig.core->ring) - 1));
    assert_false(post(topic, "2"));
    assert_true(rig_last_has(PHONE, "me/receipt", "\"out_of_order\""));
    assert_true(post(topic, "1"));
    assert_true(post(BOB, "2"));
}

static void test_reconnecting_forgets_refusals(void **state)
{
    static const char again;

    (void)state;
    assert_true(rig_login(&rig, &alice, 1, "alice", "phone"));
    fill_ring();
    assert_false(post(BOB, "1"));
    assert_true(rig_login(&rig, &again, 1, "alice", "phone"));
    core_disconnected(rig.core, &alice);
    assert_true(ring_confirm(&rig.core->ring, ring_next_number(&rig.core->ring) - 1));
    assert_true(rig_publish(&rig, &again, PHONE, BOB, "{\"id\":\"2\",\"text\":\"x\"}"));
}

static void test_draft_without_id_blocks_nobody(void **state)
{
    (void)state;
    assert_true(rig_login(&rig, &alice, 1, "alice", "phone"));
    fill_ring();
    assert_false(rig_publish(&rig, &alice, PHONE, BOB, "{\"text\":\"no id\"}"));
    assert_true(ring_confirm(&rig.core->ring, ring_next_number(&rig.core->ring) - 1));
    assert_true(post(BOB, "1"));
}

static void test_too_many_refusals_end_the_connection(void **state)
{
    char topic[64];

    (void)state;
    assert_true(rig_login(&rig, &alice, 1, "alice", "phone"));
    fill_ring();
    rig_kick_client = &alice;
    for (unsigned i = 0; i < REFUSALS_MAX; i++) {
        snprintf(topic, sizeof topic, "send/@user%u", i);
        assert_false(post(topic, "1"));
    }
    rig_tick(&rig);
    rig_tick(&rig);
    assert_int_equal(rig_kick_count, 0);
    assert_false(post("send/@onemore", "1"));
    /* From now on the order cannot be kept, even if there is room again. */
    assert_true(ring_confirm(&rig.core->ring, ring_next_number(&rig.core->ring) - 1));
    assert_false(post("send/@another", "1"));
    rig_tick(&rig);
    rig_tick(&rig);
    assert_int_equal(rig_kick_count, 1);
    assert_string_equal(rig_kicked[0], PHONE);
}

static void control(const char *topic, const char *correlation)
{
    requests_control(rig.core, sessions_find_any(&rig.core->sessions, &alice), slice_str(topic),
                     slice_str(correlation), slice_str("{\"commands\":[]}"));
}

static void test_requests(void **state)
{
    struct frame_request request;
    struct slice body;

    (void)state;
    assert_true(rig_login(&rig, &alice, 1, "alice", "phone"));
    control("my/answers", "c1");
    assert_true(rig_last_has(PHONE, "my/answers",
                             "{\"responses\":[{\"error\":{\"code\":"
                             "\"unavailable\""));
    assert_string_equal(rig_last(PHONE, "my/answers")->correlation.data, "c1");
    assert_false(rig_publish(&rig, &alice, PHONE, "send/me/sync", "{}"));
    assert_true(rig_last_has(PHONE, "me/sync", "{\"error\":{\"code\":\"unavailable\""));
    rig_link(&rig, true);
    control("my/#", "c2");
    assert_true(rig_last_has(PHONE, "$CONTROL/chat/v1/response", "\"invalid\""));
    control("", "");
    assert_true(rig_publish(&rig, &alice, PHONE, "send/me/sync", "{}"));
    rig_tick(&rig);
    assert_true(rig_next(&rig, FRAME_REQUEST, &body) && frame_read_request(body, &request));
    assert_int_equal(request.kind, REQUEST_CONTROL);
    assert_int_equal(request.uid, 1);
    assert_true(rig_next(&rig, FRAME_REQUEST, &body) && frame_read_request(body, &request));
    assert_int_equal(request.kind, REQUEST_SYNC);
}

static void answer(uint64_t number)
{
    struct buf b;

    buf_init(&b, 1024);
    frame_write_device(&b, &(struct frame_device){.uid = 1,
                                                  .device = slice_str("phone"),
                                                  .topic = slice_str("my/answers"),
                                                  .answers = number,
                                                  .payload = slice_str("{}")});
    rig_send(&rig, &b);
    buf_finish(&b);
}

/* Those that were written and those that were not. */
static void test_requests_are_lost_with_the_link(void **state)
{
    struct frame_request request;
    struct slice body;

    (void)state;
    rig_link(&rig, true);
    assert_true(rig_login(&rig, &alice, 1, "alice", "phone"));
    control("my/answers", "answered");
    rig_tick(&rig);
    assert_true(rig_next(&rig, FRAME_REQUEST, &body) && frame_read_request(body, &request));
    answer(request.number);
    assert_true(rig_publish(&rig, &alice, PHONE, "send/me/sync", "{}"));
    rig_tick(&rig);
    control("my/answers", "written");
    rig_forget();
    rig_unlink(&rig);
    assert_int_equal(rig_count(PHONE, "my/answers"), 1);
    assert_true(rig_last_has(PHONE, "my/answers", "\"unavailable\""));
    assert_memory_equal(rig_last(PHONE, "my/answers")->correlation.data, "written", 7);
    assert_int_equal(rig_count(PHONE, "me/sync"), 1);
    assert_true(rig_last_has(PHONE, "me/sync", "\"unavailable\""));
    rig_link(&rig, true);
    rig_unlink(&rig);
    assert_int_equal(rig_message_count, 2);
}

static void test_requests_without_answer_are_bounded(void **state)
{
    (void)state;
    rig_link(&rig, true);
    assert_true(rig_login(&rig, &alice, 1, "alice", "phone"));
    for (unsigned i = 0; i < ASKED_PER_SESSION_MAX; i++)
        control("my/answers", "");
    assert_int_equal(rig_message_count, 0);
    control("my/answers", "");
    assert_true(rig_last_has(PHONE, "my/answers", "\"unavailable\""));
    answer(1);
    rig_forget();
    control("my/answers", "");
    assert_int_equal(rig_message_count, 0);
    core_disconnected(rig.core, &alice);
    assert_int_equal(rig.core->asked.by_number.count, 0);
    answer(2); /* to nobody */
}

/* What the bridge wrote before it went counts, though nothing can be written to it. */
static void test_last_words_are_read(void **state)
{
    struct buf b;

    (void)state;
    rig_link(&rig, true);
    rig_login_attached(&rig, &alice, 1, "alice", "phone", NULL, 0);
    assert_true(post(BOB, "1"));
    rig_tick(&rig);
    buf_init(&b, 1024);
    frame_write_confirm(&b, &(struct frame_confirm){1});
    rig_put(&rig, &b);
    buf_finish(&b);
    assert_true(post(BOB, "2"));
    close(rig.bridge);
    rig.bridge = -1;
    link_flush(&rig.core->link);
    assert_true(link_is_up(&rig.core->link));
    link_flush(&rig.core->link);
    rig_unlink(&rig);
    assert_int_equal(rig.core->ring.confirmed, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_draft_leaves_with_the_tick, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_readers_send, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nothing_before_welcome, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unconfirmed_drafts_come_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_drafts_are_held, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_confirm_of_nothing_closes_the_link, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unexpected_frame_closes_the_link, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_other_version_closes_the_link, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_silent_bridge_is_given_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refusals_keep_the_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_id_and_handle_are_one_conversation, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_reconnecting_forgets_refusals, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_draft_without_id_blocks_nobody, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_too_many_refusals_end_the_connection, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_requests, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_requests_are_lost_with_the_link, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_requests_without_answer_are_bounded, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_last_words_are_read, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
