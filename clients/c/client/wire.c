/* SPDX-License-Identifier: MIT */
/* wire.c - see wire.h. What is unknown or broken is passed over, as the contract asks. */
#include "client/wire.h"

#include "base/uuid.h"
#include "client/json.h"

#include <string.h>

static bool is_conversation(const char *text)
{
    struct uuid id;

    return text && uuid_parse(&id, slice_str(text));
}

bool wire_entry(const json_t *json, struct banter_entry *out)
{
    *out = (struct banter_entry){
        .conversation = json_text_of(json, "conversation"),
        .seq = json_count_of(json, "seq"),
        .at = json_text_of(json, "at"),
        .from = json_text_of(json, "from"),
        .kind = json_text_of(json, "kind"),
        .id = json_text_of(json, "id"),
        .text = json_text_of(json, "text"),
        .emoji = json_text_of(json, "emoji"),
        .reply_to = json_count_of(json, "reply_to"),
        .target = json_count_of(json, "target"),
        .remove = json_truth_of(json, "remove"),
        .deleted = json_truth_of(json, "deleted"),
    };
    return is_conversation(out->conversation) && out->seq > 0 && out->seq < INT64_MAX && out->at &&
           out->from && out->kind;
}

json_t *wire_entry_of_draft(const char *draft, size_t length, const char *from,
                            const struct banter_receipt *receipt)
{
    int error;
    json_t *entry = json_read(draft, length, &error);

    if (!entry)
        return NULL;
    if (json_put_text(entry, "conversation", receipt->conversation) &&
        json_put_count(entry, "seq", receipt->seq) && json_put_text(entry, "at", receipt->at) &&
        json_put_text(entry, "from", from) &&
        (json_text_of(entry, "kind") || json_put_text(entry, "kind", "text")))
        return entry;
    json_decref(entry);
    return NULL;
}

struct failure wire_failure(const json_t *error)
{
    const char *reason = json_text_of(error, "reason");
    struct failure f = failure_make(error_of_name(json_text_of(error, "code")),
                                    reason ? reason : json_text_of(error, "detail"));
    int64_t retry_after = json_count_of(error, "retry_after_ms");

    f.is_banters = json_text_of(error, "code") != NULL;
    f.retry_after_ms = retry_after > 0 ? (uint64_t)retry_after : 0;
    return f;
}

bool wire_receipt(const json_t *json, struct banter_receipt *out, const char **to,
                  struct failure *f)
{
    const json_t *error = json_object_get(json, "error");

    *f = no_failure;
    *out = (struct banter_receipt){
        .id = json_text_of(json, "id"),
        .conversation = json_text_of(json, "conversation"),
    };
    *to = json_text_of(json, "to");
    if (!*to)
        *to = out->conversation;
    if (!out->id || !out->conversation)
        return false;
    if (error) {
        *f = wire_failure(error);
        out->error = f->error;
        out->reason = f->reason;
        return true;
    }
    out->seq = json_count_of(json, "seq");
    out->at = json_text_of(json, "at");
    return out->seq > 0 && out->at && is_conversation(out->conversation);
}

bool wire_chat_topic(const char *topic, char conversation[CONVERSATION_SIZE], const char **below)
{
    static const char prefix[] = "chat/";
    const char *id = topic + sizeof prefix - 1;

    if (strncmp(topic, prefix, sizeof prefix - 1) != 0 ||
        strnlen(id, CONVERSATION_LENGTH) < CONVERSATION_LENGTH)
        return false;
    memcpy(conversation, id, CONVERSATION_LENGTH);
    conversation[CONVERSATION_LENGTH] = '\0';
    *below = id + CONVERSATION_LENGTH;
    return (**below == '\0' || **below == '/') && is_conversation(conversation);
}
