/* SPDX-License-Identifier: MIT */
/* uuid.c - see uuid.h. */
#include "base/uuid.h"

#include "base/clock.h"

#include <pthread.h>
#include <string.h>
#include <sys/random.h>

enum { COUNTER_BITS = 12, COUNTER_START_MASK = 0x7ff };

/* The last value of the leading 60 bits (time and counter) that uuid_v7() gave out. */
static pthread_mutex_t v7_lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t v7_last;

static void set_version(struct uuid *u, unsigned version)
{
    u->bytes[6] = (uint8_t)((u->bytes[6] & 0x0f) | version << 4);
    u->bytes[8] = (uint8_t)((u->bytes[8] & 0x3f) | 0x80);
}

/* Time in milliseconds and, in rand_a's place, a counter with a random start (RFC 9562 section 6.2,
 * method 1). Within one millisecond, or after the clock was set back, the pair counts on from the
 * last one; a counter that overflows borrows from the next millisecond. */
static uint64_t next_time_and_counter(uint64_t random)
{
    uint64_t next = (uint64_t)clock_wall_ms() << COUNTER_BITS | (random & COUNTER_START_MASK);

    pthread_mutex_lock(&v7_lock);
    if (next <= v7_last)
        next = v7_last + 1;
    v7_last = next;
    pthread_mutex_unlock(&v7_lock);
    return next;
}

bool uuid_v7(struct uuid *out)
{
    uint64_t random, leading;

    /* Requests this small are never cut short once the system's generator is ready. */
    if (getrandom(&random, sizeof random, 0) != sizeof random ||
        getrandom(out->bytes + 8, 8, 0) != 8)
        return false;
    leading = next_time_and_counter(random);
    for (int i = 0; i < 6; i++)
        out->bytes[i] = (uint8_t)(leading >> (COUNTER_BITS + 40 - 8 * i) & 0xff);
    out->bytes[6] = (uint8_t)(leading >> 8 & 0x0f);
    out->bytes[7] = (uint8_t)(leading & 0xff);
    set_version(out, 7);
    return true;
}

struct uuid uuid_v8(const uint8_t digest[16])
{
    struct uuid u;

    memcpy(u.bytes, digest, sizeof u.bytes);
    set_version(&u, 8);
    return u;
}

static bool is_dash_place(size_t i)
{
    return i == 8 || i == 13 || i == 18 || i == 23;
}

/* -1: not a lower-case hexadecimal digit. */
static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

bool uuid_parse(struct uuid *out, struct slice text)
{
    struct uuid u;
    size_t byte = 0;

    if (text.length != UUID_TEXT_LENGTH)
        return false;
    for (size_t i = 0; i < UUID_TEXT_LENGTH;) {
        int high, low;

        if (is_dash_place(i)) {
            if (text.data[i++] != '-')
                return false;
            continue;
        }
        high = hex_value(text.data[i]);
        low = hex_value(text.data[i + 1]);
        if (high < 0 || low < 0)
            return false;
        u.bytes[byte++] = (uint8_t)(high << 4 | low);
        i += 2;
    }
    *out = u;
    return true;
}

void uuid_format(const struct uuid *u, char text[UUID_TEXT_LENGTH + 1])
{
    static const char hex[] = "0123456789abcdef";
    char *to = text;

    for (size_t i = 0; i < sizeof u->bytes; i++) {
        if (is_dash_place((size_t)(to - text)))
            *to++ = '-';
        *to++ = hex[u->bytes[i] >> 4];
        *to++ = hex[u->bytes[i] & 15];
    }
    *to = '\0';
}

bool uuid_is_nil(const struct uuid *u)
{
    static const struct uuid nil;

    return uuid_equal(u, &nil);
}

bool uuid_equal(const struct uuid *a, const struct uuid *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}
