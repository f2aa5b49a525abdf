/* SPDX-License-Identifier: MIT */
/* load.h - one run: connects the cast to a broker, lets its senders send, measures and checks.
 *
 * It drives two kinds of broker with the same work: Banter (drafts to send/, entries and receipts
 * come back), and a bare MQTT broker (publishes to a topic that the receivers subscribe to; PUBACK
 * stands for the receipt). Against Banter every device checks that each conversation's seq comes
 * without gap, duplicate or disorder. */
#ifndef BANTER_BENCH_LOAD_H
#define BANTER_BENCH_LOAD_H

#include "base/compiler.h"
#include "cast.h"
#include "further.h"
#include "histogram.h"
#include "stamp.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

struct load_config {
    bool bare; /* the broker is not Banter */
    struct sockaddr_in broker;
    const struct further *further; /* NULL: no more nodes */
    unsigned rate;                 /* messages per second of all senders together; 0: saturate */
    unsigned window;               /* saturate: drafts outstanding per sender */
    unsigned warm_up_s;
    unsigned seconds; /* measured, after the warm-up */
    unsigned text_bytes;
    /* Called when measuring begins and when it has ended, with how many messages were acknowledged
     * so far. May be NULL. */
    void (*mark)(void *owner, bool begins, uint64_t acknowledged);
    /* Called for every copy of a draft that was due while measuring. May be NULL. */
    void (*heard)(void *owner, const struct stamp *stamp, uint64_t now_us);
    void *owner;
};

struct load_result {
    double connect_s;   /* until every device was ready */
    double seconds;     /* measured */
    uint64_t messages;  /* acknowledged (Banter: receipts with a seq) while measuring */
    uint64_t delivered; /* copies that reached a receiver while measuring */
    /* What went wrong, from the first draft to the end of the drain; all 0 in a good run. */
    uint64_t refused;      /* refused for now, and sent again */
    uint64_t failed;       /* refused for good */
    uint64_t unanswered;   /* no outcome when the drain ended */
    uint64_t missing;      /* copies that never came */
    uint64_t gaps;         /* times that a device saw a seq jump; not more than a delay, if nothing
                              is missing */
    uint64_t duplicates;   /* entries whose seq did not rise */
    uint64_t repeated;     /* receipts that had come before: allowed after a crash */
    uint64_t disorder;     /* outcomes not in the order of sending */
    uint64_t disconnected; /* connections lost */
    /* Microseconds from when a draft was due; drafts that were due while measuring. */
    struct histogram acknowledged_us;
    struct histogram delivered_us;
    struct histogram ready_us; /* from connect() to me/ready */
};

/* False, after saying why on stderr, when the run could not be made. *out is large: not for the
 * stack. */
bool load_run(const struct load_config *config, const struct cast *cast,
              struct load_result *out) MUST_USE;

#endif
