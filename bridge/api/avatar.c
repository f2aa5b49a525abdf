/* SPDX-License-Identifier: MIT */
/* avatar.c - pictures of users over HTTP.
 *
 * Whoever opens the address of a picture must not be able to run anything: the type is what the
 * bytes were found to be, never what somebody said, and a sandbox closes around them. */
#include "core/avatars.h"

#include "api/routes.h"
#include "wire/names.h"

#include <stdio.h>

enum { TAG_LENGTH = UUID_TEXT_LENGTH + 2 };

/* The picture that a device says it has: `If-None-Match: "…"`, one of our own tags. */
static bool read_known(struct call *c, struct uuid *known)
{
    struct slice tag = slice_str(http_request_header(c->request, "If-None-Match"));

    return tag.length == TAG_LENGTH && tag.data[0] == '"' && tag.data[TAG_LENGTH - 1] == '"' &&
           uuid_parse(known, slice_of(tag.data + 1, UUID_TEXT_LENGTH));
}

static void put_headers(struct call *c, const struct avatar *avatar)
{
    char tag[TAG_LENGTH + 1];
    char id[UUID_TEXT_LENGTH + 1];

    uuid_format(&avatar->id, id);
    snprintf(tag, sizeof tag, "\"%s\"", id);
    http_reply_header(c->request, "ETag", tag);
    http_reply_header(c->request, "Cache-Control", "private, no-cache");
    http_reply_header(c->request, "Content-Disposition", "inline");
    http_reply_header(c->request, "Content-Security-Policy",
                      "default-src 'none'; frame-ancestors 'none'; sandbox");
}

static void on_got(void *owner, enum code code, const char *reason, const struct avatar *avatar)
{
    struct call *c = owner;
    struct buf bytes;

    if (code != CODE_OK) {
        call_refuse(c, code, reason);
        return;
    }
    put_headers(c, avatar);
    if (avatar->bytes.length == 0) { /* as known */
        http_reply(c->request, 304, NULL, NULL);
        return;
    }
    buf_init(&bytes, CALL_ANSWER_MAX_BYTES);
    buf_slice_put(&bytes, avatar->bytes);
    http_reply(c->request, 200, image_media_type(avatar->type), &bytes);
}

static void get(struct call *c, struct slice handle)
{
    struct uuid known;
    bool is_known = read_known(c, &known);

    avatars_get(c->core->avatars, handle, is_known ? &known : NULL, on_got, c);
}

void handle_own_avatar(struct call *c)
{
    get(c, c->actor.handle);
}

void handle_avatar(struct call *c)
{
    struct slice handle = slice_str(c->parameter);

    if (handle_is_valid(handle))
        get(c, handle);
    else
        call_refuse(c, CODE_NOT_FOUND, "there is no such user");
}

static void on_set(void *owner, enum code code, const char *reason, const struct avatar *avatar)
{
    struct call *c = owner;
    char id[UUID_TEXT_LENGTH + 1];
    struct buf json;

    if (code == CODE_INVALID) {
        http_problem(c->request, 415, code, reason);
        return;
    }
    if (code != CODE_OK) {
        call_refuse(c, code, reason);
        return;
    }
    uuid_format(&avatar->id, id);
    buf_init(&json, CALL_ANSWER_MAX_BYTES);
    buf_char(&json, '{');
    buf_json_key(&json, "avatar");
    buf_json(&json, slice_of(id, UUID_TEXT_LENGTH));
    buf_json_key(&json, "type");
    buf_json(&json, slice_str(image_media_type(avatar->type)));
    buf_char(&json, '}');
    call_answer(c, 200, &json);
}

void handle_set_avatar(struct call *c)
{
    avatars_set(c->core->avatars, c->actor.uid, http_request_body(c->request), on_set, c);
}

static void on_removed(void *owner, enum code code, const char *reason, const struct avatar *avatar)
{
    struct call *c = owner;

    (void)avatar;
    if (code == CODE_OK)
        http_reply(c->request, 204, NULL, NULL);
    else
        call_refuse(c, code, reason);
}

void handle_remove_avatar(struct call *c)
{
    avatars_remove(c->core->avatars, c->actor.uid, on_removed, c);
}
