/* SPDX-License-Identifier: MIT */
/* push_client_test.c - nothing that a name server does may hold up the loop: getaddrinfo(3) is
 * replaced by one that takes its time. */
#include "unit/unit.h"

#include "base/clock.h"
#include "push/client.h"

#include <event2/event.h>
#include <netdb.h>
#include <unistd.h>

enum { SLOW_S = 2, DEADLINE_MS = 200, TICK_MS = 20 };

struct scene {
    struct event_base *base;
    unsigned open, ended;
    uint64_t ticked_ms;  /* when the loop turned last */
    uint64_t longest_ms; /* that it did not */
    enum client_end end; /* of the last request */
};

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **out)
{
    (void)name;
    (void)service;
    (void)hints;
    (void)out;
    sleep(SLOW_S);
    return EAI_AGAIN;
}

static void on_tick(evutil_socket_t fd, short what, void *owner)
{
    struct scene *s = owner;
    uint64_t now = clock_monotonic_ms();

    (void)fd;
    (void)what;
    if (now - s->ticked_ms > s->longest_ms)
        s->longest_ms = now - s->ticked_ms;
    s->ticked_ms = now;
    if (s->ended == s->open)
        event_base_loopbreak(s->base);
}

static void on_done(void *owner, const struct client_answer *answer)
{
    struct scene *s = owner;

    s->end = answer->end;
    s->ended++;
}

static void post(struct scene *s, struct push_client *client)
{
    struct push_headers headers = {0};

    push_client_post(client, "https://slow.example/", &headers, slice_str("x"), DEADLINE_MS,
                     on_done, s);
    s->open++;
}

static void test_slow_names_hold_nothing_up(void **state)
{
    const struct push_client_config config = {.guarded = true};
    const struct timeval tick = {.tv_usec = TICK_MS * 1000};
    struct scene s = {.base = event_base_new(), .ticked_ms = clock_monotonic_ms()};
    struct push_client *client = push_client_create(s.base, &config);
    struct event *timer = event_new(s.base, -1, EV_PERSIST, on_tick, &s);
    uint64_t began;

    (void)state;
    assert_non_null(client);
    event_add(timer, &tick);
    for (unsigned i = 0; i < 20; i++)
        post(&s, client);
    event_base_dispatch(s.base);
    assert_int_equal(s.end, CLIENT_TIMEOUT);
    assert_true(s.longest_ms < SLOW_S * 1000 / 2);
    post(&s, client); /* and drop it */
    began = clock_monotonic_ms();
    event_base_loop(s.base, EVLOOP_ONCE);
    push_client_destroy(client);
    assert_true(clock_monotonic_ms() - began < SLOW_S * 1000 / 2);
    event_free(timer);
    event_base_free(s.base);
    sleep(SLOW_S + 1); /* the threads clean up after themselves */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slow_names_hold_nothing_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
