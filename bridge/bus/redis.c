/* SPDX-License-Identifier: MIT */
/* redis.c - the bus over Redis: one connection that publishes and one that is subscribed, both up
 * or both away.
 *
 * It is up when a message that it has published to itself has come back. One more follows every
 * second, so that a Redis that accepts and does nothing is found out. Whatever Redis says that is
 * not expected ends the connections.
 *
 * Rule: lose() frees both of them, also while one of their callbacks runs. */
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

struct bus {
    struct event_base *base;
    struct evdns_base *resolver; /* NULL: the address needs none */
    struct evdns_getaddrinfo_request *look_up;
    struct event *timer;
    struct bus_handlers handlers;
    struct bus_address address;
    struct bus_tls tls;
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
    struct bus_stats stats;
};

static void set_timer(struct bus *b, uint64_t ms)
{
    const struct timeval wait = {.tv_sec = (time_t)(ms / 1000),
                                 .tv_usec = (suseconds_t)(ms % 1000) * 1000};

    event_add(b->timer, &wait);
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

static void lose(struct bus *b, const char *reason)
{
    bool was_up = b->state == UP;

    if (b->state == WAITING)
        return;
    b->state = WAITING;
    b->connected = 0;
    if (b->look_up)
        evdns_getaddrinfo_cancel(b->look_up);
    b->look_up = NULL;
    if (!b->closing && b->failures <= 1) /* why it was lost, and why it does not come back */
        log_warning("bus", "not connected: %s", reason);
    free_connection(&b->publisher);
    free_connection(&b->subscriber);
    if (b->closing)
        return;
    set_timer(b, backoff_ms(b->failures));
    if (b->failures < FAILURES_COUNTED)
        b->failures++;
    if (was_up) {
        b->stats.losses++;
        b->handlers.down(b->handlers.owner);
    }
}

static struct slice full_name(const struct bus *b, struct slice channel, char name[CHANNEL_MAX])
{
    assert(b->prefix_length + channel.length <= CHANNEL_MAX);
    memcpy(name, b->prefix, b->prefix_length);
    memcpy(name + b->prefix_length, channel.data, channel.length);
    return slice_of(name, b->prefix_length + channel.length);
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

static void publish(struct bus *b, struct slice channel, struct slice payload)
{
    char name[CHANNEL_MAX];

    command(b->publisher, "PUBLISH", (struct slice[]){full_name(b, channel, name), payload}, 2);
}

static void probe(struct bus *b)
{
    publish(b, slice_str(b->probe), slice_str("?"));
}

static void become_up(struct bus *b)
{
    b->state = UP;
    b->failures = 0;
    log_info("bus", "connected to Redis");
    set_timer(b, PROBE_MS);
    b->handlers.up(b->handlers.owner);
}

static void on_probe(struct bus *b)
{
    b->deadline_ms = clock_monotonic_ms() + SILENT_MS;
    if (b->state == CONNECTING)
        become_up(b);
}

/* ---------------------------------------------------------------- what Redis says */

static void on_message(struct bus *b, struct slice channel, struct slice payload)
{
    if (channel.length < b->prefix_length || memcmp(channel.data, b->prefix, b->prefix_length) != 0)
        return;
    channel = slice_of(channel.data + b->prefix_length, channel.length - b->prefix_length);
    if (slice_equal(channel, slice_str(b->probe))) {
        on_probe(b);
        return;
    }
    if (b->state != UP)
        return;
    b->stats.received++;
    b->handlers.message(b->handlers.owner, channel, payload);
}

/* Answers to SUBSCRIBE, and messages; whatever else it is says nothing. */
static void on_pushed(struct bus *b, const struct resp *reply)
{
    if (reply->type != RESP_ARRAY || reply->count != 3)
        return;
    if (slice_equal(reply->elements[0], slice_str("message")))
        on_message(b, reply->elements[1], reply->elements[2]);
    else if (slice_equal(reply->elements[0], slice_str("subscribe")) && b->state == CONNECTING)
        probe(b);
}

static void lose_with(struct bus *b, struct slice text)
{
    char reason[REASON_MAX];

    (void)snprintf(reason, sizeof reason, "Redis says: %.*s",
                   (int)(text.length < REASON_MAX ? text.length : REASON_MAX), text.data);
    lose(b, reason);
}

static bool is_current(const struct bus *b, const struct bufferevent *connection)
{
    return connection == b->publisher || connection == b->subscriber;
}

/* False: the connection is no more. */
static bool take_reply(struct bus *b, const struct bufferevent *connection,
                       const struct resp *reply)
{
    if (reply->type == RESP_ERROR)
        lose_with(b, reply->text);
    else if (connection == b->subscriber)
        on_pushed(b, reply);
    return is_current(b, connection);
}

static void on_readable(struct bufferevent *connection, void *argument)
{
    struct bus *b = argument;
    struct evbuffer *in = bufferevent_get_input(connection);
    struct slice rest = slice_of((const char *)evbuffer_pullup(in, -1), evbuffer_get_length(in));
    size_t length = rest.length;
    enum resp_status status;
    struct resp reply;
    size_t used;

    while ((status = resp_next(rest, &reply, &used)) == RESP_WHOLE) {
        if (!take_reply(b, connection, &reply))
            return;
        rest = slice_of(rest.data + used, rest.length - used);
    }
    if (status == RESP_MALFORMED)
        lose(b, "this is not how Redis talks");
    else
        evbuffer_drain(in, length - rest.length);
}

/* ---------------------------------------------------------------- connecting */

static void authenticate(struct bus *b, struct bufferevent *connection)
{
    const struct bus_address *a = &b->address;
    const struct slice words[] = {slice_str(a->user), slice_str(a->password)};

    if (a->password)
        command(connection, "AUTH", a->user ? words : words + 1, a->user ? 2 : 1);
}

static void on_connected(struct bus *b, struct bufferevent *connection)
{
    const int on = 1;
    char name[CHANNEL_MAX];

    if (!b->address.path)
        (void)setsockopt(bufferevent_getfd(connection), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (++b->connected < 2)
        return;
    authenticate(b, b->publisher);
    authenticate(b, b->subscriber);
    command(b->subscriber, "SUBSCRIBE", (struct slice[]){full_name(b, slice_str(b->probe), name)},
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
    struct bus *b = argument;

    if (what & BEV_EVENT_CONNECTED)
        on_connected(b, connection);
    else if (what & BEV_EVENT_EOF)
        lose(b, "closed by Redis");
    else
        lose(b, reason_of(connection));
}

static bool has_tls(const struct bus *b)
{
    return b->tls.ca_file && b->tls.ca_file[0] != '\0';
}

/* NULL: the files for TLS are of no use any more; the bus is lost, then. */
static struct bufferevent *open_one(struct bus *b)
{
    char reason[BUS_TLS_REASON_MAX];
    struct bufferevent *connection;
    struct ssl_st *ssl = NULL;

    if (has_tls(b) && !(ssl = bus_tls_open(&b->tls, b->address.host, reason))) {
        lose(b, reason);
        return NULL;
    }
    connection = ssl ? bufferevent_openssl_socket_new(b->base, -1, ssl, BUFFEREVENT_SSL_CONNECTING,
                                                      BEV_OPT_CLOSE_ON_FREE)
                     : bufferevent_socket_new(b->base, -1, BEV_OPT_CLOSE_ON_FREE);
    if (!connection)
        abort(); /* as must_malloc() does */
    bufferevent_setcb(connection, on_readable, NULL, on_event, b);
    (void)bufferevent_set_max_single_read(connection, READ_BYTES);
    (void)bufferevent_enable(connection, EV_READ | EV_WRITE);
    return connection;
}

/* A connection that fails at once may have been lost already. */
static void connect_one(struct bus *b, struct bufferevent *connection)
{
    if (b->state == CONNECTING &&
        bufferevent_socket_connect(connection, (struct sockaddr *)&b->where,
                                   (int)b->where_length) != 0)
        lose(b, "no connection can be opened");
}

static void open_both(struct bus *b)
{
    b->state = CONNECTING;
    b->publisher = open_one(b);
    if (b->publisher)
        b->subscriber = open_one(b);
    connect_one(b, b->publisher);
    connect_one(b, b->subscriber);
}

static void on_looked_up(int error, struct evutil_addrinfo *result, void *argument)
{
    struct bus *b = argument;

    if (error == EVUTIL_EAI_CANCEL)
        return; /* the request has been forgotten, and perhaps the bus is no more */
    b->look_up = NULL;
    if (error != 0) {
        lose(b, "the name cannot be resolved");
        return;
    }
    memcpy(&b->where, result->ai_addr, (size_t)result->ai_addrlen);
    b->where_length = (socklen_t)result->ai_addrlen;
    evutil_freeaddrinfo(result);
    open_both(b);
}

static void start(struct bus *b)
{
    const struct evutil_addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct evdns_getaddrinfo_request *request;
    char port[8];

    b->deadline_ms = clock_monotonic_ms() + CONNECT_MS;
    set_timer(b, CONNECT_MS);
    b->state = LOOKING_UP;
    if (!b->resolver) {
        open_both(b);
        return;
    }
    (void)snprintf(port, sizeof port, "%u", b->address.port);
    request = evdns_getaddrinfo(b->resolver, b->address.host, port, &hints, on_looked_up, b);
    if (b->state == LOOKING_UP)
        b->look_up = request; /* NULL: it has called back already, or will not */
}

static void on_timer(evutil_socket_t fd, short what, void *argument)
{
    struct bus *b = argument;
    (void)fd;
    (void)what;

    if (b->state == WAITING) {
        start(b);
        return;
    }
    if (clock_monotonic_ms() >= b->deadline_ms) {
        lose(b, "Redis does not answer");
        return;
    }
    if (b->state == UP) {
        probe(b);
        set_timer(b, PROBE_MS);
    } else {
        set_timer(b, b->deadline_ms - clock_monotonic_ms());
    }
}

/* False: it is a name. */
static bool is_somewhere(struct bus *b)
{
    const struct bus_address *a = &b->address;
    struct sockaddr_un *path = (struct sockaddr_un *)&b->where;
    int length = sizeof b->where;
    char text[BUS_ADDRESS_MAX + 16];

    if (a->path) {
        path->sun_family = AF_UNIX;
        memcpy(path->sun_path, a->path, strlen(a->path) + 1);
        b->where_length = sizeof *path;
        return true;
    }
    (void)snprintf(text, sizeof text, strchr(a->host, ':') ? "[%s]:%u" : "%s:%u", a->host, a->port);
    if (evutil_parse_sockaddr_port(text, (struct sockaddr *)&b->where, &length) != 0)
        return false;
    b->where_length = (socklen_t)length;
    return true;
}

static bool is_too_long(const struct bus_address *a)
{
    return a->path && strlen(a->path) >= sizeof((struct sockaddr_un *)NULL)->sun_path;
}

/* Whether TLS can be had as it is configured, if it is. */
static bool check_tls(const struct bus *b)
{
    const struct bus_tls *t = &b->tls;
    char reason[BUS_TLS_REASON_MAX];
    struct ssl_st *ssl;

    if (!t->ca_file)
        return true;
    if ((t->certificate_file[0] == '\0') != (t->key_file[0] == '\0') ||
        (!has_tls(b) && t->key_file[0] != '\0')) {
        log_error("bus", "a certificate for Redis needs a key, and both need redis_ca_file");
        return false;
    }
    if (!has_tls(b))
        return true;
    if (b->address.path) {
        log_error("bus", "there is no TLS over a Unix socket: redis_ca_file must be empty");
        return false;
    }
    ssl = bus_tls_open(t, b->address.host, reason);
    if (!ssl)
        log_error("bus", "%s", reason);
    SSL_free(ssl);
    return ssl != NULL;
}

static bool prepare(struct bus *b, const struct bus_config *config)
{
    uint64_t random;

    b->prefix_length = strlen(config->prefix) + 1;
    b->prefix = must_malloc(b->prefix_length + 1);
    (void)snprintf(b->prefix, b->prefix_length + 1, "%s:", config->prefix);
    evutil_secure_rng_get_bytes(&random, sizeof random);
    (void)snprintf(b->probe, sizeof b->probe, "probe:%016llx", (unsigned long long)random);
    if (!bus_address_parse(&b->address, config->address) || is_too_long(&b->address)) {
        log_error("bus", "the address of Redis is not well formed");
        return false;
    }
    b->tls = config->tls;
    if (!check_tls(b))
        return false;
    if (!is_somewhere(b)) {
        b->resolver = evdns_base_new(b->base, EVDNS_BASE_INITIALIZE_NAMESERVERS |
                                                  EVDNS_BASE_DISABLE_WHEN_INACTIVE);
        if (!b->resolver)
            return false;
    }
    b->timer = evtimer_new(b->base, on_timer, b);
    return b->timer != NULL;
}

struct bus *bus_create(struct event_base *base, const struct bus_config *config,
                       const struct bus_handlers *handlers)
{
    struct bus *b = must_calloc(1, sizeof *b);

    b->base = base;
    b->handlers = *handlers;
    if (config->address[0] == '\0')
        return b;
    if (!prepare(b, config)) {
        bus_destroy(b);
        return NULL;
    }
    set_timer(b, 0);
    return b;
}

void bus_destroy(struct bus *b)
{
    if (!b)
        return;
    b->closing = true;
    lose(b, "");
    if (b->timer)
        event_free(b->timer);
    if (b->resolver)
        evdns_base_free(b->resolver, 0);
    explicit_bzero(&b->address, sizeof b->address);
    free(b->prefix);
    free(b);
}

bool bus_is_up(const struct bus *b)
{
    return b->state == UP;
}

static size_t waiting(struct bufferevent *connection)
{
    return evbuffer_get_length(bufferevent_get_output(connection));
}

void bus_publish(struct bus *b, struct slice channel, struct slice payload)
{
    if (b->state != UP)
        return;
    if (payload.length > BUS_MESSAGE_MAX || waiting(b->publisher) > OUT_MAX) {
        b->stats.dropped++;
        return;
    }
    b->stats.published++;
    publish(b, channel, payload);
}

void bus_subscribe(struct bus *b, struct slice channel)
{
    char name[CHANNEL_MAX];

    if (b->state == UP)
        command(b->subscriber, "SUBSCRIBE", (struct slice[]){full_name(b, channel, name)}, 1);
}

void bus_unsubscribe(struct bus *b, struct slice channel)
{
    char name[CHANNEL_MAX];

    if (b->state == UP)
        command(b->subscriber, "UNSUBSCRIBE", (struct slice[]){full_name(b, channel, name)}, 1);
}

void bus_get_stats(const struct bus *b, struct bus_stats *out)
{
    *out = b->stats;
}
