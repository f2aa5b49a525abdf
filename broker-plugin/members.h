/* SPDX-License-Identifier: MIT */
/* members.h - who is in which conversation, for users that are online here, and nobody else.
 *
 * A user's memberships and a conversation's members point at each other by index, so that joining
 * and leaving take constant time; both arrays change order when somebody leaves. A conversation
 * exists while it has a member here or work under way (a gap or a backlog). */
#ifndef BANTER_PLUGIN_MEMBERS_H
#define BANTER_PLUGIN_MEMBERS_H

#include "base/compiler.h"
#include "base/map.h"
#include "base/uuid.h"
#include "wire/entry.h"

#include <stdbool.h>
#include <stdint.h>

struct conversation;
struct gap;
struct parcel;
struct user;

struct membership {
    struct conversation *conversation;
    int64_t since; /* the last entry handed out to this user: the one after it is next */
    uint32_t slot; /* in conversation->members */
    uint8_t role;  /* enum role; ROLE_NONE only while an attach is under way */
    uint8_t kind;  /* enum conversation_kind */
    bool fresh;    /* told by the bridge since the attach under way was asked for */
    bool changed;  /* entries were handed out since the user's last me/heads */
};

struct member {
    struct user *user;
    uint32_t index; /* in user->memberships */
};

/* Entries that are being handed out over several turns, oldest first. */
struct backlog {
    struct conversation *conversation;
    struct parcel *first, *last; /* owned */
    uint32_t visited;            /* members before this slot have got `first` */
    struct backlog *next, *prev; /* in a list of fanout.c */
};

/* Kept small: there may be millions. */
struct conversation {
    struct uuid id;
    int64_t delivered; /* the last seq handed out, or being handed out, here */
    struct member *members;
    uint32_t member_count : 31;
    uint32_t noted : 1; /* interests.c has told of it over this link */
    uint32_t member_capacity;
    struct gap *gap;         /* entries are missing: owned by order.c; or NULL */
    struct backlog *backlog; /* owned by fanout.c; or NULL */
};

/* The part of a user that this module keeps. */
struct memberships {
    struct membership *items;
    uint32_t count;
    uint32_t capacity;
};

struct members {
    struct map conversations; /* by id; owned */
    /* Called before a conversation is freed; or NULL. */
    void (*gone)(void *owner, const struct conversation *c);
    void *owner;
};

void members_init(struct members *m);
/* Every user must have left before. */
void members_finish(struct members *m);

/* The conversation, or NULL when nobody here is in it. */
struct conversation *members_find(const struct members *m, const struct uuid *id);
/* The user's membership, or NULL. Valid until somebody joins or leaves. */
struct membership *members_of(const struct user *u, const struct conversation *c);
/* The membership behind a member. */
struct membership *members_at(const struct conversation *c, uint32_t slot);

/* Adds a user who is not a member. A conversation that is new here counts as delivered up to
 * `since`. NULL: out of memory, nothing changed. */
struct membership *members_join(struct members *m, struct user *u, const struct uuid *id,
                                enum conversation_kind kind, enum role role,
                                int64_t since) MUST_USE;
/* Ends one of the user's memberships; frees the conversation if nothing needs it any more. */
void members_leave(struct members *m, struct user *u, struct membership *membership);
void members_leave_all(struct members *m, struct user *u);
/* Frees the conversation if it has neither members nor work. */
void members_release(struct members *m, struct conversation *c);

#endif
