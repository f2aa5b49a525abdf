/* SPDX-License-Identifier: MIT */
/* peers.h - the other nodes: how far each one's bulletins have come here, and ours there.
 *
 * A peer is one incarnation of one node, known from PostgreSQL alone: what comes over the bus in
 * any other name is nobody's. Its bulletins are taken in their order; one that comes too early
 * waits, bounded, and what is missing comes through PostgreSQL. Pure: time is given. */
#ifndef BANTER_BRIDGE_CLUSTER_PEERS_H
#define BANTER_BRIDGE_CLUSTER_PEERS_H

#include "core/cluster/news.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

enum {
    PEER_HELD_MAX = 64,
    PEER_HELD_BYTES_MAX = 4 << 20,
    PEER_SUSPECT_MS = 3000, /* of silence, after which its users seem to be gone */
    PEER_STUCK_TURNS = 40,  /* with the same bulletin missing: longer than a lease */
};

struct held_bulletin {
    STAILQ_ENTRY(held_bulletin) link;
    struct bulletin bulletin;
    char *bytes; /* owned */
};

struct peer {
    LIST_ENTRY(peer) link;
    struct node_id id;
    unsigned index;         /* from 1, never used again: its number in presence */
    uint64_t first;         /* the oldest bulletin that it still has */
    uint64_t number;        /* the last one that it is known to have made */
    uint64_t taken;         /* all up to this one have been taken */
    uint64_t settled;       /* and what they say is done here */
    uint64_t applied;       /* ours that it has applied */
    uint64_t gap_after;     /* the last one in front of what is missing, */
    unsigned gap_turns;     /* for so many turns */
    uint64_t heard_ms;      /* monotonic: its last sign of life */
    uint64_t bus_ms;        /* likewise, over the bus */
    bool suspected;         /* it is silent, and presence knows */
    bool rolled;            /* it has told who is there */
    uint32_t roll_page;     /* the next one of the answer under way */
    uint64_t roll_asked_ms; /* 0: never */
    uint64_t *called;       /* owned: users of this node of whom it is being told; NULL: none */
    size_t called_count;
    size_t called_next;
    uint32_t called_page;
    char *about;                       /* owned: what clients should know of it; may be NULL */
    STAILQ_HEAD(, held_bulletin) held; /* by rising number */
    unsigned held_count;
    size_t held_bytes;
};

LIST_HEAD(peer_list, peer);
struct peers {
    struct peer_list list;
    unsigned count;
    unsigned last_index;
};

void peers_init(struct peers *p);
void peers_finish(struct peers *p);

/* NULL: there is none. */
struct peer *peers_find(const struct peers *p, const struct node_id *id);
/* Of whichever incarnation. */
struct peer *peers_find_name(const struct peers *p, const char *name);
struct peer *peers_find_index(const struct peers *p, unsigned index);
/* All up to bulletin `taken` are known already. */
struct peer *peers_add(struct peers *p, const struct node_id *id, uint64_t taken, uint64_t now_ms);
void peers_remove(struct peers *p, struct peer *peer);

/* Some of its bulletins are missing here. */
bool peer_has_gap(const struct peer *peer);
/* Once for each turn. True: what is missing has not come for so long that nobody will bring it. */
bool peer_is_stuck(struct peer *peer);
/* A bulletin has come. The next one that can be taken now is handed out by peer_next(). */
void peer_bulletin(struct peer *peer, const struct bulletin *b);
/* Takes the next one in order: false when it has not come. *owned is to be freed by the caller. */
bool peer_next(struct peer *peer, struct bulletin *out, char **owned);
/* Everything up to `number` counts as taken and settled; what has been taken already stays so. */
void peer_skip_to(struct peer *peer, uint64_t number);

/* The least that everybody has applied of ours; UINT64_MAX: there is nobody. */
uint64_t peers_applied(const struct peers *p);
/* `after` and whoever follows it say how far they have applied the bulletins of `own`. */
void peer_read_applied(struct peer *peer, struct slice applied, const struct node_id *own);
/* What this node says likewise. */
void peers_write_applied(const struct peers *p, struct buf *b);

#endif
