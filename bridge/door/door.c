/* SPDX-License-Identifier: MIT */
/* door.c - see door.h: the thread, its beginning and its end, and the numbers. */
#include "door/door.h"

#include "base/log.h"
#include "base/memory.h"
#include "door/internal.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    DESCRIPTORS_KEPT = 256, /* for everything else in this process */
    CARRY_MAX_BYTES = 4 * STREAM_READ_BYTES,
    FRAME_MAX_BYTES = 2 * STREAM_READ_BYTES,
    LAST_ROUND_MS = 20,
    LAST_ROUNDS = 50, /* one second for answers that are on their way */
};

const char *const door_kind_names[DOOR_KINDS] = {
    [DOOR_UNDECIDED] = "undecided",
    [DOOR_HTTP] = "http",
    [DOOR_WEBSOCKET] = "websocket",
    [DOOR_MQTTS] = "mqtts",
};

const char *const door_refusal_names[DOOR_REFUSALS] = {
    [DOOR_REFUSED_ADDRESS] = "address",   [DOOR_REFUSED_BROKER] = "broker",
    [DOOR_REFUSED_CAPACITY] = "capacity", [DOOR_REFUSED_HANDSHAKE] = "handshake",
    [DOOR_REFUSED_LATE] = "late",         [DOOR_REFUSED_ORIGIN] = "origin",
    [DOOR_REFUSED_PACKET] = "packet",     [DOOR_REFUSED_SIZE] = "size",
    [DOOR_REFUSED_FRAME] = "frame",       [DOOR_REFUSED_SILENCE] = "silence",
    [DOOR_REFUSED_TLS] = "tls",           [DOOR_REFUSED_DRAINING] = "draining",
    [DOOR_REFUSED_RATE] = "rate",
};

/* ---------------------------------------------------------------- what the other thread wants */

static void close_listeners(struct door *d)
{
    for (size_t i = 0; i < DOOR_LISTENERS; i++)
        door_unlisten(&d->listeners[i]);
}

/* HTTP stays until it has its answers. */
static void say_goodbye(struct door *d)
{
    struct connection *c, *next;

    close_listeners(d);
    for (c = LIST_FIRST(&d->connections); c; c = next) {
        next = LIST_NEXT(c, entry);
        if (c->transport)
            c->transport->end(c, WEBSOCKET_GOING_AWAY, "the server is going away");
        else if (c->stage == &first_stage)
            connection_close(c);
    }
}

/* Ends the connections to which nothing is owed any more; all of them after the last round. */
static void on_last_round(evutil_socket_t fd, short what, void *door)
{
    const struct timeval interval = {.tv_usec = LAST_ROUND_MS * 1000};
    struct door *d = door;
    struct connection *c, *next;

    (void)fd, (void)what;
    for (c = LIST_FIRST(&d->connections); c; c = next) {
        bool owed =
            stream_waiting(&c->client) > 0 || (stream_is_open(&c->inner) && !c->inner.ended);
        next = LIST_NEXT(c, entry);
        if (!owed || d->rounds_left == 0)
            connection_close(c);
    }
    if (LIST_EMPTY(&d->connections))
        event_base_loopexit(d->pool.base, NULL);
    else
        event_add(d->last_rounds, &interval);
    d->rounds_left -= d->rounds_left > 0;
}

static void take_origins(struct door *d)
{
    char *origins = atomic_exchange(&d->origins, NULL);

    if (!origins)
        return;
    free((char *)d->config.websocket_origins);
    d->config.websocket_origins = origins;
    d->rules.origins = origins;
}

static void on_wake(evutil_socket_t fd, short what, void *door)
{
    struct door *d = door;
    eventfd_t count;

    (void)what;
    (void)!eventfd_read(fd, &count);
    if (atomic_exchange(&d->reload, false) && d->tls)
        tls_reload(d->tls);
    take_origins(d);
    if (atomic_load(&d->closing))
        say_goodbye(d);
    if (atomic_load(&d->stopping))
        on_last_round(-1, 0, d);
}

static void on_beat(evutil_socket_t fd, short what, void *door)
{
    struct door *d = door;

    (void)fd, (void)what;
    pulse_beat(&d->pulse);
}

static void wake(struct door *d)
{
    if (eventfd_write(d->wake_fd, 1) != 0)
        abort(); /* the counter cannot be full */
}

/* ---------------------------------------------------------------- making */

static unsigned descriptors_possible(void)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == RLIM_INFINITY)
        return UINT32_MAX;
    return files.rlim_cur > 2 * DESCRIPTORS_KEPT ? (unsigned)files.rlim_cur - DESCRIPTORS_KEPT
                                                 : DESCRIPTORS_KEPT;
}

static char *copy(const char *text)
{
    return must_strndup(slice_str(text));
}

static void copy_config(struct door *d, const struct door_config *config)
{
    d->config = *config;
    d->config.http_listen = copy(config->http_listen);
    d->config.https_listen = copy(config->https_listen);
    d->config.mqtts_listen = copy(config->mqtts_listen);
    d->config.tls_certificate_file = copy(config->tls_certificate_file);
    d->config.tls_key_file = copy(config->tls_key_file);
    d->config.http_socket = copy(config->http_socket);
    d->config.mqtt_socket = copy(config->mqtt_socket);
    d->config.websocket_origins = copy(config->websocket_origins);
    d->rules.origins = d->config.websocket_origins;
}

static void free_config(struct door_config *config)
{
    free((char *)config->http_listen);
    free((char *)config->https_listen);
    free((char *)config->mqtts_listen);
    free((char *)config->tls_certificate_file);
    free((char *)config->tls_key_file);
    free((char *)config->http_socket);
    free((char *)config->mqtt_socket);
    free((char *)config->websocket_origins);
}

static void make_loop(struct door *d)
{
    const struct timeval interval = {.tv_usec = PULSE_BEAT_MS * 1000};

    d->pulse.name = "the thread of the front door";
    pulse_beat(&d->pulse);
    d->pool.base = event_base_new();
    d->pool.scratch = must_calloc(1, STREAM_READ_BYTES);
    d->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (!d->pool.base || d->wake_fd < 0)
        abort(); /* out of memory, or of descriptors at the very start */
    d->reaper = event_new(d->pool.base, -1, 0, connection_reap, d);
    d->last_rounds = event_new(d->pool.base, -1, 0, on_last_round, d);
    d->wake = event_new(d->pool.base, d->wake_fd, EV_READ | EV_PERSIST, on_wake, d);
    d->beat = event_new(d->pool.base, -1, EV_PERSIST, on_beat, d);
    if (!d->reaper || !d->last_rounds || !d->wake || !d->beat || event_add(d->wake, NULL) != 0 ||
        event_add(d->beat, &interval) != 0)
        abort(); /* out of memory */
}

static void prepare_listeners(struct door *d)
{
    static const struct door_listener listeners[DOOR_LISTENERS] = {
        {.name = "http_listen", .begin = first_begin, .fd = -1},
        {.name = "https_listen", .begin = first_begin, .has_tls = true, .fd = -1},
        {.name = "mqtts_listen", .begin = native_begin, .has_tls = true, .fd = -1},
    };

    for (size_t i = 0; i < DOOR_LISTENERS; i++) {
        d->listeners[i] = listeners[i];
        d->listeners[i].door = d;
    }
}

static bool listen_all(struct door *d)
{
    if (!door_listen(&d->listeners[0], d->config.http_listen))
        return false;
    if (d->config.tls_certificate_file[0] == '\0')
        return true;
    d->tls = tls_create(d->config.tls_certificate_file, d->config.tls_key_file);
    return d->tls && door_listen(&d->listeners[1], d->config.https_listen) &&
           door_listen(&d->listeners[2], d->config.mqtts_listen);
}

struct door *door_create(const struct door_config *config)
{
    struct door *d = must_calloc(1, sizeof *d);

    copy_config(d, config);
    LIST_INIT(&d->connections);
    LIST_INIT(&d->dead);
    parties_init(d);
    buf_init(&d->carry, CARRY_MAX_BYTES);
    buf_init(&d->frame, FRAME_MAX_BYTES);
    d->writer = frame_writer_create();
    d->descriptors_max = descriptors_possible();
    d->rounds_left = LAST_ROUNDS;
    make_loop(d);
    prepare_listeners(d);
    if (listen_all(d))
        return d;
    door_destroy(d);
    return NULL;
}

static void *run(void *door)
{
    struct door *d = door;

    pthread_setname_np(pthread_self(), "banter-door");
    if (event_base_loop(d->pool.base, EVLOOP_NO_EXIT_ON_EMPTY) < 0)
        abort(); /* nothing but a bug can end it so */
    return NULL;
}

/* Signals are the loop thread's. */
bool door_start(struct door *d)
{
    sigset_t all, before;
    int error;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&d->thread, NULL, run, d);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    d->started = error == 0;
    if (error != 0)
        log_error("door", "cannot start a thread: %s", strerror(error));
    return d->started;
}

void door_reload(struct door *d)
{
    atomic_store(&d->reload, true);
    wake(d);
}

void door_set_origins(struct door *d, const char *origins)
{
    free(atomic_exchange(&d->origins, copy(origins)));
    wake(d);
}

void door_drain(struct door *d, bool on)
{
    atomic_store(&d->draining, on);
}

const struct pulse *door_pulse(const struct door *d)
{
    return &d->pulse;
}

void door_close(struct door *d)
{
    atomic_store(&d->closing, true);
    wake(d);
}

void door_destroy(struct door *d)
{
    struct connection *c;

    if (!d)
        return;
    atomic_store(&d->closing, true);
    atomic_store(&d->stopping, true);
    wake(d);
    if (d->started)
        pthread_join(d->thread, NULL);
    close_listeners(d);
    while ((c = LIST_FIRST(&d->connections)))
        connection_close(c);
    connection_reap(-1, 0, d);
    event_free(d->reaper);
    event_free(d->last_rounds);
    event_free(d->beat);
    event_free(d->wake);
    event_base_free(d->pool.base);
    close(d->wake_fd);
    assert(d->pool.waiting == 0 && d->descriptors == 0);
    parties_finish(d);
    frame_writer_destroy(d->writer);
    tls_destroy(d->tls);
    buf_finish(&d->carry);
    buf_finish(&d->frame);
    free(d->pool.scratch);
    free(atomic_load(&d->origins));
    free_config(&d->config);
    free(d);
}

void door_get_stats(const struct door *d, struct door_stats *out)
{
    const struct door_counters *n = &d->counters;

    for (unsigned i = 0; i < DOOR_KINDS; i++)
        out->connections[i] = atomic_load_explicit(&n->connections[i], memory_order_relaxed);
    for (unsigned i = 0; i < DOOR_REFUSALS; i++)
        out->refused[i] = atomic_load_explicit(&n->refused[i], memory_order_relaxed);
    out->waiting = atomic_load_explicit(&n->waiting, memory_order_relaxed);
    out->handshakes = atomic_load_explicit(&n->handshakes, memory_order_relaxed);
    out->resumed = atomic_load_explicit(&n->resumed, memory_order_relaxed);
    out->accepted = atomic_load_explicit(&n->accepted, memory_order_relaxed);
    out->from_clients = atomic_load_explicit(&n->from_clients, memory_order_relaxed);
    out->to_clients = atomic_load_explicit(&n->to_clients, memory_order_relaxed);
}
