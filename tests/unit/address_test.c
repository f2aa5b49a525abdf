/* SPDX-License-Identifier: MIT */
/* address_test.c - addresses and networks as text, and whom X-Forwarded-For is believed about. */
#include "unit/unit.h"

#include "base/address.h"

static struct address parse(const char *text)
{
    struct address a;

    assert_true(address_parse(&a, slice_str(text)));
    return a;
}

static void test_addresses(void **state)
{
    static const char *const good[][2] = {
        {"192.0.2.1", "192.0.2.1"},
        {"192.0.2.1:80", "192.0.2.1"},
        {"::1", "::1"},
        {"2001:DB8:0::1", "2001:db8::1"},
        {"[2001:db8::1]", "2001:db8::1"},
        {"[2001:db8::1]:443", "2001:db8::1"},
        {"::ffff:192.0.2.1", "192.0.2.1"},
    };
    static const char *const bad[] = {
        "",
        "x",
        "192.0.2",
        "192.0.2.256",
        "192.0.2.1:",
        "192.0.2.1:port",
        "192.0.2.1:123456",
        "[::1",
        "[::1]x",
        "[::1]:",
        "::1%lo",
        "unknown",
        "_hidden",
        ":",
        "1:2:3:4:5:6:7:8:9",
        "2001:0db8:0000:0000:0000:0000:0000:0000:0000:0001",
    };
    char text[ADDRESS_TEXT_BYTES];
    struct address a;
    (void)state;

    for (size_t i = 0; i < ARRAY_LENGTH(good); i++) {
        a = parse(good[i][0]);
        address_format(&a, text);
        assert_string_equal(text, good[i][1]);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
        assert_false(address_parse(&a, slice_str(bad[i])));
    assert_false(address_parse(&a, slice_of("::1\0", 4)));
}

static void test_parties(void **state)
{
    struct address one = parse("2001:db8::1"), other = parse("2001:db8::ffff:1");
    struct address four = parse("192.0.2.1"), next = parse("192.0.2.2");
    (void)state;

    one = address_party(&one);
    other = address_party(&other);
    assert_true(address_equal(&one, &other));
    four = address_party(&four);
    next = address_party(&next);
    assert_false(address_equal(&four, &next));
    one = parse("127.0.0.1");
    assert_true(address_is_local(&one));
    one = parse("::1");
    assert_true(address_is_local(&one));
    one = parse("127.0.0.2");
    assert_false(address_is_local(&one));
}

static void test_networks(void **state)
{
    static const char *const bad[] = {
        "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/x", "::/129",         "10.0.0.0/99999999999",
        "/8",          "proxy",     "[::1]",      "10.0.0.0/8;::1",
    };
    static const struct {
        const char *address;
        bool inside;
    } cases[] = {
        {"10.0.0.1", true},         {"10.255.255.255", true},  {"11.0.0.0", false},
        {"192.0.2.7", true},        {"192.0.2.8", false},      {"2001:db8:8000::", true},
        {"2001:db8:7fff::", false}, {"::ffff:10.1.2.3", true}, {"::1", false},
    };
    struct networks n;
    (void)state;

    assert_true(networks_parse(&n, "10.0.0.0/8 192.0.2.7,\t2001:db8:8000::/33"));
    assert_int_equal(n.count, 3);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct address a = parse(cases[i].address);
        assert_int_equal(networks_contain(&n, &a), cases[i].inside);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
        assert_false(networks_parse(&n, bad[i]));
    assert_true(networks_parse(&n, " , "));
    assert_int_equal(n.count, 0);
}

/* 10.0.0.0/8 is trusted. */
static void test_who_is_behind(void **state)
{
    static const struct {
        const char *peer, *forwarded_for, *client;
    } cases[] = {
        {"10.0.0.1", "", "10.0.0.1"},
        {"10.0.0.1", "198.51.100.7", "198.51.100.7"},
        {"10.0.0.1", "[2001:db8::9]:4711", "2001:db8::9"},
        {"10.0.0.1", " 203.0.113.5 , 198.51.100.7\t,10.0.0.2", "198.51.100.7"},
        {"10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"},
        {"198.51.100.1", "203.0.113.5", "198.51.100.1"}, /* lies */
        {"10.0.0.1", "unknown", "10.0.0.1"},
        {"10.0.0.1", "203.0.113.5, unknown, 10.0.0.2", "10.0.0.2"},
        {"10.0.0.1", "203.0.113.5,", "10.0.0.1"},
        {"10.0.0.1", ",", "10.0.0.1"},
    };
    char text[ADDRESS_TEXT_BYTES];
    struct networks trusted;
    (void)state;

    assert_true(networks_parse(&trusted, "10.0.0.0/8"));
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct address peer = parse(cases[i].peer);
        struct address client = address_behind(&trusted, &peer, slice_str(cases[i].forwarded_for));
        address_format(&client, text);
        assert_string_equal(text, cases[i].client);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_parties),
        cmocka_unit_test(test_networks),
        cmocka_unit_test(test_who_is_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
