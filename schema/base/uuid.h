/* SPDX-License-Identifier: MIT */
/* uuid.h - UUIDs (RFC 9562) as 16 bytes and as 36 characters of lower-case canonical text. */
#ifndef BANTER_BASE_UUID_H
#define BANTER_BASE_UUID_H

#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

enum { UUID_TEXT_LENGTH = 36 };

struct uuid {
    uint8_t bytes[16]; /* network byte order */
};

/* Version 7: 48 bits of Unix time in milliseconds, then random. Rises within this process.
 * False when the system gave no random bytes. */
bool uuid_v7(struct uuid *out);
/* Version 8 made of the first 16 bytes of `digest`, with version and variant bits set. */
struct uuid uuid_v8(const uint8_t digest[16]);
/* Accepts exactly the 36 characters of the lower-case canonical form. */
bool uuid_parse(struct uuid *out, struct slice text);
/* Writes 36 characters and a NUL. */
void uuid_format(const struct uuid *u, char text[UUID_TEXT_LENGTH + 1]);
bool uuid_is_nil(const struct uuid *u);
bool uuid_equal(const struct uuid *a, const struct uuid *b);

#endif
