/* SPDX-License-Identifier: MIT */
/* connection.h - the connection to the broker, kept up: connects, waits for `me/ready`, and when it
 * ends tries again with full jitter, on the next server unless this one is known to be well.
 *
 * Rule: whoever uses it hears `up` and `down` in turn, and `ready` and messages in between; hooks
 * are never called from within connection_publish(), _drop(), _leave() and _deadline(), which the
 * hooks may call. Runs on the client's thread. */
#ifndef BANTER_CLIENT_CONNECTION_H
#define BANTER_CLIENT_CONNECTION_H

#include "banter/banter.h"
#include "base/compiler.h"
#include "client/errors.h"
#include "client/platform.h"
#include "client/servers.h"
#include "client/session.h"
#include "client/transport.h"

struct connection_hooks {
    void (*up)(void *owner, unsigned receive_maximum); /* drafts may be sent */
    void (*ready)(void *owner);                        /* all that is new comes from here on */
    void (*message)(void *owner, const char *topic, const char *payload, size_t length);
    void (*acknowledged)(void *owner, int token, int code);
    void (*down)(void *owner);
    void (*changed)(void *owner); /* connection_state() is another one */
    void *owner;
};

enum connection_step {
    STEP_OFF,      /* nobody is logged in */
    STEP_RESTING,  /* until `deadline` */
    STEP_RENEWING, /* the token */
    STEP_OPENING,  /* CONNACK until `deadline` */
    STEP_UP,       /* me/ready until `deadline` */
    STEP_READY,
    STEP_DISPLACED,
};

struct connection {
    const struct platform *platform;
    struct session *session;
    struct servers *servers;
    struct transport transport;
    const char *device;
    const char *ca_file;
    struct connection_hooks hooks;

    enum connection_step step;
    uint64_t deadline;
    uint64_t ready_at; /* when it became so; of STEP_READY */
    uint64_t look_at;  /* whether it is up still */
    uint64_t poke_at;  /* the server is to be made to say something */
    uint64_t leave_at; /* it is to be ended then, for `leaving` */
    bool leave_server; /* ... and another server to be tried */
    struct failure leaving;
    uint64_t generation; /* of the connection, or attempt */
    struct backoff backoff;
    struct failure why; /* it rests, or is displaced */
    bool renewed;       /* the token is a fresh one: should it be refused, too, there is no hurry */
    bool must_renew;    /* before the next attempt */
};

void connection_init(struct connection *c);
/* Nobody is logged in any more, or everything ends: closes. */
void connection_stop(struct connection *c);
/* Somebody is logged in. */
void connection_start(struct connection *c);
void connection_nudge(struct connection *c);
/* Connects anew at once, with the token as it is now. */
void connection_restart(struct connection *c);
/* Something is wrong with this one: another comes after a wait, to the next server or this one. */
void connection_drop(struct connection *c, const struct failure *why, bool next_server);
/* The server ends this connection in the second half of within_ms. */
void connection_leave(struct connection *c, uint64_t within_ms);
/* Does not come back by itself: the two would take turns for ever. */
void connection_displace(struct connection *c, const struct failure *why);

/* For session_hooks.renewed. */
void connection_renewed(struct connection *c, const struct failure *f);
void connection_event(struct connection *c, const struct net_event *e);
void connection_tick(struct connection *c);
uint64_t connection_deadline(const struct connection *c);

bool connection_is_up(const struct connection *c);
/* BANTER_OFFLINE: there is none. `token` may be NULL, see transport.h. */
int connection_publish(struct connection *c, const char *topic, const char *payload, size_t length,
                       int qos, int *token) MUST_USE;

#endif
