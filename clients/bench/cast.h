/* SPDX-License-Identifier: MIT */
/* cast.h - who takes part in a run: users with one device each, and the conversations they are in.
 *
 * Names and ids follow from the numbers alone, so that every run finds the users and conversations
 * of the last one and only the log grows. A player has one conversation, and the players of a
 * conversation stand next to each other; but some casts, which no troupe plays, have more. */
#ifndef BANTER_BENCH_CAST_H
#define BANTER_BENCH_CAST_H

#include "base/compiler.h"
#include "base/uuid.h"
#include "wire/entry.h"
#include "wire/limits.h"

#include <stdbool.h>
#include <stdint.h>

struct player {
    char handle[HANDLE_MAX_LENGTH + 1];
    uint64_t uid;          /* 0 until seeded */
    char *token;           /* owned; NULL until seeded */
    unsigned conversation; /* index */
    enum role role;        /* in it */
    bool sends;
};

struct stage {
    struct uuid id;
    char id_text[UUID_TEXT_LENGTH + 1];
    enum conversation_kind kind;
    unsigned first; /* index of its first player */
    unsigned members;
    int64_t last_seq; /* when the run begins; 0 until seeded */
};

/* One more conversation that a player is in. */
struct side_role {
    unsigned player;
    unsigned stage;
};

struct cast {
    struct player *players;
    unsigned player_count;
    unsigned sender_count;
    struct stage *stages;
    unsigned stage_count;
    struct side_role *side_roles; /* NULL: none */
    unsigned side_role_count;
};

/* `pairs` direct conversations; the first user of each sends. Each returns false without memory. */
bool cast_pairs(struct cast *c, unsigned pairs) MUST_USE;
/* One group in which the first `senders` of `members` users send. */
bool cast_group(struct cast *c, unsigned members, unsigned senders) MUST_USE;
/* A direct conversation whose log is to hold `messages`; nobody sends. */
bool cast_log(struct cast *c, unsigned messages) MUST_USE;
/* The first `players` members of a channel, whose members are many more and not in the cast. The
 * first one owns it and posts, the others read. */
bool cast_channel(struct cast *c, unsigned members, unsigned players) MUST_USE;
/* The first player shares a direct conversation with each of `conversations` others; nobody
 * sends. */
bool cast_inbox(struct cast *c, unsigned conversations) MUST_USE;
/* Players in a ring; each shares direct conversations with the `reach` after it, and so with the
 * `reach` before it. `players` must be more than twice `reach`. Nobody sends. */
bool cast_ring(struct cast *c, unsigned players, unsigned reach) MUST_USE;
/* Frees everything; an all-zero cast is fine. */
void cast_finish(struct cast *c);

#endif
