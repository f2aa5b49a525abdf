/* SPDX-License-Identifier: MIT */
/* metrics.c - the numbers of this process in Prometheus' text format (version 0.0.4).
 *
 * No label here has a value that strangers choose, so the number of series is fixed. */
#include "api/metrics.h"

#include "api/routes.h"
#include "core/accounts.h"
#include "core/audit.h"
#include "core/cluster.h"
#include "core/cursors.h"
#include "core/drain.h"
#include "core/health.h"
#include "core/indexer.h"
#include "core/ingest.h"
#include "core/keys.h"
#include "core/presence.h"
#include "core/rates.h"
#include "core/replica.h"
#include "core/revocations.h"
#include "door/door.h"
#include "link/link.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { METRICS_MAX_BYTES = 64 << 10 };

static void put(struct buf *b, const char *name, const char *type, const char *help, uint64_t value)
{
    buf_printf(b, "# HELP banter_%s %s\n# TYPE banter_%s %s\nbanter_%s %" PRIu64 "\n", name, help,
               name, type, name, value);
}

void metrics_counter(struct buf *b, const char *name, const char *help, uint64_t value)
{
    put(b, name, "counter", help, value);
}

void metrics_gauge(struct buf *b, const char *name, const char *help, uint64_t value)
{
    put(b, name, "gauge", help, value);
}

static void put_health(struct buf *b, const struct api_dependencies *core)
{
    int64_t left = drain_left(core->drain);

    metrics_gauge(b, "ready", "1 while /readyz says yes.", !health_why_not(core->health));
    buf_str(b, "# HELP banter_healthy 1 while this part does what it is there for.\n"
               "# TYPE banter_healthy gauge\n");
    for (unsigned i = 0; i < HEALTH_PARTS; i++)
        buf_printf(b, "banter_healthy{part=\"%s\"} %d\n", health_part_names[i],
                   !health_of(core->health, (enum health_part)i));
    metrics_gauge(b, "draining", "1 while the node lets nobody in and ends its connections.",
                  drain_is_on(core->drain));
    metrics_gauge(b, "drain_connections", "Connections that are still to be ended, if known.",
                  left > 0 ? (uint64_t)left : 0);
    metrics_gauge(b, "link_connected", "1 while the broker's plugin is connected.",
                  link_is_connected(core->link));
    metrics_gauge(b, "link_silent_milliseconds", "For how long the plugin has owed an answer.",
                  link_silent_ms(core->link));
}

static void put_cluster(struct buf *b, const struct cluster *cluster)
{
    struct cluster_stats s;

    cluster_get_stats(cluster, &s);
    metrics_gauge(b, "cluster_member", "1 while this node has its lease.",
                  cluster_is_member(cluster));
    metrics_gauge(b, "cluster_nodes", "Nodes that this one knows, itself too.", s.nodes);
    metrics_gauge(b, "cluster_interests", "Conversations of which this node hears.", s.interests);
    metrics_counter(b, "cluster_bulletins_total", "Bulletins of this node.", s.bulletins);
    metrics_counter(b, "cluster_healed_total",
                    "Bulletins of other nodes that came through the database.", s.healed);
    metrics_counter(b, "cluster_reconciled_total", "Times that everybody was attached anew.",
                    s.reconciled);
    metrics_gauge(b, "bus_up", "1 while Redis can be used.", cluster_bus_is_up(cluster));
    metrics_counter(b, "bus_published_total", "Messages published.", s.published);
    metrics_counter(b, "bus_received_total", "Messages received.", s.received);
    metrics_counter(b, "bus_dropped_total", "Messages for which there was no room.", s.dropped);
    metrics_counter(b, "bus_forged_total", "Messages that no node has sealed.", s.forged);
    metrics_counter(b, "bus_losses_total", "Times that Redis was lost.", s.losses);
    if (!s.has_registry)
        return;
    metrics_gauge(b, "registry_up", "1 while the registry can be used.", s.registry_up);
    metrics_gauge(b, "registry_entries", "Other nodes in the registry.", s.registry_entries);
    metrics_counter(b, "registry_losses_total", "Times that the registry was lost.",
                    s.registry_losses);
}

static void put_http(struct buf *b, const struct http_server *server)
{
    struct http_server_stats s;

    http_server_get_stats(server, &s);
    metrics_gauge(b, "http_connections", "HTTP connections that are open.", s.connections);
    metrics_gauge(b, "http_requests_open", "HTTP requests that are not answered yet.",
                  s.requests_open);
    metrics_gauge(b, "http_received_bytes", "Bytes of HTTP requests that are not whole yet.",
                  s.received);
    metrics_gauge(b, "http_unsent_bytes", "Bytes of HTTP answers that have not left.", s.unsent);
    metrics_counter(b, "http_connections_total", "HTTP connections accepted.", s.accepted);
    metrics_counter(b, "http_refused_total",
                    "HTTP requests that were malformed, too large or too slow.", s.refused);
    metrics_counter(b, "http_unanswered_total", "HTTP requests that met the answer deadline.",
                    s.unanswered);
    buf_str(b,
            "# HELP banter_http_responses_total HTTP answers by the first digit of their status.\n"
            "# TYPE banter_http_responses_total counter\n");
    for (unsigned digit = 2; digit < sizeof s.responses / sizeof *s.responses; digit++)
        buf_printf(b, "banter_http_responses_total{status=\"%uxx\"} %" PRIu64 "\n", digit,
                   s.responses[digit]);
}

static void put_door(struct buf *b, const struct door *door)
{
    struct door_stats s;

    door_get_stats(door, &s);
    buf_str(b, "# HELP banter_door_connections Connections of clients, by what they carry.\n"
               "# TYPE banter_door_connections gauge\n");
    for (unsigned i = 0; i < DOOR_KINDS; i++)
        buf_printf(b, "banter_door_connections{kind=\"%s\"} %" PRIu64 "\n", door_kind_names[i],
                   s.connections[i]);
    metrics_gauge(b, "door_waiting_bytes", "Bytes that clients or servers have not taken yet.",
                  s.waiting);
    metrics_counter(b, "door_connections_total", "Connections accepted.", s.accepted);
    metrics_counter(b, "door_tls_handshakes_total", "TLS handshakes completed.", s.handshakes);
    metrics_counter(b, "door_tls_resumed_total", "TLS handshakes that resumed a session.",
                    s.resumed);
    buf_str(b, "# HELP banter_door_refused_total Connections refused or ended by the door.\n"
               "# TYPE banter_door_refused_total counter\n");
    for (unsigned i = 0; i < DOOR_REFUSALS; i++)
        buf_printf(b, "banter_door_refused_total{reason=\"%s\"} %" PRIu64 "\n",
                   door_refusal_names[i], s.refused[i]);
    metrics_counter(b, "door_received_bytes_total", "Bytes received from clients.", s.from_clients);
    metrics_counter(b, "door_sent_bytes_total", "Bytes carried to clients.", s.to_clients);
}

static void put_audit(struct buf *b, const struct audit *audit)
{
    struct audit_stats s;

    audit_get_stats(audit, &s);
    metrics_counter(b, "audit_stored_total", "Rows written into the audit log.", s.stored);
    metrics_gauge(b, "audit_waiting", "Rows that are still to be written.", s.waiting);
    metrics_counter(b, "audit_left_out_total", "Refusals beyond what is noted of them in a minute.",
                    s.left_out);
    metrics_counter(b, "audit_lost_total", "Rows that went to the log instead.", s.lost);
}

static void put_keys(struct buf *b, const struct keys *keys)
{
    struct keys_stats s;

    keys_get_stats(keys, &s);
    metrics_gauge(b, "keys", "Keys whose access tokens are good.", s.published);
    metrics_gauge(b, "keys_broken", "Files of keys that are of no use.", s.broken);
    metrics_gauge(b, "keys_signing_age_seconds", "Age of the key that signs.", s.age_s);
    metrics_counter(b, "keys_changes_total", "Changes of the set of keys.", s.changes);
    metrics_counter(b, "keys_failures_total",
                    "Times that the keys could not be read, or their public halves not written.",
                    s.failures);
}

static void put_accounts(struct buf *b, const struct accounts *accounts)
{
    struct accounts_stats s;

    accounts_get_stats(accounts, &s);
    metrics_counter(b, "signups_total", "Accounts made.", s.signups);
    metrics_counter(b, "logins_total", "Logins that succeeded.", s.logins);
    metrics_counter(b, "token_refreshes_total", "Refresh tokens exchanged.", s.refreshes);
    metrics_counter(b, "credentials_refused_total",
                    "Wrong passwords, unusable refresh tokens and taken handles.", s.refused);
    metrics_counter(b, "refresh_reused_total",
                    "Login sessions ended because a used token came again.", s.reused);
    metrics_counter(b, "passwords_busy_total", "Logins and sign-ups refused for lack of workers.",
                    s.busy);
    metrics_gauge(b, "passwords_pending", "Passwords being hashed or waiting for it.",
                  s.passwords_pending);
}

static void put_rates(struct buf *b, const struct rates *rates)
{
    struct rates_stats s;

    rates_get_stats(rates, &s);
    const struct {
        const char *what;
        uint64_t count;
    } limits[] = {
        {"drafts", s.plugin.drafts},
        {"requests", s.plugin.requests},
        {"signals", s.plugin.signals},
        {"connections", s.plugin.connections},
        {"http_address", s.refused[RATES_ADDRESS_HTTP]},
        {"http_user", s.refused[RATES_USER_HTTP]},
        {"signups", s.refused[RATES_ADDRESS_SIGNUPS]},
        {"logins_address", s.refused[RATES_ADDRESS_LOGINS]},
        {"logins_account", s.refused[RATES_ACCOUNT_LOGINS]},
        {"exports", s.refused[RATES_USER_EXPORTS]},
    };

    buf_str(b, "# HELP banter_rate_limited_total Things refused for being too many.\n"
               "# TYPE banter_rate_limited_total counter\n");
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        buf_printf(b, "banter_rate_limited_total{what=\"%s\"} %" PRIu64 "\n", limits[i].what,
                   limits[i].count);
}

static void put_ingest(struct buf *b, const struct ingest *ingest)
{
    struct ingest_stats s;

    ingest_get_stats(ingest, &s);
    metrics_counter(b, "drafts_total", "Drafts that reached the writer.", s.drafts);
    metrics_counter(b, "drafts_stored_total", "Drafts that became entries.", s.stored);
    metrics_counter(b, "drafts_duplicate_total", "Drafts that had been stored before.",
                    s.duplicates);
    metrics_counter(b, "drafts_refused_total", "Drafts refused.", s.refused);
    metrics_counter(b, "drafts_foreseen_total",
                    "Drafts stored whose place and rights the writer remembered.", s.foreseen);
    metrics_counter(b, "drafts_quarantined_total",
                    "Drafts that PostgreSQL refused: bugs to look at.", s.quarantined);
    metrics_counter(b, "batches_total", "Batches committed by the writer.", s.batches);
    metrics_counter(b, "batch_retries_total", "Batches sent again.", s.retries);
    metrics_gauge(b, "drafts_queued", "Drafts waiting for the writer.", s.queued);
}

static void put_cursors(struct buf *b, const struct cursors *cursors)
{
    struct cursors_stats s;

    cursors_get_stats(cursors, &s);
    metrics_counter(b, "cursor_updates_total", "Cursors that were to be moved.", s.updates);
    metrics_counter(b, "cursor_commits_total", "Commits that moved cursors.", s.commits);
    metrics_counter(b, "cursor_updates_refused_total", "Cursors refused because too many waited.",
                    s.refused);
    metrics_gauge(b, "cursors_waiting", "Cursors that are not written yet.", s.waiting);
}

static void put_indexer(struct buf *b, const struct indexer *indexer)
{
    struct indexer_stats s;

    indexer_get_stats(indexer, &s);
    metrics_counter(b, "indexed_entries_total", "Entries that the search index has taken in.",
                    s.entries);
    metrics_counter(b, "index_failures_total", "Slices of indexing that had to be done again.",
                    s.failures);
    metrics_counter(b, "index_skipped_total",
                    "Messages that PostgreSQL refuses to index: look at them.", s.skipped);
    metrics_gauge(b, "index_conversations_waiting", "Conversations waiting for the index.",
                  s.waiting);
}

static void put_replica(struct buf *b, const struct replica *replica)
{
    struct replica_stats s;

    replica_get_stats(replica, &s);
    metrics_gauge(b, "replica_usable", "1 while histories may be read from the replica.", s.usable);
    metrics_gauge(b, "replica_lag_milliseconds", "For how long the replica has lacked something.",
                  s.lag_ms);
    buf_str(b, "# HELP banter_replica_pages_total Pages of history that were to be read from the "
               "replica; all but the answered ones came from the primary.\n"
               "# TYPE banter_replica_pages_total counter\n");
    for (unsigned i = 0; i < REPLICA_OUTCOMES; i++)
        buf_printf(b, "banter_replica_pages_total{outcome=\"%s\"} %" PRIu64 "\n",
                   replica_outcome_names[i], s.pages[i]);
}

/* The second number of /proc/self/statm, in pages; 0 when it cannot be read. */
static unsigned long resident_pages(void)
{
    char line[128] = "";
    char *second;
    FILE *statm = fopen("/proc/self/statm", "re");

    if (!statm)
        return 0;
    if (!fgets(line, sizeof line, statm))
        line[0] = '\0';
    fclose(statm);
    second = strchr(line, ' ');
    return second ? strtoul(second, NULL, 10) : 0;
}

static void put_process(struct buf *b)
{
    struct rusage usage;
    double cpu_seconds;

    getrusage(RUSAGE_SELF, &usage);
    cpu_seconds = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                  (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    buf_printf(b,
               "# TYPE process_resident_memory_bytes gauge\nprocess_resident_memory_bytes %lu\n"
               "# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total %.3f\n",
               resident_pages() * (unsigned long)sysconf(_SC_PAGESIZE), cpu_seconds);
}

void handle_metrics(struct call *c)
{
    struct buf text;

    buf_init(&text, METRICS_MAX_BYTES);
    put_health(&text, c->core);
    metrics_gauge(&text, "presence_users", "Users who are connected, or were a moment ago.",
                  presence_count(c->core->presence));
    put_ingest(&text, c->core->ingest);
    put_cursors(&text, c->core->cursors);
    put_indexer(&text, c->core->indexer);
    put_accounts(&text, c->core->accounts);
    put_keys(&text, c->core->keys);
    put_audit(&text, c->core->audit);
    put_rates(&text, c->core->rates);
    metrics_gauge(&text, "logins_revoked", "Ended logins whose access tokens may not have expired.",
                  revocations_count(c->core->revocations));
    metrics_push(&text, c->core->push);
    put_door(&text, c->core->door);
    if (c->core->replica)
        put_replica(&text, c->core->replica);
    if (c->core->cluster)
        put_cluster(&text, c->core->cluster);
    put_http(&text, c->api->server);
    put_process(&text);
    http_reply(c->request, 200, "text/plain; version=0.0.4; charset=utf-8", &text);
}
