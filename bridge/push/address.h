/* SPDX-License-Identifier: MIT */
/* address.h - which addresses strangers may have us connect to: those of the public internet.
 *
 * Pure. To be asked about the address that is connected to, never about a name: names change. */
#ifndef BANTER_PUSH_ADDRESS_H
#define BANTER_PUSH_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

/* False for private, shared, loopback, link-local, multicast, reserved and documentation addresses,
 * for IPv4 addresses in IPv6 clothes, and for anything that is not IP (IANA's registries of special
 * addresses, RFC 6890). */
bool address_is_public(const struct sockaddr *address, socklen_t length);

#endif
