/* SPDX-License-Identifier: MIT */
/* image.h - tells whether bytes are a PNG, JPEG, GIF or WebP image by walking over their structure.
 * Pure.
 *
 * A name, a declared type or a few magic bytes prove nothing: what is accepted has the blocks of
 * its format from the first to the last. What follows the last block is not part of the image, and
 * must not be stored: that is where one file hides behind another. Pixels are not decoded. What is
 * inside and is no part of the picture is for image_strip.h. */
#ifndef BANTER_BRIDGE_IMAGE_H
#define BANTER_BRIDGE_IMAGE_H

#include "base/compiler.h"
#include "base/slice.h"

#include <stddef.h>
#include <stdint.h>

/* Stored in users.avatar_type: never renumber. */
enum image_type { IMAGE_PNG = 1, IMAGE_JPEG = 2, IMAGE_GIF = 3, IMAGE_WEBP = 4 };

struct image {
    enum image_type type;
    uint32_t width, height; /* at least 1 */
    size_t length;          /* bytes, from the first on, that the image consists of */
};

enum image_verdict {
    IMAGE_OK,
    IMAGE_UNKNOWN, /* does not begin like any of the formats */
    IMAGE_BROKEN,  /* begins like one, and is malformed or cut */
};

enum image_verdict image_sniff(struct slice bytes, struct image *out) MUST_USE;

/* One block of an image's structure. The first is what comes before all others, without a name. */
struct image_part {
    uint32_t name; /* PNG, WebP: four letters, the first in the highest byte; JPEG: the marker;
                    * GIF: the separator, of extensions with the label behind it */
    struct slice whole;
    struct slice data; /* what of it the name and length announce; GIF: not told */
};

typedef void image_part_fn(void *owner, const struct image_part *part);

/* As image_sniff(), and calls `visit` for each part, in order, from the first byte of the image to
 * the last. What it was told of an image that turns out to be broken is worth nothing. */
enum image_verdict image_walk(struct slice bytes, struct image *out, image_part_fn *visit,
                              void *owner) MUST_USE;
/* "image/png" … ; NULL for a number that is no type. Static storage. */
const char *image_media_type(enum image_type type);

#endif
