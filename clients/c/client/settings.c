/* SPDX-License-Identifier: MIT */
/* settings.c - see settings.h. */
#include "client/settings.h"

#include "wire/names.h"

#include <stdlib.h>
#include <string.h>

enum { OUTBOX_CEILING = 100000, SIZE_SANE = 4096, LOCATION_MAX_BYTES = 128 };

/* What stands in a URL as it is. */
static const char location_characters[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./-";

bool structure_take(void *to, size_t size, const void *from)
{
    size_t given;

    if (!from)
        return false;
    memcpy(&given, from, sizeof given);
    if (given <= sizeof given || given > SIZE_SANE)
        return false;
    for (size_t i = size; i < given; i++)
        if (((const char *)from)[i] != 0)
            return false;
    memcpy(to, from, given < size ? given : size);
    memcpy(to, &size, sizeof size);
    return true;
}

static bool copy(char **to, const char *from)
{
    *to = from ? strdup(from) : NULL;
    return *to || !from;
}

static bool is_location(const char *text)
{
    size_t length = text ? strnlen(text, LOCATION_MAX_BYTES + 1) : 0;

    return length <= LOCATION_MAX_BYTES && (!text || strspn(text, location_characters) == length);
}

int settings_init(struct settings *out, const struct banter_options *options)
{
    struct banter_options o = BANTER_OPTIONS_INIT;
    int error;

    *out = (struct settings){0};
    if (!structure_take(&o, sizeof o, options))
        return BANTER_INVALID;
    error = servers_init(&out->servers, o.servers, o.server_count);
    if (error)
        return error;
    if (!o.device || !device_is_valid(slice_str(o.device)) || o.outbox_max == 0 ||
        o.outbox_max > OUTBOX_CEILING || o.start < BANTER_FROM_NOW || o.start > BANTER_FROM_FIRST ||
        !is_location(o.location))
        return BANTER_INVALID;
    if (!copy(&out->device, o.device) || !copy(&out->store, o.store) ||
        !copy(&out->ca_file, o.ca_file) || !copy(&out->location, o.location))
        return BANTER_NO_MEMORY;
    out->start = o.start;
    out->say_received = o.say_received;
    out->outbox_max = o.outbox_max;
    out->discover = o.discover;
    return BANTER_OK;
}

void settings_finish(struct settings *s)
{
    servers_finish(&s->servers);
    free(s->device);
    free(s->store);
    free(s->ca_file);
    free(s->location);
    *s = (struct settings){0};
}
