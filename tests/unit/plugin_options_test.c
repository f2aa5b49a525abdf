/* SPDX-License-Identifier: MIT */
/* plugin_options_test.c - what mosquitto.conf may say, and that nothing else passes. */
#include "unit/unit.h"

#include "options.h"

static const char *const required[] = {"link_socket", "link_key_file", "jwks_file", "issuer",
                                       "audience"};

static void test_complete(void **state)
{
    char error[OPTIONS_ERROR_MAX];
    struct options o;

    (void)state;
    options_init(&o);
    for (size_t i = 0; i < ARRAY_LENGTH(required); i++) {
        assert_false(options_are_complete(&o, error));
        assert_non_null(strstr(error, "is missing"));
        assert_true(options_set(&o, required[i], required[i], error));
    }
    assert_true(options_are_complete(&o, error));
    assert_string_equal(o.issuer, "issuer");
    assert_string_equal(o.link_socket, "link_socket");
    assert_int_equal(o.ring_bytes, 64 << 20);
    assert_true(options_set(&o, "ring_bytes", "8388608", error));
    assert_int_equal(o.ring_bytes, 8388608);
    assert_true(o.rate_limits && o.rate_user_drafts.count > 0);
    assert_true(options_set(&o, "rate_limits", "false", error));
    assert_false(o.rate_limits);
    assert_true(options_set(&o, "rate_user_drafts", "600/60", error));
    assert_int_equal(o.rate_user_drafts.count, 600);
    assert_int_equal(o.rate_user_drafts.seconds, 60);
    assert_true(options_set(&o, "rate_user_requests", "off", error));
    assert_int_equal(o.rate_user_requests.count, 0);
    options_finish(&o);
}

static void test_refused(void **state)
{
    static const char *const bad[][2] = {
        {"colour", "blue"},
        {"", ""},
        {"issuer", ""},
        {"issuer", NULL},
        {"ring_bytes", ""},
        {"ring_bytes", "64M"},
        {"ring_bytes", "-1"},
        {"ring_bytes", "0"},
        {"ring_bytes", " 67108864"},
        {"ring_bytes", "99999999999999999999"},
        {"rate_limits", "off"},
        {"rate_limits", NULL},
        {"rate_device_drafts", "600"},
        {"rate_device_drafts", NULL},
    };
    char error[OPTIONS_ERROR_MAX];
    struct options o;

    (void)state;
    options_init(&o);
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        error[0] = '\0';
        assert_false(options_set(&o, bad[i][0], bad[i][1], error));
        assert_true(strlen(error) > 10);
    }
    assert_true(options_set(&o, "issuer", "a", error));
    assert_false(options_set(&o, "issuer", "b", error));
    assert_non_null(strstr(error, "twice"));
    assert_string_equal(o.issuer, "a");
    assert_true(options_set(&o, "ring_bytes", "67108864", error));
    assert_false(options_set(&o, "ring_bytes", "67108865", error));
    assert_non_null(strstr(error, "twice"));
    assert_int_equal(o.ring_bytes, 67108864);
    options_finish(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_complete),
        cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
