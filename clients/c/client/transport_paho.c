/* SPDX-License-Identifier: MIT */
/* transport_paho.c - see transport_paho.h.
 *
 * Each connection has a handle of its own: MQTTAsync_destroy() takes the mutex under which Paho
 * calls back, so that afterwards nothing comes of it any more. When the last handle of a process
 * goes, Paho stops its threads, which takes it more than a second; so an idle one stays for good,
 * and with it the threads. (That is why the shared library is linked never to be unloaded.) */
#include "client/transport_paho.h"

#include "banter/banter.h"

#include <MQTTAsync.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    KEEP_ALIVE_SECONDS = 30,
    /* Bounds how long Paho leaves packets of a WebSocket frame unread: see connection.c, poke(). */
    KEEP_ALIVE_WEBSOCKET_SECONDS = 5,
    BUFFERED_MAX = 4096,             /* in Paho's queue; the outbox keeps far below */
    RECEIVE_MAXIMUM_DEFAULT = 65535, /* MQTT 5, 3.2.2.3.3 */
    MS_PER_SECOND = 1000,
};

/* What Paho's callbacks are given: lives as long as the handle. */
struct link {
    struct mailbox *mailbox;
    uint64_t generation;
};

struct transport_paho {
    MQTTAsync handle; /* NULL: no connection */
    struct link link;
};

static void post(struct link *l, enum net_kind kind, int code, int token, const char *what)
{
    struct net_event *e =
        net_event_make(kind, l->generation, what ? what : "", what ? strlen(what) : 0, NULL, 0);

    if (e) {
        e->code = code;
        e->token = token;
    }
    mailbox_event(l->mailbox, e);
}

/* ---- on Paho's threads ---- */

static void on_connect(void *context, MQTTAsync_successData5 *data)
{
    int maximum = RECEIVE_MAXIMUM_DEFAULT;

    if (MQTTProperties_hasProperty(&data->properties, MQTTPROPERTY_CODE_RECEIVE_MAXIMUM))
        maximum = (int)MQTTProperties_getNumericValue(&data->properties,
                                                      MQTTPROPERTY_CODE_RECEIVE_MAXIMUM);
    post(context, NET_UP, maximum, 0, NULL);
}

static void on_refusal(void *context, MQTTAsync_failureData5 *data)
{
    int code = data->reasonCode >= MQTTREASONCODE_UNSPECIFIED_ERROR ? (int)data->reasonCode : 0;
    const char *what = data->message;

    if (code)
        what = MQTTReasonCode_toString(data->reasonCode);
    post(context, NET_REFUSED, code, 0, what);
}

static void on_lost(void *context, char *cause)
{
    post(context, NET_LOST, 0, 0, cause);
}

static void on_disconnect_packet(void *context, MQTTProperties *properties,
                                 enum MQTTReasonCodes reason)
{
    (void)properties;
    post(context, NET_LOST, (int)reason, 0, MQTTReasonCode_toString(reason));
}

static int on_message(void *context, char *topic, int topic_length, MQTTAsync_message *message)
{
    struct link *l = context;
    size_t length = topic_length > 0 ? (size_t)topic_length : strlen(topic);

    mailbox_event(l->mailbox, net_event_make(NET_MESSAGE, l->generation, topic, length,
                                             message->payload, (size_t)message->payloadlen));
    MQTTAsync_freeMessage(&message);
    MQTTAsync_free(topic);
    return 1; /* 0 would keep it in a queue of Paho's that has no bound */
}

static void on_ack(void *context, MQTTAsync_successData5 *data)
{
    post(context, NET_ACK, (int)data->reasonCode, data->token, NULL);
}

static void on_no_ack(void *context, MQTTAsync_failureData5 *data)
{
    int code = data->reasonCode >= MQTTREASONCODE_UNSPECIFIED_ERROR ? (int)data->reasonCode : -1;

    post(context, NET_ACK, code, data->token, NULL);
}

/* ---- on the client's thread ---- */

static int error_of(int result)
{
    switch (result) {
    case MQTTASYNC_SUCCESS:
        return BANTER_OK;
    case MQTTASYNC_MAX_BUFFERED_MESSAGES:
        return BANTER_FULL;
    case MQTTASYNC_BAD_UTF8_STRING:
        return BANTER_INVALID;
    default:
        return BANTER_OFFLINE;
    }
}

static void close_connection(void *self)
{
    struct transport_paho *t = self;

    if (t->handle)
        MQTTAsync_destroy(&t->handle);
    t->handle = NULL;
}

static int connect_handle(struct transport_paho *t, const struct transport_target *target)
{
    MQTTAsync_SSLOptions tls = MQTTAsync_SSLOptions_initializer;
    bool is_websocket = strncmp(target->address, "ws", 2) == 0;
    MQTTAsync_connectOptions options = MQTTAsync_connectOptions_initializer5;
    MQTTAsync_connectOptions websocket = MQTTAsync_connectOptions_initializer5_ws;

    if (is_websocket)
        options = websocket;
    tls.trustStore = target->ca_file;
    tls.verify = 1; /* the certificate has to be the host's */
    tls.enableServerCertAuth = 1;
    options.keepAliveInterval = is_websocket ? KEEP_ALIVE_WEBSOCKET_SECONDS : KEEP_ALIVE_SECONDS;
    options.cleanstart = 1;
    options.connectTimeout = (int)(target->timeout_ms / MS_PER_SECOND);
    options.username = target->user;
    options.password = target->password;
    options.ssl = &tls;
    options.onSuccess5 = on_connect;
    options.onFailure5 = on_refusal;
    options.context = &t->link;
    return error_of(MQTTAsync_connect(t->handle, &options));
}

static int open_connection(void *self, const struct transport_target *target, uint64_t generation)
{
    struct transport_paho *t = self;
    MQTTAsync_createOptions options = MQTTAsync_createOptions_initializer5;
    int error;

    close_connection(t);
    t->link.generation = generation;
    options.maxBufferedMessages = BUFFERED_MAX;
    error = error_of(MQTTAsync_createWithOptions(&t->handle, target->address, target->client_id,
                                                 MQTTCLIENT_PERSISTENCE_NONE, NULL, &options));
    if (error) {
        t->handle = NULL;
        return error;
    }
    error = error_of(MQTTAsync_setCallbacks(t->handle, &t->link, on_lost, on_message, NULL));
    if (!error)
        error = error_of(MQTTAsync_setDisconnected(t->handle, &t->link, on_disconnect_packet));
    if (!error)
        error = connect_handle(t, target);
    if (error)
        close_connection(t);
    return error;
}

/* `token` NULL: nobody waits for the acknowledgement. */
static MQTTAsync_responseOptions response_of(struct transport_paho *t, const int *token)
{
    MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;

    if (token) {
        options.onSuccess5 = on_ack;
        options.onFailure5 = on_no_ack;
        options.context = &t->link;
    }
    return options;
}

static int publish(void *self, const char *topic, const char *payload, size_t length, int qos,
                   int *token)
{
    struct transport_paho *t = self;
    MQTTAsync_responseOptions options = response_of(t, token);
    int error;

    if (!t->handle)
        return BANTER_OFFLINE;
    error = error_of(MQTTAsync_send(t->handle, topic, (int)length, payload, qos, 0, &options));
    if (token)
        *token = options.token;
    return error;
}

static int subscribe(void *self, const char *filter, int *token)
{
    struct transport_paho *t = self;
    MQTTAsync_responseOptions options = response_of(t, token);
    int error;

    if (!t->handle)
        return BANTER_OFFLINE;
    error = error_of(MQTTAsync_subscribe(t->handle, filter, 0, &options));
    *token = options.token;
    return error;
}

static int unsubscribe(void *self, const char *filter)
{
    struct transport_paho *t = self;
    MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;

    return t->handle ? error_of(MQTTAsync_unsubscribe(t->handle, filter, &options))
                     : BANTER_OFFLINE;
}

static bool is_up(void *self)
{
    struct transport_paho *t = self;

    return t->handle && MQTTAsync_isConnected(t->handle);
}

/* False: out of memory. */
static bool hold_threads(void)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    static MQTTAsync idle; /* never connected, never destroyed */
    MQTTAsync_init_options global = MQTTAsync_init_options_initializer;
    bool ok;

    pthread_mutex_lock(&mutex);
    if (!idle) {
        MQTTAsync_global_init(&global); /* OpenSSL, 1.1 and later, begins by itself */
        if (MQTTAsync_create(&idle, "tcp://localhost", "idle", MQTTCLIENT_PERSISTENCE_NONE, NULL) !=
            MQTTASYNC_SUCCESS)
            idle = NULL;
    }
    ok = idle != NULL;
    pthread_mutex_unlock(&mutex);
    return ok;
}

struct transport_paho *transport_paho_create(struct mailbox *mailbox)
{
    struct transport_paho *t = hold_threads() ? calloc(1, sizeof *t) : NULL;

    if (t)
        t->link.mailbox = mailbox;
    return t;
}

void transport_paho_destroy(struct transport_paho *t)
{
    if (!t)
        return;
    close_connection(t);
    free(t);
}

struct transport transport_paho_interface(struct transport_paho *t)
{
    return (struct transport){open_connection,  publish, subscribe, unsubscribe,
                              close_connection, is_up,   t};
}
