/* SPDX-License-Identifier: MIT */
/* posting.c - drafts: how they leave, and what becomes of them. */
#include "base/hash.h"
#include "codec.h"
#include "device.h"
#include "draft_text.h"
#include "driver.h"
#include "scan.h"
#include "wire/topic.h"

#include <string.h>

enum {
    UNSENT_MAX = 1 << 20,   /* bytes in the connection: more would only wait longer */
    RESENDS_MAX = 2,        /* of MANNER_RESEND, at once */
    LATE_RESEND_ONE_IN = 4, /* receipts after which it sends an old draft again */
};

bool posting_open(struct seat *seat)
{
    uint64_t n;

    return seat->outbox && seat->member && outbox_open(seat->outbox, &n);
}

static void log_publish(struct device *d, const struct seat *seat, uint64_t n, bool again)
{
    struct events *e = &d->driver->events;

    events_begin(e, device_slice(d), again ? 'T' : 'S');
    events_text(e, slice_str(seat->id_text));
    events_text(e, buf_slice(&d->driver->id));
    if (!again)
        events_number(e, (int64_t)n);
    events_end(e);
}

static void publish(struct device *d, struct seat *seat, uint64_t n, bool again)
{
    struct driver *driver = d->driver;
    struct buf *out = conn_write(driver->set, &d->conn);

    buf_reset(&driver->text);
    draft_text_write(&driver->text, device_slice(d), seat->text_seed, n);
    buf_reset(&driver->id);
    draft_id_write(&driver->id, d->device_name, driver->run, n);
    buf_reset(&driver->payload);
    if (d->mqtt_5)
        buf_char(&driver->payload, 0); /* no properties */
    buf_str(&driver->payload, "{\"id\":");
    buf_json(&driver->payload, buf_slice(&driver->id));
    buf_str(&driver->payload, ",\"text\":");
    buf_json(&driver->payload, buf_slice(&driver->text));
    buf_char(&driver->payload, '}');
    log_publish(d, seat, n, again);
    mqtt_write_publish_head(out, slice_str(seat->topic), conn_next_packet_id(&d->conn),
                            driver->payload.length);
    buf_slice_put(out, buf_slice(&driver->payload));
    d->unacknowledged++;
    if (again)
        driver->tally.resent++;
    else
        driver->tally.sent++;
}

static bool may_publish(const struct device *d)
{
    return d->connected && !d->gone && d->conn.state == CONN_OPEN &&
           d->unacknowledged < d->receive_maximum && d->conn.out.length < UNSENT_MAX;
}

static void publish_seat(struct device *d, struct seat *seat, uint64_t now_us)
{
    uint64_t n;
    bool again;

    while (may_publish(d) && outbox_take(seat->outbox, now_us, &n, &again)) {
        unsigned copies = d->manner == MANNER_RESEND
                              ? (unsigned)(driver_random(d->driver) % (RESENDS_MAX + 1))
                              : 0;

        publish(d, seat, n, again);
        while (copies-- > 0 && may_publish(d))
            publish(d, seat, n, true);
    }
}

void posting_turn(struct device *d, uint64_t now_us)
{
    for (unsigned i = 0; i < d->seat_count && may_publish(d); i++) {
        struct seat *seat = d->seat_list[i];

        if (!seat->outbox)
            continue;
        (void)outbox_check_silence(seat->outbox, now_us);
        publish_seat(d, seat, now_us);
    }
}

void posting_restart(struct device *d)
{
    for (unsigned i = 0; i < d->seat_count; i++) {
        if (d->seat_list[i]->outbox)
            outbox_restart(d->seat_list[i]->outbox);
    }
}

unsigned posting_open_count(const struct device *d)
{
    unsigned count = 0;

    for (unsigned i = 0; i < d->seat_count; i++) {
        if (d->seat_list[i]->outbox)
            count += outbox_count(d->seat_list[i]->outbox);
    }
    return count;
}

/* ---------------------------------------------------------------- receipts */

struct receipt {
    struct slice id;
    struct slice conversation;
    struct slice at;
    struct slice code; /* empty: stored */
    int64_t seq;
    int64_t retry_after_ms;
};

static bool read_error(struct slice json, struct receipt *r, struct buf *room)
{
    struct scan s = scan_of(json);
    struct slice name, value;
    enum scan_status status;

    while ((status = scan_member(&s, &name, &value)) == SCAN_ITEM) {
        if (slice_equal(name, slice_str("code")) && !scan_string(value, room, &r->code))
            return false;
        if (slice_equal(name, slice_str("retry_after_ms")) &&
            !scan_integer(value, &r->retry_after_ms))
            return false;
    }
    return status == SCAN_END && r->code.length > 0;
}

/* No member here has escapes, so all of them borrow from the payload and share the room. */
static bool read_receipt(struct slice json, struct receipt *r, struct buf *room)
{
    struct scan s = scan_of(json);
    struct slice name, value;
    enum scan_status status;
    bool ok = true;

    *r = (struct receipt){0};
    while (ok && (status = scan_member(&s, &name, &value)) == SCAN_ITEM) {
        if (slice_equal(name, slice_str("id")))
            ok = scan_string(value, room, &r->id);
        else if (slice_equal(name, slice_str("conversation")))
            ok = scan_string(value, room, &r->conversation);
        else if (slice_equal(name, slice_str("at")))
            ok = scan_string(value, room, &r->at);
        else if (slice_equal(name, slice_str("seq")))
            ok = scan_integer(value, &r->seq) && r->seq > 0;
        else if (slice_equal(name, slice_str("error")))
            ok = read_error(value, r, room);
    }
    return ok && status == SCAN_END && r->id.length > 0 && (r->seq > 0) != (r->code.length > 0);
}

static bool is_one_of(struct slice code, const char *const *list)
{
    for (; *list; list++) {
        if (slice_equal(code, slice_str(*list)))
            return true;
    }
    return false;
}

static void publish_late(struct device *d, struct seat *seat, uint64_t n)
{
    uint64_t random = driver_random(d->driver);
    uint64_t old = seat->late[random % LATE_MAX];

    seat->late[random % LATE_MAX] = n;
    if (old > 0 && (random >> 32) % LATE_RESEND_ONE_IN == 0 && may_publish(d) &&
        !seat->outbox->halted)
        publish(d, seat, old, true);
}

static void on_stored(struct device *d, struct seat *seat, const struct receipt *r, uint64_t n,
                      uint64_t now_us)
{
    struct tally *tally = &d->driver->tally;
    struct events *e = &d->driver->events;
    uint64_t first_us = outbox_close(seat->outbox, n, now_us);

    events_begin(e, device_slice(d), 'A');
    events_text(e, slice_str(seat->id_text));
    events_text(e, r->id);
    events_number(e, r->seq);
    events_text(e, r->at);
    events_end(e);
    if (first_us > 0) {
        tally->receipted++;
        if (now_us - first_us > tally->worst_us && d->manner != MANNER_SLOW)
            tally->worst_us = now_us - first_us;
    }
    (void)window_mark(&seat->window, r->seq);
    if (r->seq > seat->head)
        seat->head = r->seq;
    if (d->manner == MANNER_RESEND && first_us > 0)
        publish_late(d, seat, n);
}

static void on_refused(struct device *d, struct seat *seat, const struct receipt *r, uint64_t n,
                       uint64_t now_us)
{
    static const char *const passing[] = {"unavailable", "rate_limited", "internal", NULL};
    static const char *const blocked[] = {"out_of_order", NULL};
    struct events *e = &d->driver->events;
    bool first = is_one_of(r->code, passing);

    d->driver->tally.refused++;
    events_begin(e, device_slice(d), 'N');
    events_text(e, slice_str(seat->id_text));
    events_text(e, r->id);
    events_text(e, r->code);
    events_end(e);
    if (first || is_one_of(r->code, blocked))
        outbox_refuse(seat->outbox, n, first, (uint64_t)r->retry_after_ms * 1000,
                      driver_random(d->driver), now_us);
    else
        (void)outbox_close(seat->outbox, n, now_us);
}

void posting_receipt(struct device *d, struct slice json, uint64_t now_us)
{
    struct receipt r;
    struct uuid conversation;
    struct seat *seat = NULL;
    uint64_t n;

    buf_reset(&d->driver->room);
    if (!read_receipt(json, &r, &d->driver->room)) {
        device_violation(d, "a receipt that is none", json);
        return;
    }
    if (uuid_parse(&conversation, r.conversation))
        seat = map_find(&d->seats, &conversation);
    if (!seat || !seat->outbox || !draft_id_read(r.id, d->device_name, d->driver->run, &n) ||
        n == 0 || n >= seat->outbox->next) {
        device_violation(d, "a receipt for no draft of this device", json);
        return;
    }
    if (r.code.length > 0)
        on_refused(d, seat, &r, n, now_us);
    else
        on_stored(d, seat, &r, n, now_us);
    publish_seat(d, seat, now_us);
}
