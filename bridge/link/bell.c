/* SPDX-License-Identifier: MIT */
/* bell.c - the doorbell, on libmosquitto with the loop of ours.
 *
 * libmosquitto must not be destroyed inside its own callbacks, and may close its socket inside any
 * call: so callbacks only take notes, and check() after each call drops a client that is finished
 * and makes a new one later. */
#include "link/bell.h"

#include "base/log.h"
#include "base/memory.h"
#include "wire/topic.h"

#include <event2/event.h>
#include <event2/util.h>
#include <mosquitto.h>
#include <stdlib.h>

#define BELL_NAME "banter-bell"

enum {
    KEEPALIVE_S = 60,
    MISC_INTERVAL_MS = 1000, /* keep-alive is checked this often */
    BACKOFF_FIRST_MS = 50,
    BACKOFF_MAX_MS = 2000,
};

struct bell {
    struct event_base *base;
    char *host; /* or the path of a Unix socket, then port is 0 */
    int port;
    char *key;
    struct mosquitto *client; /* NULL while waiting for the next attempt */
    struct event *readable;   /* these two exist with the client */
    struct event *writable;
    struct event *timer; /* keep-alive, or the next attempt */
    unsigned failures;   /* since it was last connected */
    bool connected;      /* CONNACK came and was good */
    bool refused;        /* CONNACK came and was not */
};

static void on_socket(evutil_socket_t fd, short what, void *argument);

static void set_timer(struct bell *b, unsigned ms)
{
    struct timeval wait = {.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
    event_add(b->timer, &wait);
}

static void drop(struct bell *b, const char *reason)
{
    unsigned wait_ms = b->failures < 5 ? (unsigned)BACKOFF_FIRST_MS << b->failures : BACKOFF_MAX_MS;

    if (b->failures == 0)
        log_warning("bell", "not connected: %s", reason);
    if (b->readable)
        event_free(b->readable);
    if (b->writable)
        event_free(b->writable);
    b->readable = NULL;
    b->writable = NULL;
    mosquitto_destroy(b->client);
    b->client = NULL;
    b->connected = false;
    b->refused = false;
    b->failures++;
    set_timer(b, wait_ms);
}

/* After each call into libmosquitto: is the client still good, and what does it wait for? */
static void check(struct bell *b, int rc)
{
    if (b->refused)
        drop(b, "the broker refuses the link key");
    else if (rc != MOSQ_ERR_SUCCESS)
        drop(b, mosquitto_strerror(rc));
    else if (mosquitto_socket(b->client) < 0)
        drop(b, "closed by the broker");
    else if (mosquitto_want_write(b->client))
        event_add(b->writable, NULL);
}

static void on_connect(struct mosquitto *client, void *argument, int rc)
{
    struct bell *b = argument;
    (void)client;

    b->connected = rc == 0;
    b->refused = rc != 0;
}

static int watch(struct bell *b)
{
    int fd = mosquitto_socket(b->client);

    b->readable = event_new(b->base, fd, EV_READ | EV_PERSIST, on_socket, b);
    b->writable = event_new(b->base, fd, EV_WRITE, on_socket, b);
    if (!b->readable || !b->writable || event_add(b->readable, NULL) != 0)
        return MOSQ_ERR_NOMEM;
    return MOSQ_ERR_SUCCESS;
}

static void start_connect(struct bell *b)
{
    int rc = MOSQ_ERR_NOMEM;

    b->client = mosquitto_new(BELL_NAME, true, b);
    if (b->client) {
        mosquitto_connect_callback_set(b->client, on_connect);
        rc = mosquitto_username_pw_set(b->client, BELL_NAME, b->key);
    }
    if (rc == MOSQ_ERR_SUCCESS)
        rc = mosquitto_connect_async(b->client, b->host, b->port, KEEPALIVE_S);
    if (rc == MOSQ_ERR_SUCCESS)
        rc = watch(b);
    if (rc == MOSQ_ERR_SUCCESS)
        set_timer(b, MISC_INTERVAL_MS);
    check(b, rc);
}

static void on_socket(evutil_socket_t fd, short what, void *argument)
{
    struct bell *b = argument;
    bool was_connected = b->connected;
    int rc = MOSQ_ERR_SUCCESS;
    (void)fd;

    if (what & EV_READ)
        rc = mosquitto_loop_read(b->client, 1);
    if (rc == MOSQ_ERR_SUCCESS && (what & EV_WRITE))
        rc = mosquitto_loop_write(b->client, 1);
    check(b, rc);
    if (b->connected && !was_connected) {
        log_info("bell", "connected");
        b->failures = 0;
        bell_ring(b); /* for what was written while nobody could ring */
    }
}

static void on_timer(evutil_socket_t fd, short what, void *argument)
{
    struct bell *b = argument;
    (void)fd;
    (void)what;

    if (!b->client) {
        start_connect(b);
        return;
    }
    set_timer(b, MISC_INTERVAL_MS);
    check(b, mosquitto_loop_misc(b->client));
}

void bell_ring(struct bell *b)
{
    /* An unsent ring is as good as another one. */
    if (!b->connected || mosquitto_want_write(b->client))
        return;
    check(b, mosquitto_publish(b->client, NULL, TOPIC_BELL, 0, NULL, 0, false));
}

bool bell_is_connected(const struct bell *b)
{
    return b->connected;
}

/* A path goes to libmosquitto as the host with port 0. */
static bool parse_broker(struct bell *b, const char *broker)
{
    const char *colon = strrchr(broker, ':');
    char *end;
    long port;

    if (broker[0] == '/') {
        b->host = must_strndup(slice_str(broker));
        return true;
    }
    if (!colon || colon == broker)
        return false;
    port = strtol(colon + 1, &end, 10);
    if (*end != '\0' || port < 1 || port > UINT16_MAX)
        return false;
    b->host = must_strndup(slice_of(broker, (size_t)(colon - broker)));
    b->port = (int)port;
    return true;
}

struct bell *bell_create(struct event_base *base, const char *broker, const char *key)
{
    struct bell *b = must_calloc(1, sizeof *b);

    mosquitto_lib_init(); /* counts its calls; bell_destroy() has the other half */
    b->base = base;
    b->key = must_strndup(slice_str(key));
    b->timer = evtimer_new(base, on_timer, b);
    if (!b->timer || !parse_broker(b, broker)) {
        bell_destroy(b);
        return NULL;
    }
    set_timer(b, 0);
    return b;
}

void bell_destroy(struct bell *b)
{
    if (!b)
        return;
    if (b->readable)
        event_free(b->readable);
    if (b->writable)
        event_free(b->writable);
    if (b->timer)
        event_free(b->timer);
    mosquitto_destroy(b->client);
    explicit_bzero(b->key, strlen(b->key));
    free(b->key);
    free(b->host);
    free(b);
    mosquitto_lib_cleanup();
}
