/* SPDX-License-Identifier: MIT */
/* endpoint.h - URLs that strangers register: their form, and the origin that they belong to.
 *
 * Pure, and read by the library that connects, so that both see the same host. That a URL is well
 * formed says nothing about where its name leads: see address.h. */
#ifndef BANTER_PUSH_ENDPOINT_H
#define BANTER_PUSH_ENDPOINT_H

#include "base/compiler.h"
#include "base/slice.h"

#include <stdbool.h>

struct endpoint_rules {
    bool allow_private; /* addresses of private networks in place of a name */
    bool allow_http;
};

/* NULL when the URL may be registered, or else why not (static storage). */
const char *endpoint_problem(struct slice url, const struct endpoint_rules *rules);
/* Scheme, host in lower case and port unless it is the scheme's own (RFC 6454 section 6.2).
 * Malloc'd; the caller frees. NULL when the URL is malformed. */
char *endpoint_origin(const char *url) MUST_USE;

#endif
