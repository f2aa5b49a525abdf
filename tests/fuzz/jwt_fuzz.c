/* SPDX-License-Identifier: MIT */
/* jwt_fuzz.c - tokens. Without the key nothing gets beyond the signature, so an input with a line
 * end is taken as header and claims, and signed; any other input is a token as it stands. */
#include "fuzz/fuzz.h"

#include "token/jwt.h"
#include "unit/jwt_forge.h"
#include "wire/names.h"

#define KEYS                                                                                       \
    "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"" FORGE_KID "\",\"x\":\"" FORGE_X   \
    "\"}]}"

enum { NOW = 1800000000, INPUT_MAX = 8192 };

static void verify(struct slice token)
{
    static struct jwt_keys *keys;
    struct jwt_claims claims;
    const char *reason;

    if (!keys)
        keys = jwt_keys_parse(slice_str(KEYS), &reason);
    must(keys);
    if (jwt_verify(keys, token, "i", "a", NOW, &claims) == JWT_OK) {
        must(claims.uid > 0 && claims.uid <= INT64_MAX);
        must(handle_is_valid(slice_str(claims.handle)));
        must(claims.expires_at > NOW - JWT_LEEWAY_S && claims.not_before <= NOW + JWT_LEEWAY_S);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *input = (const char *)data;
    const char *end = size ? memchr(input, '\n', size) : NULL;
    struct buf token;

    if (size > INPUT_MAX)
        return 0;
    if (!end) {
        verify(slice_of(input, size));
        return 0;
    }
    buf_init(&token, FORGE_CEILING);
    forge_token(&token, slice_of(input, (size_t)(end - input)),
                slice_of(end + 1, size - (size_t)(end - input) - 1));
    verify(buf_slice(&token));
    buf_finish(&token);
    return 0;
}
