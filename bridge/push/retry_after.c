/* SPDX-License-Identifier: MIT */
/* retry_after.c - see retry_after.h. Of the forms of a date only IMF-fixdate is read: the obsolete
 * ones are no longer sent (RFC 9110 section 5.6.7). */
#include "push/retry_after.h"

#include <string.h>
#include <time.h>

enum {
    DATE_LENGTH = 29, /* Sun, 06 Nov 1994 08:49:37 GMT */
    SECONDS_DIGITS_MAX = 18,
};

static int64_t clamp_seconds(int64_t seconds)
{
    if (seconds < 0)
        return 0;
    return seconds > RETRY_AFTER_MAX_MS / 1000 ? RETRY_AFTER_MAX_MS : seconds * 1000;
}

static int64_t parse_seconds(struct slice value)
{
    int64_t seconds = 0;

    for (size_t i = 0; i < value.length; i++) {
        if (value.data[i] < '0' || value.data[i] > '9')
            return -1;
        if (i < SECONDS_DIGITS_MAX)
            seconds = seconds * 10 + (value.data[i] - '0');
    }
    return clamp_seconds(seconds);
}

static int64_t parse_date(struct slice value, int64_t now)
{
    char text[DATE_LENGTH + 1] = "";
    struct tm date = {0};
    const char *end;

    memcpy(text, value.data, value.length);
    end = strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &date);
    if (!end || *end != '\0')
        return -1;
    return clamp_seconds(timegm(&date) - now);
}

int64_t retry_after_parse(struct slice value, int64_t now)
{
    while (value.length > 0 &&
           (value.data[value.length - 1] == ' ' || value.data[value.length - 1] == '\t'))
        value.length--;
    if (value.length == 0)
        return -1;
    if (value.data[0] >= '0' && value.data[0] <= '9')
        return parse_seconds(value);
    return value.length == DATE_LENGTH ? parse_date(value, now) : -1;
}
