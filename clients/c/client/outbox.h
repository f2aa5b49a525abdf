/* SPDX-License-Identifier: MIT */
/* outbox.h - drafts on their way. A draft is in the store before it is sent and stays there until
 * its receipt has come (or its entry, which says the same): a crash or a lost answer costs nothing,
 * for it is sent again with the same id.
 *
 * The texts stay in the store; what is here is the order: a lane for each conversation. Runs on the
 * client's thread. */
#ifndef BANTER_CLIENT_OUTBOX_H
#define BANTER_CLIENT_OUTBOX_H

#include "banter/banter.h"
#include "base/compiler.h"
#include "base/map.h"
#include "client/errors.h"
#include "client/lane.h"
#include "client/platform.h"
#include "client/store.h"

#include <jansson.h>

struct outbox_hooks {
    /* Sends; an error stops the sending for a while. */
    int (*publish)(void *owner, const char *topic, const char *payload, size_t length);
    void (*receipt)(void *owner, const struct banter_receipt *receipt);
    /* A draft is in the log, where this is its entry; the reference passes on. */
    void (*stored)(void *owner, json_t *entry, size_t size);
    /* Only a new connection helps. */
    void (*drop)(void *owner, const struct failure *why);
    /* Who writes; NULL while nobody is logged in. */
    const char *(*user)(void *owner);
    void (*trouble)(void *owner, int error, const char *what);
    /* Fewer drafts are in the store, though nothing was heard. */
    void (*fewer)(void *owner);
    void *owner;
};

struct outbox {
    const struct platform *platform;
    struct store *store;
    struct outbox_hooks hooks;

    struct map letters;         /* by id */
    struct lane *first, **last; /* all lanes, the next to send first */
    struct letter *done;        /* receipted, but the store could not let go of them yet */
    uint64_t done_at;           /* when it is asked to again */
    int64_t loaded;             /* the number of the last draft that was read from the store */
    size_t flying, flying_bytes;
    unsigned window; /* how many may be in flight */
    uint64_t try_at; /* after trouble */
    bool is_up;
    bool may_be_more; /* in the store, behind `loaded` */
};

void outbox_init(struct outbox *o);
void outbox_finish(struct outbox *o);
/* Drafts may have come into the store. */
void outbox_look(struct outbox *o);
/* There is a connection: everything without a receipt is sent again, oldest first. */
void outbox_up(struct outbox *o, unsigned receive_maximum);
void outbox_down(struct outbox *o);
/* Forgets everything: the store was emptied. */
void outbox_clear(struct outbox *o);
/* `to` is what the draft was sent to, `f` what `receipt` was refused for. */
void outbox_receipt(struct outbox *o, const struct banter_receipt *receipt, const char *to,
                    const struct failure *f);
/* An entry of this user has come: if it was a draft here, that is as good as a receipt. */
void outbox_entry(struct outbox *o, const struct banter_entry *entry);
/* Sends what may be sent. */
void outbox_tick(struct outbox *o);
uint64_t outbox_deadline(const struct outbox *o);

#endif
