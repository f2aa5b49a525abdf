/* SPDX-License-Identifier: MIT */
/* tls.h - TLS to Redis: whom we trust, and who we are.
 *
 * The files are read for each connection, so what replaces them counts from the next one on. */
#ifndef BANTER_BRIDGE_BUS_TLS_H
#define BANTER_BRIDGE_BUS_TLS_H

#include "base/compiler.h"

#include <stdbool.h>

struct ssl_st;

struct bus_tls {
    const char *ca_file;          /* PEM: whose certificates are believed; empty: no TLS */
    const char *certificate_file; /* PEM: ours, and its chain; empty: we have none */
    const char *key_file;         /* PEM: its key, which strangers must not be able to read */
};

enum { BUS_TLS_REASON_MAX = 512 };

/* The client's side of a new connection to `host`, a name or an address, for which the server's
 * certificate must have been made. The caller's to free. NULL: `reason` says why not, and nothing
 * has been logged, as that may be so for each of many attempts. */
struct ssl_st *bus_tls_open(const struct bus_tls *t, const char *host,
                            char reason[BUS_TLS_REASON_MAX]) MUST_USE;

#endif
