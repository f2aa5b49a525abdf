/* SPDX-License-Identifier: MIT */
/* auth.h - who may connect: a user with an access token, or the bridge's doorbell with the link
 * key.
 *
 * The client id must be handle/device, the user name the handle, the password a token for that
 * handle and, if the token is bound to one, that device. On SIGHUP the broker asks again for every
 * connection with the password of its CONNECT: a verified connection then stays until its deadline,
 * or until the key of its token is retired, which the scan sees to. */
#ifndef BANTER_PLUGIN_AUTH_H
#define BANTER_PLUGIN_AUTH_H

#include "base/compiler.h"
#include "base/slice.h"
#include "public_keys.h"
#include "wire/frame.h"

#include <stdbool.h>
#include <stddef.h>

struct core;

enum {
    LINK_KEY_MIN_LENGTH = 16,
    DEADLINE_JITTER_S = 10, /* spreads the ends of connections whose tokens end together */
    NOTICE_S = 60,          /* a device hears at least this long before that its token ends */
    NOTICE_JITTER_S = 60,   /* and up to this much earlier, for the same reason */
};

struct auth {
    struct public_keys keys;
    unsigned hurry; /* scans that are to be quick: a key may have been retired */
    char link_key[LINK_KEY_MAX_LENGTH];
    size_t link_key_length;
    bool reloading; /* from RELOAD to the next TICK: BASIC_AUTH may be a repetition */
};

/* Reads the keys. False after logging why. */
bool auth_init(struct core *c) MUST_USE;
void auth_finish(struct auth *a);
/* RELOAD: reads the public keys again; keeps the old ones when that fails. */
void auth_reload(struct core *c);
/* TICK: reads them again if they have changed. */
void auth_look(struct core *c);
/* TICK: the reload, if there was one, is over. */
void auth_reload_done(struct auth *a);

enum auth_answer {
    AUTH_REFUSED = 0,
    AUTH_GRANTED,
    AUTH_LATER, /* the token is good, but nobody is let in now */
};

/* BASIC_AUTH, before anything else. False: this address tries too often. `address` may be NULL. */
bool auth_may_try(struct core *c, const char *address) MUST_USE;
/* BASIC_AUTH. Opens the session of a user's new connection. */
enum auth_answer auth_check(struct core *c, const void *client, const char *client_id,
                            const char *username, const char *password) MUST_USE;

/* Queues the end of some connections whose deadline has passed or whose key was retired, and warns
 * those whose token ends soon; the next call goes on with the next ones. */
void auth_scan(struct core *c);

#endif
