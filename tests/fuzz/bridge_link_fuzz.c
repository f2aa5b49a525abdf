/* SPDX-License-Identifier: MIT */
/* bridge_link_fuzz.c - the bridge's end of the link, with whoever connects to its socket: nothing
 * of a connection is heard before the right HELLO, one plugin at a time is heard, and every barrier
 * ends once.
 *
 * Each event is a byte that chooses it and the connection, and what else it takes. */
#include "fuzz/fuzz.h"

#include "base/buf.h"
#include "link/link.h"
#include "wire/names.h"

#include <event2/event.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define KEY "0123456789abcdef"

enum { DIALERS = 3, EVENTS_MAX = 100, TURNS = 3 };

static struct {
    bool connected;
    unsigned barriers_asked, barriers_ended;
} heard;

static struct sockaddr_un address = {.sun_family = AF_UNIX};
static char directory[32];

static void on_connected(void *owner, uint64_t boot)
{
    (void)owner;
    (void)boot;
    must(!heard.connected);
    heard.connected = true;
}

static void on_disconnected(void *owner)
{
    (void)owner;
    must(heard.connected);
    heard.connected = false;
}

static void on_attach(void *owner, const struct frame_attach *f)
{
    (void)owner;
    (void)f;
    must(heard.connected);
}

static void on_draft(void *owner, const struct frame_draft *f)
{
    (void)owner;
    must(heard.connected && handle_is_valid(f->handle) && device_is_valid(f->device));
}

static void on_request(void *owner, const struct frame_request *f)
{
    (void)owner;
    must(heard.connected && handle_is_valid(f->handle) && device_is_valid(f->device));
    must(f->correlation.length <= CORRELATION_MAX_LENGTH);
}

static void on_fill(void *owner, const struct frame_fill *f)
{
    (void)owner;
    (void)f;
    must(heard.connected);
}

static void on_session(void *owner, const struct frame_session *f)
{
    (void)owner;
    must(heard.connected && f->state <= SESSION_HIDDEN);
}

static void on_signal(void *owner, const struct frame_signal *f)
{
    (void)owner;
    must(heard.connected && f->payload.length <= SIGNAL_PAYLOAD_MAX);
}

static void on_watch(void *owner, const struct frame_watch *f)
{
    (void)owner;
    must(heard.connected && handle_is_valid(f->target));
}

static void on_left(void *owner, const struct frame_left *f)
{
    (void)owner;
    (void)f;
    must(heard.connected);
}

static void on_limited(void *owner, const struct frame_limited *f)
{
    (void)owner;
    (void)f;
    must(heard.connected);
}

static void on_drained(void *owner)
{
    (void)owner;
}

static void on_barrier(void *owner)
{
    (void)owner;
    heard.barriers_ended++;
    must(heard.barriers_ended <= heard.barriers_asked);
}

static const struct link_handlers handlers = {
    .connected = on_connected,
    .disconnected = on_disconnected,
    .attach = on_attach,
    .draft = on_draft,
    .request = on_request,
    .fill = on_fill,
    .session = on_session,
    .signal = on_signal,
    .watch = on_watch,
    .left = on_left,
    .limited = on_limited,
    .drained = on_drained,
};

static void remove_directory(void)
{
    rmdir(directory);
}

static int dial(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    must(fd >= 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

/* A whole frame with this body; of types that the plugin sends, mostly. */
static void put_frame(struct buf *b, uint8_t type, struct slice body)
{
    buf_le32(b, (uint32_t)body.length);
    buf_le8(b, type);
    buf_bytes(b, "\0\0\0", 3);
    buf_slice_put(b, body);
}

static struct slice take_slice(const uint8_t **at, const uint8_t *end)
{
    size_t length = *at < end ? *(*at)++ : 0;
    struct slice s;

    if (length > (size_t)(end - *at))
        length = (size_t)(end - *at);
    s = slice_of((const char *)*at, length);
    *at += length;
    return s;
}

static void act(struct link *link, int *fd, uint8_t event, const uint8_t **at, const uint8_t *end)
{
    struct buf b;

    buf_init(&b, 1 << 16);
    switch (event % 8) {
    case 0:
        if (*fd < 0)
            *fd = dial();
        break;
    case 1:
        if (*fd >= 0)
            close(*fd);
        *fd = -1;
        break;
    case 2:
        frame_write_hello(&b, &(struct frame_hello){LINK_VERSION, slice_str(KEY), event});
        break;
    case 3:
        frame_write_hello(&b, &(struct frame_hello){LINK_VERSION, slice_str("wrong"), event});
        break;
    case 4:
        put_frame(&b, (uint8_t)(1 + (event >> 3) % FRAME_LIMITED), take_slice(at, end));
        break;
    case 5:
        buf_slice_put(&b, take_slice(at, end));
        break;
    case 6:
        heard.barriers_asked++;
        link_barrier(link, on_barrier, NULL);
        break;
    case 7:
        if (event & 8)
            link_reset(link);
        else
            link_shut(link, (event & 16) != 0);
        break;
    }
    if (*fd >= 0 && b.length > 0 && send(*fd, b.data, b.length, MSG_NOSIGNAL) < 0)
        b.failed = true; /* it was closed */
    buf_finish(&b);
}

static void make_directory(void)
{
    snprintf(directory, sizeof directory, "/tmp/banter-fuzz-XXXXXX");
    must(mkdtemp(directory) != NULL);
    snprintf(address.sun_path, sizeof address.sun_path, "%s/link", directory);
    atexit(remove_directory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct link_config config = {
        .socket_path = address.sun_path, .key = KEY, .node = "n1", .broker = "/nonexistent"};
    const uint8_t *at = data, *end = data + size;
    int fds[DIALERS] = {-1, -1, -1};
    struct event_base *base;
    struct link *link;

    if (!directory[0])
        make_directory();
    memset(&heard, 0, sizeof heard);
    base = event_base_new();
    link = link_create(base, &config);
    must(base && link && link_start(link, &handlers));
    for (unsigned i = 0; i < EVENTS_MAX && at < end; i++) {
        uint8_t event = *at++;

        act(link, &fds[(event >> 6) % DIALERS], event, &at, end);
        for (unsigned turn = 0; turn < TURNS; turn++)
            event_base_loop(base, EVLOOP_NONBLOCK);
        must(link_is_connected(link) == heard.connected);
        must(heard.connected || heard.barriers_ended == heard.barriers_asked);
    }
    link_destroy(link);
    event_base_free(base);
    for (unsigned i = 0; i < DIALERS; i++) {
        if (fds[i] >= 0)
            close(fds[i]);
    }
    return 0;
}
