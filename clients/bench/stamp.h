/* SPDX-License-Identifier: MIT */
/* stamp.h - draft ids that say when they were due, and a quick look at the JSON that carries them.
 *
 * A latency is "now" minus the time in the id: nothing has to be looked up per message. The id has
 * the form of a version 8 UUID (RFC 9562): 48 bits of microseconds, 24 bits of the sender's count,
 * 24 bits for the sender, 24 bits that differ from run to run. */
#ifndef BANTER_BENCH_STAMP_H
#define BANTER_BENCH_STAMP_H

#include "base/compiler.h"
#include "base/slice.h"
#include "base/uuid.h"

#include <stdbool.h>
#include <stdint.h>

enum { STAMP_MASK = 0xffffff }; /* of number, sender and run */

struct stamp {
    uint64_t due_us; /* CLOCK_MONOTONIC: when the draft was to be sent */
    uint32_t number; /* counts a sender's drafts, modulo 2^24 */
    uint32_t sender; /* its index; 24 bits */
    uint32_t run;    /* which run of the bench; 24 bits */
};

/* Writes UUID_TEXT_LENGTH characters, no NUL. */
void stamp_format(const struct stamp *s, char text[UUID_TEXT_LENGTH]);
/* False when the text is not of this form. */
bool stamp_parse(struct slice text, struct stamp *out) MUST_USE;

/* What a bench needs of an entry or a receipt. */
struct glance {
    bool stamped; /* it carries an id of ours */
    struct stamp stamp;
    int64_t seq;             /* 0: none */
    struct slice error_code; /* empty: none; borrowed */
};

/* Finds the members "id", "seq" and "error" in the JSON of an entry or a receipt without parsing
 * it. Only right for messages of this bench: their texts contain no quotes. */
void glance_read(struct slice json, struct glance *out);

#endif
