/* SPDX-License-Identifier: MIT */
/* connection.c - how a device gets its connection, notices that it is dead, and gets another one.
 *
 * A handler must not close a connection, so it only marks the device; connection_turn() does the
 * rest, a few milliseconds later. */
#include "base/clock.h"
#include "codec.h"
#include "device.h"
#include "driver.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

enum {
    KEEP_ALIVE_S = 20,
    PING_EVERY_US = 5000000,
    SILENCE_MAX_US = 10000000, /* with pings going out, something must come in */
    CONNECT_WITHIN_US = 5000000,
    READY_WITHIN_US = 30000000,
    BACKOFF_FIRST_US = 100000, /* doubled with each failure in a row */
    BACKOFF_MAX_US = 2000000,
    BACKOFF_DOUBLINGS_MAX = 5,
    SLOW_EVERY_US = 100000,
    SLOW_BYTES = 600, /* each time */
    MUTE_RECEIVE_BYTES = 4096,
    MUTE_LISTENS_US = 8000000,
    MUTE_MIN_US = 15000000,
    MUTE_SPREAD_US = 15000000,
};

/* ---------------------------------------------------------------- the end of one */

/* Full jitter: anything from 0.1 s to a bound that doubles up to 2 s. */
static uint64_t backoff_us(struct device *d)
{
    uint64_t most = (uint64_t)BACKOFF_FIRST_US << d->failures;

    if (d->failures < BACKOFF_DOUBLINGS_MAX)
        d->failures++;
    if (most > BACKOFF_MAX_US)
        most = BACKOFF_MAX_US;
    return BACKOFF_FIRST_US + driver_random(d->driver) % most;
}

static void part(struct device *d, const char *why, uint64_t now_us)
{
    if (!d->ready)
        d->address = (d->address + 1) % d->driver->scene.address_count;
    if (d->connected)
        d->driver->tally.reconnects++;
    events_put(&d->driver->events, device_slice(d), 'X', slice_str(d->why[0] ? d->why : why));
    conn_reset(d->driver->set, &d->conn);
    d->gone = d->connected = d->ready = d->muted = false;
    d->why[0] = '\0';
    d->deadline_us = d->leave_us = 0;
    d->dial_us = now_us + backoff_us(d);
    d->unacknowledged = 0;
    syncing_forget(d);
    for (unsigned i = 0; i < d->seat_count; i++)
        d->seat_list[i]->live = 0;
}

void connection_cut(struct device *d, const char *why, uint64_t now_us)
{
    if (d->conn.state != CONN_CLOSED || d->gone)
        part(d, why, now_us);
}

void connection_doom(struct device *d, const char *why)
{
    if (!d->gone)
        snprintf(d->why, sizeof(d->why), "%s", why);
    d->gone = true;
}

void connection_leave(struct device *d, uint64_t within_us, uint64_t now_us)
{
    uint64_t random = driver_random(d->driver);

    if (random % 2 == 0)
        d->leave_us = now_us + 1 + (random >> 1) % (within_us / 2 + 1);
}

/* ---------------------------------------------------------------- what the socket tells */

static void on_opened(void *owner, struct conn *c)
{
    struct driver *driver = owner;
    struct device *d = (struct device *)c;
    struct buf *out = conn_write(driver->set, c);

    if (d->mqtt_5)
        mqtt_write_connect_5(out, device_slice(d), d->handle, d->token, KEEP_ALIVE_S);
    else
        mqtt_write_connect(out, device_slice(d), d->handle, d->token, KEEP_ALIVE_S);
}

static void on_lost(void *owner, struct conn *c, const char *reason)
{
    (void)owner;
    connection_doom((struct device *)c, reason);
}

static void on_connack(struct device *d, struct slice body, uint64_t now_us)
{
    uint16_t receive_maximum = UINT16_MAX;
    uint8_t code;
    bool whole = d->mqtt_5 ? mqtt_read_connack_5(body, &code, &receive_maximum)
                           : mqtt_read_connack(body, &code);

    if (!whole) {
        device_violation(d, "a CONNACK that is none", slice_str(""));
        return;
    }
    if (code != 0) {
        char why[sizeof(d->why)];

        snprintf(why, sizeof(why), "CONNACK 0x%02x", (unsigned)code);
        connection_doom(d, why);
        return;
    }
    d->connected = true;
    d->receive_maximum = receive_maximum;
    d->deadline_us = now_us + READY_WITHIN_US;
    events_put(&d->driver->events, device_slice(d), 'C', slice_str(""));
    posting_restart(d);
}

/* MQTT 5 lets the server say why. */
static void on_disconnect(struct device *d, struct slice body)
{
    char why[sizeof(d->why)];

    snprintf(why, sizeof(why), "DISCONNECT 0x%02x",
             body.length > 0 ? (unsigned)(uint8_t)body.data[0] : 0);
    connection_doom(d, why);
}

static void on_packet(void *owner, struct conn *c, const struct mqtt_packet *packet,
                      uint64_t now_us)
{
    struct device *d = (struct device *)c;

    (void)owner;
    if (d->gone)
        return;
    d->heard_us = now_us;
    if (!d->connected && packet->type != MQTT_CONNACK) {
        device_violation(d, "a packet before CONNACK", slice_str(""));
        return;
    }
    switch (packet->type) {
    case MQTT_PUBLISH:
        hearing_publish(d, packet, now_us);
        break;
    case MQTT_PUBACK:
        d->unacknowledged -= d->unacknowledged > 0;
        break;
    case MQTT_CONNACK:
        on_connack(d, packet->body, now_us);
        break;
    case MQTT_DISCONNECT:
        on_disconnect(d, packet->body);
        break;
    case MQTT_SUBACK:
    case MQTT_PINGRESP:
        break;
    default:
        device_violation(d, "a packet that no server sends", slice_str(""));
    }
}

void connection_handlers(struct driver *driver, struct conn_handlers *handlers)
{
    *handlers = (struct conn_handlers){
        .opened = on_opened, .packet = on_packet, .lost = on_lost, .owner = driver};
}

/* ---------------------------------------------------------------- what is due */

static void dial(struct device *d, uint64_t now_us)
{
    if (d->manner == MANNER_MUTE)
        d->conn.receive_bytes = MUTE_RECEIVE_BYTES;
    d->deadline_us = now_us + CONNECT_WITHIN_US;
    d->heard_us = now_us;
    d->ping_us = now_us + PING_EVERY_US;
    d->meter_us = now_us;
    if (!conn_open(d->driver->set, &d->conn, &d->driver->scene.addresses[d->address])) {
        char why[sizeof(d->why)];

        snprintf(why, sizeof(why), "cannot connect: %s", strerror(errno));
        part(d, why, now_us);
    }
}

/* How a device of this manner is to read from now on. */
static size_t next_budget(struct device *d, uint64_t now_us)
{
    struct driver *driver = d->driver;

    if (driver->stopped || !d->ready) {
        d->muted = false;
        d->meter_us = now_us + SLOW_EVERY_US;
        return SIZE_MAX;
    }
    if (d->manner == MANNER_SLOW) {
        d->muted = true;
        d->meter_us = now_us + SLOW_EVERY_US;
        return SLOW_BYTES;
    }
    d->muted = !d->muted;
    d->meter_us = now_us + (d->muted ? MUTE_MIN_US + driver_random(driver) % MUTE_SPREAD_US
                                     : MUTE_LISTENS_US);
    return d->muted ? 0 : SIZE_MAX;
}

/* A mute device listens for a while after it has come, so that it has something to miss. */
static void meter(struct device *d, uint64_t now_us)
{
    bool due = now_us >= d->meter_us || (d->driver->stopped && d->muted);

    if (d->manner != MANNER_SLOW && d->manner != MANNER_MUTE)
        return;
    if (due && !conn_meter(d->driver->set, &d->conn, next_budget(d, now_us)))
        connection_doom(d, "epoll failed");
}

/* What has come and was not read yet: then it is this process that is late. */
static bool has_mail(const struct device *d)
{
    int bytes = 0;

    return ioctl(d->conn.fd, FIONREAD, &bytes) == 0 && bytes > 0;
}

static void keep_alive(struct device *d, uint64_t now_us)
{
    if (d->muted)
        d->heard_us = now_us; /* it does not listen: it cannot miss anything */
    if (now_us > d->heard_us + SILENCE_MAX_US && has_mail(d))
        d->heard_us = now_us;
    if (now_us > d->heard_us + SILENCE_MAX_US) {
        part(d, "nothing heard", now_us);
        return;
    }
    if (now_us >= d->ping_us) {
        d->ping_us = now_us + PING_EVERY_US;
        mqtt_write_pingreq(conn_write(d->driver->set, &d->conn));
    }
}

void connection_turn(struct device *d, uint64_t now_us)
{
    if (d->gone)
        part(d, "lost", now_us);
    if (d->conn.state == CONN_CLOSED) {
        if (now_us >= d->dial_us)
            dial(d, now_us);
        return;
    }
    if (d->deadline_us > 0 && now_us > d->deadline_us) {
        part(d, d->connected ? "no me/ready" : "no answer to CONNECT", now_us);
        return;
    }
    if (d->leave_us > 0 && now_us >= d->leave_us) {
        part(d, "left, as the server is going away", now_us);
        return;
    }
    if (!d->connected)
        return;
    meter(d, now_us);
    keep_alive(d, now_us);
}
