/* SPDX-License-Identifier: MIT */
/* asked.c - see asked.h. */
#include "asked.h"

#include "sessions.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const void *number_of(const void *item)
{
    return &((const struct asked *)item)->number;
}

static const struct map_type by_number_type = {map_hash_u64, map_equal_u64, number_of};

void asked_init(struct asked_table *t)
{
    t->last_number = 0;
    map_init(&t->by_number, &by_number_type);
}

void asked_finish(struct asked_table *t)
{
    assert(t->by_number.count == 0);
    map_finish(&t->by_number);
}

uint64_t asked_add(struct asked_table *t, struct session *session, enum request_kind kind,
                   struct slice topic, struct slice correlation)
{
    struct asked *a;

    if (session->asked_count >= ASKED_PER_SESSION_MAX || t->by_number.count >= ASKED_MAX)
        return 0;
    a = malloc(sizeof *a + topic.length + correlation.length);
    if (!a)
        return 0;
    a->number = t->last_number + 1;
    a->session = session;
    a->kind = kind;
    a->topic_length = topic.length;
    a->correlation_length = correlation.length;
    if (topic.length > 0)
        memcpy(a->text, topic.data, topic.length);
    if (correlation.length > 0)
        memcpy(a->text + topic.length, correlation.data, correlation.length);
    if (!map_insert(&t->by_number, a)) {
        free(a);
        return 0;
    }
    LIST_INSERT_HEAD(&session->asked, a, of_session);
    session->asked_count++;
    return ++t->last_number;
}

void asked_forget(struct asked_table *t, struct asked *a)
{
    map_remove(&t->by_number, &a->number);
    LIST_REMOVE(a, of_session);
    a->session->asked_count--;
    free(a);
}

void asked_end(struct asked_table *t, uint64_t number)
{
    struct asked *a = map_find(&t->by_number, &number);

    if (a)
        asked_forget(t, a);
}

void asked_closed(struct asked_table *t, struct session *session)
{
    while (!LIST_EMPTY(&session->asked))
        asked_forget(t, LIST_FIRST(&session->asked));
}
