/* SPDX-License-Identifier: MIT */
/* jwks_test.c - key sets that are read, and key sets that must stop the start. */
#include "unit/unit.h"

#include "base/buf.h"
#include "token/jwt.h"

#define X "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" /* RFC 8037 appendix A.2 */
#define KEY(kid, more)                                                                             \
    "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"" kid "\",\"x\":\"" X "\"" more "}"
#define SET(keys) "{\"keys\":[" keys "]}"

static void test_good(void **state)
{
    static const char *const cases[] = {
        SET(KEY("a", "")),
        SET(KEY("a", "") "," KEY("b", "")),
        SET(KEY("a", ",\"alg\":\"EdDSA\",\"use\":\"sig\",\"key_ops\":[\"verify\"]")),
        "{\"made\":\"today\",\"keys\":[" KEY("A-z_0.9", "") "]}",
        SET(KEY("1234567890123456789012345678901234567890123456789012345678901234", "")),
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        const char *reason = "unset";
        struct jwt_keys *keys = jwt_keys_parse(slice_str(cases[i]), &reason);

        assert_non_null(keys);
        jwt_keys_destroy(keys);
    }
    jwt_keys_destroy(NULL);
}

static void test_bad(void **state)
{
    static const char *const cases[] = {
        "",
        "{",
        "[]",
        "{}",
        "{\"keys\":{}}",
        "{\"keys\":null}",
        SET(""),
        SET("1"),
        SET("{}"),
        SET("[]"),
        SET("null"),
        SET(KEY("a", "") "," KEY("a", "")),
        SET(KEY("a", "") ",{\"kty\":\"RSA\",\"kid\":\"r\",\"n\":\"AQAB\",\"e\":\"AQAB\"}"),
        SET(KEY("a", ",\"d\":\"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A\"")),
        SET(KEY("a", ",\"alg\":\"ES256\"")),
        SET(KEY("a", ",\"alg\":null")),
        SET(KEY("a", ",\"use\":\"enc\"")),
        SET(KEY("a", ",\"kid\":\"b\"")),
        SET(KEY("", "")),
        SET(KEY("a/b", "")),
        SET(KEY("a b", "")),
        SET(KEY("12345678901234567890123456789012345678901234567890123456789012345", "")),
        SET("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" X "\"}"),
        SET("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":7,\"x\":\"" X "\"}"),
        SET("{\"kty\":\"OKP\",\"crv\":\"X25519\",\"kid\":\"a\",\"x\":\"" X "\"}"),
        SET("{\"kty\":\"EC\",\"crv\":\"Ed25519\",\"kid\":\"a\",\"x\":\"" X "\"}"),
        SET("{\"crv\":\"Ed25519\",\"kid\":\"a\",\"x\":\"" X "\"}"),
        SET("{\"kty\":\"OKP\",\"kid\":\"a\",\"x\":\"" X "\"}"),
        SET("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"a\"}"),
        SET("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"a\",\"x\":\"\"}"),
        SET("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"a\",\"x\":\"" X "=\"}"),
        SET("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"a\",\"x\":\"" X "A\"}"),
        SET("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"a\",\"x\":\"11qYAYKxCrfVS\"}"),
        "{\"keys\":[" KEY("a", "") "],\"keys\":[" KEY("b", "") "]}",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        const char *reason = NULL;

        if (jwt_keys_parse(slice_str(cases[i]), &reason))
            fail_msg("%s", cases[i]);
        assert_non_null(reason);
    }
}

static void test_at_most_sixteen(void **state)
{
    const char *reason;

    (void)state;
    for (int count = JWT_KEYS_MAX; count <= JWT_KEYS_MAX + 1; count++) {
        struct jwt_keys *keys;
        struct buf b;

        buf_init(&b, 1 << 16);
        buf_str(&b, "{\"keys\":[");
        for (int i = 0; i < count; i++)
            buf_printf(&b,
                       "%s{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"k%d\",\"x\":\"" X "\"}",
                       i ? "," : "", i);
        buf_str(&b, "]}");
        keys = jwt_keys_parse(buf_slice(&b), &reason);
        assert_int_equal(keys != NULL, count <= JWT_KEYS_MAX);
        jwt_keys_destroy(keys);
        buf_finish(&b);
    }
}

static void test_a_signers_key_can_be_read(void **state)
{
    struct jwt_signer *signer = jwt_signer_generate();
    struct jwt_keys *keys;
    const char *reason;
    struct buf b;

    (void)state;
    assert_non_null(signer);
    assert_int_equal(strlen(jwt_signer_kid(signer)), 43);
    buf_init(&b, 1000);
    buf_str(&b, "{\"keys\":[");
    jwt_signer_write_jwk(signer, &b);
    buf_str(&b, "]}");
    assert_non_null(strstr(b.data, jwt_signer_kid(signer)));
    keys = jwt_keys_parse(buf_slice(&b), &reason);
    assert_non_null(keys);
    jwt_keys_destroy(keys);
    buf_finish(&b);
    jwt_signer_destroy(signer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_at_most_sixteen),
        cmocka_unit_test(test_a_signers_key_can_be_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
