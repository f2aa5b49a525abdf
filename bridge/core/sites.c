/* SPDX-License-Identifier: MIT */
/* sites.c - see sites.h. There are few, so everything is a walk over all of them. */
#include "core/sites.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/origin.h"
#include "core/servers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ORIGINS_MAX_BYTES = 1 << 20 };

static const uint64_t for_good = UINT64_MAX;

struct site {
    char origin[ORIGIN_TEXT_BYTES];
    bool is_page; /* of HTTP; otherwise of WebSockets */
    uint64_t heard_ms;
};

struct sites {
    struct site list[SITES_MAX]; /* sorted, so that the same nodes make the same header */
    size_t count;
    char *named_origins;
    char *named_sources;
    char *origins;
    char *sources;
    sites_changed_fn *changed;
    void *changed_owner;
};

static void put_one(struct buf *b, const char *text)
{
    if (text[0] == '\0')
        return;
    buf_char(b, ' ');
    buf_str(b, text);
}

static char *must_detach(struct buf *b)
{
    char *text = buf_detach(b);

    if (!text)
        abort(); /* out of memory: the ceiling is far above what settings and sites can be */
    return text;
}

static char *write_origins(const struct sites *s)
{
    struct buf b;

    buf_init(&b, ORIGINS_MAX_BYTES);
    buf_str(&b, s->named_origins);
    for (size_t i = 0; i < s->count; i++) {
        if (s->list[i].is_page)
            put_one(&b, s->list[i].origin);
    }
    return must_detach(&b);
}

/* Those that the operator has named come first: what does not fit is left out. */
static char *write_sources(const struct sites *s)
{
    struct buf b;

    buf_init(&b, ORIGINS_MAX_BYTES);
    put_one(&b, s->named_sources);
    for (size_t i = 0; i < s->count; i++) {
        if (b.length + 1 + strlen(s->list[i].origin) <= SITES_SOURCES_MAX_BYTES)
            put_one(&b, s->list[i].origin);
    }
    return must_detach(&b);
}

static void write_lists(struct sites *s)
{
    free(s->origins);
    free(s->sources);
    s->origins = write_origins(s);
    s->sources = write_sources(s);
}

struct sites *sites_create(const char *origins, const char *sources)
{
    struct sites *s;

    if (!origin_sources_are_good(sources) || strlen(sources) >= SITES_SOURCES_MAX_BYTES) {
        log_error("sites", "web_connect_sources: no list of addresses, or too long: %s", sources);
        return NULL;
    }
    s = must_calloc(1, sizeof *s);
    s->named_origins = must_strndup(slice_str(origins));
    s->named_sources = must_strndup(slice_str(sources));
    write_lists(s);
    return s;
}

void sites_destroy(struct sites *s)
{
    if (!s)
        return;
    free(s->named_origins);
    free(s->named_sources);
    free(s->origins);
    free(s->sources);
    free(s);
}

void sites_on_changed(struct sites *s, sites_changed_fn *changed, void *owner)
{
    s->changed = changed;
    s->changed_owner = owner;
}

static void remove_at(struct sites *s, size_t at)
{
    s->count--;
    memmove(&s->list[at], &s->list[at + 1], (s->count - at) * sizeof *s->list);
}

static void make_room(struct sites *s)
{
    size_t oldest = 0;

    for (size_t i = 1; i < s->count; i++) {
        if (s->list[i].heard_ms < s->list[oldest].heard_ms)
            oldest = i;
    }
    remove_at(s, oldest);
}

/* True: it is a new one. */
static bool note_origin(struct sites *s, const char *origin, bool is_page, uint64_t heard_ms)
{
    size_t at = 0;

    for (; at < s->count; at++) {
        int order = strcmp(s->list[at].origin, origin);

        if (order == 0) {
            if (heard_ms > s->list[at].heard_ms)
                s->list[at].heard_ms = heard_ms;
            return false;
        }
        if (order > 0)
            break;
    }
    if (s->count == SITES_MAX) {
        make_room(s);
        return note_origin(s, origin, is_page, heard_ms);
    }
    memmove(&s->list[at + 1], &s->list[at], (s->count - at) * sizeof *s->list);
    s->count++;
    s->list[at] = (struct site){.is_page = is_page, .heard_ms = heard_ms};
    memcpy(s->list[at].origin, origin, strlen(origin) + 1);
    return true;
}

/* A node that names no WebSocket has it beside its API: "https://…" and "wss://…". */
static bool note_node(struct sites *s, const struct server *node, uint64_t heard_ms)
{
    char http[ORIGIN_TEXT_BYTES], ws[ORIGIN_TEXT_BYTES + 4];
    bool has_http = origin_of(slice_str(node->http), http) && strncmp(http, "http", 4) == 0;
    bool changed = has_http && note_origin(s, http, true, heard_ms);

    if (node->ws[0] == '\0' && has_http) {
        (void)snprintf(ws, sizeof ws, "ws%s", http + strlen("http"));
        return note_origin(s, ws, false, heard_ms) || changed;
    }
    return (origin_of(slice_str(node->ws), ws) && note_origin(s, ws, false, heard_ms)) || changed;
}

static bool forget_old(struct sites *s, uint64_t now_ms)
{
    size_t before = s->count;

    for (size_t i = s->count; i-- > 0;) {
        if (s->list[i].heard_ms < now_ms && now_ms - s->list[i].heard_ms > SITE_KEPT_MS)
            remove_at(s, i);
    }
    return s->count != before;
}

static void tell(struct sites *s)
{
    write_lists(s);
    if (s->changed)
        s->changed(s->changed_owner, s->origins);
}

void sites_note_own(struct sites *s, const struct server *node)
{
    if (note_node(s, node, for_good))
        tell(s);
}

void sites_note(struct sites *s, const struct server *node, uint64_t now_ms)
{
    bool changed = note_node(s, node, now_ms);

    if (forget_old(s, now_ms) || changed)
        tell(s);
}

const char *sites_origins(const struct sites *s)
{
    return s->origins;
}

const char *sites_sources(const struct sites *s)
{
    return s->sources;
}
