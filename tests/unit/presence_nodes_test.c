/* SPDX-License-Identifier: MIT */
/* presence_nodes_test.c - what is made of users who are on several nodes, and what the others are
 * told of those who are here. */
#include "unit/presence_rig.h"

#include "base/hash.h"

#include <stdio.h>

static char parts[1024]; /* what the other nodes were told, such as "bob online here; " */

static void on_part(void *owner, const struct roster_part *part)
{
    static const char *const names[] = {"unknown", "offline", "away", "online"};
    char text[128];

    (void)owner;
    snprintf(text, sizeof text, "%.*s %s%s%s", (int)part->handle.length, part->handle.data,
             names[part->state], part->here ? " here" : "", part->hidden ? " hidden" : "");
    rig_note(parts, sizeof parts, text);
}

static void on_met(void *owner, uint64_t uid, struct slice device, uint64_t epoch)
{
    char text[128];

    (void)owner;
    (void)epoch;
    snprintf(text, sizeof text, "%d meets %.*s", (int)uid, (int)device.length, device.data);
    rig_note(parts, sizeof parts, text);
}

static int set_up(void **state)
{
    const struct roster_hooks hooks = {.shown = on_shown,
                                       .unknown = on_unknown,
                                       .seen = on_seen,
                                       .hidden = on_hidden,
                                       .part = on_part,
                                       .met = on_met};

    (void)state;
    roster = roster_create(GRACE_MS, &hooks);
    unknown_count = 0;
    now_ms = 0;
    forget();
    parts[0] = '\0';
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    roster_destroy(roster);
    return 0;
}

static void session(uint64_t uid, const char *device, enum session_state what, bool said)
{
    roster_session(roster,
                   &(struct frame_session){.uid = uid,
                                           .handle = slice_str(uid == BOB ? "bob" : "carol"),
                                           .device = slice_str(device),
                                           .state = what,
                                           .said = said},
                   at(now_ms));
}

static void expect_parts(const char *text)
{
    assert_string_equal(parts, text);
    parts[0] = '\0';
}

static void expect_told(const char *text)
{
    assert_string_equal(told, text);
    told[0] = '\0';
}

static void elsewhere(unsigned node, enum shown shown, bool here)
{
    const struct roster_part part = {
        .uid = BOB, .handle = slice_str("bob"), .state = shown, .here = here, .seen_ms = 77};

    roster_elsewhere(roster, node, &part, at(now_ms));
}

static void load_bob(void)
{
    const struct presence_row row = {0};

    roster_loaded(roster, BOB, &row);
}

static void test_own_part(void **state)
{
    (void)state;
    session(BOB, "phone", SESSION_ONLINE, false);
    expect_parts("");
    load_bob();
    expect_parts("bob online here; ");
    session(BOB, "laptop", SESSION_ONLINE, false);
    session(BOB, "phone", SESSION_DOWN, false);
    expect_parts("");
    session(BOB, "laptop", SESSION_AWAY, true);
    expect_parts(""); /* the phone may come back */
    roster_turn(roster, later(GRACE_MS));
    expect_parts("bob away here; ");
    session(BOB, "laptop", SESSION_DOWN, false);
    expect_parts("bob away; ");
    roster_turn(roster, later(GRACE_MS));
    expect_parts("bob offline; ");
    assert_int_equal(roster_count(roster), 0);
}

static void test_union_of_nodes(void **state)
{
    (void)state;
    elsewhere(1, SHOWN_AWAY, true);
    expect_told("bob away; ");
    assert_int_equal(unknown_count, 0); /* the row has come with it */
    assert_true(roster_is_here(roster, BOB) && !roster_is_here_own(roster, BOB));
    assert_false(roster_was_here_own(roster, BOB));
    elsewhere(2, SHOWN_ONLINE, true);
    expect_told("bob online; ");
    elsewhere(2, SHOWN_ONLINE, false); /* gone, for the grace time that node 2 gives */
    assert_true(roster_is_here(roster, BOB));
    elsewhere(1, SHOWN_OFFLINE, false);
    assert_false(roster_is_here(roster, BOB));
    expect_told("");
    elsewhere(2, SHOWN_OFFLINE, false);
    expect_told("bob offline; ");
    assert_int_equal(roster_count(roster), 0);
    expect_parts("");
    assert_string_equal(written, ""); /* those who had him write it */
}

static void test_a_lost_node(void **state)
{
    (void)state;
    elsewhere(1, SHOWN_ONLINE, true);
    roster_node_lost(roster, 1, at(now_ms));
    assert_false(roster_is_here(roster, BOB));
    roster_turn(roster, later(GRACE_MS - 1));
    expect_told("bob online; ");
    elsewhere(1, SHOWN_ONLINE, true);
    roster_turn(roster, later(GRACE_MS));
    expect_told("");
    roster_node_lost(roster, 1, at(now_ms));
    roster_turn(roster, later(GRACE_MS));
    expect_told("bob offline; ");
}

static void test_a_roll(void **state)
{
    (void)state;
    elsewhere(1, SHOWN_ONLINE, true);
    roster_roll_begin(roster, 1);
    elsewhere(1, SHOWN_ONLINE, true);
    roster_roll_end(roster, 1, at(now_ms));
    assert_true(roster_is_here(roster, BOB));
    roster_roll_begin(roster, 1);
    roster_roll_end(roster, 1, at(now_ms));
    assert_false(roster_is_here(roster, BOB));
}

static void test_hiding_on_another_node(void **state)
{
    struct roster_part part = {.uid = BOB,
                               .handle = slice_str("bob"),
                               .state = SHOWN_ONLINE,
                               .here = true,
                               .hidden = true,
                               .said_ms = 2000000};

    (void)state;
    session(BOB, "phone", SESSION_ONLINE, false);
    load_bob();
    forget();
    roster_elsewhere(roster, 1, &part, at(now_ms));
    expect_told("bob offline; ");
    part.hidden = false;
    part.said_ms = 1000000; /* older news */
    roster_elsewhere(roster, 1, &part, at(now_ms));
    expect_told("");
    session(BOB, "phone", SESSION_ONLINE, true); /* said here, so it is newer */
    expect_told("bob online; ");
    roster_elsewhere(roster, 1, &part, at(now_ms));
    expect_told("");
}

static void test_the_newer_connection(void **state)
{
    uint64_t epoch, newer;

    (void)state;
    session(BOB, "phone", SESSION_ONLINE, false);
    load_bob();
    parts[0] = '\0';
    elsewhere(1, SHOWN_ONLINE, true);
    expect_parts("2 meets phone; ");
    session(BOB, "laptop", SESSION_ONLINE, false);
    expect_parts("2 meets laptop; ");
    assert_true(roster_epoch_of(roster, BOB, slice_str("phone"), &epoch));
    assert_true(epoch > 0);
    roster_epoch_seen(roster, epoch + 1000000); /* of a clock that is far ahead */
    session(BOB, "phone", SESSION_ONLINE, false);
    assert_true(roster_epoch_of(roster, BOB, slice_str("phone"), &newer));
    assert_true(newer > epoch + 1000000);
    session(BOB, "phone", SESSION_DOWN, false);
    assert_false(roster_epoch_of(roster, BOB, slice_str("phone"), &newer));
    assert_int_equal(roster_devices_here(roster), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_own_part, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_union_of_nodes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_lost_node, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_roll, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hiding_on_another_node, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_newer_connection, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
