/* SPDX-License-Identifier: MIT */
/* words.c - see words.h. Words consist of letters, digits, marks and pictographs only, so that none
 * can hold a quote or a backslash: that is what makes the quoted output safe. */
#include "core/words.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

enum { CHARACTER_MAX_BYTES = 4 };

struct range {
    int32_t first, last;
};

/* Letters, marks and digits of these are written without spaces between words. Sorted. */
static const struct range dense_ranges[] = {
    {0x0e00, 0x0eff},   /* Thai, Lao */
    {0x1000, 0x109f},   /* Myanmar */
    {0x1100, 0x11ff},   /* Hangul letters */
    {0x1780, 0x17ff},   /* Khmer */
    {0x1950, 0x19ff},   /* Tai Le, New Tai Lue, Khmer symbols */
    {0x1a20, 0x1aaf},   /* Tai Tham */
    {0x1b00, 0x1b7f},   /* Balinese */
    {0x2e80, 0x2fdf},   /* Han radicals */
    {0x3005, 0x3007},   /* Han iteration mark, closing mark, zero */
    {0x3021, 0x303c},   /* Hangzhou numerals, kana repeat marks */
    {0x3041, 0x31ff},   /* kana, Bopomofo, Hangul letters, Kanbun */
    {0x3400, 0x4dbf},   /* Han */
    {0x4e00, 0x9fff},   /* Han */
    {0xa960, 0xa97f},   /* Hangul letters */
    {0xa980, 0xaadf},   /* Javanese, Cham, Myanmar, Tai Viet */
    {0xac00, 0xd7ff},   /* Hangul */
    {0xf900, 0xfaff},   /* Han */
    {0x1aff0, 0x1b16f}, /* kana */
    {0x20000, 0x3ffff}, /* Han */
};

/* Points that help reading and are mostly left out, and the stroke that stretches words. Sorted. */
static const struct range optional_ranges[] = {
    {0x0591, 0x05bd}, {0x05bf, 0x05bf}, {0x05c1, 0x05c2}, {0x05c4, 0x05c5}, {0x05c7, 0x05c7},
    {0x0610, 0x061a}, {0x0640, 0x0640}, {0x064b, 0x065f}, {0x0670, 0x0670}, {0x06d6, 0x06dc},
    {0x06df, 0x06e4}, {0x06e7, 0x06e8}, {0x06ea, 0x06ed},
};

/* Two of them are a flag. */
static const struct range flag_letters = {0x1f1e6, 0x1f1ff};

enum character_class {
    CLASS_BETWEEN, /* of no word */
    CLASS_LETTER,
    CLASS_DENSE,
    CLASS_PICTOGRAPH,
    CLASS_OPTIONAL, /* as if it were not there */
};

struct cutter {
    struct buf *out;
    bool is_query;
    size_t bytes; /* of words so far */
    size_t words;
    char word[WORD_MAX_CHARACTERS * CHARACTER_MAX_BYTES]; /* being put together */
    size_t word_length;
    size_t word_characters;
    char before[CHARACTER_MAX_BYTES]; /* the last dense character of the run */
    size_t before_length;             /* 0: no run */
    bool before_is_paired;
};

static int compare_range(const void *key, const void *element)
{
    int32_t c = *(const int32_t *)key;
    const struct range *range = element;

    return c < range->first ? -1 : c > range->last;
}

#define IS_IN(c, ranges)                                                                           \
    (bsearch(&(c), ranges, sizeof(ranges) / sizeof *(ranges), sizeof *(ranges), compare_range) !=  \
     NULL)

static enum character_class class_of(int32_t c)
{
    switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
        if (c < optional_ranges[0].first)
            return CLASS_LETTER;
        if (IS_IN(c, optional_ranges))
            return CLASS_OPTIONAL;
        return IS_IN(c, dense_ranges) ? CLASS_DENSE : CLASS_LETTER;
    case UTF8PROC_CATEGORY_SO:
        return CLASS_PICTOGRAPH;
    default:
        return CLASS_BETWEEN;
    }
}

static void put_word(struct cutter *k, const char *bytes, size_t length)
{
    if (k->bytes + length > WORDS_MAX_BYTES)
        return;
    k->bytes += length;
    if (k->words++ > 0)
        buf_str(k->out, k->is_query ? " & " : " ");
    buf_char(k->out, '\'');
    buf_bytes(k->out, bytes, length);
    buf_char(k->out, '\'');
}

static void end_word(struct cutter *k)
{
    if (k->word_length > 0)
        put_word(k, k->word, k->word_length);
    k->word_length = 0;
    k->word_characters = 0;
}

static void add_letter(struct cutter *k, const char *bytes, size_t length)
{
    if (k->word_characters == WORD_MAX_CHARACTERS)
        return;
    memcpy(k->word + k->word_length, bytes, length);
    k->word_length += length;
    k->word_characters++;
}

/* In a query a single character stands only for itself: pairs say more. */
static void end_run(struct cutter *k)
{
    if (k->is_query && k->before_length > 0 && !k->before_is_paired)
        put_word(k, k->before, k->before_length);
    k->before_length = 0;
}

static void add_dense(struct cutter *k, const char *bytes, size_t length)
{
    char pair[2 * CHARACTER_MAX_BYTES];
    bool follows = k->before_length > 0;

    if (follows) {
        memcpy(pair, k->before, k->before_length);
        memcpy(pair + k->before_length, bytes, length);
        put_word(k, pair, k->before_length + length);
    }
    if (!k->is_query)
        put_word(k, bytes, length);
    memcpy(k->before, bytes, length);
    k->before_length = length;
    k->before_is_paired = follows;
}

/* A flag's two letters are put together like a word of two. */
static void add_pictograph(struct cutter *k, int32_t c, const char *bytes, size_t length)
{
    if (c < flag_letters.first || c > flag_letters.last) {
        end_word(k);
        put_word(k, bytes, length);
        return;
    }
    add_letter(k, bytes, length);
    if (k->word_characters == 2)
        end_word(k);
}

static bool is_flag_letter(const struct cutter *k)
{
    int32_t c = 0;

    return k->word_length > 0 &&
           utf8proc_iterate((const uint8_t *)k->word, (utf8proc_ssize_t)k->word_length, &c) > 0 &&
           c >= flag_letters.first && c <= flag_letters.last;
}

static void add_character(struct cutter *k, int32_t c, const char *bytes, size_t length)
{
    enum character_class class = class_of(c);

    if (class == CLASS_OPTIONAL)
        return;
    if (class != CLASS_DENSE)
        end_run(k);
    if (class == CLASS_BETWEEN || class == CLASS_DENSE ||
        (class == CLASS_LETTER) == is_flag_letter(k))
        end_word(k);
    if (class == CLASS_LETTER)
        add_letter(k, bytes, length);
    else if (class == CLASS_DENSE)
        add_dense(k, bytes, length);
    else if (class == CLASS_PICTOGRAPH)
        add_pictograph(k, c, bytes, length);
}

static bool cut(struct slice text, struct buf *out, bool is_query)
{
    struct cutter k = {.out = out, .is_query = is_query};
    uint8_t *folded = NULL;
    utf8proc_ssize_t length, at = 0, step;
    int32_t c;

    if (text.length == 0)
        return true;
    length = utf8proc_map((const uint8_t *)text.data, (utf8proc_ssize_t)text.length, &folded,
                          UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD |
                              UTF8PROC_IGNORE);
    if (length < 0)
        return false;
    while (at < length && k.bytes < WORDS_MAX_BYTES) {
        step = utf8proc_iterate(folded + at, length - at, &c);
        assert(step > 0 && step <= CHARACTER_MAX_BYTES);
        add_character(&k, c, (const char *)folded + at, (size_t)step);
        at += step;
    }
    end_word(&k);
    end_run(&k);
    free(folded);
    return !out->failed;
}

bool words_of_text(struct slice text, struct buf *out)
{
    return cut(text, out, false);
}

bool words_of_query(struct slice text, struct buf *out)
{
    return cut(text, out, true);
}
