/* SPDX-License-Identifier: MIT */
/* client.h - struct banter: an engine, and the thread that runs it.
 *
 * Rule: the engine belongs to that thread alone. Other threads put requests into the mailbox, write
 * drafts into the store, and read what is under `mutex`. */
#ifndef BANTER_CLIENT_CLIENT_H
#define BANTER_CLIENT_CLIENT_H

#include "banter/banter.h"
#include "base/compiler.h"
#include "client/engine.h"
#include "client/http_curl.h"
#include "client/mailbox.h"
#include "client/settings.h"
#include "client/transport_paho.h"
#include "wire/limits.h"

#include <pthread.h>

struct banter {
    struct settings settings;
    struct banter_callbacks callbacks;
    struct store *store;
    struct mailbox mailbox;
    struct http_curl *http;
    struct transport_paho *transport;
    struct engine engine;
    pthread_t thread;

    pthread_mutex_t mutex; /* of what follows */
    pthread_cond_t changed;
    enum banter_connection connection;
    char user[HANDLE_MAX_LENGTH + 1];
    size_t entering; /* logins that were asked for and have not ended */
    bool posted;     /* drafts have come into the store */
    bool stopping;
};

enum { REQUEST_TEXTS = 4 };

/* What a program asks for: strings that it passed, and who is told of the end. It lives until then.
 */
struct request {
    struct job job;
    struct banter *b;
    /* On the client's thread. BANTER_OK: somebody will end it, or has. An error ends it here. */
    int (*act)(struct request *r);
    banter_done_fn *done; /* one of the two, or none */
    banter_page_fn *paged;
    void *owner;
    char *text[REQUEST_TEXTS];
    int64_t number[2];
    bool flag;
    bool enters; /* it is counted in `entering` */
};

/* NULL: out of memory. */
struct request *request_make(struct banter *b, int (*act)(struct request *r)) MUST_USE;
/* Copies a string that may be NULL; false: out of memory. */
bool request_take(struct request *r, size_t place, const char *text) MUST_USE;
/* Hands it to the client's thread; frees it when that does not take it. `r` NULL: no memory. */
int request_submit(struct request *r) MUST_USE;
/* Tells the program, and frees it. */
void request_end(struct request *r, const struct banter_result *result);
void request_fail(struct request *r, const struct failure *f);
/* request_end(), as a banter_done_fn. */
void request_done(void *request, const struct banter_result *result);
void request_free(struct request *r);

/* What may be in a call; NULL may not. */
bool is_handle(const char *text);
bool is_conversation(const char *text);
bool is_target(const char *text); /* a conversation's id, or @handle */
/* UTF-8 of at most so many bytes. */
bool is_text(const char *text, size_t max_bytes);

#endif
