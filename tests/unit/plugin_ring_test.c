/* SPDX-License-Identifier: MIT */
/* plugin_ring_test.c - the ring of drafts: nothing leaves it but by being confirmed. */
#include "unit/unit.h"

#include "base/buf.h"
#include "base/hash.h"
#include "ring.h"
#include "wire/frame.h"

#include <stdlib.h>

enum { CAPACITY = 600, STEPS = 200000 };

static struct ring ring;
static struct buf frame;

/* The same sequence in every run. */
static unsigned draw(unsigned below)
{
    static uint64_t step;

    return (unsigned)(hash_u64(++step) % below);
}

static int set_up(void **state)
{
    (void)state;
    buf_init(&frame, 4096);
    assert_true(ring_init(&ring, CAPACITY));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    ring_finish(&ring);
    buf_finish(&frame);
    return 0;
}

static void make_frame(uint64_t number, size_t payload_length)
{
    static const char payload[1024];
    struct frame_draft f = {
        .number = number,
        .uid = 1,
        .handle = slice_str("alice"),
        .device = slice_str("phone"),
        .target = slice_str("@bob"),
        .payload = slice_of(payload, payload_length),
    };

    buf_reset(&frame);
    frame_write_draft(&frame, &f);
    assert_false(frame.failed);
}

static bool append(size_t payload_length)
{
    make_frame(ring_next_number(&ring), payload_length);
    return ring_append(&ring, buf_slice(&frame));
}

/* Takes up to `max` bytes off the ring, as a socket would. */
static void transmit(struct buf *wire, size_t max)
{
    struct iovec iov[2];
    int count = ring_peek(&ring, false, iov);
    size_t sent = 0;

    for (int i = 0; i < count && sent < max; i++) {
        size_t n = iov[i].iov_len < max - sent ? iov[i].iov_len : max - sent;

        buf_bytes(wire, iov[i].iov_base, n);
        sent += n;
    }
    ring_advance(&ring, sent);
}

/* Takes one whole draft off the wire; 0: there is none. */
static uint64_t receive(struct buf *wire)
{
    struct frame f;
    struct frame_draft draft;
    size_t used;

    if (wire->length == 0 || frame_next(buf_slice(wire), &f, &used) != FRAME_WHOLE)
        return 0;
    assert_true(frame_read_draft(f.body, &draft));
    buf_consume(wire, used);
    return draft.number;
}

static void test_full(void **state)
{
    uint64_t accepted = 0;

    (void)state;
    while (append(50))
        accepted++;
    assert_true(accepted > 3);
    assert_int_equal(ring_next_number(&ring), accepted + 1);
    assert_true(ring_confirm(&ring, 1)); /* room for one */
    assert_true(append(50));
    assert_false(append(50));
}

static void test_confirm_of_unknown_number(void **state)
{
    (void)state;
    assert_true(append(10));
    assert_false(ring_confirm(&ring, 2));
    assert_true(ring_confirm(&ring, 1));
    assert_true(ring_confirm(&ring, 1)); /* again: nothing new */
    assert_true(ring_confirm(&ring, 0));
    assert_int_equal(ring_unsent(&ring), 0);
}

static void test_rewind_sends_unconfirmed_again(void **state)
{
    struct buf wire;

    (void)state;
    buf_init(&wire, 4096);
    for (int i = 0; i < 4; i++)
        assert_true(append(20));
    transmit(&wire, SIZE_MAX);
    assert_true(ring_confirm(&ring, 2));
    buf_reset(&wire);
    ring_rewind(&ring);
    transmit(&wire, SIZE_MAX);
    assert_int_equal(receive(&wire), 3);
    assert_int_equal(receive(&wire), 4);
    assert_int_equal(receive(&wire), 0);
    buf_finish(&wire);
}

/* The bridge may know a frame from the connection before, and settle it while it is being sent
 * again: it must still come whole. */
static void test_confirm_inside_frame(void **state)
{
    struct buf wire;

    (void)state;
    buf_init(&wire, 4096);
    assert_true(append(40) && append(40));
    transmit(&wire, 11);
    assert_true(ring_is_inside_frame(&ring));
    assert_true(ring_confirm(&ring, 2));
    transmit(&wire, frame.length - 11);
    assert_int_equal(receive(&wire), 1);
    assert_int_equal(wire.length, 0); /* the second one was not needed any more */
    assert_int_equal(ring_unsent(&ring), 0);
    assert_false(ring_is_inside_frame(&ring));
    buf_finish(&wire);
}

static void test_peek_to_end_of_frame(void **state)
{
    struct iovec iov[2];
    size_t length;

    (void)state;
    assert_true(append(40) && append(40));
    assert_int_equal(ring_peek(&ring, true, iov), 0); /* between frames */
    length = frame.length;
    ring_advance(&ring, 5);
    assert_int_equal(ring_peek(&ring, true, iov), 1);
    assert_int_equal(iov[0].iov_len, length - 5);
}

/* Random traffic with losses: every number arrives, in order, until it is confirmed. */
static void test_against_model(void **state)
{
    struct buf wire;
    uint64_t confirmed = 0, received = 0, losses = 0;

    (void)state;
    buf_init(&wire, 1 << 20);
    for (int i = 0; i < STEPS; i++) {
        switch (draw(8)) {
        case 0:
        case 1:
        case 2:
            (void)!append(draw(150));
            break;
        case 3:
        case 4:
            transmit(&wire, draw(200));
            break;
        case 5:
        case 6:
            for (uint64_t n; (n = receive(&wire)) != 0; received = n)
                assert_true(n == received + 1 || n <= received);
            if (received > confirmed)
                confirmed += 1 + draw((unsigned)(received - confirmed));
            assert_true(ring_confirm(&ring, confirmed));
            break;
        case 7:
            if (draw(20) == 0) {
                buf_reset(&wire);
                ring_rewind(&ring);
                received = confirmed;
                losses++;
            }
            break;
        }
        assert_true(ring.begin <= ring.boundary && ring.boundary <= ring.sent);
        assert_true(ring.sent <= ring.end && ring.end - ring.begin <= CAPACITY);
    }
    assert_true(confirmed > STEPS / 20 && losses > 100);
    buf_finish(&wire);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_full, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_confirm_of_unknown_number, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rewind_sends_unconfirmed_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_confirm_inside_frame, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_peek_to_end_of_frame, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_against_model, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
