/* SPDX-License-Identifier: MIT */
/* plugin_interests_test.c - the plugin of a node among others: which conversations it says it is
 * in, and what it does about heads that others have told. */
#include "unit/unit.h"

#include "attach.h"
#include "unit/plugin_rig.h"
#include "wire/topic.h"

#include <stdio.h>
#include <unistd.h>

static struct rig rig;
static const char alice, bob;
static struct uuid group;
static char chat[TOPIC_CHAT_LENGTH + 1];

static int set_up(void **state)
{
    (void)state;
    group = rig_uuid(1);
    topic_format_chat(&group, chat);
    rig_start(&rig);
    rig.interests = true;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    rig_stop(&rig);
    return 0;
}

/* The interests told since the last call, such as "+1 -1". */
static const char *interests(void)
{
    static char text[256];
    struct frame_interest f;
    struct slice body;
    size_t length = 0;

    text[0] = '\0';
    rig_tick(&rig);
    while (rig_next(&rig, FRAME_INTEREST, &body)) {
        assert_true(frame_read_interest(body, &f));
        for (unsigned n = 1; n < 9; n++) {
            struct uuid id = rig_uuid(n);
            if (uuid_equal(&id, &f.conversation))
                length += (size_t)snprintf(text + length, sizeof text - length, "%s%c%u",
                                           length ? " " : "", f.on ? '+' : '-', n);
        }
    }
    return text;
}

static void send_frame(void (*write)(struct buf *b))
{
    struct buf b;

    buf_init(&b, 1024);
    write(&b);
    rig_send(&rig, &b);
    buf_finish(&b);
}

static int64_t head_seq;

static void write_head(struct buf *b)
{
    frame_write_head(b, &(struct frame_head){group, head_seq});
}

static void head(int64_t seq)
{
    head_seq = seq;
    send_frame(write_head);
}

static void start(void)
{
    const struct attached_conversation items[] = {rig_item(1, 4), rig_item(2, 7)};

    rig_link(&rig, true);
    rig_login_attached(&rig, &alice, 1, "alice", "phone", items, 2);
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

static void test_told_when_they_come_and_go(void **state)
{
    const struct attached_conversation item = rig_item(1, 4);
    const struct uuid third = rig_uuid(3);

    (void)state;
    start();
    assert_string_equal(interests(), "+1 +2");
    rig_login_attached(&rig, &bob, 2, "bob", "phone", &item, 1);
    assert_string_equal(interests(), "");
    rig_member(&rig, &third, 1, ROLE_MEMBER, 1);
    assert_string_equal(interests(), "+3");
    rig_member(&rig, &third, 1, ROLE_NONE, 1);
    assert_string_equal(interests(), "-3");
    core_disconnected(rig.core, &alice);
    assert_string_equal(interests(), "-2");
    core_disconnected(rig.core, &bob);
    assert_string_equal(interests(), "-1");
}

static void test_told_again_with_each_link(void **state)
{
    const struct attached_conversation item = rig_item(1, 4);

    (void)state;
    start();
    assert_string_equal(interests(), "+1 +2");
    rig_unlink(&rig);
    rig_link(&rig, true);
    assert_string_equal(interests(), "");
    rig_attached(&rig, 1, &item, 1, true);
    assert_string_equal(interests(), "+1"); /* of the second one nothing was told over this link */
}

static void test_told_to_nobody_who_does_not_ask(void **state)
{
    (void)state;
    rig.interests = false;
    start();
    assert_string_equal(interests(), "");
    core_disconnected(rig.core, &alice);
    assert_string_equal(interests(), "");
}

static void test_a_head_that_is_ahead(void **state)
{
    const struct uuid unknown = rig_uuid(8);
    int64_t after;

    (void)state;
    start();
    head(4);
    assert_false(next_fill(&after));
    head(6);
    assert_true(next_fill(&after));
    assert_int_equal(after, 4);
    rig_entry(&rig, &group, 5, 2, "", "{}");
    rig_entry(&rig, &group, 6, 2, "", "{}");
    rig_filled(&rig, &group, 6, false);
    assert_int_equal(rig_count("alice/phone", chat), 2);
    assert_null(members_find(&rig.core->members, &group)->gap);
    group = unknown;
    head(9);
    assert_false(next_fill(&after));
}

/* What another node has committed is on its way, most of the time. */
static void test_a_hole_is_given_time(void **state)
{
    int64_t after;

    (void)state;
    start();
    rig_entry(&rig, &group, 6, 2, "", "{}");
    assert_false(next_fill(&after));
    usleep((ORDER_OTHERS_MS + 20) * 1000);
    assert_true(next_fill(&after));
    assert_int_equal(after, 4);
}

static void test_attaching_again(void **state)
{
    struct attached_conversation item = rig_item(1, 6);
    struct frame_attach attach;
    struct slice body;
    int64_t after;

    (void)state;
    start();
    (void)interests();
    rig_forget();
    send_frame(frame_write_attach_again);
    rig_tick(&rig);
    assert_true(rig_next(&rig, FRAME_ATTACH, &body));
    assert_true(frame_read_attach(body, &attach) && attach.uid == 1);
    rig_entry(&rig, &group, 5, 2, "", "{}"); /* deliveries go on meanwhile */
    assert_int_equal(rig_count("alice/phone", chat), 1);
    send_frame(frame_write_attach_again); /* once is enough */
    rig_tick(&rig);
    assert_false(rig_next(&rig, FRAME_ATTACH, &body));
    rig_attached(&rig, 1, &item, 1, true);
    assert_true(next_fill(&after));
    assert_int_equal(after, 5);
    assert_true(rig_last_has("alice/phone", "me/event", "removed")); /* from the second one */
    assert_int_equal(rig_count("alice/phone", "me/ready"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_told_when_they_come_and_go, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_told_again_with_each_link, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_told_to_nobody_who_does_not_ask, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_head_that_is_ahead, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_hole_is_given_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_attaching_again, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
