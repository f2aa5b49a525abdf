/* SPDX-License-Identifier: MIT */
/* events.c - see events.h. */
#include "events.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

enum { LINES_MAX = 64 << 20, FLUSH_BYTES = 256 << 10, HASH_DIGITS = 16 };

bool events_open(struct events *e, const char *path)
{
    *e = (struct events){.fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)};
    buf_init(&e->lines, LINES_MAX);
    return e->fd >= 0;
}

void events_close(struct events *e)
{
    if (e->fd < 0)
        return;
    events_flush(e);
    if (close(e->fd) < 0)
        e->failed = true;
    e->fd = -1;
    buf_finish(&e->lines);
}

static uint64_t microseconds(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

void events_begin(struct events *e, struct slice device, char letter)
{
    buf_u64(&e->lines, microseconds(CLOCK_REALTIME));
    buf_char(&e->lines, '\t');
    buf_u64(&e->lines, microseconds(CLOCK_MONOTONIC));
    buf_char(&e->lines, '\t');
    buf_slice_put(&e->lines, device);
    buf_char(&e->lines, '\t');
    buf_char(&e->lines, letter);
}

void events_text(struct events *e, struct slice field)
{
    buf_char(&e->lines, '\t');
    for (size_t i = 0; i < field.length; i++) {
        char c = field.data[i];

        buf_char(&e->lines, (unsigned char)c < ' ' ? ' ' : c);
    }
}

void events_number(struct events *e, int64_t field)
{
    buf_char(&e->lines, '\t');
    buf_i64(&e->lines, field);
}

void events_hash(struct events *e, uint64_t field)
{
    char digits[HASH_DIGITS];

    for (int i = HASH_DIGITS - 1; i >= 0; i--, field >>= 4)
        digits[i] = "0123456789abcdef"[field & 15];
    buf_char(&e->lines, '\t');
    buf_bytes(&e->lines, digits, sizeof(digits));
}

void events_end(struct events *e)
{
    buf_char(&e->lines, '\n');
    if (e->lines.length > FLUSH_BYTES)
        events_flush(e);
}

void events_put(struct events *e, struct slice device, char letter, struct slice field)
{
    events_begin(e, device, letter);
    if (field.length > 0)
        events_text(e, field);
    events_end(e);
}

void events_turn(struct events *e, uint64_t now_us)
{
    if (now_us < e->flush_us)
        return;
    events_flush(e);
    e->flush_us = now_us + EVENTS_FLUSH_US;
}

void events_flush(struct events *e)
{
    size_t written = 0;

    e->failed = e->failed || e->lines.failed;
    while (!e->failed && written < e->lines.length) {
        ssize_t n = write(e->fd, e->lines.data + written, e->lines.length - written);

        if (n < 0 && errno != EINTR)
            e->failed = true;
        else if (n > 0)
            written += (size_t)n;
    }
    buf_reset(&e->lines);
}
