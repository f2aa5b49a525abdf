/* SPDX-License-Identifier: MIT */
/* rates.h - how much devices may do: drafts, requests and signals, and how often an address may
 * knock. Over a limit they are told to wait, and nothing else happens.
 *
 * Each limit is this node's own. Buckets outlive connections, so coming again gains nothing, and
 * the memory for all of them is there from the start. */
#ifndef BANTER_PLUGIN_RATES_H
#define BANTER_PLUGIN_RATES_H

#include "base/bucket.h"
#include "base/compiler.h"
#include "base/uuid.h"

#include <stdbool.h>
#include <stdint.h>

struct core;
struct options;
struct session;

struct rates {
    struct bucket_slot *slots; /* owned: of all tables */
    uint64_t secret;           /* goes into what cheap keys are made of */
    struct buckets device_drafts;
    struct buckets user_drafts;
    struct buckets conversation_drafts;
    struct buckets user_requests;
    struct buckets address_connects;
    struct rate device_signals;
    uint64_t told_ms; /* when the bridge heard of refusals last */
    uint64_t told;    /* how many those were in all */
};

/* False: out of memory. */
bool rates_init(struct rates *r, const struct options *o) MUST_USE;
void rates_finish(struct rates *r);

/* These count one thing and return 0; or the milliseconds to wait, and then nothing was counted. */

/* A draft. `conversation` NULL: it is a direct one, where the limits of its two users suffice. */
uint64_t rates_draft(struct core *c, const struct session *session,
                     const struct uuid *conversation) MUST_USE;
/* A sync or an envelope of commands. */
uint64_t rates_request(struct core *c, const struct session *session) MUST_USE;
uint64_t rates_signal(struct core *c, struct session *session) MUST_USE;
/* An attempt to connect, good or bad. `address` as the broker tells it; NULL, a path and this
 * machine itself stand for many, and are not limited. */
uint64_t rates_connect(struct core *c, const char *address) MUST_USE;

/* Tells the bridge, which has the metrics, what has been refused. */
void rates_turn(struct core *c);
/* Another bridge knows of nothing. */
void rates_link_up(struct core *c);

#endif
