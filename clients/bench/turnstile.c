/* SPDX-License-Identifier: MIT */
/* turnstile.c - see turnstile.h. */
#include "turnstile.h"

#include "base/buf.h"
#include "histogram.h"
#include "http.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER_MAX_BYTES = 65536, URL_BYTES = 2048, JSON_BYTES = 256 };

struct gate {
    struct histogram join_us, leave_us;
};

static bool take_answer(void *owner, struct slice piece)
{
    struct buf *answer = owner;

    buf_slice_put(answer, piece);
    return !answer->failed;
}

/* One command; the time it took, or a negative number after saying why. */
static double command(const struct turnstile *t, struct http_client *client, const char *name,
                      const char *conversation, bool may_fail)
{
    char url[URL_BYTES], json[JSON_BYTES];
    struct buf answer;
    struct http_call call = {
        .url = url, .token = t->token, .json = json, .body = take_answer, .owner = &answer};
    double seconds = -1;

    snprintf(url, sizeof(url), "%s/v1/control", t->http);
    snprintf(json, sizeof(json), "{\"commands\":[{\"command\":\"%s\",\"conversation\":\"%s\"}]}",
             name, conversation);
    buf_init(&answer, ANSWER_MAX_BYTES);
    if (!http_perform(client, &call))
        goto out;
    if (!may_fail && (!strstr(answer.data, "\"data\":") || strstr(answer.data, "\"error\":"))) {
        fprintf(stderr, "banter-bench: %s was answered with %s\n", json, answer.data);
        goto out;
    }
    seconds = call.total_s;
out:
    buf_finish(&answer);
    return seconds;
}

/* In and out again. */
static bool pass(const struct turnstile *t, struct http_client *client, const char *conversation,
                 struct gate *gate)
{
    double join_s = command(t, client, "join", conversation, false);
    double leave_s = join_s < 0 ? -1 : command(t, client, "leave", conversation, false);

    if (leave_s < 0)
        return false;
    histogram_record(&gate->join_us, (uint64_t)llround(join_s * 1e6));
    histogram_record(&gate->leave_us, (uint64_t)llround(leave_s * 1e6));
    return true;
}

static double median_ms(const struct histogram *h)
{
    return (double)histogram_quantile(h, 0.5) / 1000;
}

static void report(const struct gate *large, const struct gate *small, struct measurement *m)
{
    double *v = m->values;

    v[METRIC_JOIN_LARGE_MS] = median_ms(&large->join_us);
    v[METRIC_JOIN_SMALL_MS] = median_ms(&small->join_us);
    v[METRIC_JOIN_RATIO] = v[METRIC_JOIN_LARGE_MS] / v[METRIC_JOIN_SMALL_MS];
    v[METRIC_LEAVE_LARGE_MS] = median_ms(&large->leave_us);
    v[METRIC_LEAVE_SMALL_MS] = median_ms(&small->leave_us);
    v[METRIC_LEAVE_RATIO] = v[METRIC_LEAVE_LARGE_MS] / v[METRIC_LEAVE_SMALL_MS];
}

/* The user may still be where a run that was interrupted left them. The first of the two channels
 * in a round is the second one in the next. */
static bool turn(const struct turnstile *t, struct http_client *client, struct gate *large,
                 struct gate *small)
{
    if (command(t, client, "leave", t->large, true) < 0 ||
        command(t, client, "leave", t->small, true) < 0)
        return false;
    for (unsigned i = 0; i < t->rounds; i++) {
        if (i % 2 == 0 && !pass(t, client, t->large, large))
            return false;
        if (!pass(t, client, t->small, small))
            return false;
        if (i % 2 != 0 && !pass(t, client, t->large, large))
            return false;
    }
    return true;
}

bool turnstile_measure(const struct turnstile *t, struct measurement *m)
{
    struct http_client *client = http_client_create();
    struct gate *gates = calloc(2, sizeof(*gates));
    bool done = client && gates && turn(t, client, &gates[0], &gates[1]);

    if (done && t->rounds > 0)
        report(&gates[0], &gates[1], m);
    free(gates);
    http_client_destroy(client);
    return done;
}
