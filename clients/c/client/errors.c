/* SPDX-License-Identifier: MIT */
/* errors.c - see errors.h; and what banter.h says of errors. The table is in the order of nothing:
 * it is short, and searched when something went wrong. */
#include "client/errors.h"

#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>

enum {
    STATUS_UNAUTHORIZED = 401,
    STATUS_FORBIDDEN = 403,
    STATUS_NOT_FOUND = 404,
    STATUS_CONFLICT = 409,
    STATUS_TOO_LARGE = 413,
    STATUS_RATE_LIMITED = 429,
    STATUS_SERVER = 500,
};

static const struct {
    int error;
    bool passes;
    const char *name;
    const char *text;
} errors[] = {
    {BANTER_OK, false, "ok", "it worked"},
    {BANTER_INVALID, false, "invalid", "the request is malformed"},
    {BANTER_UNAUTHORIZED, false, "unauthorized", "nobody is logged in, or the login has ended"},
    {BANTER_FORBIDDEN, false, "forbidden", "this user may not do that"},
    {BANTER_NOT_FOUND, false, "not_found", "there is no such thing, or it may not be seen"},
    {BANTER_CONFLICT, false, "conflict", "it is taken, or was used with other content"},
    {BANTER_TOO_LARGE, false, "too_large", "it is longer than its limit"},
    {BANTER_LIMIT_REACHED, false, "limit_reached", "a count would pass its limit"},
    {BANTER_RATE_LIMITED, true, "rate_limited", "too much at once"},
    {BANTER_UNAVAILABLE, true, "unavailable", "the server cannot do it now"},
    {BANTER_OUT_OF_ORDER, true, "out_of_order", "an earlier draft was refused in passing"},
    {BANTER_INTERNAL, true, "internal", "the server, or its answer, is broken"},
    {BANTER_OFFLINE, true, "offline", "no server can be reached"},
    {BANTER_TIMEOUT, true, "timeout", "it did not happen in time"},
    {BANTER_NO_MEMORY, true, "no_memory", "memory has run out"},
    {BANTER_STORE, true, "store", "the store cannot be read or written"},
    {BANTER_BUSY, true, "busy", "the store is in use by another program"},
    {BANTER_FULL, true, "full", "a queue has reached its bound"},
    {BANTER_STOPPED, false, "stopped", "the client is being destroyed"},
    {BANTER_WRONG_THREAD, false, "wrong_thread", "this may not be called from within a callback"},
};

enum { ERROR_COUNT = sizeof errors / sizeof errors[0] };

const struct failure no_failure;

const char *banter_version(void)
{
    return BANTER_VERSION;
}

const char *banter_error_name(int error)
{
    for (size_t i = 0; i < ERROR_COUNT; i++)
        if (errors[i].error == error)
            return errors[i].name;
    return "unknown";
}

const char *banter_error_text(int error)
{
    for (size_t i = 0; i < ERROR_COUNT; i++)
        if (errors[i].error == error)
            return errors[i].text;
    return "an error that this version does not know";
}

int error_of_name(const char *name)
{
    for (size_t i = 0; i < ERROR_COUNT; i++)
        if (errors[i].error != BANTER_OK && errors[i].error < BANTER_OFFLINE && name &&
            strcmp(errors[i].name, name) == 0)
            return errors[i].error;
    return BANTER_INTERNAL;
}

int error_of_status(long http_status)
{
    switch (http_status) {
    case STATUS_UNAUTHORIZED:
        return BANTER_UNAUTHORIZED;
    case STATUS_FORBIDDEN:
        return BANTER_FORBIDDEN;
    case STATUS_NOT_FOUND:
        return BANTER_NOT_FOUND;
    case STATUS_CONFLICT:
        return BANTER_CONFLICT;
    case STATUS_TOO_LARGE:
        return BANTER_TOO_LARGE;
    case STATUS_RATE_LIMITED:
        return BANTER_RATE_LIMITED;
    default:
        return http_status >= STATUS_SERVER ? BANTER_UNAVAILABLE : BANTER_INVALID;
    }
}

bool error_is_passing(int error)
{
    for (size_t i = 0; i < ERROR_COUNT; i++)
        if (errors[i].error == error)
            return errors[i].passes;
    return false;
}

struct failure failure_make(int error, const char *reason)
{
    struct failure f = {.error = error};
    struct slice cut;

    if (!reason)
        reason = banter_error_text(error);
    cut = utf8_prefix(slice_str(reason), REASON_MAX_BYTES);
    memcpy(f.reason, cut.data, cut.length);
    return f;
}

struct failure failure_format(int error, const char *format, ...)
{
    char reason[2 * REASON_MAX_BYTES];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    return failure_make(error, reason);
}
