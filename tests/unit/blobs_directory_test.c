/* SPDX-License-Identifier: MIT */
/* blobs_directory_test.c - blobs in a directory of the test's own: kept, read, removed; and what is
 * wrong with the directory is an answer. */
#include "unit/unit.h"

#include "core/blobs.h"

#include <event2/event.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { JOBS_MAX = 64, PATH_BYTES = 256 };

static struct event_base *base;
static struct blobs *blobs;
static char root[PATH_BYTES], directory[PATH_BYTES + 16];
static unsigned told;
static enum blob_result result;
static char content[64];
static size_t content_length;
static bool submitting;

static struct uuid name(unsigned n)
{
    struct uuid id = {{0x01, 0x98}};

    id.bytes[15] = (uint8_t)n;
    return id;
}

/* Where the blob is; `suffix` may be empty. */
static const char *path_of(unsigned n, const char *suffix)
{
    static char path[2 * PATH_BYTES];

    snprintf(path, sizeof path, "%s/%02x/01980000-0000-0000-0000-0000000000%02x%s", directory, n, n,
             suffix);
    return path;
}

static int set_up(void **state)
{
    const char *temporary = getenv("TMPDIR");

    (void)state;
    snprintf(root, sizeof root, "%s/banter-blobs-XXXXXX", temporary ? temporary : "/tmp");
    assert_non_null(mkdtemp(root));
    snprintf(directory, sizeof directory, "%s/blobs", root);
    base = event_base_new();
    blobs = blobs_in_directory(base, directory);
    told = 0;
    return base && blobs ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *s, int type, struct FTW *place)
{
    (void)s;
    (void)type;
    (void)place;
    return remove(path);
}

static int tear_down(void **state)
{
    (void)state;
    blobs_destroy(blobs);
    event_base_free(base);
    return nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void on_done(void *owner, enum blob_result r, struct slice bytes)
{
    assert_ptr_equal(owner, &told);
    assert_false(submitting);
    told++;
    result = r;
    content_length = bytes.length;
    snprintf(content, sizeof content, "%.*s", (int)(bytes.length < 60 ? bytes.length : 60),
             bytes.data);
}

static void wait_told(unsigned count)
{
    while (told < count)
        assert_int_equal(event_base_loop(base, EVLOOP_ONCE), 0);
    assert_int_equal(told, count);
}

static enum blob_result keep(unsigned n, struct slice bytes)
{
    struct uuid id = name(n);

    submitting = true;
    assert_true(blobs_write(blobs, &id, bytes, on_done, &told));
    submitting = false;
    wait_told(told + 1);
    assert_int_equal(content_length, 0);
    return result;
}

static enum blob_result fetch(unsigned n)
{
    struct uuid id = name(n);

    submitting = true;
    assert_true(blobs_read(blobs, &id, on_done, &told));
    submitting = false;
    wait_told(told + 1);
    return result;
}

static enum blob_result discard(unsigned n)
{
    struct uuid id = name(n);

    assert_true(blobs_remove(blobs, &id, on_done, &told));
    wait_told(told + 1);
    return result;
}

static void assert_mode(const char *path, mode_t mode)
{
    struct stat s;

    assert_int_equal(stat(path, &s), 0);
    assert_int_equal(s.st_mode & 07777, mode);
}

static void test_kept_until_removed(void **state)
{
    (void)state;
    assert_int_equal(fetch(1), BLOB_NOT_FOUND);
    assert_int_equal(keep(1, slice_str("one")), BLOB_OK);
    assert_int_equal(keep(2, slice_str("two")), BLOB_OK);
    assert_mode(path_of(1, ""), 0600);
    assert_mode(directory, 0700);
    assert_int_not_equal(access(path_of(1, ".new"), F_OK), 0);
    blobs_destroy(blobs);
    blobs = blobs_in_directory(base, directory); /* it is there already */
    assert_non_null(blobs);
    assert_int_equal(fetch(1), BLOB_OK);
    assert_string_equal(content, "one");
    assert_int_equal(discard(1), BLOB_OK);
    assert_int_equal(discard(1), BLOB_OK);
    assert_int_equal(fetch(1), BLOB_NOT_FOUND);
    assert_int_equal(content_length, 0);
    assert_int_equal(fetch(2), BLOB_OK);
    assert_string_equal(content, "two");
}

static void test_sizes(void **state)
{
    char *large = calloc(1, BLOB_MAX_BYTES);

    (void)state;
    assert_non_null(large);
    assert_int_equal(keep(3, slice_of(large, BLOB_MAX_BYTES)), BLOB_OK);
    assert_int_equal(fetch(3), BLOB_OK);
    assert_int_equal(content_length, BLOB_MAX_BYTES);
    assert_int_equal(keep(4, slice_of("", 0)), BLOB_OK);
    assert_int_equal(fetch(4), BLOB_OK);
    assert_int_equal(content_length, 0);
    free(large);
}

static void put_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "a");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* What a crash left of an earlier attempt is no blob, and stands in nobody's way. */
static void test_half_a_file(void **state)
{
    (void)state;
    assert_int_equal(keep(5, slice_str("x")), BLOB_OK);
    assert_int_equal(discard(5), BLOB_OK);
    put_file(path_of(5, ".new"), "half of something longer");
    assert_int_equal(fetch(5), BLOB_NOT_FOUND);
    assert_int_equal(keep(5, slice_str("whole")), BLOB_OK);
    assert_int_equal(fetch(5), BLOB_OK);
    assert_string_equal(content, "whole");
}

static void test_what_is_in_the_way(void **state)
{
    char shelf[2 * PATH_BYTES], target[2 * PATH_BYTES];
    struct stat s;

    (void)state;
    /* A file instead of the shelf; a directory instead of the file. */
    snprintf(shelf, sizeof shelf, "%s/06", directory);
    put_file(shelf, "x");
    assert_int_equal(keep(6, slice_str("x")), BLOB_FAILED);
    assert_int_equal(fetch(6), BLOB_FAILED);
    assert_int_equal(discard(6), BLOB_FAILED);
    assert_int_equal(keep(7, slice_str("x")), BLOB_OK);
    assert_int_equal(discard(7), BLOB_OK);
    assert_int_equal(mkdir(path_of(7, ""), 0700), 0);
    assert_int_equal(keep(7, slice_str("x")), BLOB_FAILED);
    assert_int_equal(access(path_of(7, ".new"), F_OK), -1); /* nothing is left behind */
    assert_int_equal(fetch(7), BLOB_FAILED);
    assert_int_equal(discard(7), BLOB_FAILED);
    /* A link is not followed. */
    snprintf(target, sizeof target, "%s/target", root);
    put_file(target, "mine");
    assert_int_equal(keep(8, slice_str("x")), BLOB_OK);
    assert_int_equal(symlink(target, path_of(8, ".new")), 0);
    assert_int_equal(keep(8, slice_str("y")), BLOB_FAILED);
    assert_int_equal(fetch(8), BLOB_OK);
    assert_string_equal(content, "x");
    assert_int_equal(stat(target, &s), 0);
    assert_int_equal(s.st_size, 4);
}

static void test_too_much_at_once(void **state)
{
    struct uuid id = name(9);

    (void)state;
    for (unsigned i = 0; i < JOBS_MAX; i++)
        assert_true(blobs_read(blobs, &id, on_done, &told));
    assert_false(blobs_read(blobs, &id, on_done, &told));
    assert_false(blobs_write(blobs, &id, slice_str("x"), on_done, &told));
    assert_false(blobs_remove(blobs, &id, on_done, &told));
    wait_told(JOBS_MAX);
    assert_int_equal(keep(9, slice_str("x")), BLOB_OK);
}

static void test_destroyed_at_work(void **state)
{
    struct uuid id = name(10);

    (void)state;
    for (unsigned i = 0; i < 10; i++)
        assert_true(blobs_write(blobs, &id, slice_str("x"), on_done, &told));
    blobs_destroy(blobs);
    blobs = NULL;
    event_base_loop(base, EVLOOP_NONBLOCK);
    assert_int_equal(told, 0);
}

static void test_no_directory(void **state)
{
    char path[5000];

    (void)state;
    snprintf(path, sizeof path, "%s/missing/blobs", root);
    assert_null(blobs_in_directory(base, path));
    memset(path, 'x', sizeof path);
    path[4090] = '\0';
    assert_null(blobs_in_directory(base, path));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_kept_until_removed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_sizes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_half_a_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_in_the_way, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_too_much_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_destroyed_at_work, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_directory, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
