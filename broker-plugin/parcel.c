/* SPDX-License-Identifier: MIT */
/* parcel.c - see parcel.h. */
#include "parcel.h"

#include <stdlib.h>
#include <string.h>

static struct parcel *allocate(enum parcel_kind kind, size_t bytes)
{
    struct parcel *p = malloc(sizeof *p + bytes);

    if (p) {
        p->next = NULL;
        p->kind = kind;
        p->ticket = 0;
        p->size = sizeof *p + bytes;
    }
    return p;
}

/* Copies `s` to *at, moves *at on and returns the copy. */
static struct slice keep(char **at, struct slice s)
{
    struct slice copy = slice_of(*at, s.length);

    if (s.length > 0)
        memcpy(*at, s.data, s.length);
    *at += s.length;
    return copy;
}

struct parcel *parcel_of_entry(const struct frame_entry *f)
{
    struct parcel *p = allocate(PARCEL_ENTRY, f->sender_device.length + f->payload.length);
    char *at;

    if (!p)
        return NULL;
    at = p->bytes;
    p->entry = *f;
    p->entry.sender_device = keep(&at, f->sender_device);
    p->entry.payload = keep(&at, f->payload);
    return p;
}

struct parcel *parcel_of_device(const struct frame_device *f)
{
    struct parcel *p = allocate(PARCEL_DEVICE, f->device.length + f->topic.length +
                                                   f->correlation.length + f->payload.length);
    char *at;

    if (!p)
        return NULL;
    at = p->bytes;
    p->device = *f;
    p->device.device = keep(&at, f->device);
    p->device.topic = keep(&at, f->topic);
    p->device.correlation = keep(&at, f->correlation);
    p->device.payload = keep(&at, f->payload);
    return p;
}

struct parcel *parcel_of_end(void)
{
    return allocate(PARCEL_ENDED, 0);
}
