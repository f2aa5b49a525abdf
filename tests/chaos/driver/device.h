/* SPDX-License-Identifier: MIT */
/* device.h - one device of the run: a chat client as docs/protocol.md asks for it.
 *
 * It keeps what has no receipt and publishes it again, knows up to where it has each conversation,
 * asks for what is missing, and comes back whenever its connection is gone. Whatever it sees and
 * does it writes to the log. Its functions are spread over files by what they are about:
 * connection.c, hearing.c, posting.c, syncing.c. */
#ifndef BANTER_CHAOS_DEVICE_H
#define BANTER_CHAOS_DEVICE_H

#include "base/map.h"
#include "base/uuid.h"
#include "conn.h"
#include "outbox.h"
#include "scene.h"
#include "window.h"
#include "wire/limits.h"

#include <stdbool.h>
#include <stdint.h>

struct driver;

enum { LATE_MAX = 4 }; /* receipted drafts that a resending device still remembers */

/* A device's place in one conversation. */
struct seat {
    struct uuid conversation;
    char id_text[UUID_TEXT_LENGTH + 1];
    char topic[5 + UUID_TEXT_LENGTH + 1]; /* send/{conversation} */
    bool member;
    bool asked_after; /* the sync under way has its position */
    bool listed;      /* and so has the answer */
    struct window window;
    int64_t head;          /* the highest seq that is known to exist */
    int64_t live;          /* the last entry that came live on this connection; 0: none yet */
    struct outbox *outbox; /* owned; NULL: its user does not post here */
    uint64_t text_seed;
    uint64_t late[LATE_MAX]; /* of MANNER_RESEND; 0: none */
};

enum sync_state { SYNC_IDLE, SYNC_ASKED };

struct syncing {
    enum sync_state state;
    uint64_t due_us;   /* when to look whether one is needed; 0: no need to look */
    bool must;         /* ask even if nothing seems to be missing */
    uint64_t asked_us; /* SYNC_ASKED */
    uint64_t heard_us; /* its last page, or when it was asked */
    unsigned refusals; /* in a row, or answers that brought nothing */
    int64_t pages;     /* of the answer so far */
    bool torn;         /* one of them was lost */
    bool progressed;   /* the answer brought something new */
    bool whole;        /* it left no conversation behind */
    bool last;         /* it was asked for after the run */
};

struct device {
    struct conn conn; /* first: handlers are given the conn and find the device */
    struct driver *driver;
    struct slice handle, device_name, token;
    char name[CLIENT_ID_MAX_LENGTH + 1]; /* handle/name: the client id, and its name in the log */
    enum manner manner;
    bool mqtt_5;

    /* connection.c */
    bool gone;      /* lost inside a handler, to be closed */
    bool connected; /* CONNACK */
    bool ready;     /* me/ready */
    char why[48];   /* what the connection will be said to be gone for; empty: as the socket says */
    unsigned address;
    unsigned failures;    /* connections in a row that did not become ready */
    uint64_t dial_us;     /* CONN_CLOSED: when to connect */
    uint64_t deadline_us; /* until the next step of connecting; 0: none */
    uint64_t leave_us;    /* when to go by itself; 0: no reason to */
    uint64_t heard_us;    /* the last packet */
    uint64_t ping_us;     /* when the next PINGREQ is due */
    uint64_t meter_us;    /* MANNER_SLOW, MANNER_MUTE: when to meter again */
    bool muted;

    /* posting.c */
    unsigned unacknowledged; /* publishes without a PUBACK */
    unsigned receive_maximum;

    struct syncing syncing;
    bool finished;

    struct map seats; /* of struct seat, owned, by conversation */
    struct seat **seat_list;
    unsigned seat_count;
};

static inline struct slice device_slice(const struct device *d)
{
    return slice_str(d->name);
}

/* False: out of memory; device_finish() is still due. */
bool device_init(struct device *d, struct driver *driver, const struct scene_user *user,
                 const struct scene_device *device, unsigned index) MUST_USE;
void device_finish(struct device *d);
/* The seat in the conversation, which is taken if there is none yet. NULL: out of memory. */
struct seat *device_seat(struct device *d, const struct uuid *conversation);
/* The client did or met something that the contract forbids; the connection ends. */
void device_violation(struct device *d, const char *what, struct slice detail);

/* ---- connection.c */

void connection_handlers(struct driver *driver, struct conn_handlers *handlers);
/* What is due without an event: connect, ping, give up waiting, read slowly. */
void connection_turn(struct device *d, uint64_t now_us);
/* Cuts the connection, if there is one, without a word. Not from inside a handler. */
void connection_cut(struct device *d, const char *why, uint64_t now_us);
/* The server is going to end the connection within that time: one device leaves before, at a random
 * moment of the first half, and the next one waits for it. */
void connection_leave(struct device *d, uint64_t within_us, uint64_t now_us);
/* Cuts it from anywhere: it happens at the end of the turn. */
void connection_doom(struct device *d, const char *why);

/* ---- hearing.c */

void hearing_publish(struct device *d, const struct mqtt_packet *packet, uint64_t now_us);
/* One entry, come live (`D`) or otherwise (`Y`). False: it is none. */
bool hearing_entry(struct device *d, struct slice json, char letter, uint64_t now_us);

/* ---- posting.c */

/* Opens a draft in the seat; false: its outbox is full. */
bool posting_open(struct seat *seat) MUST_USE;
/* Publishes what may be published now. */
void posting_turn(struct device *d, uint64_t now_us);
/* A new connection: everything open goes again. */
void posting_restart(struct device *d);
void posting_receipt(struct device *d, struct slice json, uint64_t now_us);
unsigned posting_open_count(const struct device *d);

/* ---- syncing.c */

/* Have a look within `within_us` whether something is missing; `must`: ask in any case. */
void syncing_wish(struct device *d, uint64_t now_us, uint64_t within_us, bool must);
/* The connection is gone, and with it every answer. */
void syncing_forget(struct device *d);
void syncing_turn(struct device *d, uint64_t now_us);
void syncing_page(struct device *d, struct slice json, uint64_t now_us);
/* Whether an entry that is known to exist is missing. */
bool syncing_is_behind(const struct device *d);

#endif
