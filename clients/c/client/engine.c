/* SPDX-License-Identifier: MIT */
/* engine.c - see engine.h. Here are the hooks of the parts: each says in one place who is told. */
#include "client/engine.h"

#include "client/json.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOG_LINE_SIZE = 512, SERVERS_PATH_SIZE = 160, NOT_TOLD = -1 };

void engine_log(const struct engine *e, enum banter_level level, const char *format, ...)
{
    const struct banter_callbacks *told = e->parts.callbacks;
    char line[LOG_LINE_SIZE];
    va_list arguments;

    if (!told->on_log)
        return;
    va_start(arguments, format);
    (void)vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    told->on_log(told->owner, level, line);
}

static void trouble(void *owner, int error, const char *what)
{
    engine_log(owner, BANTER_LOG_WARNING, "%s: %s", banter_error_name(error), what);
}

/* ---- the state ---- */

static enum banter_connection connection_of(const struct engine *e)
{
    switch (e->connection.step) {
    case STEP_OFF:
        return session_is_open(e->session) ? BANTER_CONNECTING : BANTER_SIGNED_OUT;
    case STEP_RESTING:
        return e->connection.why.error ? BANTER_WAITING : BANTER_CONNECTING;
    case STEP_RENEWING:
    case STEP_OPENING:
        return BANTER_CONNECTING;
    case STEP_UP:
        return BANTER_SYNCING;
    case STEP_READY:
        return e->catch_up.is_done || !e->listens ? BANTER_ONLINE : BANTER_SYNCING;
    case STEP_DISPLACED:
        break;
    }
    return BANTER_DISPLACED;
}

struct banter_state engine_state(const struct engine *e)
{
    struct banter_state state = {.connection = connection_of(e)};
    const struct failure *why = NULL;
    uint64_t now = platform_now(e->parts.platform);

    if (state.connection == BANTER_SIGNED_OUT)
        why = &e->ended;
    else
        state.server = servers_current(&e->parts.settings->servers)->mqtt;
    if (state.connection == BANTER_WAITING || state.connection == BANTER_DISPLACED)
        why = &e->connection.why;
    if (state.connection == BANTER_WAITING && e->connection.deadline > now)
        state.retry_ms = e->connection.deadline - now;
    if (why && why->error) {
        state.error = why->error;
        state.reason = why->reason;
    }
    return state;
}

static void state_changed(void *owner)
{
    struct engine *e = owner;
    struct banter_state state = engine_state(e);
    const struct banter_callbacks *told = e->parts.callbacks;
    bool is_news = (int)state.connection != e->told;

    e->told = (int)state.connection;
    if (is_news && !e->is_stopping && told->on_state)
        told->on_state(told->owner, &state);
    e->parts.changed(e->parts.owner);
}

/* ---- the session's hooks ---- */

static void login_opened(void *owner, bool is_new)
{
    struct engine *e = owner;
    const struct banter_callbacks *told = e->parts.callbacks;
    struct banter_login login = session_login(e->session);

    e->ended = no_failure;
    e->renew_at = NEVER;
    if (told->on_login)
        told->on_login(told->owner, &login);
    if (is_new)
        connection_start(&e->connection);
    else if (e->restart_renewed)
        connection_restart(&e->connection);
    e->restart_renewed = false;
}

static void login_ended(void *owner, const struct failure *why)
{
    struct engine *e = owner;
    const struct banter_callbacks *told = e->parts.callbacks;

    e->ended = *why;
    e->renew_at = NEVER;
    engine_log(e, BANTER_LOG_WARNING, "the login has ended: %s", why->reason);
    connection_stop(&e->connection);
    if (told->on_login)
        told->on_login(told->owner, NULL);
}

static void login_renewed(void *owner, const struct failure *f)
{
    struct engine *e = owner;

    if (f->error) {
        e->restart_renewed = false; /* the connection ends with its token, and then it is renewed */
        engine_log(e, BANTER_LOG_WARNING, "the token could not be renewed: %s", f->reason);
    }
    api_renewed(e->api, f);
    connection_renewed(&e->connection, f);
}

/* ---- the connection's ---- */

static void connection_up(void *owner, unsigned receive_maximum)
{
    struct engine *e = owner;

    outbox_up(&e->outbox, receive_maximum);
    watches_up(&e->watches);
}

static void servers_told(void *owner, const struct failure *f, json_t *json, const char *text)
{
    struct engine *e = owner;

    (void)text;
    if (f->error)
        return;
    if (servers_found(&e->parts.settings->servers, json) != BANTER_OK)
        trouble(e, BANTER_NO_MEMORY, "servers could not be noted");
    engine_log(e, BANTER_LOG_DEBUG, "there are %zu servers to go to",
               e->parts.settings->servers.count);
}

/* A server that says 404 has no others to tell of. */
static void ask_for_servers(struct engine *e)
{
    const char *location = e->parts.settings->location;
    char path[SERVERS_PATH_SIZE];

    (void)snprintf(path, sizeof path, "/v1/servers%s%s", location ? "?location=" : "",
                   location ? location : "");
    if (api_call(e->api, "GET", path, NULL, API_SMALL, servers_told, e) != BANTER_OK)
        engine_log(e, BANTER_LOG_DEBUG, "servers were not asked for");
}

static void connection_ready(void *owner)
{
    struct engine *e = owner;

    signals_up(&e->signals);
    if (e->listens)
        catch_up_online(&e->catch_up);
    if (e->parts.settings->discover)
        ask_for_servers(e);
}

static void connection_down(void *owner)
{
    struct engine *e = owner;

    e->renew_at = NEVER;
    catch_up_offline(&e->catch_up);
    signals_down(&e->signals);
    watches_down(&e->watches);
    outbox_down(&e->outbox);
}

static void heard(void *owner, const char *topic, const char *payload, size_t length)
{
    engine_hear(owner, topic, payload, length);
}

static void acknowledged(void *owner, int token, int code)
{
    struct engine *e = owner;

    signals_acknowledged(&e->signals, token, code);
    watches_acknowledged(&e->watches, token, code);
}

/* ---- the outbox's ---- */

static int publish_draft(void *owner, const char *topic, const char *payload, size_t length)
{
    struct engine *e = owner;

    /* The acknowledgement says nothing about a draft; its receipt does. */
    return connection_publish(&e->connection, topic, payload, length, 1, NULL);
}

static void tell_receipt(void *owner, const struct banter_receipt *receipt)
{
    struct engine *e = owner;
    const struct banter_callbacks *told = e->parts.callbacks;

    if (told->on_receipt)
        told->on_receipt(told->owner, receipt);
}

static void torn(void *owner)
{
    struct engine *e = owner;
    const struct failure why = failure_make(BANTER_NO_MEMORY, "something that came was lost");

    connection_drop(&e->connection, &why, false);
}

static void draft_stored(void *owner, json_t *entry, size_t size)
{
    struct engine *e = owner;

    if (!e->listens)
        json_decref(entry);
    else if (logs_offer(&e->logs, entry, size) != BANTER_OK)
        torn(e);
    e->parts.changed(e->parts.owner);
}

static void drop_connection(void *owner, const struct failure *why)
{
    struct engine *e = owner;

    connection_drop(&e->connection, why, false);
}

static void fewer_drafts(void *owner)
{
    struct engine *e = owner;

    e->parts.changed(e->parts.owner);
}

static const char *user_of(void *owner)
{
    return session_login(((struct engine *)owner)->session).user;
}

/* ---- the logs' ---- */

static bool tell_entry(void *owner, struct tale *t, const json_t *entry)
{
    struct engine *e = owner;
    const struct banter_callbacks *told = e->parts.callbacks;
    const char *user = user_of(e);
    struct banter_entry read;
    char *json = json_dumps(entry, JSON_COMPACT);

    if (!json || !wire_entry(entry, &read)) {
        free(json);
        return false;
    }
    read.json = json;
    read.own = user && strcmp(read.from, user) == 0;
    if (read.own && read.id) {
        outbox_entry(&e->outbox, &read);
        e->parts.changed(e->parts.owner);
    }
    told->on_entry(told->owner, &read);
    if (!read.own && t->has_cursors && e->parts.settings->say_received &&
        signals_mark(&e->signals, t->id, read.seq, 0) != BANTER_OK)
        engine_log(e, BANTER_LOG_DEBUG, "a cursor was not said");
    free(json);
    return true;
}

static void caught_up(void *owner)
{
    state_changed(owner);
}

/* Where there is no other server a new connection would but add to this one's troubles. */
static void cannot_catch_up(void *owner, const struct failure *why)
{
    struct engine *e = owner;

    if (e->parts.settings->servers.count > 1)
        connection_drop(&e->connection, why, true);
}

static int publish_signal(void *owner, const char *topic, const char *payload, size_t length,
                          int qos, int *token)
{
    struct engine *e = owner;

    return connection_publish(&e->connection, topic, payload, length, qos, token);
}

static void tell_presence(void *owner, const struct banter_presence *presence)
{
    struct engine *e = owner;
    const struct banter_callbacks *told = e->parts.callbacks;

    if (told->on_presence)
        told->on_presence(told->owner, presence);
}

/* ---- putting it together ---- */

static void init_parts(struct engine *e)
{
    const struct platform *platform = e->parts.platform;
    struct settings *settings = e->parts.settings;
    struct store *store = e->parts.store;

    e->connection = (struct connection){
        .platform = platform,
        .servers = &settings->servers,
        .transport = e->parts.transport,
        .device = settings->device,
        .ca_file = settings->ca_file,
        .hooks = {connection_up, connection_ready, heard, acknowledged, connection_down,
                  state_changed, e},
    };
    e->outbox = (struct outbox){
        .platform = platform,
        .store = store,
        .hooks = {publish_draft, tell_receipt, draft_stored, drop_connection, user_of, trouble,
                  fewer_drafts, e},
    };
    e->logs = (struct logs){.store = store, .hooks = {tell_entry, trouble, e}};
    e->catch_up = (struct catch_up){
        .platform = platform,
        .store = store,
        .logs = &e->logs,
        .from_first = settings->start == BANTER_FROM_FIRST,
        .hooks = {caught_up, torn, cannot_catch_up, trouble, e},
    };
    e->signals = (struct signals){.platform = platform, .hooks = {publish_signal, e}};
    e->watches =
        (struct watches){.transport = e->parts.transport, .tell = tell_presence, .owner = e};
    connection_init(&e->connection);
    outbox_init(&e->outbox);
    signals_init(&e->signals);
}

int engine_init(struct engine *e, const struct engine_parts *parts)
{
    const struct session_parts session = {parts->platform, parts->store, parts->http,
                                          &parts->settings->servers, parts->settings->device};
    const struct session_hooks hooks = {login_opened, login_ended, login_renewed, e};
    int error;

    *e = (struct engine){.parts = *parts, .renew_at = NEVER, .told = NOT_TOLD};
    e->listens = parts->callbacks->on_entry != NULL;
    init_parts(e);
    error = logs_init(&e->logs);
    if (!error)
        error = catch_up_init(&e->catch_up);
    if (!error)
        error = session_create(&e->session, &session, &hooks);
    if (!error) {
        e->api = api_create(e->session, parts->http, &parts->settings->servers);
        error = e->api ? BANTER_OK : BANTER_NO_MEMORY;
    }
    e->connection.session = e->session;
    e->catch_up.api = e->api;
    if (error)
        engine_finish(e);
    return error;
}

void engine_start(struct engine *e)
{
    if (session_is_open(e->session))
        connection_start(&e->connection);
    else
        state_changed(e);
}

void engine_stop(struct engine *e)
{
    e->is_stopping = true;
    connection_stop(&e->connection);
    api_stop(e->api);
}

void engine_finish(struct engine *e)
{
    watches_finish(&e->watches);
    signals_finish(&e->signals);
    outbox_finish(&e->outbox);
    logs_finish(&e->logs);
    api_destroy(e->api);
    session_destroy(e->session);
}

int engine_log_out(struct engine *e, banter_done_fn *done, void *owner)
{
    int error = session_log_out(e->session, done, owner);

    if (error)
        return error;
    e->ended = no_failure;
    connection_stop(&e->connection);
    outbox_clear(&e->outbox);
    logs_clear(&e->logs);
    catch_up_clear(&e->catch_up);
    signals_finish(&e->signals);
    signals_init(&e->signals);
    watches_finish(&e->watches);
    return BANTER_OK;
}

/* ---- time ---- */

void engine_event(struct engine *e, const struct net_event *event)
{
    connection_event(&e->connection, event);
    connection_tick(&e->connection); /* it may have been given up meanwhile */
}

void engine_torn(struct engine *e)
{
    torn(e);
    connection_tick(&e->connection);
}

static void renew_in_time(struct engine *e)
{
    if (platform_now(e->parts.platform) < e->renew_at)
        return;
    e->renew_at = NEVER;
    e->restart_renewed = true;
    if (session_renew(e->session) != BANTER_OK)
        e->restart_renewed = false; /* as when it fails later: the connection ends with its token */
}

void engine_tick(struct engine *e)
{
    connection_tick(&e->connection);
    renew_in_time(e);
    outbox_tick(&e->outbox);
    catch_up_tick(&e->catch_up);
    signals_tick(&e->signals);
    connection_tick(&e->connection);
}

uint64_t engine_deadline(const struct engine *e)
{
    uint64_t deadline = earlier(connection_deadline(&e->connection), e->renew_at);

    deadline = earlier(deadline, outbox_deadline(&e->outbox));
    deadline = earlier(deadline, catch_up_deadline(&e->catch_up));
    return earlier(deadline, signals_deadline(&e->signals));
}
