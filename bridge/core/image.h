/* SPDX-License-Identifier: MIT */
/* image.h - tells whether bytes are a PNG, JPEG, GIF or WebP image by walking over their structure.
 * Pure.
 *
 * A name, a declared type or a few magic bytes prove nothing: what is accepted has the blocks of
 * its format from the first to the last. What follows the last block is not part of the image, and
 * must not be stored: that is where one file hides behind another. Pixels are not decoded. */
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
/* "image/png" … ; NULL for a number that is no type. Static storage. */
const char *image_media_type(enum image_type type);

#endif
