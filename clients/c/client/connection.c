/* SPDX-License-Identifier: MIT */
/* connection.c - see connection.h. */
#include "client/connection.h"

#include "wire/limits.h"

#include <stdio.h>
#include <string.h>

enum {
    OPEN_TIMEOUT_MS = 20000,
    READY_TIMEOUT_MS = 15000, /* from CONNACK to me/ready */
    RENEW_TIMEOUT_MS = 60000, /* the HTTP request has its own, shorter one */
    STABLE_MS = 10000,        /* a connection that lasted so long was a good one */
    LOOK_EVERY_MS = 5000,
    POKE_AFTER_MS = 30,
};

void connection_init(struct connection *c)
{
    c->step = STEP_OFF;
    c->deadline = c->leave_at = c->look_at = c->poke_at = NEVER;
    c->why = no_failure;
}

static void enter(struct connection *c, enum connection_step step, uint64_t deadline)
{
    c->step = step;
    c->deadline = deadline;
    c->hooks.changed(c->hooks.owner);
}

bool connection_is_up(const struct connection *c)
{
    return c->step == STEP_UP || c->step == STEP_READY;
}

/* Ends what there is; whoever calls decides what comes then. */
static void close_now(struct connection *c)
{
    bool was_up = connection_is_up(c);
    uint64_t now = platform_now(c->platform);

    /* Whoever is thrown out again and again slows down. */
    if (c->step == STEP_READY && now - c->ready_at >= STABLE_MS)
        backoff_reset(&c->backoff);
    c->step = STEP_OFF;
    c->deadline = c->leave_at = c->look_at = c->poke_at = NEVER;
    c->generation++;
    c->transport.close(c->transport.self);
    if (was_up)
        c->hooks.down(c->hooks.owner);
}

static void rest(struct connection *c, const struct failure *why)
{
    uint64_t wait = backoff_next(&c->backoff, c->platform, BACKOFF_LAST_MS, why->retry_after_ms);

    c->why = *why;
    enter(c, STEP_RESTING, platform_now(c->platform) + wait);
}

static void open_now(struct connection *c)
{
    char client_id[CLIENT_ID_MAX_LENGTH + 1];
    struct banter_login login = session_login(c->session);
    const struct transport_target target = {
        .address = servers_current(c->servers)->mqtt,
        .client_id = client_id,
        .user = login.user,
        .password = login.access_token,
        .ca_file = c->ca_file,
        .timeout_ms = OPEN_TIMEOUT_MS,
    };
    int error;

    (void)snprintf(client_id, sizeof client_id, "%s/%s", login.user, c->device);
    c->generation++;
    error = c->transport.open(c->transport.self, &target, c->generation);
    if (error) {
        const struct failure f = failure_make(error, NULL);

        servers_next(c->servers);
        rest(c, &f);
        return;
    }
    enter(c, STEP_OPENING, platform_now(c->platform) + OPEN_TIMEOUT_MS);
}

static void renew_first(struct connection *c)
{
    int error = session_renew(c->session);
    struct failure f;

    c->must_renew = false;
    if (error) {
        f = failure_make(error, NULL);
        rest(c, &f);
    } else {
        enter(c, STEP_RENEWING, platform_now(c->platform) + RENEW_TIMEOUT_MS);
    }
}

static void attempt(struct connection *c)
{
    if (!session_is_open(c->session))
        enter(c, STEP_OFF, NEVER);
    else if (session_is_fresh(c->session) && !c->must_renew)
        open_now(c);
    else
        renew_first(c);
}

/* The attempt, or the connection, has come to nothing; a server that failed is not tried next. */
static void fail(struct connection *c, const struct failure *why, bool next_server)
{
    close_now(c);
    if (next_server)
        servers_next(c->servers);
    rest(c, why);
}

void connection_start(struct connection *c)
{
    close_now(c);
    c->renewed = false;
    backoff_reset(&c->backoff);
    c->why = no_failure;
    enter(c, STEP_RESTING, platform_now(c->platform)); /* the next tick connects */
}

void connection_stop(struct connection *c)
{
    close_now(c);
    enter(c, STEP_OFF, NEVER);
}

void connection_nudge(struct connection *c)
{
    if (c->step == STEP_RESTING || c->step == STEP_DISPLACED) {
        c->why = no_failure;
        enter(c, STEP_RESTING, platform_now(c->platform));
    }
}

void connection_restart(struct connection *c)
{
    if (!connection_is_up(c))
        return;
    close_now(c);
    c->why = no_failure;
    enter(c, STEP_RESTING, platform_now(c->platform));
}

void connection_drop(struct connection *c, const struct failure *why, bool next_server)
{
    if (!connection_is_up(c))
        return;
    c->leaving = *why;
    c->leave_server = next_server;
    c->leave_at = platform_now(c->platform);
}

void connection_leave(struct connection *c, uint64_t within_ms)
{
    if (!connection_is_up(c) || c->leave_at != NEVER)
        return;
    c->leaving = failure_make(BANTER_UNAVAILABLE, "the server goes away");
    c->leave_server = true;
    c->leave_at = platform_now(c->platform) + platform_below(c->platform, within_ms / 2);
}

void connection_displace(struct connection *c, const struct failure *why)
{
    close_now(c);
    c->why = *why;
    enter(c, STEP_DISPLACED, NEVER);
}

static bool is_server_at_fault(const struct failure *f)
{
    return f->error == BANTER_OFFLINE || f->error == BANTER_UNAVAILABLE ||
           f->error == BANTER_INTERNAL;
}

void connection_renewed(struct connection *c, const struct failure *f)
{
    if (c->step != STEP_RENEWING)
        return;
    if (!f->error)
        open_now(c);
    else if (session_is_open(c->session))
        fail(c, f, is_server_at_fault(f));
    else
        enter(c, STEP_OFF, NEVER);
}

static void refused(struct connection *c, const struct net_event *e)
{
    const struct failure why = failure_format(e->code == REASON_NOT_AUTHORIZED ? BANTER_UNAUTHORIZED
                                              : e->code                        ? BANTER_UNAVAILABLE
                                                                               : BANTER_OFFLINE,
                                              "%s: %s", servers_current(c->servers)->mqtt,
                                              e->data[0] ? e->data : "no connection");
    bool hurry = !c->renewed;

    if (e->code != REASON_NOT_AUTHORIZED) {
        fail(c, &why, true);
        return;
    }
    close_now(c);
    c->renewed = true;
    if (hurry) {
        renew_first(c);
    } else {
        c->must_renew = true;
        fail(c, &why, true);
    }
}

static void lost(struct connection *c, const struct net_event *e)
{
    const struct failure why =
        failure_format(e->code == REASON_TAKEN_OVER ? BANTER_CONFLICT : BANTER_OFFLINE, "%s",
                       e->data[0] ? e->data : "the connection has ended");

    if (e->code == REASON_TAKEN_OVER)
        connection_displace(c, &why);
    else
        fail(c, &why, true);
}

static void up(struct connection *c, const struct net_event *e)
{
    uint64_t now = platform_now(c->platform);

    c->renewed = false;
    c->look_at = now + LOOK_EVERY_MS;
    enter(c, STEP_UP, now + READY_TIMEOUT_MS);
    c->hooks.up(c->hooks.owner, (unsigned)e->code);
}

/* Of several packets in one WebSocket frame Paho 1.3.12 leaves the last ones until the socket is
 * readable again: an acknowledgement, of giving up a subscription that never was, sees to that. */
static void poke(struct connection *c)
{
    c->poke_at = NEVER;
    if (c->transport.unsubscribe(c->transport.self, "presence/-") != BANTER_OK)
        c->look_at = platform_now(c->platform); /* it has ended, or about to */
}

static void take_message(struct connection *c, const struct net_event *e)
{
    if (c->poke_at == NEVER && strncmp(servers_current(c->servers)->mqtt, "ws", 2) == 0)
        c->poke_at = platform_now(c->platform) + POKE_AFTER_MS;
    if (c->step == STEP_UP && strcmp(e->data, "me/ready") == 0) {
        c->ready_at = platform_now(c->platform);
        enter(c, STEP_READY, NEVER);
        c->hooks.ready(c->hooks.owner);
    } else {
        c->hooks.message(c->hooks.owner, e->data, e->payload, e->length);
    }
}

void connection_event(struct connection *c, const struct net_event *e)
{
    if (e->generation != c->generation)
        return;
    if (e->kind == NET_UP && c->step == STEP_OPENING)
        up(c, e);
    else if (e->kind == NET_REFUSED && c->step == STEP_OPENING)
        refused(c, e);
    else if (e->kind == NET_LOST && (connection_is_up(c) || c->step == STEP_OPENING))
        lost(c, e);
    else if (e->kind == NET_MESSAGE && connection_is_up(c))
        take_message(c, e);
    else if (e->kind == NET_ACK && connection_is_up(c))
        c->hooks.acknowledged(c->hooks.owner, e->token, e->code);
}

static void pass_deadline(struct connection *c)
{
    static const char *const late[] = {
        [STEP_RENEWING] = "the token could not be renewed in time",
        [STEP_OPENING] = "no CONNACK in time",
        [STEP_UP] = "no me/ready in time",
    };
    struct failure why;

    if (c->step == STEP_RESTING) {
        attempt(c);
        return;
    }
    why = failure_make(BANTER_TIMEOUT, late[c->step]);
    fail(c, &why, true);
}

void connection_tick(struct connection *c)
{
    uint64_t now = platform_now(c->platform);
    struct failure why;

    if (connection_is_up(c) && now >= c->leave_at) {
        why = c->leaving;
        fail(c, &why, c->leave_server);
    } else if (connection_is_up(c) && now >= c->look_at) {
        c->look_at = now + LOOK_EVERY_MS;
        if (!c->transport.is_up(c->transport.self)) {
            why = failure_make(BANTER_OFFLINE, "the connection has ended unheard");
            fail(c, &why, true);
        }
    }
    if (connection_is_up(c) && now >= c->poke_at)
        poke(c);
    if (now >= c->deadline)
        pass_deadline(c);
}

uint64_t connection_deadline(const struct connection *c)
{
    return earlier(earlier(c->deadline, c->poke_at), earlier(c->leave_at, c->look_at));
}

int connection_publish(struct connection *c, const char *topic, const char *payload, size_t length,
                       int qos, int *token)
{
    if (!connection_is_up(c))
        return BANTER_OFFLINE;
    return c->transport.publish(c->transport.self, topic, payload, length, qos, token);
}
