/* SPDX-License-Identifier: MIT */
/* news.c - see news.h. A table says which fields each type of news has; the writer and the reader
 * both go by it. The reader runs off the end stickily, as frame_read.c does. */
#include "core/cluster/news.h"

#include "base/hash.h"
#include "wire/limits.h"
#include "wire/names.h"

#include <assert.h>
#include <string.h>

enum field {
    FIELD_CONVERSATION = 1,
    FIELD_UID = 2,
    FIELD_SEQ = 4,
    FIELD_AT = 8,
    FIELD_EPOCH = 16,
    FIELD_HANDLE = 32,
    FIELD_DEVICE = 64,
    FIELD_PERSON = 128,
    FIELD_KICK = 256,
};

static const uint16_t fields_of[NEWS_LAST + 1] = {
    [NEWS_HEAD] = FIELD_CONVERSATION | FIELD_SEQ,
    [NEWS_MEMBER] = FIELD_CONVERSATION | FIELD_UID | FIELD_SEQ,
    [NEWS_ENDED] = FIELD_CONVERSATION,
    [NEWS_PROFILE] = FIELD_UID,
    [NEWS_REVOKED] = FIELD_CONVERSATION | FIELD_UID | FIELD_AT,
    [NEWS_PERSON] = FIELD_UID | FIELD_HANDLE | FIELD_PERSON,
    [NEWS_ROW] = FIELD_UID | FIELD_HANDLE | FIELD_PERSON,
    [NEWS_DEVICE] = FIELD_UID | FIELD_DEVICE | FIELD_EPOCH,
    [NEWS_UNSURE] = 0,
    [NEWS_KICK] = FIELD_UID | FIELD_KICK,
};

enum {
    STATE_MAX = 3, /* SHOWN_ONLINE */
    WORD_MAX_LENGTH = 32,
};

struct reader {
    const unsigned char *at;
    size_t left;
    bool failed;
};

static struct reader reader_of(struct slice s)
{
    return (struct reader){(const unsigned char *)s.data, s.length, false};
}

static struct slice rest_of(const struct reader *r)
{
    return slice_of((const char *)r->at, r->left);
}

static struct slice get_bytes(struct reader *r, size_t length)
{
    struct slice s = slice_of((const char *)r->at, length);

    if (r->failed || length > r->left) {
        r->failed = true;
        return slice_of(NULL, 0);
    }
    if (length > 0)
        r->at += length;
    r->left -= length;
    return s;
}

static uint64_t get_le(struct reader *r, size_t width)
{
    struct slice s = get_bytes(r, width);
    uint64_t value = 0;

    for (size_t i = 0; i < s.length; i++)
        value |= (uint64_t)(unsigned char)s.data[i] << (8 * i);
    return value;
}

static bool get_bool(struct reader *r)
{
    uint64_t value = get_le(r, 1);

    if (value > 1)
        r->failed = true;
    return value == 1;
}

static struct slice get_string(struct reader *r)
{
    return get_bytes(r, (size_t)get_le(r, 1));
}

static struct uuid get_uuid(struct reader *r)
{
    struct slice s = get_bytes(r, sizeof(struct uuid));
    struct uuid u = {{0}};

    if (s.length > 0)
        memcpy(u.bytes, s.data, sizeof u.bytes);
    return u;
}

static struct node_id get_node(struct reader *r)
{
    struct node_id id = {.incarnation = 0};
    struct slice name = get_string(r);

    if (name.length == 0 || name.length > CLUSTER_NAME_MAX || memchr(name.data, 0, name.length))
        r->failed = true;
    else
        memcpy(id.name, name.data, name.length);
    id.incarnation = get_le(r, 8);
    return id;
}

static void put_string(struct buf *b, struct slice s)
{
    assert(s.length <= UINT8_MAX);
    buf_le8(b, (uint8_t)s.length);
    buf_slice_put(b, s);
}

static void put_node(struct buf *b, const struct node_id *id)
{
    put_string(b, slice_str(id->name));
    buf_le64(b, id->incarnation);
}

bool node_id_equal(const struct node_id *a, const struct node_id *b)
{
    return a->incarnation == b->incarnation && strcmp(a->name, b->name) == 0;
}

void message_begin(struct buf *b, enum message_kind kind, const struct node_id *from)
{
    assert(b->length == 0);
    buf_le64(b, 0); /* the seal */
    buf_le8(b, CLUSTER_VERSION);
    buf_le8(b, (uint8_t)kind);
    put_node(b, from);
}

void message_seal(struct buf *b, const struct cluster_key *key)
{
    uint64_t tag;

    if (b->failed)
        return;
    tag = siphash24(key->bytes, b->data + CLUSTER_TAG_BYTES, b->length - CLUSTER_TAG_BYTES);
    for (size_t i = 0; i < CLUSTER_TAG_BYTES; i++)
        b->data[i] = (char)(tag >> (8 * i) & 0xff);
}

bool message_open(struct slice bytes, const struct cluster_key *key, struct message *out)
{
    struct reader r = reader_of(bytes);
    uint64_t tag = get_le(&r, CLUSTER_TAG_BYTES);
    uint64_t version, kind;

    if (r.failed || tag != siphash24(key->bytes, r.at, r.left))
        return false;
    version = get_le(&r, 1);
    kind = get_le(&r, 1);

    out->from = get_node(&r);
    if (r.failed || version != CLUSTER_VERSION || kind < MESSAGE_BEAT || kind > MESSAGE_ABOUT)
        return false;
    out->kind = (enum message_kind)kind;
    out->body = rest_of(&r);
    return true;
}

void beat_write(struct buf *b, uint64_t first, uint64_t number)
{
    buf_le64(b, first);
    buf_le64(b, number);
}

bool beat_read(struct slice body, struct beat *out)
{
    struct reader r = reader_of(body);

    out->first = get_le(&r, 8);
    out->number = get_le(&r, 8);
    out->applied = rest_of(&r);
    return !r.failed;
}

void applied_write(struct buf *b, const struct applied *a)
{
    put_node(b, &a->node);
    buf_le64(b, a->number);
}

bool applied_next(struct slice *rest, struct applied *out)
{
    struct reader r = reader_of(*rest);

    if (rest->length == 0)
        return false;
    out->node = get_node(&r);
    out->number = get_le(&r, 8);
    *rest = rest_of(&r);
    return !r.failed;
}

void bulletin_write(struct buf *b, uint64_t number, bool urgent, struct slice news)
{
    buf_le64(b, number);
    buf_le8(b, urgent);
    buf_slice_put(b, news);
}

bool bulletin_read(struct slice body, struct bulletin *out)
{
    struct reader r = reader_of(body);

    out->number = get_le(&r, 8);
    out->urgent = get_bool(&r);
    out->news = rest_of(&r);
    return !r.failed;
}

void bulletin_pack(struct buf *b, uint64_t number, bool urgent, struct slice news)
{
    buf_le32(b, (uint32_t)(8 + 1 + news.length));
    bulletin_write(b, number, urgent, news);
}

bool bulletin_unpack(struct slice *rest, struct bulletin *out)
{
    struct reader r = reader_of(*rest);
    struct slice body = get_bytes(&r, (size_t)get_le(&r, 4));

    *rest = rest_of(&r);
    return !r.failed && bulletin_read(body, out);
}

void roll_write(struct buf *b, uint32_t page, bool last, struct slice news)
{
    buf_le32(b, page);
    buf_le8(b, last);
    buf_slice_put(b, news);
}

bool roll_read(struct slice body, struct roll *out)
{
    struct reader r = reader_of(body);

    out->page = (uint32_t)get_le(&r, 4);
    out->last = get_bool(&r);
    out->news = rest_of(&r);
    return !r.failed;
}

static void put_person(struct buf *b, const struct person_news *p)
{
    buf_le8(b, p->state);
    buf_le8(b, p->here);
    buf_le8(b, p->hidden);
    buf_le8(b, p->discreet);
    buf_le64(b, (uint64_t)p->said_ms);
    buf_le64(b, (uint64_t)p->seen_ms);
}

static struct person_news get_person(struct reader *r)
{
    struct person_news p;

    p.state = (uint8_t)get_le(r, 1);
    p.here = get_bool(r);
    p.hidden = get_bool(r);
    p.discreet = get_bool(r);
    p.said_ms = (int64_t)get_le(r, 8);
    p.seen_ms = (int64_t)get_le(r, 8);
    if (p.state < 1 || p.state > STATE_MAX)
        r->failed = true;
    return p;
}

void news_write(struct buf *b, const struct news *n)
{
    unsigned fields = fields_of[n->type];

    buf_le8(b, (uint8_t)n->type);
    if (fields & FIELD_CONVERSATION)
        buf_bytes(b, n->conversation.bytes, sizeof n->conversation.bytes);
    if (fields & FIELD_UID)
        buf_le64(b, n->uid);
    if (fields & FIELD_SEQ)
        buf_le64(b, (uint64_t)n->seq);
    if (fields & FIELD_AT)
        buf_le64(b, (uint64_t)n->at_ms);
    if (fields & FIELD_EPOCH)
        buf_le64(b, n->epoch);
    if (fields & FIELD_HANDLE)
        put_string(b, n->handle);
    if (fields & FIELD_DEVICE)
        put_string(b, n->device);
    if (fields & FIELD_PERSON)
        put_person(b, &n->person);
    if (fields & FIELD_KICK) {
        put_string(b, n->device);
        put_string(b, n->word);
    }
}

/* One word for a person's eyes, and no more. */
static bool is_word(struct slice text)
{
    for (size_t i = 0; i < text.length; i++) {
        if ((text.data[i] < 'a' || text.data[i] > 'z') && text.data[i] != '_')
            return false;
    }
    return text.length > 0 && text.length <= WORD_MAX_LENGTH;
}

static void get_fields(struct reader *r, unsigned fields, struct news *out)
{
    if (fields & FIELD_CONVERSATION)
        out->conversation = get_uuid(r);
    if (fields & FIELD_UID)
        out->uid = get_le(r, 8);
    if (fields & FIELD_SEQ)
        out->seq = (int64_t)get_le(r, 8);
    if (fields & FIELD_AT)
        out->at_ms = (int64_t)get_le(r, 8);
    if (fields & FIELD_EPOCH)
        out->epoch = get_le(r, 8);
    if (fields & FIELD_HANDLE) {
        out->handle = get_string(r);
        r->failed = r->failed || !handle_is_valid(out->handle);
    }
    if (fields & FIELD_DEVICE) {
        out->device = get_string(r);
        r->failed = r->failed || !device_is_valid(out->device);
    }
    if (fields & FIELD_PERSON)
        out->person = get_person(r);
    if (fields & FIELD_KICK) {
        out->device = get_string(r);
        out->word = get_string(r);
        r->failed = r->failed || !is_word(out->word) ||
                    (out->device.length > 0 && !device_is_valid(out->device));
    }
}

bool news_next(struct slice *rest, struct news *out, bool *malformed)
{
    struct reader r = reader_of(*rest);
    uint64_t type;

    *malformed = false;
    if (rest->length == 0)
        return false;
    *out = (struct news){0};
    type = get_le(&r, 1);
    if (type < NEWS_HEAD || type > NEWS_LAST) {
        *malformed = true;
        return false;
    }
    out->type = (enum news_type)type;
    get_fields(&r, fields_of[type], out);
    *rest = rest_of(&r);
    *malformed = r.failed;
    return !r.failed;
}
