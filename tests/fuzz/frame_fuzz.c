/* SPDX-License-Identifier: MIT */
/* frame_fuzz.c - a stream of frames. A frame that is read has exactly one encoding: written again
 * it gives the same bytes. */
#include "fuzz/fuzz.h"

#include "base/buf.h"
#include "wire/frame.h"

enum { CEILING = 1 << 20 };

/* One of these per frame with a plain struct: reads the body and, when it is good, writes it. */
#define REWRITE(name)                                                                              \
    static bool rewrite_##name(struct slice body, struct buf *out)                                 \
    {                                                                                              \
        struct frame_##name f;                                                                     \
                                                                                                   \
        if (!frame_read_##name(body, &f))                                                          \
            return false;                                                                          \
        frame_write_##name(out, &f);                                                               \
        return true;                                                                               \
    }

REWRITE(hello)
REWRITE(attach)
REWRITE(draft)
REWRITE(request)
REWRITE(fill)
REWRITE(session)
REWRITE(signal)
REWRITE(watch)
REWRITE(welcome)
REWRITE(confirm)
REWRITE(entry)
REWRITE(device)
REWRITE(member)
REWRITE(filled)
REWRITE(barrier)
REWRITE(kick)
REWRITE(signal_out)
REWRITE(presence)
REWRITE(watched)
REWRITE(revoked)
REWRITE(ended)
REWRITE(hold)
REWRITE(drain)
REWRITE(left)
REWRITE(interest)
REWRITE(limited)
REWRITE(head)

static bool rewrite_attach_again(struct slice body, struct buf *out)
{
    frame_write_attach_again(out);
    return body.length == 0;
}

static bool rewrite_wake(struct slice body, struct buf *out)
{
    frame_write_wake(out);
    return body.length == 0;
}

static bool rewrite_barrier_done(struct slice body, struct buf *out)
{
    struct frame_barrier f;

    if (!frame_read_barrier(body, &f))
        return false;
    frame_write_barrier_done(out, &f);
    return true;
}

static bool rewrite_attached(struct slice body, struct buf *out)
{
    struct attached_conversation items[ATTACHED_MAX_PER_FRAME];
    struct frame_attached f;
    uint32_t n = 0;

    if (!frame_read_attached(body, &f))
        return false;
    must(f.count <= ATTACHED_MAX_PER_FRAME);
    while (n < f.count && frame_next_attached(&f, &items[n]))
        n++;
    must(n == f.count && f.items.length == 0);
    frame_write_attached(out, f.uid, f.last, items, n);
    return true;
}

static bool (*const rewrites[])(struct slice, struct buf *) = {
    [FRAME_HELLO] = rewrite_hello,
    [FRAME_ATTACH] = rewrite_attach,
    [FRAME_DRAFT] = rewrite_draft,
    [FRAME_REQUEST] = rewrite_request,
    [FRAME_FILL] = rewrite_fill,
    [FRAME_WAKE] = rewrite_wake,
    [FRAME_BARRIER_DONE] = rewrite_barrier_done,
    [FRAME_SESSION] = rewrite_session,
    [FRAME_SIGNAL] = rewrite_signal,
    [FRAME_WATCH] = rewrite_watch,
    [FRAME_WELCOME] = rewrite_welcome,
    [FRAME_CONFIRM] = rewrite_confirm,
    [FRAME_ATTACHED] = rewrite_attached,
    [FRAME_ENTRY] = rewrite_entry,
    [FRAME_DEVICE] = rewrite_device,
    [FRAME_MEMBER] = rewrite_member,
    [FRAME_FILLED] = rewrite_filled,
    [FRAME_BARRIER] = rewrite_barrier,
    [FRAME_KICK] = rewrite_kick,
    [FRAME_SIGNAL_OUT] = rewrite_signal_out,
    [FRAME_PRESENCE] = rewrite_presence,
    [FRAME_WATCHED] = rewrite_watched,
    [FRAME_REVOKED] = rewrite_revoked,
    [FRAME_ENDED] = rewrite_ended,
    [FRAME_HOLD] = rewrite_hold,
    [FRAME_DRAIN] = rewrite_drain,
    [FRAME_LEFT] = rewrite_left,
    [FRAME_INTEREST] = rewrite_interest,
    [FRAME_LIMITED] = rewrite_limited,
    [FRAME_HEAD] = rewrite_head,
    [FRAME_ATTACH_AGAIN] = rewrite_attach_again,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input = slice_of((const char *)data, size);
    struct frame f;
    struct buf out;
    size_t used;

    buf_init(&out, CEILING);
    while (frame_next(input, &f, &used) == FRAME_WHOLE) {
        must(used <= input.length && f.body.length + LINK_HEADER_BYTES == used);
        must((size_t)f.type < sizeof rewrites / sizeof rewrites[0] && rewrites[f.type]);
        buf_reset(&out);
        if (rewrites[f.type](f.body, &out))
            must(out.failed || slice_equal(buf_slice(&out), slice_of(input.data, used)));
        input = slice_of(input.data + used, input.length - used);
    }
    buf_finish(&out);
    return 0;
}
