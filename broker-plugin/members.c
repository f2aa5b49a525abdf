/* SPDX-License-Identifier: MIT */
/* members.c - see members.h. While a backlog hands out an entry, the members before
 * `backlog->visited` have it and the others do not: whoever moves members about must keep it so. */
#include "members.h"

#include "base/hash.h"
#include "sessions.h"

#include <assert.h>
#include <stdlib.h>

static uint64_t hash_id(const void *key)
{
    return hash_bytes(key, sizeof(struct uuid));
}

static bool equal_id(const void *a, const void *b)
{
    return uuid_equal(a, b);
}

static const void *id_of(const void *item)
{
    return &((const struct conversation *)item)->id;
}

static const struct map_type conversations_type = {hash_id, equal_id, id_of};

void members_init(struct members *m)
{
    *m = (struct members){0};
    map_init(&m->conversations, &conversations_type);
}

void members_finish(struct members *m)
{
    assert(m->conversations.count == 0);
    map_finish(&m->conversations);
}

struct conversation *members_find(const struct members *m, const struct uuid *id)
{
    return map_find(&m->conversations, id);
}

struct membership *members_at(const struct conversation *c, uint32_t slot)
{
    struct member *member = &c->members[slot];

    assert(slot < c->member_count);
    assert(member->user->memberships.items[member->index].conversation == c);
    return &member->user->memberships.items[member->index];
}

/* Looks through the shorter of the two lists: a user's conversations or a conversation's users. */
struct membership *members_of(const struct user *u, const struct conversation *c)
{
    const struct memberships *list = &u->memberships;

    if (c->member_count < list->count) {
        for (uint32_t slot = 0; slot < c->member_count; slot++) {
            if (c->members[slot].user == u)
                return &list->items[c->members[slot].index];
        }
    } else {
        for (uint32_t i = 0; i < list->count; i++) {
            if (list->items[i].conversation == c)
                return &list->items[i];
        }
    }
    return NULL;
}

/* Makes room for one more element. */
static bool grow(void **items, uint32_t *capacity, uint32_t count, size_t size)
{
    uint32_t wanted = *capacity ? 2 * *capacity : 1;
    void *larger;

    if (count < *capacity)
        return true;
    if (wanted <= *capacity || !(larger = realloc(*items, wanted * size)))
        return false;
    *items = larger;
    *capacity = wanted;
    return true;
}

static struct conversation *find_or_create(struct members *m, const struct uuid *id,
                                           int64_t delivered)
{
    struct conversation *c = members_find(m, id);

    if (c)
        return c;
    c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->id = *id;
    c->delivered = delivered;
    if (!map_insert(&m->conversations, c)) {
        free(c);
        return NULL;
    }
    return c;
}

struct membership *members_join(struct members *m, struct user *u, const struct uuid *id,
                                enum conversation_kind kind, enum role role, int64_t since)
{
    struct memberships *list = &u->memberships;
    struct conversation *c = find_or_create(m, id, since);
    struct membership *membership;

    if (!c)
        return NULL;
    assert(!members_of(u, c));
    if (!grow((void **)&list->items, &list->capacity, list->count, sizeof *list->items) ||
        !grow((void **)&c->members, &c->member_capacity, c->member_count, sizeof *c->members)) {
        members_release(m, c);
        return NULL;
    }
    membership = &list->items[list->count];
    *membership = (struct membership){.conversation = c,
                                      .since = since,
                                      .slot = c->member_count,
                                      .role = (uint8_t)role,
                                      .kind = (uint8_t)kind};
    c->members[c->member_count++] = (struct member){u, list->count++};
    return membership;
}

static void move_member(struct conversation *c, uint32_t from, uint32_t to)
{
    c->members[to] = c->members[from];
    members_at(c, to)->slot = to;
}

static void remove_member(struct conversation *c, uint32_t slot)
{
    struct backlog *backlog = c->backlog;

    if (backlog && slot < backlog->visited) {
        uint32_t last_visited = --backlog->visited;

        if (slot != last_visited)
            move_member(c, last_visited, slot);
        slot = last_visited;
    }
    if (slot + 1 != c->member_count)
        move_member(c, c->member_count - 1, slot);
    c->member_count--;
}

void members_leave(struct members *m, struct user *u, struct membership *membership)
{
    struct memberships *list = &u->memberships;
    struct conversation *c = membership->conversation;
    struct membership *last = &list->items[list->count - 1];

    assert(membership >= list->items && membership <= last);
    remove_member(c, membership->slot);
    if (membership != last) {
        *membership = *last;
        last->conversation->members[last->slot].index = (uint32_t)(membership - list->items);
    }
    list->count--;
    members_release(m, c);
}

void members_leave_all(struct members *m, struct user *u)
{
    struct memberships *list = &u->memberships;

    while (list->count > 0)
        members_leave(m, u, &list->items[list->count - 1]);
    free(list->items);
    *list = (struct memberships){0};
}

void members_release(struct members *m, struct conversation *c)
{
    if (c->member_count > 0 || c->gap || c->backlog)
        return;
    if (m->gone)
        m->gone(m->owner, c);
    map_remove(&m->conversations, &c->id);
    free(c->members);
    free(c);
}
