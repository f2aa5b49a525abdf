/* SPDX-License-Identifier: MIT */
/* chaos_outbox_test.c - the order in which the chaos driver publishes drafts, and again. */
#include "unit/unit.h"

#include "chaos/driver/outbox.h"

enum { SECOND = 1000000, NOW = 10 * SECOND };

static struct outbox o;

static void open_drafts(unsigned count)
{
    uint64_t n;

    outbox_init(&o);
    while (count-- > 0)
        assert_true(outbox_open(&o, &n));
}

/* All that may be published now are first..last, in this order. */
static void assert_takes(uint64_t now_us, uint64_t first, uint64_t last, bool again)
{
    for (uint64_t expected = first; expected <= last; expected++) {
        uint64_t n;
        bool was_again;

        assert_true(outbox_take(&o, now_us, &n, &was_again));
        assert_int_equal(n, expected);
        assert_int_equal(was_again, again);
    }
}

static void assert_takes_nothing(uint64_t now_us)
{
    uint64_t n;
    bool again;

    assert_false(outbox_take(&o, now_us, &n, &again));
}

static void test_drafts_go_once_and_in_order(void **state)
{
    (void)state;
    open_drafts(3);
    assert_takes(NOW, 1, 3, false);
    assert_takes_nothing(NOW);
    assert_int_equal(outbox_count(&o), 3);
    assert_int_equal(outbox_oldest_us(&o), NOW);
    assert_int_equal(outbox_close(&o, 1, NOW + 1), NOW);
    assert_int_equal(outbox_close(&o, 1, NOW + 2), 0); /* the receipt came twice */
    assert_int_equal(outbox_close(&o, 3, NOW + 3), NOW);
    assert_int_equal(outbox_count(&o), 1);
    assert_takes_nothing(NOW + 60 * SECOND);
}

static void test_only_so_many_are_open(void **state)
{
    uint64_t n;

    (void)state;
    open_drafts(OUTBOX_MAX);
    assert_false(outbox_open(&o, &n));
    assert_takes(NOW, 1, OUTBOX_MAX, false);
    (void)outbox_close(&o, 2, NOW);
    assert_false(outbox_open(&o, &n)); /* the first one still is */
    (void)outbox_close(&o, 1, NOW);
    assert_true(outbox_open(&o, &n));
    assert_int_equal(n, OUTBOX_MAX + 1);
    assert_takes(NOW, OUTBOX_MAX + 1, OUTBOX_MAX + 1, false);
}

static void test_a_new_connection_sends_all_again(void **state)
{
    (void)state;
    open_drafts(4);
    assert_takes(NOW, 1, 4, false);
    (void)outbox_close(&o, 1, NOW);
    outbox_restart(&o);
    assert_takes(NOW, 2, 4, true);
    assert_takes_nothing(NOW);
}

static void test_a_refusal_in_passing_begins_a_new_round(void **state)
{
    (void)state;
    open_drafts(4);
    assert_takes(NOW, 1, 4, false);
    outbox_refuse(&o, 2, true, 0, 0, NOW);
    assert_takes_nothing(NOW + SECOND / 2); /* 1 may still be answered, 3 and 4 must be */
    outbox_refuse(&o, 3, false, 0, 0, NOW);
    outbox_refuse(&o, 4, false, 0, 0, NOW);
    assert_int_equal(outbox_close(&o, 1, NOW), NOW);
    assert_takes_nothing(NOW + SECOND / 20);
    assert_takes(NOW + SECOND / 2, 2, 4, true);
    assert_takes_nothing(NOW + SECOND / 2);
}

static void test_patience_ends(void **state)
{
    (void)state;
    open_drafts(3);
    assert_takes(NOW, 1, 3, false);
    outbox_refuse(&o, 2, true, 0, 0, NOW); /* and nothing is heard of 1 and 3 */
    assert_takes(NOW + 2 * SECOND, 1, 3, true);
}

static void test_the_server_says_how_long_to_wait(void **state)
{
    (void)state;
    open_drafts(1);
    assert_takes(NOW, 1, 1, false);
    outbox_refuse(&o, 1, true, 3 * SECOND, 7, NOW);
    assert_takes_nothing(NOW + 3 * SECOND - 1);
    assert_takes(NOW + 3 * SECOND + 7, 1, 1, true);
}

/* A repeated draft may be refused although its first copy has got the receipt; the server then
 * waits for it all the same. */
static void test_what_the_server_waits_for_goes_first(void **state)
{
    (void)state;
    open_drafts(3);
    assert_takes(NOW, 1, 3, false);
    (void)outbox_close(&o, 1, NOW);
    outbox_refuse(&o, 1, true, 0, 0, NOW);
    outbox_refuse(&o, 2, false, 0, 0, NOW);
    outbox_refuse(&o, 3, false, 0, 0, NOW);
    assert_takes(NOW + SECOND, 1, 3, true);
    outbox_refuse(&o, 1, false, 0, 0, NOW + SECOND); /* only because of another: it is stored */
    assert_takes_nothing(NOW + 2 * SECOND);
}

/* The same, but the receipt of the first copy comes after the refusal of the second. */
static void test_a_receipt_does_not_end_the_servers_wait(void **state)
{
    (void)state;
    open_drafts(3);
    assert_takes(NOW, 1, 3, false);
    outbox_refuse(&o, 1, true, 0, 0, NOW);
    outbox_refuse(&o, 2, false, 0, 0, NOW);
    outbox_refuse(&o, 3, false, 0, 0, NOW);
    assert_int_equal(outbox_close(&o, 1, NOW), NOW);
    assert_takes(NOW + SECOND, 1, 3, true);
    assert_takes_nothing(NOW + SECOND);
}

static void test_silence_begins_a_new_round(void **state)
{
    (void)state;
    open_drafts(2);
    assert_takes(NOW, 1, 2, false);
    assert_false(outbox_check_silence(&o, NOW + 4 * SECOND));
    assert_true(outbox_check_silence(&o, NOW + 5 * SECOND));
    assert_takes(NOW + 5 * SECOND, 1, 2, true);
    assert_false(outbox_check_silence(&o, NOW + 14 * SECOND)); /* twice as patient now */
    assert_true(outbox_check_silence(&o, NOW + 15 * SECOND));
    (void)outbox_close(&o, 1, NOW);
    (void)outbox_close(&o, 2, NOW);
    assert_false(outbox_check_silence(&o, NOW + 60 * SECOND));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_drafts_go_once_and_in_order),
        cmocka_unit_test(test_only_so_many_are_open),
        cmocka_unit_test(test_a_new_connection_sends_all_again),
        cmocka_unit_test(test_a_refusal_in_passing_begins_a_new_round),
        cmocka_unit_test(test_patience_ends),
        cmocka_unit_test(test_the_server_says_how_long_to_wait),
        cmocka_unit_test(test_what_the_server_waits_for_goes_first),
        cmocka_unit_test(test_a_receipt_does_not_end_the_servers_wait),
        cmocka_unit_test(test_silence_begins_a_new_round),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
