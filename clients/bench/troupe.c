/* SPDX-License-Identifier: MIT */
/* troupe.c - see troupe.h. */
#include "troupe.h"

#include "base/clock.h"
#include "base/hash.h"
#include "device.h"
#include "stamp.h"
#include "words.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CONNECTING_MAX = 64, /* at once: below the listen backlog of a broker */
    CONNECT_DEADLINE_US = 60000000,
    CONNECT_TURN_US = 50000,
    PING_AFTER_US = 30000000,
    TAIL_MAX_BYTES = 1 << 20,
};

static bool build_tail(struct troupe *t)
{
    const struct load_config *config = t->config;

    buf_init(&t->tail_bytes, TAIL_MAX_BYTES);
    buf_str(&t->tail_bytes, config->bare ? "\",\"kind\":\"text\",\"text\":\"" : "\",\"text\":\"");
    words_put(&t->tail_bytes, config->text_bytes);
    buf_str(&t->tail_bytes, "\"}");
    t->tail = buf_slice(&t->tail_bytes);
    return !t->tail_bytes.failed;
}

void troupe_finish(struct troupe *t)
{
    for (unsigned i = 0; t->devices && i < t->cast->player_count; i++)
        conn_close(t->set, &t->devices[i].conn);
    conn_set_destroy(t->set);
    buf_finish(&t->tail_bytes);
    free(t->devices);
    free(t->senders);
    free(t->by_sender);
}

bool troupe_init(struct troupe *t, const struct load_config *config, const struct cast *cast,
                 struct load_result *result)
{
    struct conn_handlers handlers;
    unsigned sender = 0;

    *t = (struct troupe){.config = config, .cast = cast, .result = result};
    t->run = (uint32_t)hash_u64((uint64_t)clock_wall_ms()) & STAMP_MASK;
    if (!build_tail(t))
        return false;
    device_handlers(t, &handlers);
    t->set = conn_set_create(&handlers, cast->player_count);
    t->senders = calloc(cast->sender_count, sizeof(*t->senders));
    t->by_sender = calloc(cast->sender_count, sizeof(*t->by_sender));
    if (!t->set || !t->senders || !t->by_sender)
        return false;
    t->devices = calloc(cast->player_count, sizeof(*t->devices));
    if (!t->devices)
        return false;
    for (unsigned i = 0; i < cast->player_count; i++) {
        device_init(&t->devices[i], t, &cast->players[i]);
        if (cast->players[i].sends) {
            sender_init(&t->senders[sender], sender);
            t->devices[i].sender = &t->senders[sender];
            t->by_sender[sender++] = &t->devices[i];
        }
    }
    assert(sender == cast->sender_count);
    return true;
}

bool troupe_connect(struct troupe *t)
{
    uint64_t start_us = clock_monotonic_us();
    unsigned opened = 0;
    unsigned count = t->cast->player_count;

    while (t->ready_count < count && !t->refused_at_door) {
        uint64_t now_us = clock_monotonic_us();

        while (opened < count && opened - t->ready_count < CONNECTING_MAX) {
            if (!device_open(&t->devices[opened++], now_us)) {
                fprintf(stderr, "banter-bench: cannot connect: %s\n", strerror(errno));
                return false;
            }
        }
        if (now_us - start_us > CONNECT_DEADLINE_US) {
            fprintf(stderr, "banter-bench: only %u of %u devices became ready\n", t->ready_count,
                    count);
            return false;
        }
        if (!conn_set_turn(t->set, CONNECT_TURN_US))
            return false;
    }
    t->result->connect_s = (double)(clock_monotonic_us() - start_us) / 1e6;
    return !t->refused_at_door;
}

void troupe_plan(struct troupe *t, uint64_t start_us, unsigned warm_up_s, unsigned seconds,
                 bool silent)
{
    const struct load_config *config = t->config;

    for (unsigned i = 0; i < t->cast->sender_count; i++) {
        assert(sender_outstanding(&t->senders[i]) == 0);
        sender_init(&t->senders[i], i);
    }
    t->round = 0;
    t->measure_from_us = start_us + (uint64_t)warm_up_s * 1000000;
    t->measure_to_us = t->measure_from_us + (uint64_t)seconds * 1000000;
    t->plan = (struct sender_plan){.start_us = start_us,
                                   .end_us = silent ? start_us : t->measure_to_us,
                                   .rate = config->rate,
                                   .senders = t->cast->sender_count,
                                   .window = config->window};
    t->result->seconds = seconds;
}

bool troupe_measures(const struct troupe *t, uint64_t at_us)
{
    return at_us >= t->measure_from_us && at_us < t->measure_to_us && t->measure_from_us > 0;
}

uint64_t troupe_send_due(struct troupe *t, uint64_t now_us, uint64_t limit_us)
{
    uint64_t due_us;

    if (t->plan.rate == 0)
        return limit_us;
    due_us = plan_due_us(&t->plan, t->round);
    while (due_us <= now_us && due_us < t->plan.end_us) {
        device_send_due(t->by_sender[t->round++ % t->plan.senders], now_us);
        due_us = plan_due_us(&t->plan, t->round);
    }
    return due_us < t->plan.end_us && due_us < limit_us ? due_us : limit_us;
}

void troupe_housekeep(struct troupe *t, uint64_t now_us)
{
    for (unsigned i = 0; i < t->cast->player_count; i++) {
        struct device *d = &t->devices[i];

        if (d->conn.state != CONN_OPEN)
            continue;
        if (d->sender && (d->sender->refused > 0 || t->plan.rate == 0))
            device_send_due(d, now_us);
        if (now_us > d->conn.wrote_us + PING_AFTER_US)
            mqtt_write_pingreq(conn_write(t->set, &d->conn));
    }
}

/* How many entries have not come to how many devices. */
static uint64_t copies_missing(const struct troupe *t)
{
    uint64_t missing = 0;

    for (unsigned i = 0; i < t->cast->stage_count; i++) {
        const struct stage *stage = &t->cast->stages[i];
        const struct device *devices = &t->devices[stage->first];
        int64_t head = 0;

        for (unsigned m = 0; m < stage->members; m++) {
            if (device_head(&devices[m]) > head)
                head = device_head(&devices[m]);
        }
        for (unsigned m = 0; m < stage->members; m++)
            missing += device_missing(&devices[m], head);
    }
    return missing;
}

/* The same for a bare broker, where nothing carries a seq: every acknowledged message owes one
 * copy to the other of a pair, or to every member of a group, the sender included. */
static uint64_t copies_missing_bare(const struct troupe *t)
{
    uint64_t owed = 0;
    uint64_t came = 0;

    for (unsigned i = 0; i < t->cast->player_count; i++) {
        const struct device *d = &t->devices[i];

        if (d->sender)
            owed += (uint64_t)d->sender->head *
                    (d->stage->kind == CONVERSATION_DIRECT ? 1 : d->stage->members);
        came += d->received;
    }
    return owed > came ? owed - came : 0;
}

uint64_t troupe_missing(const struct troupe *t)
{
    return t->config->bare ? copies_missing_bare(t) : copies_missing(t);
}

uint64_t troupe_outstanding(const struct troupe *t)
{
    uint64_t count = 0;

    for (unsigned i = 0; i < t->cast->sender_count; i++)
        count += sender_outstanding(&t->senders[i]);
    return count;
}

void troupe_bow(struct troupe *t)
{
    for (unsigned i = 0; i < t->cast->player_count; i++) {
        if (t->devices[i].conn.state == CONN_OPEN)
            mqtt_write_disconnect(conn_write(t->set, &t->devices[i].conn));
    }
    conn_set_flush(t->set);
}
