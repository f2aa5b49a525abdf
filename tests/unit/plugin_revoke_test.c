/* SPDX-License-Identifier: MIT */
/* plugin_revoke_test.c - what the end of a login does to its connections and its tokens. */
#include "unit/unit.h"

#include "unit/plugin_rig.h"

#include <time.h>

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

/* Of the login that all of the rig's tokens are of, or of another one. */
static void revoke(uint64_t uid, bool other)
{
    struct frame_revoked f = {.uid = uid, .expires_at = time(NULL) + 3600};
    struct buf b;

    assert_true(uuid_parse(&f.login, slice_str("018f3b2e-7c1d-7abc-9def-0123456789ab")));
    f.login.bytes[0] ^= other;
    buf_init(&b, 1024);
    frame_write_revoked(&b, &f);
    rig_send(&rig, &b);
    buf_finish(&b);
}

static void run_kicks(void)
{
    for (int i = 0; i < 4; i++)
        rig_tick(&rig);
}

static void test_connections_end(void **state)
{
    (void)state;
    rig_login_attached(&rig, &phone, 1, "alice", "phone", NULL, 0);
    assert_true(rig_login(&rig, &web, 1, "alice", "web"));
    rig_login_attached(&rig, &bob, 2, "bob", "phone", NULL, 0);
    revoke(1, true);
    run_kicks();
    assert_int_equal(rig_kick_count, 0);
    revoke(1, false);
    assert_true(rig_last_has("alice/phone", "me/event", "\"revoked\""));
    assert_true(rig_last_has("alice/web", "me/event", "\"revoked\""));
    revoke(1, false); /* told again: said once */
    assert_int_equal(rig_count("alice/phone", "me/event"), 1);
    run_kicks();
    assert_int_equal(rig_kick_count, 2);
    assert_int_equal(rig_count("bob/phone", "me/event"), 0);
}

static void test_tokens_are_refused(void **state)
{
    (void)state;
    revoke(1, true);
    assert_true(rig_login(&rig, &phone, 1, "alice", "phone"));
    core_disconnected(rig.core, &phone);
    revoke(1, false);
    assert_false(rig_login(&rig, &phone, 1, "alice", "phone"));
    rig_unlink(&rig); /* it does not forget while the bridge is away */
    assert_false(rig_login(&rig, &phone, 1, "alice", "phone"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_connections_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_tokens_are_refused, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
