/* SPDX-License-Identifier: MIT */
/* broker.c - see broker.h. The broker frees what it is given with its own accounting allocator, so
 * that must come from mosquitto_malloc(), never from malloc(). */
#include "broker.h"

#include "compat.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { LOG_LINE_MAX = 960 }; /* Mosquitto cuts at 1000 */

static bool copy_payload(struct slice payload, void **out)
{
    *out = NULL;
    if (payload.length == 0)
        return true;
    if (payload.length > INT_MAX || !(*out = mosquitto_malloc(payload.length)))
        return false;
    memcpy(*out, payload.data, payload.length);
    return true;
}

static bool add_correlation(mosquitto_property **properties, struct slice correlation)
{
    if (correlation.length == 0)
        return true;
    return correlation.length <= UINT16_MAX &&
           mosquitto_property_add_binary(properties, MQTT_PROP_CORRELATION_DATA, correlation.data,
                                         (uint16_t)correlation.length) == MOSQ_ERR_SUCCESS;
}

bool broker_publish(const char *client_id, const char *topic, struct slice payload,
                    struct slice correlation)
{
    mosquitto_property *properties = NULL;
    void *copy = NULL;

    if (!copy_payload(payload, &copy) || !add_correlation(&properties, correlation))
        goto fail;
    if (mosquitto_broker_publish(client_id, topic, (int)payload.length, copy, 0, false,
                                 properties) != MOSQ_ERR_SUCCESS)
        goto fail;
    return true;
fail:
    mosquitto_property_free_all(&properties);
    mosquitto_free(copy);
    return false;
}

void broker_kick(const char *client_id)
{
    /* "With will" leaves the connection's state to the broker: without, 2.0 crashes on some. The
     * will itself goes nowhere, because the ACL denies it. */
    mosquitto_kick_client_by_clientid(client_id, true);
}

void broker_log(enum broker_log_level level, const char *format, ...)
{
    static const int levels[] = {
        [BROKER_INFO] = MOSQ_LOG_INFO,
        [BROKER_WARNING] = MOSQ_LOG_WARNING,
        [BROKER_ERROR] = MOSQ_LOG_ERR,
    };
    char line[LOG_LINE_MAX];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    mosquitto_log_printf(levels[level], "banter: %s", line);
}
