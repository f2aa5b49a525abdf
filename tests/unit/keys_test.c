/* SPDX-License-Identifier: MIT */
/* keys_test.c - the directory of signing keys. */
#include "unit/unit.h"

#include "unit/keys_rig.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "core/key_files.h"
#include "core/key_operator.h"
#include "core/keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct keys *open_keys(const struct rig *rig)
{
    return open_with(rig->directory, "banter", 5);
}

static void test_a_first_key_is_made_and_kept(void **state)
{
    struct rig *rig = *state;
    struct keys *k = open_keys(rig);
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

    k = open_keys(rig);
    assert_non_null(k);
    assert_true(slice_equal(buf_slice(&file), keys_jwks(k)));
    assert_int_equal(keys_verify(k, buf_slice(&token), &claims), JWT_OK);
    assert_string_equal(claims.handle, "alice");
    keys_close(k);

    k = open_with(rig->directory, "somebody else", 5);
    assert_non_null(k);
    assert_int_equal(keys_verify(k, buf_slice(&token), &claims), JWT_FOREIGN);
    keys_close(k);
    buf_finish(&token);
    buf_finish(&file);
}

static void leave(const struct rig *rig, const char *name, int age_s)
{
    write_aged(rig, name, slice_str("a private key"), age_s);
}

static bool is_there(const struct rig *rig, const char *name)
{
    char path[512];

    snprintf(path, sizeof path, "%s/%s", rig->directory, name);
    return access(path, F_OK) == 0;
}

/* Whoever was killed between writing a file and giving it its name has left one. */
static void test_what_a_crash_left_goes(void **state)
{
    enum { STALE_S = 3600 };
    static const char *const others[] = {".new-longer-name", ".old-AbC123", "x.new-AbC123",
                                         ".new-"};
    struct rig *rig = *state;
    struct keys *k;

    leave(rig, ".new-AbC123", STALE_S);
    leave(rig, ".new-fresh1", 60); /* somebody may be at it */
    for (size_t i = 0; i < ARRAY_LENGTH(others); i++)
        leave(rig, others[i], STALE_S);
    k = open_keys(rig);
    assert_non_null(k);
    keys_close(k);
    assert_false(is_there(rig, ".new-AbC123"));
    assert_true(is_there(rig, ".new-fresh1"));
    for (size_t i = 0; i < ARRAY_LENGTH(others); i++)
        assert_true(is_there(rig, others[i]));
    leave(rig, ".new-zYx987", STALE_S);
    assert_true(key_operator(&(struct key_order){.directory = rig->directory, .action = "rotate"}));
    assert_false(is_there(rig, ".new-zYx987"));
}

static void test_the_newest_signs_and_all_verify(void **state)
{
    struct rig *rig = *state;
    char *old = add_key(rig, "b.pem", 100);
    struct keys *k = open_keys(rig);
    struct jwt_claims claims;
    struct buf token;
    char *new, *oldest;

    assert_non_null(k);
    sign(k, &token);
    keys_close(k);
    new = add_key(rig, "a.pem", 10);
    oldest = add_key(rig, "c.pem", 1000);
    k = open_keys(rig);
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
    assert_null(open_keys(rig));
    unlink(path);
    write_file(rig->directory, "bad.pem", slice_str("-----BEGIN NOTHING-----\n"), 0600);
    assert_null(open_keys(rig));
    assert_null(open_with("/dev/null/keys", "banter", 5));
}

static struct keys_stats stats_of(const struct keys *k)
{
    struct keys_stats stats;

    keys_get_stats(k, &stats);
    return stats;
}

static void test_a_key_signs_when_all_can_know_it(void **state)
{
    struct rig *rig = *state;
    char *first = add_key(rig, "first.pem", 2);
    struct keys *k = open_with(rig->directory, "banter", 600);
    char *second, *third;

    assert_non_null(k);
    assert_signs(k, first); /* there is no older one */
    second = add_key(rig, "second.pem", 1);
    keys_look(k);
    assert_non_null(strstr(keys_jwks(k).data, second));
    assert_signs(k, first); /* none is old enough, so the oldest */
    third = add_key(rig, "third.pem", 601);
    keys_look(k);
    assert_signs(k, third);
    remove_key(rig, "third.pem");
    remove_key(rig, "first.pem");
    keys_look(k);
    assert_signs(k, second);
    assert_int_equal(stats_of(k).published, 1);
    assert_int_equal(stats_of(k).changes, 3);
    assert_int_equal(stats_of(k).failures, 0);
    keys_close(k);
    free(first);
    free(second);
    free(third);
}

static void test_a_retired_key_is_refused(void **state)
{
    struct rig *rig = *state;
    char *old = add_key(rig, "old.pem", 100);
    struct keys *k = open_keys(rig);
    struct jwt_claims claims;
    struct buf token, file;
    char path[512];
    char *new = add_key(rig, "new.pem", 10);

    assert_non_null(k);
    sign(k, &token);
    keys_look(k);
    assert_int_equal(keys_verify(k, buf_slice(&token), &claims), JWT_OK);
    assert_string_equal(claims.kid, old);
    remove_key(rig, "old.pem");
    keys_look(k);
    assert_int_equal(keys_verify(k, buf_slice(&token), &claims), JWT_UNKNOWN_KEY);
    assert_signs(k, new);
    buf_init(&file, 65536);
    snprintf(path, sizeof path, "%s/jwks.json", rig->directory);
    assert_true(file_read(path, &file));
    assert_null(strstr(file.data, old));
    assert_non_null(strstr(file.data, new));
    keys_close(k);
    buf_finish(&file);
    buf_finish(&token);
    free(old);
    free(new);
}

static void test_what_is_broken_changes_nothing(void **state)
{
    struct rig *rig = *state;
    char *old = add_key(rig, "old.pem", 100), *new = add_key(rig, "new.pem", 10);
    struct keys *k = open_keys(rig);
    struct jwt_claims claims;
    struct buf token;

    assert_non_null(k);
    sign(k, &token);
    write_file(rig->directory, "nonsense.pem", slice_str("nonsense"), 0600);
    keys_look(k);
    assert_int_equal(stats_of(k).broken, 1);
    assert_signs(k, new);
    /* What the broken file's key signed stays good, also the second time that it is looked at. */
    write_file(rig->directory, "new.pem", slice_str("-----BEGIN PRIVATE KEY-----\nAAAA\n"), 0600);
    for (int i = 0; i < 2; i++) {
        keys_reload(k);
        assert_int_equal(stats_of(k).broken, 2);
        assert_int_equal(stats_of(k).published, 2);
        assert_int_equal(keys_verify(k, buf_slice(&token), &claims), JWT_OK);
        assert_string_equal(claims.kid, new);
        assert_signs(k, old);
    }
    /* Nothing of use is left. */
    remove_key(rig, "new.pem");
    remove_key(rig, "old.pem");
    keys_look(k);
    assert_int_equal(stats_of(k).failures, 1);
    assert_int_equal(keys_verify(k, buf_slice(&token), &claims), JWT_OK);
    assert_signs(k, old);
    keys_close(k);
    buf_finish(&token);
    free(old);
    free(new);
}

/* A directory that is away is no directory without keys. */
static void test_a_directory_that_is_away_changes_nothing(void **state)
{
    struct rig *rig = *state;
    struct keys *k = open_keys(rig);
    char *kid = signing_kid(k);
    char away[80];

    snprintf(away, sizeof away, "%s-away", rig->directory);
    assert_int_equal(rename(rig->directory, away), 0);
    keys_look(k);
    assert_signs(k, kid);
    assert_int_equal(mkdir(rig->directory, 0700), 0);
    keys_look(k);
    assert_signs(k, kid);
    assert_int_equal(stats_of(k).failures, 2);
    assert_int_equal(rmdir(rig->directory), 0);
    assert_int_equal(rename(away, rig->directory), 0);
    keys_look(k);
    assert_signs(k, kid);
    assert_int_equal(stats_of(k).failures, 2);
    keys_close(k);
    free(kid);
}

/* A start goes by what jwks.json still knows of a file that others have been let into. */
static void test_a_start_with_a_broken_file(void **state)
{
    struct rig *rig = *state;
    struct keys *k = open_keys(rig);
    char *kid = signing_kid(k);
    struct jwt_claims claims;
    struct buf token;
    char path[512];
    char *other;

    sign(k, &token);
    keys_close(k);
    other = add_key(rig, "other.pem", 100);
    snprintf(path, sizeof path, "%s/%s.pem", rig->directory, kid);
    assert_int_equal(chmod(path, 0644), 0);
    k = open_keys(rig);
    assert_non_null(k);
    assert_int_equal(stats_of(k).broken, 1);
    assert_int_equal(keys_verify(k, buf_slice(&token), &claims), JWT_OK);
    assert_signs(k, other);
    assert_int_equal(chmod(path, 0600), 0);
    keys_look(k);
    assert_int_equal(stats_of(k).broken, 0);
    keys_close(k);
    buf_finish(&token);
    free(kid);
    free(other);
}

static void test_jwks_json_is_mended(void **state)
{
    struct rig *rig = *state;
    struct keys *k = open_keys(rig);
    struct buf file;
    char path[512];

    assert_non_null(k);
    snprintf(path, sizeof path, "%s/jwks.json", rig->directory);
    assert_int_equal(unlink(path), 0);
    keys_look(k);
    write_file(rig->directory, "jwks.json", slice_str("{\"keys\":[]}"), 0644);
    keys_look(k);
    buf_init(&file, 65536);
    assert_true(file_read(path, &file));
    assert_true(slice_equal(buf_slice(&file), keys_jwks(k)));
    assert_int_equal(stats_of(k).changes, 0);
    keys_close(k);
    buf_finish(&file);
}

static void test_too_many_keys(void **state)
{
    struct rig *rig = *state;
    char name[32];
    struct keys *k;

    for (int i = 0; i < JWT_KEYS_MAX + 2; i++) {
        snprintf(name, sizeof name, "%d.pem", i);
        free(add_key(rig, name, i * 7 % (JWT_KEYS_MAX + 2) + 100));
    }
    k = open_keys(rig);
    assert_non_null(k);
    assert_int_equal(stats_of(k).published, JWT_KEYS_MAX);
    assert_int_equal(stats_of(k).broken, 2);
    assert_in_range(stats_of(k).age_s, 100, 600);
    keys_close(k);
}

static void test_the_same_key_twice(void **state)
{
    struct rig *rig = *state;
    struct keys *k;
    struct buf pem;
    char path[512];

    free(add_key(rig, "one.pem", 100));
    buf_init(&pem, 4096);
    snprintf(path, sizeof path, "%s/one.pem", rig->directory);
    assert_true(file_read(path, &pem));
    write_file(rig->directory, "two.pem", buf_slice(&pem), 0600);
    k = open_keys(rig);
    assert_non_null(k);
    assert_int_equal(stats_of(k).published, 1);
    keys_close(k);
    buf_finish(&pem);
}

/* Bridges that share a directory and start at the same moment. */
static void test_many_open_at_once(void **state)
{
    enum { PROCESSES = 4, TIMES = 25 };
    struct rig *rig = *state;
    pid_t children[PROCESSES];

    free(add_key(rig, "first.pem", 10));
    for (int i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] > 0)
            continue;
        for (int n = 0; n < TIMES; n++) {
            struct keys *k = open_keys(rig);

            if (!k)
                _exit(1);
            keys_close(k);
        }
        _exit(0);
    }
    for (int i = 0; i < PROCESSES; i++) {
        int status;

        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_first_key_is_made_and_kept, begin, end),
        cmocka_unit_test_setup_teardown(test_what_a_crash_left_goes, begin, end),
        cmocka_unit_test_setup_teardown(test_the_newest_signs_and_all_verify, begin, end),
        cmocka_unit_test_setup_teardown(test_bad_directories_are_refused, begin, end),
        cmocka_unit_test_setup_teardown(test_many_open_at_once, begin, end),
        cmocka_unit_test_setup_teardown(test_a_key_signs_when_all_can_know_it, begin, end),
        cmocka_unit_test_setup_teardown(test_a_retired_key_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(test_what_is_broken_changes_nothing, begin, end),
        cmocka_unit_test_setup_teardown(test_a_directory_that_is_away_changes_nothing, begin, end),
        cmocka_unit_test_setup_teardown(test_a_start_with_a_broken_file, begin, end),
        cmocka_unit_test_setup_teardown(test_jwks_json_is_mended, begin, end),
        cmocka_unit_test_setup_teardown(test_too_many_keys, begin, end),
        cmocka_unit_test_setup_teardown(test_the_same_key_twice, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
