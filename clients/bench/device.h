/* SPDX-License-Identifier: MIT */
/* device.h - one player's connection during a run: its handshake, what it sends, what it checks.
 *
 * All devices of a run share a `struct troupe`, which counts for all of them. */
#ifndef BANTER_BENCH_DEVICE_H
#define BANTER_BENCH_DEVICE_H

#include "conn.h"
#include "load.h"
#include "sender.h"
#include "wire/topic.h"

#include <stdbool.h>
#include <stdint.h>

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

struct troupe {
    const struct load_config *config;
    const struct cast *cast;
    struct conn_set *set;
    struct device *devices;    /* one per player of the cast */
    struct sender *senders;    /* sender_count of the cast */
    struct device **by_sender; /* the device of each of them */
    struct sender_plan plan;
    uint64_t measure_from_us; /* 0 until known */
    uint64_t measure_to_us;
    uint64_t run;      /* marks the drafts of this run */
    struct slice tail; /* what follows the id in every payload; borrowed from tail_bytes */
    struct buf tail_bytes;
    unsigned ready_count;
    unsigned lost_count;
    bool refused_at_door; /* a connection was refused or lost before the run began */
    uint64_t acknowledged;
    struct load_result *result;
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
