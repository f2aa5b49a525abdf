/* SPDX-License-Identifier: MIT */
/* redis.c - one Redis: a connection that publishes and one that is subscribed, both up or both
 * away.
 *
 * It is up when a message that it has published to itself has come back. One more follows every
 * second, so that a Redis that accepts and does nothing is found out. Whatever Redis says that is
 * not expected ends the connections.
 *
 * Rule: lose() frees both of them, also while one of their callbacks runs. */
#include "bus/redis.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "bus/address.h"
#include "bus/bus.h"
#include "bus/resp.h"

#include <assert.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/dns.h>
#include <event2/event.h>
#include <event2/util.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

enum {
    BACKOFF_FIRST_MS = 100,
    BACKOFF_MAX_MS = 2000,
    CONNECT_MS = 3000, /* from the look-up of the name to the first probe that comes back */
    PROBE_MS = 1000,
    SILENT_MS = 3000,       /* without a probe that came back */
    OUT_MAX = 16 << 20,     /* bytes that wait to be written */
    CHANNEL_MAX = 256,      /* with the prefix */
    READ_BYTES = 256 << 10, /* at once */
    REASON_MAX = 200,
    FAILURES_COUNTED = 16,  /* beyond, the back-off does not grow */
    PROBE_NAME_LENGTH = 24, /* "probe:", 16 digits and some room */
};

enum state { WAITING, LOOKING_UP, CONNECTING, UP };

struct redis {
    struct event_base *base;
    struct evdns_base *resolver; /* NULL: the address needs none */
    struct evdns_getaddrinfo_request *look_up;
    struct event *timer;
    struct redis_handlers handlers;
    struct bus_address address;
    struct bus_tls tls;
    char label[REDIS_LABEL_MAX + 1];
    char *prefix; /* with the colon */
    size_t prefix_length;
    char probe[PROBE_NAME_LENGTH + 1]; /* the channel that nobody else knows */
    enum state state;
    struct sockaddr_storage where; /* valid while state is CONNECTING, or without a resolver */
    socklen_t where_length;
    struct bufferevent *publisher;  /* NULL: none */
    struct bufferevent *subscriber; /* NULL: none */
    unsigned connected;             /* of the two */
    unsigned failures;              /* since it was up */
    uint64_t deadline_ms;           /* until it has to be up; and of the next probe to come back */
    bool closing;
    struct redis_stats stats;
};

static void set_timer(struct redis *r, uint64_t ms)
{
    const struct timeval wait = {.tv_sec = (time_t)(ms / 1000),
                                 .tv_usec = (suseconds_t)(ms % 1000) * 1000};

    event_add(r->timer, &wait);
}

/* Doubles; the upper half is random, so that the nodes do not all come at once. */
static uint64_t backoff_ms(unsigned failures)
{
    uint64_t ms = failures < 5 ? (uint64_t)BACKOFF_FIRST_MS << failures : BACKOFF_MAX_MS;
    uint16_t random;

    evutil_secure_rng_get_bytes(&random, sizeof random);
    return ms / 2 + ms / 2 * random / UINT16_MAX;
}

static void free_connection(struct bufferevent **connection)
{
    if (*connection)
        bufferevent_free(*connection);
    *connection = NULL;
}

static void lose(struct redis *r, const char *reason)
{
    bool was_up = r->state == UP;

    if (r->state == WAITING)
        return;
    r->state = WAITING;
    r->connected = 0;
    if (r->look_up)
        evdns_getaddrinfo_cancel(r->look_up);
    r->look_up = NULL;
    if (!r->closing && r->failures <= 1) /* why it was lost, and why it does not come back */
        log_warning("bus", "%s is not connected: %s", r->label, reason);
    free_connection(&r->publisher);
    free_connection(&r->subscriber);
    if (r->closing)
        return;
    set_timer(r, backoff_ms(r->failures));
    if (r->failures < FAILURES_COUNTED)
        r->failures++;
    if (was_up) {
        r->handlers.down(r->handlers.owner);
    }
}

static struct slice full_name(const struct redis *r, struct slice channel, char name[CHANNEL_MAX])
{
    assert(r->prefix_length + channel.length <= CHANNEL_MAX);
    memcpy(name, r->prefix, r->prefix_length);
    memcpy(name + r->prefix_length, channel.data, channel.length);
    return slice_of(name, r->prefix_length + channel.length);
}

static void put_word(struct evbuffer *out, struct slice word)
{
    char head[RESP_HEAD_MAX];

    if (evbuffer_add(out, head, resp_word_head(head, word.length)) != 0 ||
        evbuffer_add(out, word.data, word.length) != 0 || evbuffer_add(out, RESP_END, 2) != 0)
        abort(); /* as must_malloc() does */
}

static void command(struct bufferevent *to, const char *verb, const struct slice *arguments,
                    unsigned count)
{
    struct evbuffer *out = bufferevent_get_output(to);
    char head[RESP_HEAD_MAX];

    if (evbuffer_add(out, head, resp_command_head(head, 1 + count)) != 0)
        abort();
    put_word(out, slice_str(verb));
    for (unsigned i = 0; i < count; i++)
        put_word(out, arguments[i]);
}

static void publish(struct redis *r, struct slice channel, struct slice payload)
{
    char name[CHANNEL_MAX];

    command(r->publisher, "PUBLISH", (struct slice[]){full_name(r, channel, name), payload}, 2);
}

static void probe(struct redis *r)
{
    publish(r, slice_str(r->probe), slice_str("?"));
}

static void become_up(struct redis *r)
{
    r->state = UP;
    r->failures = 0;
    log_info("bus", "connected to %s", r->label);
    set_timer(r, PROBE_MS);
    r->handlers.up(r->handlers.owner);
}

static void on_probe(struct redis *r)
{
    r->deadline_ms = clock_monotonic_ms() + SILENT_MS;
    if (r->state == CONNECTING)
        become_up(r);
}

/* ---------------------------------------------------------------- what Redis says */

static void on_message(struct redis *r, struct slice channel, struct slice payload)
{
    if (channel.length < r->prefix_length || memcmp(channel.data, r->prefix, r->prefix_length) != 0)
        return;
    channel = slice_of(channel.data + r->prefix_length, channel.length - r->prefix_length);
    if (slice_equal(channel, slice_str(r->probe))) {
        on_probe(r);
        return;
    }
    if (r->state != UP)
        return;
    r->stats.received++;
    r->handlers.message(r->handlers.owner, channel, payload);
}

/* Answers to SUBSCRIBE, and messages; whatever else it is says nothing. */
static void on_pushed(struct redis *r, const struct resp *reply)
{
    if (reply->type != RESP_ARRAY || reply->count != 3)
        return;
    if (slice_equal(reply->elements[0], slice_str("message")))
        on_message(r, reply->elements[1], reply->elements[2]);
    else if (slice_equal(reply->elements[0], slice_str("subscribe")) && r->state == CONNECTING)
        probe(r);
}

static void lose_with(struct redis *r, struct slice text)
{
    char reason[REASON_MAX];

    (void)snprintf(reason, sizeof reason, "Redis says: %.*s",
                   (int)(text.length < REASON_MAX ? text.length : REASON_MAX), text.data);
    lose(r, reason);
}

static bool is_current(const struct redis *r, const struct bufferevent *connection)
{
    return connection == r->publisher || connection == r->subscriber;
}

/* False: the connection is no more. */
static bool take_reply(struct redis *r, const struct bufferevent *connection,
                       const struct resp *reply)
{
    if (reply->type == RESP_ERROR)
        lose_with(r, reply->text);
    else if (connection == r->subscriber)
        on_pushed(r, reply);
    return is_current(r, connection);
}

static void on_readable(struct bufferevent *connection, void *argument)
{
    struct redis *r = argument;
    struct evbuffer *in = bufferevent_get_input(connection);
    struct slice rest = slice_of((const char *)evbuffer_pullup(in, -1), evbuffer_get_length(in));
    size_t length = rest.length;
    enum resp_status status;
    struct resp reply;
    size_t used;

    while ((status = resp_next(rest, &reply, &used)) == RESP_WHOLE) {
        if (!take_reply(r, connection, &reply))
            return;
        rest = slice_of(rest.data + used, rest.length - used);
    }
    if (status == RESP_MALFORMED)
        lose(r, "this is not how Redis talks");
    else
        evbuffer_drain(in, length - rest.length);
}

/* ---------------------------------------------------------------- connecting */

static void authenticate(struct redis *r, struct bufferevent *connection)
{
    const struct bus_address *a = &r->address;
    const struct slice words[] = {slice_str(a->user), slice_str(a->password)};

    if (a->password)
        command(connection, "AUTH", a->user ? words : words + 1, a->user ? 2 : 1);
}

static void on_connected(struct redis *r, struct bufferevent *connection)
{
    const int on = 1;
    char name[CHANNEL_MAX];

    if (!r->address.path)
        (void)setsockopt(bufferevent_getfd(connection), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (++r->connected < 2)
        return;
    authenticate(r, r->publisher);
    authenticate(r, r->subscriber);
    command(r->subscriber, "SUBSCRIBE", (struct slice[]){full_name(r, slice_str(r->probe), name)},
            1);
}

static const char *reason_of(struct bufferevent *connection)
{
    int error = EVUTIL_SOCKET_ERROR();
    unsigned long of_tls = bufferevent_get_openssl_error(connection); /* 0 without TLS, too */
    const char *reason = of_tls ? ERR_reason_error_string(of_tls) : NULL;

    return reason ? reason : evutil_socket_error_to_string(error);
}

static void on_event(struct bufferevent *connection, short what, void *argument)
{
    struct redis *r = argument;

    if (what & BEV_EVENT_CONNECTED)
        on_connected(r, connection);
    else if (what & BEV_EVENT_EOF)
        lose(r, "closed by Redis");
    else
        lose(r, reason_of(connection));
}

static bool has_tls(const struct redis *r)
{
    return r->tls.ca_file && r->tls.ca_file[0] != '\0';
}

/* NULL: the files for TLS are of no use any more; the bus is lost, then. */
static struct bufferevent *open_one(struct redis *r)
{
    char reason[BUS_TLS_REASON_MAX];
    struct bufferevent *connection;
    struct ssl_st *ssl = NULL;

    if (has_tls(r) && !(ssl = bus_tls_open(&r->tls, r->address.host, reason))) {
        lose(r, reason);
        return NULL;
    }
    connection = ssl ? bufferevent_openssl_socket_new(r->base, -1, ssl, BUFFEREVENT_SSL_CONNECTING,
                                                      BEV_OPT_CLOSE_ON_FREE)
                     : bufferevent_socket_new(r->base, -1, BEV_OPT_CLOSE_ON_FREE);
    if (!connection)
        abort(); /* as must_malloc() does */
    bufferevent_setcb(connection, on_readable, NULL, on_event, r);
    (void)bufferevent_set_max_single_read(connection, READ_BYTES);
    (void)bufferevent_enable(connection, EV_READ | EV_WRITE);
    return connection;
}

/* A connection that fails at once may have been lost already. */
static void connect_one(struct redis *r, struct bufferevent *connection)
{
    if (r->state == CONNECTING &&
        bufferevent_socket_connect(connection, (struct sockaddr *)&r->where,
                                   (int)r->where_length) != 0)
        lose(r, "no connection can be opened");
}

static void open_both(struct redis *r)
{
    r->state = CONNECTING;
    r->publisher = open_one(r);
    if (r->publisher)
        r->subscriber = open_one(r);
    connect_one(r, r->publisher);
    connect_one(r, r->subscriber);
}

static void on_looked_up(int error, struct evutil_addrinfo *result, void *argument)
{
    struct redis *r = argument;

    if (error == EVUTIL_EAI_CANCEL)
        return; /* the request has been forgotten, and perhaps the bus is no more */
    r->look_up = NULL;
    if (error != 0) {
        lose(r, "the name cannot be resolved");
        return;
    }
    memcpy(&r->where, result->ai_addr, (size_t)result->ai_addrlen);
    r->where_length = (socklen_t)result->ai_addrlen;
    evutil_freeaddrinfo(result);
    open_both(r);
}

static void start(struct redis *r)
{
    const struct evutil_addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct evdns_getaddrinfo_request *request;
    char port[8];

    r->deadline_ms = clock_monotonic_ms() + CONNECT_MS;
    set_timer(r, CONNECT_MS);
    r->state = LOOKING_UP;
    if (!r->resolver) {
        open_both(r);
        return;
    }
    (void)snprintf(port, sizeof port, "%u", r->address.port);
    request = evdns_getaddrinfo(r->resolver, r->address.host, port, &hints, on_looked_up, r);
    if (r->state == LOOKING_UP)
        r->look_up = request; /* NULL: it has called back already, or will not */
}

static void on_timer(evutil_socket_t fd, short what, void *argument)
{
    struct redis *r = argument;
    (void)fd;
    (void)what;

    if (r->state == WAITING) {
        start(r);
        return;
    }
    if (clock_monotonic_ms() >= r->deadline_ms) {
        lose(r, "Redis does not answer");
        return;
    }
    if (r->state == UP) {
        probe(r);
        set_timer(r, PROBE_MS);
    } else {
        set_timer(r, r->deadline_ms - clock_monotonic_ms());
    }
}

/* False: it is a name. */
static bool is_somewhere(struct redis *r)
{
    const struct bus_address *a = &r->address;
    struct sockaddr_un *path = (struct sockaddr_un *)&r->where;
    int length = sizeof r->where;
    char text[BUS_ADDRESS_MAX + 16];

    if (a->path) {
        path->sun_family = AF_UNIX;
        memcpy(path->sun_path, a->path, strlen(a->path) + 1);
        r->where_length = sizeof *path;
        return true;
    }
    (void)snprintf(text, sizeof text, strchr(a->host, ':') ? "[%s]:%u" : "%s:%u", a->host, a->port);
    if (evutil_parse_sockaddr_port(text, (struct sockaddr *)&r->where, &length) != 0)
        return false;
    r->where_length = (socklen_t)length;
    return true;
}

static bool is_too_long(const struct bus_address *a)
{
    return a->path && strlen(a->path) >= sizeof((struct sockaddr_un *)NULL)->sun_path;
}

/* Whether TLS can be had as it is configured, if it is. */
static bool check_tls(const struct redis *r)
{
    const struct bus_tls *t = &r->tls;
    char reason[BUS_TLS_REASON_MAX];
    struct ssl_st *ssl;

    if (!t->ca_file)
        return true;
    if ((t->certificate_file[0] == '\0') != (t->key_file[0] == '\0') ||
        (!has_tls(r) && t->key_file[0] != '\0')) {
        log_error("bus", "a certificate for Redis needs a key, and both need redis_ca_file");
        return false;
    }
    if (!has_tls(r))
        return true;
    if (r->address.path) {
        log_error("bus", "there is no TLS over a Unix socket: redis_ca_file must be empty");
        return false;
    }
    ssl = bus_tls_open(t, r->address.host, reason);
    if (!ssl)
        log_error("bus", "%s", reason);
    SSL_free(ssl);
    return ssl != NULL;
}

static bool prepare(struct redis *r, const struct redis_config *config)
{
    uint64_t random;

    r->prefix_length = strlen(config->prefix) + 1;
    r->prefix = must_malloc(r->prefix_length + 1);
    (void)snprintf(r->prefix, r->prefix_length + 1, "%s:", config->prefix);
    (void)snprintf(r->label, sizeof r->label, "%s", config->label);
    evutil_secure_rng_get_bytes(&random, sizeof random);
    (void)snprintf(r->probe, sizeof r->probe, "probe:%016llx", (unsigned long long)random);
    if (!bus_address_parse(&r->address, config->address) || is_too_long(&r->address)) {
        log_error("bus", "the address of %s is not well formed", r->label);
        return false;
    }
    r->tls = config->tls;
    if (!check_tls(r))
        return false;
    if (!is_somewhere(r)) {
        r->resolver = evdns_base_new(r->base, EVDNS_BASE_INITIALIZE_NAMESERVERS |
                                                  EVDNS_BASE_DISABLE_WHEN_INACTIVE);
        if (!r->resolver)
            return false;
    }
    r->timer = evtimer_new(r->base, on_timer, r);
    return r->timer != NULL;
}

struct redis *redis_create(struct event_base *base, const struct redis_config *config,
                           const struct redis_handlers *handlers)
{
    struct redis *r = must_calloc(1, sizeof *r);

    r->base = base;
    r->handlers = *handlers;
    if (!prepare(r, config)) {
        redis_destroy(r);
        return NULL;
    }
    set_timer(r, 0);
    return r;
}

void redis_destroy(struct redis *r)
{
    if (!r)
        return;
    r->closing = true;
    lose(r, "");
    if (r->timer)
        event_free(r->timer);
    if (r->resolver)
        evdns_base_free(r->resolver, 0);
    explicit_bzero(&r->address, sizeof r->address);
    free(r->prefix);
    free(r);
}

bool redis_is_up(const struct redis *r)
{
    return r->state == UP;
}

void redis_reset(struct redis *r, const char *reason)
{
    if (r->state == UP)
        lose(r, reason);
}

static size_t waiting(struct bufferevent *connection)
{
    return evbuffer_get_length(bufferevent_get_output(connection));
}

void redis_publish(struct redis *r, struct slice channel, struct slice payload)
{
    if (r->state != UP)
        return;
    if (payload.length > BUS_MESSAGE_MAX || waiting(r->publisher) > OUT_MAX) {
        r->stats.dropped++;
        return;
    }
    r->stats.published++;
    publish(r, channel, payload);
}

void redis_subscribe(struct redis *r, struct slice channel)
{
    char name[CHANNEL_MAX];

    if (r->state == UP)
        command(r->subscriber, "SUBSCRIBE", (struct slice[]){full_name(r, channel, name)}, 1);
}

void redis_unsubscribe(struct redis *r, struct slice channel)
{
    char name[CHANNEL_MAX];

    if (r->state == UP)
        command(r->subscriber, "UNSUBSCRIBE", (struct slice[]){full_name(r, channel, name)}, 1);
}

void redis_get_stats(const struct redis *r, struct redis_stats *out)
{
    *out = r->stats;
}
