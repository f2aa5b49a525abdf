/* SPDX-License-Identifier: MIT */
/* verify.c - checks an access token. Nothing of the payload is read before the signature was found
 * good, and the header may only name which of our keys made it. */
#include "base/buf.h"
#include "base/uuid.h"
#include "token/key_set.h"
#include "wire/json.h"
#include "wire/names.h"

#include <assert.h>
#include <openssl/err.h>
#include <string.h>

enum { ENCODED_SIGNATURE_LENGTH = (ED25519_SIGNATURE_BYTES * 8 + 5) / 6 };

/* Times beyond this are no times: 9999-12-31T23:59:59Z. Keeps sums with the leeway from
 * overflowing.
 */
static const int64_t latest_time = INT64_C(253402300799);

/* The three parts of a compact token, borrowed and still encoded. */
struct parts {
    struct slice header, payload, signature;
    struct slice signed_text; /* header.payload */
};

static bool split(struct slice token, struct parts *out)
{
    const char *end = token.data + token.length;
    const char *first, *second;

    if (token.length == 0 || token.length > TOKEN_MAX_LENGTH)
        return false;
    first = memchr(token.data, '.', token.length);
    second = first ? memchr(first + 1, '.', (size_t)(end - first - 1)) : NULL;
    if (!second || memchr(second + 1, '.', (size_t)(end - second - 1)))
        return false;
    out->header = slice_of(token.data, (size_t)(first - token.data));
    out->payload = slice_of(first + 1, (size_t)(second - first - 1));
    out->signature = slice_of(second + 1, (size_t)(end - second - 1));
    out->signed_text = slice_of(token.data, (size_t)(second - token.data));
    return true;
}

/* The JSON object in a part, in *object; the caller owns the reference. */
static enum jwt_status read_part(struct slice encoded, json_t **object)
{
    enum jwt_status status = JWT_MALFORMED;
    struct buf decoded;
    const char *reason;

    *object = NULL;
    buf_init(&decoded, TOKEN_MAX_LENGTH);
    if (base64url_decode(&decoded, encoded)) {
        *object = json_read_object(buf_slice(&decoded), &reason);
        if (*object)
            status = JWT_OK;
        else if (reason == json_no_memory)
            status = JWT_NO_MEMORY;
    } else if (decoded.failed) { /* the ceiling is no lower than a token is long */
        status = JWT_NO_MEMORY;
    }
    buf_finish(&decoded);
    return status;
}

static bool member_is(const json_t *object, const char *name, const char *expected)
{
    return slice_equal(json_member_string(object, name), slice_str(expected));
}

/* Exactly alg, typ and kid. Anything more would be something that we do not act on, such as `crit`,
 * or must not act on, such as `jku` and `jwk`. */
static bool header_is_ours(const json_t *header)
{
    return json_object_size(header) == 3 && member_is(header, "alg", "EdDSA") &&
           (member_is(header, "typ", "JWT") || member_is(header, "typ", "at+jwt")) &&
           jwt_kid_is_valid(json_member_string(header, "kid"));
}

static enum jwt_status find_key(const struct jwt_keys *keys, struct slice encoded_header,
                                const struct jwt_key **key)
{
    json_t *header;
    enum jwt_status status = read_part(encoded_header, &header);

    if (status == JWT_OK && !header_is_ours(header))
        status = JWT_MALFORMED;
    if (status == JWT_OK) {
        *key = jwt_keys_find(keys, json_member_string(header, "kid"));
        status = *key ? JWT_OK : JWT_UNKNOWN_KEY;
    }
    json_decref(header);
    return status;
}

static enum jwt_status check_signature(const struct jwt_key *key, const struct parts *parts)
{
    enum jwt_status status = JWT_MALFORMED;
    EVP_MD_CTX *context = NULL;
    struct buf signature;

    buf_init(&signature, ED25519_SIGNATURE_BYTES);
    if (parts->signature.length != ENCODED_SIGNATURE_LENGTH)
        goto done;
    if (!base64url_decode(&signature, parts->signature)) {
        status = signature.failed ? JWT_NO_MEMORY : JWT_MALFORMED;
        goto done;
    }
    status = JWT_NO_MEMORY;
    context = EVP_MD_CTX_new();
    if (!context || EVP_DigestVerifyInit(context, NULL, NULL, NULL, key->key) != 1)
        goto done;
    status = JWT_BAD_SIGNATURE;
    if (EVP_DigestVerify(context, (const unsigned char *)signature.data, signature.length,
                         (const unsigned char *)parts->signed_text.data,
                         parts->signed_text.length) == 1)
        status = JWT_OK;
done:
    if (status != JWT_OK)
        ERR_clear_error();
    EVP_MD_CTX_free(context);
    buf_finish(&signature);
    return status;
}

/* False unless the member is an integer in 1..highest: 1.0, "1" and 1e3 are not. */
static bool read_integer(const json_t *claims, const char *name, int64_t highest, int64_t *out)
{
    const json_t *value = json_object_get(claims, name);

    if (!json_is_integer(value) || json_integer_value(value) < 1 ||
        json_integer_value(value) > highest)
        return false;
    *out = json_integer_value(value);
    return true;
}

/* Copies a string that is already known to fit. */
static void copy(char *to, size_t size, struct slice from)
{
    assert(from.length < size);
    memcpy(to, from.data, from.length);
    to[from.length] = '\0';
}

/* Fills *out from claims of the right types and forms; says nothing yet about their values. */
static bool read_claims(const json_t *claims, struct jwt_claims *out)
{
    struct slice handle = json_member_string(claims, "sub");
    struct slice session = json_member_string(claims, "sid");
    struct slice device = json_member_string(claims, "device");
    struct uuid ignored;
    int64_t uid;

    *out = (struct jwt_claims){0};
    if (!json_is_string(json_object_get(claims, "iss")) ||
        !json_is_string(json_object_get(claims, "aud")))
        return false;
    if (!handle_is_valid(handle) || !uuid_parse(&ignored, session))
        return false;
    if (json_object_get(claims, "device") && !device_is_valid(device))
        return false;
    if (!read_integer(claims, "uid", INT64_MAX, &uid) ||
        !read_integer(claims, "iat", latest_time, &out->issued_at) ||
        !read_integer(claims, "nbf", latest_time, &out->not_before) ||
        !read_integer(claims, "exp", latest_time, &out->expires_at))
        return false;
    out->uid = (uint64_t)uid;
    copy(out->handle, sizeof out->handle, handle);
    copy(out->session, sizeof out->session, session);
    if (device.length > 0)
        copy(out->device, sizeof out->device, device);
    return true;
}

static enum jwt_status check_times(const struct jwt_claims *claims, int64_t now)
{
    if (claims->not_before > now + JWT_LEEWAY_S || claims->issued_at > now + JWT_LEEWAY_S)
        return JWT_NOT_YET;
    return now >= claims->expires_at + JWT_LEEWAY_S ? JWT_EXPIRED : JWT_OK;
}

static enum jwt_status check_claims(struct slice encoded, const char *issuer, const char *audience,
                                    int64_t now, struct jwt_claims *out)
{
    json_t *claims;
    enum jwt_status status = read_part(encoded, &claims);

    if (status == JWT_OK && !read_claims(claims, out))
        status = JWT_MALFORMED;
    if (status == JWT_OK) {
        if (!member_is(claims, "iss", issuer) || !member_is(claims, "aud", audience))
            status = JWT_FOREIGN;
        else
            status = check_times(out, now);
    }
    json_decref(claims);
    return status;
}

enum jwt_status jwt_verify(const struct jwt_keys *keys, struct slice token, const char *issuer,
                           const char *audience, int64_t now, struct jwt_claims *out)
{
    const struct jwt_key *key = NULL;
    struct jwt_claims claims;
    struct parts parts;
    enum jwt_status status;

    assert(now >= 0 && now <= latest_time);
    if (!split(token, &parts))
        return JWT_MALFORMED;
    status = find_key(keys, parts.header, &key);
    if (status == JWT_OK)
        status = check_signature(key, &parts);
    if (status == JWT_OK)
        status = check_claims(parts.payload, issuer, audience, now, &claims);
    if (status == JWT_OK) {
        memcpy(claims.kid, key->kid, sizeof claims.kid);
        *out = claims;
    }
    return status;
}

const char *jwt_status_text(enum jwt_status status)
{
    switch (status) {
    case JWT_OK:
        return "the token is good";
    case JWT_MALFORMED:
        return "the token is not one of ours in form";
    case JWT_UNKNOWN_KEY:
        return "the token was signed with a key that is not in the key set";
    case JWT_BAD_SIGNATURE:
        return "the token's signature is wrong";
    case JWT_FOREIGN:
        return "the token was issued by or for somebody else";
    case JWT_NOT_YET:
        return "the token is not valid yet";
    case JWT_EXPIRED:
        return "the token has expired";
    case JWT_NO_MEMORY:
        return "out of memory while checking the token";
    }
    return "unknown status";
}
