/* SPDX-License-Identifier: MIT */
/* inbound.c - see inbound.h. One table; a type that is not in it is a protocol error. */
#include "inbound.h"

#include "attach.h"
#include "core.h"
#include "revoke.h"
#include "signals.h"
#include "watches.h"

static bool on_confirm(struct core *c, struct slice body)
{
    struct frame_confirm f;

    return frame_read_confirm(body, &f) && ring_confirm(&c->ring, f.number);
}

static bool on_attached(struct core *c, struct slice body)
{
    struct frame_attached f;

    if (!frame_read_attached(body, &f))
        return false;
    attach_attached(c, &f);
    return true;
}

static bool on_entry(struct core *c, struct slice body)
{
    struct frame_entry f;

    if (!frame_read_entry(body, &f))
        return false;
    order_entry(c, &f);
    return true;
}

static bool on_device(struct core *c, struct slice body)
{
    struct frame_device f;

    if (!frame_read_device(body, &f))
        return false;
    asked_end(&c->asked, f.answers);
    fanout_device(c, &f);
    return true;
}

static bool on_member(struct core *c, struct slice body)
{
    struct frame_member f;

    if (!frame_read_member(body, &f))
        return false;
    attach_member(c, &f);
    watches_member(c, &f);
    return true;
}

static bool on_filled(struct core *c, struct slice body)
{
    struct frame_filled f;

    return frame_read_filled(body, &f) && order_filled(c, &f);
}

static bool on_barrier(struct core *c, struct slice body)
{
    struct frame_barrier f;

    if (!frame_read_barrier(body, &f))
        return false;
    fanout_barrier(c, f.number);
    return true;
}

static bool on_kick(struct core *c, struct slice body)
{
    struct frame_kick f;

    if (!frame_read_kick(body, &f))
        return false;
    attach_kick(c, &f);
    return true;
}

static bool on_signal_out(struct core *c, struct slice body)
{
    struct frame_signal_out f;

    if (!frame_read_signal_out(body, &f))
        return false;
    signals_out(c, &f);
    return true;
}

static bool on_presence(struct core *c, struct slice body)
{
    struct frame_presence f;

    if (!frame_read_presence(body, &f))
        return false;
    watches_presence(c, &f);
    return true;
}

static bool on_watched(struct core *c, struct slice body)
{
    struct frame_watched f;

    if (!frame_read_watched(body, &f))
        return false;
    watches_watched(c, &f);
    return true;
}

static bool on_revoked(struct core *c, struct slice body)
{
    struct frame_revoked f;

    if (!frame_read_revoked(body, &f))
        return false;
    revoke_login(c, &f);
    return true;
}

static bool on_ended(struct core *c, struct slice body)
{
    struct frame_ended f;

    if (!frame_read_ended(body, &f))
        return false;
    attach_ended(c, &f);
    return true;
}

static bool on_hold(struct core *c, struct slice body)
{
    struct frame_hold f;

    if (!frame_read_hold(body, &f))
        return false;
    link_hold(&c->link, f.hold);
    return true;
}

static bool on_drain(struct core *c, struct slice body)
{
    struct frame_drain f;

    if (!frame_read_drain(body, &f))
        return false;
    drain_frame(c, &f);
    return true;
}

static bool on_head(struct core *c, struct slice body)
{
    struct frame_head f;
    struct conversation *conversation;

    if (!frame_read_head(body, &f))
        return false;
    conversation = members_find(&c->members, &f.conversation);
    if (conversation)
        order_behind(c, conversation, f.seq);
    return true;
}

static bool on_attach_again(struct core *c, struct slice body)
{
    attach_again(c);
    return body.length == 0;
}

typedef bool handler(struct core *c, struct slice body);

static handler *const table[] = {
    [FRAME_CONFIRM] = on_confirm,
    [FRAME_ATTACHED] = on_attached,
    [FRAME_ENTRY] = on_entry,
    [FRAME_DEVICE] = on_device,
    [FRAME_MEMBER] = on_member,
    [FRAME_FILLED] = on_filled,
    [FRAME_BARRIER] = on_barrier,
    [FRAME_KICK] = on_kick,
    [FRAME_SIGNAL_OUT] = on_signal_out,
    [FRAME_PRESENCE] = on_presence,
    [FRAME_WATCHED] = on_watched,
    [FRAME_REVOKED] = on_revoked,
    [FRAME_ENDED] = on_ended,
    [FRAME_HOLD] = on_hold,
    [FRAME_DRAIN] = on_drain,
    [FRAME_HEAD] = on_head,
    [FRAME_ATTACH_AGAIN] = on_attach_again,
};

bool inbound_frame(struct core *c, const struct frame *f)
{
    size_t type = f->type;

    fanout_count_frame(&c->fanout);
    return type < sizeof table / sizeof table[0] && table[type] && table[type](c, f->body);
}
