/* SPDX-License-Identifier: MIT */
/* audit.h - writes down who did what that matters for security, into banter.audit.
 *
 * Whoever notes something never waits for it: it is kept in memory, in bounded number, until
 * PostgreSQL has it, over losses of the connection, too. What cannot be kept or stored goes to the
 * log, and is counted. Refusals, which strangers can cause, are noted so many a minute only.
 *
 * Never note a password, a token, what somebody wrote or a name that somebody merely typed. */
#ifndef BANTER_BRIDGE_AUDIT_H
#define BANTER_BRIDGE_AUDIT_H

#include "base/address.h"
#include "base/compiler.h"
#include "base/slice.h"
#include "wire/codes.h"

#include <stdbool.h>
#include <stdint.h>

struct audit;
struct db_pool;
struct event_base;

enum {
    AUDIT_QUEUE_MAX = 1024,
    AUDIT_REFUSALS_MAX = 120, /* in AUDIT_WINDOW_MS */
    AUDIT_WINDOW_MS = 60000,
    AUDIT_TEXT_MAX = 128, /* of `object` and `detail`; what is longer is cut */
};

enum audit_by {
    AUDIT_NOBODY, /* somebody who has not proved to be anybody */
    AUDIT_SYSTEM,
    AUDIT_USER,
};

struct audit_event {
    const char *action; /* static */
    enum audit_by by;
    uint64_t actor;                /* AUDIT_USER: who */
    uint64_t user;                 /* on whom; 0: nobody, or unknown */
    struct slice object;           /* on what else; or empty */
    const struct address *address; /* or NULL */
    enum code result;
    struct slice detail; /* or empty */
};

/* `node` is borrowed. Rows go after so many `days`. NULL: no memory. */
struct audit *audit_create(struct event_base *base, struct db_pool *pool, const char *node,
                           unsigned days) MUST_USE;
/* Before the pool goes, which is asked for nothing from now on. Others may still note what comes of
 * their own end: that goes to the log, with what was not stored in time. NULL is fine. */
void audit_stop(struct audit *a);
/* After the pool, which still owes it answers. */
void audit_destroy(struct audit *a);

/* `now_ms` is monotonic. */
void audit_note(struct audit *a, const struct audit_event *event, uint64_t now_ms);
/* What the server itself has done or found. `action` is static; `object` may be empty. */
void audit_note_own(struct audit *a, const char *action, struct slice object);
/* All that was noted is stored. */
bool audit_is_idle(const struct audit *a);

struct audit_stats {
    uint64_t stored;
    uint64_t waiting;  /* now */
    uint64_t left_out; /* refusals beyond what is noted in a minute */
    uint64_t lost;     /* no room, or PostgreSQL would not have it: these are in the log */
};
void audit_get_stats(const struct audit *a, struct audit_stats *out);

#endif
