/* SPDX-License-Identifier: MIT */
/* codes.c - see codes.h. The table is the whole truth about every code. */
#include "wire/codes.h"

#include <assert.h>
#include <stddef.h>

static const struct {
    const char *name;
    int http_status;
    bool transient;
} codes[] = {
    [CODE_OK] = {"ok", 200, false},
    [CODE_INVALID] = {"invalid", 400, false},
    [CODE_UNAUTHORIZED] = {"unauthorized", 401, false},
    [CODE_FORBIDDEN] = {"forbidden", 403, false},
    [CODE_NOT_FOUND] = {"not_found", 404, false},
    [CODE_CONFLICT] = {"conflict", 409, false},
    [CODE_TOO_LARGE] = {"too_large", 413, false},
    [CODE_LIMIT_REACHED] = {"limit_reached", 409, false},
    [CODE_RATE_LIMITED] = {"rate_limited", 429, true},
    [CODE_UNAVAILABLE] = {"unavailable", 503, true},
    [CODE_OUT_OF_ORDER] = {"out_of_order", 409, true},
    [CODE_INTERNAL] = {"internal", 500, false},
};

static bool is_known(enum code code)
{
    return (size_t)code < sizeof codes / sizeof codes[0];
}

const char *code_name(enum code code)
{
    assert(is_known(code));
    return codes[code].name;
}

int code_http_status(enum code code)
{
    assert(is_known(code));
    return codes[code].http_status;
}

bool code_is_transient(enum code code)
{
    assert(is_known(code));
    return codes[code].transient;
}
