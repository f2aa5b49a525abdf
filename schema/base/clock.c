/* SPDX-License-Identifier: MIT */
/* clock.c - see clock.h. The calendar is computed here, because gmtime_r() takes the time zone lock
 * and every entry and receipt carries a time. */
#include "base/clock.h"

#include <assert.h>
#include <time.h>

enum {
    S_PER_DAY = 24 * 60 * 60,
    MS_PER_DAY = S_PER_DAY * 1000,
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

/* Date and time of day, and what follows them. */
static char *put_time(char *to, int64_t unix_s, char after)
{
    int64_t days = unix_s / S_PER_DAY;
    int64_t rest = unix_s % S_PER_DAY;

    if (rest < 0) {
        rest += S_PER_DAY;
        days--;
    }
    to = put_date(to, days);
    to = put(to, rest / 3600, 2, ':');
    to = put(to, rest / 60 % 60, 2, ':');
    return put(to, rest % 60, 2, after);
}

void rfc3339_ms(int64_t unix_ms, char text[RFC3339_MS_LENGTH + 1])
{
    int64_t seconds = unix_ms / 1000;
    int64_t ms = unix_ms % 1000;
    char *to;

    if (ms < 0) {
        ms += 1000;
        seconds--;
    }
    to = put_time(text, seconds, '.');
    to = put(to, ms, 3, 'Z');
    *to = '\0';
    assert(to == text + RFC3339_MS_LENGTH);
}

void rfc3339_s(int64_t unix_s, char text[RFC3339_S_LENGTH + 1])
{
    char *to = put_time(text, unix_s, 'Z');

    *to = '\0';
    assert(to == text + RFC3339_S_LENGTH);
}

/* Takes `width` digits and then, unless it is NUL, the character `after`. */
static bool take_number(struct slice *text, size_t width, char after, int64_t *out)
{
    size_t length = width + (after != '\0');

    *out = 0;
    if (text->length < length || (after != '\0' && text->data[width] != after))
        return false;
    for (size_t i = 0; i < width; i++) {
        if (text->data[i] < '0' || text->data[i] > '9')
            return false;
        *out = *out * 10 + (text->data[i] - '0');
    }
    *text = slice_of(text->data + length, text->length - length);
    return true;
}

/* As put_date(), the other way round. False: there is no such day. */
static bool days_from_date(int64_t year, int64_t month, int64_t day, int64_t *out)
{
    static const int8_t lengths[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    int64_t from_march, years;

    if (month < 1 || month > 12 || day < 1 || day > lengths[month - 1] ||
        (month == 2 && day == 29 && !is_leap))
        return false;
    from_march = (month + 9) % 12;
    years = month > 2 ? year + 400 : year + 399; /* positive, and 400 years repeat */
    *out = years * 365 + years / 4 - years / 100 + years / 400 + (153 * from_march + 2) / 5 + day -
           1 - DAYS_PER_400_YEARS - DAYS_BEFORE_1970;
    return true;
}

/* The fraction of a second, if there is one, in milliseconds. */
static bool take_fraction(struct slice *text, int64_t *ms)
{
    int64_t unit = 100;
    size_t digits = 0;

    *ms = 0;
    if (text->length == 0 || text->data[0] != '.')
        return true;
    for (; digits + 1 < text->length; digits++, unit /= 10) {
        char c = text->data[digits + 1];
        if (c < '0' || c > '9')
            break;
        *ms += unit * (c - '0');
    }
    *text = slice_of(text->data + digits + 1, text->length - digits - 1);
    return digits > 0;
}

/* All that is left: Z, or hours and minutes ahead of UTC. */
static bool take_offset(struct slice text, int64_t *minutes)
{
    bool behind = text.length > 0 && text.data[0] == '-';
    int64_t hours, rest;

    *minutes = 0;
    if (text.length == 1)
        return text.data[0] == 'Z' || text.data[0] == 'z';
    if (text.length == 0 || (text.data[0] != '+' && !behind))
        return false;
    text = slice_of(text.data + 1, text.length - 1);
    if (!take_number(&text, 2, ':', &hours) || !take_number(&text, 2, '\0', &rest) ||
        text.length > 0 || hours > 23 || rest > 59)
        return false;
    *minutes = (hours * 60 + rest) * (behind ? -1 : 1);
    return true;
}

bool rfc3339_parse(struct slice text, int64_t *unix_ms)
{
    int64_t year, month, day, hour, minute, second, fraction, days, offset;

    if (!take_number(&text, 4, '-', &year) || !take_number(&text, 2, '-', &month) ||
        !take_number(&text, 2, '\0', &day) || text.length == 0 ||
        (text.data[0] != 'T' && text.data[0] != 't'))
        return false;
    text = slice_of(text.data + 1, text.length - 1);
    if (!take_number(&text, 2, ':', &hour) || !take_number(&text, 2, ':', &minute) ||
        !take_number(&text, 2, '\0', &second) || !take_fraction(&text, &fraction) ||
        !take_offset(text, &offset) || !days_from_date(year, month, day, &days) || hour > 23 ||
        minute > 59 || second > 60)
        return false;
    if (second == 60)
        second = 59;
    *unix_ms = days * MS_PER_DAY + ((hour * 60 + minute - offset) * 60 + second) * 1000 + fraction;
    return true;
}
