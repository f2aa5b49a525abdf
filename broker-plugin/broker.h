/* SPDX-License-Identifier: MIT */
/* broker.h - everything the plugin asks of the broker. Only broker.c, compat.h and plugin.c know
 * Mosquitto; all the rest is built and tested without it. */
#ifndef BANTER_PLUGIN_BROKER_H
#define BANTER_PLUGIN_BROKER_H

#include "base/compiler.h"
#include "base/slice.h"

#include <stdbool.h>

enum broker_log_level { BROKER_INFO, BROKER_WARNING, BROKER_ERROR };

/* Queues a QoS 0 message, copied, for the connection that has this client id when the broker's loop
 * comes round; nothing happens if there is none then. The broker checks neither subscription nor
 * topic. `correlation` becomes MQTT 5 Correlation Data; empty: none. False: out of memory. */
bool broker_publish(const char *client_id, const char *topic, struct slice payload,
                    struct slice correlation) MUST_USE;

/* Ends the connection with this client id. Only from TICK (elsewhere the broker may still use the
 * connection), and the broker calls the plugin back from inside. */
void broker_kick(const char *client_id);

/* Never pass a token, a key or what somebody wrote. */
void broker_log(enum broker_log_level level, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
