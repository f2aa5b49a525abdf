/* SPDX-License-Identifier: MIT */
/* device.h - one player's connection during a run: its handshake, what it sends, what it checks.
 *
 * All devices of a run share a `struct troupe`, which counts for all of them. */
#ifndef BANTER_BENCH_DEVICE_H
#define BANTER_BENCH_DEVICE_H

#include "cast.h"
#include "conn.h"
#include "sender.h"
#include "wire/topic.h"

#include <stdbool.h>
#include <stdint.h>

struct troupe;

enum { PAYLOAD_START_MAX = 256 };

struct device {
    struct conn conn; /* first: handlers are given the conn and find the device */
    struct troupe *troupe;
    const struct player *player;
    const struct stage *stage;
    struct sender *sender;             /* NULL: only receives */
    bool ready;                        /* may send and will receive */
    uint64_t opened_us;                /* when it began to connect */
    int64_t last_entry_seq;            /* of its conversation */
    int64_t last_receipt_seq;          /* of its own drafts */
    uint64_t received;                 /* entries of this run's other senders */
    uint64_t strange;                  /* entries of nobody in this run */
    uint64_t stored;                   /* own drafts with a receipt */
    char topic[TOPIC_CHAT_LENGTH + 1]; /* that its drafts go to */
    char start[PAYLOAD_START_MAX];     /* of their payload, up to the id */
    size_t start_length;
};

/* Fills `handlers` for the troupe's conn_set. */
void device_handlers(struct troupe *t, struct conn_handlers *handlers);
/* Prepares a closed device; the troupe's config, cast and result must be set. */
void device_init(struct device *d, struct troupe *t, const struct player *player);
/* Starts to connect. */
bool device_open(struct device *d, uint64_t now_us) MUST_USE;
/* The highest seq it has seen. */
int64_t device_head(const struct device *d);
/* How many of the seqs up to `head` it has seen neither in an entry nor in a receipt. */
uint64_t device_missing(const struct device *d, int64_t head);
/* Writes every draft of this sender that is due. */
void device_send_due(struct device *d, uint64_t now_us);

#endif
