/* SPDX-License-Identifier: MIT */
/* plugin.c - Mosquitto's entry points: turns the broker's events into calls of the core.
 *
 * Return codes are few on purpose: BASIC_AUTH answers SUCCESS or AUTH, the others SUCCESS or
 * ACL_DENIED, and to whom it can be said, on 2.1, what is too much. With anything else the broker
 * cuts the client off without a word: BASIC_AUTH wants that while draining and when an address
 * tries too often, because "not authorized", the only word that there is, would send it for a new
 * token. */
#include "acl.h"
#include "broker.h"
#include "compat.h"
#include "core.h"
#include "ingest.h"
#include "requests.h"
#include "wire/topic.h"

#include <stdlib.h>

#define EXPORT __attribute__((visibility("default")))

enum { MQTT_5 = 5 };

struct plugin {
    mosquitto_plugin_id_t *id;
    struct core *core;
    bool is_2_1; /* the broker is 2.1 or newer */
};

EXPORT int mosquitto_plugin_version(int supported_version_count, const int *supported_versions);
EXPORT int mosquitto_plugin_init(mosquitto_plugin_id_t *identifier, void **userdata,
                                 struct mosquitto_opt *options, int option_count);
EXPORT int mosquitto_plugin_cleanup(void *userdata, struct mosquitto_opt *options,
                                    int option_count);

static struct slice payload_of(const void *payload, uint32_t length)
{
    return slice_of(payload, payload ? length : 0);
}

static int on_basic_auth(int event, void *data, void *userdata)
{
    const struct mosquitto_evt_basic_auth *e = data;
    struct plugin *plugin = userdata;

    (void)event;
    if (!auth_may_try(plugin->core, mosquitto_client_address(e->client)))
        return plugin->is_2_1 && mosquitto_client_protocol_version(e->client) == MQTT_5
                   ? ANSWER_CONNECTION_RATE_EXCEEDED
                   : MOSQ_ERR_UNKNOWN;
    switch (auth_check(plugin->core, e->client, mosquitto_client_id(e->client), e->username,
                       e->password)) {
    case AUTH_GRANTED:
        return MOSQ_ERR_SUCCESS;
    case AUTH_LATER:
        return MOSQ_ERR_UNKNOWN;
    default:
        return MOSQ_ERR_AUTH;
    }
}

static int on_acl_check(int event, void *data, void *userdata)
{
    const struct mosquitto_evt_acl_check *e = data;
    struct plugin *plugin = userdata;
    const char *client_id = mosquitto_client_id(e->client);
    struct acl_publish publish = {
        .client = e->client,
        .client_id = client_id,
        .topic = slice_str(e->topic),
        .payload = payload_of(e->payload, e->payloadlen),
        .qos = e->qos,
        .retain = e->retain,
    };
    bool ok = false;

    (void)event;
    switch (e->access) {
    case MOSQ_ACL_WRITE:
        ok = acl_may_publish(plugin->core, &publish);
        break;
    case MOSQ_ACL_SUBSCRIBE:
        ok = acl_may_subscribe(plugin->core, e->client, client_id, publish.topic);
        break;
    case MOSQ_ACL_UNSUBSCRIBE:
        acl_unsubscribe(plugin->core, e->client, client_id, publish.topic);
        ok = true;
        break;
    }
    return ok ? MOSQ_ERR_SUCCESS : MOSQ_ERR_ACL_DENIED;
}

static int on_message(int event, void *data, void *userdata)
{
    const struct mosquitto_evt_message *e = data;
    const struct plugin *plugin = userdata;
    struct core *core = plugin->core;
    const char *client_id = mosquitto_client_id(e->client);
    enum ingest_answer answer;
    struct session *session;

    (void)event;
    if (core_is_bell(client_id)) {
        core_bell(core);
        return MOSQ_ERR_SUCCESS;
    }
    session = sessions_find(&core->sessions, e->client, client_id);
    if (!session)
        return MOSQ_ERR_ACL_DENIED;
    answer =
        ingest_message(core, session, slice_str(e->topic), payload_of(e->payload, e->payloadlen));
    if (answer == INGEST_TAKEN)
        return MOSQ_ERR_SUCCESS;
    return answer == INGEST_LIMITED && plugin->is_2_1 ? ANSWER_QUOTA_EXCEEDED : MOSQ_ERR_ACL_DENIED;
}

/* Frees what the two functions that read properties have made: 2.1 counts that memory as the
 * broker's, 2.0 does not. */
static void free_property(const struct plugin *plugin, void *value)
{
    if (plugin->is_2_1)
        mosquitto_free(value);
    else
        free(value);
}

static int on_control(int event, void *data, void *userdata)
{
    const struct mosquitto_evt_control *e = data;
    struct plugin *plugin = userdata;
    struct session *session =
        sessions_find(&plugin->core->sessions, e->client, mosquitto_client_id(e->client));
    char *response_topic = NULL;
    void *correlation = NULL;
    uint16_t correlation_length = 0;

    (void)event;
    if (!session)
        return MOSQ_ERR_SUCCESS;
    mosquitto_property_read_string(e->properties, MQTT_PROP_RESPONSE_TOPIC, &response_topic, false);
    mosquitto_property_read_binary(e->properties, MQTT_PROP_CORRELATION_DATA, &correlation,
                                   &correlation_length, false);
    requests_control(plugin->core, session, slice_str(response_topic),
                     slice_of(correlation, correlation ? correlation_length : 0),
                     payload_of(e->payload, e->payloadlen));
    free_property(plugin, response_topic);
    free_property(plugin, correlation);
    return MOSQ_ERR_SUCCESS;
}

static int on_disconnect(int event, void *data, void *userdata)
{
    const struct mosquitto_evt_disconnect *e = data;
    struct plugin *plugin = userdata;

    (void)event;
    core_disconnected(plugin->core, e->client);
    return MOSQ_ERR_SUCCESS;
}

static int on_tick(int event, void *data, void *userdata)
{
    struct plugin *plugin = userdata;

    (void)event;
    (void)data;
    core_tick(plugin->core);
    return MOSQ_ERR_SUCCESS;
}

static int on_reload(int event, void *data, void *userdata)
{
    struct plugin *plugin = userdata;

    (void)event;
    (void)data;
    auth_reload(plugin->core);
    return MOSQ_ERR_SUCCESS;
}

struct subscription {
    int event;
    MOSQ_FUNC_generic_callback callback;
    const char *topic; /* CONTROL only */
};

static const struct subscription table[] = {
    {MOSQ_EVT_RELOAD, on_reload, NULL},         {MOSQ_EVT_ACL_CHECK, on_acl_check, NULL},
    {MOSQ_EVT_BASIC_AUTH, on_basic_auth, NULL}, {MOSQ_EVT_CONTROL, on_control, TOPIC_CONTROL},
    {MOSQ_EVT_MESSAGE, on_message, NULL},       {MOSQ_EVT_TICK, on_tick, NULL},
    {MOSQ_EVT_DISCONNECT, on_disconnect, NULL}, {EVENT_CLIENT_OFFLINE, on_disconnect, NULL},
};
enum { EVENT_COUNT = sizeof table / sizeof table[0] };

/* Every event is needed but CLIENT_OFFLINE, which only 2.1 has. */
static bool subscribe_all(struct plugin *plugin)
{
    for (size_t i = 0; i < EVENT_COUNT; i++) {
        int rc = mosquitto_callback_register(plugin->id, table[i].event, table[i].callback,
                                             table[i].topic, plugin);

        if (table[i].event == EVENT_CLIENT_OFFLINE)
            plugin->is_2_1 = rc == MOSQ_ERR_SUCCESS;
        else if (rc != MOSQ_ERR_SUCCESS) {
            broker_log(BROKER_ERROR, "the broker does not offer event %d (%d)", table[i].event, rc);
            return false;
        }
    }
    return true;
}

static void unsubscribe_all(struct plugin *plugin)
{
    for (size_t i = 0; i < EVENT_COUNT; i++)
        mosquitto_callback_unregister(plugin->id, table[i].event, table[i].callback,
                                      table[i].topic);
}

static bool read_options(struct options *options, const struct mosquitto_opt *given, int count)
{
    char error[OPTIONS_ERROR_MAX];

    options_init(options);
    for (int i = 0; i < count; i++) {
        if (!options_set(options, given[i].key, given[i].value, error))
            goto fail;
    }
    if (options_are_complete(options, error))
        return true;
fail:
    broker_log(BROKER_ERROR, "%s", error);
    options_finish(options);
    return false;
}

int mosquitto_plugin_version(int supported_version_count, const int *supported_versions)
{
    for (int i = 0; i < supported_version_count; i++) {
        if (supported_versions[i] == MOSQ_PLUGIN_VERSION)
            return MOSQ_PLUGIN_VERSION;
    }
    return -1;
}

int mosquitto_plugin_init(mosquitto_plugin_id_t *identifier, void **userdata,
                          struct mosquitto_opt *options, int option_count)
{
    struct plugin *plugin = calloc(1, sizeof *plugin);
    struct options mine;

    if (!plugin)
        return MOSQ_ERR_NOMEM;
    plugin->id = identifier;
    if (!read_options(&mine, options, option_count) || !(plugin->core = core_create(&mine)))
        goto fail;
    if (!subscribe_all(plugin))
        goto fail;
    *userdata = plugin;
    broker_log(BROKER_INFO, "plugin " BANTER_VERSION " loaded");
    return MOSQ_ERR_SUCCESS;
fail:
    if (plugin->core)
        unsubscribe_all(plugin);
    core_destroy(plugin->core);
    free(plugin);
    return MOSQ_ERR_INVAL;
}

int mosquitto_plugin_cleanup(void *userdata, struct mosquitto_opt *options, int option_count)
{
    struct plugin *plugin = userdata;

    (void)options;
    (void)option_count;
    if (!plugin)
        return MOSQ_ERR_SUCCESS;
    unsubscribe_all(plugin);
    core_destroy(plugin->core);
    free(plugin);
    return MOSQ_ERR_SUCCESS;
}
