/* SPDX-License-Identifier: MIT */
/* sync_request.c - see sync_request.h. */
#include "core/sync_request.h"

#include "wire/json.h"
#include "wire/limits.h"

static bool cursors_are_good(json_t *cursors, const char **reason)
{
    const char *key;
    json_t *value;

    if (!json_is_object(cursors)) {
        *reason = "\"cursors\" must be an object";
        return false;
    }
    if (json_object_size(cursors) > SYNC_CONVERSATIONS_MAX) {
        *reason = "\"cursors\" has more than 10000 members";
        return false;
    }
    json_object_foreach(cursors, key, value)
    {
        struct uuid conversation;

        if (!uuid_parse(&conversation, slice_str(key))) {
            *reason = "\"cursors\" has a member that is not the id of a conversation";
            return false;
        }
        if (!json_is_integer(value) || json_integer_value(value) < 0) {
            *reason = "\"cursors\" must hold integers from 0";
            return false;
        }
    }
    return true;
}

bool sync_request_read(struct sync_request *out, struct slice text, const char **reason)
{
    json_t *cursors, *limit;

    *out = (struct sync_request){.limit = SYNC_LIMIT_DEFAULT};
    if (text.length == 0)
        return true;
    out->root = json_read_object(text, reason);
    if (!out->root)
        return false;
    cursors = json_object_get(out->root, "cursors");
    if (cursors && !cursors_are_good(cursors, reason))
        return false;
    limit = json_object_get(out->root, "limit");
    if (!limit)
        return true;
    if (!json_is_integer(limit) || json_integer_value(limit) < 0 ||
        json_integer_value(limit) > SYNC_LIMIT_MAX) {
        *reason = "\"limit\" must be an integer from 0 to 1000";
        return false;
    }
    out->limit = (unsigned)json_integer_value(limit);
    return true;
}

void sync_request_finish(struct sync_request *request)
{
    json_decref(request->root);
    request->root = NULL;
}

int64_t sync_request_cursor(const struct sync_request *request, const struct uuid *conversation)
{
    char id[UUID_TEXT_LENGTH + 1];
    const json_t *cursor;

    uuid_format(conversation, id);
    cursor = json_object_get(json_object_get(request->root, "cursors"), id);
    return cursor ? (int64_t)json_integer_value(cursor) : SYNC_NO_CURSOR;
}
