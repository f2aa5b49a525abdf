/* SPDX-License-Identifier: MIT */
/* keys_rig.c - see keys_rig.h. */
#include "unit/unit.h"

#include "unit/keys_rig.h"

#include "base/clock.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

int begin(void **state)
{
    static struct rig rig;

    snprintf(rig.directory, sizeof rig.directory, "/tmp/banter-keys-XXXXXX");
    *state = &rig;
    return mkdtemp(rig.directory) ? 0 : -1;
}

int end(void **state)
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

void write_file(const char *directory, const char *name, struct slice content, mode_t mode)
{
    char path[512];
    int fd;

    snprintf(path, sizeof path, "%s/%s", directory, name);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, content.data, content.length), content.length);
    close(fd);
}

void write_aged(const struct rig *rig, const char *name, struct slice content, int age_s)
{
    const struct timespec times[2] = {{.tv_sec = time(NULL) - age_s},
                                      {.tv_sec = time(NULL) - age_s}};
    char path[512];

    write_file(rig->directory, name, content, 0600);
    snprintf(path, sizeof path, "%s/%s", rig->directory, name);
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

char *add_key(const struct rig *rig, const char *name, int age_s)
{
    struct jwt_signer *signer = jwt_signer_generate();
    char *kid;
    struct buf pem;

    assert_non_null(signer);
    buf_init(&pem, 4096);
    assert_true(jwt_signer_to_pem(signer, &pem));
    write_aged(rig, name, buf_slice(&pem), age_s);
    kid = strdup(jwt_signer_kid(signer));
    buf_finish(&pem);
    jwt_signer_destroy(signer);
    return kid;
}

struct keys *open_with(const char *directory, const char *audience, unsigned overlap_s)
{
    return keys_open(&(struct keys_config){
        .directory = directory, .issuer = "banter", .audience = audience, .overlap_s = overlap_s});
}

void sign(const struct keys *k, struct buf *token)
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

char *signing_kid(const struct keys *k)
{
    struct jwt_claims claims;
    struct buf token;

    sign(k, &token);
    assert_int_equal(keys_verify(k, buf_slice(&token), &claims), JWT_OK);
    buf_finish(&token);
    return strdup(claims.kid);
}

void assert_signs(const struct keys *k, const char *kid)
{
    char *found = signing_kid(k);

    assert_string_equal(found, kid);
    free(found);
}

void remove_key(const struct rig *rig, const char *name)
{
    char path[512];

    snprintf(path, sizeof path, "%s/%s", rig->directory, name);
    assert_int_equal(unlink(path), 0);
}
