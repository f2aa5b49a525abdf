/* SPDX-License-Identifier: MIT */
/* roster.c - see roster.h. The two queues are in the order of their deadlines because each delay is
 * always the same. */
#include "core/presence/roster.h"

#include "base/hash.h"
#include "base/map.h"
#include "base/memory.h"
#include "wire/limits.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/queue.h>

struct person;

struct device {
    LIST_ENTRY(device) siblings;
    TAILQ_ENTRY(device) link; /* while it is gone */
    struct person *person;
    uint64_t deadline_ms; /* 0: it is here; else it is gone, and forgotten then */
    enum shown state;     /* SHOWN_UNKNOWN: stands for devices that may have been here */
    char name[DEVICE_MAX_LENGTH + 1];
};

struct person {
    uint64_t uid;
    LIST_HEAD(, device) devices;
    TAILQ_ENTRY(person) aging;
    uint64_t refresh_ms; /* when it is due to be written as seen */
    int64_t last_seen_ms;
    enum shown shown;
    bool loaded;
    bool hidden;
    bool discreet;
    bool said;   /* whether they hide is known better than the row knows it */
    bool chosen; /* and whether they are discreet */
    char handle[HANDLE_MAX_LENGTH + 1];
};

struct roster {
    uint64_t grace_ms;
    struct roster_hooks hooks;
    struct map people; /* struct person by uid; owned */
    TAILQ_HEAD(, device) gone;
    TAILQ_HEAD(, person) aging;
};

static uint64_t hash_uid(const void *key)
{
    return hash_u64(*(const uint64_t *)key);
}

static bool equal_uid(const void *a, const void *b)
{
    return *(const uint64_t *)a == *(const uint64_t *)b;
}

static const void *uid_of(const void *item)
{
    return &((const struct person *)item)->uid;
}

static const struct map_type people_type = {hash_uid, equal_uid, uid_of};

struct roster *roster_create(uint64_t grace_ms, const struct roster_hooks *hooks)
{
    struct roster *r = must_calloc(1, sizeof *r);

    r->grace_ms = grace_ms;
    r->hooks = *hooks;
    map_init(&r->people, &people_type);
    TAILQ_INIT(&r->gone);
    TAILQ_INIT(&r->aging);
    return r;
}

static void free_device(struct roster *r, struct device *d)
{
    if (d->deadline_ms > 0)
        TAILQ_REMOVE(&r->gone, d, link);
    LIST_REMOVE(d, siblings);
    free(d);
}

static void free_person(struct roster *r, struct person *p)
{
    while (!LIST_EMPTY(&p->devices))
        free_device(r, LIST_FIRST(&p->devices));
    TAILQ_REMOVE(&r->aging, p, aging);
    map_remove(&r->people, &p->uid);
    free(p);
}

void roster_destroy(struct roster *r)
{
    if (!r)
        return;
    while (!TAILQ_EMPTY(&r->aging))
        free_person(r, TAILQ_FIRST(&r->aging));
    map_finish(&r->people);
    free(r);
}

static struct person *find(const struct roster *r, uint64_t uid)
{
    return map_find(&r->people, &uid);
}

static void copy_text(char *to, size_t capacity, struct slice from)
{
    assert(from.length < capacity);
    if (from.length > 0)
        memcpy(to, from.data, from.length);
    to[from.length] = '\0';
}

static struct person *add_person(struct roster *r, uint64_t uid, struct slice handle,
                                 uint64_t now_ms)
{
    struct person *p = must_calloc(1, sizeof *p);

    p->uid = uid;
    p->shown = SHOWN_OFFLINE;
    p->refresh_ms = now_ms + ROSTER_REFRESH_MS;
    copy_text(p->handle, sizeof p->handle, handle);
    LIST_INIT(&p->devices);
    TAILQ_INSERT_TAIL(&r->aging, p, aging);
    must_insert(&r->people, p);
    return p;
}

static struct device *find_device(const struct person *p, struct slice name)
{
    struct device *d;

    LIST_FOREACH(d, &p->devices, siblings)
    {
        if (slice_equal(slice_str(d->name), name))
            return d;
    }
    return NULL;
}

static struct device *add_device(struct person *p, struct slice name, enum shown state)
{
    struct device *d = must_calloc(1, sizeof *d);

    d->person = p;
    d->state = state;
    copy_text(d->name, sizeof d->name, name);
    LIST_INSERT_HEAD(&p->devices, d, siblings);
    return d;
}

static bool is_here(const struct person *p)
{
    const struct device *d;

    LIST_FOREACH(d, &p->devices, siblings)
    {
        if (d->deadline_ms == 0)
            return true;
    }
    return false;
}

/* What others should be shown. */
static enum shown state_of(const struct person *p)
{
    enum shown state = SHOWN_OFFLINE;
    bool may_be_here = false;
    const struct device *d;

    if (p->hidden)
        return SHOWN_OFFLINE;
    LIST_FOREACH(d, &p->devices, siblings)
    {
        may_be_here = may_be_here || d->state == SHOWN_UNKNOWN;
        if (d->state > state)
            state = d->state;
    }
    return state == SHOWN_OFFLINE && may_be_here ? p->shown : state;
}

static struct roster_view view_of(const struct person *p)
{
    return (struct roster_view){.uid = p->uid,
                                .handle = slice_str(p->handle),
                                .shown = p->loaded ? p->shown : SHOWN_UNKNOWN,
                                .last_seen_ms = p->last_seen_ms,
                                .discreet = p->discreet};
}

static void tell(struct roster *r, const struct person *p)
{
    const struct roster_view view = view_of(p);

    r->hooks.shown(r->hooks.owner, &view);
}

/* Tells if others are to be shown something else than before. */
static void show(struct roster *r, struct person *p)
{
    enum shown state = state_of(p);

    if (!p->loaded || state == p->shown)
        return;
    p->shown = state;
    tell(r, p);
}

static void let_go(struct roster *r, struct device *d, struct roster_time time)
{
    struct person *p = d->person;

    if (d->deadline_ms > 0)
        return;
    d->deadline_ms = time.now_ms + r->grace_ms;
    TAILQ_INSERT_TAIL(&r->gone, d, link);
    if (p->hidden || is_here(p))
        return;
    p->last_seen_ms = time.wall_ms;
    r->hooks.seen(r->hooks.owner, p->uid, time.wall_ms);
}

static void welcome(struct roster *r, struct device *d)
{
    if (d->deadline_ms == 0)
        return;
    TAILQ_REMOVE(&r->gone, d, link);
    d->deadline_ms = 0;
}

/* Somebody hides, or shows themselves again, by what one of their devices says. */
static void set_hidden(struct roster *r, struct person *p, bool hidden, int64_t wall_ms)
{
    bool is_known = p->loaded || p->said;

    if (is_known && p->hidden == hidden)
        return;
    p->said = true;
    p->hidden = hidden;
    if (hidden)
        p->last_seen_ms = wall_ms;
    r->hooks.hidden(r->hooks.owner, p->uid, hidden, wall_ms);
}

static void on_up(struct roster *r, struct person *p, const struct frame_session *f,
                  struct roster_time time)
{
    struct device *d = find_device(p, f->device);

    if (!d)
        d = add_device(p, f->device, SHOWN_ONLINE);
    welcome(r, d);
    if (f->state == SESSION_AWAY)
        d->state = SHOWN_AWAY;
    if (!f->said)
        return; /* online: that is, what it was when it went */
    if (f->state == SESSION_ONLINE)
        d->state = SHOWN_ONLINE;
    set_hidden(r, p, f->state == SESSION_HIDDEN, time.wall_ms);
}

void roster_session(struct roster *r, const struct frame_session *f, struct roster_time time)
{
    struct person *p = find(r, f->uid);
    struct device *d;

    if (f->state == SESSION_DOWN) {
        d = p ? find_device(p, f->device) : NULL;
        if (d)
            let_go(r, d, time);
        return;
    }
    if (!p) {
        p = add_person(r, f->uid, f->handle, time.now_ms);
        r->hooks.unknown(r->hooks.owner, p->uid);
    }
    on_up(r, p, f, time);
    show(r, p);
}

void roster_link_lost(struct roster *r, struct roster_time time)
{
    struct person *p;
    struct device *d;

    TAILQ_FOREACH(p, &r->aging, aging)
    {
        LIST_FOREACH(d, &p->devices, siblings)
        {
            let_go(r, d, time);
        }
    }
}

void roster_loaded(struct roster *r, uint64_t uid, const struct presence_row *row)
{
    struct person *p = find(r, uid);

    if (!p || p->loaded)
        return;
    p->loaded = true;
    if (!p->said)
        p->hidden = row->hidden;
    if (!p->chosen)
        p->discreet = row->discreet;
    if (row->last_seen_ms > p->last_seen_ms || (row->hidden && !p->said))
        p->last_seen_ms = row->last_seen_ms;
    show(r, p);
}

bool roster_discreet(struct roster *r, uint64_t uid, bool discreet)
{
    struct person *p = find(r, uid);

    if (!p)
        return false;
    p->discreet = discreet;
    p->chosen = true;
    if (p->loaded && p->shown == SHOWN_OFFLINE)
        tell(r, p);
    return true;
}

void roster_expect(struct roster *r, uint64_t uid, struct slice handle,
                   const struct presence_row *row, struct roster_time time)
{
    struct person *p;
    struct device *d;

    assert(!find(r, uid));
    p = add_person(r, uid, handle, time.now_ms);
    p->shown = SHOWN_UNKNOWN;
    p->loaded = true;
    p->hidden = row->hidden;
    p->discreet = row->discreet;
    p->last_seen_ms = row->last_seen_ms;
    d = add_device(p, slice_str(""), SHOWN_UNKNOWN);
    d->deadline_ms = time.now_ms + r->grace_ms;
    TAILQ_INSERT_TAIL(&r->gone, d, link);
}

bool roster_find(const struct roster *r, uint64_t uid, struct roster_view *view)
{
    const struct person *p = find(r, uid);

    if (p)
        *view = view_of(p);
    return p != NULL;
}

bool roster_is_here(const struct roster *r, uint64_t uid)
{
    const struct person *p = find(r, uid);

    return p && is_here(p);
}

size_t roster_count(const struct roster *r)
{
    return r->people.count;
}

static void forget_gone(struct roster *r, uint64_t now_ms)
{
    struct device *d;

    while ((d = TAILQ_FIRST(&r->gone)) != NULL && d->deadline_ms <= now_ms) {
        struct person *p = d->person;

        free_device(r, d);
        show(r, p);
        if (LIST_EMPTY(&p->devices))
            free_person(r, p);
    }
}

/* True when nothing is left that is due. */
static bool refresh(struct roster *r, struct roster_time time)
{
    for (unsigned i = 0; i < ROSTER_REFRESH_MAX; i++) {
        struct person *p = TAILQ_FIRST(&r->aging);

        if (!p || p->refresh_ms > time.now_ms)
            return true;
        TAILQ_REMOVE(&r->aging, p, aging);
        p->refresh_ms = time.now_ms + ROSTER_REFRESH_MS;
        TAILQ_INSERT_TAIL(&r->aging, p, aging);
        if (is_here(p) && !p->hidden)
            r->hooks.seen(r->hooks.owner, p->uid, time.wall_ms);
    }
    return false;
}

uint64_t roster_turn(struct roster *r, struct roster_time time)
{
    uint64_t next_ms = UINT64_MAX;

    forget_gone(r, time.now_ms);
    if (!refresh(r, time))
        next_ms = time.now_ms + ROSTER_TURN_MS;
    else if (!TAILQ_EMPTY(&r->aging))
        next_ms = TAILQ_FIRST(&r->aging)->refresh_ms;
    if (!TAILQ_EMPTY(&r->gone) && TAILQ_FIRST(&r->gone)->deadline_ms < next_ms)
        next_ms = TAILQ_FIRST(&r->gone)->deadline_ms;
    return next_ms;
}

void roster_write_all(struct roster *r, struct roster_time time)
{
    struct person *p;

    TAILQ_FOREACH(p, &r->aging, aging)
    {
        if (is_here(p) && !p->hidden)
            r->hooks.seen(r->hooks.owner, p->uid, time.wall_ms);
    }
}
