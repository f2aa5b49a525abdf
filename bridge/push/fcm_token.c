/* SPDX-License-Identifier: MIT */
/* fcm_token.c - see fcm_token.h. The token is a secret: it is never logged, nor is what the
 * endpoint answers. */
#include "push/fcm_token.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "push/jws.h"
#include "push/verdict.h"
#include "wire/json.h"

#include <errno.h>
#include <stdlib.h>

enum {
    ACCOUNT_MAX_BYTES = 65536,
    ASSERTION_MAX_BYTES = 8192,
    ASSERTION_LIFETIME_S = 3600, /* the most that Google takes */
    RENEW_BEFORE_MS = 60 * 1000,
    LIFETIME_MAX_S = 86400,
    FAILURE_PAUSE_MS = 5000,
};

#define SCOPE "https://www.googleapis.com/auth/firebase.messaging"
#define GRANT "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion="

struct fcm_token {
    struct push_client *client;
    unsigned timeout_ms;
    fcm_token_done_fn *done;
    void *owner;

    char *project, *email, *key_id; /* from the account's file */
    char *audience;                 /* its token_uri */
    char *url;                      /* where we ask */
    struct jws_key *key;

    char *token; /* NULL: none */
    uint64_t renew_at_ms;
    unsigned generation;
    bool fetching;
    struct buf request;         /* while fetching */
    uint64_t paused_until_ms;   /* since the last failure */
    struct push_result failure; /* the last one */
};

static char *text_of(const json_t *account, const char *name)
{
    struct slice text = json_member_string(account, name);

    if (text.length == 0) {
        log_error("push", "FCM: the service account has no %s", name);
        return NULL;
    }
    return must_strndup(text);
}

static bool read_account(struct fcm_token *t, const json_t *account)
{
    t->project = text_of(account, "project_id");
    t->email = text_of(account, "client_email");
    t->key_id = text_of(account, "private_key_id");
    t->audience = text_of(account, "token_uri");
    t->key = jws_key_from_pem(json_member_string(account, "private_key"), JWS_RS256);
    if (!t->key)
        log_error("push", "FCM: the service account has no RSA private_key");
    return t->project && t->email && t->key_id && t->audience && t->key;
}

static bool read_account_file(struct fcm_token *t, const char *path)
{
    const char *why = "";
    json_t *account = NULL;
    struct buf text;
    bool ok;

    buf_init(&text, ACCOUNT_MAX_BYTES);
    if (!file_read(path, &text)) {
        log_error("push", "FCM: cannot read %s: %s", path, strerror(errno));
    } else {
        account = json_read_object(buf_slice(&text), &why);
        if (!account)
            log_error("push", "FCM: %s: %s", path, why);
    }
    ok = account && read_account(t, account);
    json_decref(account);
    if (text.data)
        explicit_bzero(text.data, text.length);
    buf_finish(&text);
    return ok;
}

struct fcm_token *fcm_token_create(struct push_client *client, const char *account_file,
                                   const char *url, unsigned timeout_ms, fcm_token_done_fn *done,
                                   void *owner)
{
    struct fcm_token *t = must_calloc(1, sizeof *t);

    t->client = client;
    t->timeout_ms = timeout_ms;
    t->done = done;
    t->owner = owner;
    buf_init(&t->request, ASSERTION_MAX_BYTES);
    if (!read_account_file(t, account_file)) {
        fcm_token_destroy(t);
        return NULL;
    }
    t->url = must_strndup(slice_str(url ? url : t->audience));
    return t;
}

static void forget(struct fcm_token *t)
{
    if (t->token)
        explicit_bzero(t->token, strlen(t->token));
    free(t->token);
    t->token = NULL;
}

void fcm_token_destroy(struct fcm_token *t)
{
    if (!t)
        return;
    forget(t);
    buf_finish(&t->request);
    jws_key_destroy(t->key);
    free(t->project);
    free(t->email);
    free(t->key_id);
    free(t->audience);
    free(t->url);
    free(t);
}

const char *fcm_token_project(const struct fcm_token *t)
{
    return t->project;
}

const char *fcm_token_get(const struct fcm_token *t, unsigned *generation)
{
    *generation = t->generation;
    return t->token && clock_monotonic_ms() < t->renew_at_ms ? t->token : NULL;
}

void fcm_token_refuse(struct fcm_token *t, unsigned generation)
{
    if (t->generation == generation)
        forget(t);
}

static bool put_assertion(const struct fcm_token *t, struct buf *out)
{
    long long now = (long long)(clock_wall_ms() / 1000);
    struct buf header, claims;
    bool ok;

    buf_init(&header, ASSERTION_MAX_BYTES);
    buf_init(&claims, ASSERTION_MAX_BYTES);
    buf_str(&header, "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":");
    buf_json(&header, slice_str(t->key_id));
    buf_char(&header, '}');
    buf_str(&claims, "{\"iss\":");
    buf_json(&claims, slice_str(t->email));
    buf_str(&claims, ",\"scope\":\"" SCOPE "\",\"aud\":");
    buf_json(&claims, slice_str(t->audience));
    buf_printf(&claims, ",\"iat\":%lld,\"exp\":%lld}", now, now + ASSERTION_LIFETIME_S);
    ok = !header.failed && !claims.failed &&
         jws_sign(t->key, buf_slice(&header), buf_slice(&claims), out);
    buf_finish(&header);
    buf_finish(&claims);
    return ok;
}

static bool is_header_text(struct slice text)
{
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] <= ' ' || text.data[i] >= 0x7f)
            return false;
    }
    return text.length > 0 && text.length <= FCM_TOKEN_MAX_LENGTH;
}

char *fcm_token_parse(struct slice body, int64_t *lifetime_s)
{
    const char *why;
    json_t *answer = json_read_object(body, &why);
    const json_t *lifetime = json_object_get(answer, "expires_in");
    struct slice text = json_member_string(answer, "access_token");
    char *token = NULL;

    if (is_header_text(text) && json_is_integer(lifetime) && json_integer_value(lifetime) > 0) {
        *lifetime_s = json_integer_value(lifetime);
        if (*lifetime_s > LIFETIME_MAX_S)
            *lifetime_s = LIFETIME_MAX_S;
        token = must_strndup(text);
    }
    json_decref(answer);
    return token;
}

static void fail(struct fcm_token *t, struct push_result failure)
{
    /* No notification is to blame, whatever the endpoint says. */
    failure.outcome = PUSH_RETRY;
    if (failure.status >= 400 && failure.status < 500 && failure.status != 429)
        failure.reason = PUSH_REASON_CREDENTIALS;
    else if (failure.reason == PUSH_REASON_NONE)
        failure.reason = PUSH_REASON_PROVIDER;
    log_warning("push", "FCM: no access token: %s, status %u", push_reason_name(failure.reason),
                failure.status);
    t->failure = failure;
    t->paused_until_ms = clock_monotonic_ms() + FAILURE_PAUSE_MS;
    t->done(t->owner, &t->failure);
}

/* A token is renewed a minute early, or at half its time if it has little more. */
static void keep(struct fcm_token *t, char *token, int64_t lifetime_s)
{
    uint64_t lifetime_ms = (uint64_t)lifetime_s * 1000;

    forget(t);
    t->token = token;
    t->generation++;
    t->renew_at_ms =
        clock_monotonic_ms() +
        (lifetime_ms > 2 * RENEW_BEFORE_MS ? lifetime_ms - RENEW_BEFORE_MS : lifetime_ms / 2);
    t->done(t->owner, NULL);
}

static void on_answer(void *owner, const struct client_answer *answer)
{
    struct fcm_token *t = owner;
    struct push_result result = verdict_webhook(answer).result;
    int64_t lifetime_s;
    char *token = NULL;

    t->fetching = false;
    explicit_bzero(t->request.data, t->request.length);
    if (result.outcome == PUSH_SENT)
        token = fcm_token_parse(answer->body, &lifetime_s);
    if (token)
        keep(t, token, lifetime_s);
    else
        fail(t, result);
}

bool fcm_token_fetch(struct fcm_token *t, struct push_result *failure)
{
    struct push_headers headers = {0};
    uint64_t now = clock_monotonic_ms();

    if (t->fetching)
        return true;
    if (now < t->paused_until_ms) {
        *failure = t->failure;
        if (failure->retry_after_ms < (int64_t)(t->paused_until_ms - now))
            failure->retry_after_ms = (int64_t)(t->paused_until_ms - now);
        return false;
    }
    buf_reset(&t->request);
    buf_str(&t->request, GRANT);
    if (!put_assertion(t, &t->request)) {
        *failure = (struct push_result){PUSH_RETRY, PUSH_REASON_INTERNAL, 0, -1};
        return false;
    }
    t->fetching = true;
    push_headers_add(&headers, "content-type: application/x-www-form-urlencoded");
    push_client_post(t->client, t->url, &headers, buf_slice(&t->request), t->timeout_ms, on_answer,
                     t);
    return true;
}
