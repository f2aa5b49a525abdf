/* SPDX-License-Identifier: MIT */
/* transport_paho.h - the connection by Paho MQTT C (1.3.12), MQTT 5 over TCP, TLS and WebSocket.
 *
 * Paho has two threads for all clients of a process; its callbacks only put events into the
 * mailbox. Rule: nobody calls in here with the mailbox's mutex held, for Paho's callbacks hold
 * Paho's and take that one. Like every program that uses Paho's library, the process ignores
 * SIGPIPE from here on, and connects through the proxy of the environment variables http_proxy and
 * https_proxy, if they are set. */
#ifndef BANTER_CLIENT_TRANSPORT_PAHO_H
#define BANTER_CLIENT_TRANSPORT_PAHO_H

#include "base/compiler.h"
#include "client/mailbox.h"
#include "client/transport.h"

struct transport_paho;

/* NULL: out of memory. */
struct transport_paho *transport_paho_create(struct mailbox *mailbox) MUST_USE;
/* NULL is allowed. Afterwards nothing comes into the mailbox any more. */
void transport_paho_destroy(struct transport_paho *t);
struct transport transport_paho_interface(struct transport_paho *t);

#endif
