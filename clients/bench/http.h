/* SPDX-License-Identifier: MIT */
/* http.h - one blocking GET whose body is handed on as it comes (libcurl). */
#ifndef BANTER_BENCH_HTTP_H
#define BANTER_BENCH_HTTP_H

#include "base/compiler.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

struct http_get {
    const char *url;
    const char *token;  /* bearer */
    const char *accept; /* media type */
    /* Given the body in pieces; false ends the transfer. */
    bool (*body)(void *owner, struct slice piece);
    void *owner;
    /* Set when it is done. */
    double first_byte_s; /* from the start */
    double total_s;
    uint64_t bytes;
};

/* False, after saying why on stderr, unless the answer was 200 and came whole. */
bool http_get(struct http_get *request) MUST_USE;

#endif
