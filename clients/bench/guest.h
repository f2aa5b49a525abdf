/* SPDX-License-Identifier: MIT */
/* guest.h - devices that do what an app does when it starts: they connect, watch the presence of
 * some users, and sync once they are ready.
 *
 * A house holds all of them and counts for them. What is counted of presence: the first message
 * about a user on a connection is the answer to SUBSCRIBE; what follows must differ from what was
 * told last, or it is an echo. */
#ifndef BANTER_BENCH_GUEST_H
#define BANTER_BENCH_GUEST_H

#include "base/compiler.h"
#include "cast.h"
#include "conn.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

enum sight { SIGHT_NONE = 0, SIGHT_OFFLINE, SIGHT_ONLINE };

/* One user that a guest watches. */
struct sighting {
    unsigned target; /* index of the player */
    enum sight sight;
    unsigned told; /* messages about the target on this connection */
};

struct guest {
    struct conn conn; /* first: handlers are given the conn and find the guest */
    const struct player *player;
    struct sighting *sightings; /* owned by the house */
    bool watches_at_once;       /* with CONNACK, otherwise by guest_watch() */
    bool syncs_at_once;         /* with me/ready, otherwise by guest_sync() */
    bool connecting;            /* no CONNACK yet */
    bool ready;
    bool synced;            /* the last sync asked for has been answered */
    uint64_t connacked_us;  /* 0: not yet */
    uint64_t ready_us;      /* when it became so */
    uint64_t asked_us;      /* for the sync */
    uint64_t ask_again_us;  /* the sync was refused for now; 0: it was not */
    unsigned sync_refusals; /* in a row */
    uint64_t synced_us;     /* when the last answer came */
    uint64_t sync_bytes;    /* of all answers */
    unsigned sync_pages;    /* answers */
    unsigned sync_heads;    /* conversations in them */
    uint64_t sync_entries;  /* entries in them, previews included */
};

struct house {
    const struct cast *cast;
    struct sockaddr_in broker;
    struct conn_set *set;
    struct guest *guests;       /* one per player of the cast */
    struct sighting *sightings; /* watched_each for each guest */
    unsigned watched_each;
    unsigned sync_limit; /* entries per conversation */
    uint64_t housekeeping_us;
    /* The following may be reset at will. */
    unsigned connecting;      /* have no CONNACK yet */
    unsigned ready_count;     /* became ready */
    unsigned synced_count;    /* syncs answered */
    unsigned syncs_refused;   /* for now, and asked again */
    unsigned lost_count;      /* connections */
    unsigned watches_refused; /* in SUBACK or on me/event */
    uint64_t answers;         /* to SUBSCRIBE */
    uint64_t changes;         /* presence messages of news */
    uint64_t echoes;          /* presence messages of no news */
    uint64_t first_change_us; /* 0: none yet */
    uint64_t last_change_us;  /* when the last of them came */
    uint64_t last_answer_us;
    uint64_t last_connack_us;
};

/* Every player becomes a guest, not connected. After a failure, too, house_close() is due. */
bool house_open(struct house *h, const struct cast *cast, const struct sockaddr_in *broker,
                unsigned watched_each) MUST_USE;
/* Cuts all connections and frees everything. */
void house_close(struct house *h);
/* Handles events, at most that long, and from time to time what is to be done without one: pings,
 * and syncs to be asked for again. False: epoll failed. */
bool house_turn(struct house *h, uint64_t timeout_us) MUST_USE;

/* Starts to connect. False: said why on stderr. */
bool guest_connect(struct house *h, struct guest *g) MUST_USE;
/* Ends the connection without a word, as a network that fails does: the broker sees a reset. */
void guest_cut(struct house *h, struct guest *g);
void guest_watch(struct house *h, struct guest *g);
void guest_sync(struct house *h, struct guest *g);

#endif
