/* SPDX-License-Identifier: MIT */
/* app_keys.c - see app_keys.h. */
#include "app_keys.h"

#include "config.h"
#include "core/audit.h"
#include "core/key_operator.h"
#include "core/keys.h"

/* Whoever has brought it about. */
static void on_changed(void *owner, struct slice kid, const char *what)
{
    audit_note_own(owner, what, kid);
}

struct keys *app_open_keys(struct event_base *base, const struct config *config,
                           struct audit *audit)
{
    struct keys *keys = keys_open(&(struct keys_config){
        .directory = config->keys_dir,
        .issuer = config->issuer,
        .audience = config->audience,
        .overlap_s = config->key_overlap,
        .changed = on_changed,
        .owner = audit,
    });

    if (!keys || keys_watch(keys, base))
        return keys;
    keys_close(keys);
    return NULL;
}

bool app_keys_have(const char *action, const char *kid)
{
    return key_operator_has(action, kid != NULL);
}

bool app_keys_keep(const struct config *config, const char *action, const char *kid, bool now)
{
    return key_operator(&(struct key_order){
        .directory = config->keys_dir,
        .overlap_s = config->key_overlap,
        .access_token_ttl_s = config->access_token_ttl,
        .action = action,
        .kid = kid,
        .now = now,
    });
}
