/* SPDX-License-Identifier: MIT */
/* clock.c - see clock.h. The calendar is computed here, because gmtime_r() takes the time zone lock
 * and every entry and receipt carries a time. */
#include "base/clock.h"

#include <assert.h>
#include <time.h>

enum {
    MS_PER_DAY = 24 * 60 * 60 * 1000,
    DAYS_PER_400_YEARS = 146097,
    DAYS_PER_100_YEARS = 36524, /* but one more when the 400th year ends it */
    DAYS_PER_4_YEARS = 1461,
    DAYS_BEFORE_1970 = 719468, /* from 0000-03-01 */
};

static uint64_t monotonic(uint64_t units_per_second)
{
    struct timespec now;

    /* Cannot fail on Linux with this clock and a valid pointer. */
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * units_per_second +
           (uint64_t)now.tv_nsec / (UINT64_C(1000000000) / units_per_second);
}

uint64_t clock_monotonic_ms(void)
{
    return monotonic(1000);
}

uint64_t clock_monotonic_us(void)
{
    return monotonic(1000000);
}

int64_t clock_wall_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Writes `width` decimal digits and then `after`; returns what follows them. */
static char *put(char *to, int64_t value, int width, char after)
{
    for (int i = width - 1; i >= 0; i--) {
        to[i] = (char)('0' + value % 10);
        value /= 10;
    }
    to[width] = after;
    return to + width + 1;
}

/* The proleptic Gregorian date. Years are counted from March, so that the leap day comes last and
 * months have a regular pattern: 153 days in every five. */
static char *put_date(char *to, int64_t days_since_1970)
{
    int64_t days =
        days_since_1970 + DAYS_BEFORE_1970 + DAYS_PER_400_YEARS; /* >= 0 from year -400 */
    int64_t year = days / DAYS_PER_400_YEARS * 400 - 400;
    int64_t rest = days % DAYS_PER_400_YEARS;
    int64_t centuries = rest / DAYS_PER_100_YEARS - rest / (DAYS_PER_400_YEARS - 1);
    int64_t fours, years, month;

    rest -= centuries * DAYS_PER_100_YEARS;
    fours = rest / DAYS_PER_4_YEARS;
    rest -= fours * DAYS_PER_4_YEARS;
    years = rest / 365 - rest / (DAYS_PER_4_YEARS - 1);
    rest -= years * 365;
    year += centuries * 100 + fours * 4 + years;
    month = (5 * rest + 2) / 153; /* 0 is March */
    rest -= (153 * month + 2) / 5;
    if (month >= 10)
        year++;
    to = put(to, year, 4, '-');
    to = put(to, month < 10 ? month + 3 : month - 9, 2, '-');
    return put(to, rest + 1, 2, 'T');
}

void rfc3339_ms(int64_t unix_ms, char text[RFC3339_MS_LENGTH + 1])
{
    int64_t days = unix_ms / MS_PER_DAY;
    int64_t ms = unix_ms % MS_PER_DAY;
    char *to;

    if (ms < 0) {
        ms += MS_PER_DAY;
        days--;
    }
    to = put_date(text, days);
    to = put(to, ms / 3600000, 2, ':');
    to = put(to, ms / 60000 % 60, 2, ':');
    to = put(to, ms / 1000 % 60, 2, '.');
    to = put(to, ms % 1000, 3, 'Z');
    *to = '\0';
    assert(to == text + RFC3339_MS_LENGTH);
}
