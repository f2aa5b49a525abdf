/* SPDX-License-Identifier: MIT */
/* storm.c - all connections are cut at once and come back at once; later some users really stay
 * away, and return. Presence messages are held against what really changed: with everybody back
 * within the grace time, nothing did.
 *
 * A user's watchers share direct conversations with the user. A device that comes back is told once
 * what each user it watches is, as the answer to its SUBSCRIBE: that is no change. */
#include "base/clock.h"
#include "guest.h"
#include "histogram.h"
#include "metrics.h"
#include "probe.h"
#include "process.h"
#include "report.h"
#include "scenario.h"
#include "seed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    GATHERING_MAX = 64, /* connections that are not ready, while all come for the first time */
    PHASE_DEADLINE_US = 120000000,
    SETTLE_US = 2000000, /* after what is due has come: what comes then is a stray */
    TURN_US = 1000,
    WATCHES_MAX = 1000, /* of one connection; docs/protocol.md */
    AWAY_MAX = 90,      /* percent: somebody has to see it */
    SHUFFLE = 7919,     /* a prime: who goes away, and whose watchers stay */
};

struct storm {
    const struct options *options;
    PGconn *db;
    struct cast cast;
    struct house house;
    bool *gone;             /* one per guest: stays away for longer than the grace time */
    uint64_t cut_us;        /* when the phase under way began */
    uint64_t connects_from; /* when the first guest was to come back */
    struct histogram ready_us, synced_us;
    struct measurement *m; /* of the run under way */
    struct measurement *runs;
};

static unsigned guests(const struct storm *s)
{
    return s->cast.player_count;
}

static uint64_t watches(const struct storm *s)
{
    return (uint64_t)guests(s) * s->house.watched_each;
}

static void add(struct storm *s, enum metric metric, uint64_t count)
{
    s->m->values[metric] += (double)count;
}

/* ---------------------------------------------------------------- waiting */

/* Whether a guest is to be connected in this phase. */
typedef bool member_fn(const struct storm *s, unsigned i);

static bool everybody(const struct storm *s, unsigned i)
{
    (void)s;
    (void)i;
    return true;
}

static bool is_gone(const struct storm *s, unsigned i)
{
    return s->gone[i];
}

/* Connects those who are due, no matter how far the ones before them have come. */
static bool connect_due(struct storm *s, member_fn *is_member, unsigned *next)
{
    uint64_t elapsed_us = clock_monotonic_us() - s->connects_from;
    uint64_t spread_us = (uint64_t)s->options->spread * 1000;

    for (; *next < guests(s) && s->house.connecting < s->options->handshakes; (*next)++) {
        if (elapsed_us < spread_us * *next / guests(s))
            break;
        if (is_member(s, *next) && !guest_connect(&s->house, &s->house.guests[*next]))
            return false;
    }
    return true;
}

static bool is_late(const struct storm *s, const char *what)
{
    if (clock_monotonic_us() - s->cut_us <= PHASE_DEADLINE_US)
        return false;
    fprintf(stderr, "banter-bench: %s did not come to its end: %u ready, %u synced, %llu answers\n",
            what, s->house.ready_count, s->house.synced_count,
            (unsigned long long)s->house.answers);
    return true;
}

/* Until `count` guests have connected and are ready, with their syncs and watches answered. */
static bool bring_back(struct storm *s, member_fn *is_member, unsigned count)
{
    struct house *h = &s->house;
    unsigned next = 0;

    s->connects_from = clock_monotonic_us();
    while (next < guests(s) || h->ready_count < count || h->synced_count < count ||
           h->answers < (uint64_t)count * h->watched_each) {
        if (!connect_due(s, is_member, &next) || is_late(s, "the return") ||
            !house_turn(h, TURN_US))
            return false;
        if (h->watches_refused > 0 || h->lost_count > 0) {
            fprintf(stderr, "banter-bench: %u watches refused, %u connections lost\n",
                    h->watches_refused, h->lost_count);
            return false;
        }
    }
    return true;
}

static bool wait_until(struct storm *s, uint64_t until_us)
{
    while (clock_monotonic_us() < until_us) {
        if (!house_turn(&s->house, SETTLE_US))
            return false;
    }
    return true;
}

/* ---------------------------------------------------------------- judging */

static void forget_counts(struct storm *s)
{
    struct house *h = &s->house;

    h->ready_count = h->synced_count = h->syncs_refused = 0;
    h->answers = h->changes = h->echoes = 0;
    h->first_change_us = h->last_change_us = h->last_answer_us = h->last_connack_us = 0;
}

/* Of those who are connected: how many are shown something other than what is. */
static uint64_t shown_wrongly(const struct storm *s, bool gone_are_away)
{
    uint64_t wrong = 0;

    for (unsigned i = 0; i < guests(s); i++) {
        const struct guest *g = &s->house.guests[i];

        for (unsigned k = 0; g->ready && k < s->house.watched_each; k++) {
            bool away = gone_are_away && s->gone[g->sightings[k].target];

            wrong += g->sightings[k].sight != (away ? SIGHT_OFFLINE : SIGHT_ONLINE);
        }
    }
    return wrong;
}

/* Changes that those who stay are to see when the others go, and again when they return. */
static uint64_t changes_due(const struct storm *s)
{
    uint64_t due = 0;

    for (unsigned i = 0; i < guests(s); i++) {
        const struct guest *g = &s->house.guests[i];

        for (unsigned k = 0; !s->gone[i] && k < s->house.watched_each; k++)
            due += s->gone[g->sightings[k].target];
    }
    return due;
}

static void judge(struct storm *s, uint64_t due, bool gone_are_away)
{
    const struct house *h = &s->house;

    add(s, METRIC_PRESENCE_STRAY, h->changes > due ? h->changes - due : 0);
    add(s, METRIC_PRESENCE_MISSING, h->changes < due ? due - h->changes : 0);
    add(s, METRIC_PRESENCE_ECHOES, h->echoes);
    add(s, METRIC_PRESENCE_WRONG, shown_wrongly(s, gone_are_away));
}

/* ---------------------------------------------------------------- the phases */

/* Everybody comes, and only then watches: so nobody is seen coming. */
static bool gather(struct storm *s)
{
    struct house *h = &s->house;
    unsigned next = 0;

    s->cut_us = s->connects_from = clock_monotonic_us();
    while (h->ready_count < guests(s)) {
        if ((h->ready_count + GATHERING_MAX > next && !connect_due(s, everybody, &next)) ||
            is_late(s, "the gathering") || !house_turn(h, TURN_US))
            return false;
        if (h->lost_count > 0)
            return false;
    }
    for (unsigned i = 0; i < guests(s); i++) {
        guest_watch(h, &h->guests[i]);
        h->guests[i].watches_at_once = h->guests[i].syncs_at_once = true;
    }
    while (h->answers < watches(s)) {
        if (is_late(s, "the gathering") || !house_turn(h, TURN_US))
            return false;
    }
    return true;
}

static void record_storm(struct storm *s)
{
    const struct house *h = &s->house;
    double *v = s->m->values;

    histogram_reset(&s->ready_us);
    histogram_reset(&s->synced_us);
    for (unsigned i = 0; i < guests(s); i++) {
        histogram_record(&s->ready_us, h->guests[i].ready_us - s->cut_us);
        histogram_record(&s->synced_us, h->guests[i].synced_us - s->cut_us);
    }
    v[METRIC_STORM_READY_P50_MS] = (double)histogram_quantile(&s->ready_us, 0.5) / 1000;
    v[METRIC_STORM_READY_P99_MS] = (double)histogram_quantile(&s->ready_us, 0.99) / 1000;
    v[METRIC_STORM_READY_ALL_MS] = (double)s->ready_us.max / 1000;
    v[METRIC_STORM_SYNCED_P50_MS] = (double)histogram_quantile(&s->synced_us, 0.5) / 1000;
    v[METRIC_STORM_SYNCED_P99_MS] = (double)histogram_quantile(&s->synced_us, 0.99) / 1000;
    v[METRIC_STORM_SYNCED_ALL_MS] = (double)s->synced_us.max / 1000;
    v[METRIC_STORM_ANSWERED_ALL_MS] = (double)(h->last_answer_us - s->cut_us) / 1000;
    v[METRIC_STORM_SYNCS_REFUSED] = h->syncs_refused;
}

/* After the last one is back it takes the grace time until a return that was overlooked would
 * show. */
static bool play_storm(struct storm *s)
{
    struct house *h = &s->house;
    uint64_t grace_us = (uint64_t)s->options->grace * 1000;

    forget_counts(s);
    s->cut_us = clock_monotonic_us();
    for (unsigned i = 0; i < guests(s); i++)
        guest_cut(h, &h->guests[i]);
    if (!bring_back(s, everybody, guests(s)))
        return false;
    record_storm(s);
    if (h->last_connack_us - s->cut_us >= grace_us) {
        fprintf(stderr,
                "banter-bench: the return took %llu ms, longer than the grace time of %u ms: some"
                " users really were away\n",
                (unsigned long long)(h->last_connack_us - s->cut_us) / 1000, s->options->grace);
        return false;
    }
    if (!wait_until(s, h->last_connack_us + grace_us + SETTLE_US))
        return false;
    s->m->values[METRIC_STORM_ANSWERS] = (double)h->answers;
    s->m->values[METRIC_STORM_CHANGES] = (double)h->changes;
    add(s, METRIC_PRESENCE_STRAY, h->answers - watches(s));
    judge(s, 0, false);
    return true;
}

static bool wait_for_changes(struct storm *s, uint64_t due, uint64_t deadline_us)
{
    struct house *h = &s->house;

    while (h->changes < due && clock_monotonic_us() < deadline_us) {
        if (!house_turn(h, TURN_US))
            return false;
    }
    return wait_until(s, clock_monotonic_us() + SETTLE_US);
}

static bool play_absence(struct storm *s)
{
    struct house *h = &s->house;
    uint64_t due = changes_due(s);
    uint64_t grace_us = (uint64_t)s->options->grace * 1000;

    forget_counts(s);
    s->cut_us = clock_monotonic_us();
    for (unsigned i = 0; i < guests(s); i++) {
        if (s->gone[i])
            guest_cut(h, &h->guests[i]);
    }
    if (!wait_for_changes(s, due, s->cut_us + grace_us + PHASE_DEADLINE_US))
        return false;
    s->m->values[METRIC_AWAY_DUE] = (double)due;
    s->m->values[METRIC_AWAY_SEEN] = (double)h->changes;
    if (h->changes > 0) {
        s->m->values[METRIC_AWAY_AFTER_MS] = (double)(h->last_change_us - s->cut_us) / 1000;
        if (h->first_change_us < s->cut_us + grace_us)
            add(s, METRIC_PRESENCE_STRAY, 1);
    }
    judge(s, due, true);
    return true;
}

/* What those who return see of each other depends on who is first, so their changes do not count
 * among the ones that are due; but what they are shown in the end does. */
static uint64_t changes_of_stayers(const struct storm *s)
{
    uint64_t changes = 0;

    for (unsigned i = 0; i < guests(s); i++) {
        const struct guest *g = &s->house.guests[i];

        for (unsigned k = 0; !s->gone[i] && k < s->house.watched_each; k++)
            changes += g->sightings[k].told;
    }
    return changes;
}

static bool play_return(struct storm *s, unsigned gone_count)
{
    struct house *h = &s->house;
    uint64_t due = changes_due(s);
    uint64_t told_before = changes_of_stayers(s);

    forget_counts(s);
    s->cut_us = clock_monotonic_us();
    if (!bring_back(s, is_gone, gone_count) ||
        !wait_for_changes(s, due, s->cut_us + PHASE_DEADLINE_US))
        return false;
    s->m->values[METRIC_BACK_SEEN] = (double)(changes_of_stayers(s) - told_before);
    if (h->changes > 0)
        s->m->values[METRIC_BACK_AFTER_MS] = (double)(h->last_change_us - s->cut_us) / 1000;
    h->changes = changes_of_stayers(s) - told_before;
    judge(s, due, false);
    return true;
}

static unsigned choose_gone(struct storm *s)
{
    unsigned count = (unsigned)((uint64_t)guests(s) * s->options->away / 100);

    for (unsigned i = 0; i < count; i++)
        s->gone[(uint64_t)i * SHUFFLE % guests(s)] = true;
    count = 0;
    for (unsigned i = 0; i < guests(s); i++)
        count += s->gone[i];
    return count;
}

static bool run_once(struct storm *s, struct measurement *m)
{
    static const enum metric counts[] = {METRIC_PRESENCE_STRAY, METRIC_PRESENCE_MISSING,
                                         METRIC_PRESENCE_ECHOES, METRIC_PRESENCE_WRONG,
                                         METRIC_WATCHES_REFUSED};
    struct probe probe = {.broker = s->options->broker_pid,
                          .bridge = s->options->bridge_pid,
                          .postgres = s->options->postgres_pid};
    unsigned gone_count = choose_gone(s);
    bool done;

    measurement_clear(m);
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
        m->values[counts[i]] = 0;
    s->m = m;
    probe_mark(&probe, true, 0);
    done = play_storm(s);
    probe_mark(&probe, false, 0);
    probe_report_machine(&probe, m);
    return done && (gone_count == 0 || (play_absence(s) && play_return(s, gone_count)));
}

/* ---------------------------------------------------------------- the scenario */

static bool is_possible(const struct options *o)
{
    if (o->watchers > WATCHES_MAX || o->clients <= 2 * o->watchers || o->away > AWAY_MAX) {
        fprintf(stderr,
                "banter-bench: at most %d watchers, more than twice as many clients, and at most"
                " %d percent of them away\n",
                WATCHES_MAX, AWAY_MAX);
        return false;
    }
    return process_may_open(o->clients);
}

static bool prepare(struct storm *s)
{
    const struct options *o = s->options;
    const struct token_source tokens = {o->keys, o->issuer, o->audience};
    struct sockaddr_in broker;

    s->runs = calloc(o->repeat, sizeof(*s->runs));
    s->gone = calloc(o->clients, sizeof(*s->gone));
    if (!s->runs || !s->gone || !cast_ring(&s->cast, o->clients, o->watchers) ||
        !options_broker_address(o, &broker))
        return false;
    s->db = seed_connect(o->dsn);
    if (!s->db || !seed_cast(s->db, &s->cast) || !seed_tokens(&tokens, &s->cast) ||
        !house_open(&s->house, &s->cast, &broker, o->watchers))
        return false;
    s->house.sync_limit = o->limit;
    for (unsigned i = 0; i < guests(s); i++) {
        for (unsigned k = 0; k < o->watchers; k++)
            s->house.guests[i].sightings[k].target = (i + guests(s) - k - 1) % guests(s);
    }
    return true;
}

bool scenario_storm(const struct options *o)
{
    struct storm *s = calloc(1, sizeof(*s));
    char title[160];
    bool done;

    if (!s)
        return false;
    s->options = o;
    snprintf(title, sizeof(title),
             "%u clients, %u watchers each, cut and back within %u ms; then %u %% stay away",
             o->clients, o->watchers, o->spread, o->away);
    done = is_possible(o) && prepare(s) && gather(s);
    for (unsigned i = 0; done && i < o->repeat; i++)
        done = run_once(s, &s->runs[i]);
    if (!done)
        fprintf(stderr, "banter-bench: the run could not be made\n");
    done = done && report_scenario(o, "storm", title, s->runs);
    house_close(&s->house);
    PQfinish(s->db);
    cast_finish(&s->cast);
    free(s->gone);
    free(s->runs);
    free(s);
    return done;
}
