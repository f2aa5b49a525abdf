/* SPDX-License-Identifier: MIT */
/* sessions.h - authenticated connections, and the users behind them.
 *
 * A session is one connection instance, found by the broker's pointer to it, never by client id: a
 * failed login or an old connection may carry the same id. BASIC_AUTH of a new connection comes
 * before DISCONNECT of the one it takes over, so a device may have several sessions; the newest is
 * the current one, and when it goes the one before it is current again. */
#ifndef BANTER_PLUGIN_SESSIONS_H
#define BANTER_PLUGIN_SESSIONS_H

#include "asked.h"
#include "base/bucket.h"
#include "base/compiler.h"
#include "base/map.h"
#include "base/slice.h"
#include "base/uuid.h"
#include "members.h"
#include "refusals.h"
#include "wire/limits.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct watch;
LIST_HEAD(watch_list, watch);

enum attach_state {
    ATTACH_NEEDED, /* there is no link */
    ATTACH_ASKED,  /* the bridge has been asked for the user's conversations */
    ATTACH_DONE,   /* they are known, and kept up to date by the bridge */
};

/* A user with at least one session, or whose attach is under way. */
struct user {
    uint64_t uid;
    struct session *sessions; /* newest first */
    uint32_t session_count;
    uint32_t parcels;     /* that wait for this user in `line`: see fanout_device() */
    struct backlog *line; /* valid while there are any */
    struct memberships memberships;
    struct user *next, *prev; /* in the list of all users */
    enum attach_state attach;
    bool incomplete;   /* there was no memory for one of the memberships: see attach.h */
    bool resyncing;    /* deliveries wait until this attach is done: see attach.h */
    bool again;        /* asked for by attach_again() */
    bool changed;      /* one of the memberships is */
    uint64_t heads_ms; /* `changed`: when me/heads is due */
    char handle[HANDLE_MAX_LENGTH + 1];
};

/* Whether all of the user's memberships are here. */
static inline bool user_is_known(const struct user *u)
{
    return u->attach == ATTACH_DONE && !u->incomplete;
}

struct session {
    const void *client; /* the broker's pointer: a key, never followed */
    struct user *user;
    struct session *next_of_user;
    struct session *next, *prev; /* in the list of all sessions */
    struct session *next_kick;   /* in the list of those to be ended */
    struct uuid login;           /* that the access token is of */
    uint64_t token_hash;         /* keyed hash of the access token */
    uint64_t kid;                /* of the key that signed it: public_keys_hash() */
    int64_t expires_s;           /* Unix time at which the token ends */
    int64_t deadline_s;          /* Unix time after which the connection is ended */
    uint64_t drain_ms;           /* when drain.c ends it */
    uint64_t kick_turn;          /* not before this turn; 0: not to be ended */
    struct refusals refusals;
    struct watch_list watches; /* owned by watches.c */
    struct asked_list asked;   /* owned by asked.c */
    struct bucket signals;     /* see rates.h */
    uint64_t device_key;       /* keyed hash of handle and device */
    uint32_t drain_round;      /* in which it was told of drain_ms; 0: it was not */
    uint32_t watch_count;
    uint32_t asked_count;
    uint16_t filters;       /* subscribed to so far, refused ones too: see acl.c */
    uint16_t plain_filters; /* of these, granted and not to a presence */
    bool ready;             /* me/ready has been sent */
    bool warned;            /* its token ends soon, and it knows */
    bool away;              /* as the device has said */
    bool superseded;        /* a newer connection of the same device exists */
    uint8_t device_offset;  /* of the device in client_id */
    char client_id[CLIENT_ID_MAX_LENGTH + 1];
};

enum { SESSIONS_PER_USER = 32 };

struct sessions {
    struct map by_client; /* struct session by client */
    struct map by_uid;    /* struct user by uid */
    struct user *users;
    struct session *first;
    struct session *cursor;      /* where the expiry scan stands */
    struct session *unannounced; /* this one and those behind it: see announce.h */
    struct user *heads;          /* where the scan of heads.c stands */
    struct session *kicks, **kicks_end;
};

void sessions_init(struct sessions *s);
/* Every session must have been closed and every user released before. */
void sessions_finish(struct sessions *s);

/* The session of this connection, or NULL. `client_id` is what the broker says now: it guards
 * against a pointer that the broker has used again without telling. */
struct session *sessions_find(const struct sessions *s, const void *client, const char *client_id);
struct session *sessions_find_any(const struct sessions *s, const void *client);
struct user *sessions_find_user(const struct sessions *s, uint64_t uid);

/* Adds a session as its device's current one, and its user if that is new. `client` must have none.
 * `handle` and `device` are valid. NULL: out of memory, nothing changed. */
struct session *sessions_open(struct sessions *s, const void *client, uint64_t uid,
                              struct slice handle, struct slice device) MUST_USE;
/* Frees the session. Its user stays, perhaps without sessions: see sessions_release_user(). */
void sessions_close(struct sessions *s, struct session *session);
/* Frees a user who has no sessions and no memberships. */
void sessions_release_user(struct sessions *s, struct user *u);

/* Of more than SESSIONS_PER_USER the oldest one that is not ending already, or NULL. */
struct session *sessions_surplus(const struct user *u);

/* The device part of the client id; borrowed. */
const char *session_device(const struct session *session);
/* The user's session that messages for this device go to, or NULL. */
struct session *sessions_current(const struct user *u, struct slice device);

/* Asks for the connection to be ended at `turn` or later; once is enough. */
void sessions_kick(struct sessions *s, struct session *session, uint64_t turn);
/* Takes the next session that is due off the list, or NULL. */
struct session *sessions_next_kick(struct sessions *s, uint64_t turn);

/* The next session of the endless round, or NULL when there is none. */
struct session *sessions_scan(struct sessions *s);
/* The next user of another one. */
struct user *sessions_scan_users(struct sessions *s);

#endif
