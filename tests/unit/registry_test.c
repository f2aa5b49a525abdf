/* SPDX-License-Identifier: MIT */
/* registry_test.c - what an address of a registry may be, and the entries that are kept. The real
 * ones are in tests/integration: test_cluster_registry.py, test_zookeeper.py. */
#include "unit/unit.h"

#include "bus/registry_type.h"
#include "bus/zookeeper_address.h"

static void test_addresses(void **state)
{
    static const struct {
        const char *text, *credentials, *hosts, *path;
    } cases[] = {
        {"zookeeper://zoo:2181", "", "zoo:2181", "/banter/nodes"},
        {"zookeeper://10.0.0.1:1/x", "", "10.0.0.1:1", "/x"},
        {"zookeeper://a:1,b-2.example:65535,[::1]:3/chat/eu_1/nodes", "",
         "a:1,b-2.example:65535,[::1]:3", "/chat/eu_1/nodes"},
        {"zookeeper://me:pass/word@zoo:2181/x", "me:pass/word", "zoo:2181", "/x"},
        {"zookeeper://me:p@ss@zoo:2181", "me:p@ss", "zoo:2181", "/banter/nodes"},
    };
    static const char *const bad[] = {
        "",
        "zookeeper:",
        "zookeeper://",
        "zookeeper://zoo",
        "zookeeper://zoo:",
        "zookeeper://zoo:port",
        "zookeeper://:2181",
        "zookeeper://zoo:123456",
        "zookeeper://zoo:2181,",
        "zookeeper://zoo:2181,,zoo:2182",
        "zookeeper://zo o:2181",
        "zookeeper://zoo:2181/",
        "zookeeper://zoo:2181//x",
        "zookeeper://zoo:2181/x/",
        "zookeeper://zoo:2181/../x",
        "zookeeper://zoo:2181/x y",
        "zookeeper://me@zoo:2181",
        "zookeeper://:secret@zoo:2181",
        "redis://zoo:2181",
    };
    struct zookeeper_address a;

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        assert_true(zookeeper_address_parse(&a, cases[i].text));
        assert_string_equal(a.credentials, cases[i].credentials);
        assert_string_equal(a.hosts, cases[i].hosts);
        assert_string_equal(a.path, cases[i].path);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        if (zookeeper_address_parse(&a, bad[i]))
            fail_msg("taken: %s", bad[i]);
    }
}

static void test_addresses_have_a_longest(void **state)
{
    struct zookeeper_address a;
    char text[3 * ZOOKEEPER_ADDRESS_MAX];

    (void)state;
    memset(text, 'a', sizeof text);
    memcpy(text, "zookeeper://", 12);
    memcpy(text + sizeof text - 6, ":2181", 6);
    assert_false(zookeeper_address_parse(&a, text));
    memset(text + 12, 'a', sizeof text - 13);
    memcpy(text + 12, "zoo:2181/", 9);
    assert_false(zookeeper_address_parse(&a, text));
    memset(text + 12, 'a', sizeof text - 13);
    text[13] = ':';
    memcpy(text + sizeof text - 10, "@zoo:2181", 10);
    assert_false(zookeeper_address_parse(&a, text));
}

static void put(struct registry_entries *e, const char *name, const char *value, uint64_t now_ms)
{
    registry_entries_put(e, slice_str(name), slice_str(value), now_ms);
}

static void test_entries_come_change_and_go(void **state)
{
    struct registry_entries e = {.count = 0};

    (void)state;
    put(&e, "a", "1", 10);
    put(&e, "b", "2", 20);
    put(&e, "a", "one", 30);
    assert_int_equal(e.count, 2);
    assert_string_equal(e.list[0].name, "a");
    assert_memory_equal(e.list[0].value, "one", 3);
    registry_entries_forget(&e, 21);
    assert_int_equal(e.count, 1);
    assert_string_equal(e.list[0].name, "a");
    put(&e, "a", "", 40);
    put(&e, "never", "", 40);
    assert_int_equal(e.count, 0);
    registry_entries_finish(&e);
}

static void test_entries_are_bounded(void **state)
{
    static const char zeros[REGISTRY_VALUE_MAX + 1];
    struct registry_entries e = {.count = 0};

    (void)state;
    registry_entries_put(&e, slice_of("", 0), slice_str("x"), 1);
    registry_entries_put(&e, slice_of("a\0b", 3), slice_str("x"), 1);
    registry_entries_put(&e, slice_of(zeros, REGISTRY_NAME_MAX + 1), slice_str("x"), 1);
    registry_entries_put(&e, slice_str("a"), slice_of(zeros, sizeof zeros), 1);
    assert_int_equal(e.count, 0);
    for (unsigned i = 0; i < REGISTRY_ENTRIES_MAX + 10; i++) {
        const char name[3] = {(char)('a' + i % 26), (char)('a' + i / 26 % 26),
                              (char)('a' + i / 676)};
        registry_entries_put(&e, slice_of(name, sizeof name), slice_of(zeros, REGISTRY_VALUE_MAX),
                             1);
    }
    assert_int_equal(e.count, REGISTRY_ENTRIES_MAX);
    registry_entries_finish(&e);
}

static void test_what_it_cannot_be(void **state)
{
    const struct registry_config wrong = {.address = "etcd://x:1", .prefix = "b", .name = "n1"};
    const struct registry_config malformed = {
        .address = "zookeeper://nowhere", .prefix = "b", .name = "n1"};

    (void)state;
    assert_null(registry_create(NULL, &wrong));
    assert_null(registry_create(NULL, &malformed));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_addresses_have_a_longest),
        cmocka_unit_test(test_entries_come_change_and_go),
        cmocka_unit_test(test_entries_are_bounded),
        cmocka_unit_test(test_what_it_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
