/* SPDX-License-Identifier: MIT */
/* handshake_fuzz.c - first requests: once it is known which way one goes, more bytes change
 * nothing, and whatever is made of a head is an answer. */
#include "fuzz/fuzz.h"

#include "door/handshake.h"

static void must_stay_decided(struct slice input)
{
    enum first_request way = FIRST_UNKNOWN;

    for (size_t n = 0; n <= input.length && n < 64; n++) {
        enum first_request now = first_request_of(slice_of(input.data, n));
        must(way == FIRST_UNKNOWN || now == way);
        way = now;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct handshake_rules rules = {"https://a.example, *.example"};
    struct slice input = slice_of((const char *)data, size);
    struct handshake_refusal refusal;
    struct handshake h;
    struct buf answer;
    size_t length = handshake_length(input);

    must(length <= size);
    must_stay_decided(input);
    if (length == 0 || length > HANDSHAKE_MAX_BYTES)
        return 0;
    refusal = handshake_judge(slice_of(input.data, length), &rules, &h);
    must(refusal.status == 0 || (refusal.status >= 400 && refusal.detail));
    must(memchr(h.forwarded_for, '\0', sizeof h.forwarded_for));
    buf_init(&answer, 4096);
    if (refusal.status == 0)
        handshake_accept(&h, &answer);
    else
        handshake_refuse(refusal, &answer);
    must(!answer.failed && answer.length > 0);
    buf_finish(&answer);
    return 0;
}
