/* SPDX-License-Identifier: MIT */
/* auth.c - see auth.h. Passwords are never logged, and only a keyed hash of them is kept. */
#include "auth.h"

#include "announce.h"
#include "attach.h"
#include "base/clock.h"
#include "base/hash.h"
#include "broker.h"
#include "core.h"
#include "file.h"
#include "receipts.h"
#include "token/jwt.h"
#include "wire/names.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <string.h>

enum {
    SCAN_INTERVAL_MS = 100,
    SCAN_MIN = 64,
    SCAN_ROUNDS = 50, /* parts that a whole scan is cut into: 5 s */
    HURRY_ROUNDS = 8, /* the same after the keys have changed */
};

static bool load_link_key(struct core *c)
{
    const char *path = c->options.link_key_file;
    struct buf text;
    bool ok;

    buf_init(&text, LINK_KEY_MAX_LENGTH + 2);
    ok = file_read(path, &text);
    while (ok && text.length > 0 && strchr("\r\n", text.data[text.length - 1]))
        text.length--;
    if (ok && (text.length < LINK_KEY_MIN_LENGTH || text.length > LINK_KEY_MAX_LENGTH)) {
        broker_log(BROKER_ERROR, "%s: the link key must have %d to %d bytes", path,
                   LINK_KEY_MIN_LENGTH, LINK_KEY_MAX_LENGTH);
        ok = false;
    }
    if (ok) {
        memcpy(c->auth.link_key, text.data, text.length);
        c->auth.link_key_length = text.length;
    }
    if (text.data)
        OPENSSL_cleanse(text.data, text.capacity);
    buf_finish(&text);
    return ok;
}

bool auth_init(struct core *c)
{
    c->auth = (struct auth){0};
    return load_link_key(c) && public_keys_init(&c->auth.keys, c->options.jwks_file, c->now_ms);
}

void auth_finish(struct auth *a)
{
    public_keys_finish(&a->keys);
    OPENSSL_cleanse(a->link_key, sizeof a->link_key);
    *a = (struct auth){0};
}

/* Connections whose key has gone are found by the scans that follow. */
static void keys_changed(struct auth *a)
{
    a->hurry = HURRY_ROUNDS;
    broker_log(BROKER_INFO, "public keys read again: %zu", a->keys.count);
}

void auth_reload(struct core *c)
{
    c->auth.reloading = true;
    if (public_keys_load(&c->auth.keys, c->options.jwks_file, c->now_ms))
        keys_changed(&c->auth);
}

void auth_look(struct core *c)
{
    if (public_keys_look(&c->auth.keys, c->options.jwks_file, c->now_ms))
        keys_changed(&c->auth);
}

void auth_reload_done(struct auth *a)
{
    a->reloading = false;
}

static bool check_bell(const struct core *c, const char *client_id, const char *password)
{
    return core_is_bell(client_id) && password && strlen(password) == c->auth.link_key_length &&
           CRYPTO_memcmp(password, c->auth.link_key, c->auth.link_key_length) == 0;
}

/* The answer for a connection that has a session, during a reload. */
static bool check_again(const struct session *session, const char *client_id, uint64_t token_hash)
{
    return client_id && strcmp(client_id, session->client_id) == 0 &&
           token_hash == session->token_hash && clock_wall_ms() / 1000 <= session->deadline_s;
}

/* The login that a verified token is of. */
static struct uuid login_of(const struct jwt_claims *claims)
{
    struct uuid login = {{0}};
    bool ok = uuid_parse(&login, slice_str(claims->session));

    assert(ok);
    (void)ok;
    return login;
}

static enum jwt_status verify(const struct core *c, struct slice handle, struct slice device,
                              const char *password, struct jwt_claims *claims)
{
    enum jwt_status status = jwt_verify(c->auth.keys.set, slice_str(password), c->options.issuer,
                                        c->options.audience, clock_wall_ms() / 1000, claims);

    if (status != JWT_OK)
        return status;
    if (!slice_equal(slice_str(claims->handle), handle))
        return JWT_FOREIGN;
    if (claims->device[0] && !slice_equal(slice_str(claims->device), device))
        return JWT_FOREIGN;
    return JWT_OK;
}

/* A user's devices share what the broker can hold for them; the longest connected one goes. */
static void end_surplus(struct core *c, const struct user *u)
{
    struct session *surplus = sessions_surplus(u);

    if (!surplus)
        return;
    receipts_closing(c, surplus, slice_str("too_many_devices"));
    core_kick(c, surplus);
}

static bool open_session(struct core *c, const void *client, const struct jwt_claims *claims,
                         struct slice device, uint64_t token_hash)
{
    struct session *session =
        sessions_open(&c->sessions, client, claims->uid, slice_str(claims->handle), device);

    if (!session)
        return false;
    c->stats.logins++;
    session->login = login_of(claims);
    session->token_hash = token_hash;
    session->kid = public_keys_hash(claims->kid);
    session->device_key = hash_bytes(session->client_id, strlen(session->client_id));
    session->expires_s = claims->expires_at;
    session->warned = claims->expires_at - clock_wall_ms() / 1000 < NOTICE_S;
    session->deadline_s = claims->expires_at + JWT_LEEWAY_S +
                          (int64_t)(hash_u64(c->stats.logins) % DEADLINE_JITTER_S);
    announce_opened(c, session);
    attach_opened(c, session);
    end_surplus(c, session->user);
    return true;
}

static enum auth_answer answer_of(bool granted)
{
    return granted ? AUTH_GRANTED : AUTH_REFUSED;
}

static enum auth_answer check_user(struct core *c, const void *client, const char *client_id,
                                   const char *username, const char *password)
{
    struct session *session = sessions_find_any(&c->sessions, client);
    uint64_t token_hash = password ? hash_bytes(password, strlen(password)) : 0;
    struct jwt_claims claims;
    struct slice handle, device;
    enum jwt_status status;
    struct uuid login;

    if (c->auth.reloading && session)
        return answer_of(check_again(session, client_id, token_hash));
    /* A durable session without a connection. Refusing it makes 2.0.11 enter it into its list of
     * expiring sessions twice; let in, it still has nothing here. */
    if (c->auth.reloading)
        return AUTH_GRANTED;
    if (session)
        core_close_session(c, session); /* the broker did not tell that it had gone */
    if (!username || !password || !client_id_split(slice_str(client_id), &handle, &device) ||
        !slice_equal(slice_str(username), handle))
        return AUTH_REFUSED;
    status = verify(c, handle, device, password, &claims);
    if (status != JWT_OK) {
        broker_log(BROKER_INFO, "login of %s refused: %s", client_id, jwt_status_text(status));
        return AUTH_REFUSED;
    }
    login = login_of(&claims);
    if (revoked_set_has(&c->revoked, &login)) {
        broker_log(BROKER_INFO, "login of %s refused: it was revoked", client_id);
        return AUTH_REFUSED;
    }
    if (c->drain.on)
        return AUTH_LATER;
    return answer_of(open_session(c, client, &claims, device, token_hash));
}

bool auth_may_try(struct core *c, const char *address)
{
    if (c->auth.reloading || rates_connect(c, address) == 0)
        return true;
    c->stats.logins_refused++;
    return false;
}

enum auth_answer auth_check(struct core *c, const void *client, const char *client_id,
                            const char *username, const char *password)
{
    enum auth_answer answer;

    if (username && core_is_bell(username))
        answer = answer_of(check_bell(c, client_id, password));
    else
        answer = check_user(c, client, client_id, username, password);
    if (answer != AUTH_GRANTED)
        c->stats.logins_refused++;
    return answer;
}

static void warn(struct core *c, struct session *session, int64_t now_s)
{
    int64_t jitter_s = (int64_t)(session->token_hash % NOTICE_JITTER_S);

    if (session->warned || now_s < session->expires_s - NOTICE_S - jitter_s)
        return;
    session->warned = true;
    receipts_token_expires(c, session);
}

static void end_session(struct core *c, struct session *session, const char *reason)
{
    receipts_closing(c, session, slice_str(reason));
    core_kick(c, session);
}

/* How many connections this scan is to look at. */
static size_t scan_count(struct core *c)
{
    size_t rounds = c->auth.hurry > 0 ? HURRY_ROUNDS : SCAN_ROUNDS;
    size_t count = c->sessions.by_client.count / rounds + SCAN_MIN;

    if (c->auth.hurry > 0)
        c->auth.hurry--;
    return count < c->sessions.by_client.count ? count : c->sessions.by_client.count;
}

void auth_scan(struct core *c)
{
    size_t count;
    int64_t now_s;

    if (c->now_ms < c->scan_ms)
        return;
    c->scan_ms = c->now_ms + SCAN_INTERVAL_MS;
    now_s = clock_wall_ms() / 1000;
    count = scan_count(c);
    for (size_t i = 0; i < count; i++) {
        struct session *session = sessions_scan(&c->sessions);

        if (session->kick_turn > 0 || session->superseded)
            continue;
        if (!public_keys_have(&c->auth.keys, session->kid))
            end_session(c, session, "revoked");
        else if (now_s > session->deadline_s)
            end_session(c, session, "expired");
        else
            warn(c, session, now_s);
    }
}
