/* SPDX-License-Identifier: MIT */
/* draft_test.c - good drafts, every reason to refuse one, and the id that a refusal names; each
 * read in both ways. */
#include "unit/unit.h"

#include "base/buf.h"
#include "wire/draft.h"

#include <limits.h>
#include <stdlib.h>

/* draft_parse(), which must say the same of it as the JSON library alone. */
static enum code parse(struct draft *d, struct slice json, const char **reason)
{
    const char *other_reason = *reason;
    struct draft other;
    enum code code = draft_parse(d, json, reason);

    assert_int_equal(draft_parse_json(&other, json, &other_reason), code);
    assert_true(slice_equal(slice_str(other_reason), slice_str(*reason)));
    assert_true(slice_equal(other.id, d->id) && slice_equal(other.text, d->text));
    assert_int_equal(other.kind, d->kind);
    assert_int_equal(other.reply_to, d->reply_to);
    assert_int_equal(other.target, d->target);
    assert_int_equal(other.remove, d->remove);
    draft_finish(&other);
    return code;
}

static void test_good_drafts(void **state)
{
    static const struct {
        const char *json;
        const char *text;
        int64_t reply_to;
    } cases[] = {
        {"{\"id\":\"d1\",\"text\":\"hello\"}", "hello", 0},
        {"{\"text\":\"hello\",\"id\":\"d1\",\"kind\":\"text\"}", "hello", 0},
        {"{\"id\":\"d1\",\"text\":\"hello\",\"reply_to\":1}", "hello", 1},
        {"{\"id\":\"d1\",\"text\":\"x\",\"reply_to\":9223372036854775807}", "x", INT64_MAX},
        {"{\"id\":\"d1\",\"text\":\"x\",\"later\":{\"a\":[1,2]},\"more\":1.5}", "x", 0},
        {"{\"id\":\"d1\",\"text\":\" \"}", " ", 0},
        {"{\"id\":\"d1\",\"text\":\"\\n\\t\\r\"}", "\n\t\r", 0},
        {"{\"id\":\"d1\",\"text\":\"\\ud83d\\udc4d\"}", "\xf0\x9f\x91\x8d", 0},
        {"{\"id\":\"d1\",\"text\":\"\x7f\xc2\x85\xe2\x80\xae\xef\xbb\xbf\xef\xbf\xbf\"}",
         "\x7f\xc2\x85\xe2\x80\xae\xef\xbb\xbf\xef\xbf\xbf", 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        const char *reason = NULL;
        struct draft d;

        assert_int_equal(parse(&d, slice_str(cases[i].json), &reason), CODE_OK);
        assert_null(reason);
        assert_true(slice_equal(d.id, slice_str("d1")));
        assert_true(slice_equal(d.text, slice_str(cases[i].text)));
        assert_int_equal(d.reply_to, cases[i].reply_to);
        assert_int_equal(d.kind, ENTRY_TEXT);
        draft_finish(&d);
        draft_finish(&d);
    }
}

struct refusal {
    const char *json;
    const char *id;
    const char *reason;
};

static void assert_refused(const struct refusal *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *reason = NULL;
        struct draft d;

        if (parse(&d, slice_str(cases[i].json), &reason) != CODE_INVALID)
            fail_msg("%s", cases[i].json);
        assert_string_equal(reason, cases[i].reason);
        if (!slice_equal(d.id, slice_str(cases[i].id)))
            fail_msg("%s: id", cases[i].json);
        draft_finish(&d);
    }
}

static void test_refusals(void **state)
{
    static const char id_reason[] =
        "id must have 1 to 64 characters, none of them a control character";
    static const char reply_reason[] = "reply_to must be an integer of at least 1";
    static const char control_reason[] =
        "text has a control character other than tab and line ends";
    static const struct refusal cases[] = {
        {"", "", "empty"},
        {"hello", "", "not valid JSON"},
        {"[]", "", "not a JSON object"},
        {"{}", "", "id must be a string"},
        {"{\"text\":\"x\"}", "", "id must be a string"},
        {"{\"id\":null,\"text\":\"x\"}", "", "id must be a string"},
        {"{\"id\":7,\"text\":\"x\"}", "", "id must be a string"},
        {"{\"id\":\"\",\"text\":\"x\"}", "", id_reason},
        {"{\"id\":\"a\\nb\",\"text\":\"x\"}", "", id_reason},
        {"{\"id\":\"a\\u0085\",\"text\":\"x\"}", "", id_reason},
        {"{\"id\":\"12345678901234567890123456789012345678901234567890123456789012345\","
         "\"text\":\"x\"}",
         "", id_reason},
        {"{\"id\":\"d1\"}", "d1", "text must be a string"},
        {"{\"id\":\"d1\",\"text\":null}", "d1", "text must be a string"},
        {"{\"id\":\"d1\",\"text\":[\"x\"]}", "d1", "text must be a string"},
        {"{\"id\":\"d1\",\"text\":\"\"}", "d1", "text is empty"},
        {"{\"id\":\"d1\",\"text\":\"a\\u0001\"}", "d1", control_reason},
        {"{\"id\":\"d1\",\"text\":\"a\\u001b[0m\"}", "d1", control_reason},
        {"{\"id\":\"d1\",\"text\":\"a\\b\"}", "d1", control_reason},
        {"{\"id\":\"d1\",\"text\":\"a\\u0000\"}", "d1", "the character U+0000 is not allowed"},
        {"{\"id\":\"d1\",\"text\":\"\\ud800\"}", "d1",
         "a surrogate without its other half is not a character"},
        {"{\"id\":\"d1\",\"text\":\"\xed\xa0\x80\"}", "d1", "not valid UTF-8"},
        {"{\"id\":\"d1\",\"text\":\"\xff\"}", "d1", "not valid UTF-8"},
        {"{\"id\":\"d1\",\"text\":\"x\",\"text\":\"y\"}", "d1",
         "a member occurs twice in one object"},
        {"{\"id\":\"d1\",\"text\":\"x\"", "d1", "not valid JSON"},
        {"{\"id\":\"d1\",\"text\":\"x\"}}", "d1", "not valid JSON"},
        {"{\"id\":\"d1\",\"text\":\"x\",\"a\":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}", "d1",
         "nested too deeply"},
        {"{\"id\":\"d1\",\"text\":\"x\",\"kind\":\"deletion\"}", "d1", "unknown kind"},
        {"{\"id\":\"d1\",\"kind\":\"created\"}", "d1", "unknown kind"},
        {"{\"id\":\"d1\",\"text\":\"x\",\"kind\":\"Text\"}", "d1", "unknown kind"},
        {"{\"id\":\"d1\",\"text\":\"x\",\"kind\":1}", "d1", "kind must be a string"},
        {"{\"id\":\"d1\",\"text\":\"x\",\"kind\":null}", "d1", "kind must be a string"},
        {"{\"id\":\"d1\",\"text\":\"x\",\"reply_to\":0}", "d1", reply_reason},
        {"{\"id\":\"d1\",\"text\":\"x\",\"reply_to\":-1}", "d1", reply_reason},
        {"{\"id\":\"d1\",\"text\":\"x\",\"reply_to\":1.0}", "d1", reply_reason},
        {"{\"id\":\"d1\",\"text\":\"x\",\"reply_to\":\"1\"}", "d1", reply_reason},
        {"{\"id\":\"d1\",\"text\":\"x\",\"reply_to\":null}", "d1", reply_reason},
        {"{\"id\":\"d1\",\"text\":\"x\",\"reply_to\":9223372036854775808}", "d1",
         "a number is out of range"},
    };

    (void)state;
    assert_refused(cases, ARRAY_LENGTH(cases));
}

static void test_refusals_of_what_concerns_a_message(void **state)
{
    static const char target_reason[] = "target must be an integer of at least 1";
    static const char emoji_reason[] =
        "emoji must have 1 to 8 characters, none of them a control character";
    static const struct refusal cases[] = {
        {"{\"id\":\"d1\",\"text\":\"x\",\"kind\":\"edit\"}", "d1", target_reason},
        {"{\"id\":\"d1\",\"kind\":\"edit\",\"target\":0,\"text\":\"x\"}", "d1", target_reason},
        {"{\"id\":\"d1\",\"kind\":\"edit\",\"target\":\"1\",\"text\":\"x\"}", "d1", target_reason},
        {"{\"id\":\"d1\",\"kind\":\"edit\",\"target\":1}", "d1", "text must be a string"},
        {"{\"id\":\"d1\",\"kind\":\"edit\",\"target\":1,\"text\":\"\"}", "d1", "text is empty"},
        {"{\"id\":\"d1\",\"kind\":\"delete\"}", "d1", target_reason},
        {"{\"id\":\"d1\",\"kind\":\"delete\",\"target\":1.0}", "d1", target_reason},
        {"{\"id\":\"d1\",\"kind\":\"reaction\",\"emoji\":\"+\"}", "d1", target_reason},
        {"{\"id\":\"d1\",\"kind\":\"reaction\",\"target\":1}", "d1", "emoji must be a string"},
        {"{\"id\":\"d1\",\"kind\":\"reaction\",\"target\":1,\"emoji\":\"\"}", "d1", emoji_reason},
        {"{\"id\":\"d1\",\"kind\":\"reaction\",\"target\":1,\"emoji\":\"123456789\"}", "d1",
         emoji_reason},
        {"{\"id\":\"d1\",\"kind\":\"reaction\",\"target\":1,\"emoji\":\"\\n\"}", "d1",
         emoji_reason},
        {"{\"id\":\"d1\",\"kind\":\"reaction\",\"target\":1,\"emoji\":\"\\u0085\"}", "d1",
         emoji_reason},
        {"{\"id\":\"d1\",\"kind\":\"reaction\",\"target\":1,\"emoji\":\"+\",\"remove\":1}", "d1",
         "remove must be true or false"},
    };

    (void)state;
    assert_refused(cases, ARRAY_LENGTH(cases));
}

static void test_kinds_that_concern_a_message(void **state)
{
    static const struct {
        const char *json;
        struct draft expected; /* without the id */
    } cases[] = {
        {"{\"id\":\"d1\",\"kind\":\"edit\",\"target\":7,\"text\":\"new\",\"reply_to\":\"ignored\"}",
         {.kind = ENTRY_EDIT, .target = 7, .text = {"new", 3}}},
        {"{\"target\":1,\"kind\":\"delete\",\"id\":\"d1\",\"text\":7}",
         {.kind = ENTRY_DELETE, .target = 1}},
        {"{\"id\":\"d1\",\"kind\":\"reaction\",\"target\":7,\"emoji\":\"\\ud83d\\udc4d\"}",
         {.kind = ENTRY_REACTION, .target = 7, .text = {"\xf0\x9f\x91\x8d", 4}}},
        {"{\"id\":\"d1\",\"kind\":\"reaction\",\"target\":7,\"emoji\":\"12345678\",\"remove\":"
         "false}",
         {.kind = ENTRY_REACTION, .target = 7, .text = {"12345678", 8}}},
        {"{\"id\":\"d1\",\"kind\":\"reaction\",\"target\":7,\"emoji\":\"+\",\"remove\":true}",
         {.kind = ENTRY_REACTION, .target = 7, .text = {"+", 1}, .remove = true}},
        {"{\"id\":\"d1\",\"text\":\"x\",\"target\":7,\"emoji\":1,\"remove\":2}",
         {.kind = ENTRY_TEXT, .text = {"x", 1}}},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        const struct draft *expected = &cases[i].expected;
        const char *reason = NULL;
        struct draft d;

        if (parse(&d, slice_str(cases[i].json), &reason) != CODE_OK)
            fail_msg("%s: %s", cases[i].json, reason);
        assert_int_equal(d.kind, expected->kind);
        assert_int_equal(d.target, expected->target);
        assert_int_equal(d.remove, expected->remove);
        assert_int_equal(d.reply_to, 0);
        assert_true(slice_equal(d.text, expected->text));
        draft_finish(&d);
    }
}

/* A draft whose text is `count` times `character`. */
static void write_long(struct buf *b, const char *character, size_t count)
{
    buf_reset(b);
    buf_str(b, "{\"id\":\"d1\",\"text\":\"");
    for (size_t i = 0; i < count; i++)
        buf_str(b, character);
    buf_str(b, "\"}");
    assert_false(b->failed);
}

static void test_text_length_is_counted_in_characters(void **state)
{
    static const char *const characters[] = {"a", "\xc3\xa9", "\xe4\xb8\xad", "\xf0\x9f\x91\x8d",
                                             "\\u00e9"};
    struct buf b;

    (void)state;
    buf_init(&b, 2 * PAYLOAD_MAX_BYTES);
    for (size_t i = 0; i < ARRAY_LENGTH(characters); i++) {
        const char *reason = NULL;
        struct draft d;

        write_long(&b, characters[i], TEXT_MAX_CHARACTERS);
        assert_int_equal(parse(&d, buf_slice(&b), &reason), CODE_OK);
        draft_finish(&d);
        write_long(&b, characters[i], TEXT_MAX_CHARACTERS + 1);
        assert_int_equal(parse(&d, buf_slice(&b), &reason), CODE_TOO_LARGE);
        assert_string_equal(reason, "text has more than 100000 characters");
        assert_true(slice_equal(d.id, slice_str("d1")));
        draft_finish(&d);
    }
    buf_finish(&b);
}

/* A draft whose id is `count` times `character`. */
static void write_long_id(struct buf *b, const char *character, size_t count)
{
    buf_reset(b);
    buf_str(b, "{\"text\":\"x\",\"id\":\"");
    for (size_t i = 0; i < count; i++)
        buf_str(b, character);
    buf_str(b, "\"}");
    assert_false(b->failed);
}

static void test_id_length_is_counted_in_characters(void **state)
{
    static const char *const characters[] = {"a", "\xc3\xa9", "\xf0\x9f\x91\x8d", "\\u00e9"};
    struct buf b;

    (void)state;
    buf_init(&b, 4096);
    for (size_t i = 0; i < ARRAY_LENGTH(characters); i++) {
        const char *reason = NULL;
        struct draft d;

        write_long_id(&b, characters[i], DRAFT_ID_MAX_CHARACTERS);
        assert_int_equal(parse(&d, buf_slice(&b), &reason), CODE_OK);
        draft_finish(&d);
        write_long_id(&b, characters[i], DRAFT_ID_MAX_CHARACTERS + 1);
        assert_int_equal(parse(&d, buf_slice(&b), &reason), CODE_INVALID);
        assert_int_equal(d.id.length, 0);
        draft_finish(&d);
    }
    buf_finish(&b);
}

/* Spaces count as much as what is between them. */
static void test_payload_of_the_whole_packet(void **state)
{
    static const char json[] = "{\"id\":\"d1\",\"text\":\"x\"}";
    char *padded = malloc(PAYLOAD_MAX_BYTES + 1);
    const char *reason = NULL;
    struct draft d;

    (void)state;
    assert_non_null(padded);
    memset(padded, ' ', PAYLOAD_MAX_BYTES + 1);
    memcpy(padded, json, sizeof json - 1);
    assert_int_equal(parse(&d, slice_of(padded, PAYLOAD_MAX_BYTES), &reason), CODE_OK);
    assert_true(slice_equal(d.text, slice_str("x")));
    draft_finish(&d);
    assert_int_equal(parse(&d, slice_of(padded, PAYLOAD_MAX_BYTES + 1), &reason), CODE_TOO_LARGE);
    assert_string_equal(reason, "longer than the largest packet");
    draft_finish(&d);
    free(padded);
}

static void test_payload_beyond_the_packet(void **state)
{
    const char *reason = NULL;
    struct draft d;
    struct buf b;

    (void)state;
    buf_init(&b, 2 * PAYLOAD_MAX_BYTES);
    write_long(&b, "a", PAYLOAD_MAX_BYTES);
    assert_int_equal(parse(&d, buf_slice(&b), &reason), CODE_TOO_LARGE);
    assert_string_equal(reason, "longer than the largest packet");
    assert_true(slice_equal(d.id, slice_str("d1")));
    draft_finish(&d);
    buf_finish(&b);
}

/* Whether a draft is still good in which the `removed` bytes at `at` have made way for others. */
static bool is_good_with(struct slice draft, size_t at, size_t removed, struct slice added)
{
    const char *reason = NULL;
    struct draft d;
    struct buf b;
    enum code code;

    buf_init(&b, 4096);
    buf_bytes(&b, draft.data, at);
    buf_bytes(&b, added.data, added.length);
    buf_bytes(&b, draft.data + at + removed, draft.length - at - removed);
    assert_false(b.failed);
    code = parse(&d, buf_slice(&b), &reason);
    draft_finish(&d);
    buf_finish(&b);
    return code == CODE_OK;
}

/* Every byte of a plain draft replaced by every other, or left out, every byte put in everywhere,
 * and every beginning. What they mean is in the other tests; here, that it is the same with the
 * JSON library alone. */
static void test_drafts_with_a_byte_changed(void **state)
{
    const struct slice plain = slice_str(" {\"id\": \"d\xc3\xa9\",\"text\" :\"\xf0\x9f\x91\x8d\"}");
    const struct slice nothing = slice_of(NULL, 0);
    size_t good = 0;

    (void)state;
    for (size_t at = 0; at <= plain.length; at++) {
        for (unsigned value = 0; value <= UCHAR_MAX; value++) {
            const char byte = (char)value;

            good += is_good_with(plain, at, 0, slice_of(&byte, 1));
            good += at < plain.length && is_good_with(plain, at, 1, slice_of(&byte, 1));
        }
        good += at < plain.length && is_good_with(plain, at, 1, nothing);
        good += is_good_with(plain, at, plain.length - at, nothing);
    }
    assert_in_range(good, 500, 2000);
}

static void test_no_payload(void **state)
{
    const char *reason = NULL;
    struct draft d;

    (void)state;
    assert_int_equal(parse(&d, slice_of(NULL, 0), &reason), CODE_INVALID);
    assert_string_equal(reason, "empty");
    draft_finish(&d);
}

static void test_peek_id(void **state)
{
    char id[DRAFT_ID_MAX_BYTES + 1];
    struct buf b;

    (void)state;
    draft_peek_id(slice_str("{\"text\":\"x\",\"id\":\"d1\"}"), id);
    assert_string_equal(id, "d1");
    draft_peek_id(slice_str("{\"id\":\"a\\nb\"}"), id);
    assert_string_equal(id, "");
    draft_peek_id(slice_str("garbage"), id);
    assert_string_equal(id, "");
    draft_peek_id(slice_of(NULL, 0), id);
    assert_string_equal(id, "");
    buf_init(&b, 4096);
    buf_str(&b, "{\"id\":\"");
    for (int i = 0; i < DRAFT_ID_MAX_CHARACTERS; i++)
        buf_str(&b, "\\ud83d\\udc4d");
    buf_str(&b, "\"}");
    draft_peek_id(buf_slice(&b), id);
    assert_int_equal(strlen(id), DRAFT_ID_MAX_BYTES);
    buf_finish(&b);
}

static void test_written_drafts_parse(void **state)
{
    const struct draft written = {
        .id = slice_str("d\"1"),
        .kind = ENTRY_TEXT,
        .text = slice_str("quote \" backslash \\ line\n tab\t \xf0\x9f\x91\x8d"),
        .reply_to = 12};
    const char *reason = NULL;
    struct draft d;
    struct buf b;

    (void)state;
    buf_init(&b, 4096);
    draft_write(&b, &written);
    assert_int_equal(parse(&d, buf_slice(&b), &reason), CODE_OK);
    assert_true(slice_equal(d.id, slice_str("d\"1")));
    assert_true(slice_equal(d.text, written.text));
    assert_int_equal(d.reply_to, 12);
    draft_finish(&d);
    buf_reset(&b);
    draft_write(&b,
                &(struct draft){.id = slice_str("d1"), .kind = ENTRY_TEXT, .text = slice_str("x")});
    assert_string_equal(b.data, "{\"id\":\"d1\",\"text\":\"x\"}");
    buf_reset(&b);
    draft_write(&b, &(struct draft){.id = slice_str("d1"), .kind = ENTRY_DELETE, .target = 7});
    assert_string_equal(b.data, "{\"id\":\"d1\",\"kind\":\"delete\",\"target\":7}");
    buf_reset(&b);
    draft_write(&b, &(struct draft){.id = slice_str("d1"),
                                    .kind = ENTRY_REACTION,
                                    .target = 7,
                                    .text = slice_str("+"),
                                    .remove = true});
    assert_string_equal(b.data, "{\"id\":\"d1\",\"kind\":\"reaction\",\"target\":7,"
                                "\"emoji\":\"+\",\"remove\":true}");
    buf_finish(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_drafts),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_refusals_of_what_concerns_a_message),
        cmocka_unit_test(test_kinds_that_concern_a_message),
        cmocka_unit_test(test_text_length_is_counted_in_characters),
        cmocka_unit_test(test_id_length_is_counted_in_characters),
        cmocka_unit_test(test_payload_of_the_whole_packet),
        cmocka_unit_test(test_payload_beyond_the_packet),
        cmocka_unit_test(test_drafts_with_a_byte_changed),
        cmocka_unit_test(test_no_payload),
        cmocka_unit_test(test_peek_id),
        cmocka_unit_test(test_written_drafts_parse),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
