/* SPDX-License-Identifier: MIT */
/* plugin_order_test.c - entries: in order, once each, to the right devices, and large ones in
 * slices. */
#include "unit/unit.h"

#include "attach.h"
#include "unit/plugin_rig.h"
#include "wire/topic.h"

#include <stdio.h>
#include <stdlib.h>

enum { CROWD = 1500 };

static struct rig rig;
static const char alice, bob, tablet, crowd[CROWD];
static struct uuid group;
static char chat[TOPIC_CHAT_LENGTH + 1];

static int set_up(void **state)
{
    (void)state;
    group = rig_uuid(1);
    topic_format_chat(&group, chat);
    rig_start(&rig);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    rig_stop(&rig);
    return 0;
}

/* A link, and alice and bob in the group, which has `last_seq` entries. */
static void start(int64_t last_seq)
{
    struct attached_conversation item = rig_item(1, last_seq);

    rig_link(&rig, true);
    rig_login_attached(&rig, &alice, 1, "alice", "phone", &item, 1);
    rig_login_attached(&rig, &bob, 2, "bob", "phone", &item, 1);
    rig_forget();
}

static void entry(int64_t seq)
{
    char payload[32];

    snprintf(payload, sizeof payload, "{\"seq\":%d}", (int)seq);
    rig_entry(&rig, &group, seq, 1, "phone", payload);
}

/* The entries that bob got, as "5 6 7". */
static const char *bobs(void)
{
    static char text[4096];
    size_t length = 0;

    text[0] = '\0';
    for (size_t i = 0; i < rig_message_count; i++) {
        if (strcmp(rig_messages[i].client_id, "bob/phone") == 0 &&
            strcmp(rig_messages[i].topic, chat) == 0)
            length +=
                (size_t)snprintf(text + length, sizeof text - length, "%s%d", length ? " " : "",
                                 (int)strtol(rig_messages[i].payload + 7, NULL, 10));
    }
    return text;
}

static bool next_fill(int64_t *after)
{
    struct frame_fill fill;
    struct slice body;

    rig_tick(&rig);
    if (!rig_next(&rig, FRAME_FILL, &body))
        return false;
    assert_true(frame_read_fill(body, &fill));
    *after = fill.after;
    return true;
}

static void test_everyone_but_the_sending_device(void **state)
{
    (void)state;
    start(4);
    assert_true(rig_login(&rig, &tablet, 1, "alice", "tablet"));
    assert_int_equal(rig_count("alice/tablet", "me/ready"), 1); /* at once: alice is attached */
    entry(5);
    assert_int_equal(rig_count("alice/phone", chat), 0);
    assert_int_equal(rig_count("alice/tablet", chat), 1);
    assert_int_equal(rig_count("bob/phone", chat), 1);
    /* Posted over HTTP: nobody is left out. */
    rig_entry(&rig, &group, 6, 1, "", "{\"seq\":6}");
    assert_int_equal(rig_count("alice/phone", chat), 1);
}

static void test_repeated_entries_are_dropped(void **state)
{
    int64_t after;

    (void)state;
    start(4);
    entry(3);
    entry(4);
    entry(5);
    entry(5);
    entry(6);
    entry(5);
    assert_string_equal(bobs(), "5 6");
    assert_false(next_fill(&after));
    assert_int_equal(rig.core->stats.repeated, 4);
}

static void test_swapped_entries_need_no_fill(void **state)
{
    int64_t after;

    (void)state;
    start(4);
    entry(6);
    entry(5);
    assert_string_equal(bobs(), "5 6");
    assert_false(next_fill(&after));
    assert_null(members_find(&rig.core->members, &group)->gap);
}

static void test_hole_is_filled(void **state)
{
    int64_t after = 0;

    (void)state;
    start(4);
    entry(5);
    entry(8);
    entry(7);
    assert_string_equal(bobs(), "5");
    assert_true(next_fill(&after));
    assert_int_equal(after, 5);
    assert_false(next_fill(&after)); /* one at a time */
    entry(9);
    entry(6);
    assert_string_equal(bobs(), "5 6 7 8 9");
    entry(7);
    entry(8);
    entry(9);
    rig_filled(&rig, &group, 9, false);
    assert_string_equal(bobs(), "5 6 7 8 9");
    assert_null(members_find(&rig.core->members, &group)->gap);
}

/* An answer to FILL does not tell which device posted an entry. */
static void test_what_was_held_stays_away_from_its_device(void **state)
{
    (void)state;
    start(4);
    entry(6);
    entry(8);
    entry(7);
    for (int64_t seq = 5; seq <= 9; seq++)
        rig_entry(&rig, &group, seq, 1, "", "{\"seq\":0}");
    assert_int_equal(rig_count("alice/phone", chat), 2); /* 5 and 9 */
    assert_int_equal(rig_count("bob/phone", chat), 5);
}

static void test_fill_in_parts(void **state)
{
    int64_t after = 0;

    (void)state;
    start(4);
    entry(200);
    assert_true(next_fill(&after));
    for (int64_t seq = 5; seq <= 100; seq++)
        entry(seq);
    rig_filled(&rig, &group, 100, true);
    assert_true(next_fill(&after));
    assert_int_equal(after, 100);
    for (int64_t seq = 101; seq <= 199; seq++)
        entry(seq);
    rig_filled(&rig, &group, 200, false);
    assert_int_equal(rig_count("bob/phone", chat), 196);
    assert_null(members_find(&rig.core->members, &group)->gap);
}

static void test_unhelpful_fill_is_repeated_later(void **state)
{
    int64_t after = 0;

    (void)state;
    start(4);
    entry(7);
    assert_true(next_fill(&after));
    rig_filled(&rig, &group, 4, false);
    assert_false(next_fill(&after));
    members_find(&rig.core->members, &group)->gap->not_before_ms = 0;
    assert_true(next_fill(&after));
    assert_int_equal(after, 4);
}

static void test_held_entries_are_bounded(void **state)
{
    enum { ENTRIES = 2 * ORDER_HELD_MAX };

    (void)state;
    start(0);
    for (int64_t seq = ENTRIES; seq > 1; seq--)
        entry(seq);
    assert_int_equal(members_find(&rig.core->members, &group)->gap->held_count, ORDER_HELD_MAX);
    for (int64_t seq = 1; seq <= ENTRIES; seq++)
        entry(seq);
    assert_int_equal(rig_count("bob/phone", chat), ENTRIES);
    assert_int_equal(rig.core->order.held_bytes, 0);
}

static void test_lost_link_is_healed(void **state)
{
    struct attached_conversation item = rig_item(1, 9);
    int64_t after = 0;

    (void)state;
    start(4);
    entry(5);
    entry(8);
    rig_unlink(&rig);
    rig_link(&rig, true);
    entry(10); /* nobody's membership is certain yet */
    rig_attached(&rig, 1, &item, 1, true);
    assert_false(next_fill(&after));
    rig_attached(&rig, 2, &item, 1, true);
    assert_true(next_fill(&after));
    assert_int_equal(after, 5);
    for (int64_t seq = 6; seq <= 10; seq++)
        entry(seq);
    rig_filled(&rig, &group, 10, false);
    assert_string_equal(bobs(), "5 6 7 8 9 10");
    assert_int_equal(rig_count(NULL, "me/ready"), 0); /* once per connection */
}

static void test_removed_while_the_link_was_down(void **state)
{
    struct attached_conversation item = rig_item(1, 9);
    int64_t after = 0;

    (void)state;
    start(4);
    rig_unlink(&rig);
    rig_link(&rig, true);
    rig_attached(&rig, 2, NULL, 0, true); /* bob is no member any more */
    rig_attached(&rig, 1, &item, 1, true);
    assert_true(rig_last_has("bob/phone", "me/event", "\"removed\""));
    rig_forget();
    assert_true(next_fill(&after));
    for (int64_t seq = 5; seq <= 9; seq++)
        rig_entry(&rig, &group, seq, 2, "", "{\"seq\":1}");
    assert_string_equal(bobs(), "");
    assert_int_equal(rig_count("alice/phone", chat), 5);
}

/* The news of a newcomer is overtaken by entries that are for the newcomer too. */
static void test_newcomer_gets_what_overtook_the_news(void **state)
{
    int64_t after = 0;

    (void)state;
    rig_link(&rig, true);
    rig_login_attached(&rig, &bob, 2, "bob", "phone", NULL, 0);
    rig_login_attached(
        &rig, &alice, 1, "alice", "phone",
        &(struct attached_conversation){group, CONVERSATION_GROUP, ROLE_MEMBER, 4, 0}, 1);
    rig_forget();
    for (int64_t seq = 5; seq <= 8; seq++)
        rig_entry(&rig, &group, seq, 3, "", "{\"seq\":0}");
    assert_int_equal(rig_count("alice/phone", chat), 4);
    rig_member(&rig, &group, 2, ROLE_MEMBER, 5); /* 6 is the first that is for bob */
    entry(9);
    assert_string_equal(bobs(), "");
    assert_true(next_fill(&after));
    assert_int_equal(after, 5);
    for (int64_t seq = 6; seq <= 8; seq++)
        entry(seq);
    rig_filled(&rig, &group, 9, false);
    entry(10);
    assert_string_equal(bobs(), "6 7 8 9 10");
    assert_int_equal(rig_count("alice/phone", chat), 4);
    assert_false(next_fill(&after));
}

/* The answer to a FILL of before begins too late for the newcomer: it is asked again at once. */
static void test_newcomer_while_a_fill_is_under_way(void **state)
{
    int64_t after = 0;

    (void)state;
    start(4);
    entry(5);
    entry(8);
    assert_true(next_fill(&after));
    assert_int_equal(after, 5);
    rig_login_attached(&rig, &tablet, 3, "eve", "tablet", NULL, 0);
    rig_forget();
    rig_member(&rig, &group, 3, ROLE_MEMBER, 3);
    entry(6);
    entry(7);
    rig_filled(&rig, &group, 8, false);
    assert_true(next_fill(&after));
    assert_int_equal(after, 3);
    for (int64_t seq = 4; seq <= 8; seq++)
        entry(seq);
    rig_filled(&rig, &group, 8, false);
    assert_string_equal(bobs(), "6 7 8");
    assert_int_equal(rig_count("eve/tablet", chat), 5);
    assert_false(next_fill(&after));
}

/* Removed and added again: nothing of the time between, and nothing twice. */
static void test_added_again(void **state)
{
    int64_t after = 0;

    (void)state;
    start(4);
    entry(5);
    rig_member(&rig, &group, 2, ROLE_NONE, 6);
    for (int64_t seq = 6; seq <= 8; seq++)
        entry(seq);
    rig_member(&rig, &group, 2, ROLE_MEMBER, 8);
    entry(9);
    assert_string_equal(bobs(), "5 9");
    assert_false(next_fill(&after));
}

/* The group with CROWD connected users; user ids from 100. */
static void gather_crowd(void)
{
    struct attached_conversation item = rig_item(1, 0);
    char handle[16];

    rig_link(&rig, true);
    for (unsigned i = 0; i < CROWD; i++) {
        snprintf(handle, sizeof handle, "user%u", i);
        attach_opened(rig.core, rig_open(&rig, &crowd[i], 100 + i, handle));
        rig_attached(&rig, 100 + i, &item, 1, true);
        if (i % 100 == 0)
            rig_tick(&rig);
    }
    rig_tick(&rig);
    rig_forget();
}

static bool next_barrier(uint64_t number)
{
    struct frame_barrier barrier;
    struct slice body;

    return rig_next(&rig, FRAME_BARRIER_DONE, &body) && frame_read_barrier(body, &barrier) &&
           barrier.number == number;
}

static void test_large_fanout_goes_in_slices(void **state)
{
    struct slice body;

    (void)state;
    gather_crowd();
    entry(1);
    entry(2);
    rig_device(&rig, 100 + CROWD - 1, "d", "receipt"); /* for one who waits for both */
    rig_barrier(&rig, 7);
    assert_int_equal(rig_count(NULL, chat), 0);
    rig_tick(&rig);
    assert_in_range(rig_message_count, 1, FANOUT_TURN_COUNT);
    assert_true(next_barrier(7)); /* who is a member counts when a slice reaches them */
    assert_true(rig_next(&rig, FRAME_WAKE, &body));
    for (int i = 0; i < 20; i++)
        rig_tick(&rig);
    assert_int_equal(rig_count(NULL, chat), 2 * CROWD);
    for (unsigned i = 0; i < CROWD; i += 100) {
        char client_id[32];

        snprintf(client_id, sizeof client_id, "user%u/d", i);
        assert_int_equal(rig_count(client_id, chat), 2);
        assert_true(rig_last_has(client_id, chat, "{\"seq\":2}"));
    }
    assert_string_equal(rig_messages[rig_message_count - 1].payload, "receipt");
    while (rig_next(&rig, FRAME_WAKE, &body))
        ; /* of the turns before */
    rig_tick(&rig);
    assert_false(rig_next(&rig, FRAME_WAKE, &body)); /* all quiet */
}

static void test_membership_changes_between_slices(void **state)
{
    struct attached_conversation item = rig_item(1, 0);
    char client_id[32];
    unsigned removed_too_early = 0;

    (void)state;
    gather_crowd();
    entry(1);
    rig_tick(&rig);
    fanout_refill(&rig.core->fanout);
    rig_login_attached(&rig, &alice, 1, "alice", "phone", NULL, 0);
    rig_member(&rig, &group, 1, ROLE_MEMBER, 1); /* joined after the entry */
    rig_login_attached(&rig, &bob, 2, "bob", "phone", &item, 1);
    for (unsigned i = 0; i < CROWD; i += 3)
        rig_member(&rig, &group, 100 + i, ROLE_NONE, 2);
    for (int i = 0; i < 20; i++)
        rig_tick(&rig);
    assert_int_equal(rig_count("alice/phone", chat), 0);
    assert_int_equal(rig_count("bob/phone", chat), 0); /* it is in the sync that bob will ask for */
    for (unsigned i = 0; i < CROWD; i++) {
        snprintf(client_id, sizeof client_id, "user%u/d", i);
        if (i % 3 != 0 || i < FANOUT_TURN_COUNT)
            assert_int_equal(rig_count(client_id, chat), 1);
        else
            removed_too_early += 1 - (unsigned)rig_count(client_id, chat);
    }
    /* The first slice went to the first that joined; the others were removed before theirs. */
    assert_int_equal(removed_too_early, (CROWD - FANOUT_TURN_COUNT + 1) / 3);
}

/* Messages for one device keep their order though backlogs take turns. */
static void test_messages_for_a_device_keep_their_order(void **state)
{
    struct attached_conversation items[2] = {rig_item(1, 0), rig_item(2, 0)};
    struct uuid other = rig_uuid(2);
    char payload[16];
    int last = 0;

    (void)state;
    gather_crowd();
    for (unsigned i = 0; i < CROWD / 2; i++)
        rig_member(&rig, &other, 100 + i, ROLE_MEMBER, 0);
    rig_login_attached(&rig, &alice, 1, "alice", "phone", items, 2);
    rig_forget();
    entry(1);
    rig_entry(&rig, &other, 1, 2, "", "other");
    for (int n = 1; n <= 400; n++) {
        snprintf(payload, sizeof payload, "%d", n);
        rig_device(&rig, 1, "phone", payload);
        if (n % 8 == 0)
            rig_tick(&rig);
    }
    for (int i = 0; i < 20; i++)
        rig_tick(&rig);
    for (size_t i = 0; i < rig_message_count; i++) {
        if (strcmp(rig_messages[i].topic, "me/receipt") != 0)
            continue;
        assert_int_equal(strtol(rig_messages[i].payload, NULL, 10), last + 1);
        last++;
    }
    assert_int_equal(last, 400);
}

/* Few members with many devices are many all the same. */
static void test_many_devices_of_few_members(void **state)
{
    struct attached_conversation item = rig_item(1, 0);
    static const char devices[40][SESSIONS_PER_USER];
    char handle[16], device[16];

    (void)state;
    rig_link(&rig, true);
    for (unsigned u = 0; u < 40; u++) {
        snprintf(handle, sizeof handle, "user%u", u);
        for (unsigned d = 0; d < SESSIONS_PER_USER; d++) {
            snprintf(device, sizeof device, "d%u", d);
            if (d == 0)
                rig_login_attached(&rig, &devices[u][d], 100 + u, handle, device, &item, 1);
            else
                assert_true(rig_login(&rig, &devices[u][d], 100 + u, handle, device));
        }
        rig_tick(&rig);
    }
    rig_forget();
    entry(1);
    rig_tick(&rig);
    assert_in_range(rig_message_count, 1, FANOUT_TURN_COUNT + SESSIONS_PER_USER);
    for (int i = 0; i < 10; i++)
        rig_tick(&rig);
    assert_int_equal(rig_count(NULL, chat), 40 * SESSIONS_PER_USER);
}

static void test_direct_message_passes_a_crowd(void **state)
{
    struct attached_conversation item = rig_item(2, 0);
    struct uuid direct = rig_uuid(2);

    (void)state;
    gather_crowd();
    rig_login_attached(&rig, &alice, 1, "alice", "phone", &item, 1);
    rig_forget();
    entry(1);
    rig_entry(&rig, &direct, 1, 2, "", "direct");
    assert_int_equal(rig_message_count, 1);
    assert_string_equal(rig_messages[0].payload, "direct");
}

static void end_group(void)
{
    struct buf b;

    buf_init(&b, 1024);
    frame_write_ended(&b, &(struct frame_ended){group});
    rig_send(&rig, &b);
    buf_finish(&b);
}

/* Told after the entries before it, in slices, and the barriers behind it wait, however many: the
 * last echo answers for all. */
static void test_end_of_a_crowded_conversation(void **state)
{
    enum { BARRIERS = FANOUT_BARRIERS_MAX + 1 };

    (void)state;
    gather_crowd();
    entry(1);
    end_group();
    for (uint64_t i = 1; i <= BARRIERS; i++)
        rig_barrier(&rig, i);
    assert_true(link_is_up(&rig.core->link));
    assert_int_equal(rig_count(NULL, "me/event"), 0);
    rig_tick(&rig);
    assert_in_range(rig_message_count, 1, FANOUT_TURN_COUNT);
    assert_false(next_barrier(BARRIERS));
    for (int i = 0; i < 20; i++)
        rig_tick(&rig);
    assert_int_equal(rig_count(NULL, chat), CROWD);
    assert_int_equal(rig_count(NULL, "me/event"), CROWD);
    assert_true(next_barrier(BARRIERS));
    assert_null(members_find(&rig.core->members, &group));
}

static void test_barrier_is_echoed_at_once(void **state)
{
    (void)state;
    start(0);
    entry(1);
    rig_barrier(&rig, 1);
    rig_tick(&rig);
    assert_true(next_barrier(1));
}

static void test_crowd_disconnects_between_slices(void **state)
{
    (void)state;
    gather_crowd();
    entry(1);
    rig_tick(&rig);
    for (unsigned i = 0; i < CROWD; i++)
        core_disconnected(rig.core, &crowd[i]);
    rig_tick(&rig);
    assert_null(members_find(&rig.core->members, &group));
    assert_int_equal(rig.core->fanout.backlog_bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_everyone_but_the_sending_device, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_repeated_entries_are_dropped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_swapped_entries_need_no_fill, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hole_is_filled, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_was_held_stays_away_from_its_device, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_fill_in_parts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unhelpful_fill_is_repeated_later, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_held_entries_are_bounded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lost_link_is_healed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_removed_while_the_link_was_down, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_newcomer_gets_what_overtook_the_news, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_newcomer_while_a_fill_is_under_way, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_added_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_large_fanout_goes_in_slices, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_membership_changes_between_slices, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_messages_for_a_device_keep_their_order, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_many_devices_of_few_members, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_direct_message_passes_a_crowd, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_end_of_a_crowded_conversation, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_barrier_is_echoed_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_crowd_disconnects_between_slices, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
