/* SPDX-License-Identifier: MIT */
/* parts.h - the cluster's insides, for the files that it is made of: cluster.c lives from turn to
 * turn, cluster/tell.c tells the others, cluster/hear.c takes in what they tell. Nobody else
 * includes it. */
#ifndef BANTER_BRIDGE_CLUSTER_PARTS_H
#define BANTER_BRIDGE_CLUSTER_PARTS_H

#include "base/buf.h"
#include "bus/bus.h"
#include "bus/registry.h"
#include "core/cluster.h"
#include "core/cluster/bulletins.h"
#include "core/cluster/interests.h"
#include "core/cluster/lease.h"
#include "core/cluster/memberships.h"
#include "core/cluster/news.h"
#include "core/cluster/peers.h"
#include "core/herald.h"
#include "core/presence.h"

#include <sys/queue.h>

enum {
    CLUSTER_LOOK_MS = 100, /* between looks at everything that has a time */
    BEAT_MS = 300,
    HEADS_MS = 250,       /* heads are gathered for this long */
    GATHER_MS = 20,       /* who has come and gone, likewise */
    UNAPPLIED_MS = 600,   /* a bulletin that somebody lacks for so long goes by PostgreSQL */
    DEAF_MS = 1000,       /* without a word over the bus: what a peer says may be lost */
    BARRIER_MS = 15000,   /* longer than any lease */
    ROLL_AGAIN_MS = 2000, /* of silence in an answer to a roll call that is not complete */
    ROLL_PAGES_PER_LOOK = 16,
    ROLL_GIVE_UP_MS = 10000,    /* who is elsewhere counts as known then */
    ENTRY_MAX_BYTES = 64 << 10, /* of a payload; the bus carries only the head of longer ones */
    BODY_MAX_BYTES = 1 << 20,   /* of bulletins in one turn */
};

#define CHANNEL_ALL "all"

/* Something that was taken from a peer and is to be acknowledged when it is done here. */
struct settling {
    STAILQ_ENTRY(settling) link;
    unsigned peer; /* index */
    uint64_t number;
    uint64_t ticket; /* of the last look-up that it needs */
    bool urgent;
};
STAILQ_HEAD(settling_list, settling);

/* Somebody who waits until all nodes have applied a bulletin. */
struct cluster_barrier {
    STAILQ_ENTRY(cluster_barrier) link;
    uint64_t number;
    uint64_t turn; /* the first one that names every node to wait for */
    uint64_t deadline_ms;
    herald_barrier_fn *done;
    void *owner;
};
STAILQ_HEAD(cluster_barrier_list, cluster_barrier);

struct cluster {
    struct cluster_config config;
    struct revocations *revocations;
    struct node_id own;
    struct cluster_key key;
    struct bus *bus;
    struct registry *registry; /* or NULL */
    struct lease *lease;
    struct bulletins *bulletins;
    struct interests *interests;
    struct memberships *memberships;
    struct peers peers;
    struct attaching *attaching;
    struct event *timer;
    struct event *flush; /* closes the bulletin */
    bool pressing;       /* it holds what entries may not overtake */
    cluster_changed_fn *changed;
    void *changed_owner;

    struct settling_list looking;    /* waits for look-ups */
    struct settling_list confirming; /* waits for the plugin */
    bool plugin_asked;               /* a barrier of the link is under way, for those */
    uint64_t looked_up;              /* tickets up to this one are done */
    struct cluster_barrier_list barriers;

    uint64_t turn;        /* number of turns begun */
    uint64_t turn_done;   /* the last one that succeeded */
    uint64_t turn_ms;     /* when the next one is due */
    uint64_t stored;      /* bulletins up to this one peers have, or find in PostgreSQL */
    uint64_t storing;     /* what that will be after the turn under way, */
    bool met;             /* unless it has brought a peer: it was not seen to for that one */
    uint64_t beat_ms;     /* when the next one is due */
    uint64_t about_ms;    /* likewise of what the registry is told */
    uint64_t heads_ms;    /* when the gathered heads are due; 0: there are none */
    uint64_t complete_ms; /* who is elsewhere counts as known from then on */
    bool was_member;      /* told to `changed` */
    bool fresh;           /* this turn is the first of a lease: all is taken as known */
    bool unsure;          /* NEWS_UNSURE is owed once the database is settled */
    bool closing;
    bool reconcile; /* everybody is to be attached anew, at the next look */
    uint64_t reconciled_ms;
    struct buf message; /* scratch */
    struct buf frame;   /* scratch */
    struct cluster_stats stats;
};

/* tell.c */
struct herald_others tell_others(struct cluster *c);
struct presence_others tell_presence(struct cluster *c);
/* Closes the bulletin, even an empty one, and publishes it. */
void tell_bulletin(struct cluster *c, bool urgent);
void tell_beat(struct cluster *c);
void tell_news(struct cluster *c, const struct news *n);
/* The peer wants to know who is here. */
void tell_roll(struct cluster *c, struct peer *peer);
/* Goes on telling it. */
void tell_roll_slice(struct cluster *c, struct peer *peer);
void tell_roll_call(struct cluster *c, const struct node_id *to);
/* Ends the barriers that are reached or too old. */
void tell_barriers(struct cluster *c);
/* Bulletins that a peer may lack, for PostgreSQL. Returns what `stored` is once they are there. */
uint64_t tell_body(struct cluster *c, struct buf *body);

/* hear.c */
void hear_message(struct cluster *c, struct slice channel, struct slice payload);
/* A bulletin of a peer, however it came. */
void hear_bulletin(struct cluster *c, struct peer *peer, const struct bulletin *b);
void hear_looked_up(struct cluster *c, uint64_t ticket);
/* Has presence know what there is to know of silent peers, and asks those that have not told who is
 * there. */
void hear_look(struct cluster *c, uint64_t now_ms);

/* attaching.c: what is told of conversations and users of whom nobody knows yet that they concern
 * this node. */
struct attaching *attaching_create(void) MUST_USE;
void attaching_destroy(struct attaching *a);
/* The conversation, of which this node has not heard, has entries up to `seq`. */
void attaching_note(struct attaching *a, const struct uuid *conversation, int64_t seq);
/* The plugin asks for the user and has not said that they are here; now it has. */
void attaching_await(struct attaching *a, uint64_t uid);
void attaching_come(struct attaching *a, uint64_t uid);
/* The plugin may be told, or have been told, of the user's memberships, though they are not here.
 */
bool attaching_concerns(const struct attaching *a, uint64_t uid);
void attaching_link_lost(struct attaching *a);

/* cluster.c: */
/* The plugin of this node may have memberships of the user, or be about to. */
bool cluster_concerns(const struct cluster *c, uint64_t uid);
/* A turn is wanted now, or LEASE_SOON_MS after the last one. */
void cluster_turn_soon(struct cluster *c, bool now);
/* What the plugin knows may be wrong: it begins anew. */
void cluster_reset(struct cluster *c, const char *why);

#endif
