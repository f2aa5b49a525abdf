/* SPDX-License-Identifier: MIT */
/* banter.h - libbanter: a Banter device in C, all that docs/protocol.md asks of a client.
 *
 * Threads. Every client has one thread of its own. All callbacks run there, one at a time, and none
 * runs inside a call of yours. Every function here may be called from any thread, also from within
 * a callback, unless it says otherwise; none waits for the network, unless it says so. While a
 * callback runs nothing else happens to this client: whoever takes seconds falls behind, and beyond
 * some thousand waiting messages the connection is made anew and what was missed is fetched.
 *
 * Strings. What you pass is copied before the call returns. What a callback gets is the library's,
 * UTF-8 with a NUL, and good until the callback returns. A pointer that may be NULL says so.
 *
 * Errors. Functions return BANTER_OK (0) or another enum banter_error. Requests that are accepted
 * end in exactly one call of their `done`, be it by banter_destroy() with BANTER_STOPPED.
 *
 * Structures begin with their size, so that a program and a library of different ages understand
 * each other: begin with the _INIT macro and set what you need. */
#ifndef BANTER_BANTER_H
#define BANTER_BANTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define BANTER_API __attribute__((visibility("default")))
#define BANTER_MUST_USE __attribute__((warn_unused_result))
#else
#define BANTER_API
#define BANTER_MUST_USE
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define BANTER_VERSION_MAJOR 0
#define BANTER_VERSION_MINOR 1
#define BANTER_VERSION_PATCH 0

/* Of the library at run time, such as "0.1.0". Static storage. */
BANTER_API const char *banter_version(void);

/* ---- errors ---- */

enum banter_error {
    BANTER_OK = 0,
    /* What the server says: docs/protocol.md, "Errors". */
    BANTER_INVALID,
    BANTER_UNAUTHORIZED,
    BANTER_FORBIDDEN,
    BANTER_NOT_FOUND,
    BANTER_CONFLICT,
    BANTER_TOO_LARGE,
    BANTER_LIMIT_REACHED,
    BANTER_RATE_LIMITED,
    BANTER_UNAVAILABLE,
    BANTER_OUT_OF_ORDER,
    BANTER_INTERNAL,
    /* What the library says. */
    BANTER_OFFLINE = 100, /* no answer from any server */
    BANTER_TIMEOUT,       /* not within the time given */
    BANTER_NO_MEMORY,
    BANTER_STORE,       /* the store could not be read or written */
    BANTER_BUSY,        /* another program, or client, has this store open */
    BANTER_FULL,        /* a queue has reached its bound: later again */
    BANTER_STOPPED,     /* the client is being destroyed */
    BANTER_WRONG_THREAD /* not from within a callback */
};

/* The code, such as "not_found" or "offline". Static storage. */
BANTER_API const char *banter_error_name(int error);
/* A sentence about it. Static storage. */
BANTER_API const char *banter_error_text(int error);

/* ---- what is told ---- */

/* An entry of a conversation's log (docs/protocol.md, "Receiving"). */
struct banter_entry {
    const char *conversation;
    int64_t seq;
    const char *at;    /* RFC 3339 */
    const char *from;  /* handle */
    const char *kind;  /* "text", "edit", "reaction", "created" ...; pass over what is unknown */
    const char *id;    /* of the draft; NULL if it was none */
    const char *text;  /* of text and edit; NULL if it has none, or was deleted */
    const char *emoji; /* of a reaction, else NULL */
    int64_t reply_to;  /* or 0 */
    int64_t target;    /* of edit, delete and reaction, else 0 */
    bool remove;       /* a reaction is taken back */
    bool deleted;      /* read later: the text is gone */
    bool own;          /* `from` is this user */
    const char *json;  /* all of it */
};

/* What became of a draft. */
struct banter_receipt {
    const char *id;
    const char *conversation; /* in a refusal as it was addressed: perhaps "@handle" */
    int error;                /* BANTER_OK: stored, for ever, under `seq` */
    const char *reason;       /* of a refusal; else NULL */
    int64_t seq;
    const char *at; /* RFC 3339; NULL in a refusal */
};

enum banter_connection {
    BANTER_SIGNED_OUT, /* nobody is logged in; nothing is tried */
    BANTER_CONNECTING,
    BANTER_WAITING,   /* for the next attempt, retry_ms from now */
    BANTER_SYNCING,   /* connected; what was missed is being fetched */
    BANTER_ONLINE,    /* connected and up to date */
    BANTER_DISPLACED, /* another program connected as this device: waits for banter_nudge() */
};

struct banter_state {
    enum banter_connection connection;
    int error;          /* why it waits, is displaced or signed out; else BANTER_OK */
    const char *reason; /* the same as a sentence; NULL if there is nothing to say */
    uint64_t retry_ms;  /* of BANTER_WAITING */
    const char *server; /* the MQTT address in use; NULL when signed out */
};

/* A login. Whoever has it is the user. */
struct banter_login {
    const char *user;
    const char *access_token;
    const char *refresh_token;
    int64_t expires_at_ms; /* of the access token, since 1970 */
    int64_t lifetime_ms;   /* how long it was good for when it was new; 0 if that is not known */
};

struct banter_cursor {
    const char *conversation;
    const char *from; /* whose */
    int64_t received;
    int64_t read;
};

struct banter_presence {
    const char *user;
    const char *state;     /* "online", "away", "offline"; NULL: not shown (any more) */
    const char *last_seen; /* RFC 3339, or NULL */
};

/* The end of a request. */
struct banter_result {
    int error;
    const char *reason;      /* of an error, for people; else NULL */
    uint64_t retry_after_ms; /* if the server said so; else 0 */
    const char *json;        /* what was answered; NULL after an error */
};

typedef void banter_done_fn(void *owner, const struct banter_result *result);

/* A page of a log. `entries` has `count` of them in rising order; `more`: there are others. */
typedef void banter_page_fn(void *owner, const struct banter_result *result,
                            const struct banter_entry *const *entries, size_t count, bool more);

enum banter_level { BANTER_LOG_ERROR, BANTER_LOG_WARNING, BANTER_LOG_INFO, BANTER_LOG_DEBUG };

/* Who is told; each may be NULL. All on the client's thread. */
struct banter_callbacks {
    size_t struct_size;
    void *owner; /* handed to each of them */

    void (*on_state)(void *owner, const struct banter_state *state);
    /* Entries of all conversations, one's own among them. Each (conversation, seq) comes once, and
     * a conversation's in the order of seq without a gap. An entry counts as told when this has
     * returned: whoever is killed before that, or in the instant after, is told it again. NULL:
     * this program does not listen; nothing is fetched, and how far the store was told stays as it
     * is. */
    void (*on_entry)(void *owner, const struct banter_entry *entry);
    /* Once for each draft, before its entry; whoever is killed meanwhile is told it again. (Of the
     * first draft to an "@handle" the entry may come first, when the connection broke.) */
    void (*on_receipt)(void *owner, const struct banter_receipt *receipt);
    /* `me/event`, as it came: memberships that began and ended, a changed profile. */
    void (*on_event)(void *owner, const char *json);
    void (*on_typing)(void *owner, const char *conversation, const char *from, bool typing);
    void (*on_cursor)(void *owner, const struct banter_cursor *cursor);
    void (*on_presence)(void *owner, const struct banter_presence *presence);
    /* A login began or its tokens were renewed; NULL: it has ended, state says why. Whoever has no
     * store keeps it, at once: a refresh token works once. */
    void (*on_login)(void *owner, const struct banter_login *login);
    void (*on_log)(void *owner, enum banter_level level, const char *message);
};

#define BANTER_CALLBACKS_INIT                                                                      \
    {                                                                                              \
        sizeof(struct banter_callbacks), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,     \
            NULL                                                                                   \
    }

/* ---- a client ---- */

/* One server. `api` is "https://host" or "http://host:port". `mqtt` is where its MQTT is:
 * "wss://host/mqtt", "ws://", "mqtts://host:8883" or "mqtt://host:1883"; NULL: WebSocket at /mqtt
 * beside the API. */
struct banter_server {
    const char *api;
    const char *mqtt;
};

enum banter_start {
    BANTER_FROM_NOW,  /* a new store begins with what comes from now on */
    BANTER_FROM_FIRST /* ... with the first entry of every conversation */
};

struct banter_options {
    size_t struct_size;
    /* All of one Banter; when one fails, or the connection to it breaks, the next is tried. 1 to
     * 16. */
    const struct banter_server *servers;
    size_t server_count;
    /* This installation, 1 to 32 of A-Z a-z 0-9 _ -. Logins are bound to it. Required. */
    const char *device;
    /* A SQLite file, made with mode 0600 if it is not there: drafts, tokens and how far each
     * conversation was told. For one user, one device and one program at a time. NULL: in memory,
     * so that nothing outlives the client. */
    const char *store;
    enum banter_start start;
    /* Tell the server that entries were received when on_entry has returned. */
    bool say_received;
    /* PEM file of the authorities to trust, NULL: the system's. */
    const char *ca_file;
    /* Drafts waiting for their receipt at most; beyond, banter_post() says BANTER_FULL. */
    uint32_t outbox_max;
    /* Ask the server for other nodes to fail over to (GET /v1/servers); one that does not know of
     * any is the only one. */
    bool discover;
    /* Where this device is, from the general to the particular, as the nodes' settings have it,
     * such as "eu/de/fra": what is near comes first. Of A-Z a-z 0-9 _ . / -; NULL: not known. */
    const char *location;
};

#define BANTER_OPTIONS_INIT                                                                        \
    {                                                                                              \
        sizeof(struct banter_options), NULL, 0, NULL, NULL, BANTER_FROM_NOW, true, NULL, 1000,     \
            true, NULL                                                                             \
    }

struct banter;

/* Makes a client and its thread; it connects by itself when the store has a login. `callbacks` may
 * be NULL. *out is set before the first callback, and NULL after an error; end it with
 * banter_destroy(). BANTER_INVALID: an option is wrong. BANTER_BUSY: the store is in use.
 * BANTER_STORE: it cannot be used. BANTER_NO_MEMORY: nor can the machine, for now. */
BANTER_API int banter_create(struct banter **out, const struct banter_options *options,
                             const struct banter_callbacks *callbacks) BANTER_MUST_USE;

/* Ends it; NULL is allowed. Waits for the client's thread, for a callback that runs and up to some
 * seconds for the network. Afterwards nothing is called any more. Unsent drafts stay in the store.
 * Not from within a callback (it then does nothing). */
BANTER_API void banter_destroy(struct banter *b);

enum banter_wait {
    BANTER_UNTIL_ONLINE, /* connected and up to date */
    BANTER_UNTIL_SENT    /* no draft waits for its receipt */
};

/* Waits at most timeout_ms. BANTER_UNAUTHORIZED: nobody is logged in, nor is somebody about to be.
 * BANTER_TIMEOUT. Not from within a callback: BANTER_WRONG_THREAD. */
BANTER_API int banter_wait(struct banter *b, enum banter_wait what,
                           uint32_t timeout_ms) BANTER_MUST_USE;

/* Writes the handle of who is logged in, or an empty string. False if there was no room. */
BANTER_API bool banter_user(struct banter *b, char *handle, size_t size);

/* Tries to connect at once: the network is back, or this device shall be the connected one again.
 */
BANTER_API void banter_nudge(struct banter *b);

/* ---- who ---- */

/* The store then is this user's. BANTER_CONFLICT, in `done`: the handle is taken, or the store
 * belongs to another user, who logs out first. `name` and `email` may be NULL. */
BANTER_API int banter_sign_up(struct banter *b, const char *handle, const char *password,
                              const char *name, const char *email, banter_done_fn *done,
                              void *owner) BANTER_MUST_USE;
BANTER_API int banter_log_in(struct banter *b, const char *handle, const char *password,
                             banter_done_fn *done, void *owner) BANTER_MUST_USE;
/* Goes on with a login that on_login told of. */
BANTER_API int banter_resume(struct banter *b, const struct banter_login *login,
                             banter_done_fn *done, void *owner) BANTER_MUST_USE;
/* Forgets the user, whether the server hears of it or not: tokens, drafts and all. */
BANTER_API int banter_log_out(struct banter *b, banter_done_fn *done, void *owner) BANTER_MUST_USE;

/* ---- drafts ---- */

enum { BANTER_ID_MAX_BYTES = 256, BANTER_ID_SIZE = BANTER_ID_MAX_BYTES + 1 };

enum banter_kind { BANTER_TEXT, BANTER_EDIT, BANTER_DELETE, BANTER_REACTION };

struct banter_draft {
    size_t struct_size;
    enum banter_kind kind;
    /* 1 to 64 characters, other ones in each draft of a conversation, ever; best in all of the
     * user's drafts. NULL: a UUID is made. */
    const char *id;
    const char *text;  /* of text and edit */
    int64_t reply_to;  /* of a text: a seq, or 0 */
    int64_t target;    /* of the other kinds: the seq of the message */
    const char *emoji; /* of a reaction */
    bool remove;       /* of a reaction: take it back */
};

#define BANTER_DRAFT_INIT                                                                          \
    {                                                                                              \
        sizeof(struct banter_draft), BANTER_TEXT, NULL, NULL, 0, 0, NULL, false                    \
    }

/* Takes a draft to `to`, a conversation's id or "@handle". When this returns BANTER_OK it is
 * committed to the store, and will be sent, and sent again, until on_receipt tells what became of
 * it; a conversation's drafts are sent in the order in which they were taken. This may wait for the
 * disk. `id`, unless NULL, receives the draft's id. BANTER_INVALID, BANTER_TOO_LARGE: the server
 * would refuse it. BANTER_CONFLICT: a draft with this id is in the outbox. BANTER_FULL. */
BANTER_API int banter_post(struct banter *b, const char *to, const struct banter_draft *draft,
                           char id[BANTER_ID_SIZE]) BANTER_MUST_USE;

/* banter_post() of a text. */
BANTER_API int banter_send(struct banter *b, const char *to, const char *text,
                           char id[BANTER_ID_SIZE]) BANTER_MUST_USE;

/* Drafts that wait for their receipt. */
BANTER_API size_t banter_outbox_count(struct banter *b);

/* ---- signals; what is not connected, or too much, may be lost ---- */

/* How far one has received and read; either may be 0. Said when it has come to rest, and again
 * until the broker has taken it. */
BANTER_API int banter_mark(struct banter *b, const char *conversation, int64_t received,
                           int64_t read) BANTER_MUST_USE;
BANTER_API int banter_typing(struct banter *b, const char *conversation,
                             bool typing) BANTER_MUST_USE;
/* "online", "away" or "hidden". Said again with each connection. */
BANTER_API int banter_set_presence(struct banter *b, const char *state) BANTER_MUST_USE;
/* on_presence tells what a user is, now and whenever that changes. At most 1,000. */
BANTER_API int banter_watch(struct banter *b, const char *handle) BANTER_MUST_USE;
BANTER_API int banter_unwatch(struct banter *b, const char *handle) BANTER_MUST_USE;

/* ---- questions ----
 * Answered by `done`, after at most half a minute (pages: three). Nothing is asked twice but after
 * a renewed token: after BANTER_OFFLINE nobody knows whether a command was carried out. */

/* One command, a JSON object with "command" (docs/protocol.md, "Commands"). result->json is its
 * `data`. */
BANTER_API int banter_command(struct banter *b, const char *json, banter_done_fn *done,
                              void *owner) BANTER_MUST_USE;

/* result->json has "conversation". `title` may be NULL. */
BANTER_API int banter_create_group(struct banter *b, const char *title, const char *const *members,
                                   size_t member_count, banter_done_fn *done,
                                   void *owner) BANTER_MUST_USE;
BANTER_API int banter_create_direct(struct banter *b, const char *handle, banter_done_fn *done,
                                    void *owner) BANTER_MUST_USE;
BANTER_API int banter_add_members(struct banter *b, const char *conversation,
                                  const char *const *members, size_t member_count,
                                  banter_done_fn *done, void *owner) BANTER_MUST_USE;
BANTER_API int banter_remove_member(struct banter *b, const char *conversation, const char *handle,
                                    banter_done_fn *done, void *owner) BANTER_MUST_USE;
BANTER_API int banter_leave(struct banter *b, const char *conversation, banter_done_fn *done,
                            void *owner) BANTER_MUST_USE;

struct banter_page {
    size_t struct_size;
    int64_t after;  /* entries after this seq; -1: not asked for */
    int64_t before; /* the last ones before it; 0: not asked for. Neither: the newest */
    uint32_t limit; /* 1 to 1,000 */
    bool folded;    /* messages as they are now: docs/protocol.md, "The folded view" */
};

#define BANTER_PAGE_INIT                                                                           \
    {                                                                                              \
        sizeof(struct banter_page), -1, 0, 50, false                                               \
    }

/* Reads a page of a log, `conversation` an id or "@handle". Independent of what on_entry tells. */
BANTER_API int banter_history(struct banter *b, const char *conversation,
                              const struct banter_page *page, banter_page_fn *done,
                              void *owner) BANTER_MUST_USE;

#ifdef __cplusplus
}
#endif

#endif
