/* SPDX-License-Identifier: MIT */
/* app.c - makes every module, runs the loop, takes all apart.
 *
 * The order of taking apart matters: who may still be called back by another module goes after it.
 * The core modules end what is asked of them, then the API closes its requests, then the pool and
 * the link answer what the core modules had asked of them. */
#include "app.h"

#include "api/api.h"
#include "app_push.h"
#include "base/address.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/notify.h"
#include "base/pulse.h"
#include "base/watchdog.h"
#include "config.h"
#include "core/accounts.h"
#include "core/avatars.h"
#include "core/blobs.h"
#include "core/chores.h"
#include "core/commands.h"
#include "core/cursors.h"
#include "core/drain.h"
#include "core/fills.h"
#include "core/health.h"
#include "core/history.h"
#include "core/indexer.h"
#include "core/ingest.h"
#include "core/intake.h"
#include "core/invites.h"
#include "core/keys.h"
#include "core/members.h"
#include "core/presence.h"
#include "core/push_service.h"
#include "core/requests.h"
#include "core/revocations.h"
#include "core/sync.h"
#include "db/db.h"
#include "door/door.h"
#include "link/link.h"

#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum {
    POOL_QUEUE_MAX = 4096,
    POOL_TIMEOUT_MS = 15000,
    SEARCH_CONNECTIONS = 2,
    SEARCH_QUEUE_MAX = 64,
    SEARCH_TIMEOUT_MS = 6000,
    PASSWORD_QUEUE_MAX = 64,
    DRAIN_CHECK_MS = 20,
    DRAIN_CHECKS_MAX = 5000 / DRAIN_CHECK_MS,
};

/* A reader must not be slowed by a query gone wrong for ever; below POOL_TIMEOUT_MS. */
static const char pool_setup_sql[] =
    "SET client_connection_check_interval = '1s'; SET statement_timeout = '12s'; SET "
    "idle_in_transaction_session_timeout = '10s'; SET jit = off";

/* A search gone wrong holds up other searches only, and not for long. The index of words serves
 * better than reading a table ever could. */
static const char search_setup_sql[] =
    "SET statement_timeout = '4s'; SET idle_in_transaction_session_timeout = '5s'; SET jit = off;"
    "SET enable_seqscan = off; SET max_parallel_workers_per_gather = 0";

struct app {
    struct event_base *base;
    struct event *terminate;
    struct event *interrupt;
    struct event *hangup;
    struct event *drain_timer;
    unsigned drain_checks; /* made since the first signal */
    struct event *beat;
    struct pulse pulse;
    struct watchdog *watchdog;
    unsigned watchdog_ms;
    bool stopping;
    struct networks trusted_proxies;

    struct keys *keys;
    struct db_node *node;
    struct db_pool *pool;
    struct db_pool *search_pool;
    struct link *link;
    struct blobs *blobs;
    struct accounts *accounts;
    struct avatars *avatars;
    struct indexer *indexer;
    struct commands *commands;
    struct cursors *cursors;
    struct drain *drain;
    struct health *health;
    struct chores *chores;
    struct invites *invites;
    struct history *history;
    struct sync *sync;
    struct ingest *ingest;
    struct members *members;
    struct presence *presence;
    struct push_service *push;
    struct fills *fills;
    struct requests *requests;
    struct revocations *revocations;
    struct intake *intake;
    struct api *api;
    struct door *door;
};

/* At least one interval passes, in which the answers of the API leave. */
static void on_drain_timer(evutil_socket_t fd, short what, void *argument)
{
    struct app *a = argument;
    const struct timeval interval = {.tv_usec = DRAIN_CHECK_MS * 1000};
    bool idle = ingest_is_idle(a->ingest) && link_is_flushed(a->link) &&
                presence_is_idle(a->presence) && cursors_is_idle(a->cursors) &&
                push_service_is_idle(a->push) && api_is_idle(a->api);
    (void)fd;
    (void)what;

    if ((idle && a->drain_checks > 0) || a->drain_checks >= DRAIN_CHECKS_MAX) {
        if (!idle)
            log_warning("app", "stopping with work unfinished: it will be asked for again");
        event_base_loopexit(a->base, NULL);
        return;
    }
    a->drain_checks++;
    event_add(a->drain_timer, &interval);
}

static void on_signal(evutil_socket_t number, short what, void *argument)
{
    struct app *a = argument;
    const struct timeval interval = {.tv_usec = DRAIN_CHECK_MS * 1000};
    (void)what;

    if (a->stopping) {
        event_base_loopbreak(a->base);
        return;
    }
    log_info("app", "signal %d: stopping", (int)number);
    notify_manager("STOPPING=1");
    a->stopping = true;
    health_stop(a->health);
    door_close(a->door);
    intake_close(a->intake);
    ingest_kick(a->ingest);
    presence_close(a->presence);
    push_service_close(a->push);
    event_add(a->drain_timer, &interval);
}

static void on_hangup(evutil_socket_t number, short what, void *argument)
{
    struct app *a = argument;
    (void)number;
    (void)what;

    if (a->door)
        door_reload(a->door);
}

static void on_beat(evutil_socket_t fd, short what, void *argument)
{
    struct app *a = argument;
    (void)fd;
    (void)what;

    pulse_beat(&a->pulse);
}

static bool create_loop(struct app *a)
{
    const struct timeval interval = {.tv_usec = PULSE_BEAT_MS * 1000};

    a->pulse.name = "the event loop";
    a->base = event_base_new();
    if (!a->base)
        return false;
    a->terminate = evsignal_new(a->base, SIGTERM, on_signal, a);
    a->interrupt = evsignal_new(a->base, SIGINT, on_signal, a);
    a->hangup = evsignal_new(a->base, SIGHUP, on_hangup, a);
    a->drain_timer = evtimer_new(a->base, on_drain_timer, a);
    a->beat = event_new(a->base, -1, EV_PERSIST, on_beat, a);
    return a->terminate && a->interrupt && a->hangup && a->drain_timer && a->beat &&
           event_add(a->beat, &interval) == 0 && event_add(a->terminate, NULL) == 0 &&
           event_add(a->interrupt, NULL) == 0 && event_add(a->hangup, NULL) == 0;
}

/* Nobody may be told who is a member while a statement that nobody waits for can still change it.
 */
static void on_node_changed(void *owner, bool settled)
{
    link_shut(owner, !settled);
}

static bool create_connections(struct app *a, const struct config *config)
{
    a->node = db_node_create(config->node);

    const struct db_conn_config pool_config = {
        .dsn = config->database,
        .node = a->node,
        .application_name = "banter-pool",
        .setup_sql = pool_setup_sql,
        .timeout_ms = POOL_TIMEOUT_MS,
    };
    const struct db_conn_config search_config = {
        .dsn = config->database,
        .application_name = "banter-search",
        .setup_sql = search_setup_sql,
        .timeout_ms = SEARCH_TIMEOUT_MS,
    };
    const struct link_config link_config = {
        .socket_path = config->link_socket,
        .key = config->link_key,
        .node = config->node,
        .broker = config->broker,
    };

    a->pool = db_pool_create(a->base, &pool_config, config->pool_connections, POOL_QUEUE_MAX);
    a->search_pool = db_pool_create(a->base, &search_config, SEARCH_CONNECTIONS, SEARCH_QUEUE_MAX);
    a->link = a->pool && a->search_pool ? link_create(a->base, &link_config) : NULL;
    if (!a->link)
        return false;
    link_shut(a->link, true);
    db_node_on_changed(a->node, on_node_changed, a->link);
    return true;
}

static void on_stored(void *owner, const struct uuid *conversation)
{
    struct app *a = owner;

    indexer_note(a->indexer, conversation);
    push_service_note(a->push);
}

static bool do_drafts_wait(void *owner)
{
    const struct app *a = owner;

    return ingest_is_busy(a->ingest);
}

/* What stands beside the path of a message. */
static bool create_side(struct app *a, const struct config *config)
{
    const struct presence_config presence_config = {.grace_ms = config->presence_grace_ms};

    return (a->blobs = blobs_in_directory(a->base, config->blobs_dir)) &&
           (a->avatars = avatars_create(a->base, a->pool, a->blobs, a->link)) &&
           (a->presence = presence_create(a->base, a->pool, a->link, &presence_config)) &&
           (a->indexer = indexer_create(a->base, config->database)) &&
           (a->push = app_create_push(a->base, config, a->presence));
}

static bool create_core(struct app *a, const struct config *config)
{
    const struct accounts_config accounts_config = {
        .access_token_ttl_s = config->access_token_ttl,
        .refresh_token_ttl_s = config->refresh_token_ttl,
        .argon2_memory_kib = config->argon2_memory_kib,
        .argon2_passes = config->argon2_passes,
        .worker_threads = config->password_workers,
        .worker_queue_max = PASSWORD_QUEUE_MAX,
        .signup_open = config->signup,
    };
    const struct commands_config commands_config = {
        .search_pool = a->search_pool,
        .indexer = a->indexer,
        .presence = a->presence,
        .push = a->push,
        .group_members_max = config->group_members_max,
    };
    const struct ingest_config ingest_config = {
        .dsn = config->database,
        .node = a->node,
        .batch_max = config->batch_max,
        .batches_flying = config->batches_flying,
        .queue_max = config->queue_max,
        .push = push_service_is_on(a->push),
    };

    return (a->keys = keys_open(config->keys_dir, config->issuer, config->audience)) &&
           (a->revocations =
                revocations_create(a->base, a->pool, a->link, config->access_token_ttl)) &&
           (a->accounts =
                accounts_create(a->base, a->pool, a->keys, a->revocations, &accounts_config)) &&
           (a->commands =
                commands_create(a->base, a->pool, a->link, a->revocations, &commands_config)) &&
           (a->cursors = cursors_create(a->base, a->pool, a->link)) &&
           (a->chores = chores_create(a->base, a->pool, a->commands)) &&
           (a->invites = invites_create(a->pool)) && (a->history = history_create(a->pool)) &&
           (a->sync = sync_create(a->base, a->pool, a->link, config->group_members_max)) &&
           (a->ingest = ingest_create(a->base, &ingest_config, a->link)) &&
           (a->members = members_create(a->base, a->pool, a->link)) &&
           (a->fills = fills_create(a->base, a->history, a->commands, a->link)) &&
           (a->requests = requests_create(a->link, a->commands, a->sync)) &&
           (a->drain = drain_create(a->base, a->link, config->drain_file, config->drain_seconds));
}

static bool create_door(struct app *a, const struct config *config)
{
    const struct door_config door_config = {
        .http_listen = config->http_listen,
        .https_listen = config->https_listen,
        .mqtts_listen = config->mqtts_listen,
        .tls_certificate_file = config->tls_certificate_file,
        .tls_key_file = config->tls_key_file,
        .http_socket = config->http_socket,
        .mqtt_socket = config->mqtt_socket,
        .websocket_origins = config->websocket_origins,
        .websocket_ping_ms = config->websocket_ping_ms,
        .trusted_proxies = &a->trusted_proxies,
        .connections_max = config->connections_max,
        .connections_per_address = config->connections_per_address,
    };

    if (!networks_parse(&a->trusted_proxies, config->trusted_proxies)) {
        log_error("app", "trusted_proxies: no list of networks: %s", config->trusted_proxies);
        return false;
    }
    a->door = door_create(&door_config);
    return a->door != NULL;
}

static void on_drain_changed(void *owner, bool on)
{
    struct app *a = owner;

    door_drain(a->door, on);
}

/* What looks after the others. */
static bool create_care(struct app *a, const struct config *config)
{
    const struct health_config health_config = {
        .pool = a->pool,
        .drain = a->drain,
        .ingest = a->ingest,
        .link = a->link,
        .revocations = a->revocations,
        .door = door_pulse(a->door),
        .deadline_ms = config->health_deadline_ms,
    };

    drain_on_changed(a->drain, on_drain_changed, a);
    a->watchdog_ms = config->watchdog_ms;
    return (a->health = health_create(a->base, &health_config));
}

/* What talks to the plugin and to clients. */
static bool create_faces(struct app *a, const struct config *config)
{
    const struct intake_modules modules = {
        .cursors = a->cursors,
        .drain = a->drain,
        .fills = a->fills,
        .ingest = a->ingest,
        .link = a->link,
        .members = a->members,
        .presence = a->presence,
        .requests = a->requests,
        .revocations = a->revocations,
    };
    const struct api_dependencies dependencies = {
        .base = a->base,
        .accounts = a->accounts,
        .avatars = a->avatars,
        .commands = a->commands,
        .cursors = a->cursors,
        .drain = a->drain,
        .health = a->health,
        .history = a->history,
        .indexer = a->indexer,
        .ingest = a->ingest,
        .invites = a->invites,
        .keys = a->keys,
        .link = a->link,
        .presence = a->presence,
        .push = a->push,
        .revocations = a->revocations,
        .sync = a->sync,
        .door = a->door,
        .http_socket = config->http_socket,
        .trusted_proxies = &a->trusted_proxies,
        .metrics_listen =
            strcmp(config->metrics_listen, "off") != 0 ? config->metrics_listen : NULL,
        .web_root = strcmp(config->web_root, "off") != 0 ? config->web_root : NULL,
    };
    struct link_handlers handlers;

    a->intake = intake_create(&modules);
    ingest_on_stored(a->ingest, on_stored, a);
    indexer_give_way(a->indexer, do_drafts_wait, a);
    handlers = intake_handlers(a->intake);
    a->api = api_create(&dependencies);
    return a->api && link_start(a->link, &handlers) && door_start(a->door);
}

struct app *app_create(const struct config *config)
{
    struct app *a = must_calloc(1, sizeof *a);

    if (create_loop(a) && create_connections(a, config) && create_side(a, config) &&
        create_core(a, config) && create_door(a, config) && create_care(a, config) &&
        create_faces(a, config))
        return a;
    app_destroy(a);
    return NULL;
}

bool app_run(struct app *a)
{
    const struct pulse *const pulses[] = {&a->pulse, door_pulse(a->door)};

    pulse_beat(&a->pulse);
    if (!watchdog_start(&a->watchdog, a->watchdog_ms, pulses, sizeof pulses / sizeof *pulses))
        return false;
    log_info("app", "banter-bridge %s serves", BANTER_VERSION);
    notify_manager("READY=1");
    return event_base_dispatch(a->base) >= 0;
}

void app_destroy(struct app *a)
{
    if (!a)
        return;
    watchdog_stop(a->watchdog);
    accounts_destroy(a->accounts);
    commands_destroy(a->commands);
    cursors_destroy(a->cursors);
    chores_destroy(a->chores);
    invites_destroy(a->invites);
    sync_destroy(a->sync);
    history_destroy(a->history);
    ingest_destroy(a->ingest);
    blobs_destroy(a->blobs);
    avatars_destroy(a->avatars);
    api_destroy(a->api);
    door_destroy(a->door);
    db_pool_destroy(a->search_pool);
    db_pool_destroy(a->pool);
    indexer_destroy(a->indexer);
    link_destroy(a->link);
    requests_destroy(a->requests);
    fills_destroy(a->fills);
    members_destroy(a->members);
    push_service_destroy(a->push);
    presence_destroy(a->presence);
    revocations_destroy(a->revocations);
    intake_destroy(a->intake);
    health_destroy(a->health);
    drain_destroy(a->drain);
    db_node_destroy(a->node);
    keys_close(a->keys);
    if (a->beat)
        event_free(a->beat);
    if (a->drain_timer)
        event_free(a->drain_timer);
    if (a->hangup)
        event_free(a->hangup);
    if (a->interrupt)
        event_free(a->interrupt);
    if (a->terminate)
        event_free(a->terminate);
    if (a->base)
        event_base_free(a->base);
    free(a);
}
