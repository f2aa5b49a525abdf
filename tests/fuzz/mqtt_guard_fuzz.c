/* SPDX-License-Identifier: MIT */
/* mqtt_guard_fuzz.c - what passes the front door to the broker: it is a prefix of what came,
 * however that was cut, and no header of it announces more than a packet may have. The first byte
 * chooses the pieces. */
#include "fuzz/fuzz.h"

#include "door/mqtt_guard.h"
#include "wire/limits.h"

enum { PASSED_MAX = 1 << 20 };

static enum mqtt_verdict feed(struct slice bytes, size_t step, struct buf *out)
{
    enum mqtt_verdict verdict = MQTT_FINE;
    struct mqtt_guard g = {0};

    while (bytes.length > 0 && (verdict == MQTT_FINE || verdict == MQTT_ENDED)) {
        size_t n = bytes.length < step ? bytes.length : step;

        verdict = mqtt_guard_feed(&g, slice_of(bytes.data, n), out);
        must(g.left < PACKET_MAX_BYTES);
        bytes = slice_of(bytes.data + n, bytes.length - n);
    }
    return verdict;
}

static void feed_twice(struct slice bytes, size_t step)
{
    struct buf whole, cut;

    buf_init(&whole, PASSED_MAX);
    buf_init(&cut, PASSED_MAX);
    must(feed(bytes, SIZE_MAX, &whole) == feed(bytes, step, &cut));
    must(whole.length <= bytes.length);
    must(whole.length == 0 || memcmp(whole.data, bytes.data, whole.length) == 0);
    must(slice_equal(buf_slice(&whole), buf_slice(&cut)));
    buf_finish(&whole);
    buf_finish(&cut);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mqtt_connect connect;
    struct slice input;

    if (size < 1)
        return 0;
    input = slice_of((const char *)data + 1, size - 1);
    if (mqtt_connect_read(input, &connect) == MQTT_FINE) {
        must(connect.length <= input.length && connect.length <= MQTT_CONNECT_MAX_BYTES);
        must(connect.client_id.data + connect.client_id.length <= input.data + connect.length);
        input = slice_of(input.data + connect.length, input.length - connect.length);
    }
    feed_twice(input, 1 + data[0] % 64);
    return 0;
}
