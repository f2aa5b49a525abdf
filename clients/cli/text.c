/* SPDX-License-Identifier: MIT */
/* text.c - the words of a call as one text. */
#include "cli.h"

#include <string.h>

enum { TEXT_SIZE = 400 * 1024 + 2 }; /* the longest text there may be, in bytes */

const char *text_of(char *const *words)
{
    static char text[TEXT_SIZE];
    size_t length = 0;

    for (; *words; words++) {
        size_t next = strlen(*words), blank = length > 0 ? 1 : 0;

        if (next + blank >= sizeof text - length) {
            (void)fail_by(BANTER_TOO_LARGE, NULL);
            return NULL;
        }
        if (blank)
            text[length++] = ' ';
        memcpy(text + length, *words, next);
        length += next;
    }
    text[length] = '\0';
    return text;
}
