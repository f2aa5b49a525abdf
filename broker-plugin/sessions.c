/* SPDX-License-Identifier: MIT */
/* sessions.c - see sessions.h. */
#include "sessions.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const void *client_of(const void *item)
{
    return ((const struct session *)item)->client;
}

static const void *uid_of(const void *item)
{
    return &((const struct user *)item)->uid;
}

static const struct map_type by_client_type = {map_hash_address, map_equal_address, client_of};
static const struct map_type by_uid_type = {map_hash_u64, map_equal_u64, uid_of};

void sessions_init(struct sessions *s)
{
    *s = (struct sessions){0};
    map_init(&s->by_client, &by_client_type);
    map_init(&s->by_uid, &by_uid_type);
    s->kicks_end = &s->kicks;
}

void sessions_finish(struct sessions *s)
{
    assert(!s->first && !s->users);
    map_finish(&s->by_client);
    map_finish(&s->by_uid);
}

struct session *sessions_find_any(const struct sessions *s, const void *client)
{
    return map_find(&s->by_client, client);
}

struct session *sessions_find(const struct sessions *s, const void *client, const char *client_id)
{
    struct session *session = sessions_find_any(s, client);

    return session && client_id && strcmp(session->client_id, client_id) == 0 ? session : NULL;
}

struct user *sessions_find_user(const struct sessions *s, uint64_t uid)
{
    return map_find(&s->by_uid, &uid);
}

const char *session_device(const struct session *session)
{
    return session->client_id + session->device_offset;
}

struct session *sessions_current(const struct user *u, struct slice device)
{
    for (struct session *i = u->sessions; i; i = i->next_of_user) {
        if (slice_equal(slice_str(session_device(i)), device))
            return i;
    }
    return NULL;
}

struct session *sessions_surplus(const struct user *u)
{
    struct session *oldest = NULL;
    unsigned count = 0;

    for (struct session *i = u->sessions; i; i = i->next_of_user) {
        if (i->superseded || i->kick_turn > 0)
            continue;
        count++;
        oldest = i;
    }
    return count > SESSIONS_PER_USER ? oldest : NULL;
}

static struct user *find_or_create_user(struct sessions *s, uint64_t uid, struct slice handle)
{
    struct user *u = sessions_find_user(s, uid);

    if (u)
        return u;
    u = calloc(1, sizeof *u);
    if (!u)
        return NULL;
    u->uid = uid;
    memcpy(u->handle, handle.data, handle.length);
    if (!map_insert(&s->by_uid, u)) {
        free(u);
        return NULL;
    }
    u->next = s->users;
    if (u->next)
        u->next->prev = u;
    s->users = u;
    return u;
}

struct session *sessions_open(struct sessions *s, const void *client, uint64_t uid,
                              struct slice handle, struct slice device)
{
    struct session *session = calloc(1, sizeof *session);
    struct session *older;

    assert(handle.length <= HANDLE_MAX_LENGTH && device.length <= DEVICE_MAX_LENGTH);
    if (!session)
        return NULL;
    session->client = client;
    session->device_offset = (uint8_t)(handle.length + 1);
    snprintf(session->client_id, sizeof session->client_id, "%.*s/%.*s", (int)handle.length,
             handle.data, (int)device.length, device.data);
    session->user = find_or_create_user(s, uid, handle);
    if (!session->user || !map_insert(&s->by_client, session)) {
        if (session->user && !session->user->sessions && session->user->attach == ATTACH_NEEDED)
            sessions_release_user(s, session->user);
        free(session);
        return NULL;
    }
    older = sessions_current(session->user, device);
    if (older)
        older->superseded = true;
    session->next_of_user = session->user->sessions;
    session->user->sessions = session;
    session->user->session_count++;
    session->next = s->first;
    if (session->next)
        session->next->prev = session;
    s->first = session;
    return session;
}

static void forget_kick(struct sessions *s, const struct session *session)
{
    for (struct session **at = &s->kicks; *at; at = &(*at)->next_kick) {
        if (*at == session) {
            *at = session->next_kick;
            if (!*at)
                s->kicks_end = at;
            return;
        }
    }
}

static void unlink_session(struct sessions *s, struct session *session)
{
    struct session **at = &session->user->sessions;

    while (*at != session)
        at = &(*at)->next_of_user;
    *at = session->next_of_user;
    session->user->session_count--;
    if (session->next)
        session->next->prev = session->prev;
    if (session->prev)
        session->prev->next = session->next;
    else
        s->first = session->next;
    if (s->cursor == session)
        s->cursor = session->next;
    if (s->unannounced == session)
        s->unannounced = session->next;
    if (session->kick_turn > 0)
        forget_kick(s, session);
}

void sessions_close(struct sessions *s, struct session *session)
{
    struct session *older;

    assert(LIST_EMPTY(&session->watches) && LIST_EMPTY(&session->asked));
    map_remove(&s->by_client, session->client);
    unlink_session(s, session);
    older = sessions_current(session->user, slice_str(session_device(session)));
    if (older)
        older->superseded = false;
    refusals_finish(&session->refusals);
    free(session);
}

void sessions_release_user(struct sessions *s, struct user *u)
{
    assert(!u->sessions && u->memberships.count == 0);
    map_remove(&s->by_uid, &u->uid);
    if (s->heads == u)
        s->heads = u->next;
    if (u->next)
        u->next->prev = u->prev;
    if (u->prev)
        u->prev->next = u->next;
    else
        s->users = u->next;
    free(u->memberships.items);
    free(u);
}

void sessions_kick(struct sessions *s, struct session *session, uint64_t turn)
{
    assert(turn > 0);
    if (session->kick_turn > 0)
        return;
    session->kick_turn = turn;
    session->next_kick = NULL;
    *s->kicks_end = session;
    s->kicks_end = &session->next_kick;
}

struct session *sessions_next_kick(struct sessions *s, uint64_t turn)
{
    struct session *session = s->kicks;

    if (!session || session->kick_turn > turn)
        return NULL;
    s->kicks = session->next_kick;
    if (!s->kicks)
        s->kicks_end = &s->kicks;
    session->kick_turn = 0;
    return session;
}

struct session *sessions_scan(struct sessions *s)
{
    struct session *session = s->cursor ? s->cursor : s->first;

    if (session)
        s->cursor = session->next;
    return session;
}

struct user *sessions_scan_users(struct sessions *s)
{
    struct user *u = s->heads ? s->heads : s->users;

    if (u)
        s->heads = u->next;
    return u;
}
