/* SPDX-License-Identifier: MIT */
/* image_strip.c - see image_strip.h. Rule: what is kept is listed; a list of what to leave out
 * would be behind the makers of cameras for ever. */
#include "core/image_strip.h"

#include "base/buf.h"
#include "core/image.h"

#include <stdint.h>
#include <string.h>

#define WORD(a, b, c, d)                                                                           \
    ((uint32_t)(uint8_t)(a) << 24 | (uint32_t)(uint8_t)(b) << 16 | (uint32_t)(uint8_t)(c) << 8 |   \
     (uint32_t)(uint8_t)(d))

struct strip {
    struct buf *out;
    size_t start;  /* of the image in `out` */
    bool has_exif; /* the first one counts */
};

static bool begins_with(struct slice data, struct slice beginning)
{
    return data.length >= beginning.length &&
           memcmp(data.data, beginning.data, beginning.length) == 0;
}

#define BEGINS_WITH(slice, literal) begins_with(slice, slice_of(literal, sizeof(literal) - 1))

static void keep(struct strip *s, const struct image_part *part)
{
    buf_slice_put(s->out, part->whole);
}

/* ---------------------------------------------------------------- PNG */

enum { PNG_ANCILLARY = 0x20000000 }; /* a small first letter: not needed to draw the picture */

static void visit_png(void *owner, const struct image_part *part)
{
    /* Colors, sizes and animation. */
    static const uint32_t kept[] = {
        WORD('t', 'R', 'N', 'S'), WORD('g', 'A', 'M', 'A'), WORD('c', 'H', 'R', 'M'),
        WORD('s', 'R', 'G', 'B'), WORD('i', 'C', 'C', 'P'), WORD('c', 'I', 'C', 'P'),
        WORD('m', 'D', 'C', 'V'), WORD('c', 'L', 'L', 'I'), WORD('s', 'B', 'I', 'T'),
        WORD('b', 'K', 'G', 'D'), WORD('p', 'H', 'Y', 's'), WORD('a', 'c', 'T', 'L'),
        WORD('f', 'c', 'T', 'L'), WORD('f', 'd', 'A', 'T'),
    };
    bool is_kept = !(part->name & PNG_ANCILLARY);

    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        is_kept = is_kept || part->name == kept[i];
    if (is_kept)
        keep(owner, part);
}

/* ---------------------------------------------------------------- JPEG */

enum {
    JPEG_APP0 = 0xe0,
    JPEG_APP1 = 0xe1,
    JPEG_APP2 = 0xe2,
    JPEG_APP14 = 0xee,
    JPEG_APP15 = 0xef,
    JPEG_COMMENT = 0xfe,
    JFIF_BYTES = 14, /* without a thumbnail */
    TIFF_ENTRY_BYTES = 12,
    TIFF_ORIENTATION = 0x0112,
    TIFF_SHORT = 3,
    ORIENTATION_UPRIGHT = 1,
    ORIENTATION_MAX = 8,
};

#define EXIF "Exif\0\0"

struct tiff {
    const uint8_t *data;
    size_t length;
    bool is_big_endian;
};

/* The number of `bytes` bytes at `at`; 0 beyond the end. */
static uint32_t tiff_number(const struct tiff *t, size_t at, unsigned bytes)
{
    uint32_t value = 0;

    if (at > t->length || bytes > t->length - at)
        return 0;
    for (unsigned i = 0; i < bytes; i++)
        value = value << 8 | t->data[at + (t->is_big_endian ? i : bytes - 1 - i)];
    return value;
}

/* The orientation in the first directory of what is behind "Exif\0\0"; upright if there is none. */
static unsigned read_orientation(struct slice data)
{
    struct tiff t = {.data = (const uint8_t *)data.data, .length = data.length};
    uint32_t directory, count, value = 0;

    t.is_big_endian = BEGINS_WITH(data, "MM\0*");
    if (!t.is_big_endian && !BEGINS_WITH(data, "II*\0"))
        return ORIENTATION_UPRIGHT;
    directory = tiff_number(&t, 4, 4);
    count = tiff_number(&t, directory, 2);
    for (uint32_t i = 0; i < count && value == 0; i++) {
        size_t at = (size_t)directory + 2 + (size_t)TIFF_ENTRY_BYTES * i;

        if (tiff_number(&t, at, 2) == TIFF_ORIENTATION && tiff_number(&t, at + 2, 2) == TIFF_SHORT)
            value = tiff_number(&t, at + 8, 2);
    }
    return value >= 1 && value <= ORIENTATION_MAX ? value : ORIENTATION_UPRIGHT;
}

/* In place of an Exif segment, one with the orientation alone; none if that is as usual. */
static void keep_orientation(struct strip *s, const struct image_part *part)
{
    static const char head[] = "\xff\xe1\0\x22" EXIF "MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0";
    static const char tail[] = "\0\0\0\0\0\0"; /* of the value's field; and no other directory */
    const size_t exif_length = sizeof EXIF - 1;
    unsigned orientation =
        read_orientation(slice_of(part->data.data + exif_length, part->data.length - exif_length));

    if (s->has_exif)
        return;
    s->has_exif = true;
    if (orientation == ORIENTATION_UPRIGHT || part->whole.length < sizeof head + sizeof tail - 1)
        return;
    buf_bytes(s->out, head, sizeof head - 1);
    buf_le8(s->out, (uint8_t)orientation);
    buf_bytes(s->out, tail, sizeof tail - 1);
}

static void visit_jpeg(void *owner, const struct image_part *part)
{
    switch (part->name) {
    case JPEG_APP0:
        if (part->data.length == JFIF_BYTES && BEGINS_WITH(part->data, "JFIF"))
            keep(owner, part);
        return;
    case JPEG_APP1:
        if (BEGINS_WITH(part->data, EXIF))
            keep_orientation(owner, part);
        return;
    case JPEG_APP2:
        if (BEGINS_WITH(part->data, "ICC_PROFILE"))
            keep(owner, part);
        return;
    case JPEG_APP14: /* says how the colors are stored */
        if (BEGINS_WITH(part->data, "Adobe"))
            keep(owner, part);
        return;
    default:
        if ((part->name < JPEG_APP0 || part->name > JPEG_APP15) && part->name != JPEG_COMMENT)
            keep(owner, part);
    }
}

/* ---------------------------------------------------------------- GIF */

enum { GIF_COMMENT = '!' << 8 | 0xfe, GIF_APPLICATION = '!' << 8 | 0xff };

static void visit_gif(void *owner, const struct image_part *part)
{
    /* These two say how often an animation runs. */
    if (part->name == GIF_APPLICATION && !BEGINS_WITH(part->whole, "!\xff\x0bNETSCAPE2.0") &&
        !BEGINS_WITH(part->whole, "!\xff\x0b"
                                  "ANIMEXTS1.0"))
        return;
    if (part->name != GIF_COMMENT)
        keep(owner, part);
}

/* ---------------------------------------------------------------- WebP */

enum {
    RIFF_HEAD_BYTES = 8, /* a name and a length, before each chunk and the whole */
    WEBP_FLAG_XMP = 0x04,
    WEBP_FLAG_EXIF = 0x08,
};

static void visit_webp(void *owner, const struct image_part *part)
{
    static const uint32_t kept[] = {
        WORD('V', 'P', '8', 'X'), WORD('V', 'P', '8', ' '), WORD('V', 'P', '8', 'L'),
        WORD('A', 'L', 'P', 'H'), WORD('A', 'N', 'I', 'M'), WORD('A', 'N', 'M', 'F'),
        WORD('I', 'C', 'C', 'P'),
    };
    struct strip *s = owner;
    size_t flags = s->out->length + RIFF_HEAD_BYTES;
    bool is_kept = !part->data.data; /* the beginning of the file */

    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        is_kept = is_kept || part->name == kept[i];
    if (is_kept)
        keep(s, part);
    if (part->name == kept[0] && part->data.length > 0 && !s->out->failed)
        s->out->data[flags] &= (char)~(WEBP_FLAG_XMP | WEBP_FLAG_EXIF);
}

/* The whole says how long it is. */
static void end_webp(struct strip *s)
{
    char *length = s->out->data + s->start + 4;
    size_t value = s->out->length - s->start - RIFF_HEAD_BYTES;

    for (unsigned i = 0; i < 4; i++)
        length[i] = (char)(value >> 8 * i & 0xff);
}

/* ---------------------------------------------------------------- all */

bool image_strip(struct slice image, enum image_type type, struct buf *out)
{
    static image_part_fn *const visitors[] = {[IMAGE_PNG] = visit_png,
                                              [IMAGE_JPEG] = visit_jpeg,
                                              [IMAGE_GIF] = visit_gif,
                                              [IMAGE_WEBP] = visit_webp};
    struct strip s = {.out = out, .start = out->length};
    struct image found;

    if (image_walk(image, &found, visitors[type], &s) != IMAGE_OK || found.type != type ||
        out->failed)
        return false;
    if (type == IMAGE_WEBP)
        end_webp(&s);
    return true;
}
