/* SPDX-License-Identifier: MIT */
/* draft_text.c - see draft_text.h. The filler is what tends to go wrong on its way: quotes,
 * backslashes, line ends, what looks like JSON or SQL, and letters of one to four bytes. */
#include "draft_text.h"

#include "base/hash.h"

#include <stdio.h>
#include <string.h>

enum {
    SHORT_MIN = 50, /* characters */
    SHORT_SPREAD = 250,
    LONG = 10000,
    LONGEST = 100000, /* TEXT_MAX_CHARACTERS */
    LONG_ONE_IN = 500,
    LONGEST_ONE_IN = 20000,
    RUN_DIGITS = 8,
    NUMBER_DIGITS_MAX = 18,
};

struct piece {
    const char *text;
    size_t characters;
};

static const struct piece pieces[] = {
    {"and then ", 9},
    {"nobody was there ", 17},
    {"0123456789 ", 11},
    {"the quick brown fox ", 20},
    {"a line\nand another ", 19},
    {"\"quoted\" ", 9},
    {"back\\slash ", 11},
    {"\tindented ", 10},
    {"{\"seq\":1} ", 10},
    {"'; drop -- ", 11},
    {"$1 %s %n ", 9},
    {"na\xc3\xafve caf\xc3\xa9 ", 11},
    {"\xe6\x9d\xb1\xe4\xba\xac\xe9\x83\xbd ", 4},
    {"\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d ", 5},
    {"\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7 ", 4},
    {"see https://example.org/?a=b&c=d ", 33},
};
enum { PIECE_COUNT = sizeof(pieces) / sizeof(pieces[0]) };

static size_t choose_length(uint64_t random)
{
    if (random % LONGEST_ONE_IN == 1)
        return LONGEST;
    if (random % LONG_ONE_IN == 2)
        return LONG;
    return SHORT_MIN + (random >> 32) % SHORT_SPREAD;
}

void draft_text_write(struct buf *b, struct slice device, uint64_t seed, uint64_t n)
{
    uint64_t random = hash_u64(seed ^ n * UINT64_C(0x9e3779b97f4a7c15));
    size_t left = choose_length(random);
    size_t start = b->length;

    buf_slice_put(b, device);
    buf_char(b, ' ');
    buf_u64(b, n);
    buf_char(b, ' ');
    left = left > b->length - start ? left - (b->length - start) : 1;
    while (left > 0) {
        random = hash_u64(random + 1);

        const struct piece *piece = &pieces[random % PIECE_COUNT];

        if (piece->characters <= left) {
            buf_str(b, piece->text);
            left -= piece->characters;
        } else {
            buf_char(b, '.');
            left--;
        }
    }
}

static bool read_number(struct slice digits, uint64_t *n)
{
    *n = 0;
    if (digits.length == 0 || digits.length > NUMBER_DIGITS_MAX)
        return false;
    for (size_t i = 0; i < digits.length; i++) {
        if (digits.data[i] < '0' || digits.data[i] > '9')
            return false;
        *n = 10 * *n + (uint64_t)(digits.data[i] - '0');
    }
    return true;
}

bool draft_text_number(struct slice text, uint64_t *n)
{
    const char *end = text.data + text.length;
    const char *space = memchr(text.data, ' ', text.length);
    const char *next = space ? memchr(space + 1, ' ', (size_t)(end - space - 1)) : NULL;

    return next && memchr(text.data, '/', (size_t)(space - text.data)) &&
           read_number(slice_of(space + 1, (size_t)(next - space - 1)), n);
}

void draft_id_write(struct buf *b, struct slice device_name, uint32_t run, uint64_t n)
{
    buf_slice_put(b, device_name);
    buf_printf(b, "-%08x-", (unsigned)run);
    buf_u64(b, n);
}

bool draft_id_read(struct slice id, struct slice device_name, uint32_t run, uint64_t *n)
{
    char middle[RUN_DIGITS + 3];
    size_t start = device_name.length + RUN_DIGITS + 2;

    snprintf(middle, sizeof(middle), "-%08x-", (unsigned)run);
    return id.length > start && memcmp(id.data, device_name.data, device_name.length) == 0 &&
           memcmp(id.data + device_name.length, middle, RUN_DIGITS + 2) == 0 &&
           read_number(slice_of(id.data + start, id.length - start), n);
}

uint64_t draft_text_hash(struct slice text)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < text.length; i++)
        hash = (hash ^ (uint8_t)text.data[i]) * UINT64_C(0x100000001b3);
    return hash;
}
