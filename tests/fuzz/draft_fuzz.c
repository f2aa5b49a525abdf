/* SPDX-License-Identifier: MIT */
/* draft_fuzz.c - a draft that is accepted survives being written and read again, and the entry made
 * of it is the JSON that clients expect. With the JSON library alone, each reads the same. */
#include "fuzz/fuzz.h"

#include "base/buf.h"
#include "base/utf8.h"
#include "wire/draft.h"
#include "wire/json.h"
#include "wire/names.h"
#include "wire/plain_draft.h"

enum { CEILING = 16 << 20 };

static void check_entry(const struct draft *d)
{
    struct entry e = {.seq = 1,
                      .from = slice_str("alice"),
                      .id = d->id,
                      .kind = d->kind,
                      .text = d->text,
                      .reply_to = d->reply_to,
                      .target = d->target};
    const char *reason;
    struct buf b;
    json_t *root;

    buf_init(&b, CEILING);
    entry_write(&b, &e);
    must(!b.failed);
    root = json_read_object(buf_slice(&b), &reason);
    must(root);
    must(slice_equal(json_member_string(root, d->kind == ENTRY_REACTION ? "emoji" : "text"),
                     d->text));
    must(json_integer_value(json_object_get(root, "target")) == d->target);
    must(slice_equal(json_member_string(root, "id"), d->id));
    json_decref(root);
    buf_finish(&b);
}

static void check_round_trip(const struct draft *d)
{
    const char *reason;
    struct draft again;
    struct buf b;

    buf_init(&b, CEILING);
    draft_write(&b, d);
    must(!b.failed);
    must(draft_parse(&again, buf_slice(&b), &reason) == CODE_OK);
    must(slice_equal(again.id, d->id) && slice_equal(again.text, d->text));
    must(again.kind == d->kind && again.reply_to == d->reply_to);
    must(again.target == d->target && again.remove == d->remove);
    draft_finish(&again);
    buf_finish(&b);
}

/* Accepted or refused, and why; and whatever could be read of it. */
static void check_json_library(struct slice input, enum code code, const char *reason,
                               const struct draft *d)
{
    const char *other_reason = NULL;
    struct draft other;

    must(draft_parse_json(&other, input, &other_reason) == code);
    must(slice_equal(slice_str(other_reason), slice_str(reason)));
    must(slice_equal(other.id, d->id) && slice_equal(other.text, d->text));
    must(other.kind == d->kind && other.reply_to == d->reply_to);
    must(other.target == d->target && other.remove == d->remove);
    draft_finish(&other);
}

/* What is plain is an object of these two strings and nothing else, if they are UTF-8. */
static void check_plain(struct slice input)
{
    struct slice id, text;
    const char *reason;
    size_t count;
    json_t *root;

    if (!plain_draft_read(input, &id, &text) || !utf8_count(id, &count) ||
        !utf8_count(text, &count))
        return;
    root = json_read_object(input, &reason);
    must(root && json_object_size(root) == 2);
    must(slice_equal(json_member_string(root, "id"), id));
    must(slice_equal(json_member_string(root, "text"), text));
    json_decref(root);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input = slice_of((const char *)data, size);
    char peeked[DRAFT_ID_MAX_BYTES + 1];
    const char *reason = NULL;
    enum code code;
    struct draft d;
    size_t count;

    check_plain(input);
    code = draft_parse(&d, input, &reason);
    must((code == CODE_OK) == !reason);
    check_json_library(input, code, reason, &d);
    must(d.id.length == 0 || draft_id_is_valid(d.id));
    draft_peek_id(input, peeked);
    if (code == CODE_OK) {
        must(utf8_count(d.text, &count) && count <= TEXT_MAX_CHARACTERS);
        must((count == 0) == (d.kind == ENTRY_DELETE) && (d.target == 0) == (d.kind == ENTRY_TEXT));
        must(peeked[0] == '\0' || slice_equal(slice_str(peeked), d.id));
        check_round_trip(&d);
        check_entry(&d);
    }
    draft_finish(&d);
    return 0;
}
