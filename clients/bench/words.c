/* SPDX-License-Identifier: MIT */
/* words.c - see words.h. */
#include "words.h"

void words_put(struct buf *b, unsigned bytes)
{
    static const char words[] = "the quick brown fox jumps over the lazy dog and ";

    for (unsigned i = 0; i < bytes; i++)
        buf_char(b, words[i % (sizeof(words) - 1)]);
}
