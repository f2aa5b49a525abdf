/* SPDX-License-Identifier: MIT */
/* worker.h - one thread for work that would hold up the loop, such as writing files: jobs run there
 * one after the other and come back to the loop.
 *
 * A job belongs to the loop thread until worker_run(), to the worker from then on, and to the loop
 * again once `done` is called. */
#ifndef BANTER_BRIDGE_WORKER_H
#define BANTER_BRIDGE_WORKER_H

#include "base/compiler.h"

#include <stdbool.h>
#include <sys/queue.h>

struct event_base;
struct worker;

/* Embedded in what is to be done. */
struct worker_job {
    STAILQ_ENTRY(worker_job) next;
    void (*work)(struct worker_job *job); /* on the worker's thread */
    void (*done)(struct worker_job *job); /* on the loop thread; frees the job */
};

/* At most `queue_max` jobs are taken and not done. NULL after logging why. */
struct worker *worker_create(struct event_base *base, unsigned queue_max) MUST_USE;
/* Waits for the job under way. Jobs that have not been told of go to `drop`, which frees them. */
void worker_destroy(struct worker *w, void (*drop)(struct worker_job *job));
/* False: the queue is full, and the job is still the caller's. */
bool worker_run(struct worker *w, struct worker_job *job) MUST_USE;

#endif
