/* SPDX-License-Identifier: MIT */
/* jws.c - see jws.h. OpenSSL gives ECDSA signatures in DER; JOSE wants r and s one after the other,
 * 32 bytes each (RFC 7518 section 3.4). */
#include "push/jws.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "token/jwt.h"
#include "token/pem.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdlib.h>

enum {
    KEY_FILE_MAX_BYTES = 16384,
    RSA_MIN_BITS = 2048,
    SIGNATURE_MAX_BYTES = 1024, /* RSA of 8192 bits */
    COORDINATE_BYTES = 32,
};

struct jws_key {
    EVP_PKEY *key; /* owned */
    enum jws_algorithm algorithm;
};

static bool is_p256(const EVP_PKEY *key)
{
    char group[32];
    size_t length;

    return EVP_PKEY_get_id(key) == EVP_PKEY_EC &&
           EVP_PKEY_get_group_name(key, group, sizeof group, &length) == 1 &&
           strcmp(group, "prime256v1") == 0;
}

static bool fits(const EVP_PKEY *key, enum jws_algorithm algorithm)
{
    if (algorithm == JWS_ES256)
        return is_p256(key);
    return EVP_PKEY_get_id(key) == EVP_PKEY_RSA && EVP_PKEY_get_bits(key) >= RSA_MIN_BITS &&
           EVP_PKEY_get_size(key) <= SIGNATURE_MAX_BYTES;
}

struct jws_key *jws_key_from_pem(struct slice pem, enum jws_algorithm algorithm)
{
    EVP_PKEY *key = pem_read_private_key(pem);
    struct jws_key *made;

    if (!key || !fits(key, algorithm)) {
        ERR_clear_error();
        EVP_PKEY_free(key);
        return NULL;
    }
    made = must_calloc(1, sizeof *made);
    made->key = key;
    made->algorithm = algorithm;
    return made;
}

struct jws_key *jws_key_from_file(const char *path, enum jws_algorithm algorithm, const char *what)
{
    struct jws_key *key = NULL;
    struct buf pem;

    buf_init(&pem, KEY_FILE_MAX_BYTES);
    if (!file_read(path, &pem)) {
        log_error("push", "%s: cannot read %s: %s", what, path, strerror(errno));
    } else {
        key = jws_key_from_pem(buf_slice(&pem), algorithm);
        if (!key)
            log_error("push", "%s: %s does not hold a key that it can use", what, path);
    }
    if (pem.data)
        explicit_bzero(pem.data, pem.length);
    buf_finish(&pem);
    return key;
}

void jws_key_destroy(struct jws_key *key)
{
    if (!key)
        return;
    EVP_PKEY_free(key->key);
    free(key);
}

bool jws_key_point(const struct jws_key *key, unsigned char point[JWS_POINT_LENGTH])
{
    size_t length;
    bool ok = EVP_PKEY_get_octet_string_param(key->key, OSSL_PKEY_PARAM_PUB_KEY, point,
                                              JWS_POINT_LENGTH, &length) == 1 &&
              length == JWS_POINT_LENGTH;

    if (!ok)
        ERR_clear_error();
    return ok;
}

/* DER to r || s; gives the new length, 0 on failure. */
static size_t flatten(unsigned char signature[SIGNATURE_MAX_BYTES], size_t length)
{
    const unsigned char *der = signature;
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &der, (long)length);
    bool ok;

    if (!pair)
        return 0;
    ok = BN_bn2binpad(ECDSA_SIG_get0_r(pair), signature, COORDINATE_BYTES) == COORDINATE_BYTES &&
         BN_bn2binpad(ECDSA_SIG_get0_s(pair), signature + COORDINATE_BYTES, COORDINATE_BYTES) ==
             COORDINATE_BYTES;
    ECDSA_SIG_free(pair);
    return ok ? (size_t)2 * COORDINATE_BYTES : 0;
}

bool jws_sign(const struct jws_key *key, struct slice header, struct slice claims, struct buf *out)
{
    unsigned char signature[SIGNATURE_MAX_BYTES];
    size_t start = out->length, length = sizeof signature;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool ok = false;

    base64url_encode(out, header);
    buf_char(out, '.');
    base64url_encode(out, claims);
    if (!context || out->failed ||
        EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key->key) != 1 ||
        EVP_DigestSign(context, signature, &length, (const unsigned char *)out->data + start,
                       out->length - start) != 1)
        goto done;
    if (key->algorithm == JWS_ES256)
        length = flatten(signature, length);
    if (length == 0)
        goto done;
    buf_char(out, '.');
    base64url_encode(out, slice_of((const char *)signature, length));
    ok = !out->failed;
done:
    if (!ok)
        ERR_clear_error();
    EVP_MD_CTX_free(context);
    return ok;
}
