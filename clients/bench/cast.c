/* SPDX-License-Identifier: MIT */
/* cast.c - see cast.h. */
#include "cast.h"

#include "wire/names.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool cast_init(struct cast *c, unsigned players, unsigned stages, unsigned side_roles)
{
    memset(c, 0, sizeof(*c));
    c->players = calloc(players, sizeof(*c->players));
    c->stages = calloc(stages, sizeof(*c->stages));
    if (side_roles > 0)
        c->side_roles = calloc(side_roles, sizeof(*c->side_roles));
    if (!c->players || !c->stages || (side_roles > 0 && !c->side_roles)) {
        cast_finish(c);
        return false;
    }
    c->player_count = players;
    c->stage_count = stages;
    for (unsigned i = 0; i < players; i++)
        c->players[i].role = ROLE_MEMBER;
    return true;
}

void cast_finish(struct cast *c)
{
    for (unsigned i = 0; i < c->player_count; i++)
        free(c->players[i].token);
    free(c->players);
    free(c->stages);
    free(c->side_roles);
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

/* Of the players a and b. */
static void set_direct(struct cast *c, unsigned stage, unsigned a, unsigned b)
{
    set_stage(
        &c->stages[stage],
        direct_conversation_id(slice_str(c->players[a].handle), slice_str(c->players[b].handle)),
        CONVERSATION_DIRECT, a, 2);
}

bool cast_pairs(struct cast *c, unsigned pairs)
{
    if (!cast_init(c, 2 * pairs, pairs, 0))
        return false;
    for (unsigned i = 0; i < pairs; i++) {
        struct player *two = &c->players[2 * i];

        snprintf(two[0].handle, sizeof(two[0].handle), "bench-p%06u-a", i);
        snprintf(two[1].handle, sizeof(two[1].handle), "bench-p%06u-b", i);
        two[0].sends = true;
        two[0].conversation = two[1].conversation = i;
        set_direct(c, i, 2 * i, 2 * i + 1);
    }
    c->sender_count = pairs;
    return true;
}

bool cast_group(struct cast *c, unsigned members, unsigned senders)
{
    char name[16 + 1];

    assert(senders <= members);
    if (!cast_init(c, members, 1, 0))
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
    if (!cast_init(c, 2, 1, 0))
        return false;
    snprintf(c->players[0].handle, sizeof(c->players[0].handle), "bench-r%u-a", messages);
    snprintf(c->players[1].handle, sizeof(c->players[1].handle), "bench-r%u-b", messages);
    set_direct(c, 0, 0, 1);
    return true;
}

bool cast_channel(struct cast *c, unsigned members, unsigned players)
{
    char name[16 + 1];

    assert(players > 0 && players <= members);
    if (!cast_init(c, players, 1, 0))
        return false;
    for (unsigned i = 0; i < players; i++) {
        struct player *p = &c->players[i];

        snprintf(p->handle, sizeof(p->handle), "bench-c%u-%06u", members, i);
        p->role = i == 0 ? ROLE_OWNER : ROLE_READER;
    }
    c->players[0].sends = true;
    c->sender_count = 1;
    snprintf(name, sizeof(name), "bench-c%09u", members);
    set_stage(&c->stages[0], uuid_v8((const uint8_t *)name), CONVERSATION_CHANNEL, 0, players);
    return true;
}

static void add_side_role(struct cast *c, unsigned player, unsigned stage)
{
    c->side_roles[c->side_role_count++] = (struct side_role){player, stage};
}

/* The peer is the first of the two, whose messages fill the conversation. */
bool cast_inbox(struct cast *c, unsigned conversations)
{
    if (!cast_init(c, 1 + conversations, conversations, conversations - 1))
        return false;
    snprintf(c->players[0].handle, sizeof(c->players[0].handle), "bench-i%u", conversations);
    for (unsigned i = 0; i < conversations; i++) {
        struct player *peer = &c->players[1 + i];

        snprintf(peer->handle, sizeof(peer->handle), "bench-i%u-%06u", conversations, i);
        peer->conversation = i;
        set_direct(c, i, 1 + i, 0);
        if (i > 0)
            add_side_role(c, 0, i);
    }
    return true;
}

bool cast_ring(struct cast *c, unsigned players, unsigned reach)
{
    assert(reach > 0 && players > 2 * reach);
    if (!cast_init(c, players, players * reach, players * (2 * reach - 1)))
        return false;
    for (unsigned i = 0; i < players; i++) {
        snprintf(c->players[i].handle, sizeof(c->players[i].handle), "bench-s%u-%06u", players, i);
        c->players[i].conversation = i * reach;
    }
    for (unsigned stage = 0; stage < players * reach; stage++) {
        unsigned a = stage / reach;
        unsigned b = (a + stage % reach + 1) % players;

        set_direct(c, stage, a, b);
        add_side_role(c, b, stage);
        if (c->players[a].conversation != stage)
            add_side_role(c, a, stage);
    }
    return true;
}
