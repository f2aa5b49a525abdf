/* SPDX-License-Identifier: MIT */
/* commands.h - the control commands: one core behind `$CONTROL/chat/v1`, `POST /v1/control` and the
 * REST routes.
 *
 * A table maps each command's name to its handler. Each command stands alone and runs after the one
 * before it in its envelope. What it changed reaches the plugin (MEMBER and ENTRY frames) before
 * its answer does, and a removal is answered only after a link barrier. */
#ifndef BANTER_BRIDGE_COMMANDS_H
#define BANTER_BRIDGE_COMMANDS_H

#include "base/compiler.h"
#include "base/slice.h"
#include "base/uuid.h"
#include "core/actor.h"
#include "wire/codes.h"

#include <jansson.h>
#include <stdint.h>

struct accounts;
struct audit;
struct commands;
struct db_pool;
struct event_base;
struct indexer;
struct herald;
struct presence;
struct push_service;
struct revocations;

/* What getStats says besides what the database knows. */
struct command_gauges {
    uint64_t devices;      /* connected to this node */
    uint64_t users_online; /* to any node, or until a moment ago */
    uint64_t nodes;
    uint64_t drafts_waiting; /* for this node's writer */
};

struct commands_config {
    struct db_pool *search_pool; /* for searches, which may take long; NULL: the same as the rest */
    struct indexer *indexer;     /* told of searches that may have missed something; or NULL */
    struct presence *presence;   /* told of profiles that have changed; or NULL */
    const struct push_service *push; /* judges registrations; or NULL: there is no push */
    struct audit *audit;             /* or NULL */
    void (*read_gauges)(void *owner, struct command_gauges *out);
    void *gauges_owner;
    unsigned group_members_max; /* GROUP_MEMBERS_DEFAULT.. GROUP_MEMBERS_CEILING */
};

/* `accounts` hashes the passwords of new users. */
struct commands *commands_create(struct event_base *base, struct db_pool *pool,
                                 struct herald *herald, struct revocations *revocations,
                                 struct accounts *accounts,
                                 const struct commands_config *config) MUST_USE;
/* Commands still under way end without their callback. */
void commands_destroy(struct commands *c);

/* `response` is the whole {"responses":[…]}, borrowed. Exactly once, on the loop thread, never from
 * inside the call. A request that is no envelope is answered by one response with an `invalid`
 * error. */
typedef void commands_done_fn(void *owner, struct slice response);
void commands_execute(struct commands *c, const struct actor *actor, struct slice request,
                      commands_done_fn *done, void *owner);

/* One command by name, for the REST routes. `arguments` is borrowed. `data` is its JSON object,
 * borrowed; only with CODE_OK. */
typedef void command_done_fn(void *owner, enum code code, const char *reason, struct slice data);
void command_run(struct commands *c, const struct actor *actor, const char *name,
                 const json_t *arguments, command_done_fn *done, void *owner);

/* Whether a change of the conversation's members has been sent to PostgreSQL and its outcome has
 * not been told to the plugin yet. */
bool commands_is_changing(const struct commands *c, const struct uuid *conversation);

/* The plugin is about to be told of the conversation's members what PostgreSQL says now. A change
 * that was committed before, and whose answer is late, must not undo that. */
void commands_overtake(struct commands *c, const struct uuid *conversation);

/* Work that is done in slices, on whole conversations (banter.chores, banter.retentions) and for
 * erasures (banter.erasures); never renumber. */
enum chore {
    CHORE_ERASE = 1,  /* what a deleted conversation held */
    CHORE_ROLES = 2,  /* the members of a channel get another role */
    CHORE_EXPIRE = 3, /* texts that were kept long enough */
    CHORE_AUTHOR = 4, /* what an erased user is and said in a conversation */
    /* These concern no conversation: */
    CHORE_ERASURE = 5, /* the next step of this erasure */
    CHORE_BLOB = 6,    /* an erased user's picture, whose file has been removed */
};

/* One slice of a chore, which takes its turn with the commands. `subject`: the conversation, or
 * what the chore concerns. */
void commands_chore(struct commands *c, enum chore chore, const struct uuid *subject,
                    command_done_fn *done, void *owner);

#endif
