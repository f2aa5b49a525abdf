/* SPDX-License-Identifier: MIT */
/* keys.c - see keys.h. A set of keys is made whole, published, and only then takes the place of the
 * one before: nothing is signed with a key that jwks.json does not have. */
#include "core/keys.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "core/key_files.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    LOOK_MS = 1000,
    RETRY_MS = 30000, /* while something is wrong that no change of a file may mend */
    JWKS_MAX_AGE_S = 300,
};

struct key_set {
    struct key_files files;
    struct buf jwks;
    struct jwt_keys *verifiers; /* parsed back from `jwks` */
};

struct keys {
    char *directory;
    char *issuer;
    char *audience;
    int64_t overlap_s;
    keys_changed_fn *changed;
    void *owner;
    struct key_set set;
    uint64_t mark;      /* of the directory when it was read last */
    uint64_t looked_ms; /* monotonic, when that was */
    bool failed;        /* then */
    struct event *timer;
    struct keys_stats stats;
};

static int64_t now_s(void)
{
    return clock_wall_ms() / 1000;
}

static void set_finish(struct key_set *s)
{
    key_files_finish(&s->files);
    jwt_keys_destroy(s->verifiers);
    buf_finish(&s->jwks);
}

/* A file that is of no use now still stands for the key that it had. */
static void remember_kids(const struct key_files *before, struct key_files *now)
{
    for (size_t i = 0; i < now->count; i++) {
        for (size_t j = 0; !now->items[i].signer && j < before->count; j++) {
            if (strcmp(before->items[j].name, now->items[i].name) == 0)
                memcpy(now->items[i].kid, before->items[j].kid, sizeof before->items[j].kid);
        }
    }
}

/* Whether jwks.json has this kid so far. */
static bool has_kid(const struct buf *jwks, const char *kid)
{
    char member[JWT_KID_MAX_LENGTH + 16];

    snprintf(member, sizeof member, "\"kid\":\"%s\"", kid);
    return jwks->data && strstr(jwks->data, member);
}

/* Appends the public half of a key. Of a file that is of no use it is what was known before, so
 * that what the key has signed stays good. False: nobody knows it. */
static bool write_jwk(const struct key_set *before, const struct key_file *file, struct buf *out)
{
    if (!file->signer)
        return before->verifiers &&
               jwt_keys_write_jwk(before->verifiers, slice_str(file->kid), out);
    jwt_signer_write_jwk(file->signer, out);
    return true;
}

static void write_jwks(const struct key_set *before, struct key_set *s)
{
    const char *separator = "";
    struct buf jwk;

    buf_init(&jwk, JWKS_MAX_BYTES);
    buf_str(&s->jwks, "{\"keys\":[");
    for (size_t i = 0; i < s->files.count; i++) {
        const struct key_file *file = &s->files.items[i];

        buf_reset(&jwk);
        if (has_kid(&s->jwks, file->kid) || !write_jwk(before, file, &jwk))
            continue;
        buf_str(&s->jwks, separator);
        buf_slice_put(&s->jwks, buf_slice(&jwk));
        s->jwks.failed |= jwk.failed;
        separator = ",";
    }
    buf_str(&s->jwks, "]}\n");
    buf_finish(&jwk);
}

/* Makes the set of what is in the directory. False after logging; then *out is empty. */
static bool set_read(const struct keys *k, const struct key_set *before, struct key_set *out)
{
    const char *reason = "it does not fit";

    *out = (struct key_set){0};
    buf_init(&out->jwks, JWKS_MAX_BYTES);
    if (!key_files_read(k->directory, &out->files))
        goto fail;
    if (!key_files_signing(&out->files, now_s(), k->overlap_s)) {
        log_error("keys", "%s: no key of use is there", k->directory);
        goto fail;
    }
    remember_kids(&before->files, &out->files);
    write_jwks(before, out);
    if (!out->jwks.failed)
        out->verifiers = jwt_keys_parse(buf_slice(&out->jwks), &reason);
    if (!out->verifiers) {
        log_error("keys", "the set of public keys is of no use: %s", reason);
        goto fail;
    }
    return true;

fail:
    set_finish(out);
    return false;
}

static void log_change(const struct keys *k)
{
    const struct key_file *signing = key_files_signing(&k->set.files, now_s(), k->overlap_s);

    log_info("keys", "%zu keys, of which %u are of no use; %s signs", k->set.files.count,
             k->set.files.broken, signing->kid);
}

static void tell_missing(const struct keys *k, const struct jwt_keys *of, const struct jwt_keys *in,
                         const char *what)
{
    for (size_t i = 0; i < jwt_keys_count(of); i++) {
        struct slice kid = slice_str(jwt_keys_kid(of, i));

        if (!jwt_keys_have(in, kid))
            k->changed(k->owner, kid, what);
    }
}

static void tell_change(struct keys *k, const struct key_set *before)
{
    if (slice_equal(buf_slice(&before->jwks), buf_slice(&k->set.jwks)))
        return;
    k->stats.changes++;
    log_change(k);
    if (k->changed) {
        tell_missing(k, k->set.verifiers, before->verifiers, "key_added");
        tell_missing(k, before->verifiers, k->set.verifiers, "key_removed");
    }
}

/* Puts the directory's keys in the place of those before. False after logging: those stay. */
static bool load(struct keys *k)
{
    struct key_set before = k->set, next;

    k->mark = key_files_mark(k->directory); /* what changes from now on is seen the next time */
    k->looked_ms = clock_monotonic_ms();
    k->failed = !set_read(k, &before, &next);
    if (!k->failed && !key_files_publish(k->directory, buf_slice(&next.jwks))) {
        set_finish(&next);
        k->failed = true;
    }
    if (k->failed) {
        k->stats.failures++;
        return false;
    }
    k->set = next;
    if (before.jwks.length > 0)
        tell_change(k, &before);
    set_finish(&before);
    return true;
}

/* Those that a process before this one has published. */
static void read_published(struct keys *k)
{
    const char *reason;
    struct buf jwks;

    buf_init(&jwks, JWKS_MAX_BYTES);
    if (key_files_read_jwks(k->directory, &jwks))
        k->set.verifiers = jwt_keys_parse(buf_slice(&jwks), &reason);
    buf_finish(&jwks);
}

/* False after logging: nothing can be made there, or nobody knows whether something is. */
static bool ensure_key(struct keys *k)
{
    char kid[JWT_KID_MAX_LENGTH + 1];
    struct key_files files;
    bool ok;

    if (mkdir(k->directory, 0755) != 0 && errno != EEXIST) {
        log_error("keys", "%s: %s", k->directory, strerror(errno));
        return false;
    }
    key_files_sweep(k->directory, now_s());
    ok = key_files_read(k->directory, &files);
    if (ok && files.count == 0) {
        ok = key_files_make(k->directory, kid);
        if (ok)
            log_info("keys", "made a first signing key, %s", kid);
    }
    key_files_finish(&files);
    return ok;
}

struct keys *keys_open(const struct keys_config *config)
{
    struct keys *k = must_calloc(1, sizeof *k);

    k->directory = must_strndup(slice_str(config->directory));
    k->issuer = must_strndup(slice_str(config->issuer));
    k->audience = must_strndup(slice_str(config->audience));
    k->overlap_s = config->overlap_s;
    k->changed = config->changed;
    k->owner = config->owner;
    buf_init(&k->set.jwks, JWKS_MAX_BYTES);
    if (ensure_key(k)) {
        read_published(k);
        if (load(k)) {
            log_change(k);
            return k;
        }
    }
    keys_close(k);
    return NULL;
}

static void on_timer(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    keys_look(argument);
}

bool keys_watch(struct keys *k, struct event_base *base)
{
    const struct timeval interval = {.tv_sec = LOOK_MS / 1000};

    k->timer = event_new(base, -1, EV_PERSIST, on_timer, k);
    return k->timer && event_add(k->timer, &interval) == 0;
}

void keys_close(struct keys *k)
{
    if (!k)
        return;
    if (k->timer)
        event_free(k->timer);
    set_finish(&k->set);
    free(k->directory);
    free(k->issuer);
    free(k->audience);
    free(k);
}

void keys_look(struct keys *k)
{
    bool wrong = k->failed || k->set.files.broken > 0;
    bool due = wrong && clock_monotonic_ms() - k->looked_ms >= RETRY_MS;

    if (due || key_files_mark(k->directory) != k->mark)
        keys_reload(k);
}

void keys_reload(struct keys *k)
{
    if (!load(k))
        log_error("keys", "the keys stay as they were");
}

struct slice keys_jwks(const struct keys *k)
{
    return buf_slice(&k->set.jwks);
}

unsigned keys_jwks_max_age_s(const struct keys *k)
{
    return k->overlap_s / 2 < JWKS_MAX_AGE_S ? (unsigned)k->overlap_s / 2 : JWKS_MAX_AGE_S;
}

bool keys_sign(const struct keys *k, const struct jwt_claims *claims, struct buf *out)
{
    const struct key_file *key = key_files_signing(&k->set.files, now_s(), k->overlap_s);

    return jwt_sign(key->signer, claims, k->issuer, k->audience, out);
}

enum jwt_status keys_verify(const struct keys *k, struct slice token, struct jwt_claims *out)
{
    return jwt_verify(k->set.verifiers, token, k->issuer, k->audience, now_s(), out);
}

void keys_get_stats(const struct keys *k, struct keys_stats *out)
{
    const struct key_file *key = key_files_signing(&k->set.files, now_s(), k->overlap_s);
    int64_t age_s = now_s() - key->made_s;

    *out = k->stats;
    out->published = jwt_keys_count(k->set.verifiers);
    out->broken = k->set.files.broken;
    out->age_s = age_s > 0 ? (uint64_t)age_s : 0;
}
