/* SPDX-License-Identifier: MIT */
/* bus_redis_test.c - the bus against a Redis that is none: it says what it is told to, breaks off,
 * or says nothing. Nothing of that may do more than end the connection. */
#include "unit/unit.h"

#include "base/buf.h"
#include "bus/bus.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <stdio.h>
#include <stdlib.h>

enum { CONNECTIONS_MAX = 64, LONG_MS = 2000 };

static struct event_base *base;
static struct evconnlistener *listener;
static struct bufferevent *connections[CONNECTIONS_MAX];
static unsigned accepted;
static char address[64];
static struct bus *bus;
static unsigned ups, downs, messages;
static char last_channel[64], last_payload[64];
/* What a connection hears first, what it hears after its SUBSCRIBE, and whether a PUBLISH comes
 * round. */
static struct slice greeting, after_subscribe;
static bool loops;

static void say(struct bufferevent *to, struct slice text)
{
    assert_int_equal(bufferevent_write(to, text.data, text.length), 0);
}

static void push(struct slice channel, struct slice payload)
{
    for (unsigned i = 0; i < accepted; i++) {
        struct evbuffer *out = connections[i] ? bufferevent_get_output(connections[i]) : NULL;

        if (out)
            evbuffer_add_printf(out, "*3\r\n$7\r\nmessage\r\n$%zu\r\n%.*s\r\n$%zu\r\n%.*s\r\n",
                                channel.length, (int)channel.length, channel.data, payload.length,
                                (int)payload.length, payload.data);
    }
}

/* The word after the next "$N\r\n". */
static struct slice next_word(const char **at)
{
    const char *dollar = strchr(*at, '$');
    const char *end;
    size_t length;

    if (!dollar)
        return slice_of(NULL, 0);
    length = strtoul(dollar + 1, NULL, 10);
    end = strchr(dollar, '\n');
    *at = end + 1 + length;
    return slice_of(end + 1, length);
}

static void on_command(struct bufferevent *from, void *unused)
{
    struct evbuffer *in = bufferevent_get_input(from);
    char text[8192];
    ssize_t length = evbuffer_remove(in, text, sizeof text - 1);
    const char *at = text;
    struct slice word;
    (void)unused;

    text[length > 0 ? length : 0] = '\0';
    while ((word = next_word(&at)).data) {
        struct slice channel = next_word(&at);

        if (slice_equal(word, slice_str("SUBSCRIBE"))) {
            evbuffer_add_printf(bufferevent_get_output(from),
                                "*3\r\n$9\r\nsubscribe\r\n$%zu\r\n%.*s\r\n:1\r\n", channel.length,
                                (int)channel.length, channel.data);
            say(from, after_subscribe);
        } else if (slice_equal(word, slice_str("PUBLISH"))) {
            struct slice payload = next_word(&at);

            say(from, slice_str(":1\r\n"));
            if (loops)
                push(channel, payload);
        }
    }
}

static void on_end(struct bufferevent *from, short what, void *unused)
{
    (void)what;
    (void)unused;
    for (unsigned i = 0; i < accepted; i++) {
        if (connections[i] == from)
            connections[i] = NULL;
    }
    bufferevent_free(from);
}

static void on_accept(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *from,
                      int length, void *unused)
{
    struct bufferevent *c = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
    (void)l;
    (void)from;
    (void)length;
    (void)unused;

    assert_non_null(c);
    assert_true(accepted < CONNECTIONS_MAX);
    connections[accepted++] = c;
    bufferevent_setcb(c, on_command, NULL, on_end, NULL);
    assert_int_equal(bufferevent_enable(c, EV_READ | EV_WRITE), 0);
    say(c, greeting);
}

static void on_up(void *owner)
{
    (void)owner;
    ups++;
    bus_subscribe(bus, slice_str("all"));
}

static void on_down(void *owner)
{
    (void)owner;
    downs++;
}

static void on_message(void *owner, struct slice channel, struct slice payload)
{
    (void)owner;
    messages++;
    (void)snprintf(last_channel, sizeof last_channel, "%.*s", (int)channel.length, channel.data);
    (void)snprintf(last_payload, sizeof last_payload, "%.*s", (int)payload.length, payload.data);
}

static int set_up(void **state)
{
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof where;
    (void)state;

    ups = downs = messages = accepted = 0;
    greeting = after_subscribe = slice_str("");
    loops = true;
    base = event_base_new();
    listener = evconnlistener_new_bind(base, on_accept, NULL, LEV_OPT_CLOSE_ON_FREE, -1,
                                       (struct sockaddr *)&where, sizeof where);
    assert_non_null(listener);
    assert_int_equal(
        getsockname(evconnlistener_get_fd(listener), (struct sockaddr *)&where, &length), 0);
    (void)snprintf(address, sizeof address, "127.0.0.1:%u", ntohs(where.sin_port));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    bus_destroy(bus);
    bus = NULL;
    for (unsigned i = 0; i < accepted; i++) {
        if (connections[i])
            bufferevent_free(connections[i]);
    }
    evconnlistener_free(listener);
    event_base_free(base);
    return 0;
}

static void open_bus(void)
{
    const struct bus_handlers handlers = {.up = on_up, .down = on_down, .message = on_message};

    bus = bus_create(base, &(struct bus_config){.address = address, .prefix = "test"}, &handlers);
    assert_non_null(bus);
}

/* Until *count is `wanted`, for LONG_MS at most. */
static void run_until(const unsigned *count, unsigned wanted)
{
    const struct timeval slice = {.tv_usec = 10000};

    for (unsigned ms = 0; *count < wanted && ms < LONG_MS; ms += 10) {
        event_base_loopexit(base, &slice);
        event_base_dispatch(base);
    }
    assert_true(*count >= wanted);
}

static void test_messages(void **state)
{
    (void)state;

    open_bus();
    run_until(&ups, 1);
    bus_publish(bus, slice_str("all"), slice_str("hello"));
    run_until(&messages, 1);
    assert_string_equal(last_channel, "all");
    assert_string_equal(last_payload, "hello");
    push(slice_str("other:all"), slice_str("of another installation"));
    push(slice_str("tes"), slice_str("short"));
    bus_publish(bus, slice_str("all"), slice_str("again"));
    while (strcmp(last_payload, "again") != 0)
        run_until(&messages, messages + 1);
    assert_int_equal(downs, 0);
}

/* Whatever else it says, the connection is lost, and there is another. */
static void test_garbage(void **state)
{
    static const char *const texts[] = {
        "HTTP/1.1 400 Bad Request\r\n\r\n",
        "-ERR max number of clients reached\r\n",
        "-LOADING Redis is loading the dataset in memory\r\n",
        "$9999999999\r\n",
        "*2000000000\r\n",
        "*1\r\n*1\r\n*1\r\n",
        "%3\r\n",
        "\r\n\r\n",
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        unsigned before = downs;

        after_subscribe = slice_str("");
        if (!bus)
            open_bus();
        run_until(&ups, ups + !bus_is_up(bus));
        for (unsigned n = 0; n < accepted; n++) {
            if (connections[n])
                say(connections[n], slice_str(texts[i]));
        }
        run_until(&downs, before + 1);
        assert_false(bus_is_up(bus));
    }
    run_until(&ups, ups + 1);
}

/* What says nothing is passed over: also before anything was asked. */
static void test_chatter(void **state)
{
    (void)state;

    greeting = slice_str("+OK\r\n:7\r\n$2\r\nhi\r\n$-1\r\n*0\r\n*-1\r\n*1\r\n$7\r\nmessage\r\n"
                         "*3\r\n$7\r\nmessage\r\n$-1\r\n$-1\r\n*3\r\n:1\r\n:2\r\n:3\r\n"
                         "*3\r\n$11\r\nunsubscribe\r\n$-1\r\n:0\r\n");
    open_bus();
    run_until(&ups, 1);
    bus_publish(bus, slice_str("all"), slice_str("hello"));
    run_until(&messages, 1);
    assert_int_equal(downs, 0);
}

/* It answers, and what is published never comes round: not up, and nothing waits for it. */
static void test_deaf(void **state)
{
    (void)state;

    loops = false;
    open_bus();
    run_until(&accepted, 2);
    bus_publish(bus, slice_str("all"), slice_str("lost"));
    assert_false(bus_is_up(bus));
}

static void test_refused_at_once(void **state)
{
    (void)state;

    greeting = slice_str("-NOAUTH Authentication required.\r\n");
    open_bus();
    run_until(&accepted, 4); /* and again, and again */
    assert_int_equal(ups, 0);
    assert_int_equal(downs, 0);
}

/* More waits than is allowed: the rest is dropped, and counted. */
static void test_slow(void **state)
{
    struct bus_stats stats;
    char *payload = calloc(1, BUS_MESSAGE_MAX);
    (void)state;

    assert_non_null(payload);
    open_bus();
    run_until(&ups, 1);
    for (unsigned i = 0; i < 40; i++)
        bus_publish(bus, slice_str("all"), slice_of(payload, BUS_MESSAGE_MAX));
    bus_get_stats(bus, &stats);
    assert_true(stats.dropped >= 20);
    assert_true(stats.published >= 10);
    free(payload);
}

static void test_nobody_there(void **state)
{
    (void)state;

    evconnlistener_disable(listener);
    (void)snprintf(address, sizeof address, "/nonexistent/redis.sock");
    open_bus();
    for (unsigned i = 0; i < 30; i++) {
        const struct timeval slice = {.tv_usec = 10000};

        event_base_loopexit(base, &slice);
        event_base_dispatch(base);
    }
    assert_int_equal(ups, 0);
    assert_false(bus_is_up(bus));
}

/* With TLS that is there it is tried in tests/integration/test_links.py. */
static void test_tls_that_cannot_be(void **state)
{
    static const struct bus_config cases[] = {
        {"127.0.0.1:1", "test", {"ca", "certificate", ""}},
        {"127.0.0.1:1", "test", {"ca", "", "key"}},
        {"127.0.0.1:1", "test", {"", "certificate", "key"}},
        {"127.0.0.1:1", "test", {"/nonexistent", "", ""}},
        {"127.0.0.1:1", "test", {"/dev/null", "", ""}},
        {"/run/redis.sock", "test", {"/dev/null", "", ""}}, /* there is nobody between */
    };
    const struct bus_handlers none = {0};
    (void)state;

    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        assert_null(bus_create(base, &cases[i], &none));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_messages, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_garbage, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_chatter, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_deaf, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refused_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_slow, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nobody_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_tls_that_cannot_be, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
