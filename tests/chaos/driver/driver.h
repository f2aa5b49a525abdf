/* SPDX-License-Identifier: MIT */
/* driver.h - all devices of one process, and what they share. One thread, one epoll. */
#ifndef BANTER_CHAOS_DRIVER_H
#define BANTER_CHAOS_DRIVER_H

#include "base/buf.h"
#include "base/compiler.h"
#include "conn.h"
#include "device.h"
#include "events.h"
#include "scene.h"

#include <stdbool.h>
#include <stdint.h>

struct tally {
    uint64_t sent;      /* drafts published for the first time */
    uint64_t resent;    /* publishes beyond that */
    uint64_t receipted; /* drafts */
    uint64_t refused;   /* refusals, of all kinds */
    uint64_t delivered; /* entries that came live */
    uint64_t replayed;  /* entries that came by a sync */
    uint64_t gaps;
    uint64_t syncs;
    uint64_t reconnects;
    uint64_t violations;
    uint64_t held_back; /* drafts that were due when no outbox tried had room */
    uint64_t worst_us;  /* longest from first publish to receipt since the last status line, of all
                           devices but slow ones */
};

/* Where drafts may be opened. */
struct post {
    struct device *device;
    struct seat *seat;
};

struct driver {
    struct scene scene;
    struct events events;
    struct conn_set *set;
    struct device *devices;
    unsigned device_count;
    struct post *posts;
    unsigned post_count;
    uint32_t run; /* in draft ids */
    uint64_t random_state;
    struct tally tally;

    uint64_t devices_us; /* when the devices have their turn */
    uint64_t rate;       /* drafts a second */
    uint64_t pace_us;    /* up to when drafts have been counted as due */
    uint64_t owed;       /* millionths of drafts that are due */
    bool stopped;        /* no new drafts */
    bool finishing;

    struct buf text, payload, id, room; /* room for one value; each user resets it */
};

/* False: said why on stderr; driver_finish() is still due. */
bool driver_init(struct driver *d, const char *cast, const char *name, const char *log) MUST_USE;
/* Cuts what is still connected and frees everything. */
void driver_finish(struct driver *d);
/* Waits at most `timeout_us` for events and does what is due. False: epoll or the log failed. */
bool driver_turn(struct driver *d, uint64_t timeout_us) MUST_USE;
/* All devices have everything: only after `finishing`. */
bool driver_is_done(const struct driver *d);
void driver_storm(struct driver *d);
/* Every device is to sync all conversations once more, and then it has finished. */
void driver_begin_finish(struct driver *d);

uint64_t driver_random(struct driver *d);
/* One line of JSON with what has been done so far. */
void driver_write_status(struct driver *d, struct buf *out);

#endif
