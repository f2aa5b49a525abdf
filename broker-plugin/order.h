/* SPDX-License-Identifier: MIT */
/* order.h - every conversation's entries are handed out in seq order, each once.
 *
 * An entry that comes too early waits, bounded, in the conversation's gap, and the bridge is asked
 * for what is missing (FILL). So whatever was lost, repeated or reordered before heals itself. */
#ifndef BANTER_PLUGIN_ORDER_H
#define BANTER_PLUGIN_ORDER_H

#include "base/compiler.h"
#include "wire/frame.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conversation;
struct core;
struct parcel;

enum {
    ORDER_HELD_MAX = 1024,           /* entries per conversation */
    ORDER_HELD_BYTES_MAX = 16 << 20, /* in all */
    ORDER_FILLS_MAX = 32,            /* asked and not answered */
    ORDER_FILL_AGAIN_MS = 1000,      /* after an answer that did not close the gap */
    ORDER_OTHERS_MS = 50, /* with several nodes: what another one committed may just be late */
};

enum fill_state { FILL_NONE, FILL_WANTED, FILL_ASKED };

struct gap {
    struct conversation *conversation;
    struct gap *next, *prev;
    struct parcel *held; /* owned; by rising seq */
    struct parcel *held_last;
    unsigned held_count;
    enum fill_state fill;
    uint64_t not_before_ms; /* FILL_WANTED */
    int64_t head;           /* highest seq heard of since the last FILL; 0: none */
    bool rewound;           /* since the last FILL, whose answer will begin too late */
};

struct order {
    struct gap *gaps;
    size_t held_bytes;
    unsigned fills_asked;
};

void order_init(struct order *o);

void order_entry(struct core *c, const struct frame_entry *f);
/* False: not a sensible answer. */
bool order_filled(struct core *c, const struct frame_filled *f) MUST_USE;
/* The conversation is known to have entries up to `head`: ask for what is missing. */
void order_behind(struct core *c, struct conversation *conversation, int64_t head);
/* A newcomer is owed the entries after `since`, and some of them have been handed out before it was
 * known here: they are asked for again, and go to those who have not had them. */
void order_rewind(struct core *c, struct conversation *conversation, int64_t since);
/* Sends the FILLs that are due. */
void order_turn(struct core *c);
/* What was asked will not be answered, and what was held will be sent again. */
void order_link_lost(struct core *c);
/* Frees every gap. */
void order_finish(struct core *c);

#endif
