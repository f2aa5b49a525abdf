/* SPDX-License-Identifier: MIT */
/* keys_rig.h - a directory of signing keys for one test. */
#ifndef BANTER_TESTS_KEYS_RIG_H
#define BANTER_TESTS_KEYS_RIG_H

#include "base/buf.h"
#include "core/keys.h"

#include <sys/types.h>

struct rig {
    char directory[64];
};

/* Makes an empty one, and removes it with all that is in it. */
int begin(void **state);
int end(void **state);

void write_file(const char *directory, const char *name, struct slice content, mode_t mode);
/* The same in the rig's directory, `age_s` old and its owner's alone. */
void write_aged(const struct rig *rig, const char *name, struct slice content, int age_s);
/* Adds a key that is `age_s` old and returns its kid, malloc'd. */
char *add_key(const struct rig *rig, const char *name, int age_s);
void remove_key(const struct rig *rig, const char *name);

/* Keys of the issuer "banter". */
struct keys *open_with(const char *directory, const char *audience, unsigned overlap_s);
/* A token of alice's into `token`, which the caller finishes. */
void sign(const struct keys *k, struct buf *token);
/* The kid of the key that signs now, malloc'd. */
char *signing_kid(const struct keys *k);
void assert_signs(const struct keys *k, const char *kid);

#endif
