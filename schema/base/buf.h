/* SPDX-License-Identifier: MIT */
/* buf.h - a growable byte string with a ceiling, that fails stickily.
 *
 * Writers append without checking; whoever finishes the value checks `failed` once. After a
 * failure (ceiling reached, out of memory) every further append does nothing. The bytes are
 * always followed by a NUL that is not counted, so `data` can be read as a C string. */
#ifndef BANTER_BASE_BUF_H
#define BANTER_BASE_BUF_H

#include "base/compiler.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
    char *data;      /* owned; NULL until the first append */
    size_t length;   /* bytes in use, without the NUL */
    size_t capacity; /* bytes allocated */
    size_t ceiling;  /* length never exceeds this */
    bool failed;     /* an append was refused; the content is not to be used */
};

/* Prepares an empty buffer; allocates nothing. `ceiling` in bytes must be > 0. */
void buf_init(struct buf *b, size_t ceiling);
/* Frees the bytes; the buffer may be used again as after buf_init() with the same ceiling. */
void buf_finish(struct buf *b);
/* Empties the buffer and clears `failed`, but keeps the memory. */
void buf_reset(struct buf *b);
/* Hands the bytes (malloc'd, NUL-terminated) to the caller, who frees them, and empties the buffer.
 * NULL when the buffer failed. */
char *buf_detach(struct buf *b) MUST_USE;
struct slice buf_slice(const struct buf *b);

/* Makes room for `n` more bytes and returns where they go, or NULL (and fails). The caller then
 * writes at most `n` bytes there and adds what it wrote to `length`. */
char *buf_reserve(struct buf *b, size_t n);
/* Removes the first `n` bytes (n <= length). */
void buf_consume(struct buf *b, size_t n);

void buf_bytes(struct buf *b, const void *data, size_t n);
void buf_slice_put(struct buf *b, struct slice s);
void buf_str(struct buf *b, const char *string);
void buf_char(struct buf *b, char c);
/* Decimal. */
void buf_u64(struct buf *b, uint64_t value);
void buf_i64(struct buf *b, int64_t value);
void buf_printf(struct buf *b, const char *format, ...) PRINTF_LIKE(2, 3);

/* Little-endian integers, for binary frames. */
void buf_le8(struct buf *b, uint8_t value);
void buf_le16(struct buf *b, uint16_t value);
void buf_le32(struct buf *b, uint32_t value);
void buf_le64(struct buf *b, uint64_t value);

/* A JSON string (RFC 8259 section 7) in double quotes. `s` must be valid UTF-8; only `"`, `\` and
 * control characters below U+0020 are escaped. */
void buf_json(struct buf *b, struct slice s);
/* Appends `,"name":` (or `"name":` right after `{`): the key is written as it is. */
void buf_json_key(struct buf *b, const char *name);

#endif
