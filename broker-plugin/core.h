/* SPDX-License-Identifier: MIT */
/* core.h - the plugin's state, and what the broker's events mean to it.
 *
 * One thread, the broker's. A turn is one round of the broker's loop: its sockets and one TICK.
 * Nothing here waits, and out of memory is an answer (refused, unavailable, closed), never an end.
 * Strings from the broker may be NULL. */
#ifndef BANTER_PLUGIN_CORE_H
#define BANTER_PLUGIN_CORE_H

#include "asked.h"
#include "auth.h"
#include "base/buf.h"
#include "base/compiler.h"
#include "base/log_fields.h"
#include "drain.h"
#include "fanout.h"
#include "link.h"
#include "members.h"
#include "options.h"
#include "order.h"
#include "rates.h"
#include "ring.h"
#include "sessions.h"
#include "stats.h"
#include "token/revoked_set.h"
#include "watches.h"

#include <stdbool.h>
#include <stdint.h>

/* The bridge's own connection to the broker, over which it rings the doorbell. */
#define BELL_NAME "banter-bell"

enum { NODE_MAX_LENGTH = 64 };

struct core {
    struct options options; /* owned */
    struct auth auth;
    struct sessions sessions;
    struct members members;
    struct ring ring;
    struct link link;
    struct order order;
    struct fanout fanout;
    struct watches watches;
    struct asked_table asked;
    struct revoked_set revoked;
    struct drain drain;
    struct rates rates;
    struct stats stats;
    struct log_quota refusals_logged;
    struct buf frame;               /* scratch: one outgoing DRAFT or REQUEST frame */
    struct buf json;                /* scratch: one payload that the plugin makes itself */
    uint64_t turn;                  /* counts TICKs, from 1 */
    uint64_t now_ms;                /* monotonic, as of the last TICK */
    uint64_t scan_ms;               /* when the next part of the expiry scan is due */
    uint64_t heads_ms;              /* when the next part of the scan of heads.c is due */
    uint32_t attaching;             /* users whose attach is under way */
    uint32_t resyncing;             /* users whose attach has to end before entries are delivered */
    bool interests_wanted;          /* by the bridge of this link: see interests.h */
    char node[NODE_MAX_LENGTH + 1]; /* from WELCOME */
};

/* Takes over the options, also when it fails. NULL after logging why. */
struct core *core_create(struct options *options) MUST_USE;
/* Tries once to write what waits for the bridge, and logs the counters. */
void core_destroy(struct core *c);

/* TICK: once per turn. */
void core_tick(struct core *c);
/* The doorbell rang: the bridge has written to the link. */
void core_bell(struct core *c);
/* DISCONNECT or CLIENT_OFFLINE; also of connections that never had a session. */
void core_disconnected(struct core *c, const void *client);
/* Ends the session behind `session`, and its user's stay if it was the last one. */
void core_close_session(struct core *c, struct session *session);
/* Ends the connection in a later turn, after what has been published to it so far. */
void core_kick(struct core *c, struct session *session);
/* True for the doorbell's own connection, which alone has this client id. */
bool core_is_bell(const char *client_id);

#endif
