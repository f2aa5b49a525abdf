/* SPDX-License-Identifier: MIT */
/* image_fuzz.c - what is found to be an image is one without what follows it, and none when it is
 * cut by a byte. */
#include "fuzz/fuzz.h"

#include "core/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input = slice_of((const char *)data, size);
    struct image image, again;

    if (image_sniff(input, &image) != IMAGE_OK)
        return 0;
    must(image.width > 0 && image.height > 0 && image_media_type(image.type));
    must(image.length > 0 && image.length <= size);
    must(image_sniff(slice_of(input.data, image.length), &again) == IMAGE_OK);
    must(again.length == image.length && again.type == image.type);
    must(image_sniff(slice_of(input.data, image.length - 1), &again) != IMAGE_OK);
    return 0;
}
