/* SPDX-License-Identifier: MIT */
/* resp.h - as much of Redis's protocol (RESP2) as publishing and subscribing need. Pure.
 *
 * Whoever is at the other end may be no Redis at all: what is longer or deeper than anything that
 * is expected here counts as malformed, and nothing is allocated on anybody's word. */
#ifndef BANTER_BRIDGE_BUS_RESP_H
#define BANTER_BRIDGE_BUS_RESP_H

#include "base/compiler.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    RESP_ELEMENTS_MAX = 3,
    RESP_LINE_MAX = 1024,    /* of a status, an error or a number */
    RESP_TEXT_MAX = 2 << 20, /* of one string */
};

enum resp_type {
    RESP_LINE,   /* a status or a number: its text */
    RESP_ERROR,  /* its text */
    RESP_STRING, /* its text; of what is nil, an empty one */
    RESP_ARRAY,  /* its elements, which are no arrays and no errors */
};

struct resp {
    enum resp_type type;
    struct slice text; /* borrowed, like the elements */
    unsigned count;
    struct slice elements[RESP_ELEMENTS_MAX];
};

enum resp_status {
    RESP_PARTIAL, /* more has to come */
    RESP_WHOLE,
    RESP_MALFORMED,
};

/* The first reply of `input`, of which it takes *used bytes if it is whole. */
enum resp_status resp_next(struct slice input, struct resp *out, size_t *used) MUST_USE;

/* How the head of a command of `words` words is written, and that of a word of `length` bytes,
 * which is followed by the word and by RESP_END. Return the length of the text. */
enum { RESP_HEAD_MAX = 32 };
#define RESP_END "\r\n"
size_t resp_command_head(char text[RESP_HEAD_MAX], unsigned words);
size_t resp_word_head(char text[RESP_HEAD_MAX], size_t length);

#endif
