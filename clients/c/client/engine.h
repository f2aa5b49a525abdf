/* SPDX-License-Identifier: MIT */
/* engine.h - all parts of a client put together: what comes from the network goes to whom it
 * concerns, and what they have to say to the program.
 *
 * No thread, no socket and no clock of its own: one thread calls all of this, and gives it time,
 * network and store. The program's callbacks are called from within. */
#ifndef BANTER_CLIENT_ENGINE_H
#define BANTER_CLIENT_ENGINE_H

#include "banter/banter.h"
#include "base/compiler.h"
#include "client/api.h"
#include "client/catch_up.h"
#include "client/connection.h"
#include "client/http.h"
#include "client/logs.h"
#include "client/outbox.h"
#include "client/platform.h"
#include "client/session.h"
#include "client/settings.h"
#include "client/signals.h"
#include "client/store.h"
#include "client/transport.h"
#include "client/watches.h"

/* Borrowed for the engine's life. */
struct engine_parts {
    const struct platform *platform;
    struct settings *settings;
    struct store *store;
    struct http http;
    struct transport transport;
    const struct banter_callbacks *callbacks;
    /* Something that banter_wait() waits for may have happened. */
    void (*changed)(void *owner);
    void *owner;
};

struct engine {
    struct engine_parts parts;
    struct session *session;
    struct api *api;
    struct connection connection;
    struct outbox outbox;
    struct logs logs;
    struct catch_up catch_up;
    struct signals signals;
    struct watches watches;

    int told;             /* the last enum banter_connection that the program was told */
    bool listens;         /* to entries: the program has an on_entry */
    struct failure ended; /* why nobody is logged in */
    uint64_t renew_at;    /* the token: the broker said that it is about to expire */
    bool restart_renewed; /* connect anew with the next token */
    bool is_stopping;     /* the program is told nothing of its state any more */
};

/* *e is to be finished after BANTER_OK only. BANTER_STORE, BANTER_NO_MEMORY. */
int engine_init(struct engine *e, const struct engine_parts *parts) MUST_USE;
/* Connects if somebody is logged in. */
void engine_start(struct engine *e);
/* Ends the connection, and what waits, with BANTER_STOPPED. The http has to be stopped after it. */
void engine_stop(struct engine *e);
void engine_finish(struct engine *e);

void engine_event(struct engine *e, const struct net_event *event);
/* Something from the network was lost. */
void engine_torn(struct engine *e);
/* Does what is due. */
void engine_tick(struct engine *e);
/* When something will be; 0: at once. */
uint64_t engine_deadline(const struct engine *e);

void engine_log(const struct engine *e, enum banter_level level, const char *format, ...)
    PRINTF_LIKE(3, 4);
struct banter_state engine_state(const struct engine *e);
int engine_log_out(struct engine *e, banter_done_fn *done, void *owner) MUST_USE;

/* engine_hear.c: a message from the server. */
void engine_hear(struct engine *e, const char *topic, const char *payload, size_t length);

#endif
