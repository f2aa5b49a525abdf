/* SPDX-License-Identifier: MIT */
/* address.h - where Redis is: "HOST:PORT", "[IPv6]:PORT" or "/path/of/a/socket", before it perhaps
 * "USER:PASSWORD@" or ":PASSWORD@" (of the default user). */
#ifndef BANTER_BRIDGE_BUS_ADDRESS_H
#define BANTER_BRIDGE_BUS_ADDRESS_H

#include "base/compiler.h"

#include <stdbool.h>

enum { BUS_ADDRESS_MAX = 512 };

struct bus_address {
    char text[BUS_ADDRESS_MAX + 1]; /* what the others point into */
    const char *user;               /* NULL: the default one */
    const char *password;           /* NULL: none is asked for */
    const char *path;               /* of a Unix socket; NULL: host and port */
    const char *host;
    unsigned port;
};

/* False: it is nothing of the kind. */
bool bus_address_parse(struct bus_address *out, const char *text) MUST_USE;

#endif
