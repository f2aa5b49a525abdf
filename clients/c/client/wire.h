/* SPDX-License-Identifier: MIT */
/* wire.h - what the server says, read from its JSON. Everything borrows from that. */
#ifndef BANTER_CLIENT_WIRE_H
#define BANTER_CLIENT_WIRE_H

#include "banter/banter.h"
#include "base/compiler.h"
#include "client/errors.h"

#include <jansson.h>
#include <stdbool.h>

enum {
    CONVERSATION_LENGTH = 36, /* a UUID */
    CONVERSATION_SIZE = CONVERSATION_LENGTH + 1,
};

/* False: this is no entry. `own` and `json` are the caller's to fill. */
bool wire_entry(const json_t *json, struct banter_entry *out) MUST_USE;
/* The entry that a draft has become. NULL: out of memory, or `draft` is none. */
json_t *wire_entry_of_draft(const char *draft, size_t length, const char *from,
                            const struct banter_receipt *receipt) MUST_USE;
/* False: this is no receipt, or of a draft without an id. *f is what it was refused for; the
 * receipt's `reason` borrows from that. *to is what the draft was sent to: "@handle", or the
 * conversation's id. */
bool wire_receipt(const json_t *json, struct banter_receipt *out, const char **to,
                  struct failure *f) MUST_USE;
/* An {"error":{…}} in a command's response, or the like; or a problem document. */
struct failure wire_failure(const json_t *error);

/* "chat/{conversation}{/below}": false if it is none, else *below is "" or "/typing" etc. */
bool wire_chat_topic(const char *topic, char conversation[CONVERSATION_SIZE],
                     const char **below) MUST_USE;

#endif
