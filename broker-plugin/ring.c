/* SPDX-License-Identifier: MIT */
/* ring.c - see ring.h. The length of each frame is read from its own header (wire/frame.h): the
 * ring holds nothing but what goes over the link, so that a thousand frames go in one write. */
#include "ring.h"

#include "wire/frame.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

bool ring_init(struct ring *r, size_t capacity)
{
    assert(capacity > LINK_HEADER_BYTES);
    *r = (struct ring){
        .capacity = capacity, .begin_number = 1, .next_number = 1, .bytes = malloc(capacity)};
    return r->bytes != NULL;
}

void ring_finish(struct ring *r)
{
    free(r->bytes);
    *r = (struct ring){0};
}

uint64_t ring_next_number(const struct ring *r)
{
    return r->next_number;
}

/* Up to two runs of memory that make up [from, to). */
static int locate(const struct ring *r, uint64_t from, uint64_t to, struct iovec out[2])
{
    size_t place = (size_t)(from % r->capacity);
    size_t length = (size_t)(to - from);
    size_t first = length < r->capacity - place ? length : r->capacity - place;
    int count = 0;

    assert(from <= to && length <= r->capacity);
    if (first > 0)
        out[count++] = (struct iovec){r->bytes + place, first};
    if (length > first)
        out[count++] = (struct iovec){r->bytes, length - first};
    return count;
}

bool ring_append(struct ring *r, struct slice frame)
{
    struct iovec to[2];
    int count;
    const char *from = frame.data;

    assert(frame.length > LINK_HEADER_BYTES);
    if (frame.length > r->capacity - (size_t)(r->end - r->begin))
        return false;
    count = locate(r, r->end, r->end + frame.length, to);
    for (int i = 0; i < count; i++) {
        memcpy(to[i].iov_base, from, to[i].iov_len);
        from += to[i].iov_len;
    }
    r->end += frame.length;
    r->next_number++;
    return true;
}

/* Bytes of the frame that starts at `position`, with its header. */
static uint64_t frame_length(const struct ring *r, uint64_t position)
{
    uint64_t length = 0;

    assert(position + LINK_HEADER_BYTES <= r->end);
    for (unsigned i = 0; i < 4; i++) {
        unsigned char byte = (unsigned char)r->bytes[(position + i) % r->capacity];

        length |= (uint64_t)byte << (8 * i);
    }
    return LINK_HEADER_BYTES + length;
}

size_t ring_unsent(const struct ring *r)
{
    return (size_t)(r->end - r->sent);
}

bool ring_is_inside_frame(const struct ring *r)
{
    return r->sent > r->boundary;
}

int ring_peek(const struct ring *r, bool frame_only, struct iovec out[2])
{
    uint64_t to = r->end;

    if (frame_only)
        to = ring_is_inside_frame(r) ? r->boundary + frame_length(r, r->boundary) : r->sent;
    return locate(r, r->sent, to, out);
}

/* Gives back the room of settled frames. One that has been sent in part stays until it is
 * complete, because the bridge is reading it. */
static void drop_confirmed(struct ring *r)
{
    while (r->begin < r->end && r->begin_number <= r->confirmed) {
        if (r->begin == r->boundary && ring_is_inside_frame(r))
            break;
        r->begin += frame_length(r, r->begin);
        r->begin_number++;
        if (r->boundary < r->begin)
            r->boundary = r->sent = r->begin;
    }
    /* An empty ring starts at its beginning again: little traffic touches little memory. */
    if (r->begin == r->end)
        r->begin = r->boundary = r->sent = r->end = 0;
}

void ring_advance(struct ring *r, size_t n)
{
    assert(n <= ring_unsent(r));
    r->sent += n;
    while (r->boundary < r->sent) {
        uint64_t next = r->boundary + frame_length(r, r->boundary);

        if (next > r->sent)
            break;
        r->boundary = next;
    }
    drop_confirmed(r);
}

bool ring_confirm(struct ring *r, uint64_t number)
{
    if (number >= r->next_number)
        return false;
    if (number > r->confirmed)
        r->confirmed = number;
    drop_confirmed(r);
    return true;
}

void ring_rewind(struct ring *r)
{
    r->boundary = r->sent = r->begin;
    drop_confirmed(r);
}
