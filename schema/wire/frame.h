/* SPDX-License-Identifier: MIT */
/* frame.h - the frames between the plugin and the bridge, over one Unix stream socket.
 *
 * A frame is an 8-byte header (u32 length of the body, u8 type, 3 zero bytes; all integers
 * little-endian) and a body of at most LINK_BODY_MAX bytes. A side that receives a frame it cannot
 * parse closes the connection. Slices in parsed frames borrow from the receive buffer. Strings are
 * u16 length and bytes, payloads u32 length and bytes. docs/architecture.md tells the conversation.
 */
#ifndef BANTER_WIRE_FRAME_H
#define BANTER_WIRE_FRAME_H

#include "base/compiler.h"
#include "base/slice.h"
#include "base/uuid.h"
#include "wire/entry.h"
#include "wire/limits.h"

#include <stdbool.h>
#include <stdint.h>

struct buf;

enum {
    LINK_VERSION = 5,
    LINK_HEADER_BYTES = 8,
    LINK_BODY_MAX = 8 << 20, /* an entry or answer with its JSON escapes */
    LINK_KEY_MAX_LENGTH = 128,
};

enum frame_type {
    /* plugin to bridge */
    FRAME_HELLO = 1,   /* first frame of a connection */
    FRAME_ATTACH = 2,  /* a user is online here: tell me their conversations */
    FRAME_DRAFT = 3,   /* a device posted */
    FRAME_REQUEST = 4, /* a device asked something that is answered to it alone */
    FRAME_FILL = 5,    /* send the entries after a seq */
    FRAME_WAKE = 6,    /* ring the bell: there is more to deliver than one turn may take */
    FRAME_BARRIER_DONE = 7,
    FRAME_SESSION = 8,   /* a device came, went, or said what it is to be shown as */
    FRAME_SIGNAL = 9,    /* a device sent something that is never stored as an entry */
    FRAME_WATCH = 10,    /* a device wants to know of a user's presence */
    FRAME_LEFT = 11,     /* how many connections are left to be ended */
    FRAME_INTEREST = 12, /* somebody here is in a conversation, or nobody any more */
    FRAME_LIMITED = 13,  /* how much was refused for being too much */
    /* bridge to plugin */
    FRAME_WELCOME = 64,      /* answer to HELLO */
    FRAME_CONFIRM = 65,      /* drafts up to this number are settled: forget them */
    FRAME_ATTACHED = 66,     /* part of, or all of, the answer to ATTACH */
    FRAME_ENTRY = 67,        /* a committed entry, for every member's devices */
    FRAME_DEVICE = 68,       /* a payload for one device, or all devices, of a user */
    FRAME_MEMBER = 69,       /* a membership became, changed or ended */
    FRAME_FILLED = 70,       /* end of the answer to FILL */
    FRAME_BARRIER = 71,      /* echo this when everything before it has been applied */
    FRAME_KICK = 72,         /* end connections */
    FRAME_SIGNAL_OUT = 73,   /* a signal for those of a conversation who are connected */
    FRAME_PRESENCE = 74,     /* what is shown of a user has changed: for whoever watches */
    FRAME_WATCHED = 75,      /* answer to WATCH */
    FRAME_REVOKED = 76,      /* a login has ended before its access tokens */
    FRAME_ENDED = 77,        /* a conversation is no more, for any of its members */
    FRAME_HOLD = 78,         /* keep drafts to yourself for now, or go on sending them */
    FRAME_DRAIN = 79,        /* end all connections over some time and let no more in; or do not */
    FRAME_HEAD = 80,         /* a conversation has entries up to a seq: see that you have them */
    FRAME_ATTACH_AGAIN = 81, /* ask for everybody's conversations again */
};

/* FRAME_HELLO */
struct frame_hello {
    uint32_t version; /* LINK_VERSION */
    struct slice key; /* the shared link key */
    uint64_t boot;    /* random, drawn when the plugin was loaded */
};

/* FRAME_ATTACH; answered by one or more ATTACHED, the last with `last` set. A uid that does not
 * exist or is disabled is answered by KICK. */
struct frame_attach {
    uint64_t uid;
};

/* FRAME_DRAFT. Numbers rise by one per draft within one `boot`; after a reconnect unconfirmed
 * drafts come again with their old numbers. */
struct frame_draft {
    uint64_t number;     /* from 1 */
    uint64_t uid;        /* the sender */
    struct slice handle; /* the sender's */
    struct slice device;
    struct slice target; /* conversation id in text, or "@handle" */
    struct slice payload;
};

enum request_kind { REQUEST_CONTROL = 1, REQUEST_SYNC = 2 };

/* FRAME_REQUEST; answered by any number of DEVICE frames, the last of which names the number. Lost
 * when the link is lost. */
struct frame_request {
    uint64_t number; /* not 0 */
    enum request_kind kind;
    uint64_t uid;
    struct slice handle;
    struct slice device;
    struct slice response_topic; /* MQTT 5, validated; or empty: the default topic */
    struct slice correlation;    /* MQTT 5 Correlation Data, or empty */
    struct slice payload;
};

/* FRAME_FILL; answered by ENTRY frames in order and then FILLED. One at a time per conversation. */
struct frame_fill {
    struct uuid conversation;
    int64_t after; /* seq */
};

/* What a device is, or what it says it is. */
enum session_state {
    SESSION_DOWN = 0,
    SESSION_ONLINE = 1,
    SESSION_AWAY = 2,
    SESSION_HIDDEN = 3, /* only said: its user is to be shown as offline, on every device */
};

/* FRAME_SESSION: when a device connects or has gone, for all of them after WELCOME, and when one
 * says what it is. */
struct frame_session {
    uint64_t uid;
    struct slice handle;
    struct slice device;
    enum session_state state;
    bool said; /* by the device itself, in send/me/presence */
};

enum signal_kind { SIGNAL_TYPING = 1, SIGNAL_CURSOR = 2 };
enum { SIGNAL_PAYLOAD_MAX = 1024 };

/* FRAME_SIGNAL: the plugin has looked whether the sender is in the conversation. Lost when the link
 * is lost. */
struct frame_signal {
    enum signal_kind kind;
    uint64_t uid;
    struct slice handle;
    struct slice device;
    struct uuid conversation;
    struct slice payload; /* what the device sent; at most SIGNAL_PAYLOAD_MAX */
};

/* FRAME_WATCH; answered by WATCHED. */
struct frame_watch {
    uint64_t number; /* comes back with the answer */
    uint64_t uid;    /* who wants to know */
    struct slice device;
    struct slice target; /* handle */
    bool again;          /* the device has been told something before */
};

/* FRAME_WELCOME */
struct frame_welcome {
    uint32_t version;
    struct slice node; /* name of this node, for me/ready */
    bool interests;    /* the bridge wants INTEREST frames */
};

/* FRAME_CONFIRM */
struct frame_confirm {
    uint64_t number;
};

struct attached_conversation {
    struct uuid conversation;
    enum conversation_kind kind;
    enum role role;
    int64_t last_seq;
    int64_t joined_seq; /* last_seq when the user became a member, for the last time */
};

enum { ATTACHED_MAX_PER_FRAME = 1000 };

/* FRAME_ATTACHED. `items` is read with frame_next_attached(). */
struct frame_attached {
    uint64_t uid;
    bool last;
    uint32_t count;
    struct slice items;
};

/* FRAME_ENTRY */
struct frame_entry {
    struct uuid conversation;
    int64_t seq;
    uint64_t sender;            /* uid */
    struct slice sender_device; /* gets no copy; empty: nobody is left out */
    struct slice payload;       /* entry JSON, delivered as it is on chat/{conversation} */
};

/* FRAME_DEVICE: delivered to the device's current connection, if it has one. */
struct frame_device {
    uint64_t uid;
    struct slice device; /* empty: every device of the user */
    struct slice topic;
    struct slice correlation; /* MQTT 5 Correlation Data, or empty */
    uint64_t answers;         /* the request of which this is the last answer, or 0 */
    struct slice payload;
};

/* FRAME_MEMBER: the user's role in the conversation is now `role`; ROLE_NONE: no longer a member.
 */
struct frame_member {
    struct uuid conversation;
    enum conversation_kind kind;
    uint64_t uid;
    enum role role;
    int64_t last_seq; /* the entry of the change, or one before the first the user is to get live */
};

/* FRAME_FILLED: every entry up to `upto` was sent, or does not exist yet. */
struct frame_filled {
    struct uuid conversation;
    int64_t upto;
    bool more; /* the answer was cut at its limit: ask again */
};

enum { BARRIER_PING = 0 }; /* the number of a barrier that only asks for a sign of life */

/* FRAME_BARRIER and FRAME_BARRIER_DONE */
struct frame_barrier {
    uint64_t number;
};

/* The reason for FRAME_KICK that says: there is no such user (any more). */
#define KICK_DISABLED "disabled"

/* FRAME_KICK */
struct frame_kick {
    uint64_t uid;
    struct slice device; /* empty: every device */
    struct slice reason; /* for the log and me/event: one word such as "revoked" */
};

/* Whom a signal is for: the other members' devices, the sender's other devices, or both. */
enum signal_audience { AUDIENCE_OTHERS = 1, AUDIENCE_OWN = 2, AUDIENCE_ALL = 3 };

/* FRAME_SIGNAL_OUT: delivered on chat/{conversation}/{kind}, or dropped. */
struct frame_signal_out {
    enum signal_kind kind;
    enum signal_audience audience;
    struct uuid conversation;
    uint64_t sender;            /* uid */
    struct slice sender_device; /* gets no copy; may be empty */
    struct slice payload;
};

/* FRAME_PRESENCE */
struct frame_presence {
    uint64_t uid; /* of whom */
    struct slice payload;
    struct slice own_payload; /* for the user's own devices */
};

/* FRAME_WATCHED */
struct frame_watched {
    uint64_t number; /* these four as in WATCH */
    uint64_t uid;
    struct slice device;
    struct slice target;
    uint64_t target_uid; /* 0: there is no such user */
    bool allowed;
    struct slice payload; /* what is shown now; empty: not known yet, PRESENCE will follow */
};

enum { REVOKED_MAX = 100000 }; /* that either side remembers */

/* FRAME_REVOKED: ends the connections that were opened with its tokens, and refuses further ones.
 * After WELCOME all of them come again. */
struct frame_revoked {
    struct uuid login;  /* the `sid` of its access tokens */
    uint64_t uid;       /* whose */
    int64_t expires_at; /* Unix seconds, after which none of its tokens is good any more */
};

/* FRAME_ENDED: as a FRAME_MEMBER with ROLE_NONE for each member. */
struct frame_ended {
    struct uuid conversation;
};

/* FRAME_HOLD: back-pressure of the writer, for drafts alone. A connection starts without it. Drafts
 * that were under way come all the same. */
struct frame_hold {
    bool hold;
};

/* FRAME_DRAIN: a connection of the link starts without it. Sent again, the time begins anew. */
struct frame_drain {
    bool on;
    uint32_t within_ms; /* in which the connections are to be ended */
};

/* FRAME_LEFT: after DRAIN, and whenever the number has changed meanwhile. */
struct frame_left {
    uint32_t connections; /* of users, not yet ended */
};

/* FRAME_INTEREST: only if WELCOME asks for it. After a connection of the link has begun, all of
 * them come again. */
struct frame_interest {
    struct uuid conversation;
    bool on;
};

/* FRAME_LIMITED: for the metrics, when it has changed: what was refused since the plugin was
 * loaded.
 */
struct frame_limited {
    uint64_t drafts;
    uint64_t requests;
    uint64_t signals;
    uint64_t connections;
};

/* FRAME_HEAD: what is missing up to there is asked for with FILL. */
struct frame_head {
    struct uuid conversation;
    int64_t seq;
};

/* Appends the whole frame, header included; the buffer fails stickily, and then ends with the last
 * frame that is whole. */
void frame_write_hello(struct buf *b, const struct frame_hello *f);
void frame_write_attach(struct buf *b, const struct frame_attach *f);
void frame_write_draft(struct buf *b, const struct frame_draft *f);
void frame_write_request(struct buf *b, const struct frame_request *f);
void frame_write_fill(struct buf *b, const struct frame_fill *f);
void frame_write_wake(struct buf *b);
void frame_write_barrier_done(struct buf *b, const struct frame_barrier *f);
void frame_write_session(struct buf *b, const struct frame_session *f);
void frame_write_signal(struct buf *b, const struct frame_signal *f);
void frame_write_watch(struct buf *b, const struct frame_watch *f);
void frame_write_welcome(struct buf *b, const struct frame_welcome *f);
void frame_write_confirm(struct buf *b, const struct frame_confirm *f);
/* `items` has `count` (<= ATTACHED_MAX_PER_FRAME) elements. */
void frame_write_attached(struct buf *b, uint64_t uid, bool last,
                          const struct attached_conversation *items, uint32_t count);
void frame_write_entry(struct buf *b, const struct frame_entry *f);
void frame_write_device(struct buf *b, const struct frame_device *f);
void frame_write_member(struct buf *b, const struct frame_member *f);
void frame_write_filled(struct buf *b, const struct frame_filled *f);
void frame_write_barrier(struct buf *b, const struct frame_barrier *f);
void frame_write_kick(struct buf *b, const struct frame_kick *f);
void frame_write_signal_out(struct buf *b, const struct frame_signal_out *f);
void frame_write_presence(struct buf *b, const struct frame_presence *f);
void frame_write_watched(struct buf *b, const struct frame_watched *f);
void frame_write_revoked(struct buf *b, const struct frame_revoked *f);
void frame_write_ended(struct buf *b, const struct frame_ended *f);
void frame_write_hold(struct buf *b, const struct frame_hold *f);
void frame_write_drain(struct buf *b, const struct frame_drain *f);
void frame_write_left(struct buf *b, const struct frame_left *f);
void frame_write_interest(struct buf *b, const struct frame_interest *f);
void frame_write_limited(struct buf *b, const struct frame_limited *f);
void frame_write_head(struct buf *b, const struct frame_head *f);
void frame_write_attach_again(struct buf *b);

struct frame {
    enum frame_type type;
    struct slice body;
};

enum frame_status { FRAME_WHOLE, FRAME_PARTIAL, FRAME_BAD };

/* Looks for one frame at the start of `input`. FRAME_WHOLE: *out is set and *used is its size with
 * header. FRAME_PARTIAL: read more. FRAME_BAD: unknown type, reserved bytes set or body too long:
 * close. */
enum frame_status frame_next(struct slice input, struct frame *out, size_t *used) MUST_USE;

/* Parses a body; false when it is malformed (short, trailing bytes, an enum out of range, an
 * invalid handle, device or target). */
bool frame_read_hello(struct slice body, struct frame_hello *f) MUST_USE;
bool frame_read_attach(struct slice body, struct frame_attach *f) MUST_USE;
bool frame_read_draft(struct slice body, struct frame_draft *f) MUST_USE;
bool frame_read_request(struct slice body, struct frame_request *f) MUST_USE;
bool frame_read_fill(struct slice body, struct frame_fill *f) MUST_USE;
bool frame_read_session(struct slice body, struct frame_session *f) MUST_USE;
bool frame_read_signal(struct slice body, struct frame_signal *f) MUST_USE;
bool frame_read_watch(struct slice body, struct frame_watch *f) MUST_USE;
bool frame_read_welcome(struct slice body, struct frame_welcome *f) MUST_USE;
bool frame_read_confirm(struct slice body, struct frame_confirm *f) MUST_USE;
bool frame_read_attached(struct slice body, struct frame_attached *f) MUST_USE;
bool frame_read_entry(struct slice body, struct frame_entry *f) MUST_USE;
bool frame_read_device(struct slice body, struct frame_device *f) MUST_USE;
bool frame_read_member(struct slice body, struct frame_member *f) MUST_USE;
bool frame_read_filled(struct slice body, struct frame_filled *f) MUST_USE;
bool frame_read_barrier(struct slice body, struct frame_barrier *f) MUST_USE;
bool frame_read_kick(struct slice body, struct frame_kick *f) MUST_USE;
bool frame_read_signal_out(struct slice body, struct frame_signal_out *f) MUST_USE;
bool frame_read_presence(struct slice body, struct frame_presence *f) MUST_USE;
bool frame_read_watched(struct slice body, struct frame_watched *f) MUST_USE;
bool frame_read_revoked(struct slice body, struct frame_revoked *f) MUST_USE;
bool frame_read_ended(struct slice body, struct frame_ended *f) MUST_USE;
bool frame_read_hold(struct slice body, struct frame_hold *f) MUST_USE;
bool frame_read_drain(struct slice body, struct frame_drain *f) MUST_USE;
bool frame_read_left(struct slice body, struct frame_left *f) MUST_USE;
bool frame_read_interest(struct slice body, struct frame_interest *f) MUST_USE;
bool frame_read_limited(struct slice body, struct frame_limited *f) MUST_USE;
bool frame_read_head(struct slice body, struct frame_head *f) MUST_USE;

/* Takes the next item off f->items; false at the end. */
bool frame_next_attached(struct frame_attached *f, struct attached_conversation *out);

#endif
