/* SPDX-License-Identifier: MIT */
/* servers.c - see servers.h. */
#include "core/servers.h"

#include "base/buf.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/memory.h"
#include "core/cluster.h"
#include "core/drain.h"
#include "core/presence.h"
#include "wire/json.h"

#include <event2/util.h>
#include <stdlib.h>
#include <string.h>

enum { LOAD_STEPS = 10 }; /* loads that differ by less than a tenth are about the same */

struct servers {
    struct server own;
    const struct presence *presence;
    const struct drain *drain;
    const struct cluster *cluster; /* or NULL */
};

static bool copy(char *to, size_t capacity, struct slice from)
{
    if (from.length >= capacity || (from.length > 0 && memchr(from.data, 0, from.length)))
        return false;
    if (from.length > 0)
        memcpy(to, from.data, from.length);
    to[from.length] = '\0';
    return true;
}

static void put_text(struct buf *b, const char *name, const char *text)
{
    if (text[0] == '\0')
        return;
    buf_json_key(b, name);
    buf_json(b, slice_str(text));
}

static void put_addresses(struct buf *b, const struct server *s)
{
    put_text(b, "node", s->node);
    put_text(b, "http", s->http);
    put_text(b, "ws", s->ws);
    put_text(b, "mqtt", s->mqtt);
    put_text(b, "location", s->location);
}

void server_write(struct buf *b, const struct server *s)
{
    buf_char(b, '{');
    put_addresses(b, s);
    buf_json_key(b, "capacity");
    buf_i64(b, s->capacity);
    buf_json_key(b, "connections");
    buf_i64(b, s->connections);
    buf_json_key(b, "draining");
    buf_str(b, s->draining ? "true" : "false");
    buf_char(b, '}');
}

bool server_read(struct slice json, struct server *out)
{
    const char *reason;
    json_t *root = json_read_object(json, &reason);
    bool ok;

    *out = (struct server){.draining = json_is_true(json_object_get(root, "draining"))};
    out->capacity = json_integer_value(json_object_get(root, "capacity"));
    out->connections = json_integer_value(json_object_get(root, "connections"));
    ok = root && copy(out->node, sizeof out->node, json_member_string(root, "node")) &&
         copy(out->http, sizeof out->http, json_member_string(root, "http")) &&
         copy(out->ws, sizeof out->ws, json_member_string(root, "ws")) &&
         copy(out->mqtt, sizeof out->mqtt, json_member_string(root, "mqtt")) &&
         copy(out->location, sizeof out->location, json_member_string(root, "location")) &&
         out->capacity > 0 && out->connections >= 0;
    json_decref(root);
    return ok;
}

/* ---------------------------------------------------------------- ranking */

struct ranked {
    struct server *server;
    size_t near;    /* segments in common */
    int64_t load;   /* in steps */
    uint64_t order; /* among those that are about the same */
};

/* Segments that both begin with. */
static size_t common_segments(struct slice a, struct slice b)
{
    size_t count = 0;

    while (a.length > 0 && b.length > 0) {
        const char *slash_a = memchr(a.data, '/', a.length);
        const char *slash_b = memchr(b.data, '/', b.length);
        size_t length_a = slash_a ? (size_t)(slash_a - a.data) : a.length;
        size_t length_b = slash_b ? (size_t)(slash_b - b.data) : b.length;

        if (!slice_equal(slice_of(a.data, length_a), slice_of(b.data, length_b)))
            break;
        count++;
        a = slice_of(a.data + length_a + (slash_a != NULL),
                     a.length - length_a - (slash_a != NULL));
        b = slice_of(b.data + length_b + (slash_b != NULL),
                     b.length - length_b - (slash_b != NULL));
    }
    return count;
}

static int compare(const void *left, const void *right)
{
    const struct ranked *a = left;
    const struct ranked *b = right;

    if (a->near != b->near)
        return a->near > b->near ? -1 : 1;
    if (a->load != b->load)
        return a->load < b->load ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

size_t servers_rank(struct server *list, size_t count, struct slice location, uint64_t chance)
{
    struct ranked *ranked = must_calloc(count + 1, sizeof *ranked);
    struct server *sorted = must_calloc(count + 1, sizeof *sorted);
    size_t left = 0;

    for (size_t i = 0; i < count; i++) {
        struct server *s = &list[i];

        if (s->draining || s->connections >= s->capacity)
            continue;
        ranked[left++] = (struct ranked){
            .server = s,
            .near = common_segments(location, slice_str(s->location)),
            .load = s->connections * LOAD_STEPS / s->capacity,
            .order = hash_u64(chance ^ hash_bytes(s->node, strlen(s->node))),
        };
    }
    qsort(ranked, left, sizeof *ranked, compare);
    for (size_t i = 0; i < left; i++)
        sorted[i] = *ranked[i].server;
    if (left > 0)
        memcpy(list, sorted, left * sizeof *list);
    free(sorted);
    free(ranked);
    return left;
}

/* ---------------------------------------------------------------- this node and the others */

struct servers *servers_create(const struct servers_config *config)
{
    struct servers *s = must_calloc(1, sizeof *s);
    struct server *own = &s->own;

    s->presence = config->presence;
    s->drain = config->drain;
    own->capacity = config->capacity;
    if (copy(own->node, sizeof own->node, slice_str(config->node)) &&
        copy(own->http, sizeof own->http, slice_str(config->http)) &&
        copy(own->ws, sizeof own->ws, slice_str(config->ws)) &&
        copy(own->mqtt, sizeof own->mqtt, slice_str(config->mqtt)) &&
        copy(own->location, sizeof own->location, slice_str(config->location)))
        return s;
    log_error("servers", "node, location or a public address is too long");
    free(s);
    return NULL;
}

void servers_destroy(struct servers *s)
{
    free(s);
}

void servers_set_cluster(struct servers *s, const struct cluster *cluster)
{
    s->cluster = cluster;
}

struct server servers_own(const struct servers *s)
{
    struct server own = s->own;

    own.connections = (int64_t)presence_devices(s->presence);
    own.draining = drain_is_on(s->drain);
    return own;
}

void servers_describe(void *servers, struct buf *b)
{
    const struct server own = servers_own(servers);

    server_write(b, &own);
}

struct gathering {
    struct server *list;
    size_t count;
};

static void on_other(void *owner, struct slice about)
{
    struct gathering *g = owner;

    if (g->count < SERVERS_MAX && server_read(about, &g->list[g->count]))
        g->count++;
}

static void put_server(struct buf *b, const struct server *s)
{
    buf_char(b, '{');
    put_addresses(b, s);
    buf_json_key(b, "load");
    buf_printf(b, "%.2f", (double)s->connections / (double)s->capacity);
    buf_char(b, '}');
}

void servers_list(const struct servers *s, struct slice location, struct buf *out)
{
    struct gathering g = {.list = must_calloc(SERVERS_MAX, sizeof *g.list), .count = 1};
    uint64_t chance;

    evutil_secure_rng_get_bytes(&chance, sizeof chance);
    g.list[0] = servers_own(s);
    if (s->cluster)
        cluster_describe_others(s->cluster, on_other, &g);
    g.count = servers_rank(g.list, g.count, location, chance);
    buf_str(out, "{\"servers\":[");
    for (size_t i = 0; i < g.count; i++) {
        if (i > 0)
            buf_char(out, ',');
        put_server(out, &g.list[i]);
    }
    buf_str(out, "]}");
    free(g.list);
}
