/* SPDX-License-Identifier: MIT */
/* intake.h - what the plugin says, handed to the module it is for; and what becomes of its drafts,
 * said back to it. */
#ifndef BANTER_BRIDGE_INTAKE_H
#define BANTER_BRIDGE_INTAKE_H

#include "base/compiler.h"
#include "link/link.h"

struct cluster;
struct cursors;
struct drain;
struct fills;
struct ingest;
struct intake;
struct members;
struct presence;
struct rates;
struct requests;
struct revocations;

struct intake_modules {
    struct cluster *cluster; /* or NULL: this node is alone */
    struct cursors *cursors;
    struct drain *drain;
    struct fills *fills;
    struct ingest *ingest;
    struct link *link;
    struct members *members;
    struct presence *presence;
    struct rates *rates;
    struct requests *requests;
    struct revocations *revocations;
};

/* Takes ingest_on_settled(). */
struct intake *intake_create(const struct intake_modules *modules) MUST_USE;
/* After `ingest`, which still owes it the outcome of drafts. */
void intake_destroy(struct intake *i);
/* For link_start(). */
struct link_handlers intake_handlers(struct intake *i);
/* Takes no further drafts; what was taken is finished. For a stop in good order. */
void intake_close(struct intake *i);

#endif
