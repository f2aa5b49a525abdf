/* SPDX-License-Identifier: MIT */
/* revoked_set.c - see revoked_set.h. */
#include "token/revoked_set.h"

#include "base/hash.h"

#include <assert.h>
#include <stdlib.h>

static uint64_t hash_login(const void *key)
{
    return hash_bytes(key, sizeof(struct uuid));
}

static bool equal_login(const void *a, const void *b)
{
    return uuid_equal(a, b);
}

static const void *login_of(const void *item)
{
    return &((const struct revoked_login *)item)->login;
}

static const struct map_type by_login_type = {hash_login, equal_login, login_of};

void revoked_set_init(struct revoked_set *s, size_t limit)
{
    assert(limit > 0);
    *s = (struct revoked_set){.limit = limit};
    map_init(&s->by_login, &by_login_type);
    TAILQ_INIT(&s->oldest_first);
}

static void forget(struct revoked_set *s, struct revoked_login *item)
{
    map_remove(&s->by_login, &item->login);
    TAILQ_REMOVE(&s->oldest_first, item, link);
    free(item);
}

void revoked_set_finish(struct revoked_set *s)
{
    while (!TAILQ_EMPTY(&s->oldest_first))
        forget(s, TAILQ_FIRST(&s->oldest_first));
    map_finish(&s->by_login);
}

bool revoked_set_add(struct revoked_set *s, const struct revoked_login *login, bool *is_new)
{
    struct revoked_login *item;

    *is_new = false;
    if (revoked_set_has(s, &login->login))
        return true;
    item = malloc(sizeof *item);
    if (!item)
        return false;
    *item = *login;
    if (!map_insert(&s->by_login, item)) {
        free(item);
        return false;
    }
    TAILQ_INSERT_TAIL(&s->oldest_first, item, link);
    if (s->by_login.count > s->limit) {
        s->forgotten++;
        forget(s, TAILQ_FIRST(&s->oldest_first));
    }
    *is_new = true;
    return true;
}

bool revoked_set_has(const struct revoked_set *s, const struct uuid *login)
{
    return map_find(&s->by_login, login) != NULL;
}

void revoked_set_expire(struct revoked_set *s, int64_t now)
{
    struct revoked_login *first;

    while ((first = TAILQ_FIRST(&s->oldest_first)) != NULL && first->expires_at < now)
        forget(s, first);
}
