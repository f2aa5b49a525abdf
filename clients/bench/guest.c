/* SPDX-License-Identifier: MIT */
/* guest.c - see guest.h. */
#include "guest.h"

#include "base/clock.h"
#include "base/hash.h"
#include "codec.h"
#include "wire/topic.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    KEEP_ALIVE_S = 60,
    PING_AFTER_US = 30000000,
    HOUSEKEEPING_US = 20000,
    SYNC_AGAIN_US = 100000, /* twice as long each time; and as long again at random */
    SYNC_DOUBLINGS_MAX = 5,
    CLIENT_ID_BYTES = CLIENT_ID_MAX_LENGTH + 1,
    REQUEST_BYTES = 64,
};

#define TOPIC_SYNC_REQUEST "send/me/sync"
#define TOPIC_PRESENCE_START "presence/"

/* ---------------------------------------------------------------- what comes in */

static bool starts_with(struct slice s, const char *start)
{
    return s.length >= strlen(start) && memcmp(s.data, start, strlen(start)) == 0;
}

static bool ends_with(struct slice s, const char *end)
{
    size_t n = strlen(end);

    return s.length >= n && memcmp(s.data + s.length - n, end, n) == 0;
}

static unsigned count_of(struct slice s, const char *needle)
{
    size_t n = strlen(needle);
    const char *end = s.data + s.length;
    const char *at = s.data;
    unsigned count = 0;

    while ((at = memmem(at, (size_t)(end - at), needle, n))) {
        at += n;
        count++;
    }
    return count;
}

static enum sight sight_of(struct slice payload)
{
    return count_of(payload, "\"state\":\"online\"") > 0 ? SIGHT_ONLINE : SIGHT_OFFLINE;
}

static struct sighting *find_sighting(const struct house *h, const struct guest *g,
                                      struct slice handle)
{
    for (unsigned i = 0; i < h->watched_each; i++) {
        if (slice_equal(slice_str(h->cast->players[g->sightings[i].target].handle), handle))
            return &g->sightings[i];
    }
    return NULL;
}

static void on_presence(struct house *h, struct guest *g, const struct mqtt_publish *p,
                        uint64_t now_us)
{
    size_t start = strlen(TOPIC_PRESENCE_START);
    struct slice handle = slice_of(p->topic.data + start, p->topic.length - start);
    struct sighting *s = find_sighting(h, g, handle);
    enum sight sight = sight_of(p->payload);

    if (!s || (s->told > 0 && s->sight == sight)) {
        if (h->echoes++ == 0)
            fprintf(stderr, "banter-bench: %s was told nothing new: %.*s\n", g->player->handle,
                    (int)p->payload.length, p->payload.data);
        return;
    }
    if (s->told++ == 0) {
        h->answers++;
        h->last_answer_us = now_us;
    } else {
        h->changes++;
        h->last_change_us = now_us;
        if (h->first_change_us == 0)
            h->first_change_us = now_us;
    }
    s->sight = sight;
}

/* As an app should: the more often it was refused, the longer it waits, and no two alike. */
static void put_off_sync(struct guest *g, uint64_t now_us)
{
    uint64_t wait_us = (uint64_t)SYNC_AGAIN_US << g->sync_refusals;

    if (g->sync_refusals < SYNC_DOUBLINGS_MAX)
        g->sync_refusals++;
    g->ask_again_us = now_us + wait_us + hash_u64(g->asked_us ^ (uintptr_t)g) % wait_us;
}

/* The texts of this bench hold no quotes, so what looks like a member is one. */
static void on_sync(struct house *h, struct guest *g, struct slice payload, uint64_t now_us)
{
    if (starts_with(payload, "{\"error\"")) {
        h->syncs_refused++;
        put_off_sync(g, now_us);
        return;
    }
    g->sync_bytes += payload.length;
    g->sync_pages++;
    g->sync_heads += count_of(payload, "\"preview\":");
    g->sync_entries += count_of(payload, "\"seq\":");
    if (!ends_with(payload, "],\"more\":false}"))
        return;
    g->synced = true;
    g->sync_refusals = 0;
    g->synced_us = now_us;
    h->synced_count++;
}

static void on_ready(struct house *h, struct guest *g, uint64_t now_us)
{
    if (g->ready)
        return;
    g->ready = true;
    g->ready_us = now_us;
    h->ready_count++;
    if (g->syncs_at_once)
        guest_sync(h, g);
}

static void on_publish(struct house *h, struct guest *g, const struct mqtt_packet *packet,
                       uint64_t now_us)
{
    struct mqtt_publish p;

    if (!mqtt_read_publish(packet, &p))
        return;
    if (starts_with(p.topic, TOPIC_PRESENCE_START))
        on_presence(h, g, &p, now_us);
    else if (slice_equal(p.topic, slice_str(TOPIC_SYNC)))
        on_sync(h, g, p.payload, now_us);
    else if (slice_equal(p.topic, slice_str(TOPIC_READY)))
        on_ready(h, g, now_us);
    else if (slice_equal(p.topic, slice_str(TOPIC_EVENT)) &&
             count_of(p.payload, "\"presence_refused\"") > 0)
        h->watches_refused++;
}

static void end_connecting(struct house *h, struct guest *g)
{
    h->connecting -= g->connecting;
    g->connecting = false;
}

static void on_connack(struct house *h, struct guest *g, struct slice body, uint64_t now_us)
{
    uint8_t code;

    if (!mqtt_read_connack(body, &code) || code != 0) {
        fprintf(stderr, "banter-bench: %s: the broker refused the connection\n", g->player->handle);
        return; /* and closes it */
    }
    end_connecting(h, g);
    g->connacked_us = h->last_connack_us = now_us;
    if (g->watches_at_once)
        guest_watch(h, g);
}

static void on_suback(struct house *h, struct slice body)
{
    uint16_t packet_id;
    uint8_t code;

    if (!mqtt_read_suback(body, &packet_id, &code) || code > 2)
        h->watches_refused++;
}

static void on_packet(void *owner, struct conn *c, const struct mqtt_packet *packet,
                      uint64_t now_us)
{
    struct house *h = owner;
    struct guest *g = (struct guest *)c;

    switch (packet->type) {
    case MQTT_PUBLISH:
        on_publish(h, g, packet, now_us);
        break;
    case MQTT_CONNACK:
        on_connack(h, g, packet->body, now_us);
        break;
    case MQTT_SUBACK:
        on_suback(h, packet->body);
        break;
    default:
        break; /* PINGRESP */
    }
}

static void on_opened(void *owner, struct conn *c)
{
    struct house *h = owner;
    const struct guest *g = (const struct guest *)c;
    char client_id[CLIENT_ID_BYTES];
    int length = snprintf(client_id, sizeof(client_id), "%s/bench", g->player->handle);

    mqtt_write_connect(conn_write(h->set, c), slice_of(client_id, (size_t)length),
                       slice_str(g->player->handle), slice_str(g->player->token), KEEP_ALIVE_S);
}

static void on_lost(void *owner, struct conn *c, const char *reason)
{
    struct house *h = owner;
    struct guest *g = (struct guest *)c;

    end_connecting(h, g);
    if (h->lost_count++ == 0)
        fprintf(stderr, "banter-bench: %s: connection lost: %s\n", g->player->handle, reason);
}

/* ---------------------------------------------------------------- what a guest does */

bool guest_connect(struct house *h, struct guest *g)
{
    g->ready = g->synced = false;
    g->connacked_us = g->ready_us = g->ask_again_us = 0;
    g->sync_refusals = 0;
    for (unsigned i = 0; i < h->watched_each; i++)
        g->sightings[i] = (struct sighting){.target = g->sightings[i].target};
    if (!conn_open(h->set, &g->conn, &h->broker)) {
        fprintf(stderr, "banter-bench: cannot connect: %s\n", strerror(errno));
        return false;
    }
    g->connecting = true;
    h->connecting++;
    return true;
}

void guest_cut(struct house *h, struct guest *g)
{
    end_connecting(h, g);
    conn_reset(h->set, &g->conn);
    g->ready = false;
    g->ask_again_us = 0;
}

void guest_watch(struct house *h, struct guest *g)
{
    char topic[TOPIC_PRESENCE_MAX_LENGTH + 1];

    for (unsigned i = 0; i < h->watched_each; i++) {
        topic_format_presence(slice_str(h->cast->players[g->sightings[i].target].handle), topic);
        mqtt_write_subscribe(conn_write(h->set, &g->conn), conn_next_packet_id(&g->conn),
                             slice_str(topic), 0);
    }
}

void guest_sync(struct house *h, struct guest *g)
{
    struct buf *out = conn_write(h->set, &g->conn);
    char request[REQUEST_BYTES];
    int length = snprintf(request, sizeof(request), "{\"limit\":%u}", h->sync_limit);

    g->synced = false;
    g->ask_again_us = 0;
    g->sync_bytes = g->sync_entries = 0;
    g->sync_pages = g->sync_heads = 0;
    g->asked_us = clock_monotonic_us();
    mqtt_write_publish_head(out, slice_str(TOPIC_SYNC_REQUEST), conn_next_packet_id(&g->conn),
                            (size_t)length);
    buf_bytes(out, request, (size_t)length);
}

/* ---------------------------------------------------------------- the house */

bool house_open(struct house *h, const struct cast *cast, const struct sockaddr_in *broker,
                unsigned watched_each)
{
    const struct conn_handlers handlers = {
        .opened = on_opened, .packet = on_packet, .lost = on_lost, .owner = h};

    *h = (struct house){.cast = cast, .broker = *broker, .watched_each = watched_each};
    h->set = conn_set_create(&handlers, cast->player_count);
    h->guests = calloc(cast->player_count, sizeof(*h->guests));
    h->sightings = calloc((size_t)cast->player_count * watched_each + 1, sizeof(*h->sightings));
    if (!h->guests || !h->set || !h->sightings) {
        free(h->guests);
        h->guests = NULL;
        return false;
    }
    for (unsigned i = 0; i < cast->player_count; i++) {
        conn_init(&h->guests[i].conn);
        h->guests[i].player = &cast->players[i];
        h->guests[i].sightings = &h->sightings[(size_t)i * watched_each];
    }
    return true;
}

void house_close(struct house *h)
{
    for (unsigned i = 0; h->guests && i < h->cast->player_count; i++)
        guest_cut(h, &h->guests[i]);
    conn_set_destroy(h->set);
    free(h->guests);
    free(h->sightings);
    *h = (struct house){0};
}

static void housekeep(struct house *h, uint64_t now_us)
{
    for (unsigned i = 0; i < h->cast->player_count; i++) {
        struct guest *g = &h->guests[i];

        if (g->conn.state != CONN_OPEN)
            continue;
        if (g->ask_again_us > 0 && now_us >= g->ask_again_us)
            guest_sync(h, g);
        if (g->connacked_us > 0 && now_us > g->conn.wrote_us + PING_AFTER_US)
            mqtt_write_pingreq(conn_write(h->set, &g->conn));
    }
}

bool house_turn(struct house *h, uint64_t timeout_us)
{
    uint64_t now_us = clock_monotonic_us();

    if (now_us >= h->housekeeping_us) {
        housekeep(h, now_us);
        h->housekeeping_us = now_us + HOUSEKEEPING_US;
    }
    return conn_set_turn(h->set, timeout_us < HOUSEKEEPING_US ? timeout_us : HOUSEKEEPING_US);
}
