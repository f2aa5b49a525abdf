/* SPDX-License-Identifier: MIT */
/* websocket_frames_fuzz.c - WebSocket frames of clients: how the bytes are cut into pieces changes
 * nothing. The first byte chooses the pieces. */
#include "fuzz/fuzz.h"

#include "door/frames.h"

static void on_data(void *owner, struct slice bytes)
{
    buf_slice_put(owner, bytes);
}

static void on_control(void *owner, enum websocket_opcode opcode, struct slice payload)
{
    must(payload.length <= WEBSOCKET_CONTROL_MAX_BYTES);
    if (opcode == WEBSOCKET_CLOSE)
        must(frames_close_code(payload) >= WEBSOCKET_NORMAL);
    buf_char(owner, (char)opcode);
    buf_slice_put(owner, payload);
}

static enum websocket_code feed(struct slice bytes, size_t step, struct buf *out)
{
    static const struct frames_handlers handlers = {on_data, on_control};
    enum websocket_code code = WEBSOCKET_FINE;
    struct frames f = {0};

    while (bytes.length > 0 && code == WEBSOCKET_FINE) {
        size_t n = bytes.length < step ? bytes.length : step;

        code = frames_feed(&f, slice_of(bytes.data, n), &handlers, out);
        bytes = slice_of(bytes.data + n, bytes.length - n);
    }
    frames_finish(&f);
    return code;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf whole, cut;
    struct slice input;

    if (size < 1)
        return 0;
    input = slice_of((const char *)data + 1, size - 1);
    buf_init(&whole, 1 << 20);
    buf_init(&cut, 1 << 20);
    must(feed(input, SIZE_MAX, &whole) == feed(input, 1 + data[0] % 64, &cut));
    must(slice_equal(buf_slice(&whole), buf_slice(&cut)));
    buf_finish(&whole);
    buf_finish(&cut);
    return 0;
}
