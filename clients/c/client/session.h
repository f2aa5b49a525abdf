/* SPDX-License-Identifier: MIT */
/* session.h - who is logged in: the tokens, and how they are renewed.
 *
 * A refresh token works once, and using an old one ends the whole login. So one exchange is under
 * way at a time, and its key is on the disk before it is sent: whoever loses the answer, even by a
 * crash, repeats that exchange instead of making a second one. Runs on the client's thread. */
#ifndef BANTER_CLIENT_SESSION_H
#define BANTER_CLIENT_SESSION_H

#include "banter/banter.h"
#include "base/compiler.h"
#include "client/errors.h"
#include "client/http.h"
#include "client/platform.h"
#include "client/servers.h"
#include "client/store.h"

struct session;

/* What session.h tells its owner; never from within a call. */
struct session_hooks {
    /* A login began (`is_new`), or its tokens were renewed. */
    void (*opened)(void *owner, bool is_new);
    /* It has ended against the user's will. */
    void (*ended)(void *owner, const struct failure *why);
    /* A renewal is over: f->error is BANTER_OK if there is a token to go on with. */
    void (*renewed)(void *owner, const struct failure *f);
    void *owner;
};

struct session_parts {
    const struct platform *platform;
    struct store *store;
    struct http http;
    struct servers *servers;
    const char *device;
};

/* Reads the store. BANTER_NO_MEMORY, BANTER_STORE. */
int session_create(struct session **out, const struct session_parts *parts,
                   const struct session_hooks *hooks) MUST_USE;
/* Only after the http that it was given has stopped. NULL is allowed. */
void session_destroy(struct session *s);

bool session_is_open(const struct session *s);
/* The login; all of it is NULL or 0 when nobody is logged in. Borrowed until the next change. */
struct banter_login session_login(const struct session *s);
/* The access token is good for a while. */
bool session_is_fresh(const struct session *s);
/* A moment at which it should be renewed; NEVER when nobody is logged in. Monotonic. */
uint64_t session_renew_at(const struct session *s);
/* Another token, unless that is being asked for already; `renewed` tells. */
int session_renew(struct session *s) MUST_USE;

/* `path` is /v1/login or /v1/signup; `name` and `email` belong to the latter, or are NULL. `done`
 * may be called from within: when the store is another user's the server is not asked. */
int session_enter(struct session *s, const char *path, const char *handle, const char *password,
                  const char *name, const char *email, banter_done_fn *done, void *owner) MUST_USE;
/* BANTER_CONFLICT: the store is another user's. */
int session_resume(struct session *s, const struct banter_login *login) MUST_USE;
/* Empties the store, then tells the server, if it can be reached; `done` may be NULL. */
int session_log_out(struct session *s, banter_done_fn *done, void *owner) MUST_USE;

#endif
