/* SPDX-License-Identifier: MIT */
/* handshake.h - the first request on a connection: is it for /mqtt, and if so, may a WebSocket
 * (RFC 6455 section 4) be made of it? Pure.
 *
 * Rule: everything that is not for /mqtt belongs to the HTTP server, byte for byte, malformed
 * requests included: that one knows how to refuse them. */
#ifndef BANTER_DOOR_HANDSHAKE_H
#define BANTER_DOOR_HANDSHAKE_H

#include "base/buf.h"
#include "base/compiler.h"
#include "base/slice.h"

#include <stdbool.h>

enum {
    HANDSHAKE_MAX_BYTES = 8 << 10, /* of the request's head */
    HANDSHAKE_ACCEPT_LENGTH = 28,
    FORWARDED_FOR_MAX_BYTES = 1 << 10,
};

enum first_request {
    FIRST_UNKNOWN, /* too little has come to tell */
    FIRST_HTTP,
    FIRST_WEBSOCKET, /* its target is /mqtt */
};

/* Looks at the beginning of a connection. */
enum first_request first_request_of(struct slice bytes);

/* The length of the head with its empty line; 0: that has not come yet. */
size_t handshake_length(struct slice bytes);

struct handshake_rules {
    /* Origins of pages that may connect, as in "https://chat.example.org", with blanks between
     * them; "*": all. Pages of the same host always may, and so may what is no page. */
    const char *origins;
};

/* Why no WebSocket is made; `status` 0: one is. */
struct handshake_refusal {
    int status;
    const char *detail; /* one sentence for the client, static */
};

struct handshake {
    char accept[HANDSHAKE_ACCEPT_LENGTH + 1]; /* the value of Sec-WebSocket-Accept */
    /* What X-Forwarded-For says, several of them joined; believed by nobody yet. */
    char forwarded_for[FORWARDED_FOR_MAX_BYTES];
};

/* Judges a whole head whose target is /mqtt. `out` has `forwarded_for` even when it is refused,
 * unless the head is malformed. */
struct handshake_refusal handshake_judge(struct slice head, const struct handshake_rules *rules,
                                         struct handshake *out);

/* The answer that makes the connection a WebSocket. */
void handshake_accept(const struct handshake *h, struct buf *out);
/* The answer that refuses: problem details (RFC 9457). The connection is to be closed after it. */
void handshake_refuse(struct handshake_refusal refusal, struct buf *out);

#endif
