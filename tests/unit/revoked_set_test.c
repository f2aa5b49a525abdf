/* SPDX-License-Identifier: MIT */
/* revoked_set_test.c - the set of ended logins knows, forgets in time, and never grows beyond. */
#include "unit/unit.h"

#include "token/revoked_set.h"

static struct revoked_login login(uint8_t n, int64_t expires_at)
{
    return (struct revoked_login){.login = {{n}}, .uid = n, .expires_at = expires_at};
}

static bool add(struct revoked_set *s, uint8_t n, int64_t expires_at)
{
    const struct revoked_login item = login(n, expires_at);
    bool is_new;

    assert_true(revoked_set_add(s, &item, &is_new));
    return is_new;
}

static bool has(const struct revoked_set *s, uint8_t n)
{
    const struct uuid id = {{n}};

    return revoked_set_has(s, &id);
}

static void test_knows_what_was_added(void **state)
{
    struct revoked_set s;

    (void)state;
    revoked_set_init(&s, 10);
    assert_false(has(&s, 1));
    assert_true(add(&s, 1, 100));
    assert_false(add(&s, 1, 100));
    assert_true(has(&s, 1));
    assert_false(has(&s, 2));
    assert_int_equal(s.by_login.count, 1);
    revoked_set_finish(&s);
}

static void test_forgets_what_has_expired(void **state)
{
    struct revoked_set s;

    (void)state;
    revoked_set_init(&s, 10);
    add(&s, 1, 100);
    add(&s, 2, 200);
    revoked_set_expire(&s, 100);
    assert_true(has(&s, 1));
    revoked_set_expire(&s, 101);
    assert_false(has(&s, 1));
    assert_true(has(&s, 2));
    assert_int_equal(s.forgotten, 0);
    revoked_set_finish(&s);
}

static void test_is_bounded(void **state)
{
    struct revoked_set s;

    (void)state;
    revoked_set_init(&s, 3);
    for (uint8_t n = 1; n <= 5; n++)
        add(&s, n, 100);
    assert_int_equal(s.by_login.count, 3);
    assert_int_equal(s.forgotten, 2);
    assert_false(has(&s, 2));
    assert_true(has(&s, 3));
    assert_true(has(&s, 5));
    revoked_set_finish(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_knows_what_was_added),
        cmocka_unit_test(test_forgets_what_has_expired),
        cmocka_unit_test(test_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
