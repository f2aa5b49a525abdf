/* SPDX-License-Identifier: MIT */
/* app.c - makes every module, runs the loop, takes all apart.
 *
 * The order of taking apart matters: who may still be called back by another module goes after it.
 * The core modules end what is asked of them, then the API closes its requests, then the pool and
 * the link answer what the core modules had asked of them. What the link's answers have in the
 * audit log comes when the pool has gone. */
#include "app.h"

#include "api/api.h"
#include "app_door.h"
#include "app_gauges.h"
#include "app_keys.h"
#include "app_push.h"
#include "app_rates.h"
#include "app_replica.h"
#include "app_sites.h"
#include "app_writer.h"
#include "base/address.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/notify.h"
#include "base/pulse.h"
#include "base/watchdog.h"
#include "config.h"
#include "core/accounts.h"
#include "core/audit.h"
#include "core/audit_page.h"
#include "core/avatars.h"
#include "core/blobs.h"
#include "core/chores.h"
#include "core/cluster.h"
#include "core/commands.h"
#include "core/cursors.h"
#include "core/drain.h"
#include "core/fills.h"
#include "core/health.h"
#include "core/herald.h"
#include "core/history.h"
#include "core/indexer.h"
#include "core/ingest.h"
#include "core/intake.h"
#include "core/invites.h"
#include "core/keys.h"
#include "core/members.h"
#include "core/personal.h"
#include "core/presence.h"
#include "core/push_service.h"
#include "core/rates.h"
#include "core/requests.h"
#include "core/revocations.h"
#include "core/servers.h"
#include "core/sites.h"
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
    bool leaving; /* the cluster knows */
    struct networks trusted_proxies;
    struct app_gauges gauges;
    struct app_writer writer;

    struct keys *keys;
    struct db_node *node;
    struct db_pool *pool;
    struct db_pool *search_pool;
    struct app_replica *replica;
    struct link *link;
    struct herald *herald;
    struct cluster *cluster; /* NULL: this node is alone */
    struct servers *servers;
    struct sites *sites;
    struct blobs *blobs;
    struct accounts *accounts;
    struct audit *audit;
    struct audit_pages *audit_pages;
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
    struct personal *personal;
    struct presence *presence;
    struct push_service *push;
    struct rates *rates;
    struct fills *fills;
    struct requests *requests;
    struct revocations *revocations;
    struct intake *intake;
    struct api *api;
    struct door *door;
};

/* Last of all, so that the other nodes hear what the rest of it has led to. */
static bool is_gone(struct app *a)
{
    if (!a->cluster)
        return true;
    if (!a->leaving) {
        a->leaving = true;
        cluster_close(a->cluster);
    }
    return cluster_is_idle(a->cluster);
}

/* At least one interval passes, in which the answers of the API leave. */
static void on_drain_timer(evutil_socket_t fd, short what, void *argument)
{
    struct app *a = argument;
    const struct timeval interval = {.tv_usec = DRAIN_CHECK_MS * 1000};
    bool idle = ingest_is_idle(a->ingest) && link_is_flushed(a->link) &&
                presence_is_idle(a->presence) && cursors_is_idle(a->cursors) &&
                push_service_is_idle(a->push) && api_is_idle(a->api) && audit_is_idle(a->audit) &&
                is_gone(a);
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

    if (a->keys)
        keys_reload(a->keys);
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
static void settle_link(struct app *a)
{
    link_shut(a->link,
              !db_node_is_settled(a->node) || (a->cluster && !cluster_is_member(a->cluster)));
}

static void on_standing_changed(void *owner, bool good)
{
    (void)good;
    settle_link(owner);
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
        .interests = config->redis[0] != '\0',
        .broker = config->broker,
    };

    a->pool = db_pool_create(a->base, &pool_config, config->pool_connections, POOL_QUEUE_MAX);
    a->search_pool = db_pool_create(a->base, &search_config, SEARCH_CONNECTIONS, SEARCH_QUEUE_MAX);
    a->replica = app_replica_create(a->base, config, a->pool);
    a->link = a->pool && a->search_pool && a->replica ? link_create(a->base, &link_config) : NULL;
    if (!a->link)
        return false;
    link_shut(a->link, true);
    db_node_on_changed(a->node, on_standing_changed, a);
    a->herald = herald_create(a->link);
    return true;
}

/* What stands beside the path of a message. */
static bool create_side(struct app *a, const struct config *config)
{
    const struct presence_config presence_config = {.grace_ms = config->presence_grace_ms};

    return (a->audit = audit_create(a->base, a->pool, config->node, config->audit_days)) &&
           (a->audit_pages = audit_pages_create(a->pool)) &&
           (a->blobs = blobs_in_directory(a->base, config->blobs_dir)) &&
           (a->avatars = avatars_create(a->base, a->pool, a->blobs, a->herald)) &&
           (a->presence =
                presence_create(a->base, a->pool, a->link, a->herald, &presence_config)) &&
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
        .audit = a->audit,
    };
    const struct commands_config commands_config = {
        .search_pool = a->search_pool,
        .indexer = a->indexer,
        .presence = a->presence,
        .push = a->push,
        .audit = a->audit,
        .read_gauges = app_read_gauges,
        .gauges_owner = &a->gauges,
        .group_members_max = config->group_members_max,
    };
    const struct ingest_config ingest_config = {
        .dsn = config->database,
        .node = a->node,
        .batch_max = config->batch_max,
        .batches_flying = config->batches_flying,
        .crowd = INGEST_CROWD,
        .queue_max = config->queue_max,
        .push = push_service_is_on(a->push),
        .others = config->redis[0] != '\0',
    };

    return (a->keys = app_open_keys(a->base, config, a->audit)) &&
           (a->revocations = revocations_create(a->base, a->pool, a->link, a->herald,
                                                config->access_token_ttl)) &&
           (a->accounts =
                accounts_create(a->base, a->pool, a->keys, a->revocations, &accounts_config)) &&
           (a->commands = commands_create(a->base, a->pool, a->herald, a->revocations, a->accounts,
                                          &commands_config)) &&
           (a->cursors = cursors_create(a->base, a->pool, a->herald)) &&
           (a->chores = chores_create(a->base, a->pool, a->commands, a->blobs)) &&
           (a->personal = personal_create(a->pool)) && (a->invites = invites_create(a->pool)) &&
           (a->history = history_create(a->pool, app_replica_of(a->replica))) &&
           (a->sync = sync_create(a->base, a->pool, a->link, config->group_members_max)) &&
           (a->ingest = ingest_create(a->base, &ingest_config, a->link, a->herald)) &&
           (a->members = members_create(a->base, a->pool, a->link)) &&
           (a->fills = fills_create(a->base, a->history, a->commands, a->link, a->herald)) &&
           (a->requests = requests_create(a->link, a->commands, a->sync)) &&
           (a->drain = drain_create(a->base, a->link, config->drain_file, config->drain_seconds));
}

static bool create_door(struct app *a, const struct config *config)
{
    if (!networks_parse(&a->trusted_proxies, config->trusted_proxies)) {
        log_error("app", "trusted_proxies: no list of networks: %s", config->trusted_proxies);
        return false;
    }
    a->rates = app_create_rates(config, &a->trusted_proxies);
    a->door = app_create_door(config, &a->trusted_proxies, sites_origins(a->sites));
    if (a->door)
        app_tell_door(a->sites, a->door);
    return a->door != NULL;
}

static void on_drain_changed(void *owner, bool on)
{
    struct app *a = owner;

    door_drain(a->door, on);
    audit_note_own(a->audit, on ? "drain" : "drain_off", slice_str(""));
}

/* Other nodes, if there may be any, and what clients are told of them. */
static bool create_cluster(struct app *a, const struct config *config)
{
    struct cluster_config cluster_config = {
        .dsn = config->database,
        .node = a->node,
        .redis = strcmp(config->redis, "none") == 0 ? "" : config->redis,
        .redis_prefix = config->redis_prefix,
        .registry = config->registry,
        .redis_tls = {config->redis_ca_file, config->redis_certificate_file,
                      config->redis_key_file},
        .pool = a->pool,
        .link = a->link,
        .herald = a->herald,
        .commands = a->commands,
        .presence = a->presence,
        .describe = servers_describe,
        .heard = app_hear_node,
    };

    a->servers = app_create_servers(config, a->presence, a->drain);
    a->sites = a->servers ? app_create_sites(config, a->servers) : NULL;
    if (!a->sites || config->redis[0] == '\0')
        return a->sites != NULL;
    cluster_config.describe_owner = a->servers;
    cluster_config.heard_owner = a->sites;
    a->cluster = cluster_create(a->base, &cluster_config);
    if (!a->cluster)
        return false;
    cluster_set_revocations(a->cluster, a->revocations);
    cluster_on_changed(a->cluster, on_standing_changed, a);
    servers_set_cluster(a->servers, a->cluster);
    return true;
}

/* What looks after the others. */
static bool create_care(struct app *a, const struct config *config)
{
    const struct health_config health_config = {
        .pool = a->pool,
        .cluster = a->cluster,
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

static void on_attach_asked(void *owner)
{
    cluster_attach_asked(owner);
}

static void on_attached(void *owner, const struct uuid *conversation, int64_t last_seq)
{
    cluster_attached(owner, conversation, last_seq);
}

static void on_attach_answered(void *owner)
{
    cluster_attach_answered(owner);
}

/* What talks to the plugin and to clients. */
static bool create_faces(struct app *a, const struct config *config)
{
    const struct intake_modules modules = {
        .cluster = a->cluster,
        .cursors = a->cursors,
        .drain = a->drain,
        .fills = a->fills,
        .ingest = a->ingest,
        .link = a->link,
        .members = a->members,
        .presence = a->presence,
        .rates = a->rates,
        .requests = a->requests,
        .revocations = a->revocations,
    };
    const struct api_dependencies dependencies = {
        .base = a->base,
        .accounts = a->accounts,
        .audit = a->audit,
        .audit_pages = a->audit_pages,
        .avatars = a->avatars,
        .cluster = a->cluster,
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
        .personal = a->personal,
        .presence = a->presence,
        .push = a->push,
        .rates = a->rates,
        .replica = app_replica_of(a->replica),
        .revocations = a->revocations,
        .servers = a->servers,
        .sites = a->sites,
        .sync = a->sync,
        .door = a->door,
        .http_socket = config->http_socket,
        .trusted_proxies = &a->trusted_proxies,
        .operator_key = config->operator_key,
        .hsts_seconds = config->hsts_seconds,
        .metrics_listen =
            strcmp(config->metrics_listen, "off") != 0 ? config->metrics_listen : NULL,
        .web_root = strcmp(config->web_root, "off") != 0 ? config->web_root : NULL,
    };
    const struct members_hooks members_hooks = {
        .asked = on_attach_asked,
        .attached = on_attached,
        .answered = on_attach_answered,
        .owner = a->cluster,
    };

    if (a->cluster)
        members_set_hooks(a->members, &members_hooks);
    a->gauges = (struct app_gauges){a->presence, a->ingest, a->cluster};
    a->intake = intake_create(&modules);
    a->writer = (struct app_writer){a->ingest, a->herald, a->indexer, a->push};
    app_connect_writer(&a->writer);
    const struct link_handlers handlers = intake_handlers(a->intake);
    a->api = api_create(&dependencies);
    return a->api && link_start(a->link, &handlers) && door_start(a->door);
}

struct app *app_create(const struct config *config)
{
    struct app *a = must_calloc(1, sizeof *a);

    if (create_loop(a) && create_connections(a, config) && create_side(a, config) &&
        create_core(a, config) && create_cluster(a, config) && create_door(a, config) &&
        create_care(a, config) && create_faces(a, config))
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
    struct event *const events[] = {a->beat, a->drain_timer, a->hangup, a->interrupt, a->terminate};
    watchdog_stop(a->watchdog);
    accounts_destroy(a->accounts);
    commands_destroy(a->commands);
    cursors_destroy(a->cursors);
    blobs_destroy(a->blobs);
    chores_destroy(a->chores);
    invites_destroy(a->invites);
    personal_destroy(a->personal);
    sync_destroy(a->sync);
    history_destroy(a->history);
    ingest_destroy(a->ingest);
    audit_pages_destroy(a->audit_pages);
    avatars_destroy(a->avatars);
    api_destroy(a->api);
    door_destroy(a->door);
    audit_stop(a->audit);
    db_pool_destroy(a->search_pool);
    db_pool_destroy(a->pool);
    app_replica_destroy(a->replica);
    indexer_destroy(a->indexer);
    link_destroy(a->link);
    cluster_destroy(a->cluster);
    sites_destroy(a->sites);
    servers_destroy(a->servers);
    requests_destroy(a->requests);
    fills_destroy(a->fills);
    members_destroy(a->members);
    push_service_destroy(a->push);
    presence_destroy(a->presence);
    revocations_destroy(a->revocations);
    intake_destroy(a->intake);
    rates_destroy(a->rates);
    health_destroy(a->health);
    drain_destroy(a->drain);
    herald_destroy(a->herald);
    audit_destroy(a->audit);
    db_node_destroy(a->node);
    keys_close(a->keys);
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        if (events[i])
            event_free(events[i]);
    }
    if (a->base)
        event_base_free(a->base);
    free(a);
}
