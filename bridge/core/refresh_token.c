/* SPDX-License-Identifier: MIT */
/* refresh_token.c - see refresh_token.h. base64url of session, generation (big-endian) and secret.
 */
#include "core/refresh_token.h"

#include "base/buf.h"
#include "token/jwt.h"

#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum {
    SESSION_BYTES = 16,
    GENERATION_BYTES = 4,
    TOKEN_BYTES = SESSION_BYTES + GENERATION_BYTES + REFRESH_SECRET_BYTES,
};

_Static_assert(REFRESH_HASH_BYTES == SHA256_DIGEST_LENGTH, "the hash is SHA-256");

static void draw(void *bytes, size_t length)
{
    if (getrandom(bytes, length, 0) != (ssize_t)length)
        abort(); /* nothing could be secret any more */
}

void refresh_token_begin(struct refresh_token *t)
{
    uint8_t random[SESSION_BYTES];

    draw(random, sizeof random);
    t->session = uuid_v8(random);
    t->generation = 1;
    draw(t->secret, sizeof t->secret);
}

void refresh_token_renew(struct refresh_token *t)
{
    draw(t->secret, sizeof t->secret);
}

void refresh_token_write(const struct refresh_token *t, struct buf *out)
{
    uint8_t bytes[TOKEN_BYTES];

    memcpy(bytes, t->session.bytes, SESSION_BYTES);
    for (int i = 0; i < GENERATION_BYTES; i++)
        bytes[SESSION_BYTES + i] = (uint8_t)(t->generation >> (24 - 8 * i));
    memcpy(bytes + SESSION_BYTES + GENERATION_BYTES, t->secret, REFRESH_SECRET_BYTES);
    base64url_encode(out, slice_of((const char *)bytes, sizeof bytes));
    explicit_bzero(bytes, sizeof bytes);
}

bool refresh_token_read(struct refresh_token *t, struct slice text)
{
    struct buf bytes;
    bool valid;

    buf_init(&bytes, 2 * TOKEN_BYTES);
    valid = base64url_decode(&bytes, text) && bytes.length == TOKEN_BYTES;
    if (valid) {
        memcpy(t->session.bytes, bytes.data, SESSION_BYTES);
        t->generation = 0;
        for (int i = 0; i < GENERATION_BYTES; i++)
            t->generation = t->generation << 8 | (uint8_t)bytes.data[SESSION_BYTES + i];
        memcpy(t->secret, bytes.data + SESSION_BYTES + GENERATION_BYTES, REFRESH_SECRET_BYTES);
    }
    if (bytes.data)
        explicit_bzero(bytes.data, bytes.length);
    buf_finish(&bytes);
    return valid && t->generation >= 1 && t->generation <= INT32_MAX;
}

void refresh_token_hash(const struct refresh_token *t, uint8_t hash[REFRESH_HASH_BYTES])
{
    SHA256(t->secret, sizeof t->secret, hash);
}
