/* SPDX-License-Identifier: MIT */
/* news.h - what nodes say to each other, as bytes. Pure; what is read is believed as little as
 * anything else that comes from outside.
 *
 * A *message* is what goes over the bus at once: who says it, and one of a few kinds. A *bulletin*
 * is one kind: numbered news, which reach every node in order and without a gap, if not over the
 * bus then through PostgreSQL. Integers are little-endian, as in wire/frame.h. */
#ifndef BANTER_BRIDGE_CLUSTER_NEWS_H
#define BANTER_BRIDGE_CLUSTER_NEWS_H

#include "base/buf.h"
#include "base/compiler.h"
#include "base/slice.h"
#include "base/uuid.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    CLUSTER_NAME_MAX = 32, /* of a node: db_node_key() */
    CLUSTER_VERSION = 1,
    CLUSTER_NODES_MAX = 1000,
    CLUSTER_KEY_BYTES = 16,
    CLUSTER_TAG_BYTES = 8,
};

/* What all nodes know from PostgreSQL and Redis does not: messages are sealed with it (SipHash), so
 * that who can write to Redis cannot speak for a node. */
struct cluster_key {
    uint8_t bytes[CLUSTER_KEY_BYTES];
};

/* One run of one node's bridge. */
struct node_id {
    char name[CLUSTER_NAME_MAX + 1];
    uint64_t incarnation;
};

bool node_id_equal(const struct node_id *a, const struct node_id *b);

enum message_kind {
    MESSAGE_BEAT = 1,      /* struct beat: the sender lives */
    MESSAGE_BULLETIN = 2,  /* struct bulletin */
    MESSAGE_FRAME = 3,     /* a frame of the link, ENTRY or SIGNAL_OUT: for the plugins */
    MESSAGE_HEAD = 4,      /* struct news of type NEWS_HEAD: an entry too long for the bus */
    MESSAGE_ROLL_CALL = 5, /* tell me who is at yours */
    MESSAGE_ROLL = 6,      /* struct roll: part of the answer */
    MESSAGE_ABOUT = 7,     /* JSON: what clients should know of the sender; in the registry alone */
};

struct message {
    enum message_kind kind;
    struct node_id from;
    struct slice body; /* borrowed */
};

/* Begins a message in an empty buffer; its body follows, then message_seal(). */
void message_begin(struct buf *b, enum message_kind kind, const struct node_id *from);
void message_seal(struct buf *b, const struct cluster_key *key);
/* False: not sealed with this key, or malformed. */
bool message_open(struct slice bytes, const struct cluster_key *key, struct message *out) MUST_USE;

/* How far somebody has applied a node's bulletins. */
struct applied {
    struct node_id node;
    uint64_t number;
};

struct beat {
    uint64_t first;  /* bulletin that the sender still has; more than `number`: none */
    uint64_t number; /* its last one */
    struct slice applied;
};

/* `b` then takes one applied_write() for each node that the sender has heard. */
void beat_write(struct buf *b, uint64_t first, uint64_t number);
bool beat_read(struct slice body, struct beat *out) MUST_USE;
void applied_write(struct buf *b, const struct applied *a);
/* Takes the next one off. False: there is none, or it is malformed. */
bool applied_next(struct slice *rest, struct applied *out);

struct bulletin {
    uint64_t number;
    bool urgent; /* somebody waits until it is applied everywhere */
    struct slice news;
};

void bulletin_write(struct buf *b, uint64_t number, bool urgent, struct slice news);
bool bulletin_read(struct slice body, struct bulletin *out) MUST_USE;
/* The same with its length in front, for several in a row. */
void bulletin_pack(struct buf *b, uint64_t number, bool urgent, struct slice news);
bool bulletin_unpack(struct slice *rest, struct bulletin *out) MUST_USE;

struct roll {
    uint32_t page; /* from 0 */
    bool last;
    struct slice news; /* NEWS_PERSON */
};

void roll_write(struct buf *b, uint32_t page, bool last, struct slice news);
bool roll_read(struct slice body, struct roll *out) MUST_USE;

enum news_type {
    NEWS_HEAD = 1,    /* conversation, seq: there are entries up to it */
    NEWS_MEMBER = 2,  /* conversation, uid, seq: the membership has changed; as frame_member has it,
                         but for the role, which is to be looked up */
    NEWS_ENDED = 3,   /* conversation */
    NEWS_PROFILE = 4, /* uid */
    NEWS_REVOKED = 5, /* conversation (the login), uid, at_ms: when it ended */
    NEWS_PERSON = 6,  /* uid, handle, person: what the node makes of a user */
    NEWS_ROW = 7,     /* uid, handle, person: the user has changed what others may see of them */
    NEWS_DEVICE = 8,  /* uid, device, epoch: connected there, to a user who is elsewhere too */
    NEWS_UNSURE = 9,  /* memberships may have changed, nobody knows which */
    NEWS_KICK = 10,   /* uid, device or none for all of them, word: these connections are to end */
    NEWS_LAST = NEWS_KICK,
};

/* Of one user on one node. */
struct person_news {
    uint8_t state;   /* enum shown, without SHOWN_UNKNOWN: what the devices there make of them */
    bool here;       /* a device is connected */
    bool hidden;     /* they are to be shown as offline */
    bool discreet;   /* nobody is told when they were seen */
    int64_t said_ms; /* Unix time: when they last said whether they hide; 0: long ago */
    int64_t seen_ms; /* Unix time; 0: never */
};

struct news {
    enum news_type type;
    struct uuid conversation;
    uint64_t uid;
    int64_t seq;
    int64_t at_ms;
    uint64_t epoch;
    struct slice handle; /* borrowed, as the next two */
    struct slice device;
    struct slice word; /* why, as frame_kick has it */
    struct person_news person;
};

void news_write(struct buf *b, const struct news *n);
/* Takes the next piece off. False: the end, or malformed (*malformed tells). */
bool news_next(struct slice *rest, struct news *out, bool *malformed);

#endif
