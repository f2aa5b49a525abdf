/* SPDX-License-Identifier: MIT */
/* head.h - judges the head of one HTTP/1.1 request (RFC 9112) before anything acts on it. Pure.
 *
 * Whatever two parsers could read differently is refused here: folded lines, bare CR or LF, control
 * characters, blanks before a colon, doubled or contradicting lengths. That is what request
 * smuggling is made of, and no honest client sends it. */
#ifndef BANTER_HTTP_HEAD_H
#define BANTER_HTTP_HEAD_H

#include "base/compiler.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    HTTP_HEAD_MAX_BYTES = 16 << 10,
    HTTP_TARGET_MAX_BYTES = 4 << 10,
    HTTP_FIELDS_MAX = 100,
};

/* What the head says about the body that follows it. */
struct http_head {
    bool chunked;          /* Transfer-Encoding: chunked */
    uint64_t length;       /* Content-Length, or 0 */
    bool expects_continue; /* the client waits for "100 Continue" before it sends the body */
};

/* Why a request is not let through. */
struct http_refusal {
    int status;         /* HTTP status to answer with; 0: nothing to refuse */
    const char *detail; /* one sentence for the client, static */
};

/* `bytes` is everything up to and with the empty line. False: refused; *refusal says why. */
bool http_head_check(struct slice bytes, struct http_head *out,
                     struct http_refusal *refusal) MUST_USE;

#endif
