/* SPDX-License-Identifier: MIT */
/* key_operator_test.c - what an operator does with the files of signing keys, and what the bridge
 * that runs makes of it. */
#include "unit/unit.h"

#include "unit/keys_rig.h"

#include "core/key_files.h"
#include "core/key_operator.h"

#include <stdio.h>
#include <stdlib.h>

static bool operate(const struct rig *rig, const char *action, const char *kid, bool now)
{
    return key_operator(&(struct key_order){.directory = rig->directory,
                                            .overlap_s = 20,
                                            .access_token_ttl_s = 10,
                                            .action = action,
                                            .kid = kid,
                                            .now = now});
}

static size_t count_keys(const struct rig *rig)
{
    struct key_files files;
    size_t count;

    assert_true(key_files_read(rig->directory, &files));
    count = files.count;
    key_files_finish(&files);
    return count;
}

static void test_an_operator_rotates_and_retires(void **state)
{
    struct rig *rig = *state;
    const int ends = 20 + 10 + JWT_LEEWAY_S + KEY_RETIRE_MARGIN_S;
    /* `due` stopped signing when `old` began to, `old` when `signing` did. */
    char *due = add_key(rig, "due.pem", 1000), *old = add_key(rig, "old.pem", ends + 5);
    char *signing = add_key(rig, "signing.pem", ends - 90);
    struct keys *k = open_with(rig->directory, "banter", 20);

    assert_true(operate(rig, "list", NULL, false));
    assert_signs(k, signing);
    assert_true(operate(rig, "rotate", NULL, false));
    assert_int_equal(count_keys(rig), 4);
    assert_false(operate(rig, "rotate", NULL, false)); /* that one does not sign yet */
    keys_look(k);
    assert_signs(k, signing);
    assert_false(operate(rig, "retire", signing, false));
    assert_false(operate(rig, "retire", old, false));
    assert_false(operate(rig, "retire", "unknown", true));
    assert_true(operate(rig, "retire", NULL, false));
    assert_int_equal(count_keys(rig), 3);
    keys_look(k);
    assert_null(strstr(keys_jwks(k).data, due));
    assert_true(operate(rig, "retire", NULL, false)); /* nothing is due */
    assert_int_equal(count_keys(rig), 3);
    assert_true(operate(rig, "retire", old, true));
    assert_true(operate(rig, "retire", signing, true));
    assert_int_equal(count_keys(rig), 1);
    keys_look(k);
    free(old);
    old = signing_kid(k);
    assert_false(operate(rig, "retire", old, true)); /* the last one */
    keys_close(k);
    free(due);
    free(old);
    free(signing);
}

/* Two keys of one second would be in the order of their names, and the old one's is last here. */
static void test_a_new_key_is_newer_than_one_of_now(void **state)
{
    struct rig *rig = *state;
    char *first = add_key(rig, "~.pem", 0);
    struct keys *k = open_with(rig->directory, "banter", 20);

    assert_non_null(k);
    assert_true(operate(rig, "rotate", NULL, false));
    keys_look(k);
    assert_int_equal(count_keys(rig), 2);
    assert_signs(k, first);
    keys_close(k);
    free(first);
    free(add_key(rig, "~.pem", -100));
    assert_false(operate(rig, "rotate", NULL, false)); /* which would come before that one */
    assert_int_equal(count_keys(rig), 2);
}

static void test_an_operator_makes_no_more_keys_than_needed(void **state)
{
    struct rig *rig = *state;
    char name[32];

    assert_true(key_operator_has("retire", true) && key_operator_has("list", false));
    assert_false(key_operator_has("rotate", true) || key_operator_has("make", false));
    for (int i = 0; i < KEY_ROTATE_MAX; i++) {
        snprintf(name, sizeof name, "%d.pem", i);
        free(add_key(rig, name, 100 + i));
    }
    assert_false(operate(rig, "rotate", NULL, false));
    remove_key(rig, "0.pem");
    assert_true(operate(rig, "rotate", NULL, false));
    write_file(rig->directory, "broken.pem", slice_str(""), 0600);
    assert_true(operate(rig, "list", NULL, false));
    assert_true(operate(rig, "retire", "broken", false));
    assert_int_equal(count_keys(rig), KEY_ROTATE_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_an_operator_rotates_and_retires, begin, end),
        cmocka_unit_test_setup_teardown(test_a_new_key_is_newer_than_one_of_now, begin, end),
        cmocka_unit_test_setup_teardown(test_an_operator_makes_no_more_keys_than_needed, begin,
                                        end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
