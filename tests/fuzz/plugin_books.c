/* SPDX-License-Identifier: MIT */
/* plugin_books.c - world_audit(): what the plugin counts twice has to agree, and its ring holds
 * exactly what was accepted and is not confirmed. */
#include "fuzz/fuzz.h"
#include "fuzz/plugin_world.h"

#include "order.h"
#include "parcel.h"

static void audit_ring(const struct world *w)
{
    const struct ring *r = &w->core->ring;
    uint64_t count = 0;

    must(r->next_number == w->accepted + 1);
    must(r->begin <= r->boundary && r->boundary <= r->sent && r->sent <= r->end);
    must(r->end - r->begin <= r->capacity);
    for (uint64_t at = r->begin; at < r->end; count++) {
        uint64_t length = LINK_HEADER_BYTES;

        must(r->end - at > LINK_HEADER_BYTES);
        for (unsigned i = 0; i < 4; i++)
            length += (uint64_t)(unsigned char)r->bytes[(at + i) % r->capacity] << (8 * i);
        must(r->bytes[(at + 4) % r->capacity] == FRAME_DRAFT && length <= r->end - at);
        at += length;
    }
    must(count == r->next_number - r->begin_number);
    must(count + r->confirmed >= w->accepted); /* nothing leaves but what is confirmed */
}

static void audit_sessions(const struct world *w)
{
    const struct sessions *s = &w->core->sessions;
    size_t connected = 0, count = 0, watches = 0;
    uint32_t attaching = 0, resyncing = 0;

    for (size_t i = 0; i < WORLD_CONNECTIONS; i++)
        connected += w->connections[i].connected;
    for (const struct session *i = s->first; i; i = i->next, count++)
        watches += i->watch_count;
    for (const struct user *u = s->users; u; u = u->next) {
        attaching += u->attach == ATTACH_ASKED;
        resyncing += u->resyncing;
        must(u->sessions || u->attach == ATTACH_ASKED);
        for (uint32_t i = 0; i < u->memberships.count; i++) {
            const struct membership *m = &u->memberships.items[i];

            must(m->conversation->members[m->slot].user == u);
            must(m->conversation->members[m->slot].index == i);
        }
    }
    must(count == connected && s->by_client.count == count);
    must(attaching == w->core->attaching && resyncing == w->core->resyncing);
    must(watches == w->core->watches.by_name.count);
}

static void audit_order(const struct world *w)
{
    size_t held = 0;
    unsigned asked = 0;

    for (const struct gap *gap = w->core->order.gaps; gap; gap = gap->next) {
        int64_t last = gap->conversation->delivered;

        must(gap->conversation->gap == gap);
        asked += gap->fill == FILL_ASKED;
        for (const struct parcel *p = gap->held; p; p = p->next) {
            must(p->entry.seq > last);
            last = p->entry.seq;
            held += p->size;
        }
    }
    must(held == w->core->order.held_bytes && asked == w->core->order.fills_asked);
}

void world_audit(const struct world *w)
{
    audit_ring(w);
    audit_sessions(w);
    audit_order(w);
}
