/* SPDX-License-Identifier: MIT */
/* apns_token.c - see apns_token.h. */
#include "push/apns_token.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/memory.h"
#include "push/jws.h"

#include <stdbool.h>
#include <stdlib.h>

enum {
    REUSE_S = 45 * 60, /* Apple: between 20 and 60 minutes */
    RENEWAL_MIN_S = 20 * 60,
    NAME_MAX_LENGTH = 64,
    TOKEN_MAX_BYTES = 1024,
};

struct apns_token {
    struct jws_key *key;
    char *key_id, *team;
    char *token; /* NULL: none yet, or to be made anew */
    int64_t made_at;
    int64_t refused_at; /* the last one that Apple had us renew; 0: none */
    unsigned generation;
};

static bool is_name(const char *name)
{
    return name && name[0] != '\0' && strlen(name) <= NAME_MAX_LENGTH;
}

struct apns_token *apns_token_create(const char *key_file, const char *key_id, const char *team)
{
    struct apns_token *t;

    if (!is_name(key_id) || !is_name(team)) {
        log_error("push", "APNs needs the key's id and the team's");
        return NULL;
    }
    t = must_calloc(1, sizeof *t);
    t->key_id = must_strndup(slice_str(key_id));
    t->team = must_strndup(slice_str(team));
    t->key = jws_key_from_file(key_file, JWS_ES256, "APNs");
    if (!t->key) {
        apns_token_destroy(t);
        return NULL;
    }
    return t;
}

void apns_token_destroy(struct apns_token *t)
{
    if (!t)
        return;
    jws_key_destroy(t->key);
    free(t->key_id);
    free(t->team);
    free(t->token);
    free(t);
}

static char *make(const struct apns_token *t, int64_t now)
{
    struct buf header, claims, out;
    char *token = NULL;

    buf_init(&header, TOKEN_MAX_BYTES);
    buf_init(&claims, TOKEN_MAX_BYTES);
    buf_init(&out, TOKEN_MAX_BYTES);
    buf_str(&header, "{\"alg\":\"ES256\",\"kid\":");
    buf_json(&header, slice_str(t->key_id));
    buf_char(&header, '}');
    buf_str(&claims, "{\"iss\":");
    buf_json(&claims, slice_str(t->team));
    buf_printf(&claims, ",\"iat\":%lld}", (long long)now);
    if (!header.failed && !claims.failed &&
        jws_sign(t->key, buf_slice(&header), buf_slice(&claims), &out))
        token = buf_detach(&out);
    buf_finish(&header);
    buf_finish(&claims);
    buf_finish(&out);
    return token;
}

const char *apns_token_get(struct apns_token *t, int64_t now, unsigned *generation)
{
    /* A clock that was set back makes what we have a token of the future. */
    if (!t->token || now >= t->made_at + REUSE_S || now < t->made_at) {
        free(t->token);
        t->token = make(t, now);
        t->made_at = now;
        t->generation++;
    }
    *generation = t->generation;
    return t->token;
}

void apns_token_refuse(struct apns_token *t, int64_t now, unsigned generation)
{
    if (generation != t->generation)
        return;
    if (t->refused_at != 0 && now >= t->refused_at && now < t->refused_at + RENEWAL_MIN_S)
        return;
    t->refused_at = now;
    free(t->token);
    t->token = NULL;
}
