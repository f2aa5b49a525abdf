/* SPDX-License-Identifier: MIT */
/* http.h - blocking requests over one connection that is kept open (libcurl). The body of an answer
 * is handed on as it comes. */
#ifndef BANTER_BENCH_HTTP_H
#define BANTER_BENCH_HTTP_H

#include "base/compiler.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

struct http_client;
/* NULL, after saying so on stderr, without memory. */
struct http_client *http_client_create(void) MUST_USE;
void http_client_destroy(struct http_client *client);

struct http_call {
    const char *url;
    const char *token;  /* bearer */
    const char *accept; /* media type, or NULL for JSON */
    const char *json;   /* body of a POST, or NULL: GET */
    /* Given the body in pieces; false ends the transfer. NULL: only counted. */
    bool (*body)(void *owner, struct slice piece);
    void *owner;
    /* Set when it is done. */
    double first_byte_s; /* from the start */
    double total_s;
    uint64_t bytes;
};

/* False, after saying why on stderr, unless the answer's status was 2xx and it came whole. */
bool http_perform(struct http_client *client, struct http_call *call) MUST_USE;

#endif
