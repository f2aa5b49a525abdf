/* SPDX-License-Identifier: MIT */
/* cursor_fuzz.c - how far a device has received and read. Who has read has received. */
#include "fuzz/fuzz.h"

#include "core/cursors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor_pair pair = {-1, -1};
    const char *reason = NULL;

    if (cursor_pair_parse(slice_of((const char *)data, size), &pair, &reason))
        must(pair.received >= pair.read && pair.read >= 0);
    else
        must(reason != NULL);
    return 0;
}
