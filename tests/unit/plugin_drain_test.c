/* SPDX-License-Identifier: MIT */
/* plugin_drain_test.c - what the plugin does while the node is emptied of its users. */
#include "unit/unit.h"

#include "unit/plugin_rig.h"

#include <time.h>

enum { WITHIN_MS = 400 };

static struct rig rig;
static const char phone, web, bob;

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

static void drain(bool on, uint32_t within_ms)
{
    struct buf b;

    buf_init(&b, 64);
    frame_write_drain(&b, &(struct frame_drain){on, within_ms});
    rig_send(&rig, &b);
    buf_finish(&b);
}

static void run_for(unsigned ms)
{
    const struct timespec pause = {.tv_nsec = 10000000};

    for (unsigned i = 0; i < ms / 10; i++) {
        rig_tick(&rig);
        nanosleep(&pause, NULL);
    }
}

static uint32_t next_left(void)
{
    struct frame_left f = {0};
    struct slice body;

    assert_true(rig_next(&rig, FRAME_LEFT, &body));
    assert_true(frame_read_left(body, &f));
    return f.connections;
}

static void test_all_are_told_and_ended(void **state)
{
    (void)state;
    rig_login_attached(&rig, &phone, 1, "alice", "phone", NULL, 0);
    rig_login_attached(&rig, &bob, 2, "bob", "phone", NULL, 0);
    drain(true, WITHIN_MS);
    run_for(50);
    assert_true(
        rig_last_has("alice/phone", "me/event", "\"reason\":\"going_away\",\"within_ms\":400"));
    assert_true(rig_last_has("bob/phone", "me/event", "going_away"));
    assert_int_equal(rig_kick_count, 0); /* they have the first half to leave by themselves */
    assert_int_equal(next_left(), 2);
    run_for(WITHIN_MS + 150);
    assert_int_equal(rig_kick_count, 2);
    assert_int_equal(rig_count("alice/phone", "me/event"), 1);
}

static void test_nobody_is_let_in(void **state)
{
    (void)state;
    drain(true, WITHIN_MS);
    assert_false(rig_login(&rig, &phone, 1, "alice", "phone"));
    drain(false, 0);
    assert_true(rig_login(&rig, &phone, 1, "alice", "phone"));
    run_for(WITHIN_MS + 150);
    assert_int_equal(rig_kick_count, 0);
}

/* Whoever is still there when it is turned off stays, and hears of it when it is on again. */
static void test_it_is_called_off(void **state)
{
    (void)state;
    rig_login_attached(&rig, &phone, 1, "alice", "phone", NULL, 0);
    drain(true, WITHIN_MS);
    run_for(50);
    drain(false, 0);
    run_for(WITHIN_MS + 150);
    assert_int_equal(rig_kick_count, 0);
    drain(true, WITHIN_MS);
    run_for(50);
    assert_int_equal(rig_count("alice/phone", "me/event"), 2);
    run_for(WITHIN_MS + 150);
    assert_int_equal(rig_kick_count, 1);
}

/* The bridge says it anew over a new link, or it does not hold any more. */
static void test_a_new_link_starts_without_it(void **state)
{
    (void)state;
    rig_login_attached(&rig, &phone, 1, "alice", "phone", NULL, 0);
    drain(true, WITHIN_MS);
    run_for(50);
    rig_unlink(&rig);
    rig_link(&rig, true);
    run_for(WITHIN_MS + 150);
    assert_int_equal(rig_kick_count, 0);
    assert_true(rig_login(&rig, &web, 1, "alice", "web"));
}

#define DRAIN_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DRAIN_TEST(test_all_are_told_and_ended),
        DRAIN_TEST(test_nobody_is_let_in),
        DRAIN_TEST(test_it_is_called_off),
        DRAIN_TEST(test_a_new_link_starts_without_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
