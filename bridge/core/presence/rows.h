/* SPDX-License-Identifier: MIT */
/* rows.h - reads what stands in users' rows about their presence: many users per query, one query
 * at a time, until it succeeds. */
#ifndef BANTER_BRIDGE_PRESENCE_ROWS_H
#define BANTER_BRIDGE_PRESENCE_ROWS_H

#include "base/compiler.h"
#include "core/presence/row.h"

#include <stdbool.h>
#include <stdint.h>

struct db_pool;
struct event_base;
struct rows;

/* Users who do not exist are not told of. */
typedef void rows_fn(void *owner, uint64_t uid, const struct presence_row *row);

struct rows *rows_create(struct event_base *base, struct db_pool *pool, rows_fn *done,
                         void *owner) MUST_USE;
/* After the pool, which still owes it answers. */
void rows_destroy(struct rows *r);
void rows_read(struct rows *r, uint64_t uid);

#endif
