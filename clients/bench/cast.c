/* SPDX-License-Identifier: MIT */
/* cast.c - see cast.h. */
#include "cast.h"

#include "wire/names.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool cast_init(struct cast *c, unsigned players, unsigned stages)
{
    memset(c, 0, sizeof(*c));
    c->players = calloc(players, sizeof(*c->players));
    c->stages = calloc(stages, sizeof(*c->stages));
    if (!c->players || !c->stages) {
        cast_finish(c);
        return false;
    }
    c->player_count = players;
    c->stage_count = stages;
    return true;
}

void cast_finish(struct cast *c)
{
    for (unsigned i = 0; i < c->player_count; i++)
        free(c->players[i].token);
    free(c->players);
    free(c->stages);
    memset(c, 0, sizeof(*c));
}

static void set_stage(struct stage *s, struct uuid id, enum conversation_kind kind, unsigned first,
                      unsigned members)
{
    s->id = id;
    uuid_format(&id, s->id_text);
    s->kind = kind;
    s->first = first;
    s->members = members;
}

bool cast_pairs(struct cast *c, unsigned pairs)
{
    if (!cast_init(c, 2 * pairs, pairs))
        return false;
    for (unsigned i = 0; i < pairs; i++) {
        struct player *two = &c->players[2 * i];

        snprintf(two[0].handle, sizeof(two[0].handle), "bench-p%06u-a", i);
        snprintf(two[1].handle, sizeof(two[1].handle), "bench-p%06u-b", i);
        two[0].sends = true;
        two[0].conversation = two[1].conversation = i;
        set_stage(&c->stages[i],
                  direct_conversation_id(slice_str(two[0].handle), slice_str(two[1].handle)),
                  CONVERSATION_DIRECT, 2 * i, 2);
    }
    c->sender_count = pairs;
    return true;
}

bool cast_group(struct cast *c, unsigned members, unsigned senders)
{
    char name[16 + 1];

    assert(senders <= members);
    if (!cast_init(c, members, 1))
        return false;
    for (unsigned i = 0; i < members; i++) {
        struct player *p = &c->players[i];

        snprintf(p->handle, sizeof(p->handle), "bench-g%u-%06u", members, i);
        p->sends = i < senders;
    }
    snprintf(name, sizeof(name), "bench-%010u", members);
    set_stage(&c->stages[0], uuid_v8((const uint8_t *)name), CONVERSATION_GROUP, 0, members);
    c->sender_count = senders;
    return true;
}

bool cast_log(struct cast *c, unsigned messages)
{
    if (!cast_init(c, 2, 1))
        return false;
    snprintf(c->players[0].handle, sizeof(c->players[0].handle), "bench-r%u-a", messages);
    snprintf(c->players[1].handle, sizeof(c->players[1].handle), "bench-r%u-b", messages);
    set_stage(
        &c->stages[0],
        direct_conversation_id(slice_str(c->players[0].handle), slice_str(c->players[1].handle)),
        CONVERSATION_DIRECT, 0, 2);
    return true;
}
