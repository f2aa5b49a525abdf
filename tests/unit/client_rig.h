/* SPDX-License-Identifier: MIT */
/* client_rig.h - an engine of libbanter with a server, a network and a clock that are not there: a
 * few conversations in memory, and everything that can go wrong on the way, when a test wants it.
 *
 * Whatever a test does, the rig asserts what must always hold: each entry is told once and in
 * order, each draft has one receipt, drafts are stored in the order in which they were posted. The
 * rig itself allocates nothing but events, which the network threads allocate as well. */
#ifndef BANTER_TESTS_CLIENT_RIG_H
#define BANTER_TESTS_CLIENT_RIG_H

#include "banter/banter.h"
#include "client/engine.h"
#include "client/settings.h"
#include "client/store.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    RIG_CONVERSATIONS = 3,
    RIG_ENTRIES_MAX = 400,
    RIG_DRAFTS_MAX = 200,
    RIG_CALLS_MAX = 16,
    RIG_NET_MAX = 512,
    RIG_TEXT_SIZE = 160,
};

struct rig_entry {
    char from[8];
    char id[24]; /* "" if it was no draft */
};

struct rig_conversation {
    const char *id;
    struct rig_entry log[RIG_ENTRIES_MAX]; /* seq is the place, from 1 on */
    int64_t last_seq;
    int64_t told;         /* by on_entry */
    int64_t refused_from; /* the draft that was refused in passing; 0: none */
};

struct rig_call {
    http_done_fn *done;
    void *owner;
    char method[8], path[128];
    char key[40]; /* Idempotency-Key */
    char body[2048];
};

struct rig_net {
    enum net_kind kind;
    uint64_t generation;
    int code, token;
    char topic[64], payload[2 * RIG_TEXT_SIZE];
};

/* How likely, in percent, each thing goes wrong. */
struct rig_faults {
    unsigned lose_live; /* a live entry does not come */
    unsigned lose_receipt;
    unsigned refuse; /* a draft, in passing */
    unsigned cut;    /* the connection, after a step */
    unsigned refuse_connect;
    unsigned http_offline;
    unsigned http_unavailable;
    unsigned lose_answer; /* of what was done */
    unsigned expire;      /* a request finds its token expired */
};

struct rig {
    struct engine engine;
    struct settings settings;
    struct store *store;
    struct banter_callbacks callbacks;
    struct platform platform;
    uint64_t now, seed;

    struct rig_conversation conversations[RIG_CONVERSATIONS];
    struct rig_call calls[RIG_CALLS_MAX];
    size_t call_count;
    struct rig_net net[RIG_NET_MAX];
    size_t net_first, net_count;
    bool connected, ready;
    uint64_t generation;
    int next_token;
    unsigned access, refresh; /* the tokens that are good: "a<n>" and "r<n>" */
    char exchanged[40];       /* the key of the last exchange, which may be repeated */
    struct rig_faults faults;
    const char *nodes;    /* the answer of GET /v1/servers; NULL: not known there */
    const char *unsynced; /* a conversation that the syncs do not know yet */
    int strangers;        /* so many exchanges and pages are answered by something in between */
    bool frail;           /* the network threads and the engine may run out of memory */

    char posted[RIG_DRAFTS_MAX][24]; /* ids, in order; of each the receipts that were told */
    int posted_to[RIG_DRAFTS_MAX], receipts[RIG_DRAFTS_MAX], errors[RIG_DRAFTS_MAX];
    size_t posted_count;
    int state; /* the last enum banter_connection that was told */
    int logins, logouts, presences, typings, cursors, events;
    char last_presence[16];
    int connects;
    char last_publish[RIG_TEXT_SIZE]; /* topic and payload of the last signal */
    int signals;
};

/* `path` NULL: a store in memory. Nobody is logged in. */
void rig_init(struct rig *r, uint64_t seed, const char *path, enum banter_start start);
void rig_finish(struct rig *r);
/* All but the server, which goes on, is made anew, as after a crash. */
void rig_restart(struct rig *r, const char *path, enum banter_start start);

/* Logs alice in, and runs until she is online. */
void rig_log_in(struct rig *r);
/* Somebody else posts; told live if she is ready. */
void rig_others_post(struct rig *r, int conversation);
/* Alice posts "text"; false: refused, for lack of memory. */
bool rig_post(struct rig *r, int conversation, const char *id);
void rig_event(struct rig *r, const char *json);
void rig_message(struct rig *r, const char *topic, const char *payload);
void rig_lose(struct rig *r, int code);

/* One thing happens: something comes from the network, a request is answered, or time passes. */
void rig_step(struct rig *r);
/* Until all is told, receipted and quiet; fails if that takes too long. */
void rig_settle(struct rig *r);
bool rig_is_settled(const struct rig *r);
void rig_pass(struct rig *r, uint64_t ms);
/* All entries were told, and all drafts have their receipt and their place. */
void rig_assert_complete(const struct rig *r);
uint64_t rig_chance(struct rig *r, uint64_t bound);

/* client_rig_server.c */
extern const char *const rig_ids[RIG_CONVERSATIONS];
struct http rig_http(struct rig *r);
struct transport rig_transport(struct rig *r);
/* By an id, or what begins with one. */
struct rig_conversation *rig_conversation(struct rig *r, const char *id);
/* A new entry's seq. */
int64_t rig_append(struct rig_conversation *c, const char *from, const char *id);
/* Its seq, or 0. */
int64_t rig_find_draft(const struct rig_conversation *c, const char *id);
void rig_entry_json(const struct rig_conversation *c, int64_t seq, char *to, size_t size);
/* Answers the oldest request. */
void rig_answer(struct rig *r);
bool rig_happens(struct rig *r, unsigned percent);

#endif
