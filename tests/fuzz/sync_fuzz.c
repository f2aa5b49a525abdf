/* SPDX-License-Identifier: MIT */
/* sync_fuzz.c - what a device asks for when it is back: the cursors are found again, and limits are
 * kept. */
#include "fuzz/fuzz.h"

#include "core/sync_request.h"
#include "wire/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sync_request r;
    const char *reason = NULL;

    if (!sync_request_read(&r, slice_of((const char *)data, size), &reason)) {
        must(reason != NULL);
        return 0;
    }
    must(r.limit <= SYNC_LIMIT_MAX && r.cursor_count <= SYNC_CONVERSATIONS_MAX);
    for (size_t i = 0; i < r.cursor_count; i++) {
        must(r.cursors[i].seq >= 0);
        must(sync_request_cursor(&r, &r.cursors[i].conversation) == r.cursors[i].seq);
    }
    sync_request_finish(&r);
    return 0;
}
