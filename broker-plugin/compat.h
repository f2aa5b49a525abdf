/* SPDX-License-Identifier: MIT */
/* compat.h - Mosquitto's plugin headers, 2.0.11 to 2.1: the only place that knows how they differ.
 *
 * A plugin built with any of them loads in all of them; what an older broker lacks (an event, say)
 * is found out when it is used. Include this and no header of Mosquitto. */
#ifndef BANTER_PLUGIN_COMPAT_H
#define BANTER_PLUGIN_COMPAT_H

#if __has_include(<mosquitto/broker_plugin.h>)
#include <mosquitto/broker.h>
#include <mosquitto/broker_plugin.h>
#include <mosquitto/mqtt_protocol.h>
#else
/* 2.0.11's mosquitto_plugin.h uses types of mosquitto_broker.h without including it. */
// clang-format off
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
// clang-format on
#endif

/* 2.1 understands these from MESSAGE and BASIC_AUTH; with an older broker they cut the client off.
 */
enum {
    ANSWER_QUOTA_EXCEEDED = -6,
    ANSWER_CONNECTION_RATE_EXCEEDED = 159,
};

/* 2.1: the connection is gone but its durable session stays. Its data is that of DISCONNECT.
 * Registering it with 2.0 fails and does no harm. */
enum { EVENT_CLIENT_OFFLINE = 28 };

#endif
