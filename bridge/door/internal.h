/* SPDX-License-Identifier: MIT */
/* internal.h - what the files of bridge/door share, and nobody else includes.
 *
 * A connection goes through stages: first (first.c) its kind is found out; then it is a relay of
 * HTTP (relay.c) or a session of MQTT (session.c, with websocket.c around it); at last it is
 * parting (connection.c). Everything here runs on the door's thread. Rule: connection_close() may
 * be called at any time, because memory is freed only in a later turn of the loop. */
#ifndef BANTER_DOOR_INTERNAL_H
#define BANTER_DOOR_INTERNAL_H

#include "base/address.h"
#include "base/map.h"
#include "base/pulse.h"
#include "door/door.h"
#include "door/frames.h"
#include "door/handshake.h"
#include "door/mqtt_guard.h"
#include "door/stream.h"
#include "door/tls.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/queue.h>

struct connection;

struct stage {
    enum door_kind kind;
    void (*from_client)(struct connection *c, struct slice bytes);
    void (*from_inner)(struct connection *c, struct slice bytes);
    void (*client_ended)(struct connection *c); /* it sends no more */
    void (*inner_ended)(struct connection *c);  /* the server behind sends no more, or has failed */
    void (*timer)(struct connection *c);
};

/* What carries MQTT to the client: WebSocket frames, or nothing but TLS. */
struct transport {
    const char *name;
    void (*send)(struct connection *c, struct slice bytes);
    /* Says goodbye; the connection is parting afterwards. */
    void (*end)(struct connection *c, enum websocket_code code, const char *reason);
    /* The time for a sign of life has come. False: it has come before, in vain. */
    bool (*ask)(struct connection *c);
};

/* The connections of one party (address_party()). */
struct party {
    struct address address;
    unsigned connections;
};

struct connection {
    struct door *door;
    const struct stage *stage;
    const struct transport *transport;
    struct address address; /* the client's; of its proxy until that has said more */
    struct party *party;    /* NULL: not counted */
    struct stream client;
    struct stream inner; /* the HTTP server, or the broker */
    struct event timer;
    struct buf held;         /* of the first request, or of the CONNECT, while it is not whole */
    size_t held_counted;     /* bytes of it that the pool has as waiting */
    struct frames frames;    /* WebSocket */
    struct mqtt_guard guard; /* MQTT */
    bool introduced;         /* the CONNECT has come */
    bool asked;              /* for a sign of life, and none has come */
    unsigned attempts;       /* to reach the broker */
    unsigned descriptors;    /* that this connection costs the process */
    unsigned patience_ms;    /* for its first bytes, once the TLS handshake is over */
    bool has_tls;
    uint64_t client_sent_then;     /* client.sent when the timer was set */
    uint64_t client_received_then; /* client.received, likewise */
    bool closed;
    LIST_ENTRY(connection) entry; /* of the door's connections; once closed, of the dead */
};

LIST_HEAD(connection_list, connection);

struct door_counters {
    atomic_uint_fast64_t connections[DOOR_KINDS];
    atomic_uint_fast64_t waiting;
    atomic_uint_fast64_t accepted;
    atomic_uint_fast64_t handshakes;
    atomic_uint_fast64_t resumed;
    atomic_uint_fast64_t refused[DOOR_REFUSALS];
    atomic_uint_fast64_t from_clients;
    atomic_uint_fast64_t to_clients;
};

struct door_listener {
    struct door *door;
    const char *name;                    /* of the setting */
    void (*begin)(struct connection *c); /* puts its connections into their first stage */
    bool has_tls;
    int fd; /* -1: off */
    struct event *readable;
    struct event *resume; /* after there were no descriptors */
};

enum { DOOR_LISTENERS = 3 };

struct door {
    struct door_config config; /* its strings are owned */
    struct handshake_rules rules;
    struct door_listener listeners[DOOR_LISTENERS];

    struct tls *tls; /* or NULL */
    struct stream_pool pool;
    struct frame_writer *writer;
    struct buf frame; /* on its way to a client */
    struct buf carry; /* on its way to the broker */
    struct connection_list connections;
    struct connection_list dead;
    struct event *reaper;
    struct event *last_rounds; /* while the door is being destroyed */
    unsigned rounds_left;
    unsigned count;       /* connections that are not closed */
    unsigned descriptors; /* that they cost */
    unsigned descriptors_max;
    struct map parties;
    struct buckets knocks; /* of each party */
    uint64_t sequence;     /* names the door's ends of sockets to the HTTP server */

    pthread_t thread;
    bool started;
    int wake_fd;
    struct event *wake;
    struct pulse pulse;
    struct event *beat;
    _Atomic(char *) origins; /* given by door_set_origins(), not taken over yet; or NULL */
    atomic_bool reload;      /* set by door_reload() */
    atomic_bool draining;    /* set by door_drain() */
    atomic_bool closing;     /* set by door_close() */
    atomic_bool stopping;    /* set by door_destroy() */

    struct door_counters counters;
};

/* listener.c */
/* False after logging why. */
bool door_listen(struct door_listener *l, const char *address) MUST_USE;
void door_unlisten(struct door_listener *l);

/* party.c */
void parties_init(struct door *d);
void parties_finish(struct door *d);
/* Counts the connection as one from `c->address`. False: there are too many, and it is not. */
bool party_join(struct connection *c) MUST_USE;
/* Counts the coming of it. False: it is one too many in a short time. */
bool party_knock(struct connection *c) MUST_USE;
void party_leave(struct connection *c);

/* connection.c */
/* Takes `fd`. */
void connection_create(struct door_listener *l, int fd, const struct address *address);
/* Ends it at once, both ways. */
void connection_close(struct connection *c);
/* Lets what waits leave both ways, then closes. Nothing that still comes is looked at. */
void connection_part(struct connection *c);
void connection_enter(struct connection *c, const struct stage *stage);
/* The stage's timer is called once, so much later; see connection_is_stuck(). */
void connection_set_timer(struct connection *c, unsigned ms);
/* Whether something waits for the client, and it has taken nothing since the timer was set. */
bool connection_is_stuck(const struct connection *c);
bool connection_was_silent(const struct connection *c);
/* The stage's timer is called if nothing has come so much later, not counting the time that a TLS
 * handshake takes. */
void connection_set_patience(struct connection *c, unsigned ms);
/* Opens the way to a server behind on this machine; `descriptors` is what that costs. 0, or an
 * errno: EAGAIN is worth another try. `name`: the address to connect from, or NULL. */
int connection_open_inner(struct connection *c, const char *path, const char *name,
                          unsigned descriptors) MUST_USE;
/* Keeps bytes until more have come. False: too much is kept, here or by all together. */
bool connection_hold(struct connection *c, struct slice bytes, size_t max) MUST_USE;
void connection_release(struct connection *c);
void connection_count_refusal(struct connection *c, enum door_refusal why);
void connection_reap(evutil_socket_t fd, short what, void *door);

/* first.c */
extern const struct stage first_stage;
void first_begin(struct connection *c);
/* Answers with HTTP and parts. */
void first_refuse(struct connection *c, enum door_refusal why, int status, const char *detail);

/* native.c */
void native_begin(struct connection *c);

/* relay.c */
/* The connection is HTTP; `bytes` is what has come so far. */
void relay_begin(struct connection *c, struct slice bytes);

/* websocket.c */
/* The handshake is done; `bytes` is what came behind it. */
void websocket_begin(struct connection *c, struct slice bytes);

/* session.c */
/* The client may speak MQTT from now on. */
void session_begin(struct connection *c, const struct stage *stage,
                   const struct transport *transport);
/* Takes bytes of MQTT from the client and collects what may be carried. */
void session_take(struct connection *c, struct slice bytes);
/* Sends to the broker what session_take() has collected. */
void session_carry(struct connection *c);
/* Ends it because of something that the client did. */
void session_refuse(struct connection *c, enum door_refusal why, enum websocket_code code,
                    const char *reason);
void session_client_ended(struct connection *c);
void session_from_broker(struct connection *c, struct slice bytes);
void session_broker_ended(struct connection *c);
void session_timer(struct connection *c);

#endif
