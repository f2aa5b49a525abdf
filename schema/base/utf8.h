/* SPDX-License-Identifier: MIT */
/* utf8.h - UTF-8 as RFC 3629 defines it: no overlong forms, no surrogates, nothing above U+10FFFF.
 */
#ifndef BANTER_BASE_UTF8_H
#define BANTER_BASE_UTF8_H

#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>

/* Counts the code points of `s` into *count. False when `s` is not valid UTF-8; *count is then
 * untouched. U+0000 is valid here: callers that cannot store it check for it. */
bool utf8_count(struct slice s, size_t *count);
/* The longest prefix of `s`, valid UTF-8, that has at most `max_bytes` and cuts no code point. */
struct slice utf8_prefix(struct slice s, size_t max_bytes);

#endif
