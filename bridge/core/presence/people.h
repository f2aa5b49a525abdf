/* SPDX-License-Identifier: MIT */
/* people.h - the roster's insides, for the files that it is made of: people.c keeps users and their
 * devices, roster.c hears the plugin of this node, roster_nodes.c the other nodes. Nobody else
 * includes it. */
#ifndef BANTER_BRIDGE_PRESENCE_PEOPLE_H
#define BANTER_BRIDGE_PRESENCE_PEOPLE_H

#include "base/map.h"
#include "core/presence/roster.h"
#include "wire/limits.h"

#include <sys/queue.h>

struct person;

struct device {
    LIST_ENTRY(device) siblings;
    TAILQ_ENTRY(device) link; /* while it is gone */
    struct person *person;
    uint64_t deadline_ms; /* 0: it is here; else it is gone, and forgotten then */
    uint64_t epoch;       /* of an own device: since when it is connected */
    enum shown state;     /* SHOWN_UNKNOWN: stands for devices that may have been here */
    unsigned node;        /* another one's: stands for all the devices that the user has there */
    bool elsewhere;       /* and one of them is connected */
    bool called;          /* since roster_roll_begin() */
    char name[DEVICE_MAX_LENGTH + 1];
};

struct person {
    uint64_t uid;
    LIST_HEAD(, device) devices;
    TAILQ_ENTRY(person) aging;
    uint64_t refresh_ms; /* when it is due to be written as seen */
    int64_t last_seen_ms;
    enum shown shown;
    bool loaded;
    bool hidden;
    bool discreet;
    bool said;       /* whether they hide is known better than the row knows it */
    bool chosen;     /* and whether they are discreet */
    int64_t said_ms; /* Unix time: when; 0: long ago */
    struct told {
        enum shown state;
        bool here, hidden, discreet;
    } told; /* of this node's own part; all zero: nothing */
    char handle[HANDLE_MAX_LENGTH + 1];
};

struct roster {
    uint64_t grace_ms;
    struct roster_hooks hooks;
    struct map people; /* struct person by uid; owned */
    TAILQ_HEAD(, device) gone;
    TAILQ_HEAD(, person) aging;
    uint64_t epoch;
    size_t devices_here;
};

/* Freed with all its people by roster_destroy(). */
void people_init(struct roster *r);

/* NULL: they are not in the roster. */
struct person *people_find(const struct roster *r, uint64_t uid);
struct person *people_add(struct roster *r, uint64_t uid, struct slice handle, uint64_t now_ms);
/* With their devices. */
void people_remove(struct roster *r, struct person *p);

/* Their device of this name on this node, or NULL. */
struct device *person_device(const struct person *p, struct slice name);
/* What stands for their devices on that other node, or NULL. */
struct device *person_part_on(const struct person *p, unsigned node);
struct device *person_add_device(struct person *p, struct slice name, enum shown state);

/* A device is connected to this node, to another one, to any. */
bool person_is_here_own(const struct person *p);
bool person_is_elsewhere(const struct person *p);
bool person_is_here(const struct person *p);
/* What this node's own devices make of the user. */
struct roster_part person_part(const struct person *p);
struct roster_view person_view(const struct person *p);

/* Tells the other nodes if this node's part is another one than before. */
void person_tell_part(struct roster *r, struct person *p);
/* Tells what is shown of them, whether that is new or not. */
void person_tell(struct roster *r, const struct person *p);
/* Tells if others are to be shown something else than before. */
void person_show(struct roster *r, struct person *p);

/* It is gone, and may come back. */
void device_let_go(struct roster *r, struct device *d, struct roster_time time);
/* It is here, again perhaps. */
void device_welcome(struct roster *r, struct device *d);
/* Frees it. Whoever has no device left is forgotten, too. */
void device_forget(struct roster *r, struct device *d);

#endif
