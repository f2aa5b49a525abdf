/* SPDX-License-Identifier: MIT */
/* xmpp.h - a client of an XMPP server, as far as a load needs one: it logs in with SASL PLAIN over
 * plain TCP, is available, and sends and receives messages of one form (RFC 6120, RFC 6121).
 *
 * Nothing is parsed as XML: what the server says is searched for the few words that matter. That is
 * right for a server on loopback that this bench has set up itself. */
#ifndef BANTER_BENCH_XMPP_H
#define BANTER_BENCH_XMPP_H

#include "base/buf.h"
#include "base/compiler.h"
#include "base/slice.h"

#include <netinet/in.h>
#include <stdbool.h>

#define XMPP_HOST "localhost"
#define XMPP_PASSWORD "bench"

enum xmpp_state { XMPP_LOGGING_IN, XMPP_READY, XMPP_LOST };

struct xmpp {
    int fd; /* -1: closed */
    enum xmpp_state state;
    unsigned step;      /* of logging in */
    const char *handle; /* borrowed */
    struct buf in, out;
    size_t taken; /* bytes of `in` that have been looked at */
};

void xmpp_init(struct xmpp *x, const char *handle);
/* Connects, which on loopback is done at once. False: errno says why. */
bool xmpp_open(struct xmpp *x, const struct sockaddr_in *address) MUST_USE;
void xmpp_close(struct xmpp *x);
/* Reads what there is, and goes on logging in. False: errno says why; EACCES: the login was
 * refused, ECONNRESET: the server has closed the connection, ENOBUFS: it says too much. */
bool xmpp_read(struct xmpp *x) MUST_USE;
/* The id of the next message that has come, valid until xmpp_read(). False: there is none. */
bool xmpp_next_message(struct xmpp *x, struct slice *id);
/* Appends a message; the text needs no escapes. */
void xmpp_write_message(struct xmpp *x, const char *to, struct slice id, struct slice text);
/* Writes what the socket takes. False: errno says why; ENOBUFS: too much is waiting. */
bool xmpp_flush(struct xmpp *x) MUST_USE;

#endif
