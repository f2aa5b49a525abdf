/* SPDX-License-Identifier: MIT */
/* image_strip_test.c - what of an image is kept, byte for byte, and what is left out. */
#include "unit/unit.h"

#include "base/buf.h"
#include "core/image_strip.h"

enum { IMAGE_MAX_BYTES = 4096 };

static struct buf out;

static int set_up(void **state)
{
    (void)state;
    buf_init(&out, IMAGE_MAX_BYTES);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    buf_finish(&out);
    return 0;
}

static struct slice strip(struct slice image, enum image_type type)
{
    buf_reset(&out);
    buf_str(&out, "before");
    assert_true(image_strip(image, type, &out));
    buf_consume(&out, 6);
    return buf_slice(&out);
}

static void expect(struct slice image, enum image_type type, struct slice expected)
{
    struct slice left = strip(image, type);

    assert_int_equal(left.length, expected.length);
    assert_memory_equal(left.data, expected.data, expected.length);
}

#define BYTES(literal) slice_of(literal, sizeof(literal) - 1)
#define EXPECT(type, before, after) expect(BYTES(before), type, BYTES(after))

/* ---------------------------------------------------------------- PNG */

#define PNG_HEAD "\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\2\0\0\0\3\x08\2\0\0\0crc!"
#define PNG_DATA "\0\0\0\3IDATabccrc!"
#define PNG_END "\0\0\0\0IENDcrc!"
#define PNG_CHUNK(name) "\0\0\0\3" name "xyzcrc!"

static void test_png(void **state)
{
    (void)state;
    EXPECT(IMAGE_PNG, PNG_HEAD PNG_DATA PNG_END, PNG_HEAD PNG_DATA PNG_END);
    EXPECT(IMAGE_PNG,
           PNG_HEAD PNG_CHUNK("eXIf") PNG_CHUNK("iCCP") PNG_CHUNK("tEXt") PNG_CHUNK("PLTE")
               PNG_CHUNK("tRNS") PNG_CHUNK("tIME") PNG_DATA PNG_CHUNK("iTXt")
                   PNG_DATA PNG_CHUNK("zTXt") PNG_CHUNK("fdAT") PNG_CHUNK("caBX") PNG_END,
           PNG_HEAD PNG_CHUNK("iCCP") PNG_CHUNK("PLTE") PNG_CHUNK("tRNS")
               PNG_DATA PNG_DATA PNG_CHUNK("fdAT") PNG_END);
}

/* ---------------------------------------------------------------- JPEG */

#define JPEG_START "\xff\xd8"
#define JPEG_JFIF "\xff\xe0\0\x10JFIF\0\1\2\0\0\1\0\1\0\0"
#define JPEG_THUMBNAIL "\xff\xe0\0\x13JFIF\0\1\2\0\0\1\0\1\1\1rgb"
#define JPEG_FRAME "\xff\xc0\0\x0b\x08\0\3\0\2\1\1\x11\0"
#define JPEG_SCAN "\xff\xda\0\4ab\x12\xff\0\xe1\xff\xd0\x56"
#define JPEG_END "\xff\xd9"
#define JPEG_REST JPEG_FRAME JPEG_SCAN JPEG_END
#define JPEG_EXIF(length, tiff) "\xff\xe1\0" length "Exif\0\0" tiff
#define TIFF_END "\0\0\0\0"
/* One directory with the orientation, after a date. */
#define TIFF_DATE "\x32\1\2\0\x14\0\0\0\x64\0\0\0"
#define TIFF_LITTLE(orientation)                                                                   \
    "II*\0\x08\0\0\0\2\0" TIFF_DATE "\x12\1\3\0\1\0\0\0" orientation "\0\0\0" TIFF_END
#define TIFF_BIG(orientation) "MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0" orientation "\0\0" TIFF_END
#define JPEG_TURNED(orientation) JPEG_EXIF("\x22", TIFF_BIG(orientation))

static void test_jpeg(void **state)
{
    (void)state;
    EXPECT(IMAGE_JPEG, JPEG_START JPEG_REST, JPEG_START JPEG_REST);
    EXPECT(IMAGE_JPEG,
           JPEG_START JPEG_JFIF "\xff\xe1\0\x06http"
                                "\xff\xe2\0\x12ICC_PROFILE\0\1\1xy"
                                "\xff\xe2\0\x06MPF\0"
                                "\xff\xed\0\x0bPhotoshop"
                                "\xff\xfe\0\5abc"
                                "\xff\xff\xfe\0\2"
                                "\xff\xee\0\x0e"
                                "Adobe\0\x64\0\0\0\0\1"
                                "\xff\xdb\0\4qt"
                                "\xff\xeb\0\4JP" JPEG_FRAME JPEG_SCAN "\xff\xfe\0\5abc" JPEG_SCAN
                                "\xff" JPEG_END,
           JPEG_START JPEG_JFIF "\xff\xe2\0\x12ICC_PROFILE\0\1\1xy"
                                "\xff\xee\0\x0e"
                                "Adobe\0\x64\0\0\0\0\1"
                                "\xff\xdb\0\4qt" JPEG_FRAME JPEG_SCAN JPEG_SCAN "\xff" JPEG_END);
    EXPECT(IMAGE_JPEG, JPEG_START JPEG_THUMBNAIL "\xff\xe0\0\7JFXX\0" JPEG_REST,
           JPEG_START JPEG_REST);
}

static void test_orientation_is_kept(void **state)
{
    (void)state;
    EXPECT(IMAGE_JPEG, JPEG_START JPEG_EXIF("\x2e", TIFF_LITTLE("\6")) JPEG_REST,
           JPEG_START JPEG_TURNED("\6") JPEG_REST);
    EXPECT(IMAGE_JPEG, JPEG_START JPEG_JFIF JPEG_TURNED("\x08") JPEG_REST,
           JPEG_START JPEG_JFIF JPEG_TURNED("\x08") JPEG_REST);
    /* Only that of the first segment; upright needs none. */
    EXPECT(IMAGE_JPEG, JPEG_START JPEG_TURNED("\2") JPEG_TURNED("\3") JPEG_REST,
           JPEG_START JPEG_TURNED("\2") JPEG_REST);
    EXPECT(IMAGE_JPEG, JPEG_START JPEG_TURNED("\1") JPEG_TURNED("\3") JPEG_REST,
           JPEG_START JPEG_REST);
}

static void test_broken_orientations(void **state)
{
    (void)state;
    EXPECT(IMAGE_JPEG,
           JPEG_START "\xff\xe1\0\x08"
                      "Exif\0\0" JPEG_REST,
           JPEG_START JPEG_REST);
    EXPECT(IMAGE_JPEG,
           JPEG_START "\xff\xe1\0\x0c"
                      "Exif\0\0"
                      "MM\0*" JPEG_REST,
           JPEG_START JPEG_REST);
    EXPECT(IMAGE_JPEG, JPEG_START JPEG_TURNED("\0") JPEG_REST, JPEG_START JPEG_REST);
    EXPECT(IMAGE_JPEG, JPEG_START JPEG_TURNED("\x09") JPEG_REST, JPEG_START JPEG_REST);
    /* Not a short; a directory beyond the end; one that says it has more than there is. */
    EXPECT(IMAGE_JPEG,
           JPEG_START JPEG_EXIF("\x22", "MM\0*\0\0\0\x08\0\1\1\x12\0\4\0\0\0\1\0\6\0\0" TIFF_END)
               JPEG_REST,
           JPEG_START JPEG_REST);
    EXPECT(IMAGE_JPEG,
           JPEG_START JPEG_EXIF(
               "\x22", "MM\0*\xff\xff\xff\xff\0\1\1\x12\0\3\0\0\0\1\0\6\0\0" TIFF_END) JPEG_REST,
           JPEG_START JPEG_REST);
    EXPECT(IMAGE_JPEG,
           JPEG_START JPEG_EXIF(
               "\x22", "MM\0*\0\0\0\x08\xff\xff\1\x13\0\3\0\0\0\1\0\6\0\0" TIFF_END) JPEG_REST,
           JPEG_START JPEG_REST);
}

/* ---------------------------------------------------------------- GIF */

#define GIF_HEAD "GIF89a\2\0\3\0\x80\0\0rgbrgb"
#define GIF_IMAGE ",\0\0\0\0\2\0\3\0\0\2\2ab\0"
#define GIF_CONTROL "!\xf9\4abcd\0"
#define GIF_LOOP "!\xff\x0bNETSCAPE2.0\3\1\0\0\0"

static void test_gif(void **state)
{
    (void)state;
    EXPECT(IMAGE_GIF, GIF_HEAD GIF_IMAGE ";", GIF_HEAD GIF_IMAGE ";");
    EXPECT(IMAGE_GIF,
           GIF_HEAD GIF_LOOP "!\xfe\3abc\0" GIF_CONTROL GIF_IMAGE "!\xff\x0bXMP DataXMP\2ab\0"
                             "!\xfe\0" GIF_CONTROL GIF_IMAGE "!\xff\0"
                             ";",
           GIF_HEAD GIF_LOOP GIF_CONTROL GIF_IMAGE GIF_CONTROL GIF_IMAGE ";");
}

/* ---------------------------------------------------------------- WebP */

#define WEBP_X(flags) "VP8X\x0a\0\0\0" flags "\0\0\0\1\0\0\2\0\0"
#define WEBP_DATA "VP8L\7\0\0\0\x2f\1\x80\0\0\x10\7\0"

static void test_webp(void **state)
{
    (void)state;
    EXPECT(IMAGE_WEBP, "RIFF\x14\0\0\0WEBP" WEBP_DATA, "RIFF\x14\0\0\0WEBP" WEBP_DATA);
    EXPECT(IMAGE_WEBP,
           "RIFF\x58\0\0\0WEBP" WEBP_X("\x2c") "ICCP\2\0\0\0ab" WEBP_DATA "EXIF\3\0\0\0abc\0"
                                               "XMP \2\0\0\0ab"
                                               "\0\0\0\0\2\0\0\0ab"
                                               "oddA\0\0\0\0",
           "RIFF\x30\0\0\0WEBP" WEBP_X("\x20") "ICCP\2\0\0\0ab" WEBP_DATA);
}

/* ---------------------------------------------------------------- all */

static void test_refusals(void **state)
{
    struct buf small;

    (void)state;
    assert_false(image_strip(BYTES(""), IMAGE_PNG, &out));
    assert_false(image_strip(BYTES(PNG_HEAD PNG_DATA), IMAGE_PNG, &out));
    assert_false(image_strip(BYTES(PNG_HEAD PNG_DATA PNG_END), IMAGE_GIF, &out));
    buf_init(&small, 10);
    assert_false(image_strip(BYTES(PNG_HEAD PNG_DATA PNG_END), IMAGE_PNG, &small));
    assert_false(image_strip(BYTES("RIFF\x14\0\0\0WEBP" WEBP_DATA), IMAGE_WEBP, &small));
    buf_finish(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_png, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_jpeg, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_orientation_is_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_broken_orientations, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_gif, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_webp, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refusals, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
