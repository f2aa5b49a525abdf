/* SPDX-License-Identifier: MIT */
/* outbox.h - one device's drafts in one conversation that have no receipt yet, and which of them is
 * to be published next. Pure.
 *
 * Drafts are numbered from 1 and always go oldest first, the first time and every other time: on a
 * new connection, when a refusal in passing (docs/protocol.md, "Order is kept") has been waited
 * for, and when nothing has been heard for long. So the order in which they are stored is that of
 * their numbers, whatever was lost or refused. */
#ifndef BANTER_CHAOS_OUTBOX_H
#define BANTER_CHAOS_OUTBOX_H

#include "base/compiler.h"

#include <stdbool.h>
#include <stdint.h>

enum { OUTBOX_MAX = 32 }; /* open drafts; a power of two */

struct open_draft {
    uint64_t first_us; /* when it was published first; 0: not yet */
    bool in_flight;    /* published on this round, and not answered */
    bool closed;       /* answered for good, but an older one is not */
};

struct outbox {
    struct open_draft drafts[OUTBOX_MAX]; /* number n at n % OUTBOX_MAX */
    uint64_t head;                        /* the oldest one without an answer for good */
    uint64_t next;                        /* the number of the next one to be opened */
    uint64_t cursor;                      /* head..next: the next one to be published */
    unsigned flying;                      /* drafts in flight */
    /* Refused in passing: the server waits for that one, even if it gets its receipt meanwhile, as
     * an earlier copy of it was taken. 0: none. */
    uint64_t owed;
    bool halted;       /* refused in passing: nothing goes before retry_us … */
    uint64_t retry_us; /* … nor, while drafts fly, before patience_us */
    uint64_t patience_us;
    unsigned refusals; /* rounds in a row that ended so */
    uint64_t heard_us; /* last answer, or when the first of those in flight was published */
    unsigned silences; /* rounds in a row that ended without any answer */
};

void outbox_init(struct outbox *o);
/* Opens the draft *n. False: as many are open as may be. */
bool outbox_open(struct outbox *o, uint64_t *n) MUST_USE;
/* Takes the draft that is to be published now; *again: it was published before. False: none is. */
bool outbox_take(struct outbox *o, uint64_t now_us, uint64_t *n, bool *again) MUST_USE;
/* How many are open. */
unsigned outbox_count(const struct outbox *o);
/* When the oldest of them was first published; 0: none was. */
uint64_t outbox_oldest_us(const struct outbox *o);

/* Draft `n` was stored, or refused for good. Returns when it was first published, or 0 if it was
 * not open: a repeated answer. */
uint64_t outbox_close(struct outbox *o, uint64_t n, uint64_t now_us);
/* Draft `n` was refused in passing; `first` if not only for the sake of an earlier one. `wait_us`:
 * at least so long before the next round, to which up to as much is added as `random` says. */
void outbox_refuse(struct outbox *o, uint64_t n, bool first, uint64_t wait_us, uint64_t random,
                   uint64_t now_us);
/* A new connection: all is to be published again, at once. */
void outbox_restart(struct outbox *o);
/* Begins a new round if nothing has been heard for long of what flies; true if it did. */
bool outbox_check_silence(struct outbox *o, uint64_t now_us);

#endif
