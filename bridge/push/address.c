/* SPDX-License-Identifier: MIT */
/* address.c - see address.h. IPv4: everything but what is listed. IPv6: only 2000::/3, the part
 * that is given out, and not all of that. */
#include "push/address.h"

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct range {
    uint8_t prefix[16];
    unsigned bits;
};

static const struct range special_v4[] = {
    {{0}, 8},             /* "this" network */
    {{10}, 8},            /* private */
    {{100, 64}, 10},      /* shared, behind carriers' NAT */
    {{127}, 8},           /* loopback */
    {{169, 254}, 16},     /* link-local; clouds' metadata */
    {{172, 16}, 12},      /* private */
    {{192, 0, 0}, 24},    /* protocol assignments */
    {{192, 0, 2}, 24},    /* documentation */
    {{192, 88, 99}, 24},  /* 6to4 relays */
    {{192, 168}, 16},     /* private */
    {{198, 18}, 15},      /* benchmarks */
    {{198, 51, 100}, 24}, /* documentation */
    {{203, 0, 113}, 24},  /* documentation */
    {{224}, 4},           /* multicast */
    {{240}, 4},           /* reserved, broadcast */
};

static const struct range given_out_v6 = {{0x20}, 3};

static const struct range special_v6[] = {
    {{0x20, 0x01, 0x00}, 23},       /* protocol assignments; Teredo */
    {{0x20, 0x01, 0x0d, 0xb8}, 32}, /* documentation */
    {{0x20, 0x02}, 16},             /* 6to4: any IPv4 address */
    {{0x3f, 0xff, 0x00}, 20},       /* documentation */
};

static bool is_in_range(const uint8_t *bytes, const struct range *range)
{
    unsigned whole = range->bits / 8, rest = range->bits % 8;
    unsigned mask = 0xff00u >> rest & 0xff;

    return memcmp(bytes, range->prefix, whole) == 0 &&
           (rest == 0 || (bytes[whole] & mask) == (range->prefix[whole] & mask));
}

static bool is_in_any(const uint8_t *bytes, const struct range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (is_in_range(bytes, &ranges[i]))
            return true;
    }
    return false;
}

bool address_is_public(const struct sockaddr *address, socklen_t length)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    uint8_t bytes[16];

    if (address->sa_family == AF_INET && length >= sizeof v4) {
        memcpy(&v4, address, sizeof v4);
        memcpy(bytes, &v4.sin_addr, sizeof v4.sin_addr);
        return !is_in_any(bytes, special_v4, sizeof special_v4 / sizeof special_v4[0]);
    }
    if (address->sa_family == AF_INET6 && length >= sizeof v6) {
        memcpy(&v6, address, sizeof v6);
        memcpy(bytes, &v6.sin6_addr, sizeof v6.sin6_addr);
        return is_in_range(bytes, &given_out_v6) &&
               !is_in_any(bytes, special_v6, sizeof special_v6 / sizeof special_v6[0]);
    }
    return false;
}
