/* SPDX-License-Identifier: MIT */
/* keys_test.c - the directory of signing keys, and refresh tokens as text. */
#include "unit/unit.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "core/keys.h"
#include "core/refresh_token.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct rig {
    char directory[64];
};

static int begin(void **state)
{
    static struct rig rig;

    snprintf(rig.directory, sizeof rig.directory, "/tmp/banter-keys-XXXXXX");
    *state = &rig;
    return mkdtemp(rig.directory) ? 0 : -1;
}

static int end(void **state)
{
    struct rig *rig = *state;
    DIR *directory = opendir(rig->directory);
    struct dirent *entry;
    char path[512];

    while ((entry = readdir(directory))) {
        snprintf(path, sizeof path, "%s/%s", rig->directory, entry->d_name);
        unlink(path);
    }
    closedir(directory);
    return rmdir(rig->directory);
}

static void write_file(const char *directory, const char *name, struct slice content, mode_t mode)
{
    char path[512];
    int fd;

    snprintf(path, sizeof path, "%s/%s", directory, name);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, content.data, content.length), content.length);
    close(fd);
}

/* Adds a key that is `age_s` old and returns its kid, malloc'd. */
static char *add_key(struct rig *rig, const char *name, int age_s)
{
    struct jwt_signer *signer = jwt_signer_generate();
    const struct timespec times[2] = {{.tv_sec = time(NULL) - age_s},
                                      {.tv_sec = time(NULL) - age_s}};
    char path[512];
    char *kid;
    struct buf pem;

    assert_non_null(signer);
    buf_init(&pem, 4096);
    assert_true(jwt_signer_to_pem(signer, &pem));
    write_file(rig->directory, name, buf_slice(&pem), 0600);
    snprintf(path, sizeof path, "%s/%s", rig->directory, name);
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    kid = strdup(jwt_signer_kid(signer));
    buf_finish(&pem);
    jwt_signer_destroy(signer);
    return kid;
}

static void sign(const struct keys *k, struct buf *token)
{
    int64_t now = clock_wall_ms() / 1000;
    struct jwt_claims claims = {.uid = 7,
                                .handle = "alice",
                                .session = "0192f7c4-8f3c-8c1e-9a51-6b8d3f1c2a10",
                                .issued_at = now,
                                .not_before = now,
                                .expires_at = now + 60};

    buf_init(token, TOKEN_MAX_LENGTH);
    assert_true(keys_sign(k, &claims, token));
}

static void test_a_first_key_is_made_and_kept(void **state)
{
    struct rig *rig = *state;
    struct keys *k = keys_open(rig->directory, "banter", "banter");
    struct jwt_claims claims;
    struct stat status;
    struct buf token, file;
    char path[512];

    assert_non_null(k);
    sign(k, &token);
    buf_init(&file, 65536);
    snprintf(path, sizeof path, "%s/jwks.json", rig->directory);
    assert_true(file_read(path, &file));
    assert_true(slice_equal(buf_slice(&file), keys_jwks(k)));
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0644);
    keys_close(k);

    k = keys_open(rig->directory, "banter", "banter");
    assert_non_null(k);
    assert_true(slice_equal(buf_slice(&file), keys_jwks(k)));
    assert_int_equal(keys_verify(k, buf_slice(&token), &claims), JWT_OK);
    assert_string_equal(claims.handle, "alice");
    keys_close(k);

    k = keys_open(rig->directory, "banter", "somebody else");
    assert_non_null(k);
    assert_int_equal(keys_verify(k, buf_slice(&token), &claims), JWT_FOREIGN);
    keys_close(k);
    buf_finish(&token);
    buf_finish(&file);
}

static void test_the_newest_signs_and_all_verify(void **state)
{
    struct rig *rig = *state;
    char *old = add_key(rig, "b.pem", 100);
    struct keys *k = keys_open(rig->directory, "banter", "banter");
    struct jwt_claims claims;
    struct buf token;
    char *new, *oldest;

    assert_non_null(k);
    sign(k, &token);
    keys_close(k);
    new = add_key(rig, "a.pem", 10);
    oldest = add_key(rig, "c.pem", 1000);
    k = keys_open(rig->directory, "banter", "banter");
    assert_non_null(k);
    assert_int_equal(keys_verify(k, buf_slice(&token), &claims), JWT_OK);
    assert_true(strstr(keys_jwks(k).data, new) < strstr(keys_jwks(k).data, old));
    assert_true(strstr(keys_jwks(k).data, old) < strstr(keys_jwks(k).data, oldest));
    keys_close(k);
    buf_finish(&token);
    free(old);
    free(new);
    free(oldest);
}

static void test_bad_directories_are_refused(void **state)
{
    struct rig *rig = *state;
    char path[512];

    free(add_key(rig, "open.pem", 0));
    snprintf(path, sizeof path, "%s/open.pem", rig->directory);
    assert_int_equal(chmod(path, 0640), 0);
    assert_null(keys_open(rig->directory, "banter", "banter"));
    unlink(path);
    write_file(rig->directory, "bad.pem", slice_str("-----BEGIN NOTHING-----\n"), 0600);
    assert_null(keys_open(rig->directory, "banter", "banter"));
    assert_null(keys_open("/dev/null/keys", "banter", "banter"));
    snprintf(path, sizeof path, "%s/bad.pem", rig->directory);
    unlink(path);
    for (int i = 0; i <= JWT_KEYS_MAX; i++) {
        char name[32];

        snprintf(name, sizeof name, "%d.pem", i);
        free(add_key(rig, name, i));
    }
    assert_null(keys_open(rig->directory, "banter", "banter"));
}

static void test_refresh_tokens(void **state)
{
    struct refresh_token token, read;
    uint8_t first[REFRESH_HASH_BYTES], second[REFRESH_HASH_BYTES];
    struct buf text;

    (void)state;
    buf_init(&text, 256);
    refresh_token_begin(&token);
    refresh_token_hash(&token, first);
    token.generation = 0x01020304;
    refresh_token_write(&token, &text);
    assert_int_equal(text.length, 70);
    assert_true(refresh_token_read(&read, buf_slice(&text)));
    assert_memory_equal(&read, &token, sizeof read);
    refresh_token_renew(&token);
    refresh_token_hash(&token, second);
    assert_memory_not_equal(first, second, sizeof first);
    assert_false(refresh_token_read(&read, slice_of(text.data, text.length - 1)));
    assert_false(refresh_token_read(&read, slice_str("")));
    assert_false(refresh_token_read(&read, slice_str("not base64url!")));
    buf_finish(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_first_key_is_made_and_kept, begin, end),
        cmocka_unit_test_setup_teardown(test_the_newest_signs_and_all_verify, begin, end),
        cmocka_unit_test_setup_teardown(test_bad_directories_are_refused, begin, end),
        cmocka_unit_test(test_refresh_tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
