/* SPDX-License-Identifier: MIT */
/* invite_token.h - what an invite's URL ends with: 128 random bits. Whoever has it may join, so
 * only its hash is stored. */
#ifndef BANTER_BRIDGE_INVITE_TOKEN_H
#define BANTER_BRIDGE_INVITE_TOKEN_H

#include "base/compiler.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

enum { INVITE_TOKEN_LENGTH = 22, INVITE_HASH_BYTES = 32 };

/* A new one, NUL-terminated. False: the system has no random bytes. */
bool invite_token_draw(char text[INVITE_TOKEN_LENGTH + 1]) MUST_USE;
/* SHA-256 of the bits. False: this was never a token of ours. */
bool invite_token_hash(struct slice text, uint8_t hash[INVITE_HASH_BYTES]) MUST_USE;

#endif
