/* SPDX-License-Identifier: MIT */
/* cluster_attaching_test.c - whom news of other nodes concern while the plugin is asking, or has
 * asked and not yet said who is here. */
#include "unit/unit.h"

#include "core/cluster/parts.h"

enum { ALICE = 1, BOB = 2 };

static void test_who_is_awaited(void **state)
{
    struct attaching *a = attaching_create();
    (void)state;

    assert_false(attaching_concerns(a, BOB));
    attaching_await(a, BOB);
    attaching_await(a, BOB);
    assert_true(attaching_concerns(a, BOB));
    assert_false(attaching_concerns(a, ALICE));
    attaching_come(a, ALICE);
    attaching_come(a, BOB);
    assert_false(attaching_concerns(a, BOB));
    attaching_destroy(a);
}

static void test_link_lost(void **state)
{
    struct attaching *a = attaching_create();
    (void)state;

    for (uint64_t uid = 1; uid <= 1000; uid++)
        attaching_await(a, uid);
    attaching_link_lost(a);
    assert_false(attaching_concerns(a, BOB));
    attaching_await(a, BOB);
    assert_true(attaching_concerns(a, BOB));
    attaching_destroy(a);
}

/* Between question and answer everybody may be who is asked for. */
static void test_while_it_is_asked(void **state)
{
    struct cluster c = {.attaching = attaching_create()};
    (void)state;

    cluster_attach_asked(&c);
    assert_true(attaching_concerns(c.attaching, ALICE));
    cluster_attach_answered(&c);
    assert_false(attaching_concerns(c.attaching, ALICE));
    attaching_destroy(c.attaching);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_is_awaited),
        cmocka_unit_test(test_link_lost),
        cmocka_unit_test(test_while_it_is_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
