/* SPDX-License-Identifier: MIT */
/* vapid.c - see vapid.h. The cache is bounded: strangers choose the origins. */
#include "push/vapid.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/memory.h"
#include "push/endpoint.h"
#include "push/jws.h"
#include "push/push.h"
#include "token/jwt.h"

#include <stdlib.h>

enum {
    LIFETIME_S = 12 * 3600, /* at most 24 hours (section 2) */
    RENEW_BEFORE_S = 6 * 3600,
    ORIGINS_MAX = 64,
    SUBJECT_MAX_LENGTH = 255,
    CLAIMS_MAX_BYTES = PUSH_ADDRESS_MAX_BYTES + 2 * SUBJECT_MAX_LENGTH + 128,
    AUTHORIZATION_MAX_BYTES = 2 * CLAIMS_MAX_BYTES,
};

struct origin {
    char *name; /* owned; NULL: free */
    char *authorization;
    int64_t expires_at;
};

struct vapid {
    struct jws_key *key;
    char *subject;
    char *public_key;
    struct origin origins[ORIGINS_MAX];
};

static char *encode_point(const struct jws_key *key)
{
    unsigned char point[JWS_POINT_LENGTH];
    struct buf text;

    if (!jws_key_point(key, point))
        return NULL;
    buf_init(&text, 2 * JWS_POINT_LENGTH);
    base64url_encode(&text, slice_of((const char *)point, sizeof point));
    return buf_detach(&text);
}

struct vapid *vapid_create(const char *key_file, const char *subject)
{
    struct vapid *v = must_calloc(1, sizeof *v);

    if (!subject || strlen(subject) > SUBJECT_MAX_LENGTH ||
        (strncmp(subject, "mailto:", 7) != 0 && strncmp(subject, "https:", 6) != 0)) {
        log_error("push", "Web Push needs a subject: whom to write to, as mailto: or https:");
        goto fail;
    }
    v->subject = must_strndup(slice_str(subject));
    v->key = jws_key_from_file(key_file, JWS_ES256, "Web Push");
    if (!v->key)
        goto fail;
    v->public_key = encode_point(v->key);
    if (!v->public_key) {
        log_error("push", "Web Push: %s has no public key", key_file);
        goto fail;
    }
    return v;

fail:
    vapid_destroy(v);
    return NULL;
}

void vapid_destroy(struct vapid *v)
{
    if (!v)
        return;
    for (unsigned i = 0; i < ORIGINS_MAX; i++) {
        free(v->origins[i].name);
        free(v->origins[i].authorization);
    }
    jws_key_destroy(v->key);
    free(v->subject);
    free(v->public_key);
    free(v);
}

const char *vapid_public_key(const struct vapid *v)
{
    return v->public_key;
}

static char *make_authorization(const struct vapid *v, const char *origin, int64_t expires_at)
{
    static const char header[] = "{\"typ\":\"JWT\",\"alg\":\"ES256\"}";
    struct buf claims, out;
    char *made = NULL;

    buf_init(&claims, CLAIMS_MAX_BYTES);
    buf_init(&out, AUTHORIZATION_MAX_BYTES);
    buf_str(&claims, "{\"aud\":");
    buf_json(&claims, slice_str(origin));
    buf_printf(&claims, ",\"exp\":%lld,\"sub\":", (long long)expires_at);
    buf_json(&claims, slice_str(v->subject));
    buf_char(&claims, '}');
    buf_str(&out, "vapid t=");
    if (!claims.failed && jws_sign(v->key, slice_str(header), buf_slice(&claims), &out)) {
        buf_printf(&out, ", k=%s", v->public_key);
        made = buf_detach(&out);
    }
    buf_finish(&claims);
    buf_finish(&out);
    return made;
}

/* The place of this origin: its own, a free one, or that of the one to expire first. */
static struct origin *place_of(struct vapid *v, const char *name)
{
    struct origin *place = &v->origins[0];

    for (unsigned i = 0; i < ORIGINS_MAX; i++) {
        struct origin *o = &v->origins[i];

        if (!o->name)
            return o;
        if (strcmp(o->name, name) == 0)
            return o;
        if (o->expires_at < place->expires_at)
            place = o;
    }
    return place;
}

const char *vapid_authorization(struct vapid *v, const char *endpoint, int64_t now)
{
    char *name = endpoint_origin(endpoint);
    struct origin *o;

    if (!name)
        return NULL;
    o = place_of(v, name);
    if (o->name && strcmp(o->name, name) == 0 && o->authorization &&
        now + RENEW_BEFORE_S < o->expires_at && o->expires_at <= now + LIFETIME_S) {
        free(name);
        return o->authorization;
    }
    free(o->name);
    free(o->authorization);
    o->name = name;
    o->expires_at = now + LIFETIME_S;
    o->authorization = make_authorization(v, name, o->expires_at);
    return o->authorization;
}
