/* SPDX-License-Identifier: MIT */
/* signer.c - the private key of access tokens. Private bytes stay inside OpenSSL, but for the PEM
 * text that the caller asks for and keeps safe. */
#include "base/buf.h"
#include "token/key_set.h"
#include "token/pem.h"

#include <assert.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

enum {
    ENCODED_KEY_LENGTH = 43,     /* 32 bytes in base64url; the same for SHA-256 */
    CLAIMS_MAX_BYTES = 3 * 1024, /* so that the encoded token stays within TOKEN_MAX_LENGTH */
};

struct jwt_signer {
    EVP_PKEY *key;                    /* owned; Ed25519, private */
    char x[ENCODED_KEY_LENGTH + 1];   /* public key, base64url */
    char kid[ENCODED_KEY_LENGTH + 1]; /* thumbprint, base64url */
};

static bool encode_32_bytes(const unsigned char bytes[32], char text[ENCODED_KEY_LENGTH + 1])
{
    bool ok;
    struct buf b;

    buf_init(&b, ENCODED_KEY_LENGTH);
    base64url_encode(&b, slice_of((const char *)bytes, 32));
    ok = !b.failed;
    if (ok)
        memcpy(text, b.data, ENCODED_KEY_LENGTH + 1);
    buf_finish(&b);
    return ok;
}

/* RFC 7638 section 3: the required members in lexicographic order, without spaces. RFC 8037 section
 * 2 names them. */
static bool compute_names(struct jwt_signer *signer)
{
    unsigned char raw[ED25519_KEY_BYTES], digest[EVP_MAX_MD_SIZE];
    size_t raw_length = sizeof raw;
    struct buf b;
    bool ok;

    if (EVP_PKEY_get_raw_public_key(signer->key, raw, &raw_length) != 1 ||
        raw_length != sizeof raw || !encode_32_bytes(raw, signer->x))
        return false;
    buf_init(&b, 128);
    buf_printf(&b, "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"%s\"}", signer->x);
    ok = !b.failed && EVP_Digest(b.data, b.length, digest, NULL, EVP_sha256(), NULL) == 1 &&
         encode_32_bytes(digest, signer->kid);
    buf_finish(&b);
    return ok;
}

/* Takes the key over, whatever happens. */
static struct jwt_signer *signer_of(EVP_PKEY *key)
{
    struct jwt_signer *signer = NULL;

    if (!key || EVP_PKEY_get_id(key) != EVP_PKEY_ED25519)
        goto fail;
    signer = calloc(1, sizeof *signer);
    if (!signer)
        goto fail;
    signer->key = key;
    if (compute_names(signer))
        return signer;
fail:
    ERR_clear_error();
    free(signer);
    EVP_PKEY_free(key);
    return NULL;
}

struct jwt_signer *jwt_signer_generate(void)
{
    return signer_of(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
}

struct jwt_signer *jwt_signer_from_pem(struct slice pem)
{
    return signer_of(pem_read_private_key(pem));
}

bool jwt_signer_to_pem(const struct jwt_signer *signer, struct buf *out)
{
    BIO *bio = BIO_new(BIO_s_secmem());
    char *text = NULL;
    long length = 0;
    bool ok = false;

    if (bio && PEM_write_bio_PKCS8PrivateKey(bio, signer->key, NULL, NULL, 0, NULL, NULL) == 1) {
        length = BIO_get_mem_data(bio, &text);
        if (length > 0) {
            buf_bytes(out, text, (size_t)length);
            OPENSSL_cleanse(text, (size_t)length);
            ok = !out->failed;
        }
    }
    if (!ok)
        ERR_clear_error();
    BIO_free(bio);
    return ok;
}

void jwt_signer_destroy(struct jwt_signer *signer)
{
    if (!signer)
        return;
    EVP_PKEY_free(signer->key);
    free(signer);
}

const char *jwt_signer_kid(const struct jwt_signer *signer)
{
    return signer->kid;
}

void jwt_signer_write_jwk(const struct jwt_signer *signer, struct buf *out)
{
    jwk_write(out, signer->kid, signer->x);
}

static void put_string(struct buf *b, const char *name, const char *value)
{
    buf_json_key(b, name);
    buf_json(b, slice_str(value));
}

static void put_integer(struct buf *b, const char *name, int64_t value)
{
    buf_json_key(b, name);
    buf_i64(b, value);
}

static void write_claims(struct buf *b, const struct jwt_claims *claims, const char *issuer,
                         const char *audience)
{
    buf_char(b, '{');
    put_string(b, "iss", issuer);
    put_string(b, "aud", audience);
    put_string(b, "sub", claims->handle);
    buf_json_key(b, "uid");
    buf_u64(b, claims->uid);
    put_string(b, "sid", claims->session);
    if (claims->device[0] != '\0')
        put_string(b, "device", claims->device);
    if (claims->is_admin)
        put_string(b, "role", "admin");
    put_integer(b, "iat", claims->issued_at);
    put_integer(b, "nbf", claims->not_before);
    put_integer(b, "exp", claims->expires_at);
    buf_char(b, '}');
}

/* Appends `header.payload`. */
static void write_signed_text(const struct jwt_signer *signer, const struct jwt_claims *claims,
                              const char *issuer, const char *audience, struct buf *out)
{
    struct buf part;

    buf_init(&part, CLAIMS_MAX_BYTES);
    buf_printf(&part, "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"%s\"}", signer->kid);
    base64url_encode(out, buf_slice(&part));
    out->failed |= part.failed;
    buf_char(out, '.');
    buf_reset(&part);
    write_claims(&part, claims, issuer, audience);
    base64url_encode(out, buf_slice(&part));
    out->failed |= part.failed;
    buf_finish(&part);
}

bool jwt_sign(const struct jwt_signer *signer, const struct jwt_claims *claims, const char *issuer,
              const char *audience, struct buf *out)
{
    unsigned char signature[ED25519_SIGNATURE_BYTES];
    size_t signature_length = sizeof signature;
    size_t start = out->length;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool ok = false;

    assert(claims->uid > 0 && claims->expires_at > 0);
    write_signed_text(signer, claims, issuer, audience, out);
    if (!context || out->failed)
        goto done;
    if (EVP_DigestSignInit(context, NULL, NULL, NULL, signer->key) != 1 ||
        EVP_DigestSign(context, signature, &signature_length,
                       (const unsigned char *)out->data + start, out->length - start) != 1)
        goto done;
    buf_char(out, '.');
    base64url_encode(out, slice_of((const char *)signature, signature_length));
    ok = !out->failed;
done:
    if (!ok)
        ERR_clear_error();
    EVP_MD_CTX_free(context);
    return ok;
}
