/* SPDX-License-Identifier: MIT */
/* bus_test.c - the bus over several Redis, which are stand-ins here: who has which channel, and
 * that they come and go as one. */
#include "unit/unit.h"

#include "bus/bus.h"
#include "bus/redis.h"

#include <stdio.h>
#include <stdlib.h>

struct redis {
    struct redis_handlers handlers;
    char address[64], label[REDIS_LABEL_MAX + 1];
    bool up;
    char last[64]; /* what was done with it last */
    struct redis_stats stats;
};

static struct redis parts[BUS_REDIS_MAX];
static unsigned count, destroyed, refused_at, ups, downs, messages;

struct redis *redis_create(struct event_base *base, const struct redis_config *config,
                           const struct redis_handlers *handlers)
{
    struct redis *r = &parts[count];
    (void)base;

    if (count == refused_at)
        return NULL;
    *r = (struct redis){.handlers = *handlers};
    (void)snprintf(r->address, sizeof r->address, "%s", config->address);
    (void)snprintf(r->label, sizeof r->label, "%s", config->label);
    count++;
    return r;
}

void redis_destroy(struct redis *r)
{
    redis_reset(r, "");
    destroyed++;
}

bool redis_is_up(const struct redis *r)
{
    return r->up;
}

static void set_up(struct redis *r)
{
    r->up = true;
    r->handlers.up(r->handlers.owner);
}

static void set_down(struct redis *r)
{
    r->up = false;
    r->handlers.down(r->handlers.owner);
}

void redis_reset(struct redis *r, const char *reason)
{
    (void)reason;
    if (r->up)
        set_down(r);
}

static void note(struct redis *r, const char *what, struct slice channel)
{
    (void)snprintf(r->last, sizeof r->last, "%s %.*s", what, (int)channel.length, channel.data);
}

void redis_publish(struct redis *r, struct slice channel, struct slice payload)
{
    (void)payload;
    note(r, "publish", channel);
    r->stats.published++;
}

void redis_subscribe(struct redis *r, struct slice channel)
{
    note(r, "subscribe", channel);
}

void redis_unsubscribe(struct redis *r, struct slice channel)
{
    note(r, "unsubscribe", channel);
}

void redis_get_stats(const struct redis *r, struct redis_stats *out)
{
    *out = r->stats;
}

static void on_up(void *owner)
{
    (void)owner;
    ups++;
}

static void on_down(void *owner)
{
    (void)owner;
    downs++;
}

static void on_message(void *owner, struct slice channel, struct slice payload)
{
    (void)owner;
    (void)channel;
    (void)payload;
    messages++;
}

static struct bus *open_bus(const char *addresses)
{
    const struct bus_handlers handlers = {.up = on_up, .down = on_down, .message = on_message};

    count = destroyed = ups = downs = messages = 0;
    return bus_create(NULL, &(struct bus_config){.address = addresses, .prefix = "test"},
                      &handlers);
}

static struct bus *open_all(const char *addresses)
{
    struct bus *b = open_bus(addresses);

    assert_non_null(b);
    for (unsigned i = 0; i < count; i++)
        set_up(&parts[i]);
    return b;
}

/* Which of them that was done with; it is done with one. */
static unsigned where(const char *what)
{
    unsigned found = 0, times = 0;

    for (unsigned i = 0; i < count; i++) {
        if (strcmp(parts[i].last, what) == 0) {
            found = i;
            times++;
        }
        parts[i].last[0] = '\0';
    }
    assert_int_equal(times, 1);
    return found;
}

static int begin(void **state)
{
    (void)state;
    refused_at = BUS_REDIS_MAX;
    return 0;
}

static void test_addresses(void **state)
{
    struct bus *b = open_bus("  :a@one:1 [::1]:2   /run/three ");
    (void)state;

    assert_non_null(b);
    assert_int_equal(count, 3);
    assert_string_equal(parts[0].address, ":a@one:1");
    assert_string_equal(parts[1].address, "[::1]:2");
    assert_string_equal(parts[2].address, "/run/three");
    assert_string_equal(parts[2].label, "Redis 3 of 3");
    bus_destroy(b);
    assert_int_equal(destroyed, 3);
    assert_int_equal(downs, 0);

    b = open_bus("one:1");
    assert_string_equal(parts[0].label, "Redis");
    bus_destroy(b);

    refused_at = 2;
    assert_null(open_bus("one:1 two:2 three:3"));
    assert_int_equal(destroyed, 2);
}

static void test_none_and_too_many(void **state)
{
    char addresses[4 * (BUS_REDIS_MAX + 1) + 1] = "";
    struct bus *b = open_bus("");
    (void)state;

    assert_non_null(b);
    bus_publish(b, slice_str("all"), slice_str("?"));
    bus_subscribe(b, slice_str("all"));
    assert_false(bus_is_up(b));
    bus_destroy(b);

    for (unsigned i = 0; i < BUS_REDIS_MAX + 1; i++)
        memcpy(addresses + 4 * i, "a:1 ", 4);
    assert_null(open_bus(addresses));
    assert_int_equal(count, 0);
    addresses[4 * BUS_REDIS_MAX] = '\0';
    b = open_bus(addresses);
    assert_non_null(b);
    assert_int_equal(count, BUS_REDIS_MAX);
    bus_destroy(b);
}

static void test_they_come_and_go_as_one(void **state)
{
    struct bus *b = open_bus("a:1 b:1 c:1");
    struct bus_stats stats;
    (void)state;

    set_up(&parts[0]);
    set_up(&parts[2]);
    assert_false(bus_is_up(b));
    parts[0].handlers.message(b, slice_str("all"), slice_str("early"));
    bus_publish(b, slice_str("all"), slice_str("early"));
    assert_int_equal(messages + ups, 0);
    set_down(&parts[0]); /* it was never all of them */
    set_up(&parts[0]);
    assert_int_equal(ups + downs, 0);
    set_up(&parts[1]);
    assert_true(bus_is_up(b));
    assert_int_equal(ups, 1);
    parts[1].handlers.message(b, slice_str("all"), slice_str("now"));
    bus_publish(b, slice_str("all"), slice_str("now"));
    assert_int_equal(messages, 1);
    set_down(&parts[1]);
    assert_false(bus_is_up(b) || parts[0].up || parts[2].up); /* nothing is subscribed to */
    assert_int_equal(downs, 1);
    for (unsigned i = 0; i < 3; i++)
        set_up(&parts[i]);
    assert_true(bus_is_up(b));
    assert_int_equal(ups, 2);
    bus_get_stats(b, &stats);
    assert_int_equal(stats.losses, 1);
    assert_int_equal(stats.published, 1);
    bus_destroy(b);
    assert_int_equal(downs, 1);
}

static void test_a_channel_has_one_place(void **state)
{
    enum { CHANNELS = 3000, PARTS = 3 };
    struct bus *b = open_all("a:1 b:1 c:1");
    unsigned each[PARTS] = {0};
    (void)state;

    for (unsigned i = 0; i < CHANNELS; i++) {
        char channel[32], what[64];
        unsigned at;

        (void)snprintf(channel, sizeof channel, "c:%u", i);
        bus_subscribe(b, slice_str(channel));
        (void)snprintf(what, sizeof what, "subscribe %s", channel);
        at = where(what);
        each[at]++;
        bus_publish(b, slice_str(channel), slice_str("?"));
        (void)snprintf(what, sizeof what, "publish %s", channel);
        assert_int_equal(where(what), at);
        bus_unsubscribe(b, slice_str(channel));
        (void)snprintf(what, sizeof what, "unsubscribe %s", channel);
        assert_int_equal(where(what), at);
    }
    for (unsigned i = 0; i < PARTS; i++)
        assert_in_range(each[i], CHANNELS / PARTS * 9 / 10, CHANNELS / PARTS * 11 / 10);
    bus_destroy(b);
}

/* Nodes of several releases must agree, whatever machine they run on. */
static void test_the_place_is_for_ever(void **state)
{
    static const char *const channels[] = {"all", "n:a", "n:b", "c:1", "c:2", "c:3"};
    static const unsigned places[] = {5, 6, 6, 1, 0, 6};
    struct bus *b = open_all("a:1 b:1 c:1 d:1 e:1 f:1 g:1");
    (void)state;

    for (size_t i = 0; i < ARRAY_LENGTH(channels); i++) {
        char what[64];

        bus_publish(b, slice_str(channels[i]), slice_str("?"));
        (void)snprintf(what, sizeof what, "publish %s", channels[i]);
        assert_int_equal(where(what), places[i]);
    }
    bus_destroy(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_addresses, begin),
        cmocka_unit_test_setup(test_none_and_too_many, begin),
        cmocka_unit_test_setup(test_they_come_and_go_as_one, begin),
        cmocka_unit_test_setup(test_a_channel_has_one_place, begin),
        cmocka_unit_test_setup(test_the_place_is_for_ever, begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
