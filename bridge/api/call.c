/* SPDX-License-Identifier: MIT */
/* call.c - see call.h. */
#include "api/call.h"

#include "wire/json.h"
#include "wire/names.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REASON_MAX_BYTES = 128 };

json_t *call_read_object(struct call *c)
{
    const char *reason;
    json_t *object = json_read_object(http_request_body(c->request), &reason);

    if (!object)
        call_refuse(c, CODE_INVALID, reason);
    return object;
}

static bool refuse_member(struct call *c, const char *name, const char *what)
{
    char reason[REASON_MAX_BYTES];

    snprintf(reason, sizeof reason, "\"%s\" %s", name, what);
    call_refuse(c, CODE_INVALID, reason);
    return false;
}

bool call_read_strings(struct call *c, const json_t *body, const struct call_string *strings,
                       size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const json_t *value = json_object_get(body, strings[i].name);

        *strings[i].out = slice_of("", 0);
        if (!value && strings[i].required)
            return refuse_member(c, strings[i].name, "is missing");
        if (value && !json_is_string(value))
            return refuse_member(c, strings[i].name, "must be a string");
        if (value)
            *strings[i].out = slice_of(json_string_value(value), json_string_length(value));
    }
    return true;
}

bool call_read_number(struct call *c, const char *name, int64_t least, int64_t *out)
{
    const char *text = http_request_query(c->request, name);
    long long number;

    if (!text)
        return true;
    errno = 0;
    number = strtoll(text, NULL, 10);
    if (text[0] == '\0' || text[strspn(text, "0123456789")] != '\0' || errno != 0 || number < least)
        return refuse_member(
            c, name, least > 0 ? "must be a whole number of at least 1" : "must be a whole number");
    *out = number;
    return true;
}

bool call_read_conversation(struct call *c, struct uuid *out)
{
    struct slice name = slice_str(c->parameter);

    if (uuid_parse(out, name))
        return true;
    if (name.length > 1 && name.data[0] == '@') {
        struct slice handle = slice_of(name.data + 1, name.length - 1);

        if (handle_is_valid(handle)) {
            *out = direct_conversation_id(c->actor.handle, handle);
            return true;
        }
    }
    call_refuse(c, CODE_NOT_FOUND, "no such conversation, or you are not a member of it");
    return false;
}

bool call_wants_page(struct call *c)
{
    const char *accept = http_request_header(c->request, "Accept");

    return accept && strstr(accept, "text/html") != NULL;
}

void call_answer(struct call *c, int status, struct buf *json)
{
    http_reply(c->request, status, "application/json", json);
}

void call_answer_copy(struct call *c, int status, struct slice json)
{
    struct buf copy;

    buf_init(&copy, CALL_ANSWER_MAX_BYTES);
    buf_slice_put(&copy, json);
    call_answer(c, status, &copy);
}

void call_refuse(struct call *c, enum code code, const char *reason)
{
    if (code == CODE_UNAUTHORIZED)
        http_reply_header(c->request, "WWW-Authenticate", "Bearer realm=\"banter\"");
    if (code == CODE_UNAVAILABLE)
        http_reply_header(c->request, "Retry-After", "1");
    http_problem(c->request, 0, code, reason);
}

void call_refuse_limited(struct http_request *request, uint64_t wait_ms, const char *reason)
{
    char seconds[24];

    snprintf(seconds, sizeof seconds, "%" PRIu64, (wait_ms + 999) / 1000);
    http_reply_header(request, "Retry-After", seconds);
    http_problem(request, 0, CODE_RATE_LIMITED, reason);
}
