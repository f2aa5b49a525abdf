/* SPDX-License-Identifier: MIT */
/* calls.c - what programs tell a client: who they are, and what a device says. Each function
 * checks, copies and hands over; what follows runs on the client's thread. */
#include "client/client.h"

#include "base/utf8.h"
#include "base/uuid.h"
#include "wire/names.h"

#include <string.h>

enum {
    HANDLE_PLACE,
    PASSWORD_PLACE,
    NAME_PLACE,
    EMAIL_PLACE,
    TEXT_SANE_BYTES = 4096,
};

bool is_handle(const char *text)
{
    return text && strnlen(text, HANDLE_MAX_LENGTH + 1) <= HANDLE_MAX_LENGTH &&
           handle_is_valid(slice_str(text));
}

bool is_conversation(const char *text)
{
    struct uuid id;

    return text && strnlen(text, UUID_TEXT_LENGTH + 1) == UUID_TEXT_LENGTH &&
           uuid_parse(&id, slice_str(text));
}

bool is_target(const char *text)
{
    return text && (text[0] == '@' ? is_handle(text + 1) : is_conversation(text));
}

bool is_text(const char *text, size_t max_bytes)
{
    size_t count;

    return text && strnlen(text, max_bytes + 1) <= max_bytes && utf8_count(slice_str(text), &count);
}

/* Frees the request, and says that there was no memory, unless all of it was copied. */
static struct request *if_copied(struct request *r, bool copied)
{
    if (copied)
        return r;
    request_free(r);
    return NULL;
}

/* ---- who ---- */

static int enter(struct request *r)
{
    return session_enter(r->b->engine.session, r->flag ? "/v1/signup" : "/v1/login",
                         r->text[HANDLE_PLACE], r->text[PASSWORD_PLACE], r->text[NAME_PLACE],
                         r->text[EMAIL_PLACE], request_done, r);
}

static int enter_later(struct banter *b, const char *handle, const char *password, const char *name,
                       const char *email, bool is_new, banter_done_fn *done, void *owner)
{
    struct request *r;

    if (!is_handle(handle) || !is_text(password, PASSWORD_MAX_LENGTH) ||
        (name && !is_text(name, TEXT_SANE_BYTES)) || (email && !is_text(email, TEXT_SANE_BYTES)))
        return BANTER_INVALID;
    r = request_make(b, enter);
    if (!r)
        return BANTER_NO_MEMORY;
    r->flag = is_new;
    r->enters = true;
    r->done = done;
    r->owner = owner;
    return request_submit(if_copied(
        r, request_take(r, HANDLE_PLACE, handle) && request_take(r, PASSWORD_PLACE, password) &&
               request_take(r, NAME_PLACE, name) && request_take(r, EMAIL_PLACE, email)));
}

int banter_sign_up(struct banter *b, const char *handle, const char *password, const char *name,
                   const char *email, banter_done_fn *done, void *owner)
{
    return enter_later(b, handle, password, name, email, true, done, owner);
}

int banter_log_in(struct banter *b, const char *handle, const char *password, banter_done_fn *done,
                  void *owner)
{
    return enter_later(b, handle, password, NULL, NULL, false, done, owner);
}

static const struct banter_result nothing = {.error = BANTER_OK, .json = "{}"};

static int resume(struct request *r)
{
    const struct banter_login login = {r->text[0], r->text[1], r->text[2], r->number[0],
                                       r->number[1]};
    int error = session_resume(r->b->engine.session, &login);

    if (!error)
        request_end(r, &nothing);
    return error;
}

int banter_resume(struct banter *b, const struct banter_login *login, banter_done_fn *done,
                  void *owner)
{
    struct request *r;

    if (!login || !is_handle(login->user) || !is_text(login->access_token, TOKEN_MAX_LENGTH) ||
        !is_text(login->refresh_token, TOKEN_MAX_LENGTH) || login->expires_at_ms < 0 ||
        login->lifetime_ms < 0)
        return BANTER_INVALID;
    r = request_make(b, resume);
    if (!r)
        return BANTER_NO_MEMORY;
    r->enters = true;
    r->done = done;
    r->owner = owner;
    r->number[0] = login->expires_at_ms;
    r->number[1] = login->lifetime_ms;
    return request_submit(if_copied(r, request_take(r, 0, login->user) &&
                                           request_take(r, 1, login->access_token) &&
                                           request_take(r, 2, login->refresh_token)));
}

static int log_out(struct request *r)
{
    return engine_log_out(&r->b->engine, request_done, r);
}

int banter_log_out(struct banter *b, banter_done_fn *done, void *owner)
{
    struct request *r = request_make(b, log_out);

    if (!r)
        return BANTER_NO_MEMORY;
    r->done = done;
    r->owner = owner;
    return request_submit(r);
}

static int nudge(struct request *r)
{
    connection_nudge(&r->b->engine.connection);
    request_end(r, &nothing);
    return BANTER_OK;
}

void banter_nudge(struct banter *b)
{
    int error = request_submit(request_make(b, nudge));

    (void)error; /* then it goes on as it would have */
}

/* ---- signals ---- */

static int mark(struct request *r)
{
    int error = signals_mark(&r->b->engine.signals, r->text[0], r->number[0], r->number[1]);

    if (!error)
        request_end(r, &nothing);
    return error;
}

int banter_mark(struct banter *b, const char *conversation, int64_t received, int64_t read)
{
    struct request *r;

    if (!is_conversation(conversation) || received < 0 || read < 0)
        return BANTER_INVALID;
    r = request_make(b, mark);
    if (!r)
        return BANTER_NO_MEMORY;
    r->number[0] = received;
    r->number[1] = read;
    return request_submit(if_copied(r, request_take(r, 0, conversation)));
}

static int typing(struct request *r)
{
    int error = signals_typing(&r->b->engine.signals, r->text[0], r->flag);

    if (!error)
        request_end(r, &nothing);
    return error;
}

int banter_typing(struct banter *b, const char *conversation, bool is_typing)
{
    struct request *r;

    if (!is_conversation(conversation))
        return BANTER_INVALID;
    r = request_make(b, typing);
    if (!r)
        return BANTER_NO_MEMORY;
    r->flag = is_typing;
    return request_submit(if_copied(r, request_take(r, 0, conversation)));
}

static int set_presence(struct request *r)
{
    signals_presence(&r->b->engine.signals, r->text[0]);
    request_end(r, &nothing);
    return BANTER_OK;
}

int banter_set_presence(struct banter *b, const char *state)
{
    struct request *r;

    if (!state || (strcmp(state, "online") != 0 && strcmp(state, "away") != 0 &&
                   strcmp(state, "hidden") != 0))
        return BANTER_INVALID;
    r = request_make(b, set_presence);
    return request_submit(r ? if_copied(r, request_take(r, 0, state)) : NULL);
}

static int watch(struct request *r)
{
    struct watches *watches = &r->b->engine.watches;
    int error = BANTER_OK;

    if (r->flag)
        error = watches_add(watches, r->text[0]);
    else
        watches_remove(watches, r->text[0]);
    if (!error)
        request_end(r, &nothing);
    return error;
}

static int watch_later(struct banter *b, const char *handle, bool on)
{
    struct request *r;

    if (!is_handle(handle))
        return BANTER_INVALID;
    r = request_make(b, watch);
    if (!r)
        return BANTER_NO_MEMORY;
    r->flag = on;
    return request_submit(if_copied(r, request_take(r, 0, handle)));
}

int banter_watch(struct banter *b, const char *handle)
{
    return watch_later(b, handle, true);
}

int banter_unwatch(struct banter *b, const char *handle)
{
    return watch_later(b, handle, false);
}
