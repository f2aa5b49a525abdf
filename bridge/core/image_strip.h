/* SPDX-License-Identifier: MIT */
/* image_strip.h - takes out of an image what tells of its making and not of its looks: where and
 * when it was taken, by whom, with what; thumbnails of what it was before. Pure.
 *
 * Nothing is encoded anew: the parts of the structure that a picture is drawn from stay byte for
 * byte, and all others are left out, known or not. One thing is kept of them: the orientation that
 * a camera gives a JPEG, without which the picture would lie on its side, goes into a new Exif
 * segment that has nothing else. */
#ifndef BANTER_BRIDGE_IMAGE_STRIP_H
#define BANTER_BRIDGE_IMAGE_STRIP_H

#include "base/compiler.h"
#include "base/slice.h"
#include "core/image.h"

#include <stdbool.h>

struct buf;

/* Appends the image without all that to `out`: at most as many bytes, of which nothing more can be
 * taken. False: it is not one of this type, or `out` is full; what was appended is of no use. */
bool image_strip(struct slice image, enum image_type type, struct buf *out) MUST_USE;

#endif
