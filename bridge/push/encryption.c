/* SPDX-License-Identifier: MIT */
/* encryption.c - see encryption.h. A key pair and a salt are used for one message and then gone:
 * AES-GCM must never see the same key and nonce twice. */
#include "push/encryption.h"

#include "base/buf.h"
#include "token/jwt.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/obj_mac.h>
#include <openssl/param_build.h>
#include <openssl/rand.h>

enum {
    DIGEST_BYTES = 32,
    KEY_BYTES = 16,
    NONCE_BYTES = 12,
    TAG_BYTES = 16,
    RECORD_SIZE = 4096,
    LAST_RECORD = 2, /* delimiter before the padding of the last record */
    INFO_MAX_BYTES = 160,
};

/* The public key `point`, with the private part `scalar` unless that is NULL. */
static EVP_PKEY *key_of(const uint8_t point[ENCRYPTION_POINT_LENGTH], const BIGNUM *scalar)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    OSSL_PARAM *parameters = NULL;
    EVP_PKEY *key = NULL;

    if (context && builder &&
        OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) &&
        OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point,
                                         ENCRYPTION_POINT_LENGTH) &&
        (!scalar || OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_PRIV_KEY, scalar)))
        parameters = OSSL_PARAM_BLD_to_param(builder);
    if (parameters && EVP_PKEY_fromdata_init(context) == 1)
        (void)EVP_PKEY_fromdata(context, &key, scalar ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY,
                                parameters);
    OSSL_PARAM_free(parameters);
    OSSL_PARAM_BLD_free(builder);
    EVP_PKEY_CTX_free(context);
    return key;
}

/* The key pair of this private key. */
static EVP_PKEY *pair_of(const uint8_t scalar[ENCRYPTION_SCALAR_LENGTH])
{
    uint8_t text[ENCRYPTION_POINT_LENGTH];
    EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    EC_POINT *point = group ? EC_POINT_new(group) : NULL;
    BIGNUM *number = BN_secure_new();
    EVP_PKEY *key = NULL;

    if (point && number && BN_bin2bn(scalar, ENCRYPTION_SCALAR_LENGTH, number) &&
        EC_POINT_mul(group, point, number, NULL, NULL, NULL) == 1 &&
        EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, text, sizeof text, NULL) ==
            sizeof text)
        key = key_of(text, number);
    BN_clear_free(number);
    EC_POINT_free(point);
    EC_GROUP_free(group);
    return key;
}

static bool agree(EVP_PKEY *ours, EVP_PKEY *theirs, uint8_t secret[DIGEST_BYTES])
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(ours, NULL);
    size_t length = DIGEST_BYTES;
    bool ok = context && EVP_PKEY_derive_init(context) == 1 &&
              EVP_PKEY_derive_set_peer(context, theirs) == 1 &&
              EVP_PKEY_derive(context, secret, &length) == 1 && length == DIGEST_BYTES;

    EVP_PKEY_CTX_free(context);
    return ok;
}

/* HKDF-SHA256 (RFC 5869) for at most one block of output. */
static bool derive(const uint8_t *salt, size_t salt_length, const uint8_t ikm[DIGEST_BYTES],
                   struct slice info, uint8_t *out, size_t out_length)
{
    uint8_t prk[EVP_MAX_MD_SIZE], block[EVP_MAX_MD_SIZE];
    struct buf text;
    bool ok;

    buf_init(&text, INFO_MAX_BYTES);
    buf_slice_put(&text, info);
    buf_char(&text, 1);
    ok =
        !text.failed && HMAC(EVP_sha256(), salt, (int)salt_length, ikm, DIGEST_BYTES, prk, NULL) &&
        HMAC(EVP_sha256(), prk, DIGEST_BYTES, (const uint8_t *)text.data, text.length, block, NULL);
    if (ok)
        memcpy(out, block, out_length);
    OPENSSL_cleanse(prk, sizeof prk);
    OPENSSL_cleanse(block, sizeof block);
    buf_finish(&text);
    return ok;
}

/* RFC 8291 section 3.4. */
static bool derive_keys(const struct encryption_receiver *receiver,
                        const uint8_t sender[ENCRYPTION_POINT_LENGTH],
                        const uint8_t secret[DIGEST_BYTES],
                        const uint8_t salt[ENCRYPTION_SALT_LENGTH], uint8_t key[KEY_BYTES],
                        uint8_t nonce[NONCE_BYTES])
{
    static const char key_info[] = "Content-Encoding: aes128gcm";
    static const char nonce_info[] = "Content-Encoding: nonce";
    uint8_t ikm[DIGEST_BYTES];
    struct buf info;
    bool ok;

    buf_init(&info, INFO_MAX_BYTES);
    buf_bytes(&info, "WebPush: info", sizeof "WebPush: info");
    buf_bytes(&info, receiver->point, ENCRYPTION_POINT_LENGTH);
    buf_bytes(&info, sender, ENCRYPTION_POINT_LENGTH);
    /* The NUL at the end of each of these strings is part of it. */
    ok =
        !info.failed &&
        derive(receiver->auth, ENCRYPTION_AUTH_LENGTH, secret, buf_slice(&info), ikm, sizeof ikm) &&
        derive(salt, ENCRYPTION_SALT_LENGTH, ikm, slice_of(key_info, sizeof key_info), key,
               KEY_BYTES) &&
        derive(salt, ENCRYPTION_SALT_LENGTH, ikm, slice_of(nonce_info, sizeof nonce_info), nonce,
               NONCE_BYTES);
    OPENSSL_cleanse(ikm, sizeof ikm);
    buf_finish(&info);
    return ok;
}

/* Appends the one and only record. */
static bool encrypt(const uint8_t key[KEY_BYTES], const uint8_t nonce[NONCE_BYTES],
                    struct slice text, struct buf *out)
{
    static const uint8_t delimiter = LAST_RECORD;
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    uint8_t *to = (uint8_t *)buf_reserve(out, text.length + 1 + TAG_BYTES);
    int length = 0, more = 0, rest = 0;
    bool ok =
        context && to && EVP_EncryptInit_ex2(context, EVP_aes_128_gcm(), key, nonce, NULL) == 1 &&
        EVP_EncryptUpdate(context, to, &length, (const uint8_t *)text.data, (int)text.length) ==
            1 &&
        EVP_EncryptUpdate(context, to + length, &more, &delimiter, 1) == 1 &&
        EVP_EncryptFinal_ex(context, to + length + more, &rest) == 1 &&
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, to + length + more + rest) ==
            1;

    if (ok)
        out->length += (size_t)(length + more + rest) + TAG_BYTES;
    EVP_CIPHER_CTX_free(context);
    return ok;
}

static void put_head(struct buf *out, const uint8_t salt[ENCRYPTION_SALT_LENGTH],
                     const uint8_t sender[ENCRYPTION_POINT_LENGTH])
{
    static const uint8_t record_size[4] = {0, 0, RECORD_SIZE >> 8, RECORD_SIZE & 0xff};

    buf_bytes(out, salt, ENCRYPTION_SALT_LENGTH);
    buf_bytes(out, record_size, sizeof record_size);
    buf_char(out, ENCRYPTION_POINT_LENGTH);
    buf_bytes(out, sender, ENCRYPTION_POINT_LENGTH);
}

static bool seal(const struct encryption_receiver *receiver, struct slice text, EVP_PKEY *pair,
                 const uint8_t salt[ENCRYPTION_SALT_LENGTH], struct buf *out)
{
    uint8_t sender[ENCRYPTION_POINT_LENGTH], secret[DIGEST_BYTES];
    uint8_t key[KEY_BYTES], nonce[NONCE_BYTES];
    EVP_PKEY *theirs = key_of(receiver->point, NULL);
    size_t length = 0;
    bool ok = pair && theirs && text.length + 1 + TAG_BYTES <= RECORD_SIZE &&
              EVP_PKEY_get_octet_string_param(pair, OSSL_PKEY_PARAM_PUB_KEY, sender, sizeof sender,
                                              &length) == 1 &&
              length == sizeof sender && agree(pair, theirs, secret) &&
              derive_keys(receiver, sender, secret, salt, key, nonce);

    if (ok) {
        put_head(out, salt, sender);
        ok = encrypt(key, nonce, text, out) && !out->failed;
    }
    if (!ok)
        ERR_clear_error();
    OPENSSL_cleanse(secret, sizeof secret);
    OPENSSL_cleanse(key, sizeof key);
    EVP_PKEY_free(theirs);
    return ok;
}

bool encryption_seal_with(const struct encryption_receiver *receiver, struct slice text,
                          const uint8_t scalar[ENCRYPTION_SCALAR_LENGTH],
                          const uint8_t salt[ENCRYPTION_SALT_LENGTH], struct buf *out)
{
    EVP_PKEY *pair = pair_of(scalar);
    bool ok = seal(receiver, text, pair, salt, out);

    EVP_PKEY_free(pair);
    return ok;
}

bool encryption_seal(const struct encryption_receiver *receiver, struct slice text, struct buf *out)
{
    uint8_t salt[ENCRYPTION_SALT_LENGTH];
    EVP_PKEY *pair = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    bool ok = RAND_bytes(salt, sizeof salt) == 1 && seal(receiver, text, pair, salt, out);

    EVP_PKEY_free(pair);
    return ok;
}

static bool decode(struct slice text, uint8_t *out, size_t length)
{
    struct buf bytes;
    bool ok;

    while (text.length > 0 && text.data[text.length - 1] == '=')
        text.length--;
    buf_init(&bytes, length);
    ok = base64url_decode(&bytes, text) && bytes.length == length;
    if (ok)
        memcpy(out, bytes.data, length);
    buf_finish(&bytes);
    return ok;
}

bool encryption_receiver_parse(struct encryption_receiver *out, struct slice p256dh,
                               struct slice auth)
{
    EVP_PKEY *key;

    if (!decode(p256dh, out->point, sizeof out->point) ||
        !decode(auth, out->auth, sizeof out->auth))
        return false;
    key = key_of(out->point, NULL); /* looks whether it is on the curve */
    if (!key)
        ERR_clear_error();
    EVP_PKEY_free(key);
    return key != NULL;
}
