/* SPDX-License-Identifier: MIT */
/* words_fuzz.c - whatever the text, what comes out is a list of quoted words without a quote or a
 * backslash inside, joined as PostgreSQL reads it; and a text has every word of itself as a query.
 */
#include "fuzz/fuzz.h"

#include "base/utf8.h"
#include "core/words.h"

#include <string.h>

enum { CEILING = 4 * WORDS_MAX_BYTES };

/* Takes the next quoted word off *rest; false when there is none. */
static bool take_word(struct slice *rest, const char *joint, struct slice *word)
{
    size_t skip = word->data ? strlen(joint) : 0;
    const char *end;

    if (rest->length == 0)
        return false;
    must(rest->length > skip + 2 && memcmp(rest->data, joint, skip) == 0);
    must(rest->data[skip] == '\'');
    end = memchr(rest->data + skip + 1, '\'', rest->length - skip - 1);
    must(end);
    *word = slice_of(rest->data + skip, (size_t)(end + 1 - rest->data) - skip);
    must(word->length > 2 && !memchr(word->data, '\\', word->length));
    *rest = slice_of(end + 1, rest->length - skip - word->length);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input = slice_of((const char *)data, size);
    struct slice rest, word = {NULL, 0};
    struct buf text, query;
    size_t count;
    bool ok;

    buf_init(&text, CEILING);
    buf_init(&query, CEILING);
    ok = words_of_text(input, &text);
    must(ok == words_of_query(input, &query));
    must(ok || !utf8_count(input, &count));
    rest = ok ? buf_slice(&text) : slice_of("", 0);
    while (take_word(&rest, " ", &word))
        continue;
    word = slice_of(NULL, 0);
    rest = ok ? buf_slice(&query) : slice_of("", 0);
    while (take_word(&rest, " & ", &word))
        must(memmem(text.data, text.length, word.data, word.length));
    buf_finish(&text);
    buf_finish(&query);
    return 0;
}
