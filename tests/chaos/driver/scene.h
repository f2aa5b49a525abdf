/* SPDX-License-Identifier: MIT */
/* scene.h - who takes part in a run, as the cast file says it. Strings are borrowed from the JSON,
 * which the scene keeps. */
#ifndef BANTER_CHAOS_SCENE_H
#define BANTER_CHAOS_SCENE_H

#include "base/compiler.h"
#include "base/slice.h"
#include "base/uuid.h"

#include <jansson.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

/* How a device behaves. */
enum manner {
    MANNER_NORMAL,
    MANNER_SLOW,   /* reads a few KB a second */
    MANNER_MUTE,   /* does not read for a while, and then all; does not post */
    MANNER_RESEND, /* sends every draft several times, also after its receipt */
};

struct scene_conversation {
    struct uuid id;
    const json_t *members; /* handles */
    const json_t *posters;
};

struct scene_device {
    struct slice name;
    enum manner manner;
};

struct scene_user {
    struct slice handle;
    struct slice token;
    struct scene_device *devices; /* owned */
    unsigned device_count;
};

struct scene {
    json_t *json;
    uint64_t seed;
    uint64_t rate;                 /* drafts a second */
    struct sockaddr_in *addresses; /* owned */
    unsigned address_count;
    struct scene_user *users; /* those of this driver; owned */
    unsigned user_count;
    unsigned device_count;                    /* of all of them */
    struct scene_conversation *conversations; /* owned */
    unsigned conversation_count;
};

/* Reads the cast at `path` and keeps the users whose "driver" is `driver`. False: said on stderr
 * what is wrong; scene_finish() is still due. */
bool scene_read(struct scene *s, const char *path, const char *driver) MUST_USE;
/* Frees everything; an all-zero scene is fine. */
void scene_finish(struct scene *s);
/* Whether the array of handles names this one. */
bool scene_names(const json_t *handles, struct slice handle);

#endif
