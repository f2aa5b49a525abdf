/* SPDX-License-Identifier: MIT */
/* mailbox.c - see mailbox.h. */
#include "client/mailbox.h"

#include "banter/banter.h"

#include <stdlib.h>
#include <string.h>

enum {
    JOBS_MAX = 1024,
    EVENTS_MAX = 8192,
    EVENT_BYTES_MAX = 32 << 20,
};

bool mailbox_init(struct mailbox *m, void (*wake)(void *owner), void *owner)
{
    *m = (struct mailbox){.wake = wake, .owner = owner};
    m->last_job = &m->first_job;
    m->last_event = &m->first_event;
    return pthread_mutex_init(&m->mutex, NULL) == 0;
}

void mailbox_finish(struct mailbox *m)
{
    struct net_event *e;
    struct job *j;

    while ((e = mailbox_next_event(m)) != NULL)
        free(e);
    while ((j = mailbox_next_job(m)) != NULL)
        j->drop(j);
    pthread_mutex_destroy(&m->mutex);
}

int mailbox_call(struct mailbox *m, struct job *j)
{
    int error = BANTER_OK;

    pthread_mutex_lock(&m->mutex);
    if (m->closed) {
        error = BANTER_STOPPED;
    } else if (m->job_count >= JOBS_MAX) {
        error = BANTER_FULL;
    } else {
        j->next = NULL;
        *m->last_job = j;
        m->last_job = &j->next;
        m->job_count++;
    }
    pthread_mutex_unlock(&m->mutex);
    if (!error)
        m->wake(m->owner);
    return error;
}

void mailbox_event(struct mailbox *m, struct net_event *e)
{
    pthread_mutex_lock(&m->mutex);
    if (!e || m->event_count >= EVENTS_MAX || m->event_bytes + e->length > EVENT_BYTES_MAX) {
        m->torn = true;
        free(e);
    } else {
        e->next = NULL;
        *m->last_event = e;
        m->last_event = &e->next;
        m->event_count++;
        m->event_bytes += e->length;
    }
    pthread_mutex_unlock(&m->mutex);
    m->wake(m->owner);
}

void mailbox_close(struct mailbox *m)
{
    pthread_mutex_lock(&m->mutex);
    m->closed = true;
    pthread_mutex_unlock(&m->mutex);
    m->wake(m->owner);
}

struct job *mailbox_next_job(struct mailbox *m)
{
    struct job *j;

    pthread_mutex_lock(&m->mutex);
    j = m->first_job;
    if (j) {
        m->first_job = j->next;
        if (!m->first_job)
            m->last_job = &m->first_job;
        m->job_count--;
    }
    pthread_mutex_unlock(&m->mutex);
    return j;
}

struct net_event *mailbox_next_event(struct mailbox *m)
{
    struct net_event *e;

    pthread_mutex_lock(&m->mutex);
    e = m->first_event;
    if (e) {
        m->first_event = e->next;
        if (!m->first_event)
            m->last_event = &m->first_event;
        m->event_count--;
        m->event_bytes -= e->length;
    }
    pthread_mutex_unlock(&m->mutex);
    return e;
}

bool mailbox_take_torn(struct mailbox *m)
{
    bool torn;

    pthread_mutex_lock(&m->mutex);
    torn = m->torn;
    m->torn = false;
    pthread_mutex_unlock(&m->mutex);
    return torn;
}

struct net_event *net_event_make(enum net_kind kind, uint64_t generation, const char *topic,
                                 size_t topic_length, const char *payload, size_t length)
{
    struct net_event *e = malloc(sizeof *e + topic_length + 1 + length + 1);

    if (!e)
        return NULL;
    *e = (struct net_event){.kind = kind, .generation = generation, .length = length};
    memcpy(e->data, topic, topic_length);
    e->data[topic_length] = '\0';
    e->payload = e->data + topic_length + 1;
    if (length > 0)
        memcpy(e->payload, payload, length);
    e->payload[length] = '\0';
    return e;
}
