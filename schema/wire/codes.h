/* SPDX-License-Identifier: MIT */
/* codes.h - every error code a client can see, with its name on the wire and its HTTP status. */
#ifndef BANTER_WIRE_CODES_H
#define BANTER_WIRE_CODES_H

#include "base/compiler.h"

#include <stdbool.h>

enum code {
    CODE_OK = 0,
    CODE_INVALID,       /* the request is malformed: sending it again cannot succeed */
    CODE_UNAUTHORIZED,  /* no or no valid credentials (HTTP only) */
    CODE_FORBIDDEN,     /* not allowed to this user */
    CODE_NOT_FOUND,     /* no such user, conversation or thing, or not visible to this user */
    CODE_CONFLICT,      /* the same draft id with another body, or a handle that is taken */
    CODE_TOO_LARGE,     /* a text, packet or list beyond its limit */
    CODE_LIMIT_REACHED, /* a count that would pass its limit, such as members of a group */
    CODE_RATE_LIMITED,  /* transient: try again after retry_after_ms */
    CODE_UNAVAILABLE,   /* transient: the server cannot do it now */
    CODE_OUT_OF_ORDER,  /* transient: an earlier draft was refused; send that one first */
    CODE_INTERNAL,      /* a bug of ours; logged with details */
};

/* The name on the wire, such as "not_found". Static storage. */
const char *code_name(enum code code);
/* The HTTP status that carries it, such as 404; 200 for CODE_OK. */
int code_http_status(enum code code);
/* True for refusals that a later resend of the same draft may survive: they are sticky. */
bool code_is_transient(enum code code);

#endif
