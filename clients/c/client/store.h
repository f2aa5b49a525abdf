/* SPDX-License-Identifier: MIT */
/* store.h - what outlives the program: one SQLite file with the login, the drafts that have no
 * receipt yet, and how far each conversation was told.
 *
 * For one process: the file is locked until store_close(). Callable from any thread, one call at a
 * time. Rule: store_post() and what concerns tokens returns only when it is on the disk; positions
 * survive the death of the process, and may be some back after a power failure, when entries are
 * told again. */
#ifndef BANTER_CLIENT_STORE_H
#define BANTER_CLIENT_STORE_H

#include "banter/banter.h"
#include "base/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store;

/* A row of the settings; `value` NULL takes it away. */
struct store_setting {
    const char *name;
    const char *value;
};

/* A draft without its body. */
struct store_draft {
    int64_t number; /* rises from draft to draft */
    char id[BANTER_ID_SIZE];
    char target[64]; /* a conversation's id, or @handle */
    size_t length;   /* of its body */
};

/* All return BANTER_OK, BANTER_STORE or BANTER_NO_MEMORY, and what is said besides. */

/* `path` NULL: in memory. BANTER_BUSY: somebody else has it open. */
int store_open(struct store **out, const char *path) MUST_USE;
void store_close(struct store *s); /* NULL is allowed */

/* All of these in one commit. */
int store_set(struct store *s, const struct store_setting *settings, size_t count) MUST_USE;
/* *value is malloc'd; NULL if there is none. */
int store_get(struct store *s, const char *name, char **value) MUST_USE;

/* BANTER_CONFLICT: the id is taken. BANTER_FULL: there are `most` already. `target` may be a
 * handle whose conversation is known by now: it is looked up. */
int store_post(struct store *s, const char *target, const char *id, const char *body, size_t length,
               size_t most) MUST_USE;
size_t store_draft_count(struct store *s);
/* The oldest ones after `number`, at most `most`; *count says how many. */
int store_drafts_after(struct store *s, int64_t number, struct store_draft *drafts, size_t most,
                       size_t *count) MUST_USE;
/* *body is malloc'd, with a NUL; NULL if there is no such draft. */
int store_draft_body(struct store *s, int64_t number, char **body, size_t *length) MUST_USE;
int store_draft_remove(struct store *s, int64_t number) MUST_USE;
/* The direct conversation with `handle` ("@bob") is known: its drafts go there, now and later. */
int store_retarget(struct store *s, const char *handle, const char *conversation) MUST_USE;

typedef int store_position_fn(void *owner, const char *conversation, int64_t seq);
/* Ends early when `each` returns an error, and returns it. */
int store_positions(struct store *s, store_position_fn *each, void *owner) MUST_USE;
int store_set_position(struct store *s, const char *conversation, int64_t seq) MUST_USE;

/* Everything is forgotten, and overwritten on the disk. */
int store_clear(struct store *s) MUST_USE;

#endif
