/* SPDX-License-Identifier: MIT */
/* health.h - what this node needs to carry messages, and which of it is not well now.
 *
 * Being connected is not enough: each part is asked, or its progress is watched, and what has not
 * answered for the deadline is not well. A part is well again with its next answer. */
#ifndef BANTER_BRIDGE_HEALTH_H
#define BANTER_BRIDGE_HEALTH_H

#include "base/compiler.h"

#include <stdbool.h>
#include <stdint.h>

struct cluster;
struct db_pool;
struct drain;
struct event_base;
struct health;
struct ingest;
struct link;
struct pulse;
struct revocations;

/* In the order in which they are told: what others depend on first. */
enum health_part {
    HEALTH_DATABASE, /* can be read */
    HEALTH_WRITER,   /* commits what there is to commit */
    HEALTH_LOGINS,   /* it is known which have ended */
    HEALTH_STRAYS,   /* nothing of lost connections is left in the database */
    HEALTH_CLUSTER,  /* this node has its lease, if there may be others */
    HEALTH_PLUGIN,   /* is there, and answers */
    HEALTH_DOOR,     /* its thread comes round */
    HEALTH_PARTS,
};

extern const char *const health_part_names[HEALTH_PARTS];

struct health_config {
    struct db_pool *pool;
    const struct cluster *cluster; /* or NULL */
    const struct drain *drain;
    const struct ingest *ingest;
    const struct link *link;
    const struct revocations *revocations;
    const struct pulse *door;
    unsigned deadline_ms;
};

struct health *health_create(struct event_base *base, const struct health_config *config) MUST_USE;
/* After the pool, which still owes it an answer. */
void health_destroy(struct health *h);

/* NULL, or what is wrong with it: one sentence, static. */
const char *health_of(const struct health *h, enum health_part part);
/* NULL: ready to carry messages. Else why not, in one sentence; valid until the next call. */
const char *health_why_not(struct health *h);

/* The process is about to end, in good order. */
void health_stop(struct health *h);
bool health_is_stopping(const struct health *h);

#endif
