/* SPDX-License-Identifier: MIT */
/* hash.c - see hash.h. Written from the description of SipHash in its paper, section 2. */
#include "base/hash.h"

#include "base/clock.h"

#include <endian.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/random.h>

static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static uint8_t process_key[16];

static uint64_t rotate_left(uint64_t value, unsigned bits)
{
    return value << bits | value >> (64 - bits);
}

/* 8 bytes, the first one lowest. */
static uint64_t load_word(const uint8_t *p)
{
    uint64_t word;

    memcpy(&word, p, sizeof word);
    return le64toh(word);
}

/* The same of fewer than 8. */
static uint64_t load_rest(const uint8_t *p, size_t n)
{
    uint64_t value = 0;

    for (size_t i = 0; i < n; i++)
        value |= (uint64_t)p[i] << (8 * i);
    return value;
}

static void sip_rounds(uint64_t v[4], int rounds)
{
    while (rounds-- > 0) {
        v[0] += v[1];
        v[2] += v[3];
        v[1] = rotate_left(v[1], 13) ^ v[0];
        v[3] = rotate_left(v[3], 16) ^ v[2];
        v[0] = rotate_left(v[0], 32);
        v[2] += v[1];
        v[0] += v[3];
        v[1] = rotate_left(v[1], 17) ^ v[2];
        v[3] = rotate_left(v[3], 21) ^ v[0];
        v[2] = rotate_left(v[2], 32);
    }
}

static void sip_word(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    sip_rounds(v, 2);
    v[0] ^= word;
}

uint64_t siphash24(const uint8_t key[16], const void *data, size_t length)
{
    const uint8_t *p = data;
    uint64_t k0 = load_word(key), k1 = load_word(key + 8);
    uint64_t v[4] = {k0 ^ UINT64_C(0x736f6d6570736575), k1 ^ UINT64_C(0x646f72616e646f6d),
                     k0 ^ UINT64_C(0x6c7967656e657261), k1 ^ UINT64_C(0x7465646279746573)};
    size_t left = length;

    for (; left >= 8; p += 8, left -= 8)
        sip_word(v, load_word(p));
    sip_word(v, load_rest(p, left) | (uint64_t)length << 56);
    v[2] ^= 0xff;
    sip_rounds(v, 4);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* Without the system's generator (a kernel or sandbox without the call) the key is still unlike
 * that of other processes; the tables only become easier to attack, so nobody has to die. */
static void draw_key(void)
{
    ssize_t n;

    do
        n = getrandom(process_key, sizeof process_key, 0);
    while (n < 0 && errno == EINTR);
    if (n != (ssize_t)sizeof process_key) {
        uint64_t parts[2] = {hash_u64(clock_monotonic_us() ^ (uintptr_t)&n),
                             hash_u64((uint64_t)clock_wall_ms() ^ (uintptr_t)&process_key)};

        memcpy(process_key, parts, sizeof process_key);
    }
}

uint64_t hash_bytes(const void *data, size_t length)
{
    pthread_once(&key_once, draw_key);
    return siphash24(process_key, data, length);
}

uint64_t hash_u64(uint64_t value)
{
    value = (value ^ value >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ value >> 27) * UINT64_C(0x94d049bb133111eb);
    return value ^ value >> 31;
}
