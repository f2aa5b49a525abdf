/* SPDX-License-Identifier: MIT */
/* map_test.c - the hash table against a plain array, with good hashes and with terrible ones. */
#include "unit/unit.h"

#include "base/hash.h"
#include "base/map.h"

#include <stdlib.h>

enum { ITEMS = 3000, STEPS = 200000 };

struct item {
    uint64_t key;
    bool inside;
};

static const void *key_of(const void *item)
{
    return &((const struct item *)item)->key;
}

/* Long runs that wrap around the end of the table. */
static uint64_t clumsy_hash(const void *key)
{
    return UINT64_MAX - (*(const uint64_t *)key % 7) * 3;
}

static const struct map_type good = {map_hash_u64, map_equal_u64, key_of};
static const struct map_type clumsy = {clumsy_hash, map_equal_u64, key_of};

static void test_empty(void **state)
{
    uint64_t key = 1;
    size_t cursor = 0;
    struct map m;

    (void)state;
    map_init(&m, &good);
    assert_null(map_find(&m, &key));
    assert_null(map_remove(&m, &key));
    assert_null(map_next(&m, &cursor));
    map_finish(&m);
    map_finish(&m);
}

static void check_walk(const struct map *m, const struct item *items, size_t count)
{
    size_t cursor = 0, walked = 0, inside = 0;
    const struct item *item;

    while ((item = map_next(m, &cursor))) {
        assert_true(item->inside);
        walked++;
    }
    for (size_t i = 0; i < count; i++) {
        inside += items[i].inside;
        assert_ptr_equal(map_find(m, &items[i].key), items[i].inside ? &items[i] : NULL);
    }
    assert_int_equal(walked, inside);
    assert_int_equal(m->count, inside);
}

static void churn(const struct map_type *type, size_t count, unsigned steps)
{
    struct item *items = calloc(count, sizeof *items);
    uint64_t random = 42;
    struct map m;

    assert_non_null(items);
    for (size_t i = 0; i < count; i++)
        items[i].key = 1000 + i;
    map_init(&m, type);
    for (unsigned step = 0; step < steps; step++) {
        struct item *item;

        random = hash_u64(random + step);
        item = &items[random % count];
        if (item->inside)
            assert_ptr_equal(map_remove(&m, &item->key), item);
        else
            assert_true(map_insert(&m, item));
        item->inside = !item->inside;
        assert_true(m.count * 4 <= m.slot_count * 3);
        if (step % (steps / 20) == 0)
            check_walk(&m, items, count);
    }
    check_walk(&m, items, count);
    map_finish(&m);
    free(items);
}

static void test_churn(void **state)
{
    (void)state;
    churn(&good, ITEMS, STEPS);
}

static void test_churn_with_collisions(void **state)
{
    (void)state;
    churn(&clumsy, 60, 20000);
}

static void test_removing_what_is_not_there(void **state)
{
    struct item a = {.key = 1}, b = {.key = 8}; /* the same clumsy hash */
    struct map m;

    (void)state;
    map_init(&m, &clumsy);
    assert_true(map_insert(&m, &a));
    assert_null(map_remove(&m, &b.key));
    assert_ptr_equal(map_find(&m, &a.key), &a);
    assert_int_equal(m.count, 1);
    map_finish(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_churn),
        cmocka_unit_test(test_churn_with_collisions),
        cmocka_unit_test(test_removing_what_is_not_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
