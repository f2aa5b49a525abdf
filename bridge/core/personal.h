/* SPDX-License-Identifier: MIT */
/* personal.h - what is held about a user, page by page, and the receipt of an erasure: the C side
 * of the reading half of schema/sql/0021_erasure.sql. */
#ifndef BANTER_BRIDGE_PERSONAL_H
#define BANTER_BRIDGE_PERSONAL_H

#include "base/compiler.h"
#include "base/slice.h"
#include "base/uuid.h"
#include "wire/codes.h"

#include <stdbool.h>
#include <stdint.h>

struct db_pool;
struct personal;

/* Longer ones are none of ours. */
enum { PERSONAL_CURSOR_MAX_BYTES = 80 };

struct personal *personal_create(struct db_pool *pool) MUST_USE;
/* Requests still under way end without their callback. */
void personal_destroy(struct personal *p);

/* `json`: objects, each with a line end. `cursor`: where the next page begins; empty: nowhere, this
 * was the last one. Both borrowed, and empty unless CODE_OK. */
typedef void personal_done_fn(void *owner, enum code code, struct slice json, struct slice cursor);

/* One page from behind `cursor` on (empty: the first one); it may be empty and not the last. `of`:
 * a handle, of whom the user may know if they are an administrator (else CODE_FORBIDDEN); empty: of
 * the user. CODE_INVALID: no such cursor. False: too busy; nothing kept, no callback. */
bool personal_export(struct personal *p, uint64_t uid, struct slice of, struct slice cursor,
                     personal_done_fn *done, void *owner) MUST_USE;
/* How far the erasure is, as one object. CODE_NOT_FOUND: there is none with this id. False as
 * above. */
bool personal_receipt(struct personal *p, const struct uuid *erasure, personal_done_fn *done,
                      void *owner) MUST_USE;

#endif
