/* SPDX-License-Identifier: MIT */
/* bridge_link_test.c - the bridge's end of the link, with a plugin played by the test over a real
 * socket. The bell has no broker to ring at. */
#include "unit/unit.h"

#include "base/buf.h"
#include "base/clock.h"
#include "link/link.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { WAIT_MS = 5000, SETTLE_TURNS = 20 };

static char directory[64];
static struct sockaddr_un address = {.sun_family = AF_UNIX};
static struct event_base *base;
static struct link *server;

/* What the handlers were told, as text: "connected; attach 7; drained; " */
static struct buf told;
static unsigned barriers_ended;

static void on_connected(void *owner, uint64_t boot)
{
    (void)owner;
    buf_printf(&told, "connected %d; ", (int)boot);
}

static void on_disconnected(void *owner)
{
    (void)owner;
    buf_str(&told, "disconnected; ");
}

static void on_attach(void *owner, const struct frame_attach *f)
{
    (void)owner;
    buf_printf(&told, "attach %d; ", (int)f->uid);
}

static void on_draft(void *owner, const struct frame_draft *f)
{
    (void)owner;
    buf_printf(&told, "draft %d; ", (int)f->number);
}

static void on_request(void *owner, const struct frame_request *f)
{
    (void)owner;
    buf_printf(&told, "request %d; ", (int)f->kind);
}

static void on_fill(void *owner, const struct frame_fill *f)
{
    (void)owner;
    buf_printf(&told, "fill %d; ", (int)f->after);
}

static void on_drained(void *owner)
{
    (void)owner;
    buf_str(&told, "drained; ");
}

static void on_barrier(void *owner)
{
    (void)owner;
    barriers_ended++;
}

static const struct link_handlers handlers = {
    .connected = on_connected,
    .disconnected = on_disconnected,
    .attach = on_attach,
    .draft = on_draft,
    .request = on_request,
    .fill = on_fill,
    .drained = on_drained,
};

static int set_up(void **state)
{
    struct link_config config = {
        .socket_path = address.sun_path, .key = "secret", .node = "n1", .broker = "/nonexistent"};
    (void)state;

    snprintf(directory, sizeof directory, "/tmp/banter-link-test-XXXXXX");
    if (!mkdtemp(directory))
        return -1;
    snprintf(address.sun_path, sizeof address.sun_path, "%s/link.sock", directory);
    buf_init(&told, 1 << 16);
    barriers_ended = 0;
    base = event_base_new();
    server = link_create(base, &config);
    return server && link_start(server, &handlers) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    link_destroy(server);
    event_base_free(base);
    buf_finish(&told);
    return rmdir(directory); /* which is empty: the socket is gone */
}

static void turn(void)
{
    for (int i = 0; i < SETTLE_TURNS; i++) {
        event_base_loop(base, EVLOOP_NONBLOCK);
        usleep(500);
    }
}

static int dial(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void send_buf(int fd, struct buf *b)
{
    assert_false(b->failed);
    assert_int_equal(send(fd, b->data, b->length, 0), b->length);
    buf_finish(b);
    turn();
}

static void say_hello(int fd, const char *key, uint64_t boot)
{
    struct buf b;

    buf_init(&b, 1024);
    frame_write_hello(&b, &(struct frame_hello){LINK_VERSION, slice_str(key), boot});
    send_buf(fd, &b);
}

static void assert_told(const char *expected)
{
    buf_char(&told, '\0');
    assert_string_equal(told.data, expected);
    buf_reset(&told);
}

/* After what was sent before. */
static void assert_closed(int fd)
{
    char bytes[256];
    ssize_t n;

    while ((n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0)
        ;
    assert_int_equal(n, 0);
    close(fd);
}

/* The next frame that the server sent; its body is good until the next call. */
static struct frame receive(int fd)
{
    static char bytes[1 << 16];
    struct frame frame;
    size_t used;
    ssize_t got = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT | MSG_PEEK);

    assert_true(got > 0);
    assert_int_equal(frame_next(slice_of(bytes, (size_t)got), &frame, &used), FRAME_WHOLE);
    assert_int_equal(recv(fd, bytes, used, MSG_DONTWAIT), used);
    return frame;
}

static void assert_silent(int fd)
{
    char byte;
    assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT), -1);
}

/* A plugin that is connected, with the greetings out of the way. */
static int plug_in(uint64_t boot)
{
    struct frame_welcome welcome;
    int fd = dial();

    say_hello(fd, "secret", boot);
    struct frame frame = receive(fd);
    assert_int_equal(frame.type, FRAME_WELCOME);
    assert_true(frame_read_welcome(frame.body, &welcome));
    assert_true(slice_equal(welcome.node, slice_str("n1")));
    assert_true(link_is_connected(server));
    return fd;
}

static void test_only_the_right_hello_comes_in(void **state)
{
    struct stat st;
    int fd = dial();
    (void)state;

    assert_int_equal(stat(address.sun_path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0660);
    say_hello(fd, "wrong", 1);
    assert_closed(fd);
    fd = dial();
    say_hello(fd, "secret but longer", 1);
    assert_closed(fd);
    fd = dial();
    struct buf b;
    buf_init(&b, 1024);
    frame_write_attach(&b, &(struct frame_attach){7}); /* before HELLO */
    send_buf(fd, &b);
    assert_closed(fd);
    assert_false(link_is_connected(server));
    close(plug_in(5));
    turn();
    assert_told("connected 5; drained; disconnected; ");
}

static void test_a_plugin_waits_while_the_link_is_shut(void **state)
{
    int fd = plug_in(1);
    int waiting = dial();
    int earlier = dial();
    (void)state;

    link_shut(server, true);
    turn();
    assert_true(link_is_connected(server)); /* who is here stays */
    link_reset(server);
    turn();
    assert_closed(fd);
    say_hello(earlier, "secret", 2);
    assert_silent(earlier);
    say_hello(waiting, "secret", 3);
    assert_closed(earlier);
    assert_silent(waiting);
    assert_false(link_is_connected(server));
    link_shut(server, false);
    turn();
    assert_int_equal(receive(waiting).type, FRAME_WELCOME);
    assert_true(link_is_connected(server));
    close(waiting);
    turn();
    assert_told("connected 1; drained; disconnected; connected 3; disconnected; ");
}

static void test_frames_are_handed_over_together(void **state)
{
    int fd = plug_in(1);
    struct buf b;
    (void)state;

    buf_reset(&told);
    buf_init(&b, 1 << 16);
    frame_write_attach(&b, &(struct frame_attach){7});
    for (unsigned n = 1; n <= 3; n++)
        frame_write_draft(&b, &(struct frame_draft){.number = n,
                                                    .uid = 7,
                                                    .handle = slice_str("alice"),
                                                    .device = slice_str("phone"),
                                                    .target = slice_str("@bob"),
                                                    .payload = slice_str("{}")});
    frame_write_fill(&b, &(struct frame_fill){.after = 41});
    frame_write_wake(&b);
    send_buf(fd, &b);
    assert_told("attach 7; draft 1; draft 2; draft 3; fill 41; drained; ");

    buf_init(&b, 1024);
    frame_write_welcome(&b, &(struct frame_welcome){.version = 1}); /* not a plugin's to send */
    send_buf(fd, &b);
    assert_told("disconnected; ");
    assert_closed(fd);
}

static void test_a_frame_in_pieces(void **state)
{
    int fd = plug_in(1);
    struct buf b;
    (void)state;

    buf_reset(&told);
    buf_init(&b, 1024);
    frame_write_attach(&b, &(struct frame_attach){9});
    for (size_t i = 0; i < b.length; i++) {
        assert_int_equal(send(fd, b.data + i, 1, 0), 1);
        event_base_loop(base, EVLOOP_NONBLOCK);
    }
    buf_finish(&b);
    turn();
    buf_char(&told, '\0');
    assert_non_null(strstr(told.data, "attach 9; "));
    close(fd);
}

static void test_a_new_plugin_replaces_the_old_one(void **state)
{
    int old = plug_in(1);
    (void)state;

    link_barrier(server, on_barrier, NULL);
    turn();
    assert_int_equal(receive(old).type, FRAME_BARRIER);
    int new = plug_in(2);
    assert_closed(old);
    assert_int_equal(barriers_ended, 1); /* nothing stale can reach anyone any more */
    assert_told("connected 1; drained; disconnected; connected 2; drained; ");
    close(new);
}

static void test_what_is_written_in_one_turn_leaves_in_order(void **state)
{
    int fd = plug_in(1);
    struct frame_confirm confirm;
    (void)state;

    link_device(server, &(struct frame_device){.uid = 1, .topic = slice_str("me/receipt")});
    link_confirm(server, 12);
    link_kick(server, &(struct frame_kick){.uid = 3});
    assert_silent(fd);
    assert_false(link_is_flushed(server));
    turn();
    assert_true(link_is_flushed(server));
    assert_int_equal(receive(fd).type, FRAME_DEVICE);
    assert_true(frame_read_confirm(receive(fd).body, &confirm));
    assert_int_equal(confirm.number, 12);
    assert_int_equal(receive(fd).type, FRAME_KICK);
    close(fd);
    turn();
    link_confirm(server, 13); /* to nobody */
    turn();
}

static void test_barriers(void **state)
{
    struct frame_barrier f;
    struct buf b;
    (void)state;

    link_barrier(server, on_barrier, NULL);
    assert_int_equal(barriers_ended, 0); /* never from inside */
    turn();
    assert_int_equal(barriers_ended, 1); /* no plugin */

    int fd = plug_in(1);
    link_barrier(server, on_barrier, NULL);
    link_barrier(server, on_barrier, NULL);
    turn();
    assert_int_equal(barriers_ended, 1);
    assert_true(frame_read_barrier(receive(fd).body, &f));
    buf_init(&b, 1024);
    frame_write_barrier_done(&b, &f);
    send_buf(fd, &b);
    assert_int_equal(barriers_ended, 2);
    close(fd);
    turn();
    assert_int_equal(barriers_ended, 3);
}

static void on_barrier_and_another(void *owner)
{
    on_barrier(owner);
    link_barrier(server, on_barrier, owner);
}

/* What was asked while one plugin had gone and the next one had not come is not asked of that. */
static void test_barriers_between_two_plugins(void **state)
{
    int first, second;

    (void)state;
    first = plug_in(7);
    link_barrier(server, on_barrier_and_another, NULL);
    second = plug_in(8);
    assert_int_equal(barriers_ended, 2);
    assert_closed(first);
    assert_silent(second);
    close(second);
}

static void test_an_unanswered_barrier_closes_the_link(void **state)
{
    int fd = plug_in(1);
    uint64_t stop_ms = clock_monotonic_ms() + 2 * WAIT_MS;
    (void)state;

    link_barrier(server, on_barrier, NULL);
    turn();
    assert_int_equal(receive(fd).type, FRAME_BARRIER);
    while (barriers_ended == 0) {
        assert_true(clock_monotonic_ms() < stop_ms);
        event_base_loop(base, EVLOOP_ONCE);
    }
    assert_false(link_is_connected(server));
    assert_closed(fd);
}

/* A broker that is stopped keeps its connection, and is known to be silent. */
static void test_a_silent_plugin_is_noticed(void **state)
{
    struct frame_barrier ping;
    struct frame frame = {0};
    int fd = plug_in(1);
    uint64_t stop_ms = clock_monotonic_ms() + WAIT_MS;
    struct buf answer;
    (void)state;

    while (link_silent_ms(server) == 0) {
        assert_true(clock_monotonic_ms() < stop_ms);
        event_base_loop(base, EVLOOP_ONCE);
    }
    frame = receive(fd);
    assert_int_equal(frame.type, FRAME_BARRIER);
    assert_true(frame_read_barrier(frame.body, &ping));
    assert_int_equal(ping.number, BARRIER_PING);
    assert_true(link_is_connected(server));
    buf_init(&answer, 64);
    frame_write_barrier_done(&answer, &ping);
    send_buf(fd, &answer);
    turn();
    assert_int_equal(link_silent_ms(server), 0);
    close(fd);
}

static bool receive_hold(int fd)
{
    struct frame frame = receive(fd);
    struct frame_hold f;

    assert_int_equal(frame.type, FRAME_HOLD);
    assert_true(frame_read_hold(frame.body, &f));
    return f.hold;
}

/* The plugin is told, also one that connects later; all else goes on. */
static void test_hold_is_told_and_nothing_stops(void **state)
{
    int fd = plug_in(1);
    struct buf b;
    (void)state;

    link_hold(server, true);
    link_hold(server, true);
    turn();
    assert_true(receive_hold(fd));
    buf_reset(&told);
    buf_init(&b, 1024);
    frame_write_attach(&b, &(struct frame_attach){7});
    send_buf(fd, &b);
    assert_told("attach 7; drained; ");
    link_reset(server);
    turn();
    assert_told("disconnected; ");
    assert_closed(fd);
    fd = plug_in(1);
    assert_true(receive_hold(fd));
    link_hold(server, false);
    turn();
    assert_false(receive_hold(fd));
    close(fd);
    turn();
}

static void test_a_plugin_that_does_not_read_is_dropped(void **state)
{
    static char payload[1 << 20];
    int fd = plug_in(1);
    (void)state;

    for (int i = 0; i < 80 && link_is_connected(server); i++)
        link_entry(server, &(struct frame_entry){.seq = i + 1,
                                                 .sender = 1,
                                                 .payload = slice_of(payload, sizeof payload)});
    assert_false(link_is_connected(server));
    buf_reset(&told);
    turn();
    assert_told("disconnected; ");
    close(fd);
}

static void test_two_bridges_do_not_share_a_socket(void **state)
{
    struct link_config config = {
        .socket_path = address.sun_path, .key = "secret", .node = "n2", .broker = "127.0.0.1:1"};
    struct link *second = link_create(base, &config);
    (void)state;

    assert_non_null(second);
    assert_false(link_start(second, &handlers));
    link_destroy(second);
    close(plug_in(1));
    config.broker = "nonsense";
    assert_null(link_create(base, &config));
}

#define LINK_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LINK_TEST(test_only_the_right_hello_comes_in),
        LINK_TEST(test_a_plugin_waits_while_the_link_is_shut),
        LINK_TEST(test_frames_are_handed_over_together),
        LINK_TEST(test_a_frame_in_pieces),
        LINK_TEST(test_a_new_plugin_replaces_the_old_one),
        LINK_TEST(test_what_is_written_in_one_turn_leaves_in_order),
        LINK_TEST(test_barriers),
        LINK_TEST(test_barriers_between_two_plugins),
        LINK_TEST(test_an_unanswered_barrier_closes_the_link),
        LINK_TEST(test_a_silent_plugin_is_noticed),
        LINK_TEST(test_hold_is_told_and_nothing_stops),
        LINK_TEST(test_a_plugin_that_does_not_read_is_dropped),
        LINK_TEST(test_two_bridges_do_not_share_a_socket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
