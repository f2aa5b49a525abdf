/* SPDX-License-Identifier: MIT */
/* words_test.c - how text of many languages is cut into words, and that no query can be more than
 * words. */
#include "unit/unit.h"

#include "core/words.h"

static void expect(bool (*cut)(struct slice, struct buf *), const char *text, const char *words)
{
    struct buf out;

    buf_init(&out, 4 * WORDS_MAX_BYTES);
    assert_true(cut(slice_str(text), &out));
    assert_string_equal(out.data ? out.data : "", words);
    buf_finish(&out);
}

static void test_words_of_text(void **state)
{
    static const struct {
        const char *text;
        const char *words;
    } cases[] = {
        {"", ""},
        {" \t\n…!?", ""},
        {"Hello, World!", "'hello' 'world'"},
        {"don't stop", "'don' 't' 'stop'"},
        {"3.14 km/h", "'3' '14' 'km' 'h'"},
        {"STRASSE Straße", "'strasse' 'strasse'"},
        {"Größe Ärger", "'grösse' 'ärger'"},
        {"Gro\u0308\u00dfe", "'grösse'"}, /* composed, whatever form it came in */
        {"ﬁne Ｗｉｄｅ", "'fine' 'wide'"},
        {"foo\u00adbar", "'foobar'"}, /* soft hyphen */
        {"Привет МИР", "'привет' 'мир'"},
        {"ΣΊΣΥΦΟΣ σίσυφος", "'σίσυφοσ' 'σίσυφοσ'"},
        {"السَّلَامُ عَلَيْكُمْ", "'السلام' 'عليكم'"},
        {"الســلام", "'السلام'"},
        {"שָׁלוֹם", "'שלום'"},
        {"می\u200cخواهم", "'میخواهم'"},
        {"नमस्ते दुनिया", "'नमस्ते' 'दुनिया'"},
        {"தமிழ் மொழி", "'தமிழ்' 'மொழி'"},
        {"漢字", "'漢' '漢字' '字'"},
        {"猫。犬", "'猫' '犬'"},
        {"ｶﾞｷﾞ", "'ガ' 'ガギ' 'ギ'"},
        {"iPhone手机x", "'iphone' '手' '手机' '机' 'x'"},
        {"한국어", "'한' '한국' '국' '국어' '어'"},
        {"ไทย", "'ไ' 'ไท' 'ท' 'ทย' 'ย'"},
        {"\U00020000\U00020001", "'\U00020000' '\U00020000\U00020001' '\U00020001'"},
        {"😀🎉ok", "'😀' '🎉' 'ok'"},
        {"👩\u200d👧", "'👩' '👧'"},
        {"👍🏽 ❤\ufe0f", "'👍' '❤'"},
        {"🇸🇪🇩🇪", "'🇸🇪' '🇩🇪'"},
        {"a🇸🇪b", "'a' '🇸🇪' 'b'"},
        {"🇸😀", "'🇸' '😀'"},
        {"x'y\\z:*&|!()<->", "'x' 'y' 'z'"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        expect(words_of_text, cases[i].text, cases[i].words);
}

static void test_words_of_queries(void **state)
{
    static const struct {
        const char *text;
        const char *words;
    } cases[] = {
        {"", ""},
        {"&|!", ""},
        {"Hello World", "'hello' & 'world'"},
        {"猫", "'猫'"},
        {"漢字", "'漢字'"},
        {"東京都", "'東京' & '京都'"},
        {"猫 漢字", "'猫' & '漢字'"},
        {"手机x", "'手机' & 'x'"},
        {"'; DROP TABLE users; --", "'drop' & 'table' & 'users'"},
        {"a' | 'b' & !c:*", "'a' & 'b' & 'c'"},
        {"/0190f3a1-0000", "'0190f3a1' & '0000'"},
        {"\\", ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        expect(words_of_query, cases[i].text, cases[i].words);
}

static void test_long_words_are_cut_alike(void **state)
{
    char text[2 * WORD_MAX_CHARACTERS + 1], wanted[WORD_MAX_CHARACTERS + 3];

    (void)state;
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    memset(wanted, 'a', sizeof wanted);
    wanted[0] = wanted[WORD_MAX_CHARACTERS + 1] = '\'';
    wanted[WORD_MAX_CHARACTERS + 2] = '\0';
    expect(words_of_text, text, wanted);
    expect(words_of_query, text, wanted);
}

/* The worst: every character becomes eighteen. */
static void test_words_are_bounded(void **state)
{
    static const char *const samples[] = {"\ufdfa", "漢", "\U00020000", "a ", "😀"};
    struct buf text, out;

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(samples); i++) {
        size_t words = 0;

        buf_init(&text, 1 << 20);
        buf_init(&out, 4 * WORDS_MAX_BYTES);
        for (int n = 0; n < 100000; n++)
            buf_str(&text, samples[i]);
        assert_true(words_of_text(buf_slice(&text), &out));
        for (size_t at = 0; at < out.length; at++)
            words += out.data[at] == '\'';
        assert_true(words > 0);
        assert_true(out.length - words * 3 / 2 <= WORDS_MAX_BYTES);
        buf_finish(&text);
        buf_finish(&out);
    }
}

static void test_what_is_no_text(void **state)
{
    static const char *const broken[] = {"\xff", "a\xc3", "\xed\xa0\x80", "\xf4\x90\x80\x80"};
    struct buf out;

    (void)state;
    buf_init(&out, 4 * WORDS_MAX_BYTES);
    for (size_t i = 0; i < ARRAY_LENGTH(broken); i++)
        assert_false(words_of_text(slice_str(broken[i]), &out));
    assert_true(words_of_text(slice_of("a\0b", 3), &out));
    assert_string_equal(out.data, "'a' 'b'");
    buf_finish(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words_of_text),
        cmocka_unit_test(test_words_of_queries),
        cmocka_unit_test(test_long_words_are_cut_alike),
        cmocka_unit_test(test_words_are_bounded),
        cmocka_unit_test(test_what_is_no_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
