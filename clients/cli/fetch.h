/* SPDX-License-Identifier: MIT */
/* fetch.h - HTTP with what is not the library's: what a server tells everybody, and one's account.
 */
#ifndef BANTER_CLI_FETCH_H
#define BANTER_CLI_FETCH_H

#include <stdbool.h>
#include <stddef.h>

struct cli;

struct fetched {
    char *body; /* ended by a NUL; to be freed */
    size_t length;
    long code; /* HTTP */
};

/* GET of `base` and `path`. An exit status after a message when there was no answer at all; else
 * what came, whatever its code. */
int fetch(const struct cli *c, const char *base, const char *path, struct fetched *out);

struct fetch_call {
    const char *path;  /* at the cli's server */
    const char *token; /* an access token, or NULL */
    const char *json;  /* what is posted; NULL: a GET */
    /* Takes the body of a 200 as it comes, which may last as long as something does come; false
     * ends it, and has said why: the status then is EXIT_REFUSED, without another message. NULL:
     * the body is `fetched`'s, as that of every other code. */
    bool (*take)(void *owner, const char *data, size_t length);
    void *owner;
};

/* As fetch(). What `take` was given before an error stays given. */
int fetch_call(const struct cli *c, const struct fetch_call *call, struct fetched *out);

#endif
