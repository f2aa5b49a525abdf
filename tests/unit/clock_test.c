/* SPDX-License-Identifier: MIT */
/* clock_test.c - RFC 3339 text against known dates and, day by day, against the C library. */
#include "unit/unit.h"

#include "base/clock.h"

#include <stdio.h>
#include <time.h>

static void test_known_times(void **state)
{
    static const struct {
        int64_t unix_ms;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {-1, "1969-12-31T23:59:59.999Z"},
        {1, "1970-01-01T00:00:00.001Z"},
        {951782400000, "2000-02-29T00:00:00.000Z"},
        {951868799999, "2000-02-29T23:59:59.999Z"},
        {951868800000, "2000-03-01T00:00:00.000Z"},
        {4107542400000, "2100-03-01T00:00:00.000Z"},
        {4107542399999, "2100-02-28T23:59:59.999Z"},
        {1795341600123, "2026-11-22T10:00:00.123Z"},
        {1709164800000, "2024-02-29T00:00:00.000Z"},
        {1735689599999, "2024-12-31T23:59:59.999Z"},
        {2147483648000, "2038-01-19T03:14:08.000Z"},
        {253402300799999, "9999-12-31T23:59:59.999Z"},
        {-62135596800000, "0001-01-01T00:00:00.000Z"},
        {-62135596800001, "0000-12-31T23:59:59.999Z"},
        {-62167219200000, "0000-01-01T00:00:00.000Z"},
    };
    char text[RFC3339_MS_LENGTH + 1];

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        rfc3339_ms(cases[i].unix_ms, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void test_every_day_of_ten_thousand_years(void **state)
{
    char text[RFC3339_MS_LENGTH + 1], expected[64];

    (void)state;
    for (int64_t day = -719528; day <= 2932896; day += 1) {
        int64_t seconds = day * 86400 + (day & 0xffff);
        time_t t = (time_t)seconds;
        struct tm tm;

        rfc3339_ms(seconds * 1000 + 7, text);
        assert_non_null(gmtime_r(&t, &tm));
        snprintf(expected, sizeof expected, "%04d-%02d-%02dT%02d:%02d:%02d.007Z", tm.tm_year + 1900,
                 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
        assert_string_equal(text, expected);
        rfc3339_s(seconds, text);
        assert_memory_equal(text, expected, strlen("2026-11-22T10:00:00"));
        assert_string_equal(text + strlen("2026-11-22T10:00:00"), "Z");
    }
}

static void test_clocks_agree_with_the_system(void **state)
{
    uint64_t before = clock_monotonic_us();
    int64_t wall = clock_wall_ms();

    (void)state;
    assert_true(clock_monotonic_us() >= before);
    assert_true(clock_monotonic_ms() >= before / 1000);
    assert_true(clock_monotonic_ms() <= clock_monotonic_us() / 1000);
    assert_in_range(wall / 1000, (uintmax_t)time(NULL) - 2, (uintmax_t)time(NULL) + 2);
}

static void test_reading(void **state)
{
    static const struct {
        const char *text;
        int64_t unix_ms;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"1970-01-01t00:00:00.001z", 1},
        {"2026-11-22T10:00:00.123Z", 1795341600123},
        {"2026-11-22T11:00:00.1239999+01:00", 1795341600123},
        {"2026-11-22T04:30:00.123-05:30", 1795341600123},
        {"2026-11-22T10:00:00.5Z", 1795341600500},
        {"2016-12-31T23:59:60Z", 1483228799000},
        {"2024-02-29T00:00:00.000Z", 1709164800000},
        {"2000-03-01T00:00:00Z", 951868800000},
        {"0000-01-01T00:00:00.000Z", -62167219200000},
        {"9999-12-31T23:59:59.999Z", 253402300799999},
    };
    static const char *const broken[] = {
        "",
        "2026",
        "2026-11-22",
        "2026-11-22T10:00:00",
        "2026-11-22 10:00:00Z",
        "2026-11-22T10:00Z",
        "2026-11-22T10:00:00.Z",
        "2026-11-22T10:00:00,5Z",
        "2026-11-22T10:00:00Zx",
        "2026-11-22T10:00:00+1:00",
        "2026-11-22T10:00:00+01",
        "2026-11-22T10:00:00+24:00",
        "2026-11-22T10:00:00+01:60",
        "2026-11-22T24:00:00Z",
        "2026-11-22T10:60:00Z",
        "2026-11-22T10:00:61Z",
        "2026-00-22T10:00:00Z",
        "2026-13-22T10:00:00Z",
        "2026-11-00T10:00:00Z",
        "2026-11-31T10:00:00Z",
        "2025-02-29T10:00:00Z",
        "2100-02-29T10:00:00Z",
        "+2026-11-22T10:00:00Z",
        "x026-11-22T10:00:00Z",
    };
    int64_t unix_ms;

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        assert_true(rfc3339_parse(slice_str(cases[i].text), &unix_ms));
        assert_int_equal(unix_ms, cases[i].unix_ms);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(broken); i++)
        assert_false(rfc3339_parse(slice_str(broken[i]), &unix_ms));
}

static void test_what_is_written_is_read(void **state)
{
    const int64_t day = 86400000;
    char text[RFC3339_MS_LENGTH + 1];
    int64_t unix_ms;

    (void)state;
    for (int64_t at = -62167219200000; at < 253402300800000; at += 11 * day + 3661001) {
        rfc3339_ms(at, text);
        assert_true(rfc3339_parse(slice_of(text, RFC3339_MS_LENGTH), &unix_ms));
        assert_int_equal(unix_ms, at);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reading),
        cmocka_unit_test(test_what_is_written_is_read),
        cmocka_unit_test(test_known_times),
        cmocka_unit_test(test_every_day_of_ten_thousand_years),
        cmocka_unit_test(test_clocks_agree_with_the_system),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
