/* SPDX-License-Identifier: MIT */
/* names_test.c - hostile names, client ids, draft ids and the ids of direct conversations. */
#include "unit/unit.h"

#include "wire/limits.h"
#include "wire/names.h"

/* No table of names may let any of these through. */
static const char *const hostile[] = {
    "",      "+",
    "#",     "a/b",
    "a+",    "a#",
    "$SYS",  "a b",
    " ab",   "ab ",
    "a\tb",  "a\nb",
    "a\x7f", "\xc3\xa9t\xc3\xa9",
    "a\x80", "\xe2\x80\xae-ab",
    "a'b",   "a\"b",
    "a\\b",  "a;b",
    "a:b",   "a@b",
    "a%2fb", "a,b",
    "a(b)",  "a*b",
    "a?b",   "a|b",
    "a&b",   "a=b",
    "a<b>",  "a~b",
    "a`b",   "a!b",
    "a^b",   "a{b}",
    "a[b]",  "\xef\xbc\xa1-b",
    "../ab", "/ab",
    "ab/",
};

static void test_hostile_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(hostile); i++) {
        assert_false(handle_is_valid(slice_str(hostile[i])));
        assert_false(device_is_valid(slice_str(hostile[i])));
    }
    assert_false(handle_is_valid(slice_of("ab\0c", 4)));
    assert_false(device_is_valid(slice_of("ab\0c", 4)));
}

static void test_handles(void **state)
{
    static const char *const good[] = {"al", "alice", "0a",  "a.b-c_d",
                                       "a-", "a.",    "a__", "abcdefghijklmnopqrstuvwxyz012345"};
    static const char *const bad[] = {
        "a", "Alice", "aLice", ".a", "-a", "_a", "abcdefghijklmnopqrstuvwxyz0123456"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++)
        assert_true(handle_is_valid(slice_str(good[i])));
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
        assert_false(handle_is_valid(slice_str(bad[i])));
}

static void test_devices(void **state)
{
    static const char *const good[] = {"a", "Phone", "-",
                                       "_", "0",     "abcdefghijklmnopqrstuvwxyzABCDEF"};
    static const char *const bad[] = {"a.b", "abcdefghijklmnopqrstuvwxyzABCDEFG"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++)
        assert_true(device_is_valid(slice_str(good[i])));
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
        assert_false(device_is_valid(slice_str(bad[i])));
}

static void test_client_ids(void **state)
{
    static const char *const bad[] = {
        "",        "alice",     "alice/", "/phone",   "alice//phone",  "alice/a/b",
        "Alice/a", "alice/a.b", "a/b",    "alice /a", "alice/\xc3\xa9"};
    struct slice handle, device, id = slice_str("al.ice/Phone_1");

    (void)state;
    assert_true(client_id_split(id, &handle, &device));
    assert_true(slice_equal(handle, slice_str("al.ice")));
    assert_true(slice_equal(device, slice_str("Phone_1")));
    assert_ptr_equal(handle.data, id.data);
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
        assert_false(client_id_split(slice_str(bad[i]), &handle, &device));
    assert_false(client_id_split(slice_of(NULL, 0), &handle, &device));
    assert_false(client_id_split(slice_of("alice/a\0", 8), &handle, &device));
}

static void test_draft_ids(void **state)
{
    static const char *const good[] = {
        "1", " ", "a b", "\xc3\xa9", "\xf0\x9f\x91\x8d", "\xc2\xa0", "\"\\/+#$", "\xe2\x80\xae"};
    static const char *const bad[] = {"",          "a\x01", "\n",           "\x7f",  "a\xc2\x80",
                                      "\xc2\x9f-", "\xff",  "\xed\xa0\x80", "a\xc3", "\xc2"};
    char text[DRAFT_ID_MAX_BYTES + 4];

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++)
        assert_true(draft_id_is_valid(slice_str(good[i])));
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
        assert_false(draft_id_is_valid(slice_str(bad[i])));
    assert_false(draft_id_is_valid(slice_of("a\0b", 3)));
    for (size_t i = 0; i <= DRAFT_ID_MAX_CHARACTERS; i++)
        memcpy(text + 4 * i, "\xf0\x9f\x91\x8d", 4);
    assert_true(draft_id_is_valid(slice_of(text, DRAFT_ID_MAX_BYTES)));
    assert_false(draft_id_is_valid(slice_of(text, DRAFT_ID_MAX_BYTES + 4)));
    memset(text, 'a', sizeof text);
    assert_true(draft_id_is_valid(slice_of(text, DRAFT_ID_MAX_CHARACTERS)));
    assert_false(draft_id_is_valid(slice_of(text, DRAFT_ID_MAX_CHARACTERS + 1)));
}

static void assert_direct(const char *a, const char *b, const char *expected)
{
    struct uuid u = direct_conversation_id(slice_str(a), slice_str(b));
    char text[UUID_TEXT_LENGTH + 1];

    uuid_format(&u, text);
    assert_string_equal(text, expected);
}

/* Clients derive these too: printf 'banter-direct\nalice\nbob' | sha256sum, then the version bits.
 */
static void test_direct_conversation_ids(void **state)
{
    (void)state;
    assert_direct("alice", "bob", "d00bef48-2d4a-800c-aa7f-9862f777a674");
    assert_direct("bob", "alice", "d00bef48-2d4a-800c-aa7f-9862f777a674");
    assert_direct("alice", "alice", "a059ba1a-a17b-8586-a8fd-6291f3178fdb");
    assert_direct("al", "alice", "1ba97b68-9c73-8bb5-b118-13688219324d"); /* a prefix sorts first */
    assert_direct("alice", "al", "1ba97b68-9c73-8bb5-b118-13688219324d");
    assert_direct("abcdefghijklmnopqrstuvwxyz012345", "abcdefghijklmnopqrstuvwxyz012346",
                  "42f83dec-2eb3-8b7f-9b15-0fb13659bef2");
}

static void test_emojis(void **state)
{
    /* seven code points */
    static const char family_of_four[] = "\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9\xe2\x80\x8d"
                                         "\xf0\x9f\x91\xa7\xe2\x80\x8d\xf0\x9f\x91\xa6";
    static const char *const good[] = {"+", "\xf0\x9f\x91\x8d", "12345678", " ", family_of_four};
    static const char *const bad[] = {"", "123456789", "\n", "a\x7f", "\xc2\x85", "\xff"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++)
        assert_true(emoji_is_valid(slice_str(good[i])));
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
        assert_false(emoji_is_valid(slice_str(bad[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hostile_names),
        cmocka_unit_test(test_handles),
        cmocka_unit_test(test_devices),
        cmocka_unit_test(test_client_ids),
        cmocka_unit_test(test_emojis),
        cmocka_unit_test(test_draft_ids),
        cmocka_unit_test(test_direct_conversation_ids),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
