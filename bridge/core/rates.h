/* SPDX-License-Identifier: MIT */
/* rates.h - how much may be asked over HTTP: by one address, by one user, and of passwords.
 *
 * Rules: nobody is locked out by what others do, unless they share an address with them; and a
 * refusal does not tell whether an account exists. Addresses of this machine and of trusted
 * proxies stand for many, and are only watched where a password is tried. */
#ifndef BANTER_BRIDGE_RATES_H
#define BANTER_BRIDGE_RATES_H

#include "base/bucket.h"
#include "base/compiler.h"
#include "base/slice.h"
#include "wire/codes.h"
#include "wire/frame.h"

#include <stdbool.h>
#include <stdint.h>

struct address;
struct networks;
struct rates;

enum {
    LOGIN_TRIES_FREE = 8,        /* wrong passwords before anybody has to wait */
    LOGIN_DELAY_MIN_MS = 1000,   /* after that; doubled by each one more */
    LOGIN_DELAY_MAX_MS = 900000, /* in which one is forgotten, too */
};

struct rates_config {
    bool on; /* false: no limits, no delays */
    struct rate address_http;
    struct rate user_http;
    struct rate address_signups;
    struct rate address_logins; /* that fail */
    struct rate user_exports;
    const struct networks *trusted_proxies;
};

/* `config` is copied, what it points to is borrowed. */
struct rates *rates_create(const struct rates_config *config) MUST_USE;
void rates_destroy(struct rates *r);

/* These count one thing and return 0; or the milliseconds to wait, and then nothing was counted.
 * `now_ms` is monotonic. */

uint64_t rates_address(struct rates *r, const struct address *address, uint64_t now_ms) MUST_USE;
uint64_t rates_user(struct rates *r, uint64_t uid, uint64_t now_ms) MUST_USE;
uint64_t rates_export(struct rates *r, uint64_t uid, uint64_t now_ms) MUST_USE;
uint64_t rates_signup(struct rates *r, const struct address *address, uint64_t now_ms) MUST_USE;

struct login_try {
    uint64_t account_key; /* of account and address together */
    uint64_t address_key; /* 0: it is not counted */
};

/* Before a password is looked at. It counts as wrong until rates_login_done(), so that many at once
 * gain nothing. */
uint64_t rates_login(struct rates *r, struct slice handle, const struct address *address,
                     uint64_t now_ms, struct login_try *out) MUST_USE;
/* CODE_OK: it was right, and whatever went wrong before it is forgotten. Other codes than
 * CODE_UNAUTHORIZED: nobody looked. */
void rates_login_done(struct rates *r, const struct login_try *t, enum code code);

/* What the plugin has refused since it was loaded. */
void rates_note_plugin(struct rates *r, const struct frame_limited *f);

enum rates_limit {
    RATES_ADDRESS_HTTP,
    RATES_USER_HTTP,
    RATES_ADDRESS_SIGNUPS,
    RATES_ADDRESS_LOGINS,
    RATES_ACCOUNT_LOGINS,
    RATES_USER_EXPORTS,
    RATES_LIMITS,
};

struct rates_stats {
    uint64_t refused[RATES_LIMITS];
    struct frame_limited plugin;
};
void rates_get_stats(const struct rates *r, struct rates_stats *out);

#endif
