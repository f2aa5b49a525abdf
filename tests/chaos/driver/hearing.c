/* SPDX-License-Identifier: MIT */
/* hearing.c - what comes in on a connection, by topic. */
#include "codec.h"
#include "device.h"
#include "draft_text.h"
#include "driver.h"
#include "scan.h"
#include "wire/topic.h"

#include <string.h>

enum { FILL_WITHIN_US = 50000, LOOK_WITHIN_US = 1000000 };

struct heard_entry {
    struct slice conversation, from, id, kind, text;
    bool has_text;
    int64_t seq;
};

/* A string that nobody writes with escapes; if somebody did, it is shown as it came. */
static bool plain(struct slice value, struct slice *out)
{
    if (value.length < 2 || value.data[0] != '"')
        return false;
    *out = slice_of(value.data + 1, value.length - 2);
    return true;
}

static bool read_entry(struct slice json, struct heard_entry *entry, struct buf *room)
{
    struct scan s = scan_of(json);
    struct slice name, value;
    enum scan_status status;
    bool ok = true;

    *entry = (struct heard_entry){0};
    while (ok && (status = scan_member(&s, &name, &value)) == SCAN_ITEM) {
        if (slice_equal(name, slice_str("conversation"))) {
            ok = plain(value, &entry->conversation);
        } else if (slice_equal(name, slice_str("seq"))) {
            ok = scan_integer(value, &entry->seq);
        } else if (slice_equal(name, slice_str("from"))) {
            ok = plain(value, &entry->from);
        } else if (slice_equal(name, slice_str("id"))) {
            ok = plain(value, &entry->id);
        } else if (slice_equal(name, slice_str("kind"))) {
            ok = plain(value, &entry->kind);
        } else if (slice_equal(name, slice_str("text"))) {
            ok = scan_string(value, room, &entry->text);
            entry->has_text = true;
        }
    }
    return ok && status == SCAN_END && entry->seq > 0 && entry->kind.length > 0;
}

static void log_entry(struct device *d, const struct heard_entry *entry, char letter)
{
    struct events *e = &d->driver->events;
    uint64_t n;

    events_begin(e, device_slice(d), letter);
    events_text(e, entry->conversation);
    events_number(e, entry->seq);
    events_text(e, entry->from.length > 0 ? entry->from : slice_str("-"));
    if (!slice_equal(entry->kind, slice_str("text")) || !entry->has_text) {
        events_text(e, slice_str("-"));
        events_text(e, slice_str("-"));
        events_text(e, entry->kind);
    } else {
        if (draft_text_number(entry->text, &n))
            events_number(e, (int64_t)n);
        else
            events_text(e, slice_str("-"));
        events_text(e, entry->id);
        events_hash(e, draft_text_hash(entry->text));
    }
    events_end(e);
}

/* What came live before and what comes now should have nothing between them. */
static void check_hole(struct device *d, struct seat *seat, int64_t seq, uint64_t now_us)
{
    struct events *e = &d->driver->events;
    int64_t from = window_hole_before(&seat->window, seq);

    if (from >= seq)
        return;
    if (from <= seat->live)
        from = seat->live + 1;
    if (seat->live == 0 || from >= seq) {
        syncing_wish(d, now_us, LOOK_WITHIN_US, false); /* a sync is on its way already */
        return;
    }
    d->driver->tally.gaps++;
    events_begin(e, device_slice(d), 'G');
    events_text(e, slice_str(seat->id_text));
    events_number(e, from);
    events_number(e, seq - 1);
    events_end(e);
    syncing_wish(d, now_us, FILL_WITHIN_US, true);
}

bool hearing_entry(struct device *d, struct slice json, char letter, uint64_t now_us)
{
    struct heard_entry entry;
    struct uuid conversation;
    struct seat *seat;

    if (!read_entry(json, &entry, &d->driver->room) ||
        !uuid_parse(&conversation, entry.conversation))
        return false;
    seat = device_seat(d, &conversation);
    if (!seat)
        return false;
    log_entry(d, &entry, letter);
    if (letter == 'D') {
        d->driver->tally.delivered++;
        check_hole(d, seat, entry.seq, now_us);
        if (entry.seq > seat->live)
            seat->live = entry.seq;
    } else {
        d->driver->tally.replayed++;
    }
    if (window_mark(&seat->window, entry.seq) == WINDOW_NEW)
        d->syncing.progressed = true;
    if (entry.seq > seat->head)
        seat->head = entry.seq;
    return true;
}

/* {"<conversation>":44} */
static void on_heads(struct device *d, struct slice json, uint64_t now_us)
{
    struct scan s = scan_of(json);
    struct slice name, value;
    enum scan_status status;

    while ((status = scan_member(&s, &name, &value)) == SCAN_ITEM) {
        struct uuid conversation;
        int64_t head;
        struct seat *seat;

        if (!uuid_parse(&conversation, name) || !scan_integer(value, &head))
            break;
        seat = device_seat(d, &conversation);
        if (seat && head > seat->head)
            seat->head = head;
    }
    if (status != SCAN_END)
        device_violation(d, "me/heads cannot be read", json);
    else if (syncing_is_behind(d))
        syncing_wish(d, now_us, FILL_WITHIN_US, false);
}

struct heard_event {
    struct slice event, reason, conversation;
    int64_t within_ms;
};

static bool read_event(struct slice json, struct heard_event *e)
{
    struct scan s = scan_of(json);
    struct slice name, value;
    enum scan_status status;
    bool ok = true;

    *e = (struct heard_event){0};
    while (ok && (status = scan_member(&s, &name, &value)) == SCAN_ITEM) {
        if (slice_equal(name, slice_str("event")))
            ok = plain(value, &e->event);
        else if (slice_equal(name, slice_str("reason")))
            ok = plain(value, &e->reason);
        else if (slice_equal(name, slice_str("conversation")))
            ok = plain(value, &e->conversation);
        else if (slice_equal(name, slice_str("within_ms")))
            ok = scan_integer(value, &e->within_ms) && e->within_ms >= 0;
    }
    return ok && status == SCAN_END && e->event.length > 0;
}

static void on_membership(struct device *d, const struct heard_event *e, uint64_t now_us)
{
    struct uuid conversation;
    struct seat *seat;

    if (!uuid_parse(&conversation, e->conversation))
        return;
    seat = device_seat(d, &conversation);
    if (seat && slice_equal(e->event, slice_str("removed"))) {
        seat->member = false;
    } else if (seat && slice_equal(e->event, slice_str("added"))) {
        seat->member = true;
        syncing_wish(d, now_us, FILL_WITHIN_US, true);
    }
}

static void on_event(struct device *d, struct slice json, uint64_t now_us)
{
    struct heard_event e;

    if (!read_event(json, &e))
        device_violation(d, "me/event cannot be read", json);
    else if (slice_equal(e.reason, slice_str("going_away")))
        connection_leave(d, (uint64_t)e.within_ms * 1000, now_us);
    else
        on_membership(d, &e, now_us);
}

static void on_ready(struct device *d, uint64_t now_us)
{
    if (d->ready)
        return;
    d->ready = true;
    d->failures = 0;
    d->deadline_us = 0;
    events_put(&d->driver->events, device_slice(d), 'R', slice_str(""));
    syncing_wish(d, now_us, 0, true);
}

static bool is_entry_of(struct slice topic, struct slice payload)
{
    return topic.length == TOPIC_CHAT_LENGTH &&
           memmem(payload.data, payload.length, topic.data + 5, UUID_TEXT_LENGTH);
}

static bool is_signal(struct slice topic)
{
    return topic.length > TOPIC_CHAT_LENGTH && topic.data[TOPIC_CHAT_LENGTH] == '/';
}

static void on_chat(struct device *d, struct slice topic, struct slice payload, uint64_t now_us)
{
    if (is_signal(topic))
        return; /* typing, cursors */
    if (!is_entry_of(topic, payload) || !hearing_entry(d, payload, 'D', now_us))
        device_violation(d, "an entry that cannot be read", payload);
}

void hearing_publish(struct device *d, const struct mqtt_packet *packet, uint64_t now_us)
{
    struct mqtt_publish p;

    if (!mqtt_read_publish(packet, &p) || (d->mqtt_5 && !mqtt_skip_properties(&p.payload)))
        device_violation(d, "a PUBLISH that is none", slice_str(""));
    else if (p.topic.length >= TOPIC_CHAT_LENGTH && memcmp(p.topic.data, "chat/", 5) == 0)
        on_chat(d, p.topic, p.payload, now_us);
    else if (slice_equal(p.topic, slice_str(TOPIC_RECEIPT)))
        posting_receipt(d, p.payload, now_us);
    else if (slice_equal(p.topic, slice_str(TOPIC_SYNC)))
        syncing_page(d, p.payload, now_us);
    else if (slice_equal(p.topic, slice_str(TOPIC_READY)))
        on_ready(d, now_us);
    else if (slice_equal(p.topic, slice_str(TOPIC_EVENT)))
        on_event(d, p.payload, now_us);
    else if (slice_equal(p.topic, slice_str(TOPIC_HEADS)))
        on_heads(d, p.payload, now_us);
    else
        device_violation(d, "a topic that was not asked for", p.topic);
}
