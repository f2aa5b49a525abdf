/* SPDX-License-Identifier: MIT */
/* news.c - the queue between libbanter's thread and the chat's. */
#include "chat/news.h"

#include "chat/memory.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct news *news_new(enum news_kind kind)
{
    struct news *n = memory_new(1, sizeof *n);

    n->kind = kind;
    return n;
}

void news_free(struct news *n)
{
    if (!n)
        return;
    json_decref(n->json);
    wish_finish(&n->wish);
    free(n);
}

bool news_init(struct news_queue *q)
{
    *q = (struct news_queue){.event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    q->last = &q->first;
    pthread_mutex_init(&q->mutex, NULL);
    pthread_cond_init(&q->has_room, NULL);
    return q->event >= 0;
}

void news_finish(struct news_queue *q)
{
    struct news *n;

    while ((n = news_take(q)) != NULL)
        news_free(n);
    if (q->event >= 0)
        close(q->event);
    pthread_cond_destroy(&q->has_room);
    pthread_mutex_destroy(&q->mutex);
}

void news_put(struct news_queue *q, struct news *n)
{
    bool is_taken;

    pthread_mutex_lock(&q->mutex);
    while (q->count >= NEWS_MAX && !q->is_closed)
        pthread_cond_wait(&q->has_room, &q->mutex);
    is_taken = !q->is_closed;
    if (is_taken) {
        *q->last = n;
        q->last = &n->next;
        q->count++;
        if (q->count == 1)
            (void)eventfd_write(q->event, 1);
    }
    pthread_mutex_unlock(&q->mutex);
    if (!is_taken)
        news_free(n);
}

struct news *news_take(struct news_queue *q)
{
    struct news *n;
    eventfd_t ignored;

    pthread_mutex_lock(&q->mutex);
    n = q->first;
    if (n) {
        q->first = n->next;
        if (!q->first) {
            q->last = &q->first;
            (void)eventfd_read(q->event, &ignored);
        }
        q->count--;
        pthread_cond_signal(&q->has_room);
    }
    pthread_mutex_unlock(&q->mutex);
    return n;
}

void news_close(struct news_queue *q)
{
    pthread_mutex_lock(&q->mutex);
    q->is_closed = true;
    pthread_cond_broadcast(&q->has_room);
    pthread_mutex_unlock(&q->mutex);
}
