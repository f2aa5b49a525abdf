/* SPDX-License-Identifier: MIT */
/* revocations_test.c - who is told of ended logins, and when the bridge knows enough to judge. */
#include "unit/unit.h"

#include "unit/fake_database.h"

#include "base/clock.h"
#include "core/herald.h"
#include "core/revocations.h"
#include "link/link.h"
#include "token/jwt.h"

#include <event2/event.h>

enum { TTL_S = 3600 };

#define LOGIN "01000000-0000-0000-0000-000000000000"
#define OTHER_LOGIN "02000000-0000-0000-0000-000000000000"

static struct event_base *base;
static struct revocations *revocations;
static unsigned told;
static struct frame_revoked told_last;

void link_revoked(struct link *l, const struct frame_revoked *f)
{
    (void)l;
    told++;
    told_last = *f;
}

void herald_revoked(struct herald *h, const struct uuid *login, uint64_t uid, int64_t ended_at_ms)
{
    (void)h;
    (void)login;
    (void)uid;
    (void)ended_at_ms;
}

static int set_up(void **state)
{
    (void)state;
    fake_database_set_up(true);
    told = 0;
    base = event_base_new();
    revocations = revocations_create(base, NULL, NULL, NULL, TTL_S);
    return revocations ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    while (fake_database_waiting() > 0)
        fake_database_fail(0, DB_LOST);
    revocations_destroy(revocations);
    event_base_free(base);
    return 0;
}

static enum revocation_verdict judge(const char *login)
{
    return revocations_judge(revocations, slice_str(login));
}

static void end(const char *login)
{
    struct uuid id;

    assert_true(uuid_parse(&id, slice_str(login)));
    revocations_add(revocations, &id, 7, clock_wall_ms(), false);
}

static void test_nothing_is_known_before_the_first_look(void **state)
{
    (void)state;
    assert_int_equal(judge(LOGIN), REVOCATION_UNKNOWN);
    end(LOGIN);
    assert_int_equal(judge(LOGIN), REVOCATION_ENDED);
    assert_int_equal(judge(OTHER_LOGIN), REVOCATION_UNKNOWN);
    event_base_loop(base, EVLOOP_NONBLOCK);
    assert_string_equal(fake_database_statement(0), "revocations_look");
    fake_database_answer(0, fake_result(3));
    assert_int_equal(judge(OTHER_LOGIN), REVOCATION_NONE);
    assert_int_equal(judge("nonsense"), REVOCATION_ENDED);
}

static void test_a_look_finds_logins(void **state)
{
    static const struct uuid login = {{1}};
    PGresult *result = fake_result(3);

    (void)state;
    fake_result_add_row(result);
    fake_result_uuid(result, 0, 0, &login);
    fake_result_i64(result, 0, 1, 7);
    /* PostgreSQL's time starts in 2000. */
    fake_result_i64(result, 0, 2, (clock_wall_ms() - 946684800000) * 1000);
    event_base_loop(base, EVLOOP_NONBLOCK);
    fake_database_answer(0, result);
    assert_int_equal(judge(LOGIN), REVOCATION_ENDED);
    assert_int_equal(told, 1);
    assert_true(uuid_equal(&told_last.login, &login));
    assert_int_equal(told_last.uid, 7);
}

static void test_failed_looks_are_tried_again(void **state)
{
    (void)state;
    event_base_loop(base, EVLOOP_NONBLOCK);
    fake_database_fail(0, DB_LOST);
    assert_int_equal(judge(LOGIN), REVOCATION_UNKNOWN);
    event_base_loop(base, EVLOOP_ONCE);
    assert_int_equal(fake_database_waiting(), 1);
    fake_database_answer(0, fake_result(3));
    assert_int_equal(judge(LOGIN), REVOCATION_NONE);
}

static void test_the_plugin_is_told_once_and_again_after_it_came_back(void **state)
{
    int64_t now_s = clock_wall_ms() / 1000;

    (void)state;
    end(LOGIN);
    end(LOGIN);
    assert_int_equal(told, 1);
    assert_in_range(told_last.expires_at, now_s + TTL_S + JWT_LEEWAY_S, now_s + TTL_S + 120);
    end(OTHER_LOGIN);
    revocations_link_up(revocations);
    assert_int_equal(told, 4);
    assert_int_equal(revocations_count(revocations), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_nothing_is_known_before_the_first_look, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_look_finds_logins, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_failed_looks_are_tried_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_plugin_is_told_once_and_again_after_it_came_back,
                                        set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
