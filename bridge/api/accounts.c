/* SPDX-License-Identifier: MIT */
/* accounts.c - sign-up, login, token renewal, logout. */
#include "core/accounts.h"

#include "api/routes.h"

static void write_session(struct buf *b, const struct account_session *session)
{
    buf_char(b, '{');
    buf_json_key(b, "user");
    buf_json(b, session->handle);
    buf_json_key(b, "access_token");
    buf_json(b, session->access_token);
    buf_json_key(b, "refresh_token");
    buf_json(b, session->refresh_token);
    buf_json_key(b, "expires_in");
    buf_u64(b, session->expires_in_s);
    buf_char(b, '}');
}

static void answer_session(struct call *c, int status, enum code code, const char *reason,
                           const struct account_session *session)
{
    struct buf json;

    if (code != CODE_OK) {
        call_refuse(c, code, reason);
        return;
    }
    buf_init(&json, CALL_ANSWER_MAX_BYTES);
    write_session(&json, session);
    call_answer(c, status, &json);
}

static void on_signed_up(void *owner, enum code code, const char *reason,
                         const struct account_session *session)
{
    answer_session(owner, 201, code, reason, session);
}

static void on_logged_in(void *owner, enum code code, const char *reason,
                         const struct account_session *session)
{
    answer_session(owner, 200, code, reason, session);
}

static void on_logged_out(void *owner, enum code code, const char *reason,
                          const struct account_session *session)
{
    struct call *c = owner;

    (void)session;
    if (code == CODE_OK)
        http_reply(c->request, 204, NULL, NULL);
    else
        call_refuse(c, code, reason);
}

void handle_signup(struct call *c)
{
    struct slice handle, password, name, email, device;
    const struct call_string strings[] = {
        {"handle", true, &handle}, {"password", true, &password}, {"name", false, &name},
        {"email", false, &email},  {"device", false, &device},
    };
    json_t *body = call_read_object(c);

    if (body && call_read_strings(c, body, strings, sizeof strings / sizeof *strings))
        accounts_signup(c->core->accounts, handle, password, name, email, device, on_signed_up, c);
    json_decref(body);
}

void handle_login(struct call *c)
{
    struct slice handle, password, device;
    const struct call_string strings[] = {
        {"handle", true, &handle},
        {"password", true, &password},
        {"device", false, &device},
    };
    json_t *body = call_read_object(c);

    if (body && call_read_strings(c, body, strings, sizeof strings / sizeof *strings))
        accounts_login(c->core->accounts, handle, password, device, on_logged_in, c);
    json_decref(body);
}

void handle_token(struct call *c)
{
    struct slice token;
    const struct call_string strings[] = {{"refresh_token", true, &token}};
    json_t *body = call_read_object(c);

    if (body && call_read_strings(c, body, strings, 1))
        accounts_refresh(c->core->accounts, token,
                         slice_str(http_request_header(c->request, "Idempotency-Key")),
                         on_logged_in, c);
    json_decref(body);
}

void handle_logout(struct call *c)
{
    struct slice token;
    const struct call_string strings[] = {{"refresh_token", true, &token}};
    json_t *body = call_read_object(c);

    if (body && call_read_strings(c, body, strings, 1))
        accounts_logout(c->core->accounts, token, on_logged_out, c);
    json_decref(body);
}
