/* SPDX-License-Identifier: MIT */
/* wire_memory_test.c - each module of schema/ when memory runs out, at every allocation there is:
 * each fails as its header says, leaves nothing behind and is as good as before or cleanly gone. */
#include "unit/unit.h"

#include "base/buf.h"
#include "base/map.h"
#include "token/jwt.h"
#include "token/revoked_set.h"
#include "unit/failing_memory.h"
#include "wire/draft.h"
#include "wire/frame.h"
#include "wire/json.h"
#include "wire/names.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

enum { ITEMS = 100, NOW = 1800000000, IN_A_ROW = 1000000 };

static const char *const issuer = "https://chat.example", *const audience = "banter";

/* Runs one statement with memory failing. */
#define WITH_FAILURES(statement)                                                                   \
    do {                                                                                           \
        failing_memory_on();                                                                       \
        statement;                                                                                 \
        failing_memory_off();                                                                      \
    } while (0)

/* Whether one of the statements since `failed_before` was taken met a failure. */
static bool met_failure(unsigned long failed_before)
{
    return failing_memory_failed() > failed_before;
}

static void try_all(void (*scenario)(void), unsigned long at_least)
{
    assert_in_range(failing_memory_try_all(scenario, 1), at_least, ULONG_MAX);
    assert_in_range(failing_memory_try_all(scenario, IN_A_ROW), at_least, ULONG_MAX);
}

/* A failed buffer stays failed, whatever is appended, and is as new after a reset. */
static void use_buf(void)
{
    struct buf b;
    char *text;
    bool failed;

    buf_init(&b, 1 << 20);
    failing_memory_on();
    for (unsigned i = 0; i < 1000; i++) {
        buf_str(&b, "text");
        buf_u64(&b, i);
        buf_printf(&b, "%u,", i);
        buf_json(&b, slice_str("\"\n"));
        buf_le64(&b, i);
    }
    failing_memory_off();
    assert_int_equal(b.failed, failing_memory_failed() > 0);
    buf_reset(&b);
    buf_str(&b, "again");
    assert_false(b.failed);
    assert_string_equal(b.data, "again");
    buf_finish(&b);
    WITH_FAILURES(text = buf_detach(&b));
    failed = failing_memory_failed() > 0;
    assert_true(text || failed);
    free(text);
    buf_finish(&b);
}

static void test_buf(void **state)
{
    (void)state;
    try_all(use_buf, 10);
}

static const void *key_of_number(const void *item)
{
    return item;
}

static const struct map_type numbers = {map_hash_u64, map_equal_u64, key_of_number};

/* An insert that fails changes nothing; the others are all found. */
static void use_map(void)
{
    static uint64_t items[ITEMS];
    bool inserted[ITEMS];
    unsigned long failed_before;
    size_t count = 0;
    struct map m;

    map_init(&m, &numbers);
    for (size_t i = 0; i < ITEMS; i++) {
        items[i] = i;
        failed_before = failing_memory_failed();
        WITH_FAILURES(inserted[i] = map_insert(&m, &items[i]));
        assert_int_equal(inserted[i], !met_failure(failed_before));
        count += inserted[i];
    }
    assert_int_equal(m.count, count);
    for (size_t i = 0; i < ITEMS; i++)
        assert_ptr_equal(map_find(&m, &items[i]), inserted[i] ? &items[i] : NULL);
    map_finish(&m);
}

static void test_map(void **state)
{
    (void)state;
    try_all(use_map, 3);
}

/* An add that fails changes nothing. */
static void use_revoked_set(void)
{
    struct revoked_set s;
    size_t count = 0;
    bool added, is_new;

    revoked_set_init(&s, ITEMS / 2);
    for (uint64_t i = 1; i <= ITEMS; i++) {
        struct revoked_login login = {.uid = i, .expires_at = NOW};
        unsigned long failed_before = failing_memory_failed();

        memcpy(login.login.bytes, &i, sizeof i);
        WITH_FAILURES(added = revoked_set_add(&s, &login, &is_new));
        assert_int_equal(added, !met_failure(failed_before));
        assert_int_equal(is_new, added);
        assert_int_equal(revoked_set_has(&s, &login.login), added);
        count += added;
        assert_int_equal(s.by_login.count, count < ITEMS / 2 ? count : ITEMS / 2);
    }
    revoked_set_finish(&s);
}

static void test_revoked_set(void **state)
{
    (void)state;
    try_all(use_revoked_set, ITEMS);
}

static void write_frames(struct buf *b)
{
    const struct attached_conversation items[3] = {
        {{{1}}, CONVERSATION_GROUP, ROLE_MEMBER, 1, 0},
        {{{2}}, CONVERSATION_DIRECT, ROLE_READER, 2, 0},
        {{{3}}, CONVERSATION_CHANNEL, ROLE_OWNER, 3, 0},
    };
    const struct frame_draft draft = {
        .number = 1,
        .uid = 2,
        .handle = slice_str("alice"),
        .device = slice_str("phone"),
        .target = slice_str("@bob"),
        .payload = slice_str("{\"id\":\"1\",\"text\":\"a text that needs some room\"}"),
    };

    frame_write_draft(b, &draft);
    frame_write_attached(b, 2, true, items, 3);
    frame_write_wake(b);
}

/* What was written before the failure is whole frames. */
static void use_frames(void)
{
    unsigned whole = 0, written = 0;
    struct slice rest;
    struct frame f;
    struct buf b;
    size_t used;

    buf_init(&b, LINK_BODY_MAX);
    for (unsigned i = 0; i < 100; i++) {
        WITH_FAILURES(write_frames(&b));
        written += b.failed ? 0 : 3;
    }
    rest = buf_slice(&b);
    while (rest.length > 0 && frame_next(rest, &f, &used) == FRAME_WHOLE) {
        struct frame_draft draft;

        if (f.type == FRAME_DRAFT)
            assert_true(frame_read_draft(f.body, &draft));
        rest = slice_of(rest.data + used, rest.length - used);
        whole++;
    }
    assert_in_range(whole, written, written + 2);
    assert_true(rest.length == 0 && (b.failed || whole == 300));
    assert_int_equal(b.failed, failing_memory_failed() > 0);
    buf_finish(&b);
}

static void test_frames(void **state)
{
    (void)state;
    try_all(use_frames, 5);
}

/* The id, which decides about the order of a device's drafts, is found without memory; and plain
 * drafts are read without. */
static void use_draft(void)
{
    static const char plain[] = "{\"id\":\"1\",\"text\":\"hello\"}";
    static const char json[] = "{\"id\":\"1\\u00e9\",\"text\":\"hello \\\"you\\\"\"}";
    static const char broken[] = "{\"id\":\"1\\u00e9\",\"text\":}";
    char id[DRAFT_ID_MAX_BYTES + 1];
    const char *reason = NULL;
    struct entry e = {.seq = 1, .from = slice_str("alice")};
    struct draft d;
    enum code code;
    struct buf b;

    WITH_FAILURES(code = draft_parse(&d, slice_str(plain), &reason));
    assert_int_equal(code, CODE_OK);
    draft_finish(&d);
    WITH_FAILURES(code = draft_parse(&d, slice_str(broken), &reason));
    assert_int_equal(code, CODE_INVALID);
    draft_finish(&d);
    WITH_FAILURES(code = draft_parse(&d, slice_str(json), &reason));
    assert_true((code == CODE_OK) == (failing_memory_failed() == 0) || d.id.length == 0 ||
                slice_equal(d.id, slice_str("1\xc3\xa9")));
    buf_init(&b, 1024);
    e.id = d.id;
    e.text = d.text;
    e.kind = d.kind;
    failing_memory_on();
    entry_write(&b, &e);
    draft_write(&b, &d);
    receipt_write(&b, d.id, &e.conversation, slice_str("@bob"), 1, 0);
    failing_memory_off();
    assert_true(!b.failed || failing_memory_failed() > 0);
    buf_finish(&b);
    draft_finish(&d);
    WITH_FAILURES(draft_peek_id(slice_str(json), id));
    assert_string_equal(id, "1\xc3\xa9");
}

static void test_draft(void **state)
{
    (void)state;
    try_all(use_draft, 10);
}

static void use_json(void)
{
    const char *reason = NULL;
    json_t *root;

    WITH_FAILURES(
        root = json_read_object(
            slice_str("{\"a\":[1,2.5,\"x\",null,true],\"b\":{\"c\":\"\\u00e9\"}}"), &reason));
    assert_int_equal(root == NULL, failing_memory_failed() > 0);
    assert_true(root || reason == json_no_memory);
    json_decref(root);
}

static void test_json(void **state)
{
    (void)state;
    try_all(use_json, 10);
}

static struct jwt_signer *signer;
static char token[TOKEN_MAX_LENGTH + 1], jwks[1024];

static void set_up_tokens(void)
{
    struct jwt_claims claims = {.uid = 1,
                                .handle = "alice",
                                .session = "018f3b2e-7c1d-7abc-9def-0123456789ab",
                                .issued_at = NOW - 100,
                                .not_before = NOW - 100,
                                .expires_at = NOW + 100};
    struct buf b;

    signer = jwt_signer_generate();
    assert_non_null(signer);
    buf_init(&b, TOKEN_MAX_LENGTH);
    assert_true(jwt_sign(signer, &claims, issuer, audience, &b));
    snprintf(token, sizeof token, "%s", b.data);
    buf_reset(&b);
    jwt_signer_write_jwk(signer, &b);
    snprintf(jwks, sizeof jwks, "{\"keys\":[%s]}", b.data);
    buf_finish(&b);
}

/* Nobody gets in because memory ran out, and what is wrong with a token stays wrong. */
static void use_token(void)
{
    const char *reason = NULL;
    struct jwt_claims claims;
    struct jwt_keys *keys;
    enum jwt_status status;
    unsigned long failed_before;
    char broken[sizeof token];

    WITH_FAILURES(keys = jwt_keys_parse(slice_str(jwks), &reason));
    assert_true(keys || (failing_memory_failed() > 0 && reason));
    if (!keys)
        return;
    failed_before = failing_memory_failed();
    WITH_FAILURES(status = jwt_verify(keys, slice_str(token), issuer, audience, NOW, &claims));
    if (!met_failure(failed_before))
        assert_int_equal(status, JWT_OK);
    else
        assert_true(status == JWT_OK || status == JWT_NO_MEMORY || status == JWT_BAD_SIGNATURE);
    memcpy(broken, token, sizeof token);
    broken[strlen(broken) - 5] ^= 1;
    WITH_FAILURES(status = jwt_verify(keys, slice_str(broken), issuer, audience, NOW, &claims));
    assert_int_not_equal(status, JWT_OK);
    jwt_keys_destroy(keys);
}

static void test_token(void **state)
{
    (void)state;
    set_up_tokens();
    try_all(use_token, 20);
    jwt_signer_destroy(signer);
}

static void use_signer(void)
{
    struct jwt_claims claims = {.uid = 1,
                                .handle = "alice",
                                .session = "018f3b2e-7c1d-7abc-9def-0123456789ab",
                                .issued_at = NOW,
                                .not_before = NOW,
                                .expires_at = NOW + 100};
    struct jwt_signer *made, *read = NULL;
    struct buf pem, b;
    bool ok;

    buf_init(&pem, 4096);
    buf_init(&b, TOKEN_MAX_LENGTH);
    WITH_FAILURES(made = jwt_signer_generate());
    if (made) {
        WITH_FAILURES(ok = jwt_signer_to_pem(made, &pem));
        if (ok)
            WITH_FAILURES(read = jwt_signer_from_pem(buf_slice(&pem)));
        WITH_FAILURES(ok = jwt_sign(made, &claims, issuer, audience, &b));
        assert_true(ok || failing_memory_failed() > 0);
        if (read)
            assert_string_equal(jwt_signer_kid(read), jwt_signer_kid(made));
    }
    assert_true(read || failing_memory_failed() > 0);
    jwt_signer_destroy(read);
    jwt_signer_destroy(made);
    buf_finish(&pem);
    buf_finish(&b);
}

static void test_signer(void **state)
{
    (void)state;
    try_all(use_signer, 20);
}

static void use_names(void)
{
    struct uuid id, right = direct_conversation_id(slice_str("alice"), slice_str("bob"));

    WITH_FAILURES(id = direct_conversation_id(slice_str("bob"), slice_str("alice")));
    assert_true(uuid_equal(&id, &right) || (uuid_is_nil(&id) && failing_memory_failed() > 0));
}

static void test_names(void **state)
{
    (void)state;
    try_all(use_names, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_buf),    cmocka_unit_test(test_map),
        cmocka_unit_test(test_frames), cmocka_unit_test(test_revoked_set),
        cmocka_unit_test(test_json),   cmocka_unit_test(test_draft),
        cmocka_unit_test(test_names),  cmocka_unit_test(test_token),
        cmocka_unit_test(test_signer),
    };

    failing_memory_start();
    json_watch_memory();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
