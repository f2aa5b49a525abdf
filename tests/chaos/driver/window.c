/* SPDX-License-Identifier: MIT */
/* window.c - see window.h. Bit seq % WINDOW_SPAN stands for seq, from position + 1 on. */
#include "window.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

static_assert((WINDOW_SPAN & (WINDOW_SPAN - 1)) == 0, "bits are found with a mask");

void window_init(struct window *w)
{
    memset(w, 0, sizeof(*w));
}

static uint64_t *word_of(const struct window *w, int64_t seq)
{
    return (uint64_t *)&w->bits[((uint64_t)seq & (WINDOW_SPAN - 1)) / 64];
}

static uint64_t bit_of(int64_t seq)
{
    return UINT64_C(1) << ((uint64_t)seq & 63);
}

static bool is_there(const struct window *w, int64_t seq)
{
    if (seq <= w->position)
        return true;
    return seq <= w->position + WINDOW_SPAN && (*word_of(w, seq) & bit_of(seq)) != 0;
}

enum window_mark window_mark(struct window *w, int64_t seq)
{
    assert(seq > 0);
    if (is_there(w, seq))
        return WINDOW_KNOWN;
    if (seq > w->position + WINDOW_SPAN)
        return WINDOW_FAR;
    *word_of(w, seq) |= bit_of(seq);
    while (is_there(w, w->position + 1)) {
        w->position++;
        *word_of(w, w->position) &= ~bit_of(w->position);
    }
    return WINDOW_NEW;
}

int64_t window_hole_before(const struct window *w, int64_t seq)
{
    int64_t end = w->position + WINDOW_SPAN;

    if (seq > end + 1 && !is_there(w, end))
        seq = end; /* nothing is known of what lies beyond */
    else if (seq > end + 1)
        return end + 1;
    while (seq > w->position + 1 && !is_there(w, seq - 1))
        seq--;
    return seq;
}
