/* SPDX-License-Identifier: MIT */
/* key_operator.c - see key_operator.h. All that is known of a key is what its file says, so the
 * answers are the same on every node. */
#include "core/key_operator.h"

#include "base/clock.h"
#include "base/log.h"
#include "core/key_files.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    FILE_CLOCK_LAG_MS = 50, /* a file's time is that of the kernel's last tick, not of now */
};

/* A directory as it is now. */
struct view {
    const struct key_order *order;
    struct key_files files;
    const struct key_file *signing; /* NULL: none can */
    int64_t now_s;
};

static bool is_next(const struct view *v, const struct key_file *key)
{
    return key->signer && (!v->signing || key < v->signing);
}

static bool is_old(const struct view *v, const struct key_file *key)
{
    return key->signer && v->signing && key > v->signing;
}

/* When the last token that an old key may have signed has ended, for certain. */
static int64_t tokens_end(const struct view *v, const struct key_file *key)
{
    const struct key_file *newer = key - 1; /* at the latest the one that signs */

    while (!newer->signer)
        newer--;
    return key_files_signs_from(&v->files, newer, v->order->overlap_s) +
           v->order->access_token_ttl_s + JWT_LEEWAY_S + KEY_RETIRE_MARGIN_S;
}

static bool is_due(const struct view *v, const struct key_file *key)
{
    return is_old(v, key) && tokens_end(v, key) <= v->now_s;
}

/* The key's state, and a time that goes with it. */
static const char *state_of(const struct view *v, const struct key_file *key, int64_t *since_s)
{
    *since_s = key_files_signs_from(&v->files, key, v->order->overlap_s);
    if (!key->signer)
        return "broken";
    if (is_next(v, key))
        return "next";
    if (!is_old(v, key))
        return "signing";
    *since_s = tokens_end(v, key);
    return is_due(v, key) ? "due" : "old";
}

static bool list(struct view *v)
{
    char made[RFC3339_S_LENGTH + 1], when[RFC3339_S_LENGTH + 1];
    int64_t when_s;

    puts("key\tstate\tmade\twhen");
    for (size_t i = 0; i < v->files.count; i++) {
        const struct key_file *key = &v->files.items[i];
        const char *state = state_of(v, key, &when_s);

        rfc3339_s(key->made_s, made);
        rfc3339_s(when_s, when);
        printf("%s\t%s\t%s\t%s\n", key->kid, state, made, key->signer ? when : "");
    }
    return true;
}

/* Keys are as old as their files, in whole seconds: waits, for a second and a little at most, until
 * a new key is newer than all others. False after logging: one of them is of a time to come. */
static bool wait_to_be_newest(const struct view *v)
{
    const struct key_file *newest = v->files.items;
    int64_t wait_ms = 0;

    if (v->files.count > 0)
        wait_ms = (newest->made_s + 1) * 1000 + FILE_CLOCK_LAG_MS - clock_wall_ms();
    if (wait_ms > 1000 + FILE_CLOCK_LAG_MS) {
        log_error("keys", "%s is of a time to come; set the clock, or `touch` the file",
                  newest->name);
        return false;
    }
    if (wait_ms > 0)
        usleep((useconds_t)wait_ms * 1000);
    return true;
}

static bool rotate(struct view *v)
{
    char kid[JWT_KID_MAX_LENGTH + 1], when[RFC3339_S_LENGTH + 1];

    for (size_t i = 0; i < v->files.count; i++) {
        const struct key_file *key = &v->files.items[i];

        if (!is_next(v, key))
            continue;
        rfc3339_s(key_files_signs_from(&v->files, key, v->order->overlap_s), when);
        log_error("keys", "%s signs from %s on; wait for that before you rotate again", key->kid,
                  when);
        return false;
    }
    if (v->files.count >= KEY_ROTATE_MAX) {
        log_error("keys", "there are %zu keys; retire some first", v->files.count);
        return false;
    }
    key_files_sweep(v->order->directory, v->now_s);
    if (!wait_to_be_newest(v) || !key_files_make(v->order->directory, kid))
        return false;
    rfc3339_s(clock_wall_ms() / 1000 + (v->signing ? v->order->overlap_s : 0), when);
    printf("made %s, which signs from %s on\n", kid, when);
    return true;
}

static bool delete_key(struct view *v, const struct key_file *key)
{
    if (!key_files_delete(v->order->directory, key))
        return false;
    printf("retired %s\n", key->kid);
    return true;
}

static bool retire_due(struct view *v)
{
    bool ok = true;
    unsigned count = 0;

    for (size_t i = 0; i < v->files.count; i++) {
        if (!is_due(v, &v->files.items[i]))
            continue;
        count++;
        ok = delete_key(v, &v->files.items[i]) && ok;
    }
    if (count == 0)
        puts("no key is due");
    return ok;
}

/* Whether another key could sign. */
static bool is_replaceable(const struct view *v, const struct key_file *key)
{
    for (size_t i = 0; i < v->files.count; i++) {
        if (v->files.items[i].signer && &v->files.items[i] != key)
            return true;
    }
    return false;
}

static const struct key_file *find(const struct view *v, const char *kid)
{
    for (size_t i = 0; i < v->files.count; i++) {
        if (strcmp(v->files.items[i].kid, kid) == 0)
            return &v->files.items[i];
    }
    return NULL;
}

static bool retire(struct view *v)
{
    const struct key_file *key = find(v, v->order->kid);
    char when[RFC3339_S_LENGTH + 1];

    if (!key) {
        log_error("keys", "there is no key %s", v->order->kid);
        return false;
    }
    if (!is_replaceable(v, key)) {
        log_error("keys", "%s is the only key of use; rotate first", key->kid);
        return false;
    }
    if (key == v->signing && !v->order->now) {
        log_error("keys", "%s signs; rotate first, or end all its tokens with --now", key->kid);
        return false;
    }
    if (is_old(v, key) && !is_due(v, key) && !v->order->now) {
        rfc3339_s(tokens_end(v, key), when);
        log_error("keys", "tokens of %s may be good until %s; wait, or end them with --now",
                  key->kid, when);
        return false;
    }
    return delete_key(v, key);
}

static bool retire_some(struct view *v)
{
    return v->order->kid ? retire(v) : retire_due(v);
}

static const struct action {
    const char *name;
    bool (*act)(struct view *v);
    bool takes_kid;
} actions[] = {
    {"list", list, false},
    {"retire", retire_some, true},
    {"rotate", rotate, false},
};

static const struct action *find_action(const char *name)
{
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
        if (strcmp(actions[i].name, name) == 0)
            return &actions[i];
    }
    return NULL;
}

bool key_operator_has(const char *action, bool kid)
{
    const struct action *a = find_action(action);

    return a && (a->takes_kid || !kid);
}

bool key_operator(const struct key_order *order)
{
    const struct action *action = find_action(order->action);
    struct view v = {.order = order, .now_s = clock_wall_ms() / 1000};
    bool ok;

    if (!action || !key_files_read(order->directory, &v.files))
        return false;
    v.signing = key_files_signing(&v.files, v.now_s, order->overlap_s);
    ok = action->act(&v);
    key_files_finish(&v.files);
    return ok;
}
