/* SPDX-License-Identifier: MIT */
/* post.c - taking drafts: checked as the server would, written, committed. On the thread of whoever
 * calls: when banter_post() returns the draft is in the store, and the client's thread finds it
 * there. */
#include "client/client.h"

#include "base/buf.h"
#include "base/utf8.h"
#include "base/uuid.h"
#include "client/settings.h"
#include "wire/names.h"

#include <string.h>

/* 1 to TEXT_MAX_CHARACTERS; tab and line ends are the only control characters. */
static int check_text(const char *text)
{
    size_t length = text ? strnlen(text, TEXT_MAX_BYTES + 1) : 0, count;

    if (length == 0)
        return BANTER_INVALID;
    if (length > TEXT_MAX_BYTES)
        return BANTER_TOO_LARGE;
    if (!utf8_count(slice_of(text, length), &count))
        return BANTER_INVALID;
    for (size_t i = 0; i < length; i++)
        if (((unsigned char)text[i] < ' ' && !strchr("\t\n\r", text[i])) || text[i] == 0x7f)
            return BANTER_INVALID;
    return count > TEXT_MAX_CHARACTERS ? BANTER_TOO_LARGE : BANTER_OK;
}

static int check_draft(const struct banter_draft *d)
{
    bool has_text = d->kind == BANTER_TEXT || d->kind == BANTER_EDIT;

    if (d->kind < BANTER_TEXT || d->kind > BANTER_REACTION || d->reply_to < 0)
        return BANTER_INVALID;
    if (d->id && (strnlen(d->id, BANTER_ID_SIZE) > BANTER_ID_MAX_BYTES ||
                  !draft_id_is_valid(slice_str(d->id))))
        return BANTER_INVALID;
    if (d->kind != BANTER_TEXT && d->target <= 0)
        return BANTER_INVALID;
    if (d->kind == BANTER_REACTION && (!d->emoji || !emoji_is_valid(slice_str(d->emoji))))
        return BANTER_INVALID;
    return has_text ? check_text(d->text) : BANTER_OK;
}

static void write_draft(struct buf *b, const struct banter_draft *d, const char *id)
{
    static const char *const kinds[] = {"text", "edit", "delete", "reaction"};

    buf_str(b, "{\"id\":");
    buf_json(b, slice_str(id));
    if (d->kind != BANTER_TEXT)
        buf_printf(b, ",\"kind\":\"%s\",\"target\":%lld", kinds[d->kind], (long long)d->target);
    if (d->kind == BANTER_TEXT || d->kind == BANTER_EDIT) {
        buf_str(b, ",\"text\":");
        buf_json(b, slice_str(d->text));
    }
    if (d->kind == BANTER_TEXT && d->reply_to > 0)
        buf_printf(b, ",\"reply_to\":%lld", (long long)d->reply_to);
    if (d->kind == BANTER_REACTION) {
        buf_str(b, ",\"emoji\":");
        buf_json(b, slice_str(d->emoji));
        if (d->remove)
            buf_str(b, ",\"remove\":true");
    }
    buf_char(b, '}');
}

/* The draft's own id, or a new one. */
static bool choose_id(const struct banter_draft *d, char id[BANTER_ID_SIZE])
{
    struct uuid fresh;

    if (d->id) {
        memcpy(id, d->id, strlen(d->id) + 1);
        return true;
    }
    if (!uuid_v7(&fresh))
        return false;
    uuid_format(&fresh, id);
    return true;
}

int banter_post(struct banter *b, const char *to, const struct banter_draft *draft,
                char id[BANTER_ID_SIZE])
{
    struct banter_draft d = BANTER_DRAFT_INIT;
    char chosen[BANTER_ID_SIZE];
    struct buf body;
    int error;

    if (!is_target(to) || !structure_take(&d, sizeof d, draft))
        return BANTER_INVALID;
    error = check_draft(&d);
    if (error)
        return error;
    if (!choose_id(&d, chosen))
        return BANTER_INTERNAL;
    buf_init(&body, PAYLOAD_MAX_BYTES);
    write_draft(&body, &d, chosen);
    if (body.failed)
        error = body.length > TEXT_MAX_BYTES ? BANTER_TOO_LARGE : BANTER_NO_MEMORY;
    else
        error = store_post(b->store, to, chosen, body.data, body.length, b->settings.outbox_max);
    buf_finish(&body);
    if (error)
        return error;
    if (id)
        memcpy(id, chosen, sizeof chosen);
    pthread_mutex_lock(&b->mutex);
    b->posted = true;
    pthread_mutex_unlock(&b->mutex);
    http_curl_wake(b->http);
    return BANTER_OK;
}

int banter_send(struct banter *b, const char *to, const char *text, char id[BANTER_ID_SIZE])
{
    struct banter_draft draft = BANTER_DRAFT_INIT;

    draft.text = text;
    return banter_post(b, to, &draft, id);
}
