/* SPDX-License-Identifier: MIT */
/* frame_write.c - the writing half of frame.h. Fields are written in the order of their struct;
 * frame_read.c reads them in the same order. */
#include "base/buf.h"
#include "wire/frame.h"

#include <assert.h>
#include <string.h>

/* Writes a header whose length end() fills in; returns where the frame starts. */
static size_t begin(struct buf *b, enum frame_type type)
{
    size_t start = b->length;

    buf_le32(b, 0);
    buf_le8(b, (uint8_t)type);
    buf_bytes(b, "\0\0\0", 3);
    return start;
}

/* A buffer that failed keeps its whole frames and no part of one. */
static void end(struct buf *b, size_t start)
{
    size_t length = b->length - start;

    if (b->failed || length - LINK_HEADER_BYTES > LINK_BODY_MAX) {
        b->failed = true;
        b->length = start;
        return;
    }
    length -= LINK_HEADER_BYTES;
    for (size_t i = 0; i < 4; i++)
        b->data[start + i] = (char)(length >> (8 * i) & 0xff);
}

static void put_string(struct buf *b, struct slice s)
{
    if (s.length > UINT16_MAX) {
        b->failed = true;
        return;
    }
    buf_le16(b, (uint16_t)s.length);
    buf_slice_put(b, s);
}

static void put_payload(struct buf *b, struct slice s)
{
    if (s.length > LINK_BODY_MAX) {
        b->failed = true;
        return;
    }
    buf_le32(b, (uint32_t)s.length);
    buf_slice_put(b, s);
}

static void put_uuid(struct buf *b, const struct uuid *u)
{
    buf_bytes(b, u->bytes, sizeof u->bytes);
}

static void put_i64(struct buf *b, int64_t value)
{
    buf_le64(b, (uint64_t)value);
}

void frame_write_hello(struct buf *b, const struct frame_hello *f)
{
    size_t start = begin(b, FRAME_HELLO);

    buf_le32(b, f->version);
    put_string(b, f->key);
    buf_le64(b, f->boot);
    end(b, start);
}

void frame_write_attach(struct buf *b, const struct frame_attach *f)
{
    size_t start = begin(b, FRAME_ATTACH);

    buf_le64(b, f->uid);
    end(b, start);
}

void frame_write_draft(struct buf *b, const struct frame_draft *f)
{
    size_t start = begin(b, FRAME_DRAFT);

    buf_le64(b, f->number);
    buf_le64(b, f->uid);
    put_string(b, f->handle);
    put_string(b, f->device);
    put_string(b, f->target);
    put_payload(b, f->payload);
    end(b, start);
}

void frame_write_request(struct buf *b, const struct frame_request *f)
{
    size_t start = begin(b, FRAME_REQUEST);

    buf_le64(b, f->number);
    buf_le8(b, (uint8_t)f->kind);
    buf_le64(b, f->uid);
    put_string(b, f->handle);
    put_string(b, f->device);
    put_string(b, f->response_topic);
    put_string(b, f->correlation);
    put_payload(b, f->payload);
    end(b, start);
}

void frame_write_fill(struct buf *b, const struct frame_fill *f)
{
    size_t start = begin(b, FRAME_FILL);

    put_uuid(b, &f->conversation);
    put_i64(b, f->after);
    end(b, start);
}

void frame_write_wake(struct buf *b)
{
    end(b, begin(b, FRAME_WAKE));
}

void frame_write_barrier_done(struct buf *b, const struct frame_barrier *f)
{
    size_t start = begin(b, FRAME_BARRIER_DONE);

    buf_le64(b, f->number);
    end(b, start);
}

void frame_write_session(struct buf *b, const struct frame_session *f)
{
    size_t start = begin(b, FRAME_SESSION);

    buf_le64(b, f->uid);
    put_string(b, f->handle);
    put_string(b, f->device);
    buf_le8(b, (uint8_t)f->state);
    buf_le8(b, f->said);
    end(b, start);
}

void frame_write_signal(struct buf *b, const struct frame_signal *f)
{
    size_t start = begin(b, FRAME_SIGNAL);

    buf_le8(b, (uint8_t)f->kind);
    buf_le64(b, f->uid);
    put_string(b, f->handle);
    put_string(b, f->device);
    put_uuid(b, &f->conversation);
    put_payload(b, f->payload);
    end(b, start);
}

void frame_write_watch(struct buf *b, const struct frame_watch *f)
{
    size_t start = begin(b, FRAME_WATCH);

    buf_le64(b, f->number);
    buf_le64(b, f->uid);
    put_string(b, f->device);
    put_string(b, f->target);
    buf_le8(b, f->again);
    end(b, start);
}

void frame_write_welcome(struct buf *b, const struct frame_welcome *f)
{
    size_t start = begin(b, FRAME_WELCOME);

    buf_le32(b, f->version);
    put_string(b, f->node);
    buf_le8(b, f->interests);
    end(b, start);
}

void frame_write_confirm(struct buf *b, const struct frame_confirm *f)
{
    size_t start = begin(b, FRAME_CONFIRM);

    buf_le64(b, f->number);
    end(b, start);
}

void frame_write_attached(struct buf *b, uint64_t uid, bool last,
                          const struct attached_conversation *items, uint32_t count)
{
    size_t start = begin(b, FRAME_ATTACHED);

    assert(count <= ATTACHED_MAX_PER_FRAME);
    buf_le64(b, uid);
    buf_le8(b, last);
    buf_le32(b, count);
    for (uint32_t i = 0; i < count; i++) {
        put_uuid(b, &items[i].conversation);
        buf_le8(b, (uint8_t)items[i].kind);
        buf_le8(b, (uint8_t)items[i].role);
        put_i64(b, items[i].last_seq);
        put_i64(b, items[i].joined_seq);
    }
    end(b, start);
}

void frame_write_entry(struct buf *b, const struct frame_entry *f)
{
    size_t start = begin(b, FRAME_ENTRY);

    put_uuid(b, &f->conversation);
    put_i64(b, f->seq);
    buf_le64(b, f->sender);
    put_string(b, f->sender_device);
    put_payload(b, f->payload);
    end(b, start);
}

void frame_write_device(struct buf *b, const struct frame_device *f)
{
    size_t start = begin(b, FRAME_DEVICE);

    buf_le64(b, f->uid);
    put_string(b, f->device);
    put_string(b, f->topic);
    put_string(b, f->correlation);
    buf_le64(b, f->answers);
    put_payload(b, f->payload);
    end(b, start);
}

void frame_write_member(struct buf *b, const struct frame_member *f)
{
    size_t start = begin(b, FRAME_MEMBER);

    put_uuid(b, &f->conversation);
    buf_le8(b, (uint8_t)f->kind);
    buf_le64(b, f->uid);
    buf_le8(b, (uint8_t)f->role);
    put_i64(b, f->last_seq);
    end(b, start);
}

void frame_write_filled(struct buf *b, const struct frame_filled *f)
{
    size_t start = begin(b, FRAME_FILLED);

    put_uuid(b, &f->conversation);
    put_i64(b, f->upto);
    buf_le8(b, f->more);
    end(b, start);
}

void frame_write_barrier(struct buf *b, const struct frame_barrier *f)
{
    size_t start = begin(b, FRAME_BARRIER);

    buf_le64(b, f->number);
    end(b, start);
}

void frame_write_kick(struct buf *b, const struct frame_kick *f)
{
    size_t start = begin(b, FRAME_KICK);

    buf_le64(b, f->uid);
    put_string(b, f->device);
    put_string(b, f->reason);
    end(b, start);
}

void frame_write_signal_out(struct buf *b, const struct frame_signal_out *f)
{
    size_t start = begin(b, FRAME_SIGNAL_OUT);

    buf_le8(b, (uint8_t)f->kind);
    buf_le8(b, (uint8_t)f->audience);
    put_uuid(b, &f->conversation);
    buf_le64(b, f->sender);
    put_string(b, f->sender_device);
    put_payload(b, f->payload);
    end(b, start);
}

void frame_write_presence(struct buf *b, const struct frame_presence *f)
{
    size_t start = begin(b, FRAME_PRESENCE);

    buf_le64(b, f->uid);
    put_payload(b, f->payload);
    put_payload(b, f->own_payload);
    end(b, start);
}

void frame_write_watched(struct buf *b, const struct frame_watched *f)
{
    size_t start = begin(b, FRAME_WATCHED);

    buf_le64(b, f->number);
    buf_le64(b, f->uid);
    put_string(b, f->device);
    put_string(b, f->target);
    buf_le64(b, f->target_uid);
    buf_le8(b, f->allowed);
    put_payload(b, f->payload);
    end(b, start);
}

void frame_write_revoked(struct buf *b, const struct frame_revoked *f)
{
    size_t start = begin(b, FRAME_REVOKED);

    put_uuid(b, &f->login);
    buf_le64(b, f->uid);
    put_i64(b, f->expires_at);
    end(b, start);
}

void frame_write_ended(struct buf *b, const struct frame_ended *f)
{
    size_t start = begin(b, FRAME_ENDED);

    put_uuid(b, &f->conversation);
    end(b, start);
}

void frame_write_hold(struct buf *b, const struct frame_hold *f)
{
    size_t start = begin(b, FRAME_HOLD);

    buf_le8(b, f->hold);
    end(b, start);
}

void frame_write_drain(struct buf *b, const struct frame_drain *f)
{
    size_t start = begin(b, FRAME_DRAIN);

    buf_le8(b, f->on);
    buf_le32(b, f->within_ms);
    end(b, start);
}

void frame_write_left(struct buf *b, const struct frame_left *f)
{
    size_t start = begin(b, FRAME_LEFT);

    buf_le32(b, f->connections);
    end(b, start);
}

void frame_write_interest(struct buf *b, const struct frame_interest *f)
{
    size_t start = begin(b, FRAME_INTEREST);

    put_uuid(b, &f->conversation);
    buf_le8(b, f->on);
    end(b, start);
}

void frame_write_limited(struct buf *b, const struct frame_limited *f)
{
    size_t start = begin(b, FRAME_LIMITED);

    buf_le64(b, f->drafts);
    buf_le64(b, f->requests);
    buf_le64(b, f->signals);
    buf_le64(b, f->connections);
    end(b, start);
}

void frame_write_head(struct buf *b, const struct frame_head *f)
{
    size_t start = begin(b, FRAME_HEAD);

    put_uuid(b, &f->conversation);
    put_i64(b, f->seq);
    end(b, start);
}

void frame_write_attach_again(struct buf *b)
{
    end(b, begin(b, FRAME_ATTACH_AGAIN));
}
