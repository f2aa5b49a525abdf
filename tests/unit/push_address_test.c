/* SPDX-License-Identifier: MIT */
/* push_address_test.c - where strangers may lead us: addresses, URLs, and the guard at the socket.
 */
#include "unit/unit.h"

#include "push/address.h"
#include "push/client.h"
#include "push/endpoint.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>
#include <unistd.h>

static bool is_public(const char *text)
{
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    struct sockaddr_in v4 = {.sin_family = AF_INET};

    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
        return address_is_public((const struct sockaddr *)&v4, sizeof v4);
    assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
    return address_is_public((const struct sockaddr *)&v6, sizeof v6);
}

static void test_public_addresses(void **state)
{
    static const char *const addresses[] = {
        "1.1.1.1",         "8.8.8.8",         "9.255.255.255",        "11.0.0.0",
        "100.63.255.255",  "100.128.0.0",     "126.255.255.255",      "128.0.0.0",
        "169.253.0.1",     "169.255.0.1",     "172.15.255.255",       "172.32.0.0",
        "192.167.0.1",     "192.169.0.1",     "198.17.255.255",       "198.20.0.0",
        "223.255.255.255", "2606:4700::1111", "2001:4860:4860::8888", "2a00:1450::1",
        "2001:200::1",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(addresses); i++) {
        if (!is_public(addresses[i]))
            fail_msg("%s is refused", addresses[i]);
    }
}

static void test_all_others(void **state)
{
    static const char *const addresses[] = {
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.0",
        "10.255.255.255",
        "100.64.0.0",
        "100.127.0.1",
        "127.0.0.1",
        "127.255.255.255",
        "169.254.169.254",
        "172.16.0.0",
        "172.31.255.255",
        "192.0.0.1",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:1ff::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "3fff::1",
        "4000::1",
        "5f00::1",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "febf::1",
        "fec0::1",
        "ff02::1",
        "ffff::1",
    };
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    struct sockaddr_in cut = {.sin_family = AF_INET};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(addresses); i++) {
        if (is_public(addresses[i]))
            fail_msg("%s is allowed", addresses[i]);
    }
    assert_false(address_is_public((const struct sockaddr *)&local, sizeof local));
    cut.sin_addr.s_addr = htonl(0x08080808);
    assert_false(address_is_public((const struct sockaddr *)&cut, 4));
}

static void expect_origin(const char *url, const char *expected)
{
    char *origin = endpoint_origin(url);

    if (expected)
        assert_string_equal(origin, expected);
    else
        assert_null(origin);
    free(origin);
}

static void test_origins(void **state)
{
    (void)state;
    expect_origin("https://push.example.com/send/abc?x=1", "https://push.example.com");
    expect_origin("https://PUSH.Example.com:443/x", "https://push.example.com");
    expect_origin("https://push.example.com:8443/x", "https://push.example.com:8443");
    expect_origin("http://push.example.com:80/x", "http://push.example.com");
    expect_origin("https://[2606:4700::1111]/", "https://[2606:4700::1111]");
    expect_origin("https://user@push.example.com/", NULL);
    expect_origin("https://", NULL);
}

static void test_urls(void **state)
{
    static const struct endpoint_rules strict = {0}, open = {true, true};

    (void)state;
    assert_null(endpoint_problem(slice_str("https://example.com/x?y=z"), &strict));
    assert_null(endpoint_problem(slice_str("https://1.1.1.1/"), &strict));
    assert_null(endpoint_problem(slice_str("https://[2606:4700::1111]:8443/"), &strict));
    assert_non_null(endpoint_problem(slice_str("http://example.com/"), &strict));
    assert_non_null(endpoint_problem(slice_str("https://[::1%25lo]/"), &strict));
    assert_non_null(endpoint_problem(slice_str("https://[::1]/"), &strict));
    assert_non_null(endpoint_problem(slice_of("https://a\0b/", 12), &strict));
    assert_null(endpoint_problem(slice_str("http://127.0.0.1:8080/"), &open));
    assert_null(endpoint_problem(slice_str("https://localhost/"), &open));
    assert_non_null(endpoint_problem(slice_str("file:///etc/passwd"), &open));
    assert_non_null(endpoint_problem(slice_str("https://a:b@localhost/"), &open));
}

static int listen_at_home(unsigned *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 4), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

struct ending {
    struct event_base *base;
    enum client_end end;
};

static void on_done(void *owner, const struct client_answer *answer)
{
    struct ending *e = owner;

    e->end = answer->end;
    event_base_loopbreak(e->base);
}

static enum client_end post(bool guarded, const char *url)
{
    const struct push_client_config config = {.guarded = guarded};
    struct ending e = {event_base_new(), CLIENT_ANSWERED};
    struct push_client *client = push_client_create(e.base, &config);
    struct push_headers headers = {0};

    assert_non_null(client);
    push_client_post(client, url, &headers, slice_str("x"), 500, on_done, &e);
    event_base_dispatch(e.base);
    push_client_destroy(client);
    event_base_free(e.base);
    return e.end;
}

/* The form of the URL is not looked at here: what counts is where the connection would go. */
static void test_the_guard_at_the_socket(void **state)
{
    unsigned port;
    int fd = listen_at_home(&port);
    char url[64];

    (void)state;
    snprintf(url, sizeof url, "https://127.0.0.1:%u/", port);
    assert_int_equal(post(true, url), CLIENT_FORBIDDEN);
    snprintf(url, sizeof url, "https://localhost:%u/", port);
    assert_int_equal(post(true, url), CLIENT_FORBIDDEN);
    assert_int_equal(accept(fd, NULL, NULL), -1); /* nobody came */
    assert_int_equal(post(false, url), CLIENT_TIMEOUT);
    assert_true(accept(fd, NULL, NULL) >= 0);
    assert_int_equal(post(true, "http://example.com/"), CLIENT_BAD_URL);
    assert_int_equal(post(false, "file:///etc/hostname"), CLIENT_BAD_URL);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_public_addresses),
        cmocka_unit_test(test_all_others),
        cmocka_unit_test(test_origins),
        cmocka_unit_test(test_urls),
        cmocka_unit_test(test_the_guard_at_the_socket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
