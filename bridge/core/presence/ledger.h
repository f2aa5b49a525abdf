/* SPDX-License-Identifier: MIT */
/* ledger.h - writes when users were last seen and who hides: many users per statement, one
 * statement at a time, each user at most once a second. What could not be written is tried again,
 * newest values only. */
#ifndef BANTER_BRIDGE_PRESENCE_LEDGER_H
#define BANTER_BRIDGE_PRESENCE_LEDGER_H

#include "base/compiler.h"

#include <stdbool.h>
#include <stdint.h>

struct db_pool;
struct event_base;
struct ledger;

enum {
    LEDGER_BATCH_MAX = 1000,
    LEDGER_DELAY_MS = 1000,
    LEDGER_MAX = 200000, /* users; beyond, it is forgotten when others were seen */
};

struct ledger *ledger_create(struct event_base *base, struct db_pool *pool) MUST_USE;
/* After the pool, which still owes it answers. */
void ledger_destroy(struct ledger *l);

/* Unix time. */
void ledger_seen(struct ledger *l, uint64_t uid, int64_t at_ms);
void ledger_hidden(struct ledger *l, uint64_t uid, bool hidden, int64_t at_ms);
/* Puts what is not committed yet over what a query may have read. */
void ledger_overlay(const struct ledger *l, uint64_t uid, bool *hidden, int64_t *last_seen_ms);

/* Writes now what waits: before a stop. */
void ledger_flush(struct ledger *l);
bool ledger_is_idle(const struct ledger *l);

#endif
