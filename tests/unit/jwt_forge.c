/* SPDX-License-Identifier: MIT */
/* jwt_forge.c - see jwt_forge.h. */
#include "unit/jwt_forge.h"

#include "token/jwt.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

const char forge_pem[] = "-----BEGIN PRIVATE KEY-----\n"
                         "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
                         "-----END PRIVATE KEY-----\n";

static void must(bool condition)
{
    if (!condition)
        abort();
}

static void put_member(struct buf *out, const struct forge_member *member)
{
    if (member->json) {
        buf_json_key(out, member->name);
        buf_str(out, member->json);
    }
}

void forge_object(struct buf *out, const struct forge_member *members, size_t count,
                  const struct forge_member *change)
{
    bool replaced = false;

    buf_char(out, '{');
    for (size_t i = 0; i < count; i++) {
        bool is_changed = change && strcmp(change->name, members[i].name) == 0;

        put_member(out, is_changed ? change : &members[i]);
        replaced |= is_changed;
    }
    if (change && !replaced)
        put_member(out, change);
    buf_char(out, '}');
    must(!out->failed);
}

void forge_sign(struct buf *out)
{
    BIO *bio = BIO_new_mem_buf(forge_pem, -1);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    unsigned char signature[64];
    size_t length = sizeof signature;

    must(bio && key && context);
    must(EVP_DigestSignInit(context, NULL, NULL, NULL, key) == 1);
    must(EVP_DigestSign(context, signature, &length, (const unsigned char *)out->data,
                        out->length) == 1);
    buf_char(out, '.');
    base64url_encode(out, slice_of((char *)signature, length));
    must(!out->failed);
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    BIO_free(bio);
}

void forge_token(struct buf *out, struct slice header, struct slice payload)
{
    base64url_encode(out, header);
    buf_char(out, '.');
    base64url_encode(out, payload);
    forge_sign(out);
}
