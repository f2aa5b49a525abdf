/* SPDX-License-Identifier: MIT */
/* jwt_signer_test.c - private keys as PEM, and signing with too little room. That what a signer
 * makes is accepted, and by whom, is in jwt_test.c. */
#include "unit/unit.h"

#include "base/buf.h"
#include "token/jwt.h"

static void test_signing_into_a_full_buffer_fails(void **state)
{
    struct jwt_signer *signer = jwt_signer_generate();
    struct jwt_claims claims = {.uid = 7,
                                .handle = "alice",
                                .device = "Phone_1",
                                .session = "018f3b2e-7c1d-7abc-9def-0123456789ab",
                                .issued_at = 1800000000,
                                .not_before = 1800000000,
                                .expires_at = 1800000900};

    (void)state;
    assert_non_null(signer);
    for (size_t ceiling = 1; ceiling < 500; ceiling += 7) {
        struct buf token;

        buf_init(&token, ceiling);
        if (jwt_sign(signer, &claims, "https://chat.example", "banter", &token))
            assert_true(token.length > 400);
        else
            assert_true(token.failed);
        buf_finish(&token);
    }
    jwt_signer_destroy(signer);
}

static void test_pem(void **state)
{
    static const char *const bad[] = {
        "",
        "garbage",
        "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n",
        "-----BEGIN PUBLIC KEY-----\n"
        "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
        "-----END PUBLIC KEY-----\n",
        /* X25519 */
        "-----BEGIN PRIVATE KEY-----\n"
        "MC4CAQAwBQYDK2VuBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
        "-----END PRIVATE KEY-----\n",
        /* encrypted: nobody may be asked for a password */
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
        "MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgOlpM5l3oCHgICCAAw\n"
        "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEH4Hb9EFAfUYk9LPmeTXKoEEQDAn\n"
        "qmT4AjJFRiiRhsh7NqblrELDzLEQKag8W/VKyVgOAcfy8zgPIDVWmGKZZdTmqEXD\n"
        "2iYthdlovdsRC3HII6I=\n"
        "-----END ENCRYPTED PRIVATE KEY-----\n",
    };
    struct jwt_signer *signer = jwt_signer_generate(), *again;
    struct buf pem;

    (void)state;
    assert_non_null(signer);
    buf_init(&pem, 1000);
    assert_true(jwt_signer_to_pem(signer, &pem));
    again = jwt_signer_from_pem(buf_slice(&pem));
    assert_non_null(again);
    assert_string_equal(jwt_signer_kid(again), jwt_signer_kid(signer));
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
        assert_null(jwt_signer_from_pem(slice_str(bad[i])));
    buf_finish(&pem);
    jwt_signer_destroy(again);
    jwt_signer_destroy(signer);
    jwt_signer_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signing_into_a_full_buffer_fails),
        cmocka_unit_test(test_pem),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
