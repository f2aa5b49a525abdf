/* SPDX-License-Identifier: MIT */
/* bus_resp_fuzz.c - what a Redis says that may be none. A whole reply lies within what was read,
 * and is read in the same way when nothing follows it. */
#include "bus/resp.h"
#include "fuzz/fuzz.h"

static bool is_within(struct slice part, struct slice all)
{
    return part.length == 0 ||
           (part.data >= all.data && part.data + part.length <= all.data + all.length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = slice_of((const char *)data, size);
    struct resp reply, again;
    size_t used, used_again;

    while (resp_next(rest, &reply, &used) == RESP_WHOLE) {
        must(used > 0 && used <= rest.length);
        must(is_within(reply.text, rest) && reply.count <= RESP_ELEMENTS_MAX);
        for (unsigned i = 0; i < reply.count; i++)
            must(is_within(reply.elements[i], rest));
        must(resp_next(slice_of(rest.data, used), &again, &used_again) == RESP_WHOLE);
        must(used_again == used && again.type == reply.type);
        must(resp_next(slice_of(rest.data, used - 1), &again, &used_again) == RESP_PARTIAL);
        rest = slice_of(rest.data + used, rest.length - used);
    }
    return 0;
}
