/* SPDX-License-Identifier: MIT */
/* bus_address_test.c - what is an address of Redis, and what is not. */
#include "unit/unit.h"

#include "bus/address.h"

static void same(const char *got, const char *wanted)
{
    assert_int_equal(!got, !wanted);
    if (wanted)
        assert_string_equal(got, wanted);
}

static void test_good(void **state)
{
    static const struct {
        const char *text, *user, *password, *path, *host;
        unsigned port;
    } rows[] = {
        {"127.0.0.1:6379", NULL, NULL, NULL, "127.0.0.1", 6379},
        {"redis:1", NULL, NULL, NULL, "redis", 1},
        {"[::1]:65535", NULL, NULL, NULL, "::1", 65535},
        {"/run/redis.sock", NULL, NULL, "/run/redis.sock", NULL, 0},
        {"/run/a@b:c", NULL, NULL, "/run/a@b:c", NULL, 0},
        {":secret@h:2", NULL, "secret", NULL, "h", 2},
        {"me:s:e@c@h:2", "me", "s:e@c", NULL, "h", 2},
        {"me:secret@/run/redis.sock", "me", "secret", "/run/redis.sock", NULL, 0},
    };
    struct bus_address a;

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        assert_true(bus_address_parse(&a, rows[i].text));
        same(a.user, rows[i].user);
        same(a.password, rows[i].password);
        same(a.path, rows[i].path);
        same(a.host, rows[i].host);
        assert_int_equal(a.port, rows[i].port);
    }
}

static void test_bad(void **state)
{
    static const char *const rows[] = {
        "",      "host",  ":6379",     "host:", "host:0", "host:65536", "host:+1",   "h:1x",
        "a:b:1", "[::1]", "[::1]6379", "[]:1",  "@h:1",   "user@h:1",   "user:@h:1", "host: 1",
    };
    char too_long[BUS_ADDRESS_MAX + 2];
    struct bus_address a;

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
        assert_false(bus_address_parse(&a, rows[i]));
    memset(too_long, 'a', sizeof too_long - 1);
    too_long[0] = '/';
    too_long[sizeof too_long - 1] = '\0';
    assert_false(bus_address_parse(&a, too_long));
    too_long[sizeof too_long - 2] = '\0';
    assert_true(bus_address_parse(&a, too_long));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
