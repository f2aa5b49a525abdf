/* SPDX-License-Identifier: MIT */
/* news.h - what libbanter tells, and the queue that brings it from its thread to the one that owns
 * the model.
 *
 * Threads: news_put() is called on libbanter's, everything else on the chat's. When the queue is
 * full news_put() waits: the library has bounds of its own for what comes meanwhile, and fetches
 * again what was too much. news_close() ends the waiting. */
#ifndef BANTER_CLI_CHAT_NEWS_H
#define BANTER_CLI_CHAT_NEWS_H

#include "chat/wishes.h"

#include <jansson.h>
#include <pthread.h>

enum { NEWS_MAX = 4096, REASON_SIZE = 256, DRAFT_ID_SIZE = 257 };

enum news_kind {
    NEWS_STATE,    /* `number`: enum banter_connection; `ms` until the next attempt; `reason` */
    NEWS_ENTRY,    /* `json` */
    NEWS_RECEIPT,  /* of `draft` in `conversation`: `number` is its seq, `ms` when; or `error` */
    NEWS_EVENT,    /* `json`, of me/event */
    NEWS_TYPING,   /* `user`, `flag` */
    NEWS_CURSOR,   /* `user` has received `number` and read `read` */
    NEWS_PRESENCE, /* `user` is `reason` ("" if it is not shown), last seen at `ms` */
    NEWS_ANSWER,   /* to `wish`, which is the queue's: `json`, or `error` and `reason` */
};

struct news {
    struct news *next;
    enum news_kind kind;
    char conversation[CONVERSATION_SIZE];
    char user[HANDLE_SIZE];
    char draft[DRAFT_ID_SIZE];
    char reason[REASON_SIZE]; /* cut, if need be */
    int64_t number, read;
    int64_t ms;
    bool flag;
    int error;
    json_t *json; /* or NULL */
    struct wish wish;
};

struct news_queue {
    pthread_mutex_t mutex;
    pthread_cond_t has_room;
    struct news *first, **last;
    size_t count;
    bool is_closed;
    int event; /* readable while there is something */
};

struct news *news_new(enum news_kind kind);
void news_free(struct news *n);

/* False, with errno, when the system has no descriptor. */
bool news_init(struct news_queue *q);
void news_finish(struct news_queue *q);
void news_put(struct news_queue *q, struct news *n);
/* NULL if there is none. */
struct news *news_take(struct news_queue *q);
/* What is put from now on is dropped. */
void news_close(struct news_queue *q);

#endif
