/* SPDX-License-Identifier: MIT */
/* room.h - a conversation as this device knows it: what the list shows of it, a window onto its
 * log, who is in it, and what is being written to it.
 *
 * The window is without holes from its first message to the newest one. What changes a message
 * (edits, deletions, reactions) is not computed here: the messages concerned are stale until
 * they have been read again, which is right whatever order answers and events come in. */
#ifndef BANTER_CLI_CHAT_ROOM_H
#define BANTER_CLI_CHAT_ROOM_H

#include "chat/line.h"
#include "chat/message.h"

enum {
    TITLE_MAX_CHARACTERS = 128,
    TITLE_SIZE = 4 * TITLE_MAX_CHARACTERS + 1,
    MEMBERS_MAX = 1000,
    TYPISTS_MAX = 4,
    WINDOW_MAX = 5000,           /* messages ... */
    WINDOW_MAX_BYTES = 32 << 20, /* ... and bytes, beyond which nothing older is fetched */
    WINDOW_ASIDE = 200,          /* messages that are kept of a conversation not looked at */
    TEXT_MAX_CHARACTERS = 100000,
    UNREAD_MAX = 100, /* so many, or more */
};

/* Messages that are not stored count from here. */
#define SEQ_UNSENT (INT64_C(1) << 62)

enum room_kind { ROOM_DIRECT, ROOM_GROUP, ROOM_CHANNEL };

struct member {
    char handle[HANDLE_SIZE];
    int64_t received, read;
};

struct typist {
    char handle[HANDLE_SIZE];
    uint64_t until_ms;
};

struct room {
    char id[CONVERSATION_SIZE];
    enum room_kind kind;
    char title[TITLE_SIZE]; /* of a direct conversation the other's handle */
    bool is_known;          /* the server has told what it is */
    bool may_write;
    bool has_typing, has_cursors;
    unsigned listing; /* in which it was seen last */
    int64_t last_seq, read;
    int64_t unread;
    int64_t active_ms;                        /* of the newest entry, 0: not known */
    char *preview;                            /* the newest message in words, or NULL */
    bool wants_preview, asks_again, is_asked; /* the latter: what it is, and not answered */
    bool is_watched;

    struct message **messages; /* by seq; those that are not stored come last */
    size_t count, space;
    size_t bytes;
    int64_t unsent;         /* of the next one that is not stored */
    struct message **edits; /* under way: what they change is shown as it was; no seq */
    size_t edit_count, edit_space;
    bool is_loaded, is_loading, has_older;
    int64_t older_before;          /* what to ask for */
    uint64_t wait_until_ms;        /* before asking again what could not be answered */
    int64_t stale_low, stale_high; /* to be read again; 0: nothing */
    int64_t new_from;              /* what was new when one came in; 0: nothing */

    struct member *members;
    size_t member_count, member_space;
    bool members_asked;
    struct typist typists[TYPISTS_MAX];
    size_t typist_count;

    struct line draft;
    int64_t reply_to, editing; /* what the draft is about: a seq, or 0 */
    int64_t anchor;            /* the message at the bottom of the screen; 0: the newest */
    int anchor_below;          /* rows of it that are below the screen */
};

struct room *room_new(const char *id);
void room_free(struct room *r);
/* As in docs/protocol.md, "Catching up": a conversation in a list. */
void room_describe(struct room *r, const json_t *head);

/* Takes the message, which replaces one with the same seq, or the draft that it was. */
void room_put(struct room *r, struct message *m);
/* The draft's own message; `id` is its id, or NULL if it was not taken. */
struct message *room_post(struct room *r, const char *user, const char *id, const char *text,
                          int64_t reply_to);
/* Keeps an edit of the message `target` until its receipt comes, and takes it out then; NULL if
 * there is none of this id. */
void room_keep_edit(struct room *r, const char *user, const char *id, const char *text,
                    int64_t target);
struct message *room_take_edit(struct room *r, const char *id);
/* Takes what is not stored, and shows it behind all others; returns it. */
struct message *room_append(struct room *r, struct message *m);
struct message *room_find_draft(const struct room *r, const char *id);
/* The index of the first message with this seq or a higher one; `count` if there is none. */
size_t room_index(const struct room *r, int64_t seq);
struct message *room_find(const struct room *r, int64_t seq);
void room_remove(struct room *r, size_t index);
void room_stored(struct room *r, struct message *draft, int64_t seq, int64_t at_ms);
/* The messages from `low` to `high` that are here have changed. */
void room_make_stale(struct room *r, int64_t low, int64_t high);
/* Keeps the newest WINDOW_ASIDE and what is not stored. */
void room_trim(struct room *r);

void room_set_member(struct room *r, const char *handle, int64_t received, int64_t read);
/* How many others have received, or read, this. */
size_t room_reached(const struct room *r, const char *user, int64_t seq, bool is_read);
void room_typing(struct room *r, const char *handle, uint64_t until_ms);
/* Ends what is due; whether anything did. */
bool room_typing_tick(struct room *r, uint64_t now_ms);

#endif
