/* SPDX-License-Identifier: MIT */
/* bench_sender_test.c - when drafts are due, the window, refusals, and the ids that carry it all.
 */
#include "unit/unit.h"

#include "base/buf.h"
#include "sender.h"
#include "stamp.h"
#include "wire/entry.h"

static struct sender s;
static uint32_t number;
static uint64_t due_us;

static void test_a_rate_is_kept_whatever_happens(void **state)
{
    const struct sender_plan plan = {
        .start_us = 1000000, .end_us = 1100000, .rate = 100, .senders = 2};

    (void)state;
    sender_init(&s, 1); /* its drafts are due 10 ms, 30 ms, 50 ms … after the start */
    assert_false(sender_next(&s, &plan, 1009999, &number, &due_us));
    assert_true(sender_next(&s, &plan, 1010000, &number, &due_us));
    assert_int_equal(due_us, 1010000);
    assert_false(sender_next(&s, &plan, 1010000, &number, &due_us));
    /* the generator was away for 45 ms: both drafts go out, each due when it was */
    assert_true(sender_next(&s, &plan, 1055000, &number, &due_us));
    assert_int_equal(due_us, 1030000);
    assert_true(sender_next(&s, &plan, 1055000, &number, &due_us));
    assert_int_equal(due_us, 1050000);
    assert_int_equal(number, 2);
    assert_false(sender_next(&s, &plan, 1055000, &number, &due_us));
    /* nothing is due at the end or later */
    assert_true(sender_next(&s, &plan, 2000000, &number, &due_us));
    assert_true(sender_next(&s, &plan, 2000000, &number, &due_us));
    assert_int_equal(due_us, 1090000);
    assert_false(sender_next(&s, &plan, 2000000, &number, &due_us));
}

static void test_a_full_memory_delays_but_keeps_the_due_time(void **state)
{
    const struct sender_plan plan = {
        .start_us = 0, .end_us = UINT64_MAX, .rate = 1000000, .senders = 1};

    (void)state;
    sender_init(&s, 0);
    for (unsigned i = 0; i < SENDER_OUTSTANDING_MAX; i++)
        assert_true(sender_next(&s, &plan, 1000, &number, &due_us));
    assert_false(sender_next(&s, &plan, 1000, &number, &due_us));
    assert_true(sender_outcome(&s, 0, SENDER_STORED, 5000));
    assert_true(sender_next(&s, &plan, 5000, &number, &due_us));
    assert_int_equal(due_us, SENDER_OUTSTANDING_MAX);
    assert_int_equal(sender_oldest_due_us(&s), 1);
}

static void test_saturation_keeps_a_window(void **state)
{
    const struct sender_plan plan = {.end_us = 1000, .senders = 1, .window = 2};

    (void)state;
    sender_init(&s, 0);
    assert_true(sender_next(&s, &plan, 10, &number, &due_us));
    assert_true(sender_next(&s, &plan, 11, &number, &due_us));
    assert_false(sender_next(&s, &plan, 12, &number, &due_us));
    assert_true(sender_outcome(&s, 0, SENDER_REFUSED, 20));
    assert_true(sender_next(&s, &plan, 21, &number, &due_us));
    assert_int_equal(due_us, 21);
    assert_true(sender_outcome(&s, 1, SENDER_STORED, 30));
    assert_false(sender_next(&s, &plan, 1000, &number, &due_us));
    assert_int_equal(sender_outstanding(&s), 1);
}

static void test_refused_drafts_go_again_in_order(void **state)
{
    const struct sender_plan plan = {.end_us = UINT64_MAX, .senders = 1, .window = 4};

    (void)state;
    sender_init(&s, 0);
    for (uint32_t i = 0; i < 4; i++)
        assert_true(sender_next(&s, &plan, 10 + i, &number, &due_us));
    assert_true(sender_outcome(&s, 0, SENDER_STORED, 20));
    for (uint32_t i = 1; i < 4; i++) {
        assert_true(sender_outcome(&s, i, SENDER_REFUSED_FOR_NOW, 20 + i));
        assert_false(sender_next(&s, &plan, 20 + i, &number, &due_us));
    }
    for (uint32_t i = 1; i < 4; i++) {
        assert_true(sender_next(&s, &plan, 1000000, &number, &due_us));
        assert_int_equal(number, i);
        assert_int_equal(due_us, 10 + i);
    }
    assert_true(
        sender_next(&s, &plan, 1000000, &number, &due_us)); /* the window has room for one */
    assert_int_equal(number, 4);
    assert_false(sender_next(&s, &plan, 1000000, &number, &due_us));
    assert_true(sender_outcome(&s, 1, SENDER_STORED, 1000001));
}

static void test_notices_a_broken_order(void **state)
{
    const struct sender_plan plan = {.end_us = UINT64_MAX, .senders = 1, .window = 4};

    (void)state;
    sender_init(&s, 0);
    assert_false(sender_outcome(&s, 0, SENDER_STORED, 1)); /* nothing was sent */
    for (int i = 0; i < 3; i++)
        assert_true(sender_next(&s, &plan, 1, &number, &due_us));
    assert_false(sender_outcome(&s, 1, SENDER_STORED, 2)); /* 0 comes first */
    assert_true(sender_outcome(&s, 0, SENDER_REFUSED_FOR_NOW, 2));
    assert_false(sender_outcome(&s, 1, SENDER_STORED, 2)); /* stored after a refused one */
}

static void test_an_id_carries_its_stamp(void **state)
{
    const struct stamp in = {
        .due_us = 0x123456789abc, .number = 0xabcdef, .sender = 0xfedcba, .run = 0x987654};
    struct stamp out;
    struct uuid uuid;
    char text[UUID_TEXT_LENGTH + 1] = "";

    (void)state;
    stamp_format(&in, text);
    assert_string_equal(text, "12345678-9abc-8abc-8def-fedcba987654");
    assert_true(uuid_parse(&uuid, slice_str(text)));
    assert_true(stamp_parse(slice_str(text), &out));
    assert_int_equal(out.due_us, in.due_us);
    assert_int_equal(out.number, in.number);
    assert_int_equal(out.sender, in.sender);
    assert_int_equal(out.run, in.run);
    assert_false(stamp_parse(slice_of(text, UUID_TEXT_LENGTH - 1), &out));
    assert_false(stamp_parse(slice_str("12345678-9abc-4abc-8def-fedcba987654"), &out));
    assert_false(stamp_parse(slice_str("1234567X-9abc-8abc-8def-fedcba987654"), &out));
}

static void test_glances_at_what_the_bridge_writes(void **state)
{
    const struct stamp stamp = {.due_us = 77, .number = 5, .run = 9};
    struct entry entry = {
        .seq = 42, .from = slice_str("alice"), .kind = ENTRY_TEXT, .text = slice_str("hello")};
    char id[UUID_TEXT_LENGTH];
    struct glance g;
    struct buf b;

    (void)state;
    stamp_format(&stamp, id);
    entry.id = slice_of(id, sizeof(id));
    buf_init(&b, 10000);
    entry_write(&b, &entry);
    glance_read(buf_slice(&b), &g);
    assert_true(g.stamped);
    assert_int_equal(g.stamp.due_us, 77);
    assert_int_equal(g.seq, 42);
    assert_int_equal(g.error_code.length, 0);

    buf_reset(&b);
    receipt_write(&b, entry.id, &entry.conversation, slice_str("@bob"), 43, 0);
    glance_read(buf_slice(&b), &g);
    assert_true(g.stamped);
    assert_int_equal(g.seq, 43);

    buf_reset(&b);
    receipt_write_error(&b, entry.id, slice_str("@bob"), CODE_UNAVAILABLE, "later", 100);
    glance_read(buf_slice(&b), &g);
    assert_true(g.stamped);
    assert_int_equal(g.stamp.number, 5);
    assert_int_equal(g.seq, 0);
    assert_true(slice_equal(g.error_code, slice_str("unavailable")));
    buf_finish(&b);

    glance_read(slice_str(""), &g);
    assert_false(g.stamped);
    glance_read(slice_str("{\"seq\":"), &g);
    assert_int_equal(g.seq, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_rate_is_kept_whatever_happens),
        cmocka_unit_test(test_a_full_memory_delays_but_keeps_the_due_time),
        cmocka_unit_test(test_saturation_keeps_a_window),
        cmocka_unit_test(test_refused_drafts_go_again_in_order),
        cmocka_unit_test(test_notices_a_broken_order),
        cmocka_unit_test(test_an_id_carries_its_stamp),
        cmocka_unit_test(test_glances_at_what_the_bridge_writes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
