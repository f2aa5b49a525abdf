/* SPDX-License-Identifier: MIT */
/* accounts.c - sign-up, login, token renewal, logout. */
#include "core/accounts.h"

#include "api/routes.h"
#include "base/clock.h"
#include "core/rates.h"

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

static void on_renewed(void *owner, enum code code, const char *reason,
                       const struct account_session *session)
{
    answer_session(owner, 200, code, reason, session);
}

/* A login whose password is being looked at; lives as long as its request. */
struct login {
    struct call *call;
    struct login_try attempt;
};

static void on_password_tried(void *owner, enum code code, const char *reason,
                              const struct account_session *session)
{
    struct login *login = owner;

    rates_login_done(login->call->core->rates, &login->attempt, code);
    answer_session(login->call, 200, code, reason, session);
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

/* False after answering 429. */
static bool may_sign_up(struct call *c)
{
    uint64_t wait_ms =
        rates_signup(c->core->rates, http_request_address(c->request), clock_monotonic_ms());

    if (wait_ms > 0)
        call_refuse_limited(c->request, wait_ms, "too many sign-ups from your address");
    return wait_ms == 0;
}

void handle_signup(struct call *c)
{
    struct slice handle, password, name, email, device;
    const struct call_string strings[] = {
        {"handle", true, &handle}, {"password", true, &password}, {"name", false, &name},
        {"email", false, &email},  {"device", false, &device},
    };
    json_t *body = call_read_object(c);

    if (body && call_read_strings(c, body, strings, sizeof strings / sizeof *strings) &&
        may_sign_up(c))
        accounts_signup(c->core->accounts, http_request_address(c->request), handle, password, name,
                        email, device, on_signed_up, c);
    json_decref(body);
}

static void try_password(struct call *c, struct slice handle, struct slice password,
                         struct slice device)
{
    struct login *login = http_request_memory(c->request, sizeof *login);
    uint64_t wait_ms;

    login->call = c;
    wait_ms = rates_login(c->core->rates, handle, http_request_address(c->request),
                          clock_monotonic_ms(), &login->attempt);
    if (wait_ms > 0)
        call_refuse_limited(c->request, wait_ms, "too many wrong passwords: wait");
    else
        accounts_login(c->core->accounts, http_request_address(c->request), handle, password,
                       device, on_password_tried, login);
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
        try_password(c, handle, password, device);
    json_decref(body);
}

void handle_token(struct call *c)
{
    struct slice token;
    const struct call_string strings[] = {{"refresh_token", true, &token}};
    json_t *body = call_read_object(c);

    if (body && call_read_strings(c, body, strings, 1))
        accounts_refresh(c->core->accounts, http_request_address(c->request), token,
                         slice_str(http_request_header(c->request, "Idempotency-Key")), on_renewed,
                         c);
    json_decref(body);
}

void handle_logout(struct call *c)
{
    struct slice token;
    const struct call_string strings[] = {{"refresh_token", true, &token}};
    json_t *body = call_read_object(c);

    if (body && call_read_strings(c, body, strings, 1))
        accounts_logout(c->core->accounts, http_request_address(c->request), token, on_logged_out,
                        c);
    json_decref(body);
}
