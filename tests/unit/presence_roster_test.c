/* SPDX-License-Identifier: MIT */
/* presence_roster_test.c - who is shown as what, on a clock that the test turns. */
#include "unit/presence_rig.h"

#include "base/hash.h"

#include <stdio.h>

static int set_up(void **state)
{
    const struct roster_hooks hooks = {
        .shown = on_shown, .unknown = on_unknown, .seen = on_seen, .hidden = on_hidden};

    (void)state;
    roster = roster_create(GRACE_MS, &hooks);
    unknown_count = 0;
    now_ms = 0;
    forget();
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

static void up(const char *device)
{
    session(BOB, device, SESSION_ONLINE, false);
}

static void down(const char *device)
{
    session(BOB, device, SESSION_DOWN, false);
}

static void say(const char *device, enum session_state what)
{
    session(BOB, device, what, true);
}

static void loaded(uint64_t uid, bool hidden, int64_t last_seen_ms)
{
    roster_loaded(roster, uid,
                  &(struct presence_row){.hidden = hidden, .last_seen_ms = last_seen_ms});
}

static void pass(uint64_t ms)
{
    roster_turn(roster, later(ms));
}

/* bob comes with a phone; his row says that he does not hide. */
static void start(void)
{
    up("phone");
    loaded(BOB, false, 7);
    forget();
}

static void test_nothing_before_the_row(void **state)
{
    struct roster_view view;

    (void)state;
    assert_false(roster_find(roster, BOB, &view));
    up("phone");
    up("laptop");
    assert_int_equal(unknown_count, 1);
    assert_string_equal(told, "");
    assert_true(roster_find(roster, BOB, &view));
    assert_int_equal(view.shown, SHOWN_UNKNOWN);
    loaded(BOB, false, 7);
    loaded(BOB, true, 8);
    loaded(CAROL, false, 8);
    assert_string_equal(told, "bob online; ");
    assert_true(roster_find(roster, BOB, &view));
    assert_int_equal(view.shown, SHOWN_ONLINE);
    assert_int_equal(view.last_seen_ms, 7);
}

static void test_grace(void **state)
{
    struct roster_view view;

    (void)state;
    start();
    pass(1000);
    down("phone");
    assert_string_equal(written, "2 seen 1000; ");
    pass(GRACE_MS - 1);
    assert_string_equal(told, "");
    pass(1);
    assert_string_equal(told, "bob offline; ");
    assert_false(roster_find(roster, BOB, &view));
    assert_int_equal(roster_count(roster), 0);
}

static void test_flaps(void **state)
{
    (void)state;
    start();
    for (unsigned i = 0; i < 100; i++) {
        down("phone");
        pass(GRACE_MS - 1);
        up("phone");
    }
    pass(10 * GRACE_MS);
    assert_string_equal(told, "");
    assert_int_equal(unknown_count, 1);
    down("phone");
    down("phone"); /* twice, or of one that is not here: nothing */
    down("tablet");
    session(CAROL, "phone", SESSION_DOWN, false);
    pass(GRACE_MS);
    assert_string_equal(told, "bob offline; ");
}

static void test_several_devices(void **state)
{
    (void)state;
    start();
    up("laptop");
    say("phone", SESSION_AWAY);
    assert_string_equal(told, "");
    down("laptop");
    assert_string_equal(written, ""); /* the phone is here */
    pass(GRACE_MS);
    assert_string_equal(told, "bob away; ");
    say("phone", SESSION_ONLINE);
    say("phone", SESSION_ONLINE);
    assert_string_equal(told, "bob away; bob online; ");
}

/* A device that comes back within the grace time is what it said; after that it begins anew. */
static void test_what_it_said(void **state)
{
    (void)state;
    start();
    say("phone", SESSION_AWAY);
    forget();
    down("phone");
    pass(GRACE_MS - 1);
    up("phone");
    up("phone"); /* a takeover */
    pass(GRACE_MS);
    assert_string_equal(told, "");
    down("phone");
    pass(GRACE_MS);
    up("phone");
    loaded(BOB, false, 0);
    assert_string_equal(told, "bob offline; bob online; ");
}

static void test_hidden(void **state)
{
    struct roster_view view;

    (void)state;
    start();
    pass(500);
    say("phone", SESSION_HIDDEN);
    assert_string_equal(told, "bob offline; ");
    assert_string_equal(written, "2 hides 500; ");
    forget();
    pass(ROSTER_REFRESH_MS);
    up("laptop");
    say("phone", SESSION_HIDDEN);
    down("phone");
    down("laptop");
    assert_string_equal(told, "");
    assert_string_equal(written, "");
    assert_true(roster_find(roster, BOB, &view));
    assert_int_equal(view.last_seen_ms, 1000500);
    up("laptop");
    pass(GRACE_MS);
    say("laptop", SESSION_AWAY);
    assert_string_equal(told, "bob away; ");
}

/* The row says that the user hides: connecting does not end it, and betrays nothing. */
static void test_hidden_by_the_row(void **state)
{
    struct roster_view view;

    (void)state;
    up("phone");
    down("phone"); /* written with the row's leave only */
    up("phone");
    loaded(BOB, true, 7);
    pass(ROSTER_REFRESH_MS);
    assert_string_equal(told, "");
    assert_true(roster_find(roster, BOB, &view));
    assert_int_equal(view.shown, SHOWN_OFFLINE);
    assert_int_equal(view.last_seen_ms, 7);
    say("phone", SESSION_ONLINE);
    assert_string_equal(told, "bob online; ");
}

/* What a device says before the row is there is newer than the row. */
static void test_said_before_the_row(void **state)
{
    (void)state;
    up("phone");
    say("phone", SESSION_HIDDEN);
    assert_string_equal(written, "2 hides 0; ");
    loaded(BOB, false, 7);
    assert_string_equal(told, "");
    session(CAROL, "phone", SESSION_ONLINE, true);
    loaded(CAROL, true, 7);
    assert_string_equal(told, "carol online; ");
}

static void test_link_lost(void **state)
{
    (void)state;
    start();
    session(CAROL, "web", SESSION_ONLINE, false);
    loaded(CAROL, false, 0);
    forget();
    roster_link_lost(roster, later(10));
    assert_int_equal(roster_count(roster), 2);
    pass(GRACE_MS - 1);
    session(CAROL, "web", SESSION_ONLINE, false);
    pass(1);
    assert_string_equal(told, "bob offline; ");
}

/* Whatever others are shown, and although a device that has gone counts for a while. */
static void test_is_here(void **state)
{
    (void)state;
    start();
    assert_false(roster_is_here(roster, CAROL));
    session(CAROL, "web", SESSION_ONLINE, false);
    session(CAROL, "phone", SESSION_HIDDEN, true);
    assert_true(roster_is_here(roster, CAROL));
    session(CAROL, "web", SESSION_DOWN, false);
    assert_true(roster_is_here(roster, CAROL));
    session(CAROL, "phone", SESSION_DOWN, false);
    assert_false(roster_is_here(roster, CAROL));
    session(CAROL, "phone", SESSION_ONLINE, false);
    roster_link_lost(roster, later(10));
    assert_false(roster_is_here(roster, CAROL));
}

/* A bridge that has just started cannot know yet that somebody has gone. */
static void test_expected(void **state)
{
    const struct presence_row row = {.last_seen_ms = 7, .discreet = true};
    struct roster_view view;

    (void)state;
    roster_expect(roster, BOB, slice_str("bob"), &row, at(0));
    assert_true(roster_find(roster, BOB, &view));
    assert_int_equal(view.shown, SHOWN_UNKNOWN);
    assert_true(view.discreet);
    pass(GRACE_MS - 1);
    assert_string_equal(told, "");
    pass(1);
    assert_string_equal(told, "bob offline discreetly; ");
    assert_int_equal(roster_count(roster), 0);
    roster_expect(roster, CAROL, slice_str("carol"), &row, at(now_ms));
    session(CAROL, "web", SESSION_AWAY, false);
    assert_int_equal(unknown_count, 0);
    pass(GRACE_MS);
    assert_string_equal(told, "bob offline discreetly; carol away discreetly; ");
}

/* Who may know when they were seen is told at once where it makes a difference, and what the user
 * chose is newer than a row that is read then. */
static void test_discreet(void **state)
{
    (void)state;
    assert_false(roster_discreet(roster, BOB, true));
    start();
    assert_true(roster_discreet(roster, BOB, true));
    assert_string_equal(told, "");
    down("phone");
    pass(GRACE_MS);
    assert_string_equal(told, "bob offline discreetly; ");
    assert_false(roster_discreet(roster, BOB, true));
    forget();
    start();
    say("phone", SESSION_HIDDEN);
    assert_true(roster_discreet(roster, BOB, true));
    assert_true(roster_discreet(roster, BOB, false));
    assert_string_equal(told, "bob offline; bob offline discreetly; bob offline; ");
    forget();
    session(CAROL, "web", SESSION_ONLINE, false);
    assert_true(roster_discreet(roster, CAROL, true));
    assert_string_equal(told, "");
    loaded(CAROL, true, 7);
    assert_string_equal(told, "");
    assert_true(roster_discreet(roster, CAROL, true));
    assert_string_equal(told, "carol offline discreetly; ");
}

static void test_refresh(void **state)
{
    (void)state;
    start();
    pass(ROSTER_REFRESH_MS - 1);
    assert_string_equal(written, "");
    pass(1);
    assert_string_equal(written, "2 seen 300000; ");
    assert_int_equal(roster_turn(roster, later(0)), 2 * ROSTER_REFRESH_MS);
    forget();
    session(CAROL, "web", SESSION_HIDDEN, true);
    forget();
    roster_write_all(roster, later(1));
    assert_string_equal(written, "2 seen 300001; ");
}

/* Work is cut into turns, and the next turn is asked for. */
static void test_refresh_in_parts(void **state)
{
    (void)state;
    for (uint64_t uid = 10; uid < 10 + ROSTER_REFRESH_MAX + 1; uid++)
        session(uid, "web", SESSION_ONLINE, false);
    assert_int_equal(roster_turn(roster, at(0)), ROSTER_REFRESH_MS);
    assert_int_equal(roster_turn(roster, at(ROSTER_REFRESH_MS)),
                     ROSTER_REFRESH_MS + ROSTER_TURN_MS);
    assert_int_equal(roster_turn(roster, later(ROSTER_TURN_MS)), 2 * ROSTER_REFRESH_MS);
}

static void test_nothing_to_do(void **state)
{
    (void)state;
    assert_int_equal(roster_turn(roster, at(5)), UINT64_MAX);
    roster_link_lost(roster, at(6));
    roster_write_all(roster, at(7));
}

struct model_device {
    enum shown state; /* SHOWN_OFFLINE: it is not there */
    bool here;
    uint64_t gone_ms;
};

/* What the devices come to is shown, and was told if and only if it is new. */
static void check_against(const struct model_device *devices, enum shown *last)
{
    enum shown expected = SHOWN_OFFLINE;
    struct roster_view view;

    for (unsigned n = 0; n < 3; n++) {
        if (devices[n].state > expected)
            expected = devices[n].state;
    }
    loaded(BOB, false, 0);
    assert_int_equal(roster_find(roster, BOB, &view) ? view.shown : SHOWN_OFFLINE, expected);
    assert_int_equal(told[0] != '\0', expected != *last);
    *last = expected;
    forget();
}

static void act_on(struct model_device *d, const char *name, unsigned act)
{
    if (!d->here && act == 0) {
        up(name);
        d->here = true;
        if (d->state == SHOWN_OFFLINE)
            d->state = SHOWN_ONLINE;
    } else if (d->here && act == 1) {
        down(name);
        d->here = false;
        d->gone_ms = now_ms;
    } else if (d->here) {
        d->state = act == 2 ? SHOWN_AWAY : SHOWN_ONLINE;
        say(name, act == 2 ? SESSION_AWAY : SESSION_ONLINE);
    }
}

/* Against a plain model: random comings and goings of three devices, looked at at every step. */
static void test_against_model(void **state)
{
    static const char *const names[] = {"a", "b", "c"};
    struct model_device devices[3];
    enum shown last = SHOWN_OFFLINE;
    uint64_t step = 0;

    (void)state;
    for (unsigned n = 0; n < 3; n++)
        devices[n] = (struct model_device){.state = SHOWN_OFFLINE};
    for (unsigned i = 0; i < 20000; i++) {
        unsigned n = (unsigned)(hash_u64(++step) % 3);

        pass(hash_u64(++step) % GRACE_MS);
        for (unsigned d = 0; d < 3; d++) {
            if (!devices[d].here && devices[d].gone_ms + GRACE_MS <= now_ms)
                devices[d].state = SHOWN_OFFLINE;
        }
        check_against(devices, &last);
        act_on(&devices[n], names[n], (unsigned)(hash_u64(++step) % 4));
        check_against(devices, &last);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_nothing_before_the_row, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_grace, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_flaps, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_several_devices, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_it_said, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hidden, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hidden_by_the_row, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_said_before_the_row, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_link_lost, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_is_here, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_expected, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_discreet, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refresh, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refresh_in_parts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nothing_to_do, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_against_model, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
