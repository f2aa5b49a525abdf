/* SPDX-License-Identifier: MIT */
/* address.h - where a client comes from: IPv4 and IPv6 addresses, networks of them, and who stands
 * behind a proxy. Pure.
 *
 * Rule: what a client says about its own address is believed only from a proxy that the operator
 * has named, and then only as far back as the first one that he has not. */
#ifndef BANTER_BRIDGE_ADDRESS_H
#define BANTER_BRIDGE_ADDRESS_H

#include "base/compiler.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sockaddr;
struct sockaddr_storage;

enum { ADDRESS_TEXT_BYTES = 46 }; /* with the NUL */

struct address {
    uint8_t bytes[16]; /* IPv6, network byte order; IPv4 is ::ffff:a.b.c.d */
};

/* Takes "192.0.2.1", "2001:db8::1", and both with a port: "192.0.2.1:80", "[2001:db8::1]:443". */
bool address_parse(struct address *out, struct slice text) MUST_USE;
/* Writes IPv4 as such. */
void address_format(const struct address *a, char text[ADDRESS_TEXT_BYTES]);
/* False: neither IPv4 nor IPv6. */
bool address_from_socket(struct address *out, const struct sockaddr *name) MUST_USE;
/* Where to listen: "127.0.0.1:8080" or "[::1]:8080"; the port must be there. *length: of the name.
 */
bool address_parse_listen(const char *text, struct sockaddr_storage *name, int *length) MUST_USE;
bool address_equal(const struct address *a, const struct address *b);
/* What belongs to one customer and therefore counts as one: an IPv4 address, an IPv6 /64. */
struct address address_party(const struct address *a);
/* 127.0.0.1 or ::1. */
bool address_is_local(const struct address *a);

struct network {
    struct address address;
    unsigned bits; /* of the 128 that must agree */
};

enum { NETWORKS_MAX = 64 };

struct networks {
    size_t count;
    struct network list[NETWORKS_MAX];
};

/* Reads "10.0.0.0/8 192.0.2.1, 2001:db8::/32": blanks or commas between them. False: not such a
 * list, or too long. */
bool networks_parse(struct networks *out, const char *text) MUST_USE;
bool networks_contain(const struct networks *n, const struct address *a);

/* The client behind `peer`, which is `peer` itself unless that is trusted. `forwarded_for` is the
 * value of X-Forwarded-For, several joined with commas in their order: its last address that is not
 * trusted counts; what stands before something unreadable is not looked at. */
struct address address_behind(const struct networks *trusted, const struct address *peer,
                              struct slice forwarded_for);

#endif
