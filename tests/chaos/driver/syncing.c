/* SPDX-License-Identifier: MIT */
/* syncing.c - catching up: one sync at a time asks after the device's positions in all its
 * conversations, again and again until nothing is missing.
 *
 * Answers do not say what they answer. So a sync without an answer ends the connection, and with it
 * whatever might still come: no page is ever taken for one of another answer. */
#include "codec.h"
#include "device.h"
#include "driver.h"
#include "scan.h"

#include <string.h>

#define TOPIC_SYNC_REQUEST "send/me/sync"

enum {
    LIMIT = 500, /* entries per conversation */
    LIMIT_SLOW = 20,
    ANSWER_WITHIN_US = 15000000, /* and each further page */
    ANSWER_SLOW_WITHIN_US = 120000000,
    AGAIN_US = 100000, /* doubled with each refusal in a row, and as long again at random */
    AGAIN_DOUBLINGS_MAX = 4,
};

bool syncing_is_behind(const struct device *d)
{
    for (unsigned i = 0; i < d->seat_count; i++) {
        const struct seat *seat = d->seat_list[i];

        if (seat->member && seat->head > seat->window.position)
            return true;
    }
    return false;
}

void syncing_wish(struct device *d, uint64_t now_us, uint64_t within_us, bool must)
{
    struct syncing *s = &d->syncing;
    uint64_t due_us = now_us + (within_us > 0 ? driver_random(d->driver) % within_us : 0);

    if (s->due_us == 0 || due_us < s->due_us)
        s->due_us = due_us;
    s->must = s->must || must;
}

void syncing_forget(struct device *d)
{
    d->syncing = (struct syncing){0};
}

static void wish_after_failure(struct device *d, uint64_t now_us)
{
    struct syncing *s = &d->syncing;
    uint64_t wait_us = (uint64_t)AGAIN_US << s->refusals;

    if (s->refusals < AGAIN_DOUBLINGS_MAX)
        s->refusals++;
    s->state = SYNC_IDLE;
    s->due_us = now_us + wait_us + driver_random(d->driver) % wait_us;
    s->must = true;
}

static void write_cursors(struct device *d, struct buf *out)
{
    bool first = true;

    for (unsigned i = 0; i < d->seat_count; i++) {
        struct seat *seat = d->seat_list[i];

        seat->asked_after = seat->member;
        seat->listed = false;
        if (!seat->member)
            continue;
        buf_str(out, first ? "\"" : ",\"");
        buf_str(out, seat->id_text);
        buf_str(out, "\":");
        buf_i64(out, seat->window.position);
        first = false;
    }
}

static void ask(struct device *d, uint64_t now_us)
{
    struct driver *driver = d->driver;
    struct buf *payload = &driver->payload;
    struct buf *out = conn_write(driver->set, &d->conn);

    buf_reset(payload);
    if (d->mqtt_5)
        buf_char(payload, 0); /* no properties */
    buf_str(payload, "{\"cursors\":{");
    write_cursors(d, payload);
    buf_str(payload, "},\"limit\":");
    buf_u64(payload, d->manner == MANNER_SLOW && d->muted ? LIMIT_SLOW : LIMIT);
    buf_char(payload, '}');
    mqtt_write_publish_head(out, slice_str(TOPIC_SYNC_REQUEST), conn_next_packet_id(&d->conn),
                            payload->length);
    buf_slice_put(out, buf_slice(payload));
    d->unacknowledged++;
    driver->tally.syncs++;
    d->syncing = (struct syncing){.state = SYNC_ASKED,
                                  .asked_us = now_us,
                                  .heard_us = now_us,
                                  .refusals = d->syncing.refusals,
                                  .last = driver->finishing,
                                  .whole = true};
}

void syncing_turn(struct device *d, uint64_t now_us)
{
    struct syncing *s = &d->syncing;
    uint64_t patience_us = d->muted ? ANSWER_SLOW_WITHIN_US : ANSWER_WITHIN_US;

    if (!d->ready || d->gone)
        return;
    if (s->state == SYNC_ASKED) {
        if (now_us > s->heard_us + patience_us)
            connection_doom(d, "no answer to a sync");
        return;
    }
    if (s->due_us == 0 || now_us < s->due_us || d->unacknowledged >= d->receive_maximum)
        return;
    if (s->must || syncing_is_behind(d))
        ask(d, now_us);
    else
        s->due_us = 0;
}

static bool take_entries(struct device *d, struct slice entries, uint64_t now_us)
{
    struct scan s = scan_of(entries);
    struct slice entry;
    enum scan_status status;

    while ((status = scan_element(&s, &entry)) == SCAN_ITEM) {
        if (!hearing_entry(d, entry, 'Y', now_us))
            return false;
    }
    return status == SCAN_END;
}

/* The device has everything up to where the conversation was when it was read, or it has not. */
static void judge(struct device *d, struct seat *seat, int64_t last_seq)
{
    struct events *e = &d->driver->events;

    seat->member = seat->listed = true;
    if (last_seq > seat->head)
        seat->head = last_seq;
    if (seat->window.position < last_seq) {
        d->syncing.whole = false;
        return;
    }
    events_begin(e, device_slice(d), 'Z');
    events_text(e, slice_str(seat->id_text));
    events_number(e, seat->window.position);
    events_end(e);
}

static bool take_conversation(struct device *d, struct slice json, uint64_t now_us)
{
    struct scan s = scan_of(json);
    struct slice name, value;
    struct slice entries = slice_str("[]");
    enum scan_status status;
    struct uuid id;
    int64_t last_seq = -1;
    bool named = false;
    struct seat *seat;

    while ((status = scan_member(&s, &name, &value)) == SCAN_ITEM) {
        if (slice_equal(name, slice_str("conversation")))
            named = value.length > 2 && uuid_parse(&id, slice_of(value.data + 1, value.length - 2));
        else if (slice_equal(name, slice_str("last_seq")) && !scan_integer(value, &last_seq))
            return false;
        else if (slice_equal(name, slice_str("entries")))
            entries = value;
    }
    if (status != SCAN_END || !named || last_seq < 0)
        return false;
    seat = device_seat(d, &id);
    /* Of a conversation that it was not asked after the answer has the newest entries, not the next
     * ones: the next sync asks. */
    if (!seat || (seat->asked_after && !take_entries(d, entries, now_us)))
        return false;
    d->syncing.progressed |= !seat->asked_after;
    judge(d, seat, last_seq);
    return true;
}

static bool take_conversations(struct device *d, struct slice list, uint64_t now_us)
{
    struct scan s = scan_of(list);
    struct slice conversation;
    enum scan_status status;

    while ((status = scan_element(&s, &conversation)) == SCAN_ITEM) {
        if (!take_conversation(d, conversation, now_us))
            return false;
    }
    return status == SCAN_END;
}

/* Of conversations that are not in the answer the user is a member no longer. */
static void leave_unlisted(struct device *d)
{
    for (unsigned i = 0; i < d->seat_count; i++) {
        struct seat *seat = d->seat_list[i];

        if (seat->asked_after && !seat->listed)
            seat->member = false;
    }
}

static void end_answer(struct device *d, uint64_t now_us)
{
    struct syncing *s = &d->syncing;

    if (s->torn) {
        wish_after_failure(d, now_us);
        return;
    }
    s->state = SYNC_IDLE;
    leave_unlisted(d);
    if (s->whole) {
        s->refusals = 0;
        if (s->last && !syncing_is_behind(d))
            d->finished = true;
        else if (s->last)
            syncing_wish(d, now_us, 0, true);
    } else if (s->progressed) {
        s->refusals = 0;
        syncing_wish(d, now_us, 0, true);
    } else {
        wish_after_failure(d, now_us);
    }
}

void syncing_page(struct device *d, struct slice json, uint64_t now_us)
{
    struct scan s = scan_of(json);
    struct slice name, value;
    struct slice conversations = {0};
    enum scan_status status;
    int64_t page = 0;
    bool more = false;
    bool refused = false;

    while ((status = scan_member(&s, &name, &value)) == SCAN_ITEM) {
        if (slice_equal(name, slice_str("conversations")))
            conversations = value;
        else if (slice_equal(name, slice_str("more")))
            more = slice_equal(value, slice_str("true"));
        else if (slice_equal(name, slice_str("page")) && !scan_integer(value, &page))
            page = 0;
        else if (slice_equal(name, slice_str("error")))
            refused = true;
    }
    if (status == SCAN_END && refused) {
        wish_after_failure(d, now_us);
        return;
    }
    if (status != SCAN_END || !take_conversations(d, conversations, now_us)) {
        device_violation(d, "a page of a sync that cannot be read", json);
        return;
    }
    d->syncing.heard_us = now_us;
    d->syncing.torn = d->syncing.torn || page != ++d->syncing.pages;
    if (!more && d->syncing.state == SYNC_ASKED)
        end_answer(d, now_us);
}
