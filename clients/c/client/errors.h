/* SPDX-License-Identifier: MIT */
/* errors.h - error codes between the wire, HTTP and enum banter_error. A `failure` is a code with
 * what was said about it; it is passed by value and keeps its own copy of the sentence, cut to what
 * fits a log line. */
#ifndef BANTER_CLIENT_ERRORS_H
#define BANTER_CLIENT_ERRORS_H

#include "banter/banter.h"
#include "base/compiler.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

enum { REASON_MAX_BYTES = 200 };

struct failure {
    int error;               /* enum banter_error; BANTER_OK: none */
    bool is_banters;         /* a Banter said so, and nothing between it and us */
    uint64_t retry_after_ms; /* as the server said, else 0 */
    char reason[REASON_MAX_BYTES + 1];
};

extern const struct failure no_failure;

/* `reason` NULL: banter_error_text(). */
struct failure failure_make(int error, const char *reason);
struct failure failure_format(int error, const char *format, ...) PRINTF_LIKE(2, 3);
/* The error that has this name on the wire; BANTER_INTERNAL for one that is not known. */
int error_of_name(const char *name);
/* For answers without a code, from something between us and the server. */
int error_of_status(long http_status);
/* The same request may succeed later. */
bool error_is_passing(int error);

#endif
