/* SPDX-License-Identifier: MIT */
/* wishes.h - what the model wants done outside of it. errands.c does it; tests look at it. */
#ifndef BANTER_CLI_CHAT_WISHES_H
#define BANTER_CLI_CHAT_WISHES_H

#include "chat/message.h"

#include <stdbool.h>

enum wish_kind {
    /* drafts of `conversation` */
    WISH_TEXT,   /* `text`, with `seq` to reply to, or 0 */
    WISH_EDIT,   /* `seq` becomes `text` */
    WISH_DELETE, /* `seq` */
    WISH_REACT,  /* `text` is the emoji, for `seq`; `flag`: it is taken back */
    /* signals */
    WISH_READ,   /* up to `seq` */
    WISH_TYPING, /* `flag` */
    WISH_AWAY,   /* `flag` */
    WISH_WATCH,  /* the user `text` */
    /* questions; each is answered by one NEWS_ANSWER */
    WISH_LIST,    /* conversations after the one with the id `text`, or "" */
    WISH_ONE,     /* what `conversation` is */
    WISH_MEMBERS, /* of `conversation` */
    WISH_PREVIEW, /* its newest message */
    WISH_NEWEST,  /* its newest page */
    WISH_OLDER,   /* the page before `seq` */
    WISH_STALE,   /* the messages from `seq` to `to`, as they are now */
    WISH_DIRECT,  /* a conversation with the user `text` */
    WISH_GROUP,   /* named `text`, with the handles `more` */
    WISH_ADD,     /* the handles `more` */
    WISH_LEAVE,
    /* the program itself */
    WISH_NUDGE, /* connect now */
    WISH_REDRAW,
    WISH_SUSPEND,
    WISH_QUIT,
};

struct wish {
    enum wish_kind kind;
    char conversation[CONVERSATION_SIZE]; /* or "" */
    char *text, *more;                    /* or NULL */
    int64_t seq, to;                      /* the latter of WISH_STALE */
    bool flag;
};

struct wishes {
    struct wish *list;
    size_t count, space, next;
};

/* Copies all of it. */
void wishes_add(struct wishes *w, const struct wish *wish);
/* The oldest one, which wish_finish() ends; false if there is none. */
bool wishes_take(struct wishes *w, struct wish *out);
void wish_finish(struct wish *wish);
void wishes_finish(struct wishes *w);

#endif
