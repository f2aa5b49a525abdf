/* SPDX-License-Identifier: MIT */
/* uuid_test.c - canonical text, versions, and that version 7 rises whatever the threads do. */
#include "unit/unit.h"

#include "base/clock.h"
#include "base/uuid.h"

#include <pthread.h>

enum { PER_THREAD = 20000 };

static uint64_t leading(const struct uuid *u)
{
    uint64_t value = 0;

    for (int i = 0; i < 8; i++)
        value = value << 8 | u->bytes[i];
    return value;
}

static void test_text_round_trip(void **state)
{
    static const char text[] = "018f3b2e-7c1d-7abc-9def-0123456789ab";
    char again[UUID_TEXT_LENGTH + 1];
    struct uuid u;

    (void)state;
    assert_true(uuid_parse(&u, slice_str(text)));
    assert_int_equal(u.bytes[0], 0x01);
    assert_int_equal(u.bytes[15], 0xab);
    uuid_format(&u, again);
    assert_string_equal(again, text);
}

static void test_refuses_other_forms(void **state)
{
    static const char *const cases[] = {
        "",
        "018F3B2E-7C1D-7ABC-9DEF-0123456789AB",
        "018f3b2e-7c1d-7abc-9def-0123456789aB",
        "{018f3b2e-7c1d-7abc-9def-0123456789ab}",
        "018f3b2e7c1d7abc9def0123456789ab",
        "018f3b2e-7c1d-7abc-9def-0123456789a",
        "018f3b2e-7c1d-7abc-9def-0123456789abc",
        "018f3b2e-7c1d-7abc-9def-0123456789ag",
        "018f3b2e-7c1d-7abc-9def 0123456789ab",
        "018f3b2e7-c1d-7abc-9def-0123456789ab",
        "018f3b2--7c1d-7abc-9def-0123456789ab",
        "-18f3b2e-7c1d-7abc-9def-0123456789ab",
        "+18f3b2e-7c1d-7abc-9def-0123456789ab",
        " 18f3b2e-7c1d-7abc-9def-0123456789ab",
        "0x8f3b2e-7c1d-7abc-9def-0123456789ab",
        "urn:uuid:018f3b2e-7c1d-7abc-9def-0123456789ab",
    };
    struct uuid u = {{7}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        assert_false(uuid_parse(&u, slice_str(cases[i])));
    assert_false(uuid_parse(&u, slice_of("018f3b2e-7c1d-7abc-9def-0123456789\0b", 36)));
    assert_int_equal(u.bytes[0], 7); /* untouched */
}

static void test_version_8(void **state)
{
    uint8_t digest[16];
    char text[UUID_TEXT_LENGTH + 1];
    struct uuid u;

    (void)state;
    memset(digest, 0xff, sizeof digest);
    u = uuid_v8(digest);
    uuid_format(&u, text);
    assert_string_equal(text, "ffffffff-ffff-8fff-bfff-ffffffffffff");
    memset(digest, 0, sizeof digest);
    u = uuid_v8(digest);
    uuid_format(&u, text);
    assert_string_equal(text, "00000000-0000-8000-8000-000000000000");
}

static void test_version_7_has_the_time(void **state)
{
    uint64_t before = (uint64_t)clock_wall_ms();
    struct uuid u;

    (void)state;
    assert_true(uuid_v7(&u));
    assert_int_equal(u.bytes[6] >> 4, 7);
    assert_int_equal(u.bytes[8] >> 6, 2);
    assert_in_range(leading(&u) >> 16, before, (uint64_t)clock_wall_ms() + 1);
}

static void *draw_many(void *out)
{
    struct uuid *uuids = out;

    for (size_t i = 0; i < PER_THREAD; i++) {
        if (!uuid_v7(&uuids[i]))
            return out;
    }
    return NULL;
}

static void test_version_7_rises(void **state)
{
    static struct uuid uuids[2][PER_THREAD];
    pthread_t threads[2];

    (void)state;
    for (size_t t = 0; t < 2; t++)
        assert_int_equal(pthread_create(&threads[t], NULL, draw_many, uuids[t]), 0);
    for (size_t t = 0; t < 2; t++) {
        void *failed;

        assert_int_equal(pthread_join(threads[t], &failed), 0);
        assert_null(failed);
        for (size_t i = 1; i < PER_THREAD; i++)
            assert_true(leading(&uuids[t][i - 1]) < leading(&uuids[t][i]));
    }
    assert_false(uuid_equal(&uuids[0][0], &uuids[1][0]));
    assert_true(uuid_equal(&uuids[0][0], &uuids[0][0]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_round_trip), cmocka_unit_test(test_refuses_other_forms),
        cmocka_unit_test(test_version_8),       cmocka_unit_test(test_version_7_has_the_time),
        cmocka_unit_test(test_version_7_rises),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
