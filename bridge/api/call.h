/* SPDX-License-Identifier: MIT */
/* call.h - one call of a route: the request, who asks, and helpers that every handler needs.
 *
 * A call lives as long as its request, so handlers pass it as owner to core, whose callback ends
 * the request and with it the call. */
#ifndef BANTER_API_CALL_H
#define BANTER_API_CALL_H

#include "api/api.h"
#include "base/buf.h"
#include "base/uuid.h"
#include "core/actor.h"
#include "http/request.h"
#include "token/jwt.h"
#include "wire/codes.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    CALL_PARAMETER_MAX_BYTES = 127,
    CALL_ANSWER_MAX_BYTES = 16 << 20,
};

struct pages;

struct api {
    struct api_dependencies core;
    struct pages *pages; /* or NULL: no web client */
    struct http_server *server;
    struct http_server *metrics; /* or NULL */
};

struct call {
    const struct api *api;
    const struct api_dependencies *core; /* of `api` */
    struct http_request *request;
    struct jwt_claims claims;                     /* zero on routes for everybody */
    struct actor actor;                           /* borrows from `claims` */
    char parameter[CALL_PARAMETER_MAX_BYTES + 1]; /* of the path's {…}, decoded; or empty */
};

/* Parses the body as one JSON object. NULL after answering why not. The caller owns it. */
json_t *call_read_object(struct call *c) MUST_USE;

/* A string member that a body must or may have; an absent one leaves an empty slice. */
struct call_string {
    const char *name;
    bool required;
    struct slice *out; /* borrowed from the body */
};
/* False after answering what is missing or no string. */
bool call_read_strings(struct call *c, const json_t *body, const struct call_string *strings,
                       size_t count) MUST_USE;

/* Reads a query parameter as a whole number of at least `least` (0 or 1); an absent one leaves
 * *out. False after answering. */
bool call_read_number(struct call *c, const char *name, int64_t least, int64_t *out) MUST_USE;

/* The conversation that the path names: by its id, or as @handle the direct one with that user.
 * False after answering 404. */
bool call_read_conversation(struct call *c, struct uuid *out) MUST_USE;

/* Whether a person's browser asks: the answer may be a page. */
bool call_wants_page(struct call *c);

/* Ends the call with JSON, whose bytes are taken over. */
void call_answer(struct call *c, int status, struct buf *json);
/* Ends the call with a copy of this JSON. */
void call_answer_copy(struct call *c, int status, struct slice json);
/* Ends the request with 429, and when to come again. */
void call_refuse_limited(struct http_request *request, uint64_t wait_ms, const char *reason);
/* Ends the call with a problem, with what its code asks for in the header. */
void call_refuse(struct call *c, enum code code, const char *reason);

#endif
