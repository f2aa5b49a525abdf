/* SPDX-License-Identifier: MIT */
/* model.h - all that the chat knows and shows, and how news and keys change it.
 *
 * Rule: the model does nothing to the outside. It has no terminal, no network, no clock and no
 * thread; what it wants done it adds to its wishes, which whoever drives it takes after each call.
 * Everything that others decide the size of has a bound here. */
#ifndef BANTER_CLI_CHAT_MODEL_H
#define BANTER_CLI_CHAT_MODEL_H

#include "chat/news.h"
#include "chat/press.h"
#include "chat/room.h"
#include "chat/wishes.h"

#include <banter/banter.h>

enum {
    ROOMS_MAX = 10000,
    PEOPLE_MAX = 900, /* whose presence is watched; a server allows 1,000 */
    PAGE_SIZE = 50,
    LIST_PAGE = 1000,
    NOTICE_SIZE = 512,
    FILTER_MAX = 64,
    PROMPT_MAX = 1024,
    RETRY_MS = 3000,
    NARROW = 64, /* columns below which list and conversation take turns */
};

enum focus {
    FOCUS_LIST,   /* choosing a conversation; text filters the list */
    FOCUS_WRITE,  /* writing */
    FOCUS_SELECT, /* choosing a message */
    FOCUS_PROMPT, /* answering a question in the status line */
};

enum prompt {
    PROMPT_OPEN,    /* whose handle? */
    PROMPT_GROUP,   /* what title? */
    PROMPT_INVITED, /* with whom? */
    PROMPT_ADD,     /* whom? */
    PROMPT_REACT,   /* with what? */
    PROMPT_DELETE,  /* really? */
    PROMPT_LEAVE,   /* really? */
};

struct person {
    char handle[HANDLE_SIZE];
    char state[8]; /* "online", "away", "offline", or "" */
    int64_t seen_ms;
};

struct model {
    char user[HANDLE_SIZE];
    int rows, columns; /* of the screen */
    uint64_t now_ms;   /* of a clock that only goes on */
    int64_t wall_ms;   /* since 1970 */

    struct room **rooms; /* the most recently active one first */
    size_t room_count, room_space;
    bool rooms_moved;
    unsigned listing;
    bool is_listing, is_listed; /* being asked for; known as a whole */
    uint64_t list_wait_ms;      /* before it is asked for again */
    size_t previews_asked;
    struct person *people;
    size_t person_count, person_space;

    enum focus focus, focus_before; /* the latter: of the prompt */
    struct room *current;           /* the one that is open, or NULL */
    struct room *marked;            /* the one that the list's keys are about, or NULL */
    bool is_marked_by_hand;         /* else it is the first one, whichever that is */
    struct line filter;
    int64_t selected; /* the message that FOCUS_SELECT is about */
    enum prompt prompt;
    struct line answer;
    char group_title[TITLE_SIZE];
    bool shows_help, is_pasting;

    enum banter_connection connection;
    char connection_reason[REASON_SIZE];
    uint64_t retry_at_ms;
    size_t waiting; /* drafts without a receipt */
    char notice[NOTICE_SIZE];
    bool notice_is_error;
    uint64_t notice_until_ms;

    uint64_t pressed_ms, typing_said_ms; /* the latter 0: not said, or taken back */
    bool is_away;
    json_t *kept;           /* unsent texts of an earlier run: {"conversation": {...}} */
    unsigned draft_changes; /* counts */
    struct wishes wishes;
    struct wishes later;  /* signals that were not taken: one of each kind about the same */
    uint64_t later_at_ms; /* when they are wished again */
};

void model_init(struct model *m, const char *user);
void model_finish(struct model *m);

/* What happened: each of these may add wishes. model_tick() comes after all others, for it asks for
 * what is missing then. */
void model_resize(struct model *m, int rows, int columns);
void model_tick(struct model *m, uint64_t now_ms, int64_t wall_ms);
void model_press(struct model *m, const struct press *press);
void model_hear(struct model *m, const struct news *news);
/* What became of the wish to post something: its draft's id, or an error with a reason. */
void model_posted(struct model *m, const struct wish *wish, const char *id, int error,
                  const char *reason);
/* The wish to say something, other than that one is typing, was not taken: it comes again. */
void model_not_said(struct model *m, const struct wish *wish);
/* When model_tick() has something to do, UINT64_MAX: not by itself. */
uint64_t model_deadline(const struct model *m);

/* Unsent texts, as they are kept from one run to the next; to be freed by json_decref(). */
json_t *model_drafts(const struct model *m);
/* To be called before anything else is heard. Keeps a reference. */
void model_keep_drafts(struct model *m, json_t *drafts);

/* ---- what the model's own files, and the view, share ---- */

bool model_is_online(const struct model *m);
struct room *model_find(const struct model *m, const char *id);
/* Also makes it; NULL if there are too many. */
struct room *model_room(struct model *m, const char *id);
void model_drop(struct model *m, struct room *room);
void model_open(struct model *m, struct room *room);
struct person *model_person(const struct model *m, const char *handle);
void model_watch(struct model *m, const char *handle);
/* Whether the filter lets the list show it. */
bool model_lists(const struct model *m, const struct room *room);
/* The one before (-1) or behind (1) `from` in the list, or `from` itself at its end. If that is
 * not in the list, NULL for one, the last or the first. */
struct room *model_neighbor(const struct model *m, const struct room *from, int delta);
bool model_is_reading(const struct model *m);
void model_wish(struct model *m, enum wish_kind kind, const struct room *room, int64_t seq,
                const char *text);
void model_say(struct model *m, bool is_error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
