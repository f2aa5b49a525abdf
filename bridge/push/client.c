/* SPDX-License-Identifier: MIT */
/* client.c - see client.h. libcurl says which sockets and which timer it waits for; we tell it what
 * happened, then collect what has ended. Its own callbacks only take notes. */
#include "push/client.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "push/address.h"
#include "push/retry_after.h"

#include <assert.h>
#include <curl/curl.h>
#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    HEADER_MAX_BYTES = 8192,
    CONNECTIONS_PER_HOST = 4,
    CONNECTIONS_KEPT = 64,
    STREAMS_PER_CONNECTION = 200, /* or fewer, as the server says */
    TIMEOUTS_SUSPICIOUS = 3,
    UNACKNOWLEDGED_MAX_MS = 10000, /* then the connection is taken for dead */
};

struct exchange {
    LIST_ENTRY(exchange) next;
    struct push_client *client;
    CURL *easy;
    struct curl_slist *headers;
    struct buf answer;
    uint64_t deadline_ms; /* monotonic */
    bool again;           /* this is its second way */
    unsigned addresses_refused, addresses_tried;
    client_done_fn *done;
    void *owner;
};

struct push_client {
    struct push_client_config config; /* ca_file is owned */
    struct event_base *base;
    CURLM *multi;
    struct event *timer;
    unsigned timeouts; /* since the last answer */
    LIST_HEAD(, exchange) exchanges;
};

void push_headers_add(struct push_headers *h, const char *format, ...)
{
    char line[HEADER_MAX_BYTES];
    struct curl_slist *longer;
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    assert(length > 0 && (size_t)length < sizeof line && !strpbrk(line, "\r\n"));
    longer = curl_slist_append(h->list, line);
    if (!longer) {
        log_error("push", "out of memory");
        abort();
    }
    h->list = longer;
    explicit_bzero(line, sizeof line);
}

static void free_exchange(struct exchange *x)
{
    LIST_REMOVE(x, next);
    curl_multi_remove_handle(x->client->multi, x->easy);
    curl_easy_cleanup(x->easy);
    curl_slist_free_all(x->headers);
    buf_finish(&x->answer);
    free(x);
}

static int64_t retry_after_of(CURL *easy)
{
    struct curl_header *header;

    if (curl_easy_header(easy, "Retry-After", 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
        return -1;
    return retry_after_parse(slice_str(header->value), clock_wall_ms() / 1000);
}

static bool was_connected(const struct exchange *x)
{
    const char *address = NULL;

    return curl_easy_getinfo(x->easy, CURLINFO_PRIMARY_IP, &address) == CURLE_OK && address &&
           address[0] != '\0';
}

/* A status that came counts even if the rest of the answer did not: what we had it cut off for its
 * length, and success, which must not be asked for twice. */
static enum client_end end_of(const struct exchange *x, CURLcode code, unsigned status)
{
    bool cut_off = code == CURLE_WRITE_ERROR && x->answer.length > 0;

    if (code == CURLE_OK || cut_off || (status >= 200 && status < 300))
        return status >= 200 ? CLIENT_ANSWERED : CLIENT_UNREACHABLE;
    switch (code) {
    case CURLE_URL_MALFORMAT:
        return CLIENT_BAD_URL;
    case CURLE_UNSUPPORTED_PROTOCOL: /* of the URL, or of what the other end speaks */
        return was_connected(x) ? CLIENT_UNREACHABLE : CLIENT_BAD_URL;
    case CURLE_OPERATION_TIMEDOUT:
        return CLIENT_TIMEOUT;
    case CURLE_OUT_OF_MEMORY:
    case CURLE_FAILED_INIT:
    case CURLE_BAD_FUNCTION_ARGUMENT:
        return CLIENT_BROKEN;
    default:
        return x->addresses_refused > 0 && x->addresses_tried == 0 ? CLIENT_FORBIDDEN
                                                                   : CLIENT_UNREACHABLE;
    }
}

/* A connection that takes requests and answers none would be used again and again: a deadline ends
 * the request, not the connection. Now libcurl finds it closed. */
static void hang_up(CURL *easy)
{
    curl_socket_t fd;

    if (curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &fd) == CURLE_OK && fd != CURL_SOCKET_BAD)
        (void)shutdown(fd, SHUT_RDWR);
}

static void start(struct exchange *x)
{
    uint64_t now = clock_monotonic_ms();
    long left_ms = x->deadline_ms > now ? (long)(x->deadline_ms - now) : 1;

    curl_easy_setopt(x->easy, CURLOPT_TIMEOUT_MS, left_ms);
    if (curl_multi_add_handle(x->client->multi, x->easy) != CURLM_OK) {
        log_error("push", "libcurl takes no more requests"); /* it fails for lack of memory only */
        abort();
    }
}

/* Services hang up on connections that have been used for long, and requests then are lost between.
 * So what breaks on such a connection goes another time at once, on another one. */
static bool goes_again(const struct exchange *x, CURLcode code, long status)
{
    long connects = 0;

    curl_easy_getinfo(x->easy, CURLINFO_NUM_CONNECTS, &connects);
    return !x->again && connects == 0 && status == 0 &&
           (code == CURLE_HTTP2 || code == CURLE_HTTP2_STREAM || code == CURLE_SEND_ERROR ||
            code == CURLE_RECV_ERROR || code == CURLE_GOT_NOTHING || code == CURLE_PARTIAL_FILE);
}

static void finish(struct exchange *x, CURLcode code)
{
    struct client_answer answer = {.retry_after_ms = -1};
    long status = 0;

    curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
    if (goes_again(x, code, status)) {
        x->again = true;
        curl_multi_remove_handle(x->client->multi, x->easy);
        start(x);
        return;
    }
    answer.end = end_of(x, code, (unsigned)status);
    if (answer.end == CLIENT_ANSWERED) {
        answer.status = (unsigned)status;
        answer.body = buf_slice(&x->answer);
        answer.retry_after_ms = retry_after_of(x->easy);
        x->client->timeouts = 0;
    } else {
        if (answer.end == CLIENT_TIMEOUT && ++x->client->timeouts >= TIMEOUTS_SUSPICIOUS)
            hang_up(x->easy);
        log_debug("push", "a request has failed: %s", curl_easy_strerror(code));
    }
    x->done(x->owner, &answer);
    free_exchange(x);
}

static void collect(struct push_client *c)
{
    struct exchange *x;
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(c->multi, &left)) != NULL) {
        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&x);
        finish(x, message->data.result);
    }
}

static void on_socket(evutil_socket_t fd, short what, void *owner)
{
    struct push_client *c = owner;
    int flags = (what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0);
    int running;

    curl_multi_socket_action(c->multi, fd, flags, &running);
    collect(c);
}

static void on_timer(evutil_socket_t fd, short what, void *owner)
{
    struct push_client *c = owner;
    int running;

    (void)fd;
    (void)what;
    curl_multi_socket_action(c->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    collect(c);
}

/* `watch` is what we have assigned to the socket: its event, or NULL at first. */
static int on_watch(CURL *easy, curl_socket_t fd, int what, void *owner, void *watch)
{
    struct push_client *c = owner;
    struct event *event = watch;
    short kinds = EV_PERSIST;

    (void)easy;
    if (event)
        event_free(event);
    event = NULL;
    if (what != CURL_POLL_REMOVE) {
        kinds |=
            (short)((what & CURL_POLL_IN ? EV_READ : 0) | (what & CURL_POLL_OUT ? EV_WRITE : 0));
        event = event_new(c->base, fd, kinds, on_socket, c);
        if (!event || event_add(event, NULL) != 0) {
            log_error("push", "cannot watch a socket"); /* the request's deadline ends it */
            if (event)
                event_free(event);
            event = NULL;
        }
    }
    curl_multi_assign(c->multi, fd, event);
    return 0;
}

static int on_wait(CURLM *multi, long wait_ms, void *owner)
{
    struct push_client *c = owner;
    struct timeval wait = {.tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000};

    (void)multi;
    if (wait_ms < 0)
        event_del(c->timer);
    else
        event_add(c->timer, &wait);
    return 0;
}

static size_t on_answer(char *data, size_t size, size_t count, void *owner)
{
    struct exchange *x = owner;
    size_t room = x->answer.ceiling - x->answer.length;
    size_t length = size * count;

    buf_bytes(&x->answer, data, length < room ? length : room);
    return length <= room ? length : CURL_WRITEFUNC_ERROR;
}

static curl_socket_t on_open(void *owner, curlsocktype purpose, struct curl_sockaddr *address)
{
    const unsigned silence_ms = UNACKNOWLEDGED_MAX_MS;
    struct exchange *x = owner;
    int fd;

    if (purpose != CURLSOCKTYPE_IPCXN)
        return CURL_SOCKET_BAD;
    if (x->client->config.guarded && !address_is_public(&address->addr, address->addrlen)) {
        x->addresses_refused++;
        return CURL_SOCKET_BAD;
    }
    x->addresses_tried++;
    fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (fd >= 0)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &silence_ms, sizeof silence_ms);
    return fd >= 0 ? fd : CURL_SOCKET_BAD;
}

static void set_policy(const struct push_client *c, CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, c->config.allow_http ? "https,http" : "https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* nor from the environment */
    curl_easy_setopt(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (c->config.ca_file)
        curl_easy_setopt(easy, CURLOPT_CAINFO, c->config.ca_file);
    /* With a directory besides the file, libcurl would read all authorities again for every
     * connection, which holds up the loop. */
    curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L); /* rather a stream than a connection */
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    /* Names are looked up in threads. Without this a request whose deadline passes meanwhile would
     * hold up the loop until the name server has answered. */
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "banter/" BANTER_VERSION);
}

void push_client_post(struct push_client *c, const char *url, struct push_headers *headers,
                      struct slice body, unsigned timeout_ms, client_done_fn *done, void *owner)
{
    struct exchange *x = must_calloc(1, sizeof *x);

    x->client = c;
    x->deadline_ms = clock_monotonic_ms() + timeout_ms;
    x->done = done;
    x->owner = owner;
    x->headers = headers->list;
    headers->list = NULL;
    buf_init(&x->answer, CLIENT_BODY_MAX_BYTES);
    x->easy = curl_easy_init();
    if (!x->easy) {
        log_error("push", "out of memory");
        abort();
    }
    set_policy(c, x->easy);
    curl_easy_setopt(x->easy, CURLOPT_URL, url);
    curl_easy_setopt(x->easy, CURLOPT_HTTPHEADER, x->headers);
    curl_easy_setopt(x->easy, CURLOPT_POSTFIELDS, body.data ? body.data : "");
    curl_easy_setopt(x->easy, CURLOPT_POSTFIELDSIZE, (long)body.length);
    curl_easy_setopt(x->easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
    curl_easy_setopt(x->easy, CURLOPT_OPENSOCKETDATA, x);
    curl_easy_setopt(x->easy, CURLOPT_WRITEFUNCTION, on_answer);
    curl_easy_setopt(x->easy, CURLOPT_WRITEDATA, x);
    curl_easy_setopt(x->easy, CURLOPT_PRIVATE, x);
    LIST_INSERT_HEAD(&c->exchanges, x, next);
    start(x);
}

struct push_client *push_client_create(struct event_base *base,
                                       const struct push_client_config *config)
{
    struct push_client *c = must_calloc(1, sizeof *c);

    c->config = *config;
    c->config.ca_file = config->ca_file ? must_strndup(slice_str(config->ca_file)) : NULL;
    c->base = base;
    LIST_INIT(&c->exchanges);
    curl_global_init(CURL_GLOBAL_DEFAULT); /* counts its calls; the other half is in destroy */
    c->timer = evtimer_new(base, on_timer, c);
    c->multi = curl_multi_init();
    if (!c->timer || !c->multi) {
        log_error("push", "cannot set libcurl up");
        push_client_destroy(c);
        return NULL;
    }
    curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, on_watch);
    curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
    curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, on_wait);
    curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
    curl_multi_setopt(c->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
    curl_multi_setopt(c->multi, CURLMOPT_MAX_CONCURRENT_STREAMS, (long)STREAMS_PER_CONNECTION);
    curl_multi_setopt(c->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)CONNECTIONS_PER_HOST);
    curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_KEPT);
    return c;
}

void push_client_destroy(struct push_client *c)
{
    struct exchange *x;

    if (!c)
        return;
    while ((x = LIST_FIRST(&c->exchanges)) != NULL)
        free_exchange(x);
    curl_multi_cleanup(c->multi); /* takes its sockets' events with it, through on_watch() */
    if (c->timer)
        event_free(c->timer);
    curl_global_cleanup();
    free((char *)c->config.ca_file);
    free(c);
}
