/* SPDX-License-Identifier: MIT */
/* bulletins.h - this node's own bulletins: gathering news, and keeping what the others may not have
 * yet. Pure: time is given.
 *
 * Of entries only each conversation's highest seq is told, of users what is made of them last. A
 * bulletin is kept for BULLETIN_KEEP_MS, for nodes that are just joining, and for as long as
 * somebody has not applied it; beyond the bounds the oldest go, and who misses them finds that out.
 */
#ifndef BANTER_BRIDGE_CLUSTER_BULLETINS_H
#define BANTER_BRIDGE_CLUSTER_BULLETINS_H

#include "core/cluster/news.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    BULLETIN_BYTES = 64 << 10, /* of news: full */
    BULLETIN_KEEP_MS = 10000,
    BULLETINS_KEPT_BYTES = 32 << 20,
};

struct bulletins;

struct bulletins *bulletins_create(void) MUST_USE;
void bulletins_destroy(struct bulletins *b);

/* To be told in the next bulletin. True: it is full, close it. */
bool bulletins_add(struct bulletins *b, const struct news *n);
bool bulletins_is_empty(const struct bulletins *b);
/* Closes the bulletin that is being gathered, also an empty one: it has the next number, from 1. */
void bulletins_close(struct bulletins *b, bool urgent, uint64_t now_ms);
/* The number of the last one closed; 0: none. */
uint64_t bulletins_number(const struct bulletins *b);
/* The number of the oldest one kept; one more than the last: none. */
uint64_t bulletins_first(const struct bulletins *b);
/* False: it is not kept. `out->news` is borrowed until the next close or forget. */
bool bulletins_get(const struct bulletins *b, uint64_t number, struct bulletin *out);
/* When it was closed; 0: it is not kept. */
uint64_t bulletins_closed_ms(const struct bulletins *b, uint64_t number);
/* Everybody has applied those up to `number`: forgets those of them that are old enough. */
void bulletins_forget(struct bulletins *b, uint64_t number, uint64_t now_ms);

#endif
