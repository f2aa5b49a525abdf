/* SPDX-License-Identifier: MIT */
/* passwords_test.c - the password workers: verdicts, the bound of the queue, taking them apart
 * while they work. Run it under the tsan preset as well: these are threads. */
#include "unit/unit.h"

#include "core/passwords.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stdio.h>

enum { THREADS = 3, QUEUE_MAX = 40 };

static const struct passwords_config cheap = {
    .memory_kib = 64, .passes = 1, .threads = THREADS, .queue_max = QUEUE_MAX};

struct rig {
    struct event_base *base;
    struct passwords *passwords;
    unsigned done;
    bool submitting; /* callbacks must not come now */
    enum password_verdict verdict;
    char hash[256]; /* or "" */
};

static void on_done(void *owner, enum password_verdict verdict, const char *hash)
{
    struct rig *rig = owner;

    assert_false(rig->submitting);
    rig->done++;
    rig->verdict = verdict;
    snprintf(rig->hash, sizeof rig->hash, "%s", hash ? hash : "");
}

static int begin(void **state)
{
    static struct rig rig;

    rig = (struct rig){.base = event_base_new()};
    rig.passwords = passwords_create(rig.base, &cheap);
    *state = &rig;
    return rig.passwords ? 0 : -1;
}

static int end(void **state)
{
    struct rig *rig = *state;

    passwords_destroy(rig->passwords);
    event_base_free(rig->base);
    return 0;
}

static void wait_for(struct rig *rig, unsigned done)
{
    while (rig->done < done)
        assert_int_equal(event_base_loop(rig->base, EVLOOP_ONCE), 0);
}

static void verify(struct rig *rig, const char *password, const char *stored)
{
    unsigned done = rig->done;

    rig->submitting = true;
    assert_true(passwords_verify(rig->passwords, slice_str(password), stored, on_done, rig));
    rig->submitting = false;
    wait_for(rig, done + 1);
}

static void hash(struct rig *rig, const char *password, char stored[256])
{
    unsigned done = rig->done;

    assert_true(passwords_hash(rig->passwords, slice_str(password), on_done, rig));
    wait_for(rig, done + 1);
    assert_int_equal(rig->verdict, PASSWORD_OK);
    assert_memory_equal(rig->hash, "$argon2id$", 10);
    snprintf(stored, 256, "%s", rig->hash);
}

static void test_verdicts(void **state)
{
    struct rig *rig = *state;
    char stored[256], again[256];

    hash(rig, "correct horse", stored);
    hash(rig, "correct horse", again);
    assert_string_not_equal(stored, again);
    verify(rig, "correct horse", stored);
    assert_int_equal(rig->verdict, PASSWORD_OK);
    assert_string_equal(rig->hash, "");
    verify(rig, "wrong horse", stored);
    assert_int_equal(rig->verdict, PASSWORD_WRONG);
    verify(rig, "", stored);
    assert_int_equal(rig->verdict, PASSWORD_WRONG);
    verify(rig, "correct horse", NULL);
    assert_int_equal(rig->verdict, PASSWORD_WRONG);
    verify(rig, "correct horse", "not a hash at all");
    assert_int_equal(rig->verdict, PASSWORD_WRONG);
}

static void test_rehash_when_parameters_changed(void **state)
{
    struct rig *rig = *state;
    struct passwords_config dearer = cheap;
    char stored[256];

    hash(rig, "correct horse", stored);
    passwords_destroy(rig->passwords);
    dearer.memory_kib = 128;
    rig->passwords = passwords_create(rig->base, &dearer);
    assert_non_null(rig->passwords);
    verify(rig, "wrong horse", stored);
    assert_string_equal(rig->hash, "");
    verify(rig, "correct horse", stored);
    assert_int_equal(rig->verdict, PASSWORD_OK);
    assert_non_null(strstr(rig->hash, "m=128,"));
    snprintf(stored, sizeof stored, "%s", rig->hash);
    verify(rig, "correct horse", stored);
    assert_int_equal(rig->verdict, PASSWORD_OK);
    assert_string_equal(rig->hash, "");
}

static void test_the_queue_is_bounded(void **state)
{
    struct rig *rig = *state;

    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < QUEUE_MAX; i++)
            assert_true(passwords_hash(rig->passwords, slice_str("password"), on_done, rig));
        assert_int_equal(passwords_pending(rig->passwords), QUEUE_MAX);
        assert_false(passwords_hash(rig->passwords, slice_str("password"), on_done, rig));
        assert_false(passwords_verify(rig->passwords, slice_str("password"), NULL, on_done, rig));
        wait_for(rig, (unsigned)(round + 1) * QUEUE_MAX);
        assert_int_equal(passwords_pending(rig->passwords), 0);
    }
}

static void test_destroy_while_they_work(void **state)
{
    struct rig *rig = *state;

    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < round; i++)
            assert_true(passwords_hash(rig->passwords, slice_str("password"), on_done, rig));
        passwords_destroy(rig->passwords);
        rig->passwords = passwords_create(rig->base, &cheap);
        assert_non_null(rig->passwords);
    }
    assert_int_equal(rig->done, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_verdicts, begin, end),
        cmocka_unit_test_setup_teardown(test_rehash_when_parameters_changed, begin, end),
        cmocka_unit_test_setup_teardown(test_the_queue_is_bounded, begin, end),
        cmocka_unit_test_setup_teardown(test_destroy_while_they_work, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
