/* SPDX-License-Identifier: MIT */
/* image_strip_fuzz.c - what is left of an image is one of the same kind and size, is no longer, and
 * has nothing more to lose. */
#include "fuzz/fuzz.h"

#include "base/buf.h"
#include "core/image_strip.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input = slice_of((const char *)data, size);
    struct image image, left;
    struct buf once, twice;

    if (image_sniff(input, &image) != IMAGE_OK)
        return 0;
    buf_init(&once, image.length);
    buf_init(&twice, image.length);
    must(image_strip(slice_of(input.data, image.length), image.type, &once));
    must(image_sniff(buf_slice(&once), &left) == IMAGE_OK);
    must(left.type == image.type && left.length == once.length);
    must(left.width == image.width && left.height == image.height);
    must(image_strip(buf_slice(&once), image.type, &twice));
    must(slice_equal(buf_slice(&once), buf_slice(&twice)));
    buf_finish(&once);
    buf_finish(&twice);
    return 0;
}
