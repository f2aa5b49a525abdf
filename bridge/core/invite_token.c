/* SPDX-License-Identifier: MIT */
/* invite_token.c - see invite_token.h. base64url without padding. */
#include "core/invite_token.h"

#include "base/buf.h"
#include "token/jwt.h"

#include <assert.h>
#include <openssl/sha.h>
#include <string.h>
#include <sys/random.h>

enum { SECRET_BYTES = 16 };

_Static_assert(INVITE_HASH_BYTES == SHA256_DIGEST_LENGTH, "the hash is SHA-256");

bool invite_token_draw(char text[INVITE_TOKEN_LENGTH + 1])
{
    char secret[SECRET_BYTES];
    struct buf encoded;

    if (getrandom(secret, sizeof secret, 0) != sizeof secret)
        return false;
    buf_init(&encoded, INVITE_TOKEN_LENGTH);
    base64url_encode(&encoded, slice_of(secret, sizeof secret));
    assert(!encoded.failed && encoded.length == INVITE_TOKEN_LENGTH);
    memcpy(text, encoded.data, INVITE_TOKEN_LENGTH + 1);
    buf_finish(&encoded);
    return true;
}

bool invite_token_hash(struct slice text, uint8_t hash[INVITE_HASH_BYTES])
{
    struct buf secret;
    bool valid;

    if (text.length != INVITE_TOKEN_LENGTH)
        return false;
    buf_init(&secret, 2 * SECRET_BYTES);
    valid = base64url_decode(&secret, text) && secret.length == SECRET_BYTES;
    if (valid)
        SHA256((const unsigned char *)secret.data, secret.length, hash);
    buf_finish(&secret);
    return valid;
}
