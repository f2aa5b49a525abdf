/* SPDX-License-Identifier: MIT */
/* roster.h - who is here with which devices, and what others are shown of it.
 *
 * Pure: time is given, and whatever has to be told or written goes through the hooks. A device that
 * has gone counts as what it was for the grace time, so that a short absence is never seen. What a
 * device says of itself holds until it says something else or has been away for longer. A hidden
 * user is shown as offline since they hid, and nothing more is written of when they were seen. */
#ifndef BANTER_BRIDGE_PRESENCE_ROSTER_H
#define BANTER_BRIDGE_PRESENCE_ROSTER_H

#include "base/compiler.h"
#include "base/slice.h"
#include "core/presence/row.h"
#include "wire/frame.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ROSTER_REFRESH_MS = 300000, /* of who stays online: when they were seen is written this often */
    ROSTER_REFRESH_MAX = 200,   /* users in one turn */
    ROSTER_TURN_MS = 100,       /* when one turn was not enough */
};

enum shown { SHOWN_UNKNOWN, SHOWN_OFFLINE, SHOWN_AWAY, SHOWN_ONLINE };

struct roster;

struct roster_view {
    uint64_t uid;
    struct slice handle; /* borrowed until the next call */
    enum shown shown;
    int64_t last_seen_ms; /* Unix time; 0: never */
    bool discreet;        /* which is not for others */
};

struct roster_time {
    uint64_t now_ms; /* monotonic */
    int64_t wall_ms; /* Unix time */
    bool recalled;   /* the plugin may be telling of connections that are not new */
};

enum { ROSTER_NODE_OWN = 0 };

/* What one node makes of a user, by the devices that it has. */
struct roster_part {
    uint64_t uid;
    struct slice handle; /* borrowed */
    enum shown state;    /* SHOWN_OFFLINE: it has none, nor had one within the grace time */
    bool here;           /* one is connected */
    bool hidden;
    bool discreet;
    int64_t said_ms; /* Unix time: when the user last said whether they hide; 0: long ago */
    int64_t seen_ms; /* Unix time; 0: never */
};

/* None of them may call the roster. */
struct roster_hooks {
    /* Others are to be shown something else from now on. */
    void (*shown)(void *owner, const struct roster_view *view);
    /* A user came: their row is wanted, see roster_loaded(). Until then nothing is shown. */
    void (*unknown)(void *owner, uint64_t uid);
    /* To be written: the user was here until then. Of no effect for those whose row is hidden. */
    void (*seen)(void *owner, uint64_t uid, int64_t at_ms);
    /* To be written: the user hides from then on, or no longer does. */
    void (*hidden)(void *owner, uint64_t uid, bool hidden, int64_t at_ms);
    /* This node's own part of a user is another one now; or NULL. */
    void (*part)(void *owner, const struct roster_part *part);
    /* A user has this device connected here, since `epoch`, and is on another node too; or NULL. */
    void (*met)(void *owner, uint64_t uid, struct slice device, uint64_t epoch);
    void *owner;
};

struct roster *roster_create(uint64_t grace_ms, const struct roster_hooks *hooks) MUST_USE;
void roster_destroy(struct roster *r);

void roster_session(struct roster *r, const struct frame_session *f, struct roster_time time);
/* Everybody is gone, as far as can be known; who is not will come again. */
void roster_link_lost(struct roster *r, struct roster_time time);
/* What stands in the user's row; only the first time counts. */
void roster_loaded(struct roster *r, uint64_t uid, const struct presence_row *row);
/* The user now wants, or no longer wants, that nobody is told when they were seen. False: they are
 * not in the roster, nothing happened. */
bool roster_discreet(struct roster *r, uint64_t uid, bool discreet);
/* A user who is not here may have been until a moment ago, when this process did not run yet: they
 * are UNKNOWN for the grace time. Must not be in the roster. */
void roster_expect(struct roster *r, uint64_t uid, struct slice handle,
                   const struct presence_row *row, struct roster_time time);

/* False: the user is not in the roster, so they are offline. The view is UNKNOWN while the row is
 * not loaded. */
bool roster_find(const struct roster *r, uint64_t uid, struct roster_view *view);
/* Whether a device of the user is connected now: the grace time does not count, and hiding neither.
 */
bool roster_is_here(const struct roster *r, uint64_t uid);
size_t roster_count(const struct roster *r);

/* Whether this is so on this node. */
bool roster_is_here_own(const struct roster *r, uint64_t uid);
/* Or was within the grace time. */
bool roster_was_here_own(const struct roster *r, uint64_t uid);
/* Or on another one. */
bool roster_is_elsewhere(const struct roster *r, uint64_t uid);

/* Other nodes have numbers from 1. What one of them makes of a user: */
void roster_elsewhere(struct roster *r, unsigned node, const struct roster_part *part,
                      struct roster_time time);
/* The node is no more: whoever was there is gone, for the grace time as if they came back. */
void roster_node_lost(struct roster *r, unsigned node, struct roster_time time);
/* The node now tells of all its users. Those of whom it has not told by the end are not there. */
void roster_roll_begin(struct roster *r, unsigned node);
void roster_roll_end(struct roster *r, unsigned node, struct roster_time time);
/* The users who have a device here, or had one within the grace time; the caller frees them. */
uint64_t *roster_users(const struct roster *r, size_t *count) MUST_USE;
/* This node's own part of the user. False: there is none. */
bool roster_part_of(const struct roster *r, uint64_t uid, struct roster_part *out);
/* The epoch since which the device is connected here. False: it is not. Epochs rise with every
 * connection, and above every one that roster_epoch_seen() was told of; those of connections that
 * were recalled are 0. */
bool roster_epoch_of(const struct roster *r, uint64_t uid, struct slice device, uint64_t *epoch);
void roster_epoch_seen(struct roster *r, uint64_t epoch);
/* Devices that are connected here. */
size_t roster_devices_here(const struct roster *r);
/* The name of each device of the user that is. */
void roster_each_device(const struct roster *r, uint64_t uid,
                        void (*see)(void *owner, struct slice device), void *owner);

/* Does what is due. Returns when the next thing is, as monotonic time; UINT64_MAX: nothing. */
uint64_t roster_turn(struct roster *r, struct roster_time time);
/* Has everybody who is here written as seen: before a stop. */
void roster_write_all(struct roster *r, struct roster_time time);

#endif
