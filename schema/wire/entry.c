/* SPDX-License-Identifier: MIT */
/* entry.c - see entry.h. */
#include "wire/entry.h"

#include "base/buf.h"
#include "base/clock.h"

#include <assert.h>

static void put_conversation(struct buf *b, const struct uuid *conversation)
{
    char text[UUID_TEXT_LENGTH + 1];

    uuid_format(conversation, text);
    buf_json_key(b, "conversation");
    buf_json(b, slice_of(text, UUID_TEXT_LENGTH));
}

static void put_seq_and_time(struct buf *b, int64_t seq, int64_t at_ms)
{
    char time[RFC3339_MS_LENGTH + 1];

    rfc3339_ms(at_ms, time);
    buf_json_key(b, "seq");
    buf_i64(b, seq);
    buf_json_key(b, "at");
    buf_json(b, slice_of(time, RFC3339_MS_LENGTH));
}

static void put_id(struct buf *b, struct slice id)
{
    if (id.length > 0) {
        buf_json_key(b, "id");
        buf_json(b, id);
    }
}

static void put_seq(struct buf *b, const char *name, int64_t seq)
{
    if (seq > 0) {
        buf_json_key(b, name);
        buf_i64(b, seq);
    }
}

/* `object` is JSON of our own making: `{"a":1}` appends `,"a":1`. */
static void splice(struct buf *b, struct slice object)
{
    assert(object.length >= 2 && object.data[0] == '{' && object.data[object.length - 1] == '}');
    if (object.length > 2) {
        buf_char(b, ',');
        buf_bytes(b, object.data + 1, object.length - 2);
    }
}

void entry_write(struct buf *b, const struct entry *e)
{
    buf_char(b, '{');
    put_conversation(b, &e->conversation);
    put_seq_and_time(b, e->seq, e->at_ms);
    buf_json_key(b, "from");
    buf_json(b, e->from);
    put_id(b, e->id);
    buf_json_key(b, "kind");
    buf_json(b, slice_str(entry_kind_name(e->kind)));
    put_seq(b, "target", e->target);
    if (e->text.length > 0) {
        buf_json_key(b, e->kind == ENTRY_REACTION ? "emoji" : "text");
        buf_json(b, e->text);
    }
    put_seq(b, "reply_to", e->reply_to);
    if (e->data.length > 0)
        splice(b, e->data);
    buf_char(b, '}');
}

void receipt_write(struct buf *b, struct slice id, const struct uuid *conversation, struct slice to,
                   int64_t seq, int64_t at_ms)
{
    buf_char(b, '{');
    put_id(b, id);
    put_conversation(b, conversation);
    if (to.length > 0) {
        buf_json_key(b, "to");
        buf_json(b, to);
    }
    put_seq_and_time(b, seq, at_ms);
    buf_char(b, '}');
}

void receipt_write_error(struct buf *b, struct slice id, struct slice target, enum code code,
                         const char *reason, int64_t retry_after_ms)
{
    buf_char(b, '{');
    put_id(b, id);
    buf_json_key(b, "conversation");
    buf_json(b, target);
    buf_json_key(b, "error");
    buf_char(b, '{');
    buf_json_key(b, "code");
    buf_json(b, slice_str(code_name(code)));
    buf_json_key(b, "reason");
    buf_json(b, slice_str(reason));
    if (retry_after_ms >= 0) {
        buf_json_key(b, "retry_after_ms");
        buf_i64(b, retry_after_ms);
    }
    buf_str(b, "}}");
}

const char *entry_kind_name(enum entry_kind kind)
{
    switch (kind) {
    case ENTRY_TEXT:
        return "text";
    case ENTRY_EDIT:
        return "edit";
    case ENTRY_DELETE:
        return "delete";
    case ENTRY_REACTION:
        return "reaction";
    case ENTRY_CREATED:
        return "created";
    case ENTRY_MEMBERS_ADDED:
        return "members_added";
    case ENTRY_MEMBER_REMOVED:
        return "member_removed";
    case ENTRY_MEMBER_LEFT:
        return "member_left";
    case ENTRY_RENAMED:
        return "renamed";
    case ENTRY_ROLE_CHANGED:
        return "role_changed";
    case ENTRY_MODIFIED:
        return "modified";
    case ENTRY_JOINED:
        return "joined";
    case ENTRY_MEMBER_ERASED:
        return "member_erased";
    }
    return "unknown"; /* stored by a newer version */
}

const char *conversation_kind_name(enum conversation_kind kind)
{
    switch (kind) {
    case CONVERSATION_DIRECT:
        return "direct";
    case CONVERSATION_GROUP:
        return "group";
    case CONVERSATION_CHANNEL:
        return "channel";
    }
    return "unknown";
}

const char *role_name(enum role role)
{
    switch (role) {
    case ROLE_NONE:
        return "none";
    case ROLE_READER:
        return "reader";
    case ROLE_MEMBER:
        return "member";
    case ROLE_ADMIN:
        return "admin";
    case ROLE_OWNER:
        return "owner";
    }
    return "unknown";
}
