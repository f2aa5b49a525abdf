/* SPDX-License-Identifier: MIT */
/* asked.h - the requests that were passed on to the bridge and are not answered yet, so that their
 * devices can be told when the link is lost: nobody waits for what will not come.
 *
 * A session owns its own; what comes for a session that has gone is an answer to nobody. */
#ifndef BANTER_PLUGIN_ASKED_H
#define BANTER_PLUGIN_ASKED_H

#include "base/compiler.h"
#include "base/map.h"
#include "base/slice.h"
#include "wire/frame.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct session;

enum {
    ASKED_PER_SESSION_MAX = 256,
    ASKED_MAX = 65536, /* of all sessions: at most 29 MiB, of 440 bytes each, and the table */
};

struct asked {
    LIST_ENTRY(asked) of_session;
    uint64_t number;
    struct session *session;
    enum request_kind kind;
    size_t topic_length;       /* of the MQTT 5 response topic; 0: the default one */
    size_t correlation_length; /* follows the topic in text */
    char text[];
};
LIST_HEAD(asked_list, asked);

struct asked_table {
    struct map by_number; /* struct asked */
    uint64_t last_number;
};

void asked_init(struct asked_table *t);
/* Every session must have been closed before. */
void asked_finish(struct asked_table *t);

/* Remembers a request and returns its number, which is never 0; 0: out of memory, or too many. */
uint64_t asked_add(struct asked_table *t, struct session *session, enum request_kind kind,
                   struct slice topic, struct slice correlation) MUST_USE;
/* The request with this number is answered, or was not passed on. Numbers that are not known are of
 * sessions that have gone. */
void asked_end(struct asked_table *t, uint64_t number);
/* Forgets one that is known to be there. */
void asked_forget(struct asked_table *t, struct asked *a);
/* The session is closed. */
void asked_closed(struct asked_table *t, struct session *session);

#endif
