/* SPDX-License-Identifier: MIT */
/* image_test.c - what is an image, where it ends, and what only looks like one. */
#include "unit/unit.h"

#include "base/buf.h"
#include "core/image.h"

enum { IMAGE_MAX_BYTES = 4096 };

/* The smallest whole images, 2 pixels wide and 3 high. Only the structure counts: nobody decodes
 * the pixels. */
#define PNG_MAGIC "\x89PNG\r\n\x1a\n"
#define PNG_HEAD PNG_MAGIC "\0\0\0\x0dIHDR\0\0\0\2\0\0\0\3\x08\2\0\0\0crc!"
#define PNG_DATA "\0\0\0\3IDATabccrc!"
#define PNG_END "\0\0\0\0IENDcrc!"
#define JPEG_HEAD "\xff\xd8\xff\xe0\0\4ab"
#define JPEG_FRAME "\xff\xc0\0\x0b\x08\0\3\0\2\1\1\x11\0"
#define JPEG_SCAN "\xff\xda\0\4ab\x12\xff\0\x34\xff\xd0\x56"
#define JPEG_END "\xff\xd9"
#define GIF_HEAD "GIF89a\2\0\3\0\x80\0\0rgbrgb"
#define GIF_EXTENSION "!\xf9\4abcd\0"
#define GIF_IMAGE ",\0\0\0\0\2\0\3\0\0\2\2ab\0"

struct sample {
    const char *name;
    const char *bytes;
    size_t length;
    enum image_type type;
};

#define SAMPLE(name, bytes, type)                                                                  \
    {                                                                                              \
        name, bytes, sizeof(bytes) - 1, type                                                       \
    }

static const struct sample whole[] = {
    SAMPLE("PNG", PNG_HEAD PNG_DATA PNG_END, IMAGE_PNG),
    SAMPLE("JPEG", JPEG_HEAD JPEG_FRAME JPEG_SCAN JPEG_END, IMAGE_JPEG),
    SAMPLE("progressive JPEG", JPEG_HEAD "\xff" JPEG_FRAME JPEG_SCAN JPEG_SCAN JPEG_END,
           IMAGE_JPEG),
    SAMPLE("GIF", GIF_HEAD GIF_IMAGE ";", IMAGE_GIF),
    SAMPLE("animated GIF", GIF_HEAD GIF_EXTENSION GIF_IMAGE GIF_EXTENSION GIF_IMAGE ";", IMAGE_GIF),
};

static enum image_verdict sniff(const char *bytes, size_t length, struct image *image)
{
    return image_sniff(slice_of(bytes, length), image);
}

static void expect_whole(const struct sample *s)
{
    struct image image;

    if (sniff(s->bytes, s->length, &image) != IMAGE_OK)
        fail_msg("%s is refused", s->name);
    assert_int_equal(image.type, s->type);
    assert_int_equal(image.width, 2);
    assert_int_equal(image.height, 3);
    assert_int_equal(image.length, s->length);
}

static void put_chunk(struct buf *b, const char *name, const char *data, size_t length)
{
    buf_str(b, name);
    buf_le32(b, (uint32_t)length);
    buf_bytes(b, data, length);
    if (length % 2 != 0)
        buf_char(b, '\0');
}

/* RIFF around one or two chunks; the second one may be NULL. */
static void make_webp(struct buf *b, const char *name, const char *data, size_t length,
                      const char *second)
{
    struct buf chunks;

    buf_init(&chunks, IMAGE_MAX_BYTES);
    put_chunk(&chunks, name, data, length);
    if (second)
        put_chunk(&chunks, second, "abc", 3);
    buf_reset(b);
    buf_str(b, "RIFF");
    buf_le32(b, (uint32_t)chunks.length + 4);
    buf_str(b, "WEBP");
    buf_slice_put(b, buf_slice(&chunks));
    buf_finish(&chunks);
}

#define VP8_DATA "abc\x9d\x01\x2a\2\0\3\0x"
#define VP8L_DATA "\x2f\1\x80\0\0x"
#define VP8X_DATA "\0\0\0\0\1\0\0\2\0\0"

static void test_whole_images(void **state)
{
    struct buf webp;

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(whole); i++)
        expect_whole(&whole[i]);
    buf_init(&webp, IMAGE_MAX_BYTES);
    make_webp(&webp, "VP8 ", VP8_DATA, sizeof VP8_DATA - 1, NULL);
    expect_whole(&(struct sample){"lossy WebP", webp.data, webp.length, IMAGE_WEBP});
    make_webp(&webp, "VP8L", VP8L_DATA, sizeof VP8L_DATA - 1, NULL);
    expect_whole(&(struct sample){"lossless WebP", webp.data, webp.length, IMAGE_WEBP});
    make_webp(&webp, "VP8X", VP8X_DATA, sizeof VP8X_DATA - 1, "ANMF");
    expect_whole(&(struct sample){"animated WebP", webp.data, webp.length, IMAGE_WEBP});
    buf_finish(&webp);
}

/* Whatever hides behind an image is not a part of it. */
static void test_what_follows_is_left_out(void **state)
{
    static const char tail[] = "<script>alert(1)</script>PK\3\4";
    struct image image;
    struct buf both;

    (void)state;
    buf_init(&both, IMAGE_MAX_BYTES);
    for (size_t i = 0; i < ARRAY_LENGTH(whole); i++) {
        buf_reset(&both);
        buf_bytes(&both, whole[i].bytes, whole[i].length);
        buf_str(&both, tail);
        assert_int_equal(sniff(both.data, both.length, &image), IMAGE_OK);
        assert_int_equal(image.length, whole[i].length);
    }
    make_webp(&both, "VP8L", VP8L_DATA, sizeof VP8L_DATA - 1, NULL);
    buf_str(&both, tail);
    assert_int_equal(sniff(both.data, both.length, &image), IMAGE_OK);
    assert_int_equal(image.length, both.length - (sizeof tail - 1));
    buf_finish(&both);
}

static void test_every_cut_is_noticed(void **state)
{
    struct image image;
    struct buf webp;

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(whole); i++) {
        for (size_t length = 0; length < whole[i].length; length++)
            assert_int_not_equal(sniff(whole[i].bytes, length, &image), IMAGE_OK);
    }
    buf_init(&webp, IMAGE_MAX_BYTES);
    make_webp(&webp, "VP8 ", VP8_DATA, sizeof VP8_DATA - 1, "EXIF");
    for (size_t length = 0; length < webp.length; length++)
        assert_int_not_equal(sniff(webp.data, length, &image), IMAGE_OK);
    buf_finish(&webp);
}

#define HTML "<!DOCTYPE html><html><script>alert(1)</script></html>"

static void test_other_things(void **state)
{
    static const struct sample others[] = {
        SAMPLE("nothing", "", 0),
        SAMPLE("text", "hello", 0),
        SAMPLE("SVG", "<svg xmlns=\"http://www.w3.org/2000/svg\"><script/></svg>", 0),
        SAMPLE("SVG with a declaration", "<?xml version=\"1.0\"?><svg/>", 0),
        SAMPLE("HTML", HTML, 0),
        SAMPLE("space before a PNG", " " PNG_HEAD PNG_DATA PNG_END, 0),
        SAMPLE("BMP", "BM\x46\0\0\0\0\0\0\0\x36\0\0\0", 0),
        SAMPLE("PDF", "%PDF-1.4", 0),
        SAMPLE("other RIFF", "RIFF\4\0\0\0WAVE", 0),
        SAMPLE("TIFF", "II*\0\x08\0\0\0", 0),
        SAMPLE("wrong GIF", "GIF88a\2\0\3\0\0\0\0;", 0),
    };
    struct image image;

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(others); i++) {
        if (sniff(others[i].bytes, others[i].length, &image) != IMAGE_UNKNOWN)
            fail_msg("%s is taken for an image", others[i].name);
    }
}

static void test_images_in_name_only(void **state)
{
    static const struct sample broken[] = {
        SAMPLE("HTML behind PNG's magic", PNG_MAGIC HTML, 0),
        SAMPLE("HTML behind JPEG's", "\xff\xd8\xff\xe0" HTML, 0),
        SAMPLE("HTML behind GIF's", "GIF89a" HTML, 0),
        SAMPLE("JavaScript in a GIF", "GIF89a=1/*\2\0\3\0*/;alert(1)//;", 0),
        SAMPLE("HTML behind WebP's", "RIFF\x36\0\0\0WEBP" HTML, 0),
        SAMPLE("PNG without IHDR", PNG_MAGIC PNG_DATA PNG_END, 0),
        SAMPLE("PNG with two",
               PNG_HEAD "\0\0\0\x0dIHDR\0\0\0\2\0\0\0\3\x08\2\0\0\0crc!" PNG_DATA PNG_END, 0),
        SAMPLE("PNG without data", PNG_HEAD PNG_END, 0),
        SAMPLE("PNG of no width",
               PNG_MAGIC "\0\0\0\x0dIHDR\0\0\0\0\0\0\0\3\x08\2\0\0\0crc!" PNG_DATA PNG_END, 0),
        SAMPLE("PNG with a huge chunk", PNG_HEAD "\xff\xff\xff\xffIDATabc", 0),
        SAMPLE("PNG with data in its end", PNG_HEAD PNG_DATA "\0\0\0\1IENDacrc!", 0),
        SAMPLE("JPEG without a frame", JPEG_HEAD JPEG_SCAN JPEG_END, 0),
        SAMPLE("JPEG without a scan", JPEG_HEAD JPEG_FRAME JPEG_END, 0),
        SAMPLE("JPEG with a short segment", "\xff\xd8\xff\xe0\0\1" JPEG_FRAME JPEG_SCAN JPEG_END,
               0),
        SAMPLE("JPEG with a short frame", "\xff\xd8\xff\xc0\0\4ab" JPEG_SCAN JPEG_END, 0),
        SAMPLE("JPEG with a start inside", JPEG_HEAD "\xff\xd8" JPEG_FRAME JPEG_SCAN JPEG_END, 0),
        SAMPLE("JPEG of no height",
               JPEG_HEAD "\xff\xc0\0\x0b\x08\0\0\0\2\1\1\x11\0" JPEG_SCAN JPEG_END, 0),
        SAMPLE("GIF without an image", GIF_HEAD ";", 0),
        SAMPLE("GIF of no width", "GIF89a\0\0\3\0\0\0\0" GIF_IMAGE ";", 0),
        SAMPLE("WebP that is larger than itself", "RIFF\xff\xff\xff\x7fWEBPVP8L", 0),
        SAMPLE("WebP of nothing", "RIFF\4\0\0\0WEBP", 0),
    };
    struct image image;
    struct buf webp;

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(broken); i++) {
        if (sniff(broken[i].bytes, broken[i].length, &image) != IMAGE_BROKEN)
            fail_msg("%s is not found broken", broken[i].name);
    }
    buf_init(&webp, IMAGE_MAX_BYTES);
    make_webp(&webp, "VP8X", VP8X_DATA, sizeof VP8X_DATA - 1, NULL);
    assert_int_equal(sniff(webp.data, webp.length, &image), IMAGE_BROKEN);
    make_webp(&webp, "EXIF", "abc", 3, "VP8L");
    assert_int_equal(sniff(webp.data, webp.length, &image), IMAGE_BROKEN);
    buf_finish(&webp);
}

static void test_media_types(void **state)
{
    (void)state;
    assert_string_equal(image_media_type(IMAGE_PNG), "image/png");
    assert_string_equal(image_media_type(IMAGE_JPEG), "image/jpeg");
    assert_string_equal(image_media_type(IMAGE_GIF), "image/gif");
    assert_string_equal(image_media_type(IMAGE_WEBP), "image/webp");
    assert_null(image_media_type((enum image_type)0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_images),
        cmocka_unit_test(test_what_follows_is_left_out),
        cmocka_unit_test(test_every_cut_is_noticed),
        cmocka_unit_test(test_other_things),
        cmocka_unit_test(test_images_in_name_only),
        cmocka_unit_test(test_media_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
