/* SPDX-License-Identifier: MIT */
/* registry_zookeeper.c - entries as ephemeral nodes: ZooKeeper removes them when the session of
 * who made them ends, which it does some seconds after its connection was lost.
 *
 * The client library waits for its answers, and has threads of its own. So once a second a job goes
 * to a worker, which is alone with the session: it writes the own entry and reads the others; what
 * it has found comes back to the loop with the job. */
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/worker.h"
#include "bus/registry_type.h"
#include "bus/zookeeper_address.h"

#include <event2/event.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define THREADED /* or the library has no calls that wait */
#include <zookeeper/zookeeper.h>

enum {
    SESSION_MS = 6000, /* as long as a lease in PostgreSQL */
    PATH_MAX_BYTES = ZOOKEEPER_ADDRESS_MAX + 1 + REGISTRY_NAME_MAX + 1,
};

static const char where[] = "ZooKeeper";

struct zookeeper_registry {
    struct registry base;
    struct zookeeper_address address;
    struct event *timer;
    struct worker *worker;
    bool busy; /* there is a job */
    atomic_bool stopping;
    zhandle_t *session; /* the worker's; NULL: none */
};

struct job {
    struct worker_job job;
    struct zookeeper_registry *registry;
    char value[REGISTRY_VALUE_MAX]; /* to be written; length 0: nothing */
    size_t length;
    bool well;
    struct registry_entries found;
};

/* ---------------------------------------------------------------- on the worker's thread */

/* The library has its own words for every attempt. */
static void on_log(const char *message)
{
    log_debug("registry", "%s", message);
}

/* States are looked at, not waited for. */
static void on_event(zhandle_t *session, int type, int state, const char *path, void *context)
{
    (void)session;
    (void)type;
    (void)state;
    (void)path;
    (void)context;
}

static void open_session(struct zookeeper_registry *r)
{
    const struct zookeeper_address *a = &r->address;

    r->session = zookeeper_init2(a->hosts, on_event, SESSION_MS, NULL, NULL, 0, on_log);
    if (r->session && a->credentials[0])
        (void)zoo_add_auth(r->session, "digest", a->credentials, (int)strlen(a->credentials), NULL,
                           NULL);
}

/* A session that has expired, or whose password was wrong, never comes back: there is another one
 * then. False: not connected. */
static bool is_connected(struct zookeeper_registry *r)
{
    if (r->session && is_unrecoverable(r->session) != ZOK) {
        (void)zookeeper_close(r->session);
        r->session = NULL;
    }
    if (!r->session)
        open_session(r);
    return r->session && zoo_state(r->session) == ZOO_CONNECTED_STATE;
}

static const struct ACL_vector *rights(const struct zookeeper_registry *r)
{
    return r->address.credentials[0] ? &ZOO_CREATOR_ALL_ACL : &ZOO_OPEN_ACL_UNSAFE;
}

static void write_path(const struct zookeeper_registry *r, const char *name,
                       char path[PATH_MAX_BYTES])
{
    (void)snprintf(path, PATH_MAX_BYTES, "%s/%s", r->address.path, name);
}

/* What leads to the entries stays when they go. */
static int make_parents(struct zookeeper_registry *r)
{
    char path[ZOOKEEPER_ADDRESS_MAX + 1];
    int rc = ZOK;

    memcpy(path, r->address.path, sizeof path);
    for (char *slash = path; slash && (rc == ZOK || rc == ZNODEEXISTS);) {
        slash = strchr(slash + 1, '/');
        if (slash)
            *slash = '\0';
        rc = zoo_create(r->session, path, NULL, -1, rights(r), 0, NULL, 0);
        if (slash)
            *slash = '/';
    }
    return rc == ZNODEEXISTS ? ZOK : rc;
}

static int create_own(struct zookeeper_registry *r, const char *path, const struct job *j)
{
    return zoo_create(r->session, path, j->value, (int)j->length, rights(r), ZOO_EPHEMERAL, NULL,
                      0);
}

/* An entry of a session before this one would go with that. */
static int write_own(struct zookeeper_registry *r, const struct job *j)
{
    char path[PATH_MAX_BYTES];
    struct Stat stat;
    int rc;

    write_path(r, r->base.name, path);
    rc = zoo_set2(r->session, path, j->value, (int)j->length, -1, &stat);
    if (rc == ZOK && stat.ephemeralOwner != zoo_client_id(r->session)->client_id) {
        (void)zoo_delete(r->session, path, -1);
        rc = ZNONODE;
    }
    if (rc == ZNONODE)
        rc = create_own(r, path, j);
    if (rc == ZNONODE && (rc = make_parents(r)) == ZOK)
        rc = create_own(r, path, j);
    return rc;
}

/* What goes meanwhile, is empty or too long, is left out. */
static int read_one(struct zookeeper_registry *r, struct job *j, const char *name)
{
    char path[PATH_MAX_BYTES];
    char value[REGISTRY_VALUE_MAX];
    int length = sizeof value;
    struct Stat stat;
    int rc;

    if (strlen(name) > REGISTRY_NAME_MAX)
        return ZOK;
    write_path(r, name, path);
    rc = zoo_get(r->session, path, 0, value, &length, &stat);
    if (rc == ZOK && length > 0 && stat.dataLength <= (int)sizeof value)
        registry_entries_put(&j->found, slice_str(name), slice_of(value, (size_t)length), 0);
    return rc == ZNONODE ? ZOK : rc;
}

static int read_others(struct zookeeper_registry *r, struct job *j)
{
    struct String_vector names;
    int rc = zoo_get_children(r->session, r->address.path, 0, &names);

    if (rc == ZNONODE)
        return ZOK;
    if (rc != ZOK)
        return rc;
    for (int i = 0; i < names.count && i < REGISTRY_ENTRIES_MAX && rc == ZOK; i++)
        rc = atomic_load(&r->stopping) ? ZCLOSING : read_one(r, j, names.data[i]);
    (void)deallocate_String_vector(&names);
    return rc;
}

static void work(struct worker_job *job)
{
    struct job *j = (struct job *)job;
    struct zookeeper_registry *r = j->registry;
    int rc;

    if (!is_connected(r))
        return;
    rc = j->length > 0 ? write_own(r, j) : ZOK;
    if (rc == ZOK)
        rc = read_others(r, j);
    if (rc != ZOK)
        log_debug("registry", "ZooKeeper says: %s", zerror(rc));
    j->well = rc == ZOK;
}

/* ---------------------------------------------------------------- on the loop thread */

static void free_job(struct worker_job *job)
{
    struct job *j = (struct job *)job;

    registry_entries_finish(&j->found);
    free(j);
}

static void done(struct worker_job *job)
{
    struct job *j = (struct job *)job;
    struct zookeeper_registry *r = j->registry;
    struct registry_entries before = r->base.entries;

    r->busy = false;
    if (j->well) {
        r->base.entries = j->found;
        j->found = before;
    }
    registry_set_up(&r->base, j->well, where);
    free_job(job);
}

static void on_timer(evutil_socket_t fd, short what, void *argument)
{
    struct zookeeper_registry *r = argument;
    struct job *j;
    (void)fd;
    (void)what;

    if (r->busy)
        return;
    j = must_calloc(1, sizeof *j);
    j->job.work = work;
    j->job.done = done;
    j->registry = r;
    j->length = r->base.length;
    memcpy(j->value, r->base.value, r->base.length);
    r->busy = worker_run(r->worker, &j->job);
    if (!r->busy)
        free_job(&j->job);
}

/* The end of the session takes the own entry away. */
static void destroy(struct registry *registry)
{
    struct zookeeper_registry *r = (struct zookeeper_registry *)registry;

    atomic_store(&r->stopping, true);
    if (r->timer)
        event_free(r->timer);
    worker_destroy(r->worker, free_job);
    if (r->session)
        (void)zookeeper_close(r->session);
    explicit_bzero(&r->address, sizeof r->address);
    free(r);
}

static struct registry *create(struct event_base *base, const struct registry_config *config)
{
    const struct timeval interval = {.tv_sec = REGISTRY_SAY_MS / 1000};
    struct zookeeper_registry *r = must_calloc(1, sizeof *r);

    zoo_set_debug_level(ZOO_LOG_LEVEL_WARN);
    if (!zookeeper_address_parse(&r->address, config->address)) {
        log_error("registry", "the address of ZooKeeper is not well formed");
        goto fail;
    }
    r->worker = worker_create(base, 1);
    r->timer = event_new(base, -1, EV_PERSIST, on_timer, r);
    if (r->worker && r->timer && event_add(r->timer, &interval) == 0)
        return &r->base;
fail:
    destroy(&r->base);
    return NULL;
}

/* The next job takes it along. */
static void said(struct registry *registry)
{
    (void)registry;
}

const struct registry_type registry_in_zookeeper = {
    .create = create,
    .destroy = destroy,
    .said = said,
};
