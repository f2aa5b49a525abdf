/* SPDX-License-Identifier: MIT */
/* plugin_signals_test.c - typing up and down, its limits, and the heads that tell of lost entries.
 */
#include "unit/unit.h"

#include "heads.h"
#include "signals.h"
#include "unit/plugin_rig.h"
#include "wire/topic.h"

#include <stdio.h>

enum { GROUP = 1, CHANNEL = 2, READ_ONLY = 3, STRANGE = 9 };
enum { SIGNALS_BURST = 20, SIGNALS_INTERVAL_MS = 50 }; /* by default */

static struct rig rig;
static const char alice, alice_web, bob;

static int set_up(void **state)
{
    struct attached_conversation items[] = {rig_item(GROUP, 0), rig_item(CHANNEL, 0),
                                            rig_item(READ_ONLY, 0)};

    (void)state;
    items[1].kind = CONVERSATION_CHANNEL;
    items[2].role = ROLE_READER;
    rig_start(&rig);
    rig_link(&rig, true);
    rig_login_attached(&rig, &alice, 1, "alice", "phone", items, 3);
    assert_true(rig_login(&rig, &alice_web, 1, "alice", "web"));
    rig_login_attached(&rig, &bob, 2, "bob", "phone", items, 3);
    rig_forget();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    rig_stop(&rig);
    return 0;
}

static bool type_in(unsigned n, const char *payload)
{
    struct uuid id = rig_uuid(n);
    char text[UUID_TEXT_LENGTH + 1], topic[64];

    uuid_format(&id, text);
    snprintf(topic, sizeof topic, "send/%s/typing", text);
    return rig_publish(&rig, &alice, "alice/phone", topic, payload);
}

static bool move_cursor(unsigned n)
{
    struct uuid id = rig_uuid(n);
    char text[UUID_TEXT_LENGTH + 1], topic[64];

    uuid_format(&id, text);
    snprintf(topic, sizeof topic, "send/%s/cursor", text);
    return rig_publish(&rig, &alice, "alice/phone", topic, "{\"read\":1}");
}

static unsigned signals_sent(void)
{
    struct frame_signal f;
    struct slice body;
    unsigned count = 0;

    rig_tick(&rig);
    while (rig_next(&rig, FRAME_SIGNAL, &body)) {
        assert_true(frame_read_signal(body, &f));
        assert_int_equal(f.kind, SIGNAL_TYPING);
        assert_true(slice_equal(f.handle, slice_str("alice")));
        count++;
    }
    return count;
}

static void signal_out(unsigned n, enum signal_audience audience, const char *device)
{
    struct frame_signal_out f = {.kind = SIGNAL_TYPING,
                                 .audience = audience,
                                 .conversation = rig_uuid(n),
                                 .sender = 1,
                                 .sender_device = slice_str(device),
                                 .payload = slice_str("x")};
    struct buf b;

    buf_init(&b, 4096);
    frame_write_signal_out(&b, &f);
    rig_send(&rig, &b);
    buf_finish(&b);
}

static void chat_topic(unsigned n, char topic[TOPIC_SIGNAL_MAX_LENGTH + 1])
{
    struct uuid id = rig_uuid(n);

    topic_format_signal(&id, SIGNAL_TYPING, topic);
}

static void test_who_may_type(void **state)
{
    char large[SIGNAL_PAYLOAD_MAX + 2];

    (void)state;
    assert_true(type_in(GROUP, "{\"state\":\"start\"}"));
    assert_int_equal(signals_sent(), 1);
    assert_false(type_in(CHANNEL, "{}"));
    assert_false(type_in(READ_ONLY, "{}"));
    assert_false(type_in(STRANGE, "{}"));
    memset(large, 'x', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    assert_false(type_in(GROUP, large));
    assert_int_equal(signals_sent(), 0);
    rig_unlink(&rig);
    assert_false(type_in(GROUP, "{}"));
    assert_int_equal(rig_message_count, 0); /* nothing is stored, so there is no receipt */
}

/* Whoever reads has one. */
static void test_who_has_a_cursor(void **state)
{
    struct frame_signal f;
    struct slice body;

    (void)state;
    assert_true(move_cursor(GROUP));
    rig_tick(&rig);
    assert_true(rig_next(&rig, FRAME_SIGNAL, &body));
    assert_true(frame_read_signal(body, &f));
    assert_int_equal(f.kind, SIGNAL_CURSOR);
    assert_true(move_cursor(CHANNEL));
    assert_true(move_cursor(READ_ONLY));
    assert_false(move_cursor(STRANGE));
}

static void test_allowance(void **state)
{
    unsigned taken = 0;

    (void)state;
    rig_limit(&rig);
    for (unsigned i = 0; i < 3 * SIGNALS_BURST; i++)
        taken += type_in(GROUP, "{}");
    assert_int_equal(taken, SIGNALS_BURST);
    assert_int_equal(signals_sent(), SIGNALS_BURST);
    assert_int_equal(rig.core->stats.limited.signals, 2 * SIGNALS_BURST);
    rig.core->now_ms += 2 * SIGNALS_INTERVAL_MS;
    assert_true(type_in(GROUP, "{}"));
    assert_true(type_in(GROUP, "{}"));
    assert_false(type_in(GROUP, "{}"));
    rig.core->now_ms += 1000 * SIGNALS_INTERVAL_MS;
    for (taken = 0; type_in(GROUP, "{}");)
        taken++;
    assert_int_equal(taken, SIGNALS_BURST);
}

static void test_audience(void **state)
{
    char topic[TOPIC_SIGNAL_MAX_LENGTH + 1];

    (void)state;
    chat_topic(GROUP, topic);
    signal_out(GROUP, AUDIENCE_OTHERS, "phone");
    assert_int_equal(rig_count("bob/phone", topic), 1);
    assert_int_equal(rig_message_count, 1);
    signal_out(GROUP, AUDIENCE_OWN, "phone");
    assert_int_equal(rig_count("alice/web", topic), 1);
    assert_int_equal(rig_message_count, 2);
    signal_out(GROUP, AUDIENCE_ALL, "");
    assert_int_equal(rig_message_count, 5);
    signal_out(STRANGE, AUDIENCE_ALL, "");
    assert_int_equal(rig_message_count, 5);
}

/* Under pressure, and while it is not known who is a member. */
static void test_dropped(void **state)
{
    struct frame_signal_out f = {.kind = SIGNAL_TYPING, .audience = AUDIENCE_ALL};

    (void)state;
    f.conversation = rig_uuid(GROUP);
    rig.core->fanout.count_left = 0;
    signals_out(rig.core, &f);
    assert_int_equal(rig_message_count, 0);
    assert_int_equal(rig.core->stats.signals_dropped, 1);
    rig.core->resyncing = 1;
    fanout_refill(&rig.core->fanout);
    signal_out(GROUP, AUDIENCE_ALL, "");
    assert_int_equal(rig_message_count, 0);
    rig.core->resyncing = 0;
}

static void scan_heads(uint64_t after_ms)
{
    rig.core->now_ms += after_ms;
    rig.core->heads_ms = 0;
    heads_scan(rig.core);
    rig.core->heads_ms = 0;
    heads_scan(rig.core);
}

static void test_heads(void **state)
{
    struct uuid group = rig_uuid(GROUP);
    char id[UUID_TEXT_LENGTH + 1], expected[64];

    (void)state;
    scan_heads(HEADS_INTERVAL_MS);
    assert_int_equal(rig_count(NULL, "me/heads"), 0);
    rig_entry(&rig, &group, 1, 2, "", "{}");
    rig_publish_fails = true; /* the last entry is lost */
    rig_entry(&rig, &group, 2, 2, "", "{}");
    rig_publish_fails = false;
    scan_heads(HEADS_INTERVAL_MS - 1000);
    assert_int_equal(rig_count(NULL, "me/heads"), 0);
    scan_heads(1000);
    assert_int_equal(rig_count(NULL, "me/heads"), 3);
    uuid_format(&group, id);
    snprintf(expected, sizeof expected, "{\"%s\":2}", id);
    assert_string_equal(rig_last("alice/web", "me/heads")->payload, expected);
    assert_string_equal(rig_last("bob/phone", "me/heads")->payload, expected);
    scan_heads(2 * HEADS_INTERVAL_MS);
    assert_int_equal(rig_count(NULL, "me/heads"), 3);
}

/* Many changed conversations come in parts that are JSON each. */
static void test_heads_in_parts(void **state)
{
    enum { MANY = 2500 };
    size_t colons = 0;

    (void)state;
    for (unsigned n = 100; n < 100 + MANY; n++) {
        struct uuid id = rig_uuid(n);

        rig_member(&rig, &id, 2, ROLE_MEMBER, 0);
        rig_entry(&rig, &id, 1, 1, "", "{}");
        if (n % 100 == 0)
            rig_tick(&rig);
    }
    scan_heads(HEADS_INTERVAL_MS + 5000);
    assert_in_range(rig_count("bob/phone", "me/heads"), 2, 3);
    for (size_t i = 0; i < rig_message_count; i++) {
        const char *payload = rig_messages[i].payload;

        if (strcmp(rig_messages[i].topic, "me/heads") != 0)
            continue;
        assert_in_range(strlen(payload), 2, 65536);
        assert_true(payload[0] == '{' && payload[strlen(payload) - 1] == '}');
        for (; *payload; payload++)
            colons += *payload == ':';
    }
    assert_int_equal(colons, MANY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_who_may_type, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_who_has_a_cursor, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_allowance, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_audience, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_dropped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_heads, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_heads_in_parts, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
