/* SPDX-License-Identifier: MIT */
/* rates_test.c - what HTTP may be asked, and how wrong passwords delay the one who guesses. */
#include "unit/unit.h"

#include "base/address.h"
#include "core/rates.h"

static struct rates *rates;
static struct networks proxies;
static uint64_t now_ms;

static int set_up(void **state)
{
    const struct rates_config config = {
        .on = true,
        .address_http = {4, 60},
        .user_http = {3, 60},
        .address_signups = {2, 3600},
        .address_logins = {20, 600},
        .trusted_proxies = &proxies,
    };

    (void)state;
    assert_true(networks_parse(&proxies, "10.0.0.0/8"));
    rates = rates_create(&config);
    now_ms = 1000;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    rates_destroy(rates);
    return 0;
}

static struct address at(const char *text)
{
    struct address address;

    assert_true(address_parse(&address, slice_str(text)));
    return address;
}

static uint64_t ask(const char *from)
{
    struct address address = at(from);

    return rates_address(rates, &address, now_ms);
}

static void test_addresses(void **state)
{
    static const char *const many[] = {"127.0.0.1", "::1", "10.1.2.3"};

    (void)state;
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(ask("192.0.2.1"), 0);
    assert_int_equal(ask("192.0.2.1"), 15000);
    assert_int_equal(ask("192.0.2.2"), 0);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(ask(i % 2 ? "2001:db8::1" : "2001:db8::ffff"), 0);
    assert_int_equal(ask("2001:db8::2"), 15000);
    for (unsigned i = 0; i < 30; i++)
        assert_int_equal(ask(many[i % ARRAY_LENGTH(many)]), 0);
}

static void test_users(void **state)
{
    struct rates_stats s;

    (void)state;
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(rates_user(rates, 7, now_ms), 0);
    assert_int_equal(rates_user(rates, 7, now_ms), 20000);
    assert_int_equal(rates_user(rates, 8, now_ms), 0);
    assert_int_equal(rates_user(rates, 7, now_ms + 20000), 0);
    rates_get_stats(rates, &s);
    assert_int_equal(s.refused[RATES_USER_HTTP], 1);
}

static void test_signups(void **state)
{
    const struct address home = at("192.0.2.1"), here = at("127.0.0.1");

    (void)state;
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(rates_signup(rates, &home, now_ms), 0);
    assert_int_equal(rates_signup(rates, &home, now_ms), 1800 * 1000);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(rates_signup(rates, &here, now_ms), 0);
}

/* A try at a password, which has this outcome if it comes to that. */
static uint64_t try_as(const char *handle, const char *from, enum code outcome)
{
    const struct address address = at(from);
    struct login_try attempt;
    uint64_t wait_ms = rates_login(rates, slice_str(handle), &address, now_ms, &attempt);

    if (wait_ms == 0)
        rates_login_done(rates, &attempt, outcome);
    return wait_ms;
}

static uint64_t guess(const char *from)
{
    return try_as("alice", from, CODE_UNAUTHORIZED);
}

static uint64_t log_in(const char *from)
{
    return try_as("alice", from, CODE_OK);
}

static void test_delays_grow(void **state)
{
    uint64_t expected_ms = LOGIN_DELAY_MIN_MS;

    (void)state;
    for (unsigned i = 0; i < LOGIN_TRIES_FREE; i++)
        assert_int_equal(guess("127.0.0.1"), 0);
    for (unsigned i = 0; i < 10; i++) {
        assert_int_equal(guess("127.0.0.1"), expected_ms);
        now_ms += expected_ms - 1;
        assert_int_equal(guess("127.0.0.1"), 1);
        assert_int_equal(log_in("127.0.0.1"), 1); /* the right one would tell too much */
        now_ms += 1;
        assert_int_equal(guess("127.0.0.1"), 0);
        expected_ms *= 2;
        if (expected_ms > LOGIN_DELAY_MAX_MS / 2)
            break; /* some of them are being forgotten by now */
    }
    for (unsigned i = 0; i < 1000; i++) {
        uint64_t wait_ms = guess("127.0.0.1");

        assert_in_range(wait_ms, LOGIN_DELAY_MAX_MS / 4, LOGIN_DELAY_MAX_MS);
        now_ms += wait_ms;
        assert_int_equal(guess("127.0.0.1"), 0);
    }
    now_ms += 24ull * 3600 * 1000;
    for (unsigned i = 0; i < LOGIN_TRIES_FREE; i++)
        assert_int_equal(guess("127.0.0.1"), 0);
}

static void test_the_owner_is_not_locked_out(void **state)
{
    (void)state;
    for (unsigned i = 0; i < LOGIN_TRIES_FREE; i++)
        assert_int_equal(guess("192.0.2.1"), 0);
    assert_true(guess("192.0.2.1") > 0);
    assert_int_equal(log_in("192.0.2.2"), 0);
    assert_true(guess("192.0.2.1") > 0); /* which does not help the guesser */
    now_ms += LOGIN_DELAY_MIN_MS;
    assert_int_equal(log_in("192.0.2.1"), 0);
    for (unsigned i = 0; i < LOGIN_TRIES_FREE; i++)
        assert_int_equal(guess("192.0.2.1"), 0);
}

/* A try counts from its beginning. */
static void test_many_at_once(void **state)
{
    const struct address address = at("192.0.2.1");
    struct login_try attempts[LOGIN_TRIES_FREE], attempt;

    (void)state;
    for (unsigned i = 0; i < LOGIN_TRIES_FREE; i++)
        assert_int_equal(rates_login(rates, slice_str("alice"), &address, now_ms, &attempts[i]), 0);
    assert_true(rates_login(rates, slice_str("alice"), &address, now_ms, &attempt) > 0);
    /* The server was too busy to look at them. */
    for (unsigned i = 0; i < LOGIN_TRIES_FREE; i++)
        rates_login_done(rates, &attempts[i], CODE_UNAVAILABLE);
    assert_int_equal(guess("192.0.2.1"), 0);
}

static void test_one_password_for_many_accounts(void **state)
{
    char handle[] = "user-a";

    (void)state;
    for (unsigned i = 0; i < 30; i++)
        assert_int_equal(try_as("bob", "192.0.2.1", CODE_OK), 0); /* these do not count */
    for (unsigned i = 0; i < 20; i++) {
        assert_int_equal(try_as(handle, "192.0.2.1", CODE_UNAUTHORIZED), 0);
        handle[5]++;
    }
    assert_int_equal(try_as(handle, "192.0.2.1", CODE_UNAUTHORIZED), 30000);
    assert_int_equal(try_as(handle, "192.0.2.2", CODE_UNAUTHORIZED), 0);
}

static void test_off(void **state)
{
    const struct rates_config config = {
        .on = false, .user_http = {1, 60}, .trusted_proxies = &proxies};

    (void)state;
    rates_destroy(rates);
    rates = rates_create(&config);
    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal(rates_user(rates, 1, now_ms), 0);
        assert_int_equal(guess("192.0.2.1"), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_addresses, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_users, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_signups, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_delays_grow, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_owner_is_not_locked_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_many_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_one_password_for_many_accounts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_off, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
