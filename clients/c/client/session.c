/* SPDX-License-Identifier: MIT */
/* session.c - see session.h. */
#include "client/session.h"

#include "base/buf.h"
#include "base/uuid.h"
#include "client/json.h"
#include "client/wire.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TIMEOUT_MS = 30000,
    BODY_MAX_BYTES = 8192,
    RENEW_BEFORE_MS = 120000,              /* the broker warns a minute later */
    LIFETIME_MAX_S = 10 * 365 * 24 * 3600, /* of a token; what is longer is nonsense */
    MS_PER_SECOND = 1000,
    NUMBER_SIZE = 24,
};

struct session {
    struct session_parts parts;
    struct session_hooks hooks;
    char *user, *access, *refresh;
    char *exchange; /* the key of an exchange of `refresh` whose answer has not come, or NULL */
    int64_t expires_at_ms, lifetime_ms;
    uint64_t tokens; /* counts them: an answer that concerns earlier ones is nobody's */
    uint64_t tokens_exchanged;
    uint64_t departures; /* counts them: a login that was asked for before is not wanted any more */
    bool renewing;
};

/* A login, sign-up or logout that is under way. */
struct entering {
    struct session *session;
    char path[16];
    struct buf body;
    size_t servers_left; /* to try, should one not be there */
    uint64_t departures; /* when it was asked for */
    banter_done_fn *done;
    void *owner;
};

static void tell_done(banter_done_fn *done, void *owner, const struct failure *f, const char *json)
{
    struct banter_result result = {.error = f->error};

    if (!done)
        return;
    if (f->error) {
        result.reason = f->reason;
        result.retry_after_ms = f->retry_after_ms;
    } else {
        result.json = json;
    }
    done(owner, &result);
}

/* ---- what is known ---- */

static void forget(struct session *s)
{
    free(s->user);
    free(s->access);
    free(s->refresh);
    free(s->exchange);
    s->user = s->access = s->refresh = s->exchange = NULL;
    s->expires_at_ms = s->lifetime_ms = 0;
    s->tokens++;
}

static int read_number(struct store *store, const char *name, int64_t *out)
{
    char *text;
    int error = store_get(store, name, &text);

    *out = text ? strtoll(text, NULL, 10) : 0;
    free(text);
    return error;
}

static int restore(struct session *s)
{
    struct store *store = s->parts.store;
    int error = store_get(store, "user", &s->user);

    if (!error)
        error = store_get(store, "access_token", &s->access);
    if (!error)
        error = store_get(store, "refresh_token", &s->refresh);
    if (!error)
        error = store_get(store, "exchange", &s->exchange);
    if (!error)
        error = read_number(store, "expires_at_ms", &s->expires_at_ms);
    if (!error)
        error = read_number(store, "lifetime_ms", &s->lifetime_ms);
    return error;
}

int session_create(struct session **out, const struct session_parts *parts,
                   const struct session_hooks *hooks)
{
    struct session *s = calloc(1, sizeof *s);
    int error;

    if (!s)
        return BANTER_NO_MEMORY;
    s->parts = *parts;
    s->hooks = *hooks;
    error = restore(s);
    if (error)
        session_destroy(s);
    else
        *out = s;
    return error;
}

void session_destroy(struct session *s)
{
    if (!s)
        return;
    assert(!s->renewing);
    forget(s);
    free(s);
}

bool session_is_open(const struct session *s)
{
    return s->refresh != NULL;
}

struct banter_login session_login(const struct session *s)
{
    if (!session_is_open(s))
        return (struct banter_login){0};
    return (struct banter_login){s->user, s->access, s->refresh, s->expires_at_ms, s->lifetime_ms};
}

/* How long before its end a token is renewed; one that lives shortly is used most of its life. */
static int64_t margin_of(const struct session *s)
{
    int64_t quarter = s->lifetime_ms > 0 ? s->lifetime_ms / 4 : RENEW_BEFORE_MS;

    return quarter < RENEW_BEFORE_MS ? quarter : RENEW_BEFORE_MS;
}

static int64_t fresh_for(const struct session *s)
{
    return s->expires_at_ms - margin_of(s) - platform_wall(s->parts.platform);
}

bool session_is_fresh(const struct session *s)
{
    return session_is_open(s) && fresh_for(s) > 0;
}

uint64_t session_renew_at(const struct session *s)
{
    int64_t left = fresh_for(s);

    if (!session_is_open(s))
        return NEVER;
    return platform_now(s->parts.platform) + (left > 0 ? (uint64_t)left : 0);
}

/* Takes what is to be remembered; the strings become the session's, or are freed. */
static int take(struct session *s, char *user, char *access, char *refresh, int64_t expires_at_ms,
                int64_t lifetime_ms)
{
    char expires[NUMBER_SIZE], lifetime[NUMBER_SIZE];
    const struct store_setting settings[] = {
        {"user", user},     {"access_token", access},   {"refresh_token", refresh},
        {"exchange", NULL}, {"expires_at_ms", expires}, {"lifetime_ms", lifetime},
    };
    int error = user && access && refresh ? BANTER_OK : BANTER_NO_MEMORY;

    (void)snprintf(expires, sizeof expires, "%" PRId64, expires_at_ms);
    (void)snprintf(lifetime, sizeof lifetime, "%" PRId64, lifetime_ms);
    if (!error)
        error = store_set(s->parts.store, settings, sizeof settings / sizeof settings[0]);
    if (error) {
        free(user);
        free(access);
        free(refresh);
        return error;
    }
    forget(s);
    s->user = user;
    s->access = access;
    s->refresh = refresh;
    s->expires_at_ms = expires_at_ms;
    s->lifetime_ms = lifetime_ms;
    return BANTER_OK;
}

static char *copy_text(const char *text)
{
    return text ? strdup(text) : NULL;
}

static bool is_anothers(const struct session *s, const char *user)
{
    return s->user && strcmp(s->user, user) != 0;
}

static struct failure anothers(void)
{
    return failure_make(BANTER_CONFLICT,
                        "the store belongs to another user, who has to log out first");
}

/* The answer to a login, a sign-up or an exchange. */
static struct failure take_answer(struct session *s, const struct http_answer *a)
{
    int error = BANTER_OK;
    json_t *json = json_read(a->body, a->length, &error);
    int64_t lifetime = json_count_of(json, "expires_in");
    const char *user = json_text_of(json, "user"), *access = json_text_of(json, "access_token"),
               *refresh = json_text_of(json, "refresh_token");
    struct failure f = no_failure;

    if (!json)
        return failure_make(error, NULL);
    if (!user || !access || !refresh || lifetime <= 0 || lifetime > LIFETIME_MAX_S)
        f = failure_make(BANTER_INTERNAL, NULL);
    else if (is_anothers(s, user))
        f = anothers();
    else
        error = take(s, copy_text(user), copy_text(access), copy_text(refresh),
                     platform_wall(s->parts.platform) + lifetime * MS_PER_SECOND,
                     lifetime * MS_PER_SECOND);
    if (error)
        f = failure_make(error, NULL);
    json_decref(json);
    return f;
}

/* *is_banter: a Banter said so, and nothing between it and us. */
static struct failure failure_of(const struct http_answer *a, bool *is_banter)
{
    struct failure f;
    json_t *problem;
    int error;

    *is_banter = false;
    if (a->error)
        return failure_make(a->error, a->reason);
    problem = json_read(a->body, a->length, &error);
    *is_banter = json_text_of(problem, "code") != NULL;
    if (*is_banter)
        f = wire_failure(problem);
    else
        f = failure_format(error_of_status(a->status), "HTTP %ld", a->status);
    if (f.retry_after_ms == 0)
        f.retry_after_ms = a->retry_after_ms;
    json_decref(problem);
    return f;
}

static bool is_success(const struct http_answer *a)
{
    return !a->error && a->status >= 200 && a->status < 300;
}

/* ---- renewing ---- */

/* The user stays remembered: what is unsent waits for the next login of the same one. */
static void end_login(struct session *s, const struct failure *why)
{
    const struct store_setting gone[] = {
        {"access_token", NULL}, {"refresh_token", NULL}, {"exchange", NULL}};
    int error = store_set(s->parts.store, gone, sizeof gone / sizeof gone[0]);

    (void)error; /* then the next start finds out again */
    free(s->access);
    free(s->refresh);
    free(s->exchange);
    s->access = s->refresh = s->exchange = NULL;
    s->tokens++;
    s->hooks.ended(s->hooks.owner, why);
}

/* The outcome of an exchange. A login does not end because a hotel's network wants one of its own,
 * or a proxy is out of sorts. */
static struct failure take_exchange(struct session *s, const struct http_answer *a)
{
    bool is_banter = true;
    struct failure f = is_success(a) ? take_answer(s, a) : failure_of(a, &is_banter);

    if (!f.error)
        s->hooks.opened(s->hooks.owner, false);
    else if (!is_banter && !a->error)
        f.error = BANTER_UNAVAILABLE;
    else if (f.error == BANTER_UNAUTHORIZED || f.error == BANTER_INVALID)
        end_login(s, &f);
    return f;
}

static void exchanged(void *owner, const struct http_answer *a)
{
    struct session *s = owner;
    struct failure f;

    s->renewing = false;
    if (a->error == BANTER_STOPPED)
        return;
    if (s->tokens != s->tokens_exchanged) {
        /* Logged out meanwhile, and perhaps in again. */
        f = session_is_open(s) ? no_failure : failure_make(BANTER_UNAUTHORIZED, NULL);
    } else {
        f = take_exchange(s, a);
    }
    s->hooks.renewed(s->hooks.owner, &f);
}

/* The key is on the disk before it is used. */
static int prepare_exchange(struct session *s)
{
    char text[UUID_TEXT_LENGTH + 1];
    const struct store_setting setting = {"exchange", text};
    struct uuid id;
    char *key;
    int error;

    if (s->exchange)
        return BANTER_OK;
    if (!uuid_v7(&id))
        return BANTER_INTERNAL;
    uuid_format(&id, text);
    key = strdup(text);
    error = key ? store_set(s->parts.store, &setting, 1) : BANTER_NO_MEMORY;
    if (error)
        free(key);
    else
        s->exchange = key;
    return error;
}

int session_renew(struct session *s)
{
    struct http_request request = {.method = "POST",
                                   .path = "/v1/token",
                                   .server = servers_current(s->parts.servers)->api,
                                   .timeout_ms = TIMEOUT_MS};
    struct buf body;
    int error;

    if (!session_is_open(s))
        return BANTER_UNAUTHORIZED;
    if (s->renewing)
        return BANTER_OK;
    error = prepare_exchange(s);
    if (error)
        return error;
    buf_init(&body, BODY_MAX_BYTES);
    buf_str(&body, "{\"refresh_token\":");
    buf_json(&body, slice_str(s->refresh));
    buf_char(&body, '}');
    request.key = s->exchange;
    request.body = body.data;
    request.length = body.length;
    error = body.failed ? BANTER_NO_MEMORY
                        : s->parts.http.start(s->parts.http.self, &request, exchanged, s);
    buf_finish(&body);
    s->renewing = !error;
    s->tokens_exchanged = s->tokens;
    return error;
}

/* ---- coming and going ---- */

static void entered(void *owner, const struct http_answer *a);

static int send_entering(struct entering *e)
{
    struct session *s = e->session;
    const struct http_request request = {.method = "POST",
                                         .path = e->path,
                                         .server = servers_current(s->parts.servers)->api,
                                         .body = e->body.data,
                                         .length = e->body.length,
                                         .timeout_ms = TIMEOUT_MS};

    return s->parts.http.start(s->parts.http.self, &request, entered, e);
}

static void entering_free(struct entering *e)
{
    buf_finish(&e->body);
    free(e);
}

static void entered(void *owner, const struct http_answer *a)
{
    struct entering *e = owner;
    struct session *s = e->session;
    struct failure f;
    bool is_banter;

    if (a->error == BANTER_OFFLINE && a->never_sent && --e->servers_left > 0) {
        servers_next(s->parts.servers);
        if (send_entering(e) == BANTER_OK)
            return;
    }
    if (e->departures != s->departures)
        f = failure_make(BANTER_UNAUTHORIZED, "logged out meanwhile");
    else
        f = is_success(a) ? take_answer(s, a) : failure_of(a, &is_banter);
    if (!f.error)
        s->hooks.opened(s->hooks.owner, true);
    tell_done(e->done, e->owner, &f, "{}");
    entering_free(e);
}

static void write_entry(struct buf *b, const char *name, const char *value)
{
    if (!value)
        return;
    buf_json_key(b, name);
    buf_json(b, slice_str(value));
}

int session_enter(struct session *s, const char *path, const char *handle, const char *password,
                  const char *name, const char *email, banter_done_fn *done, void *owner)
{
    struct entering *e;
    int error;

    if (is_anothers(s, handle)) {
        const struct failure f = anothers();

        tell_done(done, owner, &f, NULL);
        return BANTER_OK;
    }
    e = calloc(1, sizeof *e);
    if (!e)
        return BANTER_NO_MEMORY;
    e->session = s;
    e->done = done;
    e->owner = owner;
    e->servers_left = s->parts.servers->count;
    e->departures = s->departures;
    assert(strlen(path) < sizeof e->path);
    memcpy(e->path, path, strlen(path) + 1);
    buf_init(&e->body, BODY_MAX_BYTES);
    buf_char(&e->body, '{');
    write_entry(&e->body, "handle", handle);
    write_entry(&e->body, "password", password);
    write_entry(&e->body, "name", name);
    write_entry(&e->body, "email", email);
    write_entry(&e->body, "device", s->parts.device);
    buf_char(&e->body, '}');
    error = e->body.failed ? BANTER_NO_MEMORY : send_entering(e);
    if (error)
        entering_free(e);
    return error;
}

int session_resume(struct session *s, const struct banter_login *login)
{
    int error;

    if (s->user && strcmp(s->user, login->user) != 0)
        return BANTER_CONFLICT;
    error = take(s, copy_text(login->user), copy_text(login->access_token),
                 copy_text(login->refresh_token), login->expires_at_ms, login->lifetime_ms);
    if (!error)
        s->hooks.opened(s->hooks.owner, true);
    return error;
}

static void logged_out(void *owner, const struct http_answer *a)
{
    struct entering *e = owner;

    (void)a; /* the tokens are forgotten; on the server they expire */
    tell_done(e->done, e->owner, &no_failure, "{}");
    entering_free(e);
}

int session_log_out(struct session *s, banter_done_fn *done, void *owner)
{
    struct http_request request = {.method = "POST",
                                   .path = "/v1/logout",
                                   .server = servers_current(s->parts.servers)->api,
                                   .timeout_ms = TIMEOUT_MS};
    struct entering *e = calloc(1, sizeof *e);
    int error;

    if (!e)
        return BANTER_NO_MEMORY;
    e->session = s;
    e->done = done;
    e->owner = owner;
    buf_init(&e->body, BODY_MAX_BYTES);
    buf_char(&e->body, '{');
    write_entry(&e->body, "refresh_token", s->refresh ? s->refresh : "");
    buf_char(&e->body, '}');
    error = e->body.failed ? BANTER_NO_MEMORY : store_clear(s->parts.store);
    if (!error) {
        request.body = e->body.data;
        request.length = e->body.length;
        forget(s);
        s->departures++;
        if (s->parts.http.start(s->parts.http.self, &request, logged_out, e) == BANTER_OK)
            return BANTER_OK;
        tell_done(done, owner, &no_failure, "{}");
    }
    entering_free(e);
    return error;
}
