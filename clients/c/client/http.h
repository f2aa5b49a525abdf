/* SPDX-License-Identifier: MIT */
/* http.h - one HTTP request and its answer, whoever makes it: http_curl.h, or a test. */
#ifndef BANTER_CLIENT_HTTP_H
#define BANTER_CLIENT_HTTP_H

#include "base/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HTTP_ANSWER_MAX_BYTES = 32 << 20 }; /* a sync has 8 MiB of entries at most */

/* Everything is borrowed until start() returns. */
struct http_request {
    const char *method;
    const char *server; /* "https://host" */
    const char *path;   /* with its query */
    const char *bearer; /* or NULL */
    const char *key;    /* Idempotency-Key, or NULL */
    const char *body;   /* JSON, or NULL */
    size_t length;
    uint32_t timeout_ms;
};

struct http_answer {
    int error;          /* BANTER_OK: the server, or something between, has answered */
    bool never_sent;    /* with an error: the server cannot have seen it */
    const char *reason; /* of an error */
    long status;
    uint64_t retry_after_ms;
    const char *body; /* borrowed, with a NUL */
    size_t length;
};

typedef void http_done_fn(void *owner, const struct http_answer *answer);

struct http {
    /* Exactly one call of `done` for each BANTER_OK, and never from within. BANTER_FULL,
     * BANTER_NO_MEMORY. */
    int (*start)(void *self, const struct http_request *request, http_done_fn *done,
                 void *owner) MUST_USE;
    void *self;
};

#endif
