/* SPDX-License-Identifier: MIT */
/* http_fuzz.c - the framing of HTTP requests: how the bytes are cut into pieces changes nothing,
 * and a request that passes is no longer than its limits allow. The first byte chooses the pieces.
 */
#include "fuzz/fuzz.h"

#include "http/framing.h"

enum { BODY_MAX = 200 };

/* The verdict on the first request; *taken is its length. */
static enum http_verdict judge(struct slice input, size_t step, size_t *taken)
{
    enum http_verdict verdict = HTTP_PARTIAL;
    struct http_framing f;

    http_framing_start(&f, BODY_MAX);
    *taken = 0;
    while (verdict == HTTP_PARTIAL && *taken < input.length) {
        size_t left = input.length - *taken, used;

        verdict =
            http_framing_feed(&f, slice_of(input.data + *taken, left < step ? left : step), &used);
        must(used <= left && (verdict != HTTP_PARTIAL || used > 0));
        *taken += used;
        if (verdict == HTTP_HEAD) {
            must(f.head_length == *taken && *taken <= HTTP_HEAD_MAX_BYTES);
            verdict = http_framing_head(&f, slice_of(input.data, *taken));
        }
    }
    must(verdict != HTTP_HEAD);
    must((verdict == HTTP_REFUSED) <= (f.refusal.status >= 400));
    must(verdict != HTTP_WHOLE || (f.refusal.status == 0 && f.body_total <= BODY_MAX));
    return verdict;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input;
    size_t whole, cut, step;

    if (size < 1)
        return 0;
    step = 1 + data[0] % 64;
    input = slice_of((const char *)data + 1, size - 1);
    must(judge(input, SIZE_MAX, &whole) == judge(input, step, &cut));
    must(whole == cut);
    return 0;
}
