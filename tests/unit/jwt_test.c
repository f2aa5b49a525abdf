/* SPDX-License-Identifier: MIT */
/* jwt_test.c - access tokens: what is accepted, and well over sixty forgeries that are not. All
 * forgeries are signed with the right key unless they say otherwise, so that each is refused for
 * its own reason. */
#include "unit/unit.h"

#include "base/buf.h"
#include "token/jwt.h"
#include "unit/jwt_forge.h"

#include <stdlib.h>

#define ISSUER "https://chat.example"
#define AUDIENCE "banter"
#define SESSION "018f3b2e-7c1d-7abc-9def-0123456789ab"
#define X64 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define FORGED_KEYS                                                                                \
    "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"" FORGE_KID "\",\"x\":\"" FORGE_X   \
    "\"}]}"

static const int64_t now = 1800000000; /* within the good claims' times */

static const struct forge_member good_header[] = {
    {"alg", "\"EdDSA\""}, {"typ", "\"JWT\""}, {"kid", "\"" FORGE_KID "\""}};
static const struct forge_member good_claims[] = {
    {"iss", "\"" ISSUER "\""},  {"aud", "\"" AUDIENCE "\""},
    {"sub", "\"alice\""},       {"uid", "7"},
    {"sid", "\"" SESSION "\""}, {"iat", "1799999900"},
    {"nbf", "1799999900"},      {"exp", "1800000800"}};

struct forgery {
    struct forge_member change;
    enum jwt_status expected;
};

static struct jwt_keys *keys;

static int read_keys(void **state)
{
    const char *reason;

    (void)state;
    keys = jwt_keys_parse(slice_str(FORGED_KEYS), &reason);
    return keys ? 0 : -1;
}

static int free_keys(void **state)
{
    (void)state;
    jwt_keys_destroy(keys);
    return 0;
}

/* Verifies a copy of exactly the token's size, so that a sanitizer sees a read beyond it. */
static enum jwt_status verify_at(struct slice token, int64_t when, struct jwt_claims *claims)
{
    char *copy = malloc(token.length ? token.length : 1);
    enum jwt_status status;

    assert_non_null(copy);
    if (token.length > 0)
        memcpy(copy, token.data, token.length);
    status = jwt_verify(keys, slice_of(copy, token.length), ISSUER, AUDIENCE, when, claims);
    free(copy);
    return status;
}

static enum jwt_status verify(struct slice token)
{
    struct jwt_claims claims;

    return verify_at(token, now, &claims);
}

static void forge(struct buf *out, const struct forge_member *header_change,
                  const struct forge_member *claims_change)
{
    struct buf header, claims;

    buf_init(&header, FORGE_CEILING);
    buf_init(&claims, FORGE_CEILING);
    forge_object(&header, good_header, ARRAY_LENGTH(good_header), header_change);
    forge_object(&claims, good_claims, ARRAY_LENGTH(good_claims), claims_change);
    buf_reset(out);
    forge_token(out, buf_slice(&header), buf_slice(&claims));
    buf_finish(&header);
    buf_finish(&claims);
}

static void run_forgeries(const struct forgery *table, size_t count, bool in_header)
{
    struct buf token;

    buf_init(&token, FORGE_CEILING);
    for (size_t i = 0; i < count; i++) {
        const struct forge_member *change = &table[i].change;
        enum jwt_status status;

        forge(&token, in_header ? change : NULL, in_header ? NULL : change);
        status = verify(buf_slice(&token));
        if (status != table[i].expected)
            fail_msg("%s: %s gave: %s", change->name, change->json ? change->json : "(missing)",
                     jwt_status_text(status));
    }
    buf_finish(&token);
}

static void test_good_token(void **state)
{
    struct jwt_claims claims;
    struct buf token;

    (void)state;
    buf_init(&token, FORGE_CEILING);
    forge(&token, NULL, NULL);
    assert_int_equal(verify_at(buf_slice(&token), now, &claims), JWT_OK);
    assert_int_equal(claims.uid, 7);
    assert_string_equal(claims.handle, "alice");
    assert_string_equal(claims.device, "");
    assert_string_equal(claims.session, SESSION);
    assert_int_equal(claims.issued_at, 1799999900);
    assert_int_equal(claims.not_before, 1799999900);
    assert_int_equal(claims.expires_at, 1800000800);
    buf_finish(&token);
}

static void test_headers(void **state)
{
    static const struct forgery table[] = {
        {{"typ", "\"at+jwt\""}, JWT_OK},
        {{"alg", "\"Ed\\u0044SA\""}, JWT_OK}, /* the same string */
        {{"alg", NULL}, JWT_MALFORMED},
        {{"alg", "\"none\""}, JWT_MALFORMED},
        {{"alg", "\"None\""}, JWT_MALFORMED},
        {{"alg", "\"\""}, JWT_MALFORMED},
        {{"alg", "null"}, JWT_MALFORMED},
        {{"alg", "[\"EdDSA\"]"}, JWT_MALFORMED},
        {{"alg", "\"HS256\""}, JWT_MALFORMED},
        {{"alg", "\"HS512\""}, JWT_MALFORMED},
        {{"alg", "\"RS256\""}, JWT_MALFORMED},
        {{"alg", "\"PS256\""}, JWT_MALFORMED},
        {{"alg", "\"ES256\""}, JWT_MALFORMED},
        {{"alg", "\"eddsa\""}, JWT_MALFORMED},
        {{"alg", "\"EDDSA\""}, JWT_MALFORMED},
        {{"alg", "\"Ed25519\""}, JWT_MALFORMED},
        {{"alg", "\"EdDSA \""}, JWT_MALFORMED},
        {{"alg", "\"EdDSA\",\"alg\":\"none\""}, JWT_MALFORMED},
        {{"typ", NULL}, JWT_MALFORMED},
        {{"typ", "\"jwt\""}, JWT_MALFORMED},
        {{"typ", "\"JOSE\""}, JWT_MALFORMED},
        {{"typ", "\"refresh+jwt\""}, JWT_MALFORMED},
        {{"typ", "1"}, JWT_MALFORMED},
        {{"kid", NULL}, JWT_MALFORMED},
        {{"kid", "\"\""}, JWT_MALFORMED},
        {{"kid", "null"}, JWT_MALFORMED},
        {{"kid", "0"}, JWT_MALFORMED},
        {{"kid", "\"other\""}, JWT_UNKNOWN_KEY},
        {{"kid", "\"kPrK\""}, JWT_UNKNOWN_KEY},
        {{"kid", "\"" FORGE_KID "x\""}, JWT_UNKNOWN_KEY},
        {{"kid", "\"" X64 "\""}, JWT_UNKNOWN_KEY},
        {{"kid", "\"" X64 "x\""}, JWT_MALFORMED},
        {{"kid", "\"../../etc/passwd\""}, JWT_MALFORMED},
        {{"kid", "\"/dev/null\""}, JWT_MALFORMED},
        {{"kid", "\"https://evil.example/key\""}, JWT_MALFORMED},
        {{"kid", "\"' OR 1=1 --\""}, JWT_MALFORMED},
        {{"kid", "\"" FORGE_KID "\\u0000\""}, JWT_MALFORMED},
        {{"kid", "\"" FORGE_KID "\",\"kid\":\"other\""}, JWT_MALFORMED},
        {{"jku", "\"https://evil.example/jwks.json\""}, JWT_MALFORMED},
        {{"jwk", "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" FORGE_X "\"}"}, JWT_MALFORMED},
        {{"x5u", "\"https://evil.example/cert.pem\""}, JWT_MALFORMED},
        {{"x5c", "[\"MIIB\"]"}, JWT_MALFORMED},
        {{"crit", "[\"exp\"]"}, JWT_MALFORMED},
        {{"crit", "[]"}, JWT_MALFORMED},
        {{"b64", "false"}, JWT_MALFORMED},
        {{"zip", "\"DEF\""}, JWT_MALFORMED},
        {{"enc", "\"A256GCM\""}, JWT_MALFORMED},
        {{"cty", "\"JWT\""}, JWT_MALFORMED},
        {{"x", "[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]"}, JWT_MALFORMED},
    };

    (void)state;
    run_forgeries(table, ARRAY_LENGTH(table), true);
}

static void test_claims(void **state)
{
    static const struct forgery table[] = {
        {{"device", "\"phone\""}, JWT_OK},
        {{"later", "{\"a\":[1,2,3]}"}, JWT_OK},
        {{"uid", "9223372036854775807"}, JWT_OK},
        {{"iss", NULL}, JWT_MALFORMED},
        {{"iss", "null"}, JWT_MALFORMED},
        {{"iss", "[\"" ISSUER "\"]"}, JWT_MALFORMED},
        {{"iss", "\"https://evil.example\""}, JWT_FOREIGN},
        {{"iss", "\"" ISSUER "/\""}, JWT_FOREIGN},
        {{"iss", "\"\""}, JWT_FOREIGN},
        {{"aud", NULL}, JWT_MALFORMED},
        {{"aud", "[\"" AUDIENCE "\"]"}, JWT_MALFORMED},
        {{"aud", "[]"}, JWT_MALFORMED},
        {{"aud", "\"Banter\""}, JWT_FOREIGN},
        {{"aud", "\"" AUDIENCE "x\""}, JWT_FOREIGN},
        {{"aud", "\"bante\""}, JWT_FOREIGN},
        {{"sub", NULL}, JWT_MALFORMED},
        {{"sub", "7"}, JWT_MALFORMED},
        {{"sub", "\"\""}, JWT_MALFORMED},
        {{"sub", "\"Alice\""}, JWT_MALFORMED},
        {{"sub", "\"alice/phone\""}, JWT_MALFORMED},
        {{"sub", "\"alice\\u0000\""}, JWT_MALFORMED},
        {{"sub", "\"+\""}, JWT_MALFORMED},
        {{"sub", "\"a" X64 "\""}, JWT_MALFORMED},
        {{"sub", "\"alice\",\"sub\":\"bob\""}, JWT_MALFORMED},
        {{"uid", NULL}, JWT_MALFORMED},
        {{"uid", "0"}, JWT_MALFORMED},
        {{"uid", "-0"}, JWT_MALFORMED},
        {{"uid", "-1"}, JWT_MALFORMED},
        {{"uid", "\"7\""}, JWT_MALFORMED},
        {{"uid", "7.0"}, JWT_MALFORMED},
        {{"uid", "9223372036854775808"}, JWT_MALFORMED},
        {{"uid", "18446744073709551615"}, JWT_MALFORMED},
        {{"uid", "true"}, JWT_MALFORMED},
        {{"sid", NULL}, JWT_MALFORMED},
        {{"sid", "\"\""}, JWT_MALFORMED},
        {{"sid", "\"018F3B2E-7C1D-7ABC-9DEF-0123456789AB\""}, JWT_MALFORMED},
        {{"sid", "\"" SESSION SESSION "\""}, JWT_MALFORMED},
        {{"device", "\"\""}, JWT_MALFORMED},
        {{"device", "null"}, JWT_MALFORMED},
        {{"device", "\"a/b\""}, JWT_MALFORMED},
        {{"device", "\"" X64 "\""}, JWT_MALFORMED},
        {{"exp", NULL}, JWT_MALFORMED},
        {{"exp", "null"}, JWT_MALFORMED},
        {{"exp", "\"1800000800\""}, JWT_MALFORMED},
        {{"exp", "1800000800.0"}, JWT_MALFORMED},
        {{"exp", "1.8000008e9"}, JWT_MALFORMED},
        {{"exp", "-1800000800"}, JWT_MALFORMED},
        {{"exp", "0"}, JWT_MALFORMED},
        {{"exp", "253402300800"}, JWT_MALFORMED}, /* year 10000 */
        {{"exp", "9223372036854775807"}, JWT_MALFORMED},
        {{"exp", "9223372036854775808"}, JWT_MALFORMED},
        {{"exp", "1e400"}, JWT_MALFORMED},
        {{"exp", "NaN"}, JWT_MALFORMED},
        {{"exp", "[1800000800]"}, JWT_MALFORMED},
        {{"exp", "1,\"exp\":1800000800"}, JWT_MALFORMED},
        {{"exp", "1"}, JWT_EXPIRED},
        {{"exp", "253402300799"}, JWT_OK},
        {{"nbf", NULL}, JWT_MALFORMED},
        {{"nbf", "\"0\""}, JWT_MALFORMED},
        {{"nbf", "-1"}, JWT_MALFORMED},
        {{"nbf", "1e3"}, JWT_MALFORMED},
        {{"nbf", "1"}, JWT_OK},
        {{"nbf", "253402300799"}, JWT_NOT_YET},
        {{"iat", NULL}, JWT_MALFORMED},
        {{"iat", "1.5"}, JWT_MALFORMED},
        {{"iat", "9223372036854775808"}, JWT_MALFORMED},
        {{"iat", "253402300799"}, JWT_NOT_YET},
    };

    (void)state;
    run_forgeries(table, ARRAY_LENGTH(table), false);
}

static void test_clock_skew_is_allowed_and_bounded(void **state)
{
    struct jwt_claims claims;
    struct buf token;

    (void)state;
    buf_init(&token, FORGE_CEILING);
    forge(&token, NULL, NULL);
    assert_int_equal(verify_at(buf_slice(&token), 1799999900 - JWT_LEEWAY_S, &claims), JWT_OK);
    assert_int_equal(verify_at(buf_slice(&token), 1799999899 - JWT_LEEWAY_S, &claims), JWT_NOT_YET);
    assert_int_equal(verify_at(buf_slice(&token), 1800000799 + JWT_LEEWAY_S, &claims), JWT_OK);
    assert_int_equal(verify_at(buf_slice(&token), 1800000800 + JWT_LEEWAY_S, &claims), JWT_EXPIRED);
    buf_finish(&token);
}

/* Well signed, but the JSON is not what it must be. */
static void test_contents_that_are_no_objects(void **state)
{
    static const char *const contents[] = {"",   "null", "[]",   "\"x\"", "{",
                                           "{}", "{}{}", "\xff", "7"};
    struct buf good, token;

    (void)state;
    buf_init(&good, FORGE_CEILING);
    buf_init(&token, FORGE_CEILING);
    for (size_t i = 0; i < ARRAY_LENGTH(contents); i++) {
        buf_reset(&good);
        forge_object(&good, good_header, ARRAY_LENGTH(good_header), NULL);
        buf_reset(&token);
        forge_token(&token, buf_slice(&good), slice_str(contents[i]));
        assert_int_equal(verify(buf_slice(&token)), JWT_MALFORMED);
        buf_reset(&good);
        forge_object(&good, good_claims, ARRAY_LENGTH(good_claims), NULL);
        buf_reset(&token);
        forge_token(&token, slice_str(contents[i]), buf_slice(&good));
        assert_int_equal(verify(buf_slice(&token)), JWT_MALFORMED);
    }
    buf_finish(&good);
    buf_finish(&token);
}

/* Texts around a good token, or with its parts cut and added, as the format string says. */
static void test_shapes(void **state)
{
    /* 1: header, 2: payload, 3: signature */
    static const char *const shapes[] = {
        "",
        ".",
        "..",
        "...",
        "1",
        "1.2",
        "1.2.",
        "1..3",
        ".2.3",
        "1.2.3.",
        ".1.2.3",
        "1.2.3.3",
        "1.2.3=",
        "1.2.3==",
        "1=.2.3",
        "1.2=.3",
        " 1.2.3",
        "1.2.3 ",
        "1. 2.3",
        "1.2.3\n",
        "\t1.2.3",
        "1.2.3A",
        "1.2.33",
        "1,2,3",
        "1.1.3",
        "2.1.3",
        "2.2.3",
        "3.2.1",
        "1.2.2",
        "Bearer 1.2.3",
        "\"1.2.3\"",
        "1.2/3",
        "1.2.+",
        "1.2.AAAA",
        "1.2.A",
        "11.2.3",
        "1.22.3",
        "1%2E2%2E3",
        ("\xef\xbb\xbf"
         "1.2.3"),
    };
    struct slice parts[3];
    struct buf good, token;
    char *second, *third;

    (void)state;
    buf_init(&good, FORGE_CEILING);
    buf_init(&token, FORGE_CEILING);
    forge(&good, NULL, NULL);
    second = strchr(good.data, '.') + 1;
    third = strchr(second, '.') + 1;
    parts[0] = slice_of(good.data, (size_t)(second - good.data) - 1);
    parts[1] = slice_of(second, (size_t)(third - second) - 1);
    parts[2] = slice_str(third);
    for (size_t i = 0; i < ARRAY_LENGTH(shapes); i++) {
        buf_reset(&token);
        for (const char *c = shapes[i]; *c; c++) {
            if (*c >= '1' && *c <= '3')
                buf_slice_put(&token, parts[*c - '1']);
            else
                buf_char(&token, *c);
        }
        if (verify(buf_slice(&token)) == JWT_OK)
            fail_msg("shape %s", shapes[i]);
    }
    buf_char(&good, '\0');
    assert_int_equal(verify(buf_slice(&good)), JWT_MALFORMED);
    buf_finish(&good);
    buf_finish(&token);
}

static void test_every_cut_and_every_flipped_bit(void **state)
{
    struct buf token;

    (void)state;
    buf_init(&token, FORGE_CEILING);
    forge(&token, NULL, NULL);
    for (size_t i = 0; i < token.length; i++) {
        assert_int_not_equal(verify(slice_of(token.data, i)), JWT_OK);
        assert_int_not_equal(verify(slice_of(token.data + i + 1, token.length - i - 1)), JWT_OK);
        for (int bit = 0; bit < 8; bit++) {
            token.data[i] = (char)(token.data[i] ^ 1 << bit);
            assert_int_not_equal(verify(buf_slice(&token)), JWT_OK);
            token.data[i] = (char)(token.data[i] ^ 1 << bit);
        }
    }
    assert_int_equal(verify(buf_slice(&token)), JWT_OK);
    buf_finish(&token);
}

/* A signature has 512 bits, its text 516: three other last characters mean the same bytes. */
static void test_other_texts_of_the_same_signature(void **state)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    unsigned accepted = 0;
    struct buf token;

    (void)state;
    buf_init(&token, FORGE_CEILING);
    forge(&token, NULL, NULL);
    for (size_t i = 0; i < strlen(digits); i++) {
        token.data[token.length - 1] = digits[i];
        accepted += verify(buf_slice(&token)) == JWT_OK;
    }
    assert_int_equal(accepted, 1);
    buf_finish(&token);
}

/* S + L (L the group's order) verifies in careless implementations (RFC 8032 section 5.1.7). */
static void test_malleable_signature(void **state)
{
    static const unsigned char order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a,       0x63,
                                            0x12, 0x58, 0xd6, 0x9c, 0xf7,       0xa2,
                                            0xde, 0xf9, 0xde, 0x14, [31] = 0x10};
    struct buf token, signature;
    unsigned carry = 0;
    char *dot;

    (void)state;
    buf_init(&token, FORGE_CEILING);
    buf_init(&signature, 64);
    forge(&token, NULL, NULL);
    dot = strrchr(token.data, '.');
    assert_true(base64url_decode(&signature, slice_str(dot + 1)));
    for (size_t i = 0; i < 32; i++) {
        carry += (unsigned char)signature.data[32 + i] + order[i];
        signature.data[32 + i] = (char)carry;
        carry >>= 8;
    }
    token.length = (size_t)(dot + 1 - token.data);
    base64url_encode(&token, buf_slice(&signature));
    assert_int_equal(verify(buf_slice(&token)), JWT_BAD_SIGNATURE);
    memset(signature.data, 0, 64);
    token.length = (size_t)(dot + 1 - token.data);
    base64url_encode(&token, buf_slice(&signature));
    assert_int_equal(verify(buf_slice(&token)), JWT_BAD_SIGNATURE);
    buf_finish(&signature);
    buf_finish(&token);
}

static void test_huge_tokens(void **state)
{
    static char padding[TOKEN_MAX_LENGTH];
    struct forge_member change = {"pad", padding};
    struct buf token;
    size_t length = 0;

    (void)state;
    buf_init(&token, FORGE_CEILING);
    forge(&token, NULL, NULL);
    length = (TOKEN_MAX_LENGTH - token.length) * 3 / 4 - 20;
    memset(padding, 'x', sizeof padding - 1);
    padding[0] = padding[length] = '"';
    padding[length + 1] = '\0';
    forge(&token, NULL, &change);
    assert_in_range(token.length, TOKEN_MAX_LENGTH - 40, TOKEN_MAX_LENGTH);
    assert_int_equal(verify(buf_slice(&token)), JWT_OK);
    memset(padding + length, 'x', 100);
    padding[length + 100] = '"';
    padding[length + 101] = '\0';
    forge(&token, NULL, &change);
    assert_true(token.length > TOKEN_MAX_LENGTH);
    assert_int_equal(verify(buf_slice(&token)), JWT_MALFORMED);
    buf_finish(&token);
}

static struct jwt_claims some_claims(void)
{
    struct jwt_claims claims = {.uid = 7,
                                .handle = "alice",
                                .device = "Phone_1",
                                .session = SESSION,
                                .issued_at = now,
                                .not_before = now,
                                .expires_at = now + 900};
    return claims;
}

static void test_signed_by_another_key(void **state)
{
    struct jwt_signer *other = jwt_signer_generate();
    struct jwt_claims claims = some_claims();
    struct buf token, forged;
    char *signature;

    (void)state;
    assert_non_null(other);
    buf_init(&token, FORGE_CEILING);
    buf_init(&forged, FORGE_CEILING);
    assert_true(jwt_sign(other, &claims, ISSUER, AUDIENCE, &token));
    assert_int_equal(verify(buf_slice(&token)), JWT_UNKNOWN_KEY);
    /* Our header and claims with the other key's signature. */
    forge(&forged, NULL, NULL);
    signature = strrchr(token.data, '.');
    forged.length = (size_t)(strrchr(forged.data, '.') - forged.data);
    buf_str(&forged, signature);
    assert_int_equal(verify(buf_slice(&forged)), JWT_BAD_SIGNATURE);
    buf_finish(&token);
    buf_finish(&forged);
    jwt_signer_destroy(other);
}

static void test_signer_and_verifier_agree(void **state)
{
    struct jwt_signer *signer = jwt_signer_from_pem(slice_str(forge_pem));
    struct jwt_claims in = some_claims(), out;
    struct buf token;

    (void)state;
    assert_non_null(signer);
    assert_string_equal(jwt_signer_kid(signer), FORGE_KID);
    buf_init(&token, FORGE_CEILING);
    assert_true(jwt_sign(signer, &in, ISSUER, AUDIENCE, &token));
    assert_int_equal(verify_at(buf_slice(&token), now, &out), JWT_OK);
    assert_int_equal(out.uid, in.uid);
    assert_string_equal(out.handle, in.handle);
    assert_string_equal(out.device, in.device);
    assert_string_equal(out.session, in.session);
    assert_int_equal(out.issued_at, in.issued_at);
    assert_int_equal(out.expires_at, in.expires_at);
    in.device[0] = '\0';
    buf_reset(&token);
    assert_true(jwt_sign(signer, &in, ISSUER, AUDIENCE, &token));
    assert_int_equal(verify_at(buf_slice(&token), now, &out), JWT_OK);
    assert_string_equal(out.device, "");
    buf_finish(&token);
    jwt_signer_destroy(signer);
}

static void test_every_status_has_its_own_sentence(void **state)
{
    (void)state;
    for (int status = JWT_OK; status <= JWT_NO_MEMORY; status++) {
        assert_string_not_equal(jwt_status_text((enum jwt_status)status), "unknown status");
        for (int other = JWT_OK; other < status; other++)
            assert_string_not_equal(jwt_status_text((enum jwt_status)status),
                                    jwt_status_text((enum jwt_status)other));
    }
}

/* RFC 8037 appendix A.4: ties our base64url and the forger's key to published bytes. */
static void test_known_signature(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, FORGE_CEILING);
    forge_token(&b, slice_str("{\"alg\":\"EdDSA\"}"), slice_str("Example of Ed25519 signing"));
    assert_string_equal(b.data,
                        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
                        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt"
                        "9g7sVvpAr_MuM0KAg");
    assert_int_equal(verify(buf_slice(&b)), JWT_MALFORMED); /* good, but names no key */
    buf_finish(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_signature),
        cmocka_unit_test(test_good_token),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_claims),
        cmocka_unit_test(test_clock_skew_is_allowed_and_bounded),
        cmocka_unit_test(test_contents_that_are_no_objects),
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_every_cut_and_every_flipped_bit),
        cmocka_unit_test(test_other_texts_of_the_same_signature),
        cmocka_unit_test(test_malleable_signature),
        cmocka_unit_test(test_huge_tokens),
        cmocka_unit_test(test_signed_by_another_key),
        cmocka_unit_test(test_signer_and_verifier_agree),
        cmocka_unit_test(test_every_status_has_its_own_sentence),
    };

    return cmocka_run_group_tests(tests, read_keys, free_keys);
}
