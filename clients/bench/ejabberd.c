/* SPDX-License-Identifier: MIT */
/* ejabberd.c - the pairs on a server of another kind, for comparison: ejabberd with its message
 * archive in PostgreSQL. --mqtt is its XMPP port, the first of --pids its process.
 *
 * A message is archived before it is routed, so its arrival stands for the receipt: a sender whose
 * window is full sends again when the other one has got something. */
#include "base/clock.h"
#include "histogram.h"
#include "metrics.h"
#include "probe.h"
#include "process.h"
#include "report.h"
#include "scenario.h"
#include "sender.h"
#include "stamp.h"
#include "words.h"
#include "xmpp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
    LOGIN_DEADLINE_US = 120000000,
    DRAIN_DEADLINE_US = 30000000,
    LOGGING_IN_MAX = 4,
    EVENTS_MAX = 256,
    TURN_US = 1000,
    TEXT_MAX = 1 << 20,
    WINDOW_DEFAULT = 8,
};

struct contest {
    const struct options *options;
    struct sockaddr_in address;
    struct cast cast;
    struct xmpp *clients;   /* one per player: the two of a pair stand next to each other */
    struct sender *senders; /* one per pair */
    struct sender_plan plan;
    uint64_t round; /* as in struct troupe */
    struct buf text;
    int epoll;
    unsigned ready;
    uint64_t measure_from_us, measure_to_us;
    uint64_t delivered, counted, disorder;
    struct histogram delivered_us;
    struct measurement *runs;
};

static bool is_lost(const char *handle)
{
    fprintf(stderr, "banter-bench: the connection of %s is lost: %s\n", handle, strerror(errno));
    return false;
}

/* ---------------------------------------------------------------- sending and receiving */

static bool send_due(struct contest *c, unsigned pair, uint64_t now_us)
{
    struct sender *sender = &c->senders[pair];
    struct xmpp *from = &c->clients[2 * pair];
    struct stamp stamp = {.sender = pair};
    uint32_t number;
    char id[UUID_TEXT_LENGTH];

    while (sender_next(sender, &c->plan, now_us, &number, &stamp.due_us)) {
        stamp.number = number & STAMP_MASK;
        stamp_format(&stamp, id);
        xmpp_write_message(from, c->cast.players[2 * pair + 1].handle, slice_of(id, sizeof(id)),
                           buf_slice(&c->text));
    }
    return xmpp_flush(from) || is_lost(from->handle);
}

static bool take_message(struct contest *c, struct slice id, uint64_t now_us)
{
    struct stamp stamp;

    if (!stamp_parse(id, &stamp) || stamp.sender >= c->cast.stage_count)
        return true; /* none of ours */

    struct sender *sender = &c->senders[stamp.sender];

    if (!sender_outcome(sender, stamp.number, SENDER_STORED, now_us))
        c->disorder++;
    c->delivered++;
    if (now_us >= c->measure_from_us && now_us < c->measure_to_us)
        c->counted++;
    if (stamp.due_us >= c->measure_from_us && stamp.due_us < c->measure_to_us)
        histogram_record(&c->delivered_us, now_us - stamp.due_us);
    return c->plan.rate > 0 || send_due(c, stamp.sender, now_us);
}

static bool read_client(struct contest *c, struct xmpp *x)
{
    bool was_ready = x->state == XMPP_READY;
    uint64_t now_us;
    struct slice id;

    if (!xmpp_read(x) || !xmpp_flush(x))
        return is_lost(x->handle);
    now_us = clock_monotonic_us();
    c->ready += !was_ready && x->state == XMPP_READY;
    while (x->state == XMPP_READY && xmpp_next_message(x, &id)) {
        if (!take_message(c, id, now_us))
            return false;
    }
    return true;
}

static bool turn(struct contest *c, uint64_t timeout_us)
{
    struct epoll_event events[EVENTS_MAX];
    const struct timespec timeout = {.tv_nsec = (long)timeout_us * 1000};
    int count = epoll_pwait2(c->epoll, events, EVENTS_MAX, &timeout, NULL);

    for (int i = 0; i < count; i++) {
        if (!read_client(c, events[i].data.ptr))
            return false;
    }
    return count >= 0 || errno == EINTR;
}

/* ---------------------------------------------------------------- the phases */

static bool open_client(struct contest *c, unsigned i)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &c->clients[i]};

    return (xmpp_open(&c->clients[i], &c->address) &&
            epoll_ctl(c->epoll, EPOLL_CTL_ADD, c->clients[i].fd, &event) == 0) ||
           is_lost(c->clients[i].handle);
}

static bool log_in_all(struct contest *c)
{
    uint64_t until_us = clock_monotonic_us() + LOGIN_DEADLINE_US;
    unsigned opened = 0;

    while (c->ready < c->cast.player_count) {
        for (; opened < c->cast.player_count && opened - c->ready < LOGGING_IN_MAX; opened++) {
            if (!open_client(c, opened))
                return false;
        }
        if (!turn(c, TURN_US))
            return false;
        if (clock_monotonic_us() > until_us) {
            fprintf(stderr, "banter-bench: %u of %u logged in\n", c->ready, c->cast.player_count);
            return false;
        }
    }
    return true;
}

/* All drafts that are due by now; with a rate, the senders take turns. */
static bool send_all_due(struct contest *c, uint64_t now_us)
{
    while (c->plan.rate > 0 && plan_due_us(&c->plan, c->round) <= now_us) {
        if (!send_due(c, (unsigned)(c->round++ % c->plan.senders), now_us))
            return false;
    }
    return true;
}

static uint64_t outstanding(const struct contest *c)
{
    uint64_t count = 0;

    for (unsigned i = 0; i < c->cast.stage_count; i++)
        count += sender_outstanding(&c->senders[i]);
    return count;
}

static bool perform(struct contest *c, struct probe *probe)
{
    uint64_t now_us = clock_monotonic_us();
    bool begun = false;

    for (unsigned i = 0; c->plan.rate == 0 && i < c->cast.stage_count; i++) {
        if (!send_due(c, i, now_us))
            return false;
    }
    for (; now_us < c->measure_to_us; now_us = clock_monotonic_us()) {
        if (!begun && now_us >= c->measure_from_us) {
            begun = true;
            probe_mark(probe, true, c->delivered);
        }
        if (!send_all_due(c, now_us) || !turn(c, c->plan.rate > 0 ? TURN_US / 10 : TURN_US))
            return false;
    }
    probe_mark(probe, false, c->delivered);
    while (outstanding(c) > 0 && clock_monotonic_us() < c->measure_to_us + DRAIN_DEADLINE_US) {
        if (!turn(c, TURN_US))
            return false;
    }
    return true;
}

static void plan(struct contest *c)
{
    const struct options *o = c->options;
    uint64_t start_us = clock_monotonic_us();

    for (unsigned i = 0; i < c->cast.stage_count; i++)
        sender_init(&c->senders[i], i);
    histogram_reset(&c->delivered_us);
    c->round = c->delivered = c->counted = c->disorder = 0;
    c->measure_from_us = start_us + (uint64_t)o->warm_up * 1000000;
    c->measure_to_us = c->measure_from_us + (uint64_t)o->seconds * 1000000;
    c->plan = (struct sender_plan){.start_us = start_us,
                                   .end_us = c->measure_to_us,
                                   .rate = o->rate,
                                   .senders = c->cast.stage_count,
                                   .window = o->window ? o->window : WINDOW_DEFAULT};
}

static bool run_once(struct contest *c, struct measurement *m)
{
    const struct options *o = c->options;
    struct probe probe = {.broker = o->broker_pid, .postgres = o->postgres_pid};

    measurement_clear(m);
    plan(c);
    if (!perform(c, &probe))
        return false;
    m->values[METRIC_MESSAGES_PER_S] = m->values[METRIC_DELIVERIES_PER_S] =
        (double)c->counted / o->seconds;
    measurement_add_latencies(m, METRIC_DELIVERY_P50_MS, &c->delivered_us);
    m->values[METRIC_MISSING] = (double)outstanding(c);
    m->values[METRIC_DISORDER] = (double)c->disorder;
    probe_report(&probe, m);
    return true;
}

static bool prepare(struct contest *c)
{
    const struct options *o = c->options;

    c->epoll = epoll_create1(EPOLL_CLOEXEC);
    buf_init(&c->text, TEXT_MAX);
    words_put(&c->text, o->size);
    if (c->epoll < 0 || c->text.failed || !process_may_open(2 * o->pairs) ||
        !options_broker_address(o, &c->address) || !cast_pairs(&c->cast, o->pairs))
        return false;
    c->clients = calloc(c->cast.player_count, sizeof(*c->clients));
    c->senders = calloc(c->cast.stage_count, sizeof(*c->senders));
    c->runs = calloc(o->repeat, sizeof(*c->runs));
    for (unsigned i = 0; c->clients && i < c->cast.player_count; i++)
        xmpp_init(&c->clients[i], c->cast.players[i].handle);
    return c->clients && c->senders && c->runs && log_in_all(c);
}

bool scenario_ejabberd(const struct options *o)
{
    struct contest *c = calloc(1, sizeof(*c));
    char title[160];
    bool done;

    if (!c)
        return false;
    c->options = o;
    snprintf(title, sizeof(title), "%u pairs, texts of %u bytes, on an XMPP server with an archive",
             o->pairs, o->size);
    done = prepare(c);
    for (unsigned i = 0; done && i < o->repeat; i++)
        done = run_once(c, &c->runs[i]);
    done = done && report_scenario(o, "ejabberd", title, c->runs);
    for (unsigned i = 0; c->clients && i < c->cast.player_count; i++)
        xmpp_close(&c->clients[i]);
    if (c->epoll >= 0)
        close(c->epoll);
    cast_finish(&c->cast);
    buf_finish(&c->text);
    free(c->clients);
    free(c->senders);
    free(c->runs);
    free(c);
    return done;
}
