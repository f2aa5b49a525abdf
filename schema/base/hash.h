/* SPDX-License-Identifier: MIT */
/* hash.h - SipHash-2-4 (Aumasson and Bernstein, 2012) under a key drawn once per process, so that
 * nobody outside can make table keys collide. */
#ifndef BANTER_BASE_HASH_H
#define BANTER_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* SipHash-2-4 under an explicit 16-byte key. */
uint64_t siphash24(const uint8_t key[16], const void *data, size_t length);
/* SipHash-2-4 under this process's random key (getrandom(2), drawn at first use). */
uint64_t hash_bytes(const void *data, size_t length);
/* Mixes an integer key that strangers cannot choose (splitmix64 finalizer). */
uint64_t hash_u64(uint64_t value);

#endif
