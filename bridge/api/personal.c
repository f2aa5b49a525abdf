/* SPDX-License-Identifier: MIT */
/* personal.c - a user's own data: the export, one object a line, and the end of the account.
 *
 * An export is read page by page, as fast as the client takes it, and for so long; every line has
 * the place behind it, and the last one says whether it was the end. Whoever was interrupted
 * anywhere goes on from the last line that came. */
#include "core/personal.h"

#include "api/routes.h"
#include "base/clock.h"
#include "core/accounts.h"
#include "core/audit.h"
#include "core/commands.h"
#include "core/rates.h"

#include <string.h>

enum {
    EXPORT_MAX_MS = 10 * 60 * 1000, /* of one request */
    LINES_MAX_BYTES = 32 << 20,
};

/* An export under way. Lives as long as its request. */
struct export
{
    struct call *call;
    bool is_own;
    uint64_t until_ms; /* monotonic */
    char cursor[PERSONAL_CURSOR_MAX_BYTES + 1];
    bool begun;    /* the answer's head has been sent */
    bool reading;  /* a page is owed */
    bool complete; /* nothing is left to read, or no time for it */
};

static const char cannot_read[] = "the data cannot be read now, try again in a moment";

static const char *refusal_of(enum code code)
{
    switch (code) {
    case CODE_INVALID:
        return "no such cursor";
    case CODE_FORBIDDEN:
        return "only administrators do this";
    case CODE_NOT_FOUND:
        return "no such user";
    default:
        return cannot_read;
    }
}

static void end_export(struct export *e, enum code code)
{
    if (!e->begun)
        call_refuse(e->call, code, refusal_of(code));
    else if (code == CODE_OK)
        http_stream_end(e->call->request);
    else
        http_stream_abort(e->call->request);
}

static void put_last_line(struct buf *lines, const struct export *e)
{
    buf_str(lines, e->cursor[0] ? "{\"type\":\"more\"" : "{\"type\":\"end\"");
    if (e->cursor[0]) {
        buf_json_key(lines, "cursor");
        buf_json(lines, slice_str(e->cursor));
    }
    buf_str(lines, "}\n");
}

static void on_page(void *owner, enum code code, struct slice json, struct slice cursor);

static void read_on(struct export *e)
{
    if (http_stream_wants_more(e->call->request))
        e->reading = personal_export(e->call->core->personal, e->call->actor.uid,
                                     slice_str(e->is_own ? "" : e->call->parameter),
                                     slice_str(e->cursor), on_page, e);
}

/* Ends the stream or reads on, if it is time for it. Also called when there is nothing to do. */
static void advance(void *owner)
{
    struct export *e = owner;

    if (e->reading)
        return;
    if (e->complete || http_request_is_gone(e->call->request)) {
        end_export(e, CODE_OK);
        return;
    }
    read_on(e);
    if (!e->reading && http_stream_wants_more(e->call->request))
        end_export(e, CODE_UNAVAILABLE);
}

/* The command exportUser has been noted already. */
static void note_export(const struct call *c)
{
    audit_note(c->core->audit,
               &(struct audit_event){.action = "export",
                                     .by = AUDIT_USER,
                                     .actor = c->actor.uid,
                                     .user = c->actor.uid,
                                     .address = http_request_address(c->request),
                                     .result = CODE_OK},
               clock_monotonic_ms());
}

static void begin_stream(struct export *e)
{
    const struct call *c = e->call;

    if (e->is_own)
        note_export(c);
    e->begun = true;
    http_stream_begin(c->request, 200, "application/x-ndjson", advance, e);
}

static void on_page(void *owner, enum code code, struct slice json, struct slice cursor)
{
    struct export *e = owner;
    struct buf lines;

    e->reading = false;
    if (code != CODE_OK || cursor.length >= sizeof e->cursor) {
        end_export(e, code == CODE_OK ? CODE_INTERNAL : code);
        return;
    }
    if (!e->begun)
        begin_stream(e);
    if (cursor.length > 0)
        memcpy(e->cursor, cursor.data, cursor.length);
    e->cursor[cursor.length] = '\0';
    e->complete = cursor.length == 0 || clock_monotonic_ms() >= e->until_ms;
    buf_init(&lines, LINES_MAX_BYTES + PERSONAL_CURSOR_MAX_BYTES);
    buf_slice_put(&lines, json);
    if (e->complete)
        put_last_line(&lines, e);
    http_stream_write(e->call->request, &lines);
    advance(e);
}

static void begin_export(struct call *c, bool is_own)
{
    const char *after = http_request_query(c->request, "after");
    struct export *e;

    if (http_request_method(c->request) == HTTP_METHOD_HEAD) {
        http_reply(c->request, 200, "application/x-ndjson", NULL);
        return;
    }
    e = http_request_memory(c->request, sizeof *e);
    e->call = c;
    e->is_own = is_own;
    e->until_ms = clock_monotonic_ms() + EXPORT_MAX_MS;
    if (after && strlen(after) > PERSONAL_CURSOR_MAX_BYTES) {
        end_export(e, CODE_INVALID);
        return;
    }
    if (after)
        memcpy(e->cursor, after, strlen(after));
    advance(e);
}

/* False: there were too many, which has been answered. */
static bool may_export(struct call *c)
{
    uint64_t wait_ms = rates_export(c->core->rates, c->actor.uid, clock_monotonic_ms());

    if (wait_ms > 0)
        call_refuse_limited(c->request, wait_ms, "too many exports");
    return wait_ms == 0;
}

void handle_export(struct call *c)
{
    if (may_export(c))
        begin_export(c, true);
}

static void on_allowed(void *owner, enum code code, const char *reason, struct slice data)
{
    (void)data;
    if (code == CODE_OK)
        begin_export(owner, false);
    else
        call_refuse(owner, code, reason);
}

/* The command asks whether this may be, and has it noted. */
void handle_export_user(struct call *c)
{
    json_t *arguments;

    if (!may_export(c))
        return;
    arguments = json_object();
    json_object_set_new(arguments, "user", json_string(c->parameter));
    command_run(c->core->commands, &c->actor, "exportUser", arguments, on_allowed, c);
    json_decref(arguments);
}

/* An erasure whose password is being looked at; lives as long as its request. */
struct farewell {
    struct call *call;
    struct login_try attempt;
};

static void on_erased(void *owner, enum code code, const char *reason,
                      const struct account_session *session)
{
    struct farewell *f = owner;
    char id[UUID_TEXT_LENGTH + 1];
    struct buf json;

    rates_login_done(f->call->core->rates, &f->attempt, code);
    if (code != CODE_OK) {
        /* The token is good, so this is no 401. */
        call_refuse(f->call, code == CODE_UNAUTHORIZED ? CODE_FORBIDDEN : code, reason);
        return;
    }
    uuid_format(&session->erasure, id);
    buf_init(&json, CALL_ANSWER_MAX_BYTES);
    buf_char(&json, '{');
    buf_json_key(&json, "erasure");
    buf_json(&json, slice_of(id, UUID_TEXT_LENGTH));
    buf_char(&json, '}');
    call_answer(f->call, 202, &json);
}

static void try_erasure(struct call *c, struct slice password)
{
    struct farewell *f = http_request_memory(c->request, sizeof *f);
    uint64_t wait_ms;

    f->call = c;
    wait_ms = rates_login(c->core->rates, c->actor.handle, http_request_address(c->request),
                          clock_monotonic_ms(), &f->attempt);
    if (wait_ms > 0)
        call_refuse_limited(c->request, wait_ms, "too many wrong passwords: wait");
    else
        accounts_erase(c->core->accounts, http_request_address(c->request), c->actor.uid, password,
                       on_erased, f);
}

void handle_erase(struct call *c)
{
    struct slice password;
    const struct call_string strings[] = {{"password", true, &password}};
    json_t *body = call_read_object(c);

    if (body && call_read_strings(c, body, strings, 1))
        try_erasure(c, password);
    json_decref(body);
}

static void on_receipt(void *owner, enum code code, struct slice json, struct slice cursor)
{
    (void)cursor;
    if (code == CODE_OK)
        call_answer_copy(owner, 200, json);
    else
        call_refuse(owner, code, code == CODE_NOT_FOUND ? "there is no such erasure" : cannot_read);
}

void handle_erasure(struct call *c)
{
    struct uuid erasure;

    if (!uuid_parse(&erasure, slice_str(c->parameter)))
        call_refuse(c, CODE_NOT_FOUND, "there is no such erasure");
    else if (!personal_receipt(c->core->personal, &erasure, on_receipt, c))
        call_refuse(c, CODE_UNAVAILABLE, cannot_read);
}
