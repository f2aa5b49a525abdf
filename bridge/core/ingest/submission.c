/* SPDX-License-Identifier: MIT */
/* submission.c - one draft on its way through the writer. It is one piece of memory; the parsed
 * JSON is let go at once. */
#include "core/ingest/submission.h"

#include "base/hash.h"
#include "base/log_fields.h"
#include "base/memory.h"
#include "wire/draft.h"
#include "wire/names.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* A slice that limits have been checked for, into an array with room for its NUL. */
static void copy_name(char *to, size_t capacity, struct slice from)
{
    assert(from.length < capacity);
    if (from.length > 0)
        memcpy(to, from.data, from.length);
    to[from.length] = '\0';
}

static bool resolve_target(struct submission *s, struct slice target)
{
    if (target.length == 0 || target.data[0] != '@')
        return uuid_parse(&s->conversation, target);

    struct slice other = slice_of(target.data + 1, target.length - 1);
    if (!handle_is_valid(other))
        return false;
    copy_name(s->other, sizeof s->other, other);
    s->conversation = direct_conversation_id(slice_str(s->handle), other);
    return true;
}

/* All of it under the key: whoever sends drafts chooses their ids, and conversations as well, which
 * need not exist. */
static uint64_t hash_of_name(const struct submission *s)
{
    struct {
        struct uuid conversation;
        uint64_t uid;
        char id[DRAFT_ID_MAX_BYTES];
    } name = {.conversation = s->conversation, .uid = s->uid};

    assert(s->id.length <= sizeof name.id);
    memcpy(name.id, s->id.data, s->id.length);
    return hash_bytes(&name, sizeof name - sizeof name.id + s->id.length);
}

struct submission *submission_create(const struct ingest_draft *draft, ingest_done_fn *done,
                                     void *owner)
{
    struct draft parsed;
    const char *reason = NULL;
    enum code code = draft_parse(&parsed, draft->json, &reason);
    size_t size = sizeof(struct submission) + parsed.id.length + parsed.text.length;
    struct submission *s = must_calloc(1, size);
    char *body = (char *)(s + 1);

    if (parsed.id.length > 0)
        memcpy(body, parsed.id.data, parsed.id.length);
    s->id = slice_of(body, parsed.id.length);
    body += parsed.id.length;
    if (parsed.text.length > 0)
        memcpy(body, parsed.text.data, parsed.text.length);
    s->text = slice_of(body, parsed.text.length);
    s->kind = parsed.kind;
    s->reply_to = parsed.reply_to;
    s->target = parsed.target;
    s->remove = parsed.remove;
    draft_finish(&parsed);

    s->uid = draft->uid;
    copy_name(s->handle, sizeof s->handle, draft->handle);
    copy_name(s->device, sizeof s->device, draft->device);
    s->size = size;
    s->done = done;
    s->owner = owner;
    bool resolved = resolve_target(s, draft->target); /* a refusal has its place there, too */
    s->name_hash = hash_of_name(s);
    if (code != CODE_OK)
        submission_refuse(s, code, reason);
    else if (!resolved)
        submission_refuse(s, CODE_NOT_FOUND, "no such conversation or user");
    return s;
}

void submission_destroy(struct submission *s)
{
    free(s);
}

void submission_reset(struct submission *s)
{
    s->twin = NULL;
    s->erased = false;
    s->is_direct = false;
}

void submission_refuse(struct submission *s, enum code code, const char *reason)
{
    s->judged = true;
    s->outcome = (struct ingest_outcome){.code = code, .reason = reason};
}

void submission_describe(const struct submission *s, struct log_fields *fields)
{
    char conversation[UUID_TEXT_LENGTH + 1];

    uuid_format(&s->conversation, conversation);
    log_field(fields, "user", slice_str(s->handle));
    log_field(fields, "device", slice_str(s->device));
    log_field(fields, "conversation", slice_str(conversation));
    log_field(fields, "draft", s->id);
}

struct slice submission_data(const struct submission *s)
{
    return s->remove ? slice_str(ENTRY_DATA_REMOVE) : slice_of(NULL, 0);
}

bool submission_same_body(const struct submission *a, const struct submission *b)
{
    return a->kind == b->kind && a->reply_to == b->reply_to && a->target == b->target &&
           a->remove == b->remove && slice_equal(a->text, b->text);
}

static uint64_t hash_name(const void *key)
{
    return ((const struct submission *)key)->name_hash;
}

static bool equal_names(const void *a_key, const void *b_key)
{
    const struct submission *a = a_key;
    const struct submission *b = b_key;

    return a->uid == b->uid && uuid_equal(&a->conversation, &b->conversation) &&
           slice_equal(a->id, b->id);
}

static const void *name_of(const void *item)
{
    return item;
}

const struct map_type submission_by_name = {
    .hash = hash_name, .equal = equal_names, .key_of = name_of};
