/* SPDX-License-Identifier: MIT */
/* watches.h - the users whose presence the program wants to know. Runs on the client's thread. */
#ifndef BANTER_CLIENT_WATCHES_H
#define BANTER_CLIENT_WATCHES_H

#include "banter/banter.h"
#include "base/compiler.h"
#include "client/transport.h"

#include <stdbool.h>
#include <stddef.h>

struct watch;

struct watches {
    struct transport transport;
    void (*tell)(void *owner, const struct banter_presence *presence);
    void *owner;

    struct watch *first;
    size_t count;
    bool is_up;
};

void watches_finish(struct watches *w);
void watches_up(struct watches *w);
/* Nobody tells any more. */
void watches_down(struct watches *w);
/* BANTER_FULL, BANTER_NO_MEMORY; one that is there already is fine. */
int watches_add(struct watches *w, const char *handle) MUST_USE;
void watches_remove(struct watches *w, const char *handle);
/* One may see more users than before: those that were refused are asked for again. */
void watches_retry(struct watches *w);
/* What was granted has ended. */
void watches_refused(struct watches *w, const char *handle);
void watches_acknowledged(struct watches *w, int token, int code);
/* `presence/{handle}`. */
void watches_message(struct watches *w, const char *handle, const char *payload, size_t length);

#endif
