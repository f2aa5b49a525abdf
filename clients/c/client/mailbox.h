/* SPDX-License-Identifier: MIT */
/* mailbox.h - what other threads have for the client's: calls of the program, and what happens on
 * the network. Bounded; what does not fit is refused, and for the network remembered as `torn`:
 * from then on something is missing, and the connection has to be made anew. */
#ifndef BANTER_CLIENT_MAILBOX_H
#define BANTER_CLIENT_MAILBOX_H

#include "base/compiler.h"
#include "client/transport.h"

#include <pthread.h>

struct job {
    struct job *next;
    void (*run)(struct job *j);  /* frees it */
    void (*drop)(struct job *j); /* frees it: the client is being destroyed */
};

struct mailbox {
    pthread_mutex_t mutex;
    struct job *first_job, **last_job;
    struct net_event *first_event, **last_event;
    size_t job_count, event_count, event_bytes;
    bool torn;
    bool closed;
    void (*wake)(void *owner); /* called without the mutex */
    void *owner;
};

bool mailbox_init(struct mailbox *m, void (*wake)(void *owner), void *owner) MUST_USE;
void mailbox_finish(struct mailbox *m);
/* BANTER_FULL or BANTER_STOPPED: the job stays the caller's. */
int mailbox_call(struct mailbox *m, struct job *j) MUST_USE;
/* Takes `e`; NULL: it could not be made, for lack of memory. */
void mailbox_event(struct mailbox *m, struct net_event *e);
/* No jobs are taken any more. */
void mailbox_close(struct mailbox *m);
/* The next one of each, or NULL; the caller owns it. */
struct job *mailbox_next_job(struct mailbox *m);
struct net_event *mailbox_next_event(struct mailbox *m);
/* Whether something was lost since the last call. */
bool mailbox_take_torn(struct mailbox *m);
/* Makes an event of what a network thread has; NULL: out of memory. */
struct net_event *net_event_make(enum net_kind kind, uint64_t generation, const char *topic,
                                 size_t topic_length, const char *payload, size_t length);

#endif
