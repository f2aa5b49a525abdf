/* SPDX-License-Identifier: MIT */
/* zookeeper_address.h - where a registry in ZooKeeper is:
 * "zookeeper://[USER:PASSWORD@]HOST:PORT[,HOST:PORT…][/PATH]", of which the path is that of the
 * nodes' entries; without one, /banter/nodes. */
#ifndef BANTER_BRIDGE_BUS_ZOOKEEPER_ADDRESS_H
#define BANTER_BRIDGE_BUS_ZOOKEEPER_ADDRESS_H

#include "base/compiler.h"

#include <stdbool.h>

enum { ZOOKEEPER_ADDRESS_MAX = 512 };

struct zookeeper_address {
    char credentials[ZOOKEEPER_ADDRESS_MAX + 1]; /* "USER:PASSWORD", or empty */
    char hosts[ZOOKEEPER_ADDRESS_MAX + 1];       /* as the client library takes them */
    char path[ZOOKEEPER_ADDRESS_MAX + 1];        /* begins with a slash and ends with none */
};

/* False: it is nothing of the kind. */
bool zookeeper_address_parse(struct zookeeper_address *out, const char *text) MUST_USE;

#endif
