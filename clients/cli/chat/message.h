/* SPDX-License-Identifier: MIT */
/* message.h - what a conversation shows: a text as it is now, or that something happened, made of
 * an entry of the log or of the folded view (docs/protocol.md); or a text that is being sent. */
#ifndef BANTER_CLI_CHAT_MESSAGE_H
#define BANTER_CLI_CHAT_MESSAGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HANDLE_SIZE = 33,
    CONVERSATION_SIZE = 37,
    EMOJI_SIZE = 40,
    REACTIONS_MAX = 20,
};

enum message_kind {
    MESSAGE_TEXT,
    MESSAGE_HAPPENING, /* somebody came, the title changed ... */
};

enum message_fate {
    FATE_STORED,
    FATE_SENDING,
    FATE_REFUSED,
};

struct reaction {
    char emoji[EMOJI_SIZE];
    unsigned count;
    bool own;
};

struct message {
    int64_t seq;   /* of what is not stored: above all of those, in the order of writing */
    int64_t at_ms; /* since 1970; 0 if it is not known */
    char from[HANDLE_SIZE];
    enum message_kind kind;
    enum message_fate fate;
    bool own, is_edited, is_deleted;
    int64_t reply_to; /* or 0 */
    int64_t edits;    /* of what is not stored: the message that it was to change, or 0 */
    char *text;       /* of a happening a sentence without its subject; "" if there is none */
    char *id;         /* of the draft, or NULL */
    char *reason;     /* why it was refused, or NULL */
    struct reaction *reactions;
    size_t reaction_count;
};

/* What an entry is about. */
enum entry_role {
    ENTRY_MESSAGE, /* makes a message */
    ENTRY_CHANGE,  /* edit, delete, reaction: changes another one */
    ENTRY_UNKNOWN, /* counts, and shows nothing */
};

enum entry_role entry_role(const json_t *entry);
/* `user` is who looks at it. NULL: nothing to show. */
struct message *message_of_entry(const json_t *entry, const char *user);
struct message *message_new(const char *from, const char *text);
void message_free(struct message *m);
/* Bytes that it takes, roughly. */
size_t message_bytes(const struct message *m);
/* It was not stored, for this reason. */
void message_refuse(struct message *m, const char *reason);

/* Copies what fits; false, and "" in `out`, if the text is missing or too long. */
bool copy_text(char *out, size_t size, const char *text);
/* RFC 3339 in UTC, as milliseconds since 1970; 0 if it is none. */
int64_t time_of(const char *text);

#endif
