/* SPDX-License-Identifier: MIT */
/* api.c - see api.h. A call waits for a token, is under way, and after 401 may wait once more. */
#include "client/api.h"

#include "client/json.h"
#include "client/wire.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    CALLS_MAX = 256,
    SMALL_TIMEOUT_MS = 30000,
    LARGE_TIMEOUT_MS = 180000,
    STATUS_UNAUTHORIZED = 401,
    SUCCESS_FIRST = 200,
    SUCCESS_END = 300,
};

struct call {
    struct call *next; /* while it waits for a token */
    struct api *api;
    const char *method; /* static storage */
    char *path;
    char *body; /* or NULL */
    size_t length;
    enum api_size size;
    bool renewed; /* a 401 had a new token asked for: the next one counts */
    char *token;  /* that it was sent with */
    api_done_fn *done;
    void *owner;
};

struct api {
    struct session *session;
    struct http http;
    struct servers *servers;
    struct call *waiting, **last;
    size_t count;
};

struct api *api_create(struct session *session, struct http http, struct servers *servers)
{
    struct api *a = calloc(1, sizeof *a);

    if (!a)
        return NULL;
    a->session = session;
    a->http = http;
    a->servers = servers;
    a->last = &a->waiting;
    return a;
}

void api_destroy(struct api *a)
{
    if (!a)
        return;
    assert(a->count == 0);
    free(a);
}

static void end_call(struct call *c, const struct failure *f, json_t *json, const char *text)
{
    c->api->count--;
    c->done(c->owner, f, json, text);
    free(c->path);
    free(c->body);
    free(c->token);
    free(c);
}

static void wait_for_token(struct call *c)
{
    struct api *a = c->api;

    c->next = NULL;
    *a->last = c;
    a->last = &c->next;
}

static struct failure failure_of(const struct http_answer *answer, const json_t *json)
{
    struct failure f;

    if (answer->error)
        return failure_make(answer->error, answer->reason);
    if (json_text_of(json, "code"))
        f = wire_failure(json);
    else
        f = failure_format(error_of_status(answer->status), "HTTP %ld", answer->status);
    if (f.retry_after_ms == 0)
        f.retry_after_ms = answer->retry_after_ms;
    return f;
}

/* Whether it goes on: there is, or will be, another token. */
static bool try_again(struct call *c);

static void answered(void *owner, const struct http_answer *answer)
{
    struct call *c = owner;
    struct failure f = no_failure;
    json_t *json = NULL;
    int error = BANTER_OK;

    if (!answer->error && answer->status == STATUS_UNAUTHORIZED && try_again(c))
        return;
    if (!answer->error && answer->length > 0)
        json = json_read(answer->body, answer->length, &error);
    if (answer->error || answer->status < SUCCESS_FIRST || answer->status >= SUCCESS_END)
        f = failure_of(answer, json);
    else if (error)
        f = failure_make(error, NULL);
    end_call(c, &f, f.error ? NULL : json, answer->body);
    json_decref(json);
}

static int send_call(struct call *c)
{
    struct api *a = c->api;
    struct banter_login login = session_login(a->session);
    const struct http_request request = {
        .method = c->method,
        .server = servers_current(a->servers)->api,
        .path = c->path,
        .bearer = login.access_token,
        .body = c->body,
        .length = c->length,
        .timeout_ms = c->size == API_LARGE ? LARGE_TIMEOUT_MS : SMALL_TIMEOUT_MS,
    };

    free(c->token);
    c->token = strdup(login.access_token);
    if (!c->token)
        return BANTER_NO_MEMORY;
    return a->http.start(a->http.self, &request, answered, c);
}

static bool try_again(struct call *c)
{
    struct session *session = c->api->session;
    struct banter_login login = session_login(session);

    if (c->renewed || !login.access_token)
        return false;
    c->renewed = true;
    if (strcmp(login.access_token, c->token) != 0)
        return send_call(c) == BANTER_OK; /* it was renewed while this was under way */
    if (session_renew(session) != BANTER_OK)
        return false;
    wait_for_token(c);
    return true;
}

int api_call(struct api *a, const char *method, const char *path, struct buf *body,
             enum api_size size, api_done_fn *done, void *owner)
{
    struct call *c = a->count < CALLS_MAX ? calloc(1, sizeof *c) : NULL;
    int error = a->count < CALLS_MAX ? BANTER_OK : BANTER_FULL;
    bool failed = body && body->failed;

    if (c) {
        *c = (struct call){.api = a, .method = method, .size = size, .done = done, .owner = owner};
        c->path = strdup(path);
        c->length = body ? body->length : 0;
        c->body = body ? buf_detach(body) : NULL;
        failed = failed || !c->path;
    }
    if (body)
        buf_finish(body);
    if (!c || failed)
        error = error ? error : BANTER_NO_MEMORY;
    else if (!session_is_open(a->session))
        error = BANTER_UNAUTHORIZED;
    else if (session_is_fresh(a->session))
        error = send_call(c);
    else if ((error = session_renew(a->session)) == BANTER_OK)
        wait_for_token(c);
    if (!error) {
        a->count++;
    } else if (c) {
        free(c->path);
        free(c->body);
        free(c->token);
        free(c);
    }
    return error;
}

static struct call *take_waiting(struct api *a)
{
    struct call *c = a->waiting;

    a->waiting = NULL;
    a->last = &a->waiting;
    return c;
}

void api_renewed(struct api *a, const struct failure *f)
{
    struct call *next, *c = take_waiting(a);

    for (; c; c = next) {
        struct failure why = *f;

        next = c->next;
        if (!why.error && !session_is_open(a->session))
            why = failure_make(BANTER_UNAUTHORIZED, NULL);
        if (!why.error) {
            int error = send_call(c);

            if (error)
                why = failure_make(error, NULL);
        }
        if (why.error)
            end_call(c, &why, NULL, NULL);
    }
}

void api_stop(struct api *a)
{
    const struct failure stopped = failure_make(BANTER_STOPPED, NULL);

    api_renewed(a, &stopped);
}
