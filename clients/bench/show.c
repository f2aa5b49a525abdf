/* SPDX-License-Identifier: MIT */
/* show.c - see show.h. One thread, and one turn of the connections after the other; the phases only
 * differ in what they wait for. */
#include "show.h"

#include "base/clock.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>

enum {
    HEAD_START_US = 50000, /* between the plan and the first draft */
    MARK_BEFORE_US = 20000,
    HOUSEKEEPING_US = 50000,
    DRAIN_DEADLINE_US = 15000000,
};

/* Waits for any of the troupes' connections, and lets each handle some of what there is. */
static bool turn(const struct show *s, uint64_t timeout_us)
{
    const struct timespec timeout = {.tv_sec = (time_t)(timeout_us / 1000000),
                                     .tv_nsec = (long)(timeout_us % 1000000) * 1000};
    struct pollfd sets[SHOW_TROUPES_MAX];

    if (s->count == 1)
        return conn_set_turn(s->troupes[0]->set, timeout_us);
    for (unsigned i = 0; i < s->count; i++) {
        conn_set_flush(s->troupes[i]->set);
        sets[i] = (struct pollfd){.fd = conn_set_fd(s->troupes[i]->set), .events = POLLIN};
    }
    if (ppoll(sets, s->count, &timeout, NULL) < 0 && errno != EINTR)
        return false;
    for (unsigned i = 0; i < s->count; i++) {
        if (!conn_set_turn(s->troupes[i]->set, 0))
            return false;
    }
    return true;
}

static void mark(const struct show *s, bool begins)
{
    uint64_t acknowledged = 0;

    for (unsigned i = 0; i < s->count; i++)
        acknowledged += s->troupes[i]->acknowledged;
    if (s->mark)
        s->mark(s->owner, begins, acknowledged);
}

static void housekeep(const struct show *s, uint64_t now_us)
{
    for (unsigned i = 0; i < s->count; i++)
        troupe_housekeep(s->troupes[i], now_us);
}

static bool all_are_lost(const struct show *s)
{
    for (unsigned i = 0; i < s->count; i++) {
        if (s->troupes[i]->lost_count < s->troupes[i]->cast->player_count)
            return false;
    }
    return true;
}

static bool perform(const struct show *s)
{
    const struct troupe *first = s->troupes[0];
    uint64_t now_us = clock_monotonic_us();
    uint64_t housekeeping_us = first->plan.start_us;
    bool begun = false;

    while (now_us < first->measure_to_us && !all_are_lost(s)) {
        if (!begun && now_us + MARK_BEFORE_US >= first->measure_from_us) {
            begun = true;
            mark(s, true);
        }
        if (now_us >= housekeeping_us) {
            housekeep(s, now_us);
            housekeeping_us = now_us + HOUSEKEEPING_US;
        }

        uint64_t next_us = housekeeping_us;

        for (unsigned i = 0; i < s->count; i++)
            next_us = troupe_send_due(s->troupes[i], now_us, next_us);
        if (!turn(s, next_us > now_us ? next_us - now_us : 0))
            return false;
        now_us = clock_monotonic_us();
    }
    return true;
}

static bool is_over(const struct show *s)
{
    for (unsigned i = 0; i < s->count; i++) {
        if (troupe_outstanding(s->troupes[i]) > 0 || troupe_missing(s->troupes[i]) > 0)
            return false;
    }
    return true;
}

static bool drain(const struct show *s)
{
    uint64_t end_us = s->troupes[0]->measure_to_us;
    bool marked = false;

    for (;;) {
        uint64_t now_us = clock_monotonic_us();
        bool over = is_over(s);

        if (!marked && (over || now_us > end_us + MARK_BEFORE_US)) {
            marked = true;
            mark(s, false);
        }
        if (over || now_us > end_us + DRAIN_DEADLINE_US)
            break;
        housekeep(s, now_us);
        if (!turn(s, MARK_BEFORE_US))
            return false;
    }
    for (unsigned i = 0; i < s->count; i++) {
        s->troupes[i]->result->unanswered = troupe_outstanding(s->troupes[i]);
        s->troupes[i]->result->missing = troupe_missing(s->troupes[i]);
    }
    return true;
}

bool show_play(const struct show *s)
{
    uint64_t start_us = clock_monotonic_us() + HEAD_START_US;

    assert(s->count > 0 && s->count <= SHOW_TROUPES_MAX);
    for (unsigned i = 0; i < s->count; i++)
        troupe_plan(s->troupes[i], start_us, s->warm_up_s, s->seconds, s->silent[i]);
    return perform(s) && drain(s);
}
