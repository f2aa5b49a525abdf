/* SPDX-License-Identifier: MIT */
/* tls.h - the certificate in force, and TLS for the connections that are made under it.
 *
 * Rule: a certificate that cannot be loaded never replaces one that can; connections keep the one
 * that they began with. */
#ifndef BANTER_DOOR_TLS_H
#define BANTER_DOOR_TLS_H

#include "base/compiler.h"

#include <stdbool.h>

struct ssl_st;
struct tls;

/* Both files are PEM; the first has the chain, the server's own certificate first. The paths are
 * copied. NULL after logging why not. */
struct tls *tls_create(const char *certificate_file, const char *key_file) MUST_USE;
void tls_destroy(struct tls *t);
/* Reads the files again, for connections that are yet to come. */
void tls_reload(struct tls *t);
/* The server's side of a new connection; the caller's to free. */
struct ssl_st *tls_accept(struct tls *t) MUST_USE;

#endif
