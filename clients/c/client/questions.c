/* SPDX-License-Identifier: MIT */
/* questions.c - what programs ask the server through a client: commands, and pages of a log. */
#include "client/client.h"

#include "base/buf.h"
#include "client/json.h"
#include "client/settings.h"
#include "client/wire.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    COMMAND_MAX_BYTES = PACKET_MAX_BYTES - 64,
    MEMBERS_MAX = 1000000,
    PATH_SIZE = 256,
};

/* ---- commands ---- */

static void commanded(void *owner, const struct failure *f, json_t *json, const char *text)
{
    struct request *r = owner;
    const json_t *response = json_array_get(json_object_get(json, "responses"), 0);
    const json_t *error = json_object_get(response, "error"),
                 *data = json_object_get(response, "data");
    struct banter_result result = {.json = "{}"};
    struct failure why = *f;
    char *dumped = NULL;

    (void)text;
    if (!why.error && !response)
        why = failure_make(BANTER_INTERNAL, "the answer has no response");
    else if (!why.error && error)
        why = wire_failure(error);
    if (!why.error && data) {
        dumped = json_dumps(data, JSON_COMPACT);
        result.json = dumped;
        if (!dumped)
            why = failure_make(BANTER_NO_MEMORY, NULL);
    }
    if (why.error)
        request_fail(r, &why);
    else
        request_end(r, &result);
    free(dumped);
}

static int command(struct request *r)
{
    struct buf body;

    buf_init(&body, PACKET_MAX_BYTES);
    buf_str(&body, "{\"commands\":[");
    buf_str(&body, r->text[0]);
    buf_str(&body, "]}");
    return api_call(r->b->engine.api, "POST", "/v1/control", &body, API_SMALL, commanded, r);
}

static int command_later(struct banter *b, const char *json, banter_done_fn *done, void *owner)
{
    struct request *r = request_make(b, command);

    if (!r)
        return BANTER_NO_MEMORY;
    r->done = done;
    r->owner = owner;
    if (request_take(r, 0, json))
        return request_submit(r);
    request_free(r);
    return BANTER_NO_MEMORY;
}

int banter_command(struct banter *b, const char *json, banter_done_fn *done, void *owner)
{
    int error = BANTER_INVALID;
    json_t *read;
    bool is_command;

    if (!is_text(json, COMMAND_MAX_BYTES))
        return BANTER_INVALID;
    read = json_read(json, strlen(json), &error);
    is_command = json_text_of(read, "command") != NULL;
    json_decref(read);
    if (!is_command)
        return !read && error == BANTER_NO_MEMORY ? error : BANTER_INVALID;
    return command_later(b, json, done, owner);
}

/* ---- those that have a function ---- */

static void begin_command(struct buf *b, const char *name)
{
    buf_init(b, COMMAND_MAX_BYTES);
    buf_printf(b, "{\"command\":\"%s\"", name);
}

static void add_text(struct buf *b, const char *name, const char *text)
{
    buf_json_key(b, name);
    buf_json(b, slice_str(text));
}

static bool are_handles(const char *const *members, size_t count)
{
    if (count > MEMBERS_MAX || (count > 0 && !members))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!is_handle(members[i]))
            return false;
    return true;
}

static void add_members(struct buf *b, const char *const *members, size_t count)
{
    buf_json_key(b, "members");
    buf_char(b, '[');
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_char(b, ',');
        buf_json(b, slice_str(members[i]));
    }
    buf_char(b, ']');
}

static int end_command(struct banter *b, struct buf *body, banter_done_fn *done, void *owner)
{
    int error;

    buf_char(body, '}');
    if (body->failed) /* a body of more than half its room was long, else memory ran out */
        error = body->length > COMMAND_MAX_BYTES / 2 ? BANTER_TOO_LARGE : BANTER_NO_MEMORY;
    else
        error = command_later(b, body->data, done, owner);
    buf_finish(body);
    return error;
}

int banter_create_group(struct banter *b, const char *title, const char *const *members,
                        size_t member_count, banter_done_fn *done, void *owner)
{
    struct buf body;

    if ((title && !is_text(title, COMMAND_MAX_BYTES / 8)) || !are_handles(members, member_count))
        return BANTER_INVALID;
    begin_command(&body, "createGroup");
    if (title)
        add_text(&body, "title", title);
    add_members(&body, members, member_count);
    return end_command(b, &body, done, owner);
}

int banter_create_direct(struct banter *b, const char *handle, banter_done_fn *done, void *owner)
{
    struct buf body;

    if (!is_handle(handle))
        return BANTER_INVALID;
    begin_command(&body, "createDirect");
    add_text(&body, "user", handle);
    return end_command(b, &body, done, owner);
}

int banter_add_members(struct banter *b, const char *conversation, const char *const *members,
                       size_t member_count, banter_done_fn *done, void *owner)
{
    struct buf body;

    if (!is_conversation(conversation) || member_count == 0 || !are_handles(members, member_count))
        return BANTER_INVALID;
    begin_command(&body, "addMembers");
    add_text(&body, "conversation", conversation);
    add_members(&body, members, member_count);
    return end_command(b, &body, done, owner);
}

int banter_remove_member(struct banter *b, const char *conversation, const char *handle,
                         banter_done_fn *done, void *owner)
{
    struct buf body;

    if (!is_conversation(conversation) || !is_handle(handle))
        return BANTER_INVALID;
    begin_command(&body, "removeMember");
    add_text(&body, "conversation", conversation);
    add_text(&body, "user", handle);
    return end_command(b, &body, done, owner);
}

int banter_leave(struct banter *b, const char *conversation, banter_done_fn *done, void *owner)
{
    struct buf body;

    if (!is_conversation(conversation))
        return BANTER_INVALID;
    begin_command(&body, "leave");
    add_text(&body, "conversation", conversation);
    return end_command(b, &body, done, owner);
}

/* ---- pages ---- */

struct page {
    struct banter_entry *entries;
    const struct banter_entry **pointers;
    size_t count;
};

static void page_finish(struct page *p)
{
    for (size_t i = 0; i < p->count; i++)
        free((char *)p->entries[i].json);
    free(p->entries);
    free(p->pointers);
}

/* False: out of memory; to be finished in any case. */
static bool page_read(struct page *p, const json_t *list, const char *user)
{
    size_t most = json_array_size(list), i;
    const json_t *item;

    *p = (struct page){
        .entries = calloc(most + 1, sizeof *p->entries),
        .pointers = calloc(most + 1, sizeof *p->pointers),
    };
    if (!p->entries || !p->pointers)
        return false;
    json_array_foreach(list, i, item)
    {
        struct banter_entry *e = &p->entries[p->count];

        if (!wire_entry(item, e))
            continue;
        e->json = json_dumps(item, JSON_COMPACT);
        if (!e->json)
            return false;
        e->own = user && strcmp(e->from, user) == 0;
        p->pointers[p->count++] = e;
    }
    return true;
}

static void paged(void *owner, const struct failure *f, json_t *json, const char *text)
{
    struct request *r = owner;
    const struct banter_result result = {.json = text};
    struct page page;

    if (f->error) {
        request_fail(r, f);
        return;
    }
    if (page_read(&page, json_object_get(json, "entries"),
                  session_login(r->b->engine.session).user)) {
        r->paged(r->owner, &result, page.pointers, page.count, json_truth_of(json, "more"));
        request_free(r);
    } else {
        const struct failure why = failure_make(BANTER_NO_MEMORY, NULL);

        request_fail(r, &why);
    }
    page_finish(&page);
}

static int read_page(struct request *r)
{
    return api_call(r->b->engine.api, "GET", r->text[0], NULL, API_LARGE, paged, r);
}

int banter_history(struct banter *b, const char *conversation, const struct banter_page *page,
                   banter_page_fn *done, void *owner)
{
    struct banter_page p = BANTER_PAGE_INIT;
    char path[PATH_SIZE], from[PATH_SIZE / 4] = "";
    struct request *r;

    if (!is_target(conversation) || !done || (page && !structure_take(&p, sizeof p, page)) ||
        p.after < -1 || p.before < 0 || (p.after >= 0 && p.before > 0) || p.limit == 0 ||
        p.limit > HISTORY_LIMIT_MAX)
        return BANTER_INVALID;
    if (p.after >= 0)
        (void)snprintf(from, sizeof from, "&after=%" PRId64, p.after);
    else if (p.before > 0)
        (void)snprintf(from, sizeof from, "&before=%" PRId64, p.before);
    (void)snprintf(path, sizeof path, "/v1/conversations/%s/messages?limit=%" PRIu32 "%s%s",
                   conversation, p.limit, from, p.folded ? "&view=folded" : "");
    r = request_make(b, read_page);
    if (!r)
        return BANTER_NO_MEMORY;
    r->paged = done;
    r->owner = owner;
    if (request_take(r, 0, path))
        return request_submit(r);
    request_free(r);
    return BANTER_NO_MEMORY;
}
