/* SPDX-License-Identifier: MIT */
/* draft.c - see draft.h. The id is read before anything can go wrong, so that a refusal names it.
 */
#include "wire/draft.h"

#include "base/buf.h"
#include "base/utf8.h"
#include "wire/json.h"
#include "wire/names.h"
#include "wire/plain_draft.h"

#include <string.h>

/* Spaces and line ends are text; the other C0 controls have no meaning in a message. */
static bool has_forbidden_control(struct slice text)
{
    for (size_t i = 0; i < text.length; i++) {
        unsigned char c = (unsigned char)text.data[i];

        if (c < 0x20 && c != '\n' && c != '\t' && c != '\r')
            return true;
    }
    return false;
}

static enum code refuse(const char **reason, const char *sentence)
{
    *reason = sentence;
    return CODE_INVALID;
}

static enum code read_id(struct draft *out, const json_t *root, const char **reason)
{
    struct slice id = json_member_string(root, "id");

    if (!id.data)
        return refuse(reason, "id must be a string");
    if (!draft_id_is_valid(id))
        return refuse(reason, "id must have 1 to 64 characters, none of them a control character");
    out->id = id;
    return CODE_OK;
}

static enum code read_kind(struct draft *out, const json_t *root, const char **reason)
{
    static const enum entry_kind kinds[] = {ENTRY_TEXT, ENTRY_EDIT, ENTRY_DELETE, ENTRY_REACTION};
    const json_t *kind = json_object_get(root, "kind");

    if (!kind)
        return CODE_OK; /* a text, as draft_parse() has it */
    if (!json_is_string(kind))
        return refuse(reason, "kind must be a string");
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(json_string_value(kind), entry_kind_name(kinds[i])) == 0) {
            out->kind = kinds[i];
            return CODE_OK;
        }
    }
    return refuse(reason, "unknown kind");
}

static enum code read_text(struct draft *out, const json_t *root, const char **reason)
{
    struct slice text = json_member_string(root, "text");
    size_t count;

    if (!text.data)
        return refuse(reason, "text must be a string");
    if (text.length == 0)
        return refuse(reason, "text is empty");
    if (!utf8_count(text, &count))
        return refuse(reason, "text is not valid UTF-8");
    if (count > TEXT_MAX_CHARACTERS) {
        *reason = "text has more than 100000 characters";
        return CODE_TOO_LARGE;
    }
    if (has_forbidden_control(text))
        return refuse(reason, "text has a control character other than tab and line ends");
    out->text = text;
    return CODE_OK;
}

static enum code read_reply_to(struct draft *out, const json_t *root, const char **reason)
{
    const json_t *reply_to = json_object_get(root, "reply_to");

    if (!reply_to)
        return CODE_OK;
    if (!json_is_integer(reply_to) || json_integer_value(reply_to) < 1)
        return refuse(reason, "reply_to must be an integer of at least 1");
    out->reply_to = json_integer_value(reply_to);
    return CODE_OK;
}

static enum code read_target(struct draft *out, const json_t *root, const char **reason)
{
    const json_t *target = json_object_get(root, "target");

    if (!json_is_integer(target) || json_integer_value(target) < 1)
        return refuse(reason, "target must be an integer of at least 1");
    out->target = json_integer_value(target);
    return CODE_OK;
}

static enum code read_emoji(struct draft *out, const json_t *root, const char **reason)
{
    struct slice emoji = json_member_string(root, "emoji");

    if (!emoji.data)
        return refuse(reason, "emoji must be a string");
    if (!emoji_is_valid(emoji))
        return refuse(reason,
                      "emoji must have 1 to 8 characters, none of them a control character");
    out->text = emoji;
    return CODE_OK;
}

static enum code read_remove(struct draft *out, const json_t *root, const char **reason)
{
    const json_t *remove = json_object_get(root, "remove");

    if (remove && !json_is_boolean(remove))
        return refuse(reason, "remove must be true or false");
    out->remove = json_is_true(remove);
    return CODE_OK;
}

typedef enum code reader_fn(struct draft *, const json_t *, const char **);

enum { READERS_MAX = 3 };

/* What each kind has beside id and kind, in the order in which faults are told. */
static reader_fn *const readers_of[][READERS_MAX] = {
    [ENTRY_TEXT] = {read_text, read_reply_to},
    [ENTRY_EDIT] = {read_target, read_text},
    [ENTRY_DELETE] = {read_target},
    [ENTRY_REACTION] = {read_target, read_emoji, read_remove},
};

static enum code read_members(struct draft *out, const json_t *root, const char **reason)
{
    enum code code = read_id(out, root, reason);

    if (code == CODE_OK)
        code = read_kind(out, root, reason);
    for (size_t i = 0; code == CODE_OK && i < READERS_MAX && readers_of[out->kind][i]; i++)
        code = readers_of[out->kind][i](out, root, reason);
    return code;
}

/* What can still be learned of a payload that did not parse. */
static void peek_id(struct draft *out, struct slice json)
{
    char id[DRAFT_ID_MAX_BYTES + 1];
    json_t *copy;

    draft_peek_id(json, id);
    copy = id[0] ? json_string(id) : NULL;
    if (!copy)
        return;
    out->owner = copy;
    out->id = slice_of(json_string_value(copy), json_string_length(copy));
}

enum code draft_parse_json(struct draft *out, struct slice json, const char **reason)
{
    json_t *root;

    *out = (struct draft){.kind = ENTRY_TEXT};
    root = json_read_object(json, reason);
    if (!root) {
        peek_id(out, json);
        return json.length > PAYLOAD_MAX_BYTES ? CODE_TOO_LARGE : CODE_INVALID;
    }
    out->owner = root;
    return read_members(out, root, reason);
}

/* A text without anything to refuse. A plain string has no control character to look for. */
static bool read_plain(struct draft *out, struct slice json)
{
    struct slice id, text;
    size_t count;

    if (json.length > PAYLOAD_MAX_BYTES || !plain_draft_read(json, &id, &text) ||
        !draft_id_is_valid(id) || text.length == 0 || !utf8_count(text, &count) ||
        count > TEXT_MAX_CHARACTERS)
        return false;
    *out = (struct draft){.id = id, .kind = ENTRY_TEXT, .text = text};
    return true;
}

enum code draft_parse(struct draft *out, struct slice json, const char **reason)
{
    return read_plain(out, json) ? CODE_OK : draft_parse_json(out, json, reason);
}

void draft_finish(struct draft *d)
{
    json_decref(d->owner);
    *d = (struct draft){0};
}

void draft_peek_id(struct slice json, char id[DRAFT_ID_MAX_BYTES + 1])
{
    json_peek_string(json, "id", id, DRAFT_ID_MAX_BYTES);
    if (!draft_id_is_valid(slice_str(id)))
        id[0] = '\0';
}

static void put_seq(struct buf *b, const char *name, int64_t seq)
{
    if (seq > 0) {
        buf_json_key(b, name);
        buf_i64(b, seq);
    }
}

void draft_write(struct buf *b, const struct draft *d)
{
    buf_char(b, '{');
    buf_json_key(b, "id");
    buf_json(b, d->id);
    if (d->kind != ENTRY_TEXT) {
        buf_json_key(b, "kind");
        buf_json(b, slice_str(entry_kind_name(d->kind)));
    }
    put_seq(b, "target", d->target);
    if (d->text.length > 0) {
        buf_json_key(b, d->kind == ENTRY_REACTION ? "emoji" : "text");
        buf_json(b, d->text);
    }
    put_seq(b, "reply_to", d->reply_to);
    if (d->remove) {
        buf_json_key(b, "remove");
        buf_str(b, "true");
    }
    buf_char(b, '}');
}
