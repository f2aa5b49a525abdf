/* SPDX-License-Identifier: MIT */
/* options.h - the plugin's settings: the `plugin_opt_…` lines of mosquitto.conf. */
#ifndef BANTER_PLUGIN_OPTIONS_H
#define BANTER_PLUGIN_OPTIONS_H

#include "base/bucket.h"
#include "base/compiler.h"

#include <stdbool.h>
#include <stddef.h>

enum { OPTIONS_ERROR_MAX = 200 };

struct options {
    char *link_socket;   /* path of the bridge's Unix socket */
    char *link_key_file; /* the secret shared with the bridge */
    char *jwks_file;     /* public keys of access tokens; read again on SIGHUP */
    char *issuer;        /* `iss` of access tokens */
    char *audience;      /* `aud` of access tokens */
    size_t ring_bytes;   /* unconfirmed drafts kept for the bridge */
    bool rate_limits;    /* false: none of those below; see rates.h */
    struct rate rate_device_drafts;
    struct rate rate_user_drafts;
    struct rate rate_conversation_drafts; /* in groups and channels, of all members together */
    struct rate rate_user_requests;       /* syncs and envelopes of commands */
    struct rate rate_device_signals;      /* of one connection */
    struct rate rate_address_connects;    /* attempts */
    unsigned given; /* bit i: the option in row i of the table in options.c was */
};

/* Defaults; owns nothing yet. */
void options_init(struct options *o);
void options_finish(struct options *o);

/* Takes one option, copied. False: unknown, given twice, not a valid value or out of memory;
 * `error` then holds one sentence. */
bool options_set(struct options *o, const char *key, const char *value,
                 char error[OPTIONS_ERROR_MAX]) MUST_USE;
/* True when nothing that is required is missing. */
bool options_are_complete(const struct options *o, char error[OPTIONS_ERROR_MAX]) MUST_USE;

#endif
