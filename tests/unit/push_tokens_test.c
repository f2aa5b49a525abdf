/* SPDX-License-Identifier: MIT */
/* push_tokens_test.c - what we sign for push services: tokens and webhooks, and how long tokens are
 * used again. That others accept them is tests/push's to show. */
#include "unit/unit.h"

#include "base/buf.h"
#include "push/apns_token.h"
#include "push/jws.h"
#include "push/vapid.h"
#include "push/webhook.h"
#include "token/jwt.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { NOW = 1800000000, HOUR = 3600 };

static char key_path[] = "/tmp/banter-push-XXXXXX";

static void write_key(EVP_PKEY *key)
{
    FILE *file = fopen(key_path, "w");

    assert_non_null(key);
    assert_non_null(file);
    assert_int_equal(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
    fclose(file);
    EVP_PKEY_free(key);
}

static int make_key(void **state)
{
    int fd = mkstemp(key_path);

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    write_key(EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256"));
    return 0;
}

static int remove_key(void **state)
{
    (void)state;
    return unlink(key_path);
}

/* The JSON of one part of a token; the caller owns it. */
static json_t *part_of(const char *token, unsigned index)
{
    const char *end;
    struct buf text;
    json_t *part;

    while (index-- > 0)
        token = strchr(token, '.') + 1;
    end = strchr(token, '.');
    buf_init(&text, 4096);
    assert_true(base64url_decode(&text, slice_of(token, (size_t)(end - token))));
    part = json_loadb(text.data, text.length, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(part);
    buf_finish(&text);
    return part;
}

static void test_raw_signatures(void **state)
{
    struct jws_key *key = jws_key_from_file(key_path, JWS_ES256, "test");
    struct buf token;

    (void)state;
    assert_non_null(key);
    buf_init(&token, 4096);
    for (unsigned i = 0; i < 300; i++) { /* some r or s begin with a zero */
        struct buf signature;

        buf_reset(&token);
        buf_init(&signature, 128);
        assert_true(jws_sign(key, slice_str("{}"), slice_str("{}"), &token));
        assert_true(base64url_decode(&signature, slice_str(strrchr(token.data, '.') + 1)));
        assert_int_equal(signature.length, 64);
        buf_finish(&signature);
    }
    buf_finish(&token);
    jws_key_destroy(key);
}

static void test_keys_of_other_kinds(void **state)
{
    (void)state;
    assert_null(jws_key_from_file(key_path, JWS_RS256, "test"));
    assert_null(jws_key_from_file("/nowhere/at/all", JWS_ES256, "test"));
    assert_null(jws_key_from_pem(slice_str("-----BEGIN PRIVATE KEY-----\n"), JWS_ES256));
    write_key(EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384"));
    assert_null(jws_key_from_file(key_path, JWS_ES256, "test"));
    write_key(EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024));
    assert_null(jws_key_from_file(key_path, JWS_RS256, "test"));
    write_key(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
    assert_null(jws_key_from_file(key_path, JWS_ES256, "test"));
    write_key(EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256"));
}

/* RFC 8292: `vapid t=TOKEN, k=KEY`, with aud, exp and sub. */
static void test_vapid(void **state)
{
    struct vapid *v = vapid_create(key_path, "mailto:ops@example.com");
    const char *value;
    json_t *claims;
    char *token;

    (void)state;
    assert_non_null(v);
    value = vapid_authorization(v, "https://Push.example.com:443/send/1", NOW);
    assert_int_equal(strncmp(value, "vapid t=", 8), 0);
    assert_string_equal(strstr(value, ", k=") + 4, vapid_public_key(v));
    assert_int_equal(strlen(vapid_public_key(v)), 87);
    token = strndup(value + 8, strcspn(value + 8, ","));
    claims = part_of(token, 1);
    assert_int_equal(json_object_size(claims), 3);
    assert_string_equal(json_string_value(json_object_get(claims, "aud")),
                        "https://push.example.com");
    assert_string_equal(json_string_value(json_object_get(claims, "sub")),
                        "mailto:ops@example.com");
    assert_in_range(json_integer_value(json_object_get(claims, "exp")), NOW + 1, NOW + 24 * HOUR);
    json_decref(claims);
    free(token);
    assert_null(vapid_authorization(v, "nonsense://", NOW));
    vapid_destroy(v);
    assert_null(vapid_create(key_path, NULL));
    assert_null(vapid_create(key_path, "ops@example.com"));
}

/* ECDSA signs the same text differently each time, so equal means kept. */
static void test_vapid_tokens_are_kept(void **state)
{
    struct vapid *v = vapid_create(key_path, "https://example.com/");
    char *first, url[64];

    (void)state;
    assert_non_null(v);
    first = strdup(vapid_authorization(v, "https://a.example/1", NOW));
    assert_string_equal(vapid_authorization(v, "https://a.example/2", NOW + 5 * HOUR), first);
    assert_string_not_equal(vapid_authorization(v, "https://b.example/1", NOW), first);
    assert_string_equal(vapid_authorization(v, "https://a.example/3", NOW), first);
    assert_string_not_equal(vapid_authorization(v, "https://a.example/1", NOW + 7 * HOUR), first);
    free(first);
    for (unsigned i = 0; i < 1000; i++) { /* the cache is bounded */
        snprintf(url, sizeof url, "https://%u.example/", i);
        assert_non_null(vapid_authorization(v, url, NOW + i));
    }
    vapid_destroy(v);
}

static void test_apns_tokens(void **state)
{
    struct apns_token *t = apns_token_create(key_path, "KEY", "TEAM");
    json_t *header, *claims;
    unsigned first, second;
    char *token;

    (void)state;
    assert_non_null(t);
    token = strdup(apns_token_get(t, NOW, &first));
    header = part_of(token, 0);
    claims = part_of(token, 1);
    assert_string_equal(json_string_value(json_object_get(header, "alg")), "ES256");
    assert_string_equal(json_string_value(json_object_get(header, "kid")), "KEY");
    assert_string_equal(json_string_value(json_object_get(claims, "iss")), "TEAM");
    assert_int_equal(json_integer_value(json_object_get(claims, "iat")), NOW);
    json_decref(header);
    json_decref(claims);
    assert_string_equal(apns_token_get(t, NOW + 44 * 60, &second), token);
    assert_int_equal(first, second);
    assert_string_not_equal(apns_token_get(t, NOW + 46 * 60, &second), token);
    assert_int_not_equal(first, second);
    assert_non_null(apns_token_get(t, NOW, &first)); /* the clock was set back */
    assert_int_not_equal(first, second);
    free(token);
    apns_token_destroy(t);
    assert_null(apns_token_create(key_path, "", "TEAM"));
    assert_null(apns_token_create(key_path, "KEY", NULL));
}

static void test_apns_tokens_refused(void **state)
{
    struct apns_token *t = apns_token_create(key_path, "KEY", "TEAM");
    unsigned first, second, third;

    (void)state;
    assert_non_null(apns_token_get(t, NOW, &first));
    apns_token_refuse(t, NOW, first);
    assert_non_null(apns_token_get(t, NOW + 1, &second));
    assert_int_not_equal(first, second);
    apns_token_refuse(t, NOW + 2, first); /* the answer to an older request */
    assert_non_null(apns_token_get(t, NOW + 2, &third));
    assert_int_equal(second, third);
    apns_token_refuse(t, NOW + 19 * 60, second); /* too soon for Apple */
    assert_non_null(apns_token_get(t, NOW + 19 * 60, &third));
    assert_int_equal(second, third);
    apns_token_refuse(t, NOW + 21 * 60, second);
    assert_non_null(apns_token_get(t, NOW + 21 * 60, &third));
    assert_int_not_equal(second, third);
    apns_token_destroy(t);
}

/* Reckoned with another implementation of Standard Webhooks. */
static void test_webhook_signature(void **state)
{
    static const char secret[] = "0123456789abcdef0123456789abcdef";
    char signature[WEBHOOK_SIGNATURE_LENGTH + 1];

    (void)state;
    assert_true(webhook_sign(slice_str(secret), "msg_1", "1614265330",
                             slice_str("{\"test\": 2432232314}"), signature));
    assert_string_equal(signature, "v1,aTF4+pE6A/FmvKM0YSVBBUfRhLIlBiaBUR+EjGls6Mc=");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_raw_signatures),
        cmocka_unit_test(test_keys_of_other_kinds),
        cmocka_unit_test(test_vapid),
        cmocka_unit_test(test_vapid_tokens_are_kept),
        cmocka_unit_test(test_apns_tokens),
        cmocka_unit_test(test_apns_tokens_refused),
        cmocka_unit_test(test_webhook_signature),
    };
    return cmocka_run_group_tests(tests, make_key, remove_key);
}
