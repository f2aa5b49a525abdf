/* SPDX-License-Identifier: MIT */
/* frame_read.c - the reading half of frame.h. A reader runs off the end stickily: every get_…()
 * after that gives zero, and whoever parses checks once, in finish(). Nothing is trusted before
 * that. */
#include "wire/frame.h"
#include "wire/names.h"
#include "wire/topic.h"

#include <string.h>

enum { ATTACHED_ITEM_BYTES = 16 + 1 + 1 + 8 + 8 };

struct reader {
    const unsigned char *at;
    size_t left;
    bool failed; /* ran off the end, or met a value that is not allowed */
};

static struct reader reader_of(struct slice body)
{
    return (struct reader){(const unsigned char *)body.data, body.length, false};
}

/* True when the whole body, and nothing but it, was well-formed. */
static bool finish(const struct reader *r)
{
    return !r->failed && r->left == 0;
}

static void require(struct reader *r, bool condition)
{
    if (!condition)
        r->failed = true;
}

/* The next `n` bytes, or NULL. */
static const unsigned char *take(struct reader *r, size_t n)
{
    const unsigned char *bytes = r->at;

    if (r->failed || n > r->left) {
        r->failed = true;
        return NULL;
    }
    r->at += n;
    r->left -= n;
    return bytes;
}

static uint64_t get_le(struct reader *r, size_t width)
{
    const unsigned char *bytes = take(r, width);
    uint64_t value = 0;

    for (size_t i = 0; bytes && i < width; i++)
        value |= (uint64_t)bytes[i] << (8 * i);
    return value;
}

static uint32_t get_u32(struct reader *r)
{
    return (uint32_t)get_le(r, 4);
}

static uint64_t get_u64(struct reader *r)
{
    return get_le(r, 8);
}

/* Two's complement, as everywhere this runs. */
static int64_t get_i64(struct reader *r)
{
    return (int64_t)get_le(r, 8);
}

static bool get_bool(struct reader *r)
{
    uint64_t value = get_le(r, 1);

    require(r, value <= 1);
    return value == 1;
}

/* A byte that must lie in lowest..highest, both included. */
static unsigned get_enum(struct reader *r, unsigned lowest, unsigned highest)
{
    unsigned value = (unsigned)get_le(r, 1);

    require(r, value >= lowest && value <= highest);
    return value;
}

static struct slice get_bytes(struct reader *r, size_t length)
{
    const unsigned char *bytes = take(r, length);

    return bytes ? slice_of((const char *)bytes, length) : slice_of(NULL, 0);
}

static struct slice get_string(struct reader *r, size_t max_length)
{
    size_t length = (size_t)get_le(r, 2);

    require(r, length <= max_length);
    return get_bytes(r, length);
}

static struct slice get_payload(struct reader *r)
{
    return get_bytes(r, get_u32(r));
}

static struct uuid get_uuid(struct reader *r)
{
    const unsigned char *bytes = take(r, 16);
    struct uuid u = {{0}};

    if (bytes)
        memcpy(u.bytes, bytes, sizeof u.bytes);
    return u;
}

static enum conversation_kind get_conversation_kind(struct reader *r)
{
    return (enum conversation_kind)get_enum(r, CONVERSATION_DIRECT, CONVERSATION_CHANNEL);
}

static struct slice get_handle(struct reader *r)
{
    struct slice handle = get_string(r, HANDLE_MAX_LENGTH);

    require(r, handle_is_valid(handle));
    return handle;
}

static struct slice get_device(struct reader *r)
{
    struct slice device = get_string(r, DEVICE_MAX_LENGTH);

    require(r, device_is_valid(device));
    return device;
}

static struct slice get_device_or_empty(struct reader *r)
{
    struct slice device = get_string(r, DEVICE_MAX_LENGTH);

    require(r, device.length == 0 || device_is_valid(device));
    return device;
}

static bool target_is_valid(struct slice target)
{
    struct uuid ignored;

    if (target.length > 0 && target.data[0] == '@')
        return handle_is_valid(slice_of(target.data + 1, target.length - 1));
    return uuid_parse(&ignored, target);
}

static struct slice get_target(struct reader *r)
{
    struct slice target = get_string(r, UUID_TEXT_LENGTH);

    require(r, target_is_valid(target));
    return target;
}

bool frame_read_hello(struct slice body, struct frame_hello *f)
{
    struct reader r = reader_of(body);

    f->version = get_u32(&r);
    f->key = get_string(&r, LINK_KEY_MAX_LENGTH);
    f->boot = get_u64(&r);
    return finish(&r);
}

bool frame_read_attach(struct slice body, struct frame_attach *f)
{
    struct reader r = reader_of(body);

    f->uid = get_u64(&r);
    return finish(&r);
}

bool frame_read_draft(struct slice body, struct frame_draft *f)
{
    struct reader r = reader_of(body);

    f->number = get_u64(&r);
    f->uid = get_u64(&r);
    f->handle = get_handle(&r);
    f->device = get_device(&r);
    f->target = get_target(&r);
    f->payload = get_payload(&r);
    return finish(&r);
}

bool frame_read_request(struct slice body, struct frame_request *f)
{
    struct reader r = reader_of(body);

    f->number = get_u64(&r);
    f->kind = (enum request_kind)get_enum(&r, REQUEST_CONTROL, REQUEST_SYNC);
    f->uid = get_u64(&r);
    f->handle = get_handle(&r);
    f->device = get_device(&r);
    f->response_topic = get_string(&r, RESPONSE_TOPIC_MAX_LENGTH);
    require(&r, f->response_topic.length == 0 || topic_is_valid_response(f->response_topic));
    f->correlation = get_string(&r, CORRELATION_MAX_LENGTH);
    f->payload = get_payload(&r);
    return finish(&r);
}

bool frame_read_fill(struct slice body, struct frame_fill *f)
{
    struct reader r = reader_of(body);

    f->conversation = get_uuid(&r);
    f->after = get_i64(&r);
    return finish(&r);
}

bool frame_read_session(struct slice body, struct frame_session *f)
{
    struct reader r = reader_of(body);

    f->uid = get_u64(&r);
    f->handle = get_handle(&r);
    f->device = get_device(&r);
    f->state = (enum session_state)get_enum(&r, SESSION_DOWN, SESSION_HIDDEN);
    f->said = get_bool(&r);
    require(&r, f->said ? f->state != SESSION_DOWN : f->state != SESSION_HIDDEN);
    return finish(&r);
}

bool frame_read_signal(struct slice body, struct frame_signal *f)
{
    struct reader r = reader_of(body);

    f->kind = (enum signal_kind)get_enum(&r, SIGNAL_TYPING, SIGNAL_CURSOR);
    f->uid = get_u64(&r);
    f->handle = get_handle(&r);
    f->device = get_device(&r);
    f->conversation = get_uuid(&r);
    f->payload = get_payload(&r);
    require(&r, f->payload.length <= SIGNAL_PAYLOAD_MAX);
    return finish(&r);
}

bool frame_read_watch(struct slice body, struct frame_watch *f)
{
    struct reader r = reader_of(body);

    f->number = get_u64(&r);
    f->uid = get_u64(&r);
    f->device = get_device(&r);
    f->target = get_handle(&r);
    f->again = get_bool(&r);
    return finish(&r);
}

bool frame_read_welcome(struct slice body, struct frame_welcome *f)
{
    struct reader r = reader_of(body);

    f->version = get_u32(&r);
    f->node = get_string(&r, UINT16_MAX);
    f->interests = get_bool(&r);
    return finish(&r);
}

bool frame_read_confirm(struct slice body, struct frame_confirm *f)
{
    struct reader r = reader_of(body);

    f->number = get_u64(&r);
    return finish(&r);
}

static struct attached_conversation get_attached(struct reader *r)
{
    struct attached_conversation c;

    c.conversation = get_uuid(r);
    c.kind = get_conversation_kind(r);
    c.role = (enum role)get_enum(r, ROLE_READER, ROLE_OWNER);
    c.last_seq = get_i64(r);
    c.joined_seq = get_i64(r);
    return c;
}

/* Looks at every item, so that frame_next_attached() cannot meet a bad one. */
bool frame_read_attached(struct slice body, struct frame_attached *f)
{
    struct reader r = reader_of(body);

    f->uid = get_u64(&r);
    f->last = get_bool(&r);
    f->count = get_u32(&r);
    require(&r, f->count <= ATTACHED_MAX_PER_FRAME);
    if (r.failed)
        return false;
    f->items = slice_of((const char *)r.at, r.left);
    for (uint32_t i = 0; i < f->count; i++)
        get_attached(&r);
    return finish(&r);
}

bool frame_read_hold(struct slice body, struct frame_hold *f)
{
    struct reader r = reader_of(body);

    f->hold = get_bool(&r);
    return finish(&r);
}

bool frame_read_drain(struct slice body, struct frame_drain *f)
{
    struct reader r = reader_of(body);

    f->on = get_bool(&r);
    f->within_ms = get_u32(&r);
    return finish(&r);
}

bool frame_read_left(struct slice body, struct frame_left *f)
{
    struct reader r = reader_of(body);

    f->connections = get_u32(&r);
    return finish(&r);
}

bool frame_read_interest(struct slice body, struct frame_interest *f)
{
    struct reader r = reader_of(body);

    f->conversation = get_uuid(&r);
    f->on = get_bool(&r);
    return finish(&r);
}

bool frame_read_limited(struct slice body, struct frame_limited *f)
{
    struct reader r = reader_of(body);

    f->drafts = get_u64(&r);
    f->requests = get_u64(&r);
    f->signals = get_u64(&r);
    f->connections = get_u64(&r);
    return finish(&r);
}

bool frame_read_head(struct slice body, struct frame_head *f)
{
    struct reader r = reader_of(body);

    f->conversation = get_uuid(&r);
    f->seq = get_i64(&r);
    return finish(&r);
}

bool frame_next_attached(struct frame_attached *f, struct attached_conversation *out)
{
    struct reader r = reader_of(f->items);

    if (f->items.length < ATTACHED_ITEM_BYTES)
        return false;
    *out = get_attached(&r);
    f->items = slice_of((const char *)r.at, r.left);
    return !r.failed;
}

bool frame_read_entry(struct slice body, struct frame_entry *f)
{
    struct reader r = reader_of(body);

    f->conversation = get_uuid(&r);
    f->seq = get_i64(&r);
    f->sender = get_u64(&r);
    f->sender_device = get_device_or_empty(&r);
    f->payload = get_payload(&r);
    return finish(&r);
}

bool frame_read_device(struct slice body, struct frame_device *f)
{
    struct reader r = reader_of(body);

    f->uid = get_u64(&r);
    f->device = get_device_or_empty(&r);
    f->topic = get_string(&r, RESPONSE_TOPIC_MAX_LENGTH);
    require(&r, topic_is_valid_response(f->topic));
    f->correlation = get_string(&r, CORRELATION_MAX_LENGTH);
    f->answers = get_u64(&r);
    f->payload = get_payload(&r);
    return finish(&r);
}

bool frame_read_member(struct slice body, struct frame_member *f)
{
    struct reader r = reader_of(body);

    f->conversation = get_uuid(&r);
    f->kind = get_conversation_kind(&r);
    f->uid = get_u64(&r);
    f->role = (enum role)get_enum(&r, ROLE_NONE, ROLE_OWNER);
    f->last_seq = get_i64(&r);
    return finish(&r);
}

bool frame_read_filled(struct slice body, struct frame_filled *f)
{
    struct reader r = reader_of(body);

    f->conversation = get_uuid(&r);
    f->upto = get_i64(&r);
    f->more = get_bool(&r);
    return finish(&r);
}

bool frame_read_barrier(struct slice body, struct frame_barrier *f)
{
    struct reader r = reader_of(body);

    f->number = get_u64(&r);
    return finish(&r);
}

bool frame_read_kick(struct slice body, struct frame_kick *f)
{
    struct reader r = reader_of(body);

    f->uid = get_u64(&r);
    f->device = get_device_or_empty(&r);
    f->reason = get_string(&r, UINT16_MAX);
    return finish(&r);
}

bool frame_read_signal_out(struct slice body, struct frame_signal_out *f)
{
    struct reader r = reader_of(body);

    f->kind = (enum signal_kind)get_enum(&r, SIGNAL_TYPING, SIGNAL_CURSOR);
    f->audience = (enum signal_audience)get_enum(&r, AUDIENCE_OTHERS, AUDIENCE_ALL);
    f->conversation = get_uuid(&r);
    f->sender = get_u64(&r);
    f->sender_device = get_device_or_empty(&r);
    f->payload = get_payload(&r);
    return finish(&r);
}

bool frame_read_presence(struct slice body, struct frame_presence *f)
{
    struct reader r = reader_of(body);

    f->uid = get_u64(&r);
    f->payload = get_payload(&r);
    f->own_payload = get_payload(&r);
    return finish(&r);
}

bool frame_read_watched(struct slice body, struct frame_watched *f)
{
    struct reader r = reader_of(body);

    f->number = get_u64(&r);
    f->uid = get_u64(&r);
    f->device = get_device(&r);
    f->target = get_handle(&r);
    f->target_uid = get_u64(&r);
    f->allowed = get_bool(&r);
    f->payload = get_payload(&r);
    require(&r, !f->allowed || f->target_uid != 0);
    return finish(&r);
}

bool frame_read_revoked(struct slice body, struct frame_revoked *f)
{
    struct reader r = reader_of(body);

    f->login = get_uuid(&r);
    f->uid = get_u64(&r);
    f->expires_at = get_i64(&r);
    return finish(&r);
}

bool frame_read_ended(struct slice body, struct frame_ended *f)
{
    struct reader r = reader_of(body);

    f->conversation = get_uuid(&r);
    return finish(&r);
}

static bool type_is_known(unsigned type)
{
    return (type >= FRAME_HELLO && type <= FRAME_LIMITED) ||
           (type >= FRAME_WELCOME && type <= FRAME_ATTACH_AGAIN);
}

enum frame_status frame_next(struct slice input, struct frame *out, size_t *used)
{
    struct reader r = reader_of(input);
    size_t length;
    unsigned type;
    bool reserved_is_zero;

    if (input.length < LINK_HEADER_BYTES)
        return FRAME_PARTIAL;
    length = get_u32(&r);
    type = (unsigned)get_le(&r, 1);
    reserved_is_zero = get_le(&r, 3) == 0;
    if (length > LINK_BODY_MAX || !type_is_known(type) || !reserved_is_zero)
        return FRAME_BAD;
    if (length > r.left)
        return FRAME_PARTIAL;
    out->type = (enum frame_type)type;
    out->body = get_bytes(&r, length);
    *used = LINK_HEADER_BYTES + length;
    return FRAME_WHOLE;
}
