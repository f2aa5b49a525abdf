/* SPDX-License-Identifier: MIT */
/* entry.h - one item of a conversation's log, and the JSON that clients see of it. */
#ifndef BANTER_WIRE_ENTRY_H
#define BANTER_WIRE_ENTRY_H

#include "base/slice.h"
#include "base/uuid.h"
#include "wire/codes.h"

#include <stdint.h>

struct buf;

/* Stored in messages.kind: never renumber. */
enum entry_kind {
    ENTRY_TEXT = 1,
    /* These concern the message `target`, an ENTRY_TEXT: */
    ENTRY_EDIT = 2,            /* `text` takes the place of its text */
    ENTRY_DELETE = 3,          /* its text is gone, and those of its edits */
    ENTRY_REACTION = 4,        /* `text` is the emoji; data: ENTRY_DATA_REMOVE or empty */
    ENTRY_CREATED = 10,        /* data: {"title":"Team","members":["bob"]}, without `from` */
    ENTRY_MEMBERS_ADDED = 11,  /* data: {"members":["eve"]} */
    ENTRY_MEMBER_REMOVED = 12, /* data: {"members":["eve"]} */
    ENTRY_MEMBER_LEFT = 13,    /* `from` left; data: {"owner":"bob"} if ownership passed on */
    ENTRY_RENAMED = 15,        /* data: {"title":"Crew"}, or null */
    ENTRY_ROLE_CHANGED = 16,   /* data: {"user":"bob","role":"admin"} */
    ENTRY_MODIFIED = 17,       /* data: what changed of {"name","public","posting"} */
    ENTRY_JOINED = 18,         /* `from` joined a group by invite */
    ENTRY_MEMBER_ERASED = 19,  /* what `from` was is gone; data: {"owner":"bob"} as above */
};

/* Of a reaction that takes back an earlier one. */
#define ENTRY_DATA_REMOVE "{\"remove\":true}"

/* Stored in conversations.kind and carried on the link: never renumber. */
enum conversation_kind {
    CONVERSATION_DIRECT = 1,
    CONVERSATION_GROUP = 2,
    CONVERSATION_CHANNEL = 3
};

/* Stored in members.role and carried on the link, in rising order of rights: never renumber.
 * Posting needs ROLE_MEMBER. */
enum role { ROLE_NONE = 0, ROLE_READER = 1, ROLE_MEMBER = 2, ROLE_ADMIN = 3, ROLE_OWNER = 4 };

struct entry {
    struct uuid conversation;
    int64_t seq;       /* 1, 2, 3 … */
    int64_t at_ms;     /* Unix time */
    struct slice from; /* handle */
    struct slice id;   /* draft id; empty for entries made by the server */
    enum entry_kind kind;
    struct slice text; /* of messages and edits, unless deleted; of reactions, the emoji */
    int64_t reply_to;  /* seq, or 0 */
    int64_t target;    /* seq, or 0 */
    struct slice data; /* a JSON object whose members are spliced into the entry, or empty */
};

/* {"conversation":…,"seq":…,"at":…,"from":…,"id":…,"kind":…}, then target, text or emoji,
 * reply_to and the members of data. What is empty or 0 is not written. */
void entry_write(struct buf *b, const struct entry *e);

/* me/receipt of a stored draft: {"id","conversation","to"?,"seq","at"}. `to` is the @handle that
 * the device named after send/; empty if it named the conversation. */
void receipt_write(struct buf *b, struct slice id, const struct uuid *conversation, struct slice to,
                   int64_t seq, int64_t at_ms);
/* me/receipt of a refused draft: {"id","conversation","error":{"code","reason"}}. `target` is what
 * the device named after send/: a conversation id or @handle. retry_after_ms < 0 and an empty id
 * are not written. */
void receipt_write_error(struct buf *b, struct slice id, struct slice target, enum code code,
                         const char *reason, int64_t retry_after_ms);

/* "text", "created", "members_added" … ; "direct", "group", "channel"; "owner" … Static storage. */
const char *entry_kind_name(enum entry_kind kind);
const char *conversation_kind_name(enum conversation_kind kind);
const char *role_name(enum role role);

#endif
