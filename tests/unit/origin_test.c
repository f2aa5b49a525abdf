/* SPDX-License-Identifier: MIT */
/* origin_test.c - which origin a URL has, and which origins a list names. */
#include "unit/unit.h"

#include "base/origin.h"

static void test_urls_have_origins(void **state)
{
    static const struct {
        const char *url;
        const char *origin; /* NULL: none */
    } cases[] = {
        {"https://chat.example.org", "https://chat.example.org"},
        {"https://chat.example.org/", "https://chat.example.org"},
        {"HTTPS://Chat.Example.org:443/a?b#c", "https://chat.example.org"},
        {"http://chat.example.org:80", "http://chat.example.org"},
        {"http://chat.example.org:443?x", "http://chat.example.org:443"},
        {"wss://n1.example.org:8443/mqtt", "wss://n1.example.org:8443"},
        {"ws://127.0.0.1:8080/mqtt", "ws://127.0.0.1:8080"},
        {"ws://localhost:80#", "ws://localhost"},
        {"https://[2001:DB8::1]:8443/", "https://[2001:db8::1]:8443"},
        {"https://[2001:db8::1]", "https://[2001:db8::1]"},
        {"", NULL},
        {"https://", NULL},
        {"https:///path", NULL},
        {"mqtt://chat.example.org", NULL},
        {"ftp://chat.example.org", NULL},
        {"chat.example.org", NULL},
        {"https://user@chat.example.org", NULL},
        {"https://chat.example.org:", NULL},
        {"https://chat.example.org:port", NULL},
        {"https://chat.example.org:123456", NULL},
        {"https://chat.example.org; script-src *", NULL},
        {"https://chat.example.org,x", NULL},
        {"https://chat.example.org x", NULL},
        {"https://chat.example.org\r\nX: y", NULL},
        {"https://*.example.org", NULL},
        {"https://[2001:db8::1", NULL},
        {"https://[]", NULL},
        {"https://[::1]x", NULL},
    };
    char out[ORIGIN_TEXT_BYTES];

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        bool has = origin_of(slice_str(cases[i].url), out);

        if (has != (cases[i].origin != NULL))
            fail_msg("%s", cases[i].url);
        if (has)
            assert_string_equal(out, cases[i].origin);
    }
    assert_false(origin_of(slice_of("https://a\0b", 11), out));
}

static void test_long_ones_are_none(void **state)
{
    char url[2 * ORIGIN_TEXT_BYTES], out[ORIGIN_TEXT_BYTES];
    size_t begin = strlen("https://");

    (void)state;
    memset(url, 'a', sizeof url);
    memcpy(url, "https://", begin);
    assert_true(origin_of(slice_of(url, ORIGIN_TEXT_BYTES - 1), out));
    assert_int_equal(strlen(out), ORIGIN_TEXT_BYTES - 1);
    assert_false(origin_of(slice_of(url, ORIGIN_TEXT_BYTES), out));
}

static void test_lists(void **state)
{
    static const char list[] = " https://a.example,\thttp://b.example:81  ";

    (void)state;
    assert_true(origin_is_listed(list, slice_str("https://a.example")));
    assert_true(origin_is_listed(list, slice_str("HTTP://B.example:81")));
    assert_false(origin_is_listed(list, slice_str("http://b.example")));
    assert_false(origin_is_listed(list, slice_str("https://a.example.org")));
    assert_false(origin_is_listed(list, slice_str("")));
    assert_false(origin_is_listed("", slice_str("https://a.example")));
    assert_true(origin_is_listed("https://a.example *", slice_str("null")));
}

static void test_sources(void **state)
{
    (void)state;
    assert_true(origin_sources_are_good(""));
    assert_true(origin_sources_are_good("https://*.example.org wss://*.example.org:* wss://[::1]"));
    assert_false(origin_sources_are_good("https://a.example; script-src *"));
    assert_false(origin_sources_are_good("https://a.example, https://b.example"));
    assert_false(origin_sources_are_good("'unsafe-inline'"));
    assert_false(origin_sources_are_good("https://a.example\r\nX: y"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_urls_have_origins),
        cmocka_unit_test(test_long_ones_are_none),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_sources),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
