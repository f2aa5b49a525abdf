/* SPDX-License-Identifier: MIT */
/* sync_request.c - see sync_request.h. The cursors are kept as a sorted array, not as JSON: many
 * requests wait at once, and parsed JSON is twenty times larger. */
#include "core/sync_request.h"

#include "base/memory.h"
#include "wire/json.h"
#include "wire/limits.h"

#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
    const struct sync_cursor *left = a, *right = b;
    return memcmp(left->conversation.bytes, right->conversation.bytes,
                  sizeof left->conversation.bytes);
}

static const char *read_cursors(struct sync_request *out, json_t *object)
{
    const char *key;
    json_t *value;

    _Static_assert(SYNC_CONVERSATIONS_MAX == 10000, "the reason says so");
    if (!json_is_object(object))
        return "\"cursors\" must be an object";
    if (json_object_size(object) > SYNC_CONVERSATIONS_MAX)
        return "\"cursors\" has more than 10000 members";
    out->cursors = must_calloc(json_object_size(object) + 1, sizeof *out->cursors);
    json_object_foreach(object, key, value)
    {
        struct sync_cursor *cursor = &out->cursors[out->cursor_count++];

        if (!uuid_parse(&cursor->conversation, slice_str(key)))
            return "\"cursors\" has a member that is not the id of a conversation";
        if (!json_is_integer(value) || json_integer_value(value) < 0)
            return "\"cursors\" must hold integers from 0";
        cursor->seq = (int64_t)json_integer_value(value);
    }
    qsort(out->cursors, out->cursor_count, sizeof *out->cursors, compare);
    return NULL;
}

static const char *read_limit(struct sync_request *out, const json_t *limit)
{
    _Static_assert(SYNC_LIMIT_MAX == 1000, "the reason says so");
    if (!json_is_integer(limit) || json_integer_value(limit) < 0 ||
        json_integer_value(limit) > SYNC_LIMIT_MAX)
        return "\"limit\" must be an integer from 0 to 1000";
    out->limit = (unsigned)json_integer_value(limit);
    return NULL;
}

static const char *read_view(struct sync_request *out, const json_t *view)
{
    const char *name = json_is_string(view) ? json_string_value(view) : "";

    out->folded = strcmp(name, "folded") == 0;
    return out->folded || strcmp(name, "raw") == 0 ? NULL : "\"view\" must be raw or folded";
}

bool sync_request_read(struct sync_request *out, struct slice text, const char **reason)
{
    const char *fault = NULL;
    json_t *root, *cursors, *limit, *view;

    *out = (struct sync_request){.limit = SYNC_LIMIT_DEFAULT};
    if (text.length == 0)
        return true;
    root = json_read_object(text, reason);
    if (!root)
        return false;
    cursors = json_object_get(root, "cursors");
    limit = json_object_get(root, "limit");
    view = json_object_get(root, "view");
    if (cursors)
        fault = read_cursors(out, cursors);
    if (!fault && limit)
        fault = read_limit(out, limit);
    if (!fault && view)
        fault = read_view(out, view);
    json_decref(root);
    if (fault) {
        sync_request_finish(out);
        *reason = fault;
    }
    return !fault;
}

void sync_request_finish(struct sync_request *request)
{
    free(request->cursors);
    *request = (struct sync_request){0};
}

int64_t sync_request_cursor(const struct sync_request *request, const struct uuid *conversation)
{
    const struct sync_cursor wanted = {.conversation = *conversation};
    const struct sync_cursor *found = NULL;

    if (request->cursor_count > 0)
        found = bsearch(&wanted, request->cursors, request->cursor_count, sizeof wanted, compare);
    return found ? found->seq : SYNC_NO_CURSOR;
}
