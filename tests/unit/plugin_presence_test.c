/* SPDX-License-Identifier: MIT */
/* plugin_presence_test.c - what the bridge is told of devices, and what watchers are told of users.
 */
#include "unit/unit.h"

#include "acl.h"
#include "base/hash.h"
#include "unit/plugin_rig.h"
#include "wire/names.h"

#include <stdio.h>
#include <stdlib.h>

enum { BOB = 2, CROWD = 700 };

static struct rig rig;
static const char alice, alice_again, bob, crowd[CROWD];

static int set_up(void **state)
{
    (void)state;
    rig_start(&rig);
    rig_link(&rig, true);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    rig_stop(&rig);
    return 0;
}

/* The next SESSION frame as text, such as "alice/phone 1 said"; "" when there is none. */
static const char *next_session(void)
{
    static char text[128];
    struct frame_session f;
    struct slice body;

    rig_tick(&rig);
    if (!rig_next(&rig, FRAME_SESSION, &body))
        return "";
    assert_true(frame_read_session(body, &f));
    snprintf(text, sizeof text, "%.*s/%.*s %d%s", (int)f.handle.length, f.handle.data,
             (int)f.device.length, f.device.data, (int)f.state, f.said ? " said" : "");
    return text;
}

static bool next_watch(struct frame_watch *f)
{
    struct slice body;

    rig_tick(&rig);
    return rig_next(&rig, FRAME_WATCH, &body) && frame_read_watch(body, f);
}

/* Answers the next WATCH, which must be there. */
static void answer_watch(uint64_t target_uid, bool allowed, const char *payload)
{
    struct frame_watched answer = {
        .target_uid = target_uid, .allowed = allowed, .payload = slice_str(payload)};
    struct frame_watch f;
    char device[DEVICE_MAX_LENGTH + 1], target[HANDLE_MAX_LENGTH + 1];

    assert_true(next_watch(&f));
    snprintf(device, sizeof device, "%.*s", (int)f.device.length, f.device.data);
    snprintf(target, sizeof target, "%.*s", (int)f.target.length, f.target.data);
    answer.number = f.number;
    answer.uid = f.uid;
    answer.device = slice_str(device);
    answer.target = slice_str(target);
    rig_watched(&rig, &answer);
}

static void login_with_group(const void *client, uint64_t uid, const char *handle)
{
    struct attached_conversation item = rig_item(1, 0);

    rig_login_attached(&rig, client, uid, handle, "phone", &item, 1);
}

/* alice watches bob, and is told `payload`. */
static void start_watch(const char *payload)
{
    login_with_group(&alice, 1, "alice");
    assert_true(rig_subscribe(&rig, &alice, "alice/phone", "presence/bob"));
    answer_watch(BOB, true, payload);
}

static void test_sessions_are_told(void **state)
{
    (void)state;
    assert_true(rig_login(&rig, &alice, 1, "alice", "phone"));
    assert_string_equal(next_session(), "alice/phone 1");
    assert_true(rig_login(&rig, &bob, 2, "bob", "web"));
    assert_string_equal(next_session(), "bob/web 1");
    core_disconnected(rig.core, &bob);
    assert_string_equal(next_session(), "bob/web 0");
    assert_string_equal(next_session(), "");
}

/* A takeover is no end: the device stays up until its last connection goes. */
static void test_takeover_is_no_end(void **state)
{
    (void)state;
    assert_true(rig_login(&rig, &alice, 1, "alice", "phone"));
    assert_true(rig_login(&rig, &alice_again, 1, "alice", "phone"));
    core_disconnected(rig.core, &alice);
    assert_string_equal(next_session(), "alice/phone 1");
    assert_string_equal(next_session(), "alice/phone 1");
    assert_string_equal(next_session(), "");
    core_disconnected(rig.core, &alice_again);
    assert_string_equal(next_session(), "alice/phone 0");
}

static bool say(const char *payload)
{
    return rig_publish(&rig, &alice, "alice/phone", "send/me/presence", payload);
}

static void test_what_a_device_says(void **state)
{
    static const char *const bad[] = {
        "", "{}", "{\"state\":\"offline\"}", "{\"state\":1}", "{\"state\":\"Away\"}", "away"};
    char large[SIGNAL_PAYLOAD_MAX + 32];

    (void)state;
    assert_true(rig_login(&rig, &alice, 1, "alice", "phone"));
    next_session();
    assert_true(say("{\"state\":\"away\"}"));
    assert_string_equal(next_session(), "alice/phone 2 said");
    assert_true(say("{\"state\":\"online\"}"));
    assert_string_equal(next_session(), "alice/phone 1 said");
    assert_true(say("{\"state\":\"hidden\"}"));
    assert_string_equal(next_session(), "alice/phone 3 said");
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
        assert_false(say(bad[i]));
    snprintf(large, sizeof large, "{\"state\":\"away\"}%*s", SIGNAL_PAYLOAD_MAX, "");
    assert_false(say(large));
    assert_string_equal(next_session(), "");
    assert_int_equal(rig_count("alice/phone", "me/receipt"), 0);
}

/* After the link was lost everybody is told again, and what they are. Who hides does so once. */
static void test_link_lost(void **state)
{
    (void)state;
    assert_true(rig_login(&rig, &alice, 1, "alice", "phone"));
    assert_true(rig_login(&rig, &bob, 2, "bob", "web"));
    assert_true(say("{\"state\":\"away\"}"));
    assert_true(say("{\"state\":\"hidden\"}"));
    rig_unlink(&rig);
    assert_false(say("{\"state\":\"online\"}"));
    rig_link(&rig, true);
    assert_string_equal(next_session(), "bob/web 1");
    assert_string_equal(next_session(), "alice/phone 2");
    assert_string_equal(next_session(), "");
}

static void test_only_one_shape(void **state)
{
    static const char *const bad[] = {"presence/+",   "presence/#",     "presence",
                                      "presence/B",   "presence/bob/x", "$share/g/presence/bob",
                                      "presence/bob/"};

    (void)state;
    login_with_group(&alice, 1, "alice");
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
        assert_false(rig_subscribe(&rig, &alice, "alice/phone", bad[i]));
    assert_false(rig_subscribe(&rig, &bob, "alice/phone", "presence/bob")); /* no session */
    assert_true(rig_subscribe(&rig, &alice, "alice/phone", "presence/bob"));
}

/* Who is in no group is refused at once, but for whom they talk to and themselves. */
static void test_strangers(void **state)
{
    struct attached_conversation items[] = {rig_item(1, 0), rig_item(2, 0)};

    (void)state;
    items[0].conversation = direct_conversation_id(slice_str("alice"), slice_str("bob"));
    items[0].kind = CONVERSATION_DIRECT;
    items[1].kind = CONVERSATION_CHANNEL;
    assert_true(rig_login(&rig, &alice, 1, "alice", "phone"));
    assert_true(rig_subscribe(&rig, &alice, "alice/phone", "presence/carol")); /* not attached */
    rig_attached(&rig, 1, items, 2, true);
    assert_true(rig_subscribe(&rig, &alice, "alice/phone", "presence/bob"));
    assert_true(rig_subscribe(&rig, &alice, "alice/phone", "presence/alice"));
    assert_false(rig_subscribe(&rig, &alice, "alice/phone", "presence/dave"));
    answer_watch(0, false, "");
    assert_true(rig_last_has("alice/phone", "me/event",
                             "{\"event\":\"presence_refused\",\"user\":\"carol\"}"));
    assert_int_equal(rig.core->watches.by_name.count, 2);
}

static void test_state_and_changes(void **state)
{
    (void)state;
    start_watch("online");
    assert_true(rig_last_has("alice/phone", "presence/bob", "online"));
    rig_presence(&rig, BOB, "away");
    rig_presence(&rig, BOB, "away");
    rig_presence(&rig, 99, "nobody watches");
    assert_int_equal(rig_count(NULL, "presence/bob"), 2);
    assert_true(rig_last_has("alice/phone", "presence/bob", "away"));
    acl_unsubscribe(rig.core, &alice, "alice/phone", slice_str("presence/bob"));
    rig_presence(&rig, BOB, "online");
    assert_int_equal(rig_count(NULL, "presence/bob"), 2);
    assert_int_equal(rig.core->watches.targets.count, 0);
}

/* A user's own devices may be told more than others. */
static void test_own_devices(void **state)
{
    struct attached_conversation item = rig_item(1, 0);

    (void)state;
    start_watch("online");
    rig_login_attached(&rig, &bob, BOB, "bob", "phone", &item, 1);
    assert_true(rig_subscribe(&rig, &bob, "bob/phone", "presence/bob"));
    answer_watch(BOB, true, "mine");
    rig_presence(&rig, BOB, "away");
    assert_true(rig_last_has("alice/phone", "presence/bob", "away"));
    assert_true(rig_last_has("bob/phone", "presence/bob", "own"));
    rig_presence(&rig, BOB, "online");
    assert_int_equal(rig_count("alice/phone", "presence/bob"), 3);
    assert_int_equal(rig_count("bob/phone", "presence/bob"), 2);
}

/* Before the bridge has allowed it nothing is told, and an answer that is not known yet follows. */
static void test_nothing_before_the_answer(void **state)
{
    (void)state;
    login_with_group(&alice, 1, "alice");
    assert_true(rig_subscribe(&rig, &alice, "alice/phone", "presence/bob"));
    rig_presence(&rig, BOB, "online");
    answer_watch(BOB, true, "");
    assert_int_equal(rig_count(NULL, "presence/bob"), 0);
    rig_presence(&rig, BOB, "online");
    assert_int_equal(rig_count(NULL, "presence/bob"), 1);
}

static void test_subscribing_again_tells_again(void **state)
{
    struct frame_watch f;

    (void)state;
    start_watch("online");
    assert_true(rig_subscribe(&rig, &alice, "alice/phone", "presence/bob"));
    answer_watch(BOB, true, "online");
    assert_int_equal(rig_count(NULL, "presence/bob"), 2);
    assert_false(next_watch(&f));
    assert_int_equal(rig.core->watches.by_name.count, 1);
}

/* A bridge that starts again is asked again, and is not heard unless something is new. */
static void test_a_new_bridge_is_silent(void **state)
{
    struct frame_watch f;

    (void)state;
    start_watch("online");
    rig_unlink(&rig);
    rig_link(&rig, true);
    rig_presence(&rig, BOB, "offline"); /* not allowed yet */
    assert_true(next_watch(&f));
    assert_true(f.again);
    rig_unlink(&rig);
    rig_link(&rig, true);
    answer_watch(BOB, true, "online");
    rig_presence(&rig, BOB, "online");
    assert_int_equal(rig_count(NULL, "presence/bob"), 1);
}

static void test_removal_asks_again(void **state)
{
    struct uuid group = rig_uuid(1);
    struct frame_watch f;

    (void)state;
    start_watch("online");
    rig_member(&rig, &group, BOB, ROLE_ADMIN, 1);
    rig_member(&rig, &group, BOB, ROLE_READER, 1);
    assert_false(next_watch(&f));
    rig_member(&rig, &group, BOB, ROLE_NONE, 2);
    rig_presence(&rig, BOB, "away");
    assert_int_equal(rig_count(NULL, "presence/bob"), 1);
    answer_watch(BOB, true, "away"); /* they share another one */
    assert_int_equal(rig_count(NULL, "presence/bob"), 2);
    rig_member(&rig, &group, 1, ROLE_NONE, 3);
    assert_int_equal(rig_count("alice/phone", "me/event"), 1); /* removed */
    answer_watch(BOB, false, "");
    assert_int_equal(rig_count("alice/phone", "me/event"), 2);
    rig_presence(&rig, BOB, "online");
    assert_int_equal(rig_count(NULL, "presence/bob"), 2);
    assert_int_equal(rig.core->watches.by_name.count, 0);
}

/* An answer that may be older than a removal does not count. */
static void test_stale_answers(void **state)
{
    struct uuid group = rig_uuid(1);
    struct frame_watch f;
    struct frame_watched late = {.uid = 1,
                                 .device = slice_str("phone"),
                                 .target = slice_str("bob"),
                                 .target_uid = BOB,
                                 .allowed = true,
                                 .payload = slice_str("online")};

    (void)state;
    login_with_group(&alice, 1, "alice");
    assert_true(rig_subscribe(&rig, &alice, "alice/phone", "presence/bob"));
    assert_true(next_watch(&f));
    late.number = f.number;
    rig_member(&rig, &group, BOB, ROLE_NONE, 2);
    rig_watched(&rig, &late);
    assert_int_equal(rig_count(NULL, "presence/bob"), 0);
    assert_true(next_watch(&f));
    rig_watched(&rig, &late); /* an answer to another question */
    assert_int_equal(rig_count(NULL, "presence/bob"), 0);
    late.number = f.number;
    for (uint64_t uid = 100; uid < 100 + WATCHES_ENDED_KEPT + 1; uid++)
        rig_member(&rig, &group, uid, ROLE_NONE, 3);
    rig_watched(&rig, &late); /* too much has happened to know */
    assert_int_equal(rig_count(NULL, "presence/bob"), 0);
    answer_watch(BOB, true, "online");
    assert_int_equal(rig_count(NULL, "presence/bob"), 1);
}

static void test_blocked(void **state)
{
    struct uuid direct = direct_conversation_id(slice_str("alice"), slice_str("bob"));
    struct frame_member f = {direct, CONVERSATION_DIRECT, BOB, ROLE_READER, 1};
    struct buf b;

    (void)state;
    start_watch("online");
    buf_init(&b, 1024);
    frame_write_member(&b, &f);
    rig_send(&rig, &b);
    buf_finish(&b);
    answer_watch(BOB, false, "");
    rig_presence(&rig, BOB, "away");
    assert_int_equal(rig_count(NULL, "presence/bob"), 1);
}

static void test_limit(void **state)
{
    char filter[64];

    (void)state;
    login_with_group(&alice, 1, "alice");
    for (unsigned i = 0; i < WATCHES_PER_SESSION; i++) {
        snprintf(filter, sizeof filter, "presence/user%u", i);
        assert_true(rig_subscribe(&rig, &alice, "alice/phone", filter));
    }
    assert_false(rig_subscribe(&rig, &alice, "alice/phone", "presence/bob"));
    assert_true(rig_subscribe(&rig, &alice, "alice/phone", "presence/user7"));
    acl_unsubscribe(rig.core, &alice, "alice/phone", slice_str("presence/user7"));
    acl_unsubscribe(rig.core, &alice, "alice/phone", slice_str("presence/user7"));
    assert_true(rig_subscribe(&rig, &alice, "alice/phone", "presence/bob"));
    core_disconnected(rig.core, &alice);
    assert_int_equal(rig.core->watches.by_name.count, 0);
}

/* More watchers than one turn has time for: everybody is told, each once and the newest last. */
static void test_many_watchers(void **state)
{
    struct attached_conversation item = rig_item(1, 0);
    char handle[16], client_id[32];
    unsigned newest = 0;

    (void)state;
    for (unsigned i = 0; i < CROWD; i++) {
        snprintf(handle, sizeof handle, "user%u", i);
        snprintf(client_id, sizeof client_id, "%s/d", handle);
        rig_open(&rig, &crowd[i], 100 + i, handle);
        assert_true(rig_subscribe(&rig, &crowd[i], client_id, "presence/bob"));
        rig_attached(&rig, 100 + i, &item, 1, true);
    }
    for (unsigned i = 0; i < CROWD; i++)
        answer_watch(BOB, true, "offline");
    rig_forget();
    rig_tick(&rig);
    watches_presence(rig.core,
                     &(struct frame_presence){BOB, slice_str("online"), slice_str("own")});
    assert_in_range(rig_count(NULL, "presence/bob"), 1, FANOUT_TURN_COUNT);
    assert_true(watches_are_busy(&rig.core->watches));
    core_disconnected(rig.core, &crowd[CROWD / 2]);
    rig_presence(&rig, BOB, "away");
    for (unsigned i = 0; i < 10; i++)
        rig_tick(&rig);
    assert_false(watches_are_busy(&rig.core->watches));
    for (unsigned i = 0; i < CROWD; i++) {
        snprintf(client_id, sizeof client_id, "user%u/d", i);
        newest += rig_last_has(client_id, "presence/bob", "away");
    }
    assert_int_equal(newest, CROWD - 1);
    assert_in_range(rig_count(NULL, "presence/bob"), CROWD - 1, 2 * CROWD);
}

/* What the broker has no memory for is told with the next change, even back to the old state. */
static void test_lost_news(void **state)
{
    (void)state;
    start_watch("online");
    rig_publish_fails = true;
    rig_presence(&rig, BOB, "away");
    rig_publish_fails = false;
    rig_presence(&rig, BOB, "away");
    assert_int_equal(rig_count(NULL, "presence/bob"), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_sessions_are_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_takeover_is_no_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_a_device_says, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_link_lost, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_only_one_shape, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_strangers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_state_and_changes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_own_devices, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nothing_before_the_answer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_subscribing_again_tells_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_new_bridge_is_silent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_removal_asks_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stale_answers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_blocked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_limit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_many_watchers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lost_news, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
