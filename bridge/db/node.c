/* SPDX-License-Identifier: MIT */
/* node.c - see node.h. Losses are counted; a sweep settles those that were counted when it was
 * sent, because its list of living connections had none of them any more. */
#include "db/node.h"

#include "base/hash.h"
#include "base/log.h"
#include "base/memory.h"

#include <assert.h>
#include <ctype.h>
#include <event2/util.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    KEY_LENGTH_MAX = 20,
    KEY_PREFIX_LENGTH = 11, /* of a node's name that cannot be the key itself */
};

struct db_node {
    char key[KEY_LENGTH_MAX + 1]; /* the node's name, as connections' names hold it */
    uint32_t incarnation;         /* of this bridge; random */
    uint32_t connections;         /* named so far */
    TAILQ_HEAD(, node_member) members;
    uint64_t losses;  /* the first stands for the bridges before this one */
    uint64_t settled; /* losses of which nothing is left */
    db_node_changed_fn *changed;
    void *owner;
};

/* pg_terminate_backend() waits, so that the next look need not come too early. What a bridge left
 * behind that connected as another role can only be waited for. */
static const char sweep_sql[] =
    "SELECT pid, application_name, CASE WHEN pg_has_role(usesysid, 'USAGE')"
    "           THEN pg_terminate_backend(pid, 1000) ELSE (SELECT false FROM pg_sleep(1)) END"
    "  FROM pg_stat_activity"
    " WHERE datname = current_database() AND application_name LIKE 'banter-%'"
    "   AND split_part(application_name, '/', 2) = $1"
    "   AND application_name <> ALL (string_to_array($2, ' '))";

static bool is_plain(const char *name)
{
    for (const char *c = name; *c; c++) {
        if (!isalnum((unsigned char)*c) && *c != '-' && *c != '_' && *c != '.')
            return false;
    }
    return name[0] != '\0' && strlen(name) <= KEY_LENGTH_MAX;
}

/* Another name has another key. */
static void make_key(char key[KEY_LENGTH_MAX + 1], const char *name)
{
    if (is_plain(name)) {
        memcpy(key, name, strlen(name) + 1);
        return;
    }
    (void)snprintf(key, KEY_LENGTH_MAX + 1, "%.*s", (int)KEY_PREFIX_LENGTH, name);
    for (char *c = key; *c; c++) {
        if (!isalnum((unsigned char)*c))
            *c = '-';
    }
    (void)snprintf(key + strlen(key), KEY_LENGTH_MAX + 1 - strlen(key), "~%08x",
                   (unsigned)(hash_bytes(name, strlen(name)) & UINT32_MAX));
}

struct db_node *db_node_create(const char *name)
{
    struct db_node *n = must_calloc(1, sizeof *n);

    make_key(n->key, name);
    evutil_secure_rng_get_bytes(&n->incarnation, sizeof n->incarnation);
    TAILQ_INIT(&n->members);
    n->losses = 1;
    return n;
}

void db_node_destroy(struct db_node *n)
{
    if (!n)
        return;
    assert(TAILQ_EMPTY(&n->members));
    free(n);
}

const char *db_node_key(const struct db_node *n)
{
    return n->key;
}

uint32_t db_node_incarnation(const struct db_node *n)
{
    return n->incarnation;
}

void db_node_on_changed(struct db_node *n, db_node_changed_fn *changed, void *owner)
{
    n->changed = changed;
    n->owner = owner;
}

bool db_node_is_settled(const struct db_node *n)
{
    return n->settled == n->losses;
}

static void tell(struct db_node *n)
{
    if (n->changed)
        n->changed(n->owner, db_node_is_settled(n));
}

void node_join(struct db_node *n, struct node_member *m)
{
    if (n)
        TAILQ_INSERT_TAIL(&n->members, m, link);
}

void node_leave(struct db_node *n, struct node_member *m)
{
    if (n)
        TAILQ_REMOVE(&n->members, m, link);
}

const char *node_name_connection(struct db_node *n, struct node_member *m,
                                 const char *application_name)
{
    if (!n)
        return application_name;
    (void)snprintf(m->name, sizeof m->name, "%.20s/%s/%08x.%u", application_name, n->key,
                   (unsigned)n->incarnation, (unsigned)++n->connections);
    return m->name;
}

void node_lose(struct db_node *n, struct node_member *m, bool unanswered)
{
    if (!n)
        return;
    m->name[0] = '\0';
    if (!unanswered)
        return;
    n->losses++;
    tell(n);
}

/* The names of all connections that live, with a space between them. */
static char *living(const struct db_node *n)
{
    const struct node_member *m;
    size_t capacity = 1;
    size_t length = 0;
    char *names;

    TAILQ_FOREACH(m, &n->members, link)
    {
        capacity += sizeof m->name;
    }
    names = must_calloc(1, capacity);
    TAILQ_FOREACH(m, &n->members, link)
    {
        if (m->name[0])
            length += (size_t)snprintf(names + length, capacity - length, "%s ", m->name);
    }
    return names;
}

bool node_send_sweep(struct db_node *n, struct node_member *m, PGconn *pg)
{
    char *names = living(n);
    const char *const values[] = {n->key, names};
    bool sent = PQsendQueryParams(pg, sweep_sql, 2, NULL, values, NULL, NULL, 0) == 1;

    free(names);
    m->sweep = n->losses;
    return sent;
}

void node_swept(struct db_node *n, struct node_member *m)
{
    if (m->sweep <= n->settled)
        return;
    n->settled = m->sweep;
    log_info("db", "nothing is left of connections that were lost before");
    tell(n);
}
