/* SPDX-License-Identifier: MIT */
/* audit_page.h - reads banter.audit for operators, newest first, a page at a time. */
#ifndef BANTER_BRIDGE_AUDIT_PAGE_H
#define BANTER_BRIDGE_AUDIT_PAGE_H

#include "base/buf.h"
#include "base/compiler.h"
#include "base/slice.h"
#include "wire/codes.h"

#include <stdbool.h>
#include <stdint.h>

struct audit_pages;
struct db_pool;

struct audit_query {
    int64_t before; /* the id up to which earlier pages came; INT64_MAX: from the newest on */
    int64_t limit;
    struct slice action; /* only these; empty: all */
    struct slice user;   /* only what this handle did, or what was done to it; empty: all */
};

struct audit_pages *audit_pages_create(struct db_pool *pool) MUST_USE;
/* Requests still under way end without their callback. */
void audit_pages_destroy(struct audit_pages *p);

/* Exactly once, on the loop thread. `json` may be taken over; only with CODE_OK. Else
 * CODE_UNAVAILABLE or CODE_INTERNAL, or CODE_TOO_LARGE: so many rows do not fit in one page. */
typedef void audit_page_fn(void *owner, enum code code, struct buf *json);

/* False: there is no database now; no callback. */
bool audit_page(struct audit_pages *p, const struct audit_query *query, audit_page_fn *done,
                void *owner) MUST_USE;

#endif
