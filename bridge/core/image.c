/* SPDX-License-Identifier: MIT */
/* image.c - see image.h. One walker for each format. Rule: a reader moves on only through take(),
 * which never goes beyond the end. */
#include "core/image.h"

#include <stdbool.h>
#include <string.h>

struct reader {
    const uint8_t *data;
    size_t length;
    size_t at;
    size_t told; /* the visitor knows what comes before this */
    image_part_fn *visit;
    void *owner;
};

/* The next `n` bytes, or NULL if there are not so many. */
static const uint8_t *take(struct reader *r, size_t n)
{
    const uint8_t *bytes = r->data + r->at;

    if (n > r->length - r->at)
        return NULL;
    r->at += n;
    return bytes;
}

/* All since the last part is one. */
static void tell(struct reader *r, uint32_t name, const uint8_t *data, size_t length)
{
    const struct image_part part = {
        .name = name,
        .whole = slice_of((const char *)r->data + r->told, r->at - r->told),
        .data = slice_of((const char *)data, length),
    };

    r->told = r->at;
    if (r->visit)
        r->visit(r->owner, &part);
}

static uint32_t big16(const uint8_t *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t big32(const uint8_t *p)
{
    return big16(p) << 16 | big16(p + 2);
}

static uint32_t little16(const uint8_t *p)
{
    return (uint32_t)p[1] << 8 | p[0];
}

static uint32_t little24(const uint8_t *p)
{
    return (uint32_t)p[2] << 16 | little16(p);
}

static uint32_t little32(const uint8_t *p)
{
    return little16(p + 2) << 16 | little16(p);
}

static bool is_word(const uint8_t *p, const char word[4])
{
    return memcmp(p, word, 4) == 0;
}

static bool has_size(const struct image *image)
{
    return image->width > 0 && image->height > 0;
}

/* PNG (RFC 2083): chunks of length, name, data and checksum; IHDR comes first, IEND last. */
static bool walk_png(struct reader *r, struct image *image)
{
    bool has_data = false;
    const uint8_t *head;

    tell(r, 0, NULL, 0);
    for (bool first = true; (head = take(r, 8)) != NULL; first = false) {
        uint32_t length = big32(head);
        const uint8_t *data = length <= INT32_MAX ? take(r, length) : NULL;

        if (!data || !take(r, 4) || first != is_word(head + 4, "IHDR"))
            return false;
        tell(r, big32(head + 4), data, length);
        if (first) {
            if (length != 13)
                return false;
            image->width = big32(data);
            image->height = big32(data + 4);
        }
        has_data = has_data || is_word(head + 4, "IDAT");
        if (is_word(head + 4, "IEND"))
            return length == 0 && has_data;
    }
    return false;
}

enum {
    JPEG_RESTART_FIRST = 0xd0,
    JPEG_RESTART_LAST = 0xd7,
    JPEG_START = 0xd8,
    JPEG_END = 0xd9,
    JPEG_SCAN = 0xda,
};

/* The frame headers, baseline to arithmetic; three of the sixteen numbers mean something else. */
static bool is_jpeg_frame(uint8_t marker)
{
    return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
}

/* Skips the data behind a scan's header, up to the marker after it. In it 0xff is followed by 0 or
 * by a restart's number. */
static void skip_scan(struct reader *r)
{
    for (; r->at + 1 < r->length; r->at++) {
        uint8_t next = r->data[r->at + 1];
        if (r->data[r->at] == 0xff && next != 0 && next != 0xff &&
            (next < JPEG_RESTART_FIRST || next > JPEG_RESTART_LAST))
            return;
    }
    r->at = r->length;
}

/* The number of the next marker, or 0. Any number of 0xff may come before it. */
static uint8_t take_marker(struct reader *r)
{
    const uint8_t *byte = take(r, 1);

    if (!byte || *byte != 0xff)
        return 0;
    do {
        byte = take(r, 1);
    } while (byte && *byte == 0xff);
    return byte ? *byte : 0;
}

/* JPEG (ITU-T T.81 annex B): marker segments with a length, and scans with data behind them. */
static bool walk_jpeg(struct reader *r, struct image *image)
{
    bool has_scan = false;
    uint8_t marker;

    tell(r, 0, NULL, 0);
    while ((marker = take_marker(r)) != JPEG_END) {
        const uint8_t *length = take(r, 2);
        const uint8_t *data;

        if (marker < 0xc0 || marker == JPEG_START ||
            (marker >= JPEG_RESTART_FIRST && marker <= JPEG_RESTART_LAST) || !length ||
            big16(length) < 2)
            return false;
        data = take(r, big16(length) - 2);
        if (!data)
            return false;
        if (is_jpeg_frame(marker) && image->width == 0) {
            if (big16(length) < 8)
                return false;
            image->height = big16(data + 1);
            image->width = big16(data + 3);
        }
        if (marker == JPEG_SCAN) {
            if (!has_size(image))
                return false;
            has_scan = true;
            skip_scan(r);
        }
        tell(r, marker, data, big16(length) - 2);
    }
    tell(r, JPEG_END, NULL, 0);
    return has_scan;
}

static bool skip_gif_blocks(struct reader *r)
{
    const uint8_t *length;

    while ((length = take(r, 1)) != NULL) {
        if (*length == 0)
            return true;
        if (!take(r, *length))
            return false;
    }
    return false;
}

/* The colors that a GIF's packed field announces. */
static bool skip_gif_colors(struct reader *r, uint8_t packed)
{
    return !(packed & 0x80) || take(r, (size_t)3 << ((packed & 7) + 1)) != NULL;
}

/* GIF89a: a screen, then images and extensions, each a list of blocks, and the trailer. */
static bool walk_gif(struct reader *r, struct image *image)
{
    const uint8_t *screen = take(r, 7);
    const uint8_t *kind, *descriptor, *label;
    bool has_image = false;

    if (!screen || !skip_gif_colors(r, screen[4]))
        return false;
    image->width = little16(screen);
    image->height = little16(screen + 2);
    tell(r, 0, NULL, 0);
    while ((kind = take(r, 1)) != NULL) {
        uint32_t name = *kind;

        if (name == ';') {
            tell(r, name, NULL, 0);
            return has_image;
        }
        if (name == ',') {
            descriptor = take(r, 9);
            if (!descriptor || !skip_gif_colors(r, descriptor[8]) || !take(r, 1))
                return false;
            has_image = true;
        } else {
            label = take(r, 1);
            if (name != '!' || !label)
                return false;
            name = name << 8 | *label;
        }
        if (!skip_gif_blocks(r))
            return false;
        tell(r, name, NULL, 0);
    }
    return false;
}

/* The size out of the first chunk of a WebP file (RFC 9649 section 2.5 to 2.7). */
static bool read_webp_size(const uint8_t *name, const uint8_t *data, uint32_t length,
                           struct image *image)
{
    if (is_word(name, "VP8X") && length == 10) {
        image->width = little24(data + 4) + 1;
        image->height = little24(data + 7) + 1;
        return true;
    }
    if (is_word(name, "VP8L") && length > 5 && data[0] == 0x2f) {
        uint32_t bits = little32(data + 1);
        image->width = (bits & 0x3fff) + 1;
        image->height = (bits >> 14 & 0x3fff) + 1;
        return true;
    }
    if (is_word(name, "VP8 ") && length > 10 && memcmp(data + 3, "\x9d\x01\x2a", 3) == 0) {
        image->width = little16(data + 6) & 0x3fff;
        image->height = little16(data + 8) & 0x3fff;
        return true;
    }
    return false;
}

/* WebP (RFC 9649): RIFF chunks, each padded to an even length, that fill the file. */
static bool walk_webp(struct reader *r, struct image *image)
{
    uint32_t size = little32(r->data + 4);
    bool has_data = false;

    if (size % 2 != 0 || size < 4 || size > r->length - 8)
        return false;
    r->length = size + 8;
    tell(r, 0, NULL, 0);
    while (r->at < r->length) {
        const uint8_t *head = take(r, 8);
        uint32_t length = head ? little32(head + 4) : 0;
        const uint8_t *data = head ? take(r, length) : NULL;

        if (!data || (length % 2 != 0 && !take(r, 1)))
            return false;
        tell(r, big32(head), data, length);
        if (image->width == 0 && !read_webp_size(head, data, length, image))
            return false;
        has_data =
            has_data || is_word(head, "VP8 ") || is_word(head, "VP8L") || is_word(head, "ANMF");
    }
    return has_data;
}

struct format {
    enum image_type type;
    const char *media_type;
    size_t magic_length;
    bool (*begins)(const uint8_t *data);
    bool (*walk)(struct reader *r, struct image *image); /* from behind the magic on */
};

static bool begins_png(const uint8_t *data)
{
    return memcmp(data, "\x89PNG\r\n\x1a\n", 8) == 0;
}

static bool begins_jpeg(const uint8_t *data)
{
    return memcmp(data, "\xff\xd8", 2) == 0;
}

static bool begins_gif(const uint8_t *data)
{
    return memcmp(data, "GIF87a", 6) == 0 || memcmp(data, "GIF89a", 6) == 0;
}

static bool begins_webp(const uint8_t *data)
{
    return is_word(data, "RIFF") && is_word(data + 8, "WEBP");
}

static const struct format formats[] = {
    {IMAGE_PNG, "image/png", 8, begins_png, walk_png},
    {IMAGE_JPEG, "image/jpeg", 2, begins_jpeg, walk_jpeg},
    {IMAGE_GIF, "image/gif", 6, begins_gif, walk_gif},
    {IMAGE_WEBP, "image/webp", 12, begins_webp, walk_webp},
};

enum { FORMAT_COUNT = sizeof formats / sizeof *formats };

enum image_verdict image_walk(struct slice bytes, struct image *out, image_part_fn *visit,
                              void *owner)
{
    struct reader r = {.data = (const uint8_t *)bytes.data,
                       .length = bytes.length,
                       .visit = visit,
                       .owner = owner};

    for (size_t i = 0; i < FORMAT_COUNT; i++) {
        const struct format *format = &formats[i];

        if (bytes.length < format->magic_length || !format->begins(r.data))
            continue;
        *out = (struct image){.type = format->type};
        r.at = format->magic_length;
        if (!format->walk(&r, out) || !has_size(out))
            return IMAGE_BROKEN;
        out->length = r.at;
        return IMAGE_OK;
    }
    return IMAGE_UNKNOWN;
}

enum image_verdict image_sniff(struct slice bytes, struct image *out)
{
    return image_walk(bytes, out, NULL, NULL);
}

const char *image_media_type(enum image_type type)
{
    for (size_t i = 0; i < FORMAT_COUNT; i++) {
        if (formats[i].type == type)
            return formats[i].media_type;
    }
    return NULL;
}
