/* SPDX-License-Identifier: MIT */
/* invite_fuzz.c - the tokens that invites end with: one that is accepted is the only text for its
 * bits, so nobody has two of the same. */
#include "fuzz/fuzz.h"

#include "base/buf.h"
#include "core/invite_token.h"
#include "token/jwt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_of((const char *)data, size);
    uint8_t hash[INVITE_HASH_BYTES];
    struct buf bits, again;

    if (!invite_token_hash(text, hash))
        return 0;
    buf_init(&bits, 64);
    buf_init(&again, 64);
    must(base64url_decode(&bits, text));
    base64url_encode(&again, buf_slice(&bits));
    must(slice_equal(buf_slice(&again), text) && size == INVITE_TOKEN_LENGTH);
    buf_finish(&bits);
    buf_finish(&again);
    return 0;
}
