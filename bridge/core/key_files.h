/* SPDX-License-Identifier: MIT */
/* key_files.h - the directory of signing keys: `*.pem` (private, mode 0600, one key each) and
 * `jwks.json` (the public halves of all of them, mode 0644). Several nodes may share it.
 *
 * The age of a file says when its key signs, so copies must keep the times of the files. */
#ifndef BANTER_BRIDGE_KEY_FILES_H
#define BANTER_BRIDGE_KEY_FILES_H

#include "base/buf.h"
#include "base/compiler.h"
#include "base/slice.h"
#include "token/jwt.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    KEY_NAME_MAX_LENGTH = 255,
    JWKS_MAX_BYTES = 16384,
};

struct key_file {
    char name[KEY_NAME_MAX_LENGTH + 1];
    char kid[JWT_KID_MAX_LENGTH + 1]; /* without a signer: as our own files are called by it */
    int64_t made_s;                   /* Unix time of its last change */
    struct jwt_signer *signer;        /* owned; NULL: the file is of no use */
};

struct key_files {
    struct key_file items[JWT_KEYS_MAX]; /* newest first, the same order on every node */
    size_t count;
    unsigned broken; /* that are of no use, or for which there was no room */
};

/* Reads all `*.pem`, and logs what is of no use. False after logging: the directory cannot be read.
 */
bool key_files_read(const char *directory, struct key_files *out) MUST_USE;
void key_files_finish(struct key_files *f);

/* Which of them signs: the newest that is at least `overlap_s` old, or the oldest while none is.
 * NULL: none can. */
const struct key_file *key_files_signing(const struct key_files *f, int64_t now_s,
                                         int64_t overlap_s);
/* From when on the key has signed or will sign, as long as no newer one does. */
int64_t key_files_signs_from(const struct key_files *f, const struct key_file *key,
                             int64_t overlap_s);

/* A number that is another one when a file was added, replaced, changed or removed; 0: the
 * directory cannot be read. Looks at names and times only. */
uint64_t key_files_mark(const char *directory);

/* Makes a key and puts it into the directory; `kid` is what it is called, and its file. False after
 * logging why not. */
bool key_files_make(const char *directory, char kid[JWT_KID_MAX_LENGTH + 1]) MUST_USE;
/* Removes what writers of such files left that ended in the middle of it, once it is some minutes
 * old: whole private keys may be in it. */
void key_files_sweep(const char *directory, int64_t now_s);
/* Deletes a key's file. False after logging why not. */
bool key_files_delete(const char *directory, const struct key_file *key) MUST_USE;

/* Appends jwks.json to `out`. False, with errno set. */
bool key_files_read_jwks(const char *directory, struct buf *out) MUST_USE;
/* Replaces jwks.json, unless it has this content already. False after logging why not. */
bool key_files_publish(const char *directory, struct slice jwks) MUST_USE;

#endif
