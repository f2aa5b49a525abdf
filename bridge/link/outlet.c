/* SPDX-License-Identifier: MIT */
/* outlet.c - the functions of link.h that write one frame each. Without a plugin they do nothing.
 */
#include "link/outlet.h"

#include "link/link.h"
#include "wire/frame.h"

void link_confirm(struct link *l, uint64_t number)
{
    struct buf *b = outlet_begin(l);

    if (!b)
        return;
    frame_write_confirm(b, &(struct frame_confirm){.number = number});
    outlet_end(l);
}

void link_attached(struct link *l, uint64_t uid, bool last,
                   const struct attached_conversation *items, uint32_t count)
{
    struct buf *b = outlet_begin(l);

    if (!b)
        return;
    frame_write_attached(b, uid, last, items, count);
    outlet_end(l);
}

void link_entry(struct link *l, const struct frame_entry *f)
{
    struct buf *b = outlet_begin(l);

    if (!b)
        return;
    frame_write_entry(b, f);
    outlet_end(l);
}

void link_device(struct link *l, const struct frame_device *f)
{
    struct buf *b = outlet_begin(l);

    if (!b)
        return;
    frame_write_device(b, f);
    outlet_end(l);
}

void link_member(struct link *l, const struct frame_member *f)
{
    struct buf *b = outlet_begin(l);

    if (!b)
        return;
    frame_write_member(b, f);
    outlet_end(l);
}

void link_filled(struct link *l, const struct frame_filled *f)
{
    struct buf *b = outlet_begin(l);

    if (!b)
        return;
    frame_write_filled(b, f);
    outlet_end(l);
}

void link_kick(struct link *l, const struct frame_kick *f)
{
    struct buf *b = outlet_begin(l);

    if (!b)
        return;
    frame_write_kick(b, f);
    outlet_end(l);
}

void link_signal(struct link *l, const struct frame_signal_out *f)
{
    struct buf *b = outlet_begin(l);

    if (!b)
        return;
    frame_write_signal_out(b, f);
    outlet_end(l);
}

void link_presence(struct link *l, const struct frame_presence *f)
{
    struct buf *b = outlet_begin(l);

    if (!b)
        return;
    frame_write_presence(b, f);
    outlet_end(l);
}

void link_watched(struct link *l, const struct frame_watched *f)
{
    struct buf *b = outlet_begin(l);

    if (!b)
        return;
    frame_write_watched(b, f);
    outlet_end(l);
}

void link_revoked(struct link *l, const struct frame_revoked *f)
{
    struct buf *b = outlet_begin(l);

    if (!b)
        return;
    frame_write_revoked(b, f);
    outlet_end(l);
}

void link_ended(struct link *l, const struct frame_ended *f)
{
    struct buf *b = outlet_begin(l);

    if (!b)
        return;
    frame_write_ended(b, f);
    outlet_end(l);
}

void link_drain(struct link *l, const struct frame_drain *f)
{
    struct buf *b = outlet_begin(l);

    if (!b)
        return;
    frame_write_drain(b, f);
    outlet_end(l);
}

void link_head(struct link *l, const struct frame_head *f)
{
    struct buf *b = outlet_begin(l);

    if (!b)
        return;
    frame_write_head(b, f);
    outlet_end(l);
}

void link_attach_again(struct link *l)
{
    struct buf *b = outlet_begin(l);

    if (!b)
        return;
    frame_write_attach_again(b);
    outlet_end(l);
}
