/* SPDX-License-Identifier: MIT */
/* jwks.c - reads a key set. Strict, because the file is ours: a key that this version cannot use
 * means that somebody made a mistake, and starting without it would refuse tokens later. */
#include "base/buf.h"
#include "token/key_set.h"
#include "wire/json.h"

#include <assert.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

bool jwt_kid_is_valid(struct slice kid)
{
    if (kid.length < 1 || kid.length > JWT_KID_MAX_LENGTH)
        return false;
    for (size_t i = 0; i < kid.length; i++) {
        char c = kid.data[i];

        if (!(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') &&
            c != '.' && c != '_' && c != '-')
            return false;
    }
    return true;
}

const struct jwt_key *jwt_keys_find(const struct jwt_keys *keys, struct slice kid)
{
    for (size_t i = 0; i < keys->count; i++) {
        if (slice_equal(slice_str(keys->keys[i].kid), kid))
            return &keys->keys[i];
    }
    return NULL;
}

static bool member_is(const json_t *object, const char *name, const char *expected)
{
    return slice_equal(json_member_string(object, name), slice_str(expected));
}

/* Members that may be missing, but not say something else. */
static bool member_is_or_missing(const json_t *object, const char *name, const char *expected)
{
    return !json_object_get(object, name) || member_is(object, name, expected);
}

/* NULL: `x` is not a public key in base64url, or memory ran out. */
static EVP_PKEY *public_key_of(struct slice x)
{
    EVP_PKEY *key = NULL;
    struct buf raw;

    buf_init(&raw, ED25519_KEY_BYTES);
    if (base64url_decode(&raw, x) && raw.length == ED25519_KEY_BYTES) {
        key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, (const unsigned char *)raw.data,
                                          raw.length);
        if (!key)
            ERR_clear_error();
    }
    buf_finish(&raw);
    return key;
}

/* Returns what is wrong with the key, or NULL after adding it. */
static const char *add_key(struct jwt_keys *keys, const json_t *jwk)
{
    struct slice kid = json_member_string(jwk, "kid");
    struct jwt_key *to = &keys->keys[keys->count];

    if (!member_is(jwk, "kty", "OKP") || !member_is(jwk, "crv", "Ed25519"))
        return "a key is not of type OKP with curve Ed25519";
    if (json_object_get(jwk, "d"))
        return "a key has its private part";
    if (!member_is_or_missing(jwk, "alg", "EdDSA") || !member_is_or_missing(jwk, "use", "sig"))
        return "a key is for something else than EdDSA signatures";
    if (!jwt_kid_is_valid(kid))
        return "a key has no kid of 1 to 64 characters A-Z, a-z, 0-9, '.', '_' and '-'";
    if (jwt_keys_find(keys, kid))
        return "two keys have the same kid";
    to->key = public_key_of(json_member_string(jwk, "x"));
    if (!to->key)
        return "a key's x is not 32 bytes in base64url, or memory ran out";
    memcpy(to->kid, kid.data, kid.length);
    to->kid[kid.length] = '\0';
    keys->count++;
    return NULL;
}

/* Returns what is wrong with the document, or NULL. */
static const char *add_all(struct jwt_keys *keys, const json_t *root)
{
    const json_t *list = json_object_get(root, "keys");
    size_t count = json_array_size(list); /* 0 when it is no array */
    const char *wrong = NULL;

    if (count == 0)
        return "no array `keys` with at least one key";
    if (count > JWT_KEYS_MAX)
        return "too many keys";
    for (size_t i = 0; i < count && !wrong; i++)
        wrong = add_key(keys, json_array_get(list, i));
    return wrong;
}

struct jwt_keys *jwt_keys_parse(struct slice jwks_json, const char **reason)
{
    json_t *root = json_read_object(jwks_json, reason);
    struct jwt_keys *keys;

    if (!root)
        return NULL;
    keys = calloc(1, sizeof *keys);
    *reason = keys ? add_all(keys, root) : "out of memory";
    json_decref(root);
    if (*reason) {
        jwt_keys_destroy(keys);
        return NULL;
    }
    assert(keys->count > 0);
    return keys;
}

void jwt_keys_destroy(struct jwt_keys *keys)
{
    if (!keys)
        return;
    for (size_t i = 0; i < keys->count; i++)
        EVP_PKEY_free(keys->keys[i].key);
    free(keys);
}

size_t jwt_keys_count(const struct jwt_keys *keys)
{
    return keys->count;
}

const char *jwt_keys_kid(const struct jwt_keys *keys, size_t index)
{
    assert(index < keys->count);
    return keys->keys[index].kid;
}

bool jwt_keys_have(const struct jwt_keys *keys, struct slice kid)
{
    return jwt_keys_find(keys, kid) != NULL;
}

void jwk_write(struct buf *out, const char *kid, const char *x)
{
    buf_printf(out,
               "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"alg\":\"EdDSA\",\"use\":\"sig\","
               "\"kid\":\"%s\",\"x\":\"%s\"}",
               kid, x);
}

bool jwt_keys_write_jwk(const struct jwt_keys *keys, struct slice kid, struct buf *out)
{
    const struct jwt_key *key = jwt_keys_find(keys, kid);
    unsigned char raw[ED25519_KEY_BYTES];
    size_t length = sizeof raw;
    struct buf x;

    if (!key)
        return false;
    if (EVP_PKEY_get_raw_public_key(key->key, raw, &length) != 1) {
        ERR_clear_error();
        return false;
    }
    buf_init(&x, JWT_KID_MAX_LENGTH);
    base64url_encode(&x, slice_of((const char *)raw, length));
    if (!x.failed)
        jwk_write(out, key->kid, x.data);
    out->failed |= x.failed;
    buf_finish(&x);
    return !out->failed;
}
