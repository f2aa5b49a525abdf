/* SPDX-License-Identifier: MIT */
/* device.c - see device.h. The handlers run once per packet: nothing here allocates once the
 * connection's buffers have grown. */
#include "device.h"

#include "stamp.h"
#include "troupe.h"
#include "wire/topic.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { KEEP_ALIVE_S = 60, CLIENT_ID_BYTES = CLIENT_ID_MAX_LENGTH + 1 };

/* Against a bare broker the payload is what Banter would deliver, so that both move the same
 * bytes to the receivers. */
static int format_start(const struct device *d, char *text, size_t size)
{
    if (!d->troupe->config->bare)
        return snprintf(text, size, "{\"id\":\"");
    return snprintf(text, size,
                    "{\"conversation\":\"%s\",\"seq\":1000,\"at\":\"2026-11-22T10:00:00.000Z\","
                    "\"from\":\"%s\",\"id\":\"",
                    d->stage->id_text, d->player->handle);
}

void device_init(struct device *d, struct troupe *t, const struct player *player)
{
    memset(d, 0, sizeof(*d));
    conn_init(&d->conn);
    d->troupe = t;
    d->player = player;
    d->stage = &t->cast->stages[player->conversation];
    d->last_entry_seq = d->last_receipt_seq = d->stage->last_seq;
    snprintf(d->topic, sizeof(d->topic), "%s/%s", t->config->bare ? "chat" : "send",
             d->stage->id_text);
    d->start_length = (size_t)format_start(d, d->start, sizeof(d->start));
    assert(d->start_length < sizeof(d->start));
}

bool device_open(struct device *d, uint64_t now_us)
{
    const struct troupe *t = d->troupe;
    unsigned player = (unsigned)(d - t->devices);

    d->opened_us = now_us;
    return conn_open(t->set, &d->conn,
                     further_broker(t->config->further, &t->config->broker, player));
}

static void on_opened(void *owner, struct conn *c)
{
    struct troupe *t = owner;
    struct device *d = (struct device *)c;
    char client_id[CLIENT_ID_BYTES];
    int length = snprintf(client_id, sizeof(client_id), "%s/bench", d->player->handle);
    bool named = !t->config->bare;

    mqtt_write_connect(conn_write(t->set, c), slice_of(client_id, (size_t)length),
                       slice_str(named ? d->player->handle : ""),
                       slice_str(named ? d->player->token : ""), KEEP_ALIVE_S);
}

static void on_lost(void *owner, struct conn *c, const char *reason)
{
    struct troupe *t = owner;
    struct device *d = (struct device *)c;

    if (t->lost_count++ == 0)
        fprintf(stderr, "banter-bench: %s: connection lost: %s\n", d->player->handle, reason);
    if (!d->ready)
        t->refused_at_door = true;
    t->result->disconnected++;
}

static void become_ready(struct troupe *t, struct device *d, uint64_t now_us)
{
    if (d->ready)
        return;
    d->ready = true;
    t->ready_count++;
    histogram_record(&t->result->ready_us, now_us - d->opened_us);
}

/* With a bare broker the sender of a pair does not subscribe: Banter sends it no copy either. */
static bool subscribes(const struct device *d)
{
    return !(d->player->sends && d->stage->kind == CONVERSATION_DIRECT);
}

static void on_connack(struct troupe *t, struct device *d, struct slice body, uint64_t now_us)
{
    uint8_t code;
    char topic[TOPIC_CHAT_LENGTH + 1];

    if (!mqtt_read_connack(body, &code) || code != 0) {
        fprintf(stderr, "banter-bench: %s: the broker refused the connection\n", d->player->handle);
        t->refused_at_door = true;
        return;
    }
    if (!t->config->bare)
        return; /* me/ready comes next */
    if (!subscribes(d)) {
        become_ready(t, d, now_us);
        return;
    }
    topic_format_chat(&d->stage->id, topic);
    mqtt_write_subscribe(conn_write(t->set, &d->conn), conn_next_packet_id(&d->conn),
                         slice_of(topic, TOPIC_CHAT_LENGTH), 0);
}

static void on_suback(struct troupe *t, struct device *d, struct slice body, uint64_t now_us)
{
    uint16_t packet_id;
    uint8_t code;

    if (mqtt_read_suback(body, &packet_id, &code) && code == 0)
        become_ready(t, d, now_us);
    else
        t->refused_at_door = true;
}

int64_t device_head(const struct device *d)
{
    return d->last_entry_seq > d->last_receipt_seq ? d->last_entry_seq : d->last_receipt_seq;
}

/* Receipts stand in one stream with the entries; after a crash they may come ahead of them. Whether
 * an entry is missing for good is seen at the end: see device_missing(). */
static void check_gap(struct device *d, int64_t seq)
{
    if (seq > device_head(d) + 1)
        d->troupe->result->gaps++;
}

/* Entries rise; the first that does not is told in full, the others are only counted. */
static void check_entry(struct device *d, int64_t seq)
{
    struct load_result *r = d->troupe->result;

    check_gap(d, seq);
    if (seq > d->last_entry_seq) {
        d->last_entry_seq = seq;
        return;
    }
    if (r->duplicates++ == 0)
        fprintf(stderr, "banter-bench: %s got the entry with seq %lld after %lld in %s\n",
                d->player->handle, (long long)seq, (long long)d->last_entry_seq, d->stage->id_text);
}

uint64_t device_missing(const struct device *d, int64_t head)
{
    uint64_t seen = d->received + d->strange + d->stored;
    uint64_t due = (uint64_t)(head - d->stage->last_seq);

    return due > seen ? due - seen : 0;
}

static void count_stored(struct troupe *t, uint64_t due_us, uint64_t now_us)
{
    t->acknowledged++;
    if (troupe_measures(t, now_us))
        t->result->messages++;
    if (troupe_measures(t, due_us))
        histogram_record(&t->result->acknowledged_us, now_us - due_us);
}

static void on_entry(struct troupe *t, struct device *d, struct slice payload, uint64_t now_us)
{
    struct glance g;

    glance_read(payload, &g);
    if (!t->config->bare)
        check_entry(d, g.seq);
    if (!g.stamped || g.stamp.run != t->run) {
        d->strange++;
        return;
    }
    /* After a crash the log is read again, and the log does not know devices. A bare broker always
     * sends to the sender, too, and then it counts. */
    if (!t->config->bare && d->sender && g.stamp.sender == d->sender->index)
        return;
    d->received++;
    if (troupe_measures(t, now_us))
        t->result->delivered++;
    if (!troupe_measures(t, g.stamp.due_us))
        return;
    histogram_record(&t->result->delivered_us, now_us - g.stamp.due_us);
    if (t->config->heard)
        t->config->heard(t->config->owner, &g.stamp, now_us);
}

static bool is_transient(struct slice code)
{
    return slice_equal(code, slice_str("unavailable")) ||
           slice_equal(code, slice_str("out_of_order")) ||
           slice_equal(code, slice_str("rate_limited"));
}

static void on_receipt(struct troupe *t, struct device *d, struct slice payload, uint64_t now_us)
{
    struct glance g;
    enum sender_verdict verdict = SENDER_STORED;

    glance_read(payload, &g);
    if (!d->sender || !g.stamped || g.stamp.run != t->run)
        return;
    if (g.error_code.length > 0) {
        verdict = is_transient(g.error_code) ? SENDER_REFUSED_FOR_NOW : SENDER_REFUSED;
        if (t->result->refused + t->result->failed == 0)
            fprintf(stderr, "banter-bench: %s: a draft was refused: %.*s\n", d->player->handle,
                    (int)g.error_code.length, g.error_code.data);
    }
    if (verdict == SENDER_STORED && g.seq <= d->last_receipt_seq) {
        t->result->repeated++; /* the plugin could not know that it had come */
        return;
    }
    if (!sender_outcome(d->sender, g.stamp.number, verdict, now_us))
        t->result->disorder++;
    switch (verdict) {
    case SENDER_STORED:
        check_gap(d, g.seq);
        d->last_receipt_seq = g.seq;
        d->stored++;
        count_stored(t, g.stamp.due_us, now_us);
        break;
    case SENDER_REFUSED_FOR_NOW:
        t->result->refused++;
        break;
    case SENDER_REFUSED:
        t->result->failed++;
        break;
    }
    device_send_due(d, now_us);
}

static void on_puback(struct troupe *t, struct device *d, uint64_t now_us)
{
    if (!t->config->bare || !d->sender || sender_outstanding(d->sender) == 0)
        return;
    count_stored(t, sender_oldest_due_us(d->sender), now_us);
    if (!sender_outcome(d->sender, d->sender->head, SENDER_STORED, now_us))
        t->result->disorder++;
    device_send_due(d, now_us);
}

static void on_publish(struct troupe *t, struct device *d, const struct mqtt_packet *packet,
                       uint64_t now_us)
{
    struct mqtt_publish p;

    if (!mqtt_read_publish(packet, &p)) {
        t->result->disorder++;
        return;
    }
    if (p.topic.length == TOPIC_CHAT_LENGTH && memcmp(p.topic.data, "chat/", 5) == 0)
        on_entry(t, d, p.payload, now_us);
    else if (slice_equal(p.topic, slice_str(TOPIC_RECEIPT)))
        on_receipt(t, d, p.payload, now_us);
    else if (slice_equal(p.topic, slice_str(TOPIC_READY)))
        become_ready(t, d, now_us);
}

static void on_packet(void *owner, struct conn *c, const struct mqtt_packet *packet,
                      uint64_t now_us)
{
    struct troupe *t = owner;
    struct device *d = (struct device *)c;

    switch (packet->type) {
    case MQTT_PUBLISH:
        on_publish(t, d, packet, now_us);
        break;
    case MQTT_PUBACK:
        on_puback(t, d, now_us);
        break;
    case MQTT_CONNACK:
        on_connack(t, d, packet->body, now_us);
        break;
    case MQTT_SUBACK:
        on_suback(t, d, packet->body, now_us);
        break;
    default:
        break; /* PINGRESP */
    }
}

void device_handlers(struct troupe *t, struct conn_handlers *handlers)
{
    *handlers = (struct conn_handlers){
        .opened = on_opened, .packet = on_packet, .lost = on_lost, .owner = t};
}

static void write_draft(struct device *d, uint32_t number, uint64_t due_us)
{
    struct troupe *t = d->troupe;
    struct buf *out = conn_write(t->set, &d->conn);
    struct stamp stamp = {
        .due_us = due_us, .number = number, .sender = d->sender->index, .run = t->run};
    char id[UUID_TEXT_LENGTH];

    stamp_format(&stamp, id);
    mqtt_write_publish_head(out, slice_of(d->topic, TOPIC_CHAT_LENGTH),
                            conn_next_packet_id(&d->conn),
                            d->start_length + sizeof(id) + t->tail.length);
    buf_bytes(out, d->start, d->start_length);
    buf_bytes(out, id, sizeof(id));
    buf_slice_put(out, t->tail);
}

void device_send_due(struct device *d, uint64_t now_us)
{
    uint32_t number;
    uint64_t due_us;

    if (d->conn.state != CONN_OPEN)
        return;
    while (sender_next(d->sender, &d->troupe->plan, now_us, &number, &due_us))
        write_draft(d, number, due_us);
}
