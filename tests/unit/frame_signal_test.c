/* SPDX-License-Identifier: MIT */
/* frame_signal_test.c - the values that frames of sessions, signals and watches may have. */
#include "unit/unit.h"

#include "base/buf.h"
#include "wire/frame.h"

enum { CEILING = 1 << 20 };

static const struct uuid conversation = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};

static struct frame_session a_session(void)
{
    return (struct frame_session){.uid = 9,
                                  .handle = slice_str("alice"),
                                  .device = slice_str("d"),
                                  .state = SESSION_AWAY,
                                  .said = true};
}

static struct frame_signal a_signal(void)
{
    return (struct frame_signal){.kind = SIGNAL_CURSOR,
                                 .uid = 9,
                                 .handle = slice_str("alice"),
                                 .device = slice_str("d"),
                                 .conversation = conversation,
                                 .payload = slice_str("{}")};
}

static struct frame_signal_out a_signal_out(void)
{
    return (struct frame_signal_out){.kind = SIGNAL_TYPING,
                                     .audience = AUDIENCE_ALL,
                                     .conversation = conversation,
                                     .sender = 9,
                                     .sender_device = slice_str("d"),
                                     .payload = slice_str("{}")};
}

static struct frame_watched a_watched(void)
{
    return (struct frame_watched){.number = 4,
                                  .uid = 9,
                                  .device = slice_str("d"),
                                  .target = slice_str("bob"),
                                  .target_uid = 10,
                                  .allowed = true,
                                  .payload = slice_str("{}")};
}

/* The body of the only frame in *b. */
static struct slice body_of(const struct buf *b)
{
    struct frame f = {0};
    size_t used = 0;

    assert_false(b->failed);
    assert_int_equal(frame_next(buf_slice(b), &f, &used), FRAME_WHOLE);
    assert_int_equal(used, b->length);
    return f.body;
}

static bool session_survives(const struct frame_session *in)
{
    struct frame_session out;
    struct buf b;
    bool ok;

    buf_init(&b, CEILING);
    frame_write_session(&b, in);
    ok = frame_read_session(body_of(&b), &out);
    if (ok) {
        assert_int_equal(out.uid, in->uid);
        assert_int_equal(out.state, in->state);
        assert_int_equal(out.said, in->said);
        assert_true(slice_equal(out.handle, in->handle));
        assert_true(slice_equal(out.device, in->device));
    }
    buf_finish(&b);
    return ok;
}

/* A device cannot say that it is down, and is hidden only by saying so. */
static void test_session_values(void **state)
{
    struct frame_session in = a_session();

    (void)state;
    for (unsigned said = 0; said <= 1; said++) {
        for (unsigned value = 0; value <= SESSION_HIDDEN + 1; value++) {
            in.said = said;
            in.state = (enum session_state)value;
            assert_int_equal(session_survives(&in),
                             value <= SESSION_HIDDEN &&
                                 value != (said ? SESSION_DOWN : SESSION_HIDDEN));
        }
    }
}

static bool signal_survives(const struct frame_signal *in)
{
    struct frame_signal out;
    struct buf b;
    bool ok;

    buf_init(&b, CEILING);
    frame_write_signal(&b, in);
    ok = frame_read_signal(body_of(&b), &out);
    if (ok) {
        assert_int_equal(out.kind, in->kind);
        assert_int_equal(out.uid, in->uid);
        assert_true(uuid_equal(&out.conversation, &in->conversation));
        assert_true(slice_equal(out.payload, in->payload));
    }
    buf_finish(&b);
    return ok;
}

static void test_signal_values(void **state)
{
    struct frame_signal in = a_signal();
    char payload[SIGNAL_PAYLOAD_MAX + 1] = {0};

    (void)state;
    assert_true(signal_survives(&in));
    in.payload = slice_of(payload, SIGNAL_PAYLOAD_MAX);
    assert_true(signal_survives(&in));
    in.payload.length++;
    assert_false(signal_survives(&in));
    in = a_signal();
    in.kind = (enum signal_kind)0;
    assert_false(signal_survives(&in));
    in.kind = (enum signal_kind)(SIGNAL_CURSOR + 1);
    assert_false(signal_survives(&in));
}

static bool signal_out_survives(const struct frame_signal_out *in)
{
    struct frame_signal_out out;
    struct buf b;
    bool ok;

    buf_init(&b, CEILING);
    frame_write_signal_out(&b, in);
    ok = frame_read_signal_out(body_of(&b), &out);
    if (ok) {
        assert_int_equal(out.audience, in->audience);
        assert_int_equal(out.sender, in->sender);
        assert_true(slice_equal(out.sender_device, in->sender_device));
        assert_true(slice_equal(out.payload, in->payload));
    }
    buf_finish(&b);
    return ok;
}

static void test_signal_out_values(void **state)
{
    struct frame_signal_out in = a_signal_out();

    (void)state;
    assert_true(signal_out_survives(&in));
    in.sender_device = slice_of(NULL, 0);
    assert_true(signal_out_survives(&in));
    in.audience = (enum signal_audience)0;
    assert_false(signal_out_survives(&in));
    in.audience = (enum signal_audience)4;
    assert_false(signal_out_survives(&in));
}

/* Who may be watched exists. */
static void test_watched_values(void **state)
{
    struct frame_watched in = a_watched(), out;
    struct buf b;

    (void)state;
    buf_init(&b, CEILING);
    frame_write_watched(&b, &in);
    assert_true(frame_read_watched(body_of(&b), &out));
    assert_true(out.allowed && out.number == 4 && out.uid == 9 && out.target_uid == 10);
    assert_true(slice_equal(out.target, in.target));
    in.target_uid = 0;
    buf_reset(&b);
    frame_write_watched(&b, &in);
    assert_false(frame_read_watched(body_of(&b), &out));
    in.allowed = false;
    buf_reset(&b);
    frame_write_watched(&b, &in);
    assert_true(frame_read_watched(body_of(&b), &out));
    buf_finish(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_session_values),
        cmocka_unit_test(test_signal_values),
        cmocka_unit_test(test_signal_out_values),
        cmocka_unit_test(test_watched_values),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
