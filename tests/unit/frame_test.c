/* SPDX-License-Identifier: MIT */
/* frame_test.c - every frame there and back; every cut of every frame; values that must be refused.
 */
#include "unit/unit.h"

#include "base/buf.h"
#include "wire/frame.h"

#include <stdlib.h>

enum { CEILING = 16 << 20 };

/* Reads any body; what it says of the values is left to the typed tests. */
static bool read_any(const struct frame *f)
{
    union {
        struct frame_draft draft;
        struct frame_request request;
        struct frame_session session;
        struct frame_signal signal;
        struct frame_watch watch;
        struct frame_attached attached;
        struct frame_entry entry;
        struct frame_device device;
        struct frame_member member;
        struct frame_barrier barrier;
        struct frame_kick kick;
        struct frame_signal_out signal_out;
        struct frame_presence presence;
        struct frame_watched watched;
    } u;

    switch (f->type) {
    case FRAME_HELLO:
        return frame_read_hello(f->body, &(struct frame_hello){0});
    case FRAME_ATTACH:
        return frame_read_attach(f->body, &(struct frame_attach){0});
    case FRAME_DRAFT:
        return frame_read_draft(f->body, &u.draft);
    case FRAME_REQUEST:
        return frame_read_request(f->body, &u.request);
    case FRAME_FILL:
        return frame_read_fill(f->body, &(struct frame_fill){0});
    case FRAME_WAKE:
    case FRAME_ATTACH_AGAIN:
        return f->body.length == 0;
    case FRAME_SESSION:
        return frame_read_session(f->body, &u.session);
    case FRAME_SIGNAL:
        return frame_read_signal(f->body, &u.signal);
    case FRAME_WATCH:
        return frame_read_watch(f->body, &u.watch);
    case FRAME_WELCOME:
        return frame_read_welcome(f->body, &(struct frame_welcome){0});
    case FRAME_CONFIRM:
        return frame_read_confirm(f->body, &(struct frame_confirm){0});
    case FRAME_ATTACHED:
        return frame_read_attached(f->body, &u.attached);
    case FRAME_ENTRY:
        return frame_read_entry(f->body, &u.entry);
    case FRAME_DEVICE:
        return frame_read_device(f->body, &u.device);
    case FRAME_MEMBER:
        return frame_read_member(f->body, &u.member);
    case FRAME_FILLED:
        return frame_read_filled(f->body, &(struct frame_filled){0});
    case FRAME_BARRIER:
    case FRAME_BARRIER_DONE:
        return frame_read_barrier(f->body, &u.barrier);
    case FRAME_KICK:
        return frame_read_kick(f->body, &u.kick);
    case FRAME_SIGNAL_OUT:
        return frame_read_signal_out(f->body, &u.signal_out);
    case FRAME_PRESENCE:
        return frame_read_presence(f->body, &u.presence);
    case FRAME_WATCHED:
        return frame_read_watched(f->body, &u.watched);
    case FRAME_REVOKED:
        return frame_read_revoked(f->body, &(struct frame_revoked){0});
    case FRAME_ENDED:
        return frame_read_ended(f->body, &(struct frame_ended){0});
    case FRAME_HOLD:
        return frame_read_hold(f->body, &(struct frame_hold){0});
    case FRAME_DRAIN:
        return frame_read_drain(f->body, &(struct frame_drain){0});
    case FRAME_LEFT:
        return frame_read_left(f->body, &(struct frame_left){0});
    case FRAME_INTEREST:
        return frame_read_interest(f->body, &(struct frame_interest){0});
    case FRAME_LIMITED:
        return frame_read_limited(f->body, &(struct frame_limited){0});
    case FRAME_HEAD:
        return frame_read_head(f->body, &(struct frame_head){0});
    }
    return false;
}

static const struct uuid conversation = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};

static struct frame_draft a_draft(void)
{
    return (struct frame_draft){.number = 7,
                                .uid = UINT64_MAX,
                                .handle = slice_str("alice"),
                                .device = slice_str("Phone"),
                                .target = slice_str("@bob"),
                                .payload = slice_of("{\"id\":\0\xff", 8)};
}

static struct frame_request a_request(void)
{
    return (struct frame_request){.number = 12,
                                  .kind = REQUEST_SYNC,
                                  .uid = 9,
                                  .handle = slice_str("alice"),
                                  .device = slice_str("d"),
                                  .response_topic = slice_str("my/answers"),
                                  .correlation = slice_of("\0\x01", 2),
                                  .payload = slice_str("{}")};
}

static struct frame_device a_device(void)
{
    return (struct frame_device){.uid = 9,
                                 .device = slice_str("d"),
                                 .topic = slice_str("me/receipt"),
                                 .correlation = slice_str("c"),
                                 .answers = 12,
                                 .payload = slice_str("{}")};
}

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

static const struct attached_conversation attached_items[] = {
    {{{1}}, CONVERSATION_DIRECT, ROLE_MEMBER, 0, 0},
    {{{2}}, CONVERSATION_GROUP, ROLE_OWNER, 12, 7},
    {{{3}}, CONVERSATION_CHANNEL, ROLE_READER, INT64_MAX, 1},
};

/* One frame of every type, in the order of enum frame_type. */
static void write_all(struct buf *b)
{
    struct frame_draft draft = a_draft();
    struct frame_request request = a_request();
    struct frame_device device = a_device();
    struct frame_session session = a_session();
    struct frame_signal signal = a_signal();
    struct frame_signal_out signal_out = a_signal_out();
    struct frame_watched watched = a_watched();

    frame_write_hello(b, &(struct frame_hello){LINK_VERSION, slice_str("secret"), 77});
    frame_write_attach(b, &(struct frame_attach){5});
    frame_write_draft(b, &draft);
    frame_write_request(b, &request);
    frame_write_fill(b, &(struct frame_fill){conversation, 41});
    frame_write_wake(b);
    frame_write_barrier_done(b, &(struct frame_barrier){3});
    frame_write_session(b, &session);
    frame_write_signal(b, &signal);
    frame_write_watch(b, &(struct frame_watch){4, 9, slice_str("d"), slice_str("bob"), true});
    frame_write_welcome(b, &(struct frame_welcome){LINK_VERSION, slice_str("node1"), true});
    frame_write_confirm(b, &(struct frame_confirm){1000});
    frame_write_attached(b, 5, true, attached_items, ARRAY_LENGTH(attached_items));
    frame_write_entry(b,
                      &(struct frame_entry){conversation, 42, 5, slice_str("d"), slice_str("{}")});
    frame_write_device(b, &device);
    frame_write_member(b,
                       &(struct frame_member){conversation, CONVERSATION_GROUP, 5, ROLE_NONE, 43});
    frame_write_filled(b, &(struct frame_filled){conversation, 42, true});
    frame_write_barrier(b, &(struct frame_barrier){3});
    frame_write_kick(b, &(struct frame_kick){5, slice_str("d"), slice_str("revoked")});
    frame_write_signal_out(b, &signal_out);
    frame_write_presence(b, &(struct frame_presence){10, slice_str("{}"), slice_str("")});
    frame_write_watched(b, &watched);
    frame_write_revoked(b, &(struct frame_revoked){conversation, 9, 1800000000});
    frame_write_ended(b, &(struct frame_ended){conversation});
    frame_write_hold(b, &(struct frame_hold){true});
    frame_write_drain(b, &(struct frame_drain){true, 10000});
    frame_write_left(b, &(struct frame_left){7});
    frame_write_interest(b, &(struct frame_interest){conversation, true});
    frame_write_limited(b, &(struct frame_limited){1, 2, 3, 4});
    frame_write_head(b, &(struct frame_head){conversation, 42});
    frame_write_attach_again(b);
}

static const enum frame_type all_types[] = {
    FRAME_HELLO,       FRAME_ATTACH,       FRAME_DRAFT,    FRAME_REQUEST, FRAME_FILL,
    FRAME_WAKE,        FRAME_BARRIER_DONE, FRAME_SESSION,  FRAME_SIGNAL,  FRAME_WATCH,
    FRAME_WELCOME,     FRAME_CONFIRM,      FRAME_ATTACHED, FRAME_ENTRY,   FRAME_DEVICE,
    FRAME_MEMBER,      FRAME_FILLED,       FRAME_BARRIER,  FRAME_KICK,    FRAME_SIGNAL_OUT,
    FRAME_PRESENCE,    FRAME_WATCHED,      FRAME_REVOKED,  FRAME_ENDED,   FRAME_HOLD,
    FRAME_DRAIN,       FRAME_LEFT,         FRAME_INTEREST, FRAME_LIMITED, FRAME_HEAD,
    FRAME_ATTACH_AGAIN};

static void test_stream_of_all_types(void **state)
{
    struct slice input;
    struct buf b;

    (void)state;
    buf_init(&b, CEILING);
    write_all(&b);
    assert_false(b.failed);
    input = buf_slice(&b);
    for (size_t i = 0; i < ARRAY_LENGTH(all_types); i++) {
        struct frame f;
        size_t used = 0;

        assert_int_equal(frame_next(input, &f, &used), FRAME_WHOLE);
        assert_int_equal(f.type, all_types[i]);
        assert_int_equal(used, f.body.length + LINK_HEADER_BYTES);
        assert_true(read_any(&f));
        input = slice_of(input.data + used, input.length - used);
    }
    assert_int_equal(input.length, 0);
    buf_finish(&b);
}

/* Every shorter input is partial; every shorter or longer body is malformed. Bodies are copied to
 * memory of their size, so that a sanitizer sees a read beyond their end. */
static void test_cuts(void **state)
{
    struct slice input;
    struct buf b;

    (void)state;
    buf_init(&b, CEILING);
    write_all(&b);
    for (input = buf_slice(&b); input.length > 0;) {
        struct frame f, ignored;
        size_t used = 0, none = 0;

        assert_int_equal(frame_next(input, &f, &used), FRAME_WHOLE);
        for (size_t n = 0; n < used; n++)
            assert_int_equal(frame_next(slice_of(input.data, n), &ignored, &none), FRAME_PARTIAL);
        for (size_t n = 0; n <= f.body.length + 1; n++) {
            char *copy = calloc(1, n ? n : 1);

            assert_non_null(copy);
            memcpy(copy, f.body.data, n <= f.body.length ? n : f.body.length);
            assert_int_equal(read_any(&(struct frame){f.type, slice_of(copy, n)}),
                             n == f.body.length);
            free(copy);
        }
        input = slice_of(input.data + used, input.length - used);
    }
    buf_finish(&b);
}

static void test_bad_headers(void **state)
{
    static const char *const headers[] = {
        "\x00\x00\x00\x00\x00\x00\x00\x00", /* type 0 */
        "\x00\x00\x00\x00\x0e\x00\x00\x00", /* behind the plugin's types */
        "\x00\x00\x00\x00\x3f\x00\x00\x00", /* before the bridge's types */
        "\x00\x00\x00\x00\x52\x00\x00\x00", /* behind the bridge's types */
        "\x00\x00\x00\x00\xff\x00\x00\x00", "\x00\x00\x00\x00\x06\x01\x00\x00", /* reserved bytes */
        "\x00\x00\x00\x00\x06\x00\x01\x00", "\x00\x00\x00\x00\x06\x00\x00\x80",
        "\x01\x00\x80\x00\x06\x00\x00\x00", /* LINK_BODY_MAX + 1 */
        "\xff\xff\xff\xff\x06\x00\x00\x00",
    };
    struct frame f;
    size_t used;

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(headers); i++)
        assert_int_equal(frame_next(slice_of(headers[i], 8), &f, &used), FRAME_BAD);
    assert_int_equal(frame_next(slice_of("\x00\x00\x80\x00\x06\x00\x00\x00", 8), &f, &used),
                     FRAME_PARTIAL);
    assert_int_equal(frame_next(slice_of(NULL, 0), &f, &used), FRAME_PARTIAL);
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

static void test_draft_values(void **state)
{
    static const char *const good[] = {"@bob", "018f3b2e-7c1d-7abc-9def-0123456789ab"};
    static const char *const bad[] = {"",   "@",       "bob",
                                      "@B", "me/sync", "018F3B2E-7C1D-7ABC-9DEF-0123456789AB"};
    struct frame_draft in = a_draft(), out;
    struct buf b;

    (void)state;
    buf_init(&b, CEILING);
    frame_write_draft(&b, &in);
    assert_true(frame_read_draft(body_of(&b), &out));
    assert_int_equal(out.number, in.number);
    assert_int_equal(out.uid, in.uid);
    assert_true(slice_equal(out.handle, in.handle));
    assert_true(slice_equal(out.device, in.device));
    assert_true(slice_equal(out.target, in.target));
    assert_true(slice_equal(out.payload, in.payload));
    for (size_t i = 0; i < ARRAY_LENGTH(good) + ARRAY_LENGTH(bad); i++) {
        bool expected = i < ARRAY_LENGTH(good);

        in.target = slice_str(expected ? good[i] : bad[i - ARRAY_LENGTH(good)]);
        buf_reset(&b);
        frame_write_draft(&b, &in);
        assert_int_equal(frame_read_draft(body_of(&b), &out), expected);
    }
    in = a_draft();
    in.handle = slice_str("Alice");
    buf_reset(&b);
    frame_write_draft(&b, &in);
    assert_false(frame_read_draft(body_of(&b), &out));
    in = a_draft();
    in.device = slice_str("");
    buf_reset(&b);
    frame_write_draft(&b, &in);
    assert_false(frame_read_draft(body_of(&b), &out));
    buf_finish(&b);
}

static bool request_survives(const struct frame_request *in, struct frame_request *out)
{
    struct buf b;
    bool ok;

    buf_init(&b, CEILING);
    frame_write_request(&b, in);
    ok = frame_read_request(body_of(&b), out);
    if (ok) {
        assert_int_equal(out->kind, in->kind);
        assert_int_equal(out->uid, in->uid);
        assert_int_equal(out->response_topic.length, in->response_topic.length);
        assert_int_equal(out->correlation.length, in->correlation.length);
        assert_true(slice_equal(out->payload, in->payload));
    }
    buf_finish(&b);
    return ok;
}

static void test_request_values(void **state)
{
    struct frame_request in = a_request(), out;
    char long_correlation[CORRELATION_MAX_LENGTH + 1] = {0};

    (void)state;
    assert_true(request_survives(&in, &out));
    in.response_topic = in.correlation = in.payload = slice_of(NULL, 0);
    assert_true(request_survives(&in, &out));
    in.correlation = slice_of(long_correlation, CORRELATION_MAX_LENGTH);
    assert_true(request_survives(&in, &out));
    in.correlation = slice_of(long_correlation, CORRELATION_MAX_LENGTH + 1);
    assert_false(request_survives(&in, &out));
    in = a_request();
    in.response_topic = slice_str("a/#");
    assert_false(request_survives(&in, &out));
    in = a_request();
    in.kind = (enum request_kind)3;
    assert_false(request_survives(&in, &out));
    in.kind = (enum request_kind)0;
    assert_false(request_survives(&in, &out));
}

static void test_attached_items(void **state)
{
    static struct attached_conversation many[ATTACHED_MAX_PER_FRAME];
    struct attached_conversation item;
    struct frame_attached out;
    struct buf b;
    size_t n = 0;

    (void)state;
    buf_init(&b, CEILING);
    frame_write_attached(&b, 5, false, attached_items, ARRAY_LENGTH(attached_items));
    assert_true(frame_read_attached(body_of(&b), &out));
    assert_int_equal(out.uid, 5);
    assert_false(out.last);
    assert_int_equal(out.count, ARRAY_LENGTH(attached_items));
    for (; frame_next_attached(&out, &item); n++) {
        assert_true(uuid_equal(&item.conversation, &attached_items[n].conversation));
        assert_int_equal(item.kind, attached_items[n].kind);
        assert_int_equal(item.role, attached_items[n].role);
        assert_int_equal(item.last_seq, attached_items[n].last_seq);
        assert_int_equal(item.joined_seq, attached_items[n].joined_seq);
    }
    assert_int_equal(n, ARRAY_LENGTH(attached_items));

    buf_reset(&b);
    frame_write_attached(&b, 5, true, NULL, 0);
    assert_true(frame_read_attached(body_of(&b), &out));
    assert_true(out.last);
    assert_false(frame_next_attached(&out, &item));

    for (size_t i = 0; i < ATTACHED_MAX_PER_FRAME; i++)
        many[i] = attached_items[i % 3];
    buf_reset(&b);
    frame_write_attached(&b, 5, true, many, ATTACHED_MAX_PER_FRAME);
    assert_true(frame_read_attached(body_of(&b), &out));
    for (n = 0; frame_next_attached(&out, &item);)
        n++;
    assert_int_equal(n, ATTACHED_MAX_PER_FRAME);
    many[ATTACHED_MAX_PER_FRAME - 1].role = ROLE_NONE; /* not a membership */
    buf_reset(&b);
    frame_write_attached(&b, 5, true, many, ATTACHED_MAX_PER_FRAME);
    assert_false(frame_read_attached(body_of(&b), &out));
    buf_finish(&b);
}

static bool member_survives(enum conversation_kind kind, enum role role)
{
    struct frame_member in = {conversation, kind, 5, role, -1}, out;
    struct buf b;
    bool ok;

    buf_init(&b, CEILING);
    frame_write_member(&b, &in);
    ok = frame_read_member(body_of(&b), &out);
    if (ok) {
        assert_int_equal(out.kind, kind);
        assert_int_equal(out.role, role);
        assert_int_equal(out.uid, 5);
        assert_int_equal(out.last_seq, -1);
        assert_true(uuid_equal(&out.conversation, &conversation));
    }
    buf_finish(&b);
    return ok;
}

static void test_member_values(void **state)
{
    (void)state;
    for (int kind = 0; kind <= 4; kind++) {
        for (int role = 0; role <= 5; role++)
            assert_int_equal(member_survives((enum conversation_kind)kind, (enum role)role),
                             kind >= 1 && kind <= 3 && role <= 4);
    }
}

static void test_device_and_entry_values(void **state)
{
    struct frame_device device = a_device(), out;
    struct frame_entry entry = {conversation, 42, 5, slice_of(NULL, 0), slice_str("{}")}, entry_out;
    struct buf b;

    (void)state;
    buf_init(&b, CEILING);
    frame_write_device(&b, &device);
    assert_true(frame_read_device(body_of(&b), &out));
    assert_true(slice_equal(out.topic, device.topic));
    assert_true(slice_equal(out.correlation, device.correlation));
    assert_int_equal(out.answers, device.answers);
    device.device = slice_of(NULL, 0); /* every device */
    buf_reset(&b);
    frame_write_device(&b, &device);
    assert_true(frame_read_device(body_of(&b), &out));
    device.topic = slice_str("");
    buf_reset(&b);
    frame_write_device(&b, &device);
    assert_false(frame_read_device(body_of(&b), &out));
    device = a_device();
    device.device = slice_str("a/b");
    buf_reset(&b);
    frame_write_device(&b, &device);
    assert_false(frame_read_device(body_of(&b), &out));

    buf_reset(&b);
    frame_write_entry(&b, &entry);
    assert_true(frame_read_entry(body_of(&b), &entry_out));
    assert_int_equal(entry_out.seq, 42);
    assert_int_equal(entry_out.sender, 5);
    assert_int_equal(entry_out.sender_device.length, 0);
    assert_true(slice_equal(entry_out.payload, entry.payload));
    buf_finish(&b);
}

static void test_too_long_fails_stickily(void **state)
{
    static char bytes[LINK_BODY_MAX];
    struct frame_draft draft = a_draft();
    struct buf b;

    (void)state;
    buf_init(&b, CEILING);
    draft.payload = slice_of(bytes, LINK_BODY_MAX); /* with the other fields: too long */
    frame_write_draft(&b, &draft);
    assert_true(b.failed);
    buf_reset(&b);
    draft.payload = slice_of(bytes, LINK_BODY_MAX - 64);
    frame_write_draft(&b, &draft);
    assert_false(b.failed);
    buf_reset(&b);
    draft = a_draft();
    draft.handle = slice_of(bytes, UINT16_MAX + 1);
    frame_write_draft(&b, &draft);
    assert_true(b.failed);
    buf_finish(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stream_of_all_types),
        cmocka_unit_test(test_cuts),
        cmocka_unit_test(test_bad_headers),
        cmocka_unit_test(test_draft_values),
        cmocka_unit_test(test_request_values),
        cmocka_unit_test(test_attached_items),
        cmocka_unit_test(test_member_values),
        cmocka_unit_test(test_device_and_entry_values),
        cmocka_unit_test(test_too_long_fails_stickily),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
