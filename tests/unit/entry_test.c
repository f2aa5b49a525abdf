/* SPDX-License-Identifier: MIT */
/* entry_test.c - the exact bytes that clients see of entries and receipts. */
#include "unit/unit.h"

#include "base/buf.h"
#include "wire/entry.h"

#define CONVERSATION "018f3b2e-7c1d-7abc-9def-0123456789ab"
#define AT "2026-11-22T10:00:00.123Z"

enum { CEILING = 4096 };

static const int64_t at_ms = INT64_C(1795341600123);

static struct uuid conversation(void)
{
    struct uuid u;

    assert_true(uuid_parse(&u, slice_str(CONVERSATION)));
    return u;
}

static void assert_entry(const struct entry *e, const char *expected)
{
    struct buf b;

    buf_init(&b, CEILING);
    entry_write(&b, e);
    assert_false(b.failed);
    assert_string_equal(b.data, expected);
    buf_finish(&b);
}

static void test_text(void **state)
{
    struct entry e = {.conversation = conversation(),
                      .seq = 42,
                      .at_ms = at_ms,
                      .from = slice_str("alice"),
                      .id = slice_str("d\"1"),
                      .kind = ENTRY_TEXT,
                      .text = slice_str("hello\n\xf0\x9f\x91\x8d")};

    (void)state;
    assert_entry(&e, "{\"conversation\":\"" CONVERSATION "\",\"seq\":42,\"at\":\"" AT
                     "\",\"from\":\"alice\",\"id\":\"d\\\"1\",\"kind\":\"text\","
                     "\"text\":\"hello\\n\xf0\x9f\x91\x8d\"}");
    e.reply_to = 7;
    e.id = slice_str("x");
    e.text = slice_str("t");
    assert_entry(&e, "{\"conversation\":\"" CONVERSATION "\",\"seq\":42,\"at\":\"" AT
                     "\",\"from\":\"alice\",\"id\":\"x\",\"kind\":\"text\",\"text\":\"t\","
                     "\"reply_to\":7}");
}

static void test_what_concerns_a_message(void **state)
{
    struct entry e = {.conversation = conversation(),
                      .seq = 9,
                      .at_ms = at_ms,
                      .from = slice_str("alice"),
                      .id = slice_str("x"),
                      .kind = ENTRY_EDIT,
                      .text = slice_str("t"),
                      .target = 7};

    (void)state;
    assert_entry(&e, "{\"conversation\":\"" CONVERSATION "\",\"seq\":9,\"at\":\"" AT
                     "\",\"from\":\"alice\",\"id\":\"x\",\"kind\":\"edit\",\"target\":7,"
                     "\"text\":\"t\"}");
    e.kind = ENTRY_REACTION;
    e.data = slice_str(ENTRY_DATA_REMOVE);
    assert_entry(&e, "{\"conversation\":\"" CONVERSATION "\",\"seq\":9,\"at\":\"" AT
                     "\",\"from\":\"alice\",\"id\":\"x\",\"kind\":\"reaction\",\"target\":7,"
                     "\"emoji\":\"t\",\"remove\":true}");
    e.kind = ENTRY_DELETE;
    e.text = e.data = slice_of(NULL, 0);
    assert_entry(&e, "{\"conversation\":\"" CONVERSATION "\",\"seq\":9,\"at\":\"" AT
                     "\",\"from\":\"alice\",\"id\":\"x\",\"kind\":\"delete\",\"target\":7}");
    e.kind = ENTRY_TEXT;
    e.target = 0;
    e.data = slice_str("{\"deleted\":true}");
    assert_entry(&e, "{\"conversation\":\"" CONVERSATION "\",\"seq\":9,\"at\":\"" AT
                     "\",\"from\":\"alice\",\"id\":\"x\",\"kind\":\"text\",\"deleted\":true}");
}

static void test_made_by_the_server(void **state)
{
    struct entry e = {.conversation = conversation(),
                      .seq = 1,
                      .at_ms = at_ms,
                      .from = slice_str("alice"),
                      .kind = ENTRY_MEMBERS_ADDED,
                      .data = slice_str("{\"members\":[\"eve\"]}")};

    (void)state;
    assert_entry(&e, "{\"conversation\":\"" CONVERSATION "\",\"seq\":1,\"at\":\"" AT
                     "\",\"from\":\"alice\",\"kind\":\"members_added\",\"members\":[\"eve\"]}");
    e.kind = ENTRY_CREATED;
    e.data = slice_str("{}");
    assert_entry(&e, "{\"conversation\":\"" CONVERSATION "\",\"seq\":1,\"at\":\"" AT
                     "\",\"from\":\"alice\",\"kind\":\"created\"}");
    e.kind = ENTRY_MEMBER_LEFT;
    e.data = slice_of(NULL, 0);
    assert_entry(&e, "{\"conversation\":\"" CONVERSATION "\",\"seq\":1,\"at\":\"" AT
                     "\",\"from\":\"alice\",\"kind\":\"member_left\"}");
}

static void test_receipts(void **state)
{
    struct uuid u = conversation();
    struct buf b;

    (void)state;
    buf_init(&b, CEILING);
    receipt_write(&b, slice_str("d1"), &u, slice_str(""), 42, at_ms);
    assert_string_equal(b.data, "{\"id\":\"d1\",\"conversation\":\"" CONVERSATION
                                "\",\"seq\":42,\"at\":\"" AT "\"}");
    buf_reset(&b);
    receipt_write(&b, slice_str("d1"), &u, slice_str("@bob"), 42, at_ms);
    assert_string_equal(b.data, "{\"id\":\"d1\",\"conversation\":\"" CONVERSATION
                                "\",\"to\":\"@bob\",\"seq\":42,\"at\":\"" AT "\"}");
    buf_reset(&b);
    receipt_write_error(&b, slice_str("d1"), slice_str("@bob"), CODE_NOT_FOUND, "no such user", -1);
    assert_string_equal(b.data, "{\"id\":\"d1\",\"conversation\":\"@bob\",\"error\":"
                                "{\"code\":\"not_found\",\"reason\":\"no such user\"}}");
    buf_reset(&b);
    receipt_write_error(&b, slice_of(NULL, 0), slice_str("@bob"), CODE_UNAVAILABLE, "busy", 500);
    assert_string_equal(b.data, "{\"conversation\":\"@bob\",\"error\":{\"code\":\"unavailable\","
                                "\"reason\":\"busy\",\"retry_after_ms\":500}}");
    buf_finish(&b);
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(entry_kind_name(ENTRY_MEMBER_REMOVED), "member_removed");
    assert_string_equal(entry_kind_name((enum entry_kind)99), "unknown");
    assert_string_equal(conversation_kind_name((enum conversation_kind)99), "unknown");
    assert_string_equal(role_name((enum role)99), "unknown");
    assert_string_equal(role_name(ROLE_NONE), "none");
    assert_string_equal(conversation_kind_name(CONVERSATION_DIRECT), "direct");
    assert_string_equal(conversation_kind_name(CONVERSATION_GROUP), "group");
    assert_string_equal(conversation_kind_name(CONVERSATION_CHANNEL), "channel");
    assert_string_equal(role_name(ROLE_READER), "reader");
    assert_string_equal(role_name(ROLE_MEMBER), "member");
    assert_string_equal(role_name(ROLE_ADMIN), "admin");
    assert_string_equal(role_name(ROLE_OWNER), "owner");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_what_concerns_a_message),
        cmocka_unit_test(test_made_by_the_server),
        cmocka_unit_test(test_receipts),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
