/* SPDX-License-Identifier: MIT */
/* config.c - reads the settings.
 *
 * Secrets never need to stand in the file itself or in the environment: for every key of type
 * SECRET there is also KEY_file (BANTER_KEY_FILE), which names a file that holds it; on a command
 * line, which everybody can read, there is only that. An unknown or repeated key is an error, so
 * that a slip of the pen cannot go unnoticed. docs/configuration.md has the same table. */
#include "config.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/memory.h"
#include "wire/limits.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    CONFIG_MAX_BYTES = 1 << 16,
    SECRET_MAX_LENGTH = 1024,
    NAME_MAX_LENGTH = 64,
    OPERATOR_KEY_MIN_LENGTH = 16,
};

enum key_type { TYPE_TEXT, TYPE_SECRET, TYPE_NUMBER, TYPE_BOOL, TYPE_RATE, TYPE_LOG_LEVEL };

struct key {
    const char *name;
    enum key_type type;
    size_t offset;
    const char *initial; /* the default; NULL: must be given */
    const char *help;
    unsigned min, max; /* TYPE_NUMBER */
};

#define AT(field) offsetof(struct config, field)

static const struct key keys[] = {
    {"database", TYPE_SECRET, AT(database), NULL,
     "PostgreSQL, as a libpq connection string; a session of one's own, no pooler", 0, 0},
    {"replica_database", TYPE_SECRET, AT(replica_database), "",
     "a replica of it, from which histories are read that are asked for over HTTP; empty: none", 0,
     0},
    {"replica_connections", TYPE_NUMBER, AT(replica_connections), "4", "connections to the replica",
     1, 64},
    {"replica_timeout_ms", TYPE_NUMBER, AT(replica_timeout_ms), "2000",
     "milliseconds without an answer of the replica after which the database itself is asked", 50,
     60000},
    {"replica_lag_max_ms", TYPE_NUMBER, AT(replica_lag_max_ms), "10000",
     "milliseconds that the replica may be behind; beyond, it is not asked", 100, 3600000},
    {"migrate_database", TYPE_SECRET, AT(migrate_database), "",
     "the same for the owner of the schema, who migrates and gives the user of `database` the "
     "rights"
     " it needs; empty: that user does it itself",
     0, 0},
    {"migrations", TYPE_TEXT, AT(migrations), "/usr/share/banter/sql",
     "directory of the numbered SQL files", 0, 0},
    {"migrate_on_start", TYPE_BOOL, AT(migrate_on_start), "true",
     "apply missing migrations before serving", 0, 0},
    {"http_listen", TYPE_TEXT, AT(http_listen), "127.0.0.1:8080",
     "address of the HTTP API and of MQTT over WebSocket, or off", 0, 0},
    {"https_listen", TYPE_TEXT, AT(https_listen), "127.0.0.1:8443",
     "the same over TLS, once there is a certificate; or off", 0, 0},
    {"mqtts_listen", TYPE_TEXT, AT(mqtts_listen), "127.0.0.1:8883",
     "address of MQTT over TLS, once there is a certificate; or off", 0, 0},
    {"tls_certificate_file", TYPE_TEXT, AT(tls_certificate_file), "",
     "PEM file with the certificate and its chain; read again at SIGHUP", 0, 0},
    {"tls_key_file", TYPE_TEXT, AT(tls_key_file), "", "PEM file with the certificate's key", 0, 0},
    {"hsts_seconds", TYPE_NUMBER, AT(hsts_seconds), "31536000",
     "seconds for which browsers that came over TLS come over TLS only; 0: as they like", 0,
     63072000},
    {"http_socket", TYPE_TEXT, AT(http_socket), "/run/banter/http.sock",
     "Unix socket between the front door and the HTTP server behind it", 0, 0},
    {"mqtt_socket", TYPE_TEXT, AT(mqtt_socket), "/run/banter/mqtt.sock",
     "Unix socket of the broker for clients that come through the front door", 0, 0},
    {"websocket_origins", TYPE_TEXT, AT(websocket_origins), "",
     "origins whose pages may open WebSockets and ask the API, besides ours and the other nodes';"
     " *: all",
     0, 0},
    {"web_connect_sources", TYPE_TEXT, AT(web_connect_sources), "",
     "where the web client may connect, besides this server and the other nodes", 0, 0},
    {"websocket_ping_ms", TYPE_NUMBER, AT(websocket_ping_ms), "30000",
     "milliseconds of silence after which a client is asked for a sign of life", 100, 3600000},
    {"trusted_proxies", TYPE_TEXT, AT(trusted_proxies), "",
     "networks whose X-Forwarded-For is believed", 0, 0},
    {"connections_max", TYPE_NUMBER, AT(connections_max), "20000",
     "connections from clients, or fewer if the process may not open so many files", 1, 1000000},
    {"connections_per_address", TYPE_NUMBER, AT(connections_per_address), "1000",
     "connections from one IPv4 address or IPv6 /64, other than this machine's", 1, 1000000},
    {"rate_limits", TYPE_BOOL, AT(rate_limits), "true",
     "false: no limit of those below, nor delays after wrong passwords", 0, 0},
    {"rate_address_connects", TYPE_RATE, AT(rate_address_connects), "3000/60",
     "connections from one address through the front door: COUNT/SECONDS, or off", 0, 0},
    {"rate_address_http", TYPE_RATE, AT(rate_address_http), "12000/60",
     "HTTP requests of one address", 0, 0},
    {"rate_user_http", TYPE_RATE, AT(rate_user_http), "3000/60", "HTTP requests of one user", 0, 0},
    {"rate_address_signups", TYPE_RATE, AT(rate_address_signups), "100/3600",
     "sign-ups from one address", 0, 0},
    {"rate_address_logins", TYPE_RATE, AT(rate_address_logins), "100/600",
     "wrong passwords from one address", 0, 0},
    {"rate_user_exports", TYPE_RATE, AT(rate_user_exports), "10/3600",
     "exports of one user's data, and continuations of them", 0, 0},
    {"metrics_listen", TYPE_TEXT, AT(metrics_listen), "127.0.0.1:9464",
     "address of /metrics, or off", 0, 0},
    {"web_root", TYPE_TEXT, AT(web_root), "off", "directory of the web client, served at /, or off",
     0, 0},
    {"link_socket", TYPE_TEXT, AT(link_socket), "/run/banter/link.sock",
     "Unix socket to which the broker plugin connects", 0, 0},
    {"link_key", TYPE_SECRET, AT(link_key), NULL, "secret shared with the broker plugin", 0, 0},
    {"broker", TYPE_TEXT, AT(broker), "127.0.0.1:1883",
     "where the doorbell reaches the broker: path of a Unix socket, or host:port", 0, 0},
    {"node", TYPE_TEXT, AT(node), "",
     "name of this node, which no other of the database has; empty: the host's name", 0, 0},
    {"redis", TYPE_SECRET, AT(redis), "",
     "Redis through which the nodes of one database talk: [[USER]:PASSWORD@]HOST:PORT or a socket's"
     " path; several of these, the same for all nodes, with spaces between; none: talk through the"
     " database alone, slowly; empty: this is the only node",
     0, 0},
    {"redis_prefix", TYPE_TEXT, AT(redis_prefix), "banter",
     "begins the names of all channels: another one for each database on one Redis", 0, 0},
    {"registry", TYPE_SECRET, AT(registry), "",
     "where nodes say who and where they are: redis, or zookeeper://[USER:PASSWORD@]HOST:PORT[,…]"
     "[/PATH]; empty: in the database",
     0, 0},
    {"redis_ca_file", TYPE_TEXT, AT(redis_ca_file), "",
     "PEM file with the certificates that Redis's must come from: then it is reached over TLS", 0,
     0},
    {"redis_certificate_file", TYPE_TEXT, AT(redis_certificate_file), "",
     "PEM file with the certificate that the bridge shows Redis", 0, 0},
    {"redis_key_file", TYPE_TEXT, AT(redis_key_file), "", "PEM file with that certificate's key", 0,
     0},
    {"public_http", TYPE_TEXT, AT(public_http), "",
     "what /v1/servers tells clients: URL of the API on this node; empty: it is not told", 0, 0},
    {"public_ws", TYPE_TEXT, AT(public_ws), "", "the same of MQTT over WebSocket", 0, 0},
    {"public_mqtt", TYPE_TEXT, AT(public_mqtt), "", "the same of MQTT: mqtt(s)://HOST:PORT", 0, 0},
    {"location", TYPE_TEXT, AT(location), "",
     "where this node is, from the general to the particular, with slashes: eu/de/fra", 0, 0},
    {"capacity", TYPE_NUMBER, AT(capacity), "10000",
     "connections beyond which clients are sent to other nodes", 1, 10000000},
    {"keys_dir", TYPE_TEXT, AT(keys_dir), "/var/lib/banter/keys",
     "directory of the keys that sign access tokens", 0, 0},
    {"key_overlap", TYPE_NUMBER, AT(key_overlap), "600",
     "seconds that a new key is published before it signs", 5, 604800},
    {"audit_days", TYPE_NUMBER, AT(audit_days), "365", "days that rows of the audit log are kept",
     30, 36500},
    {"operator_key", TYPE_SECRET, AT(operator_key), "",
     "opens /v1/admin on the port of the metrics; empty: nothing does", 0, 0},
    {"blobs_dir", TYPE_TEXT, AT(blobs_dir), "/var/lib/banter/blobs", "directory of users' pictures",
     0, 0},
    {"issuer", TYPE_TEXT, AT(issuer), "banter", "issuer in access tokens", 0, 0},
    {"audience", TYPE_TEXT, AT(audience), "banter", "audience in access tokens", 0, 0},
    {"access_token_ttl", TYPE_NUMBER, AT(access_token_ttl), "3600",
     "seconds that an access token is good for", 10, 30 * 86400},
    {"refresh_token_ttl", TYPE_NUMBER, AT(refresh_token_ttl), "2592000",
     "seconds that a refresh token is good for", 60, 3650u * 86400u},
    {"argon2_memory_kib", TYPE_NUMBER, AT(argon2_memory_kib), "65536",
     "memory of one password hash", 8, 4 << 20},
    {"argon2_passes", TYPE_NUMBER, AT(argon2_passes), "3", "passes of one password hash", 1, 100},
    {"password_workers", TYPE_NUMBER, AT(password_workers), "2", "threads that hash passwords", 1,
     64},
    {"signup", TYPE_BOOL, AT(signup), "true", "whether strangers may sign up", 0, 0},
    {"group_members_max", TYPE_NUMBER, AT(group_members_max), "100", "members of a group", 2,
     GROUP_MEMBERS_CEILING},
    {"presence_grace_ms", TYPE_NUMBER, AT(presence_grace_ms), "30000",
     "milliseconds that a device may be gone before others see it", 100, 3600000},
    {"pool_connections", TYPE_NUMBER, AT(pool_connections), "4",
     "connections to PostgreSQL besides the writer's", 1, 64},
    {"batch_max", TYPE_NUMBER, AT(batch_max), "512", "drafts in one commit", 1, 4096},
    {"batches_flying", TYPE_NUMBER, AT(batches_flying), "2",
     "commits on their way at the same time; more than one only while 64 drafts wait", 1, 16},
    {"queue_max", TYPE_NUMBER, AT(queue_max), "20000",
     "drafts that may wait before the plugin has to hold back", 1, 1000000},
    {"push_fcm_account", TYPE_TEXT, AT(push_fcm_account), "",
     "push over FCM: file of the service account, JSON", 0, 0},
    {"push_fcm_url", TYPE_TEXT, AT(push_fcm_url), "", "empty: Google's own", 0, 0},
    {"push_fcm_token_url", TYPE_TEXT, AT(push_fcm_token_url), "", "empty: as the file says", 0, 0},
    {"push_apns_key", TYPE_TEXT, AT(push_apns_key), "", "push over APNs: file of the key, .p8", 0,
     0},
    {"push_apns_key_id", TYPE_TEXT, AT(push_apns_key_id), "", "the key's id at Apple", 0, 0},
    {"push_apns_team", TYPE_TEXT, AT(push_apns_team), "", "the team's id at Apple", 0, 0},
    {"push_apns_topic", TYPE_TEXT, AT(push_apns_topic), "",
     "bundle id of the app; registrations may name another", 0, 0},
    {"push_apns_url", TYPE_TEXT, AT(push_apns_url), "", "empty: Apple's own", 0, 0},
    {"push_vapid_subject", TYPE_TEXT, AT(push_vapid_subject), "",
     "Web Push: who runs this, as a mailto: or https: URI", 0, 0},
    {"push_vapid_key", TYPE_TEXT, AT(push_vapid_key), "",
     "file of its key, PEM; empty: vapid.key in keys_dir, made if missing", 0, 0},
    {"push_webhooks", TYPE_BOOL, AT(push_webhooks), "false", "whether users may register webhooks",
     0, 0},
    {"push_text", TYPE_BOOL, AT(push_text), "true",
     "false: titles, senders and texts do not leave, and devices fetch them", 0, 0},
    {"push_allow_private", TYPE_BOOL, AT(push_allow_private), "false",
     "Web Push and webhooks may go to private addresses, webhooks also without TLS", 0, 0},
    {"push_ca_file", TYPE_TEXT, AT(push_ca_file), "",
     "certificates to trust instead of the system's, PEM", 0, 0},
    {"push_gather_ms", TYPE_NUMBER, AT(push_gather_ms), "500",
     "milliseconds that a push waits for messages that may join it, again after each, at most three"
     " times",
     0, 60000},
    {"push_rate", TYPE_NUMBER, AT(push_rate), "500", "pushes begun in a second, at most", 1,
     100000},
    {"push_in_flight_max", TYPE_NUMBER, AT(push_in_flight_max), "200",
     "pushes under way at the same time, for each provider", 1, 10000},
    {"push_timeout_ms", TYPE_NUMBER, AT(push_timeout_ms), "10000",
     "milliseconds that a provider may take for one push", 100, 60000},
    {"push_attempts_max", TYPE_NUMBER, AT(push_attempts_max), "10",
     "attempts after which a push is given up", 1, 100},
    {"push_retry_ms", TYPE_NUMBER, AT(push_retry_ms), "1000",
     "milliseconds before the second attempt; doubled by each one that fails", 10, 600000},
    {"push_ttl", TYPE_NUMBER, AT(push_ttl), "86400",
     "seconds after which nobody is told of a message any more", 10, 2419200},
    {"drain_file", TYPE_TEXT, AT(drain_file), "",
     "while this file exists the node lets nobody in and ends its connections", 0, 0},
    {"drain_seconds", TYPE_NUMBER, AT(drain_seconds), "5",
     "seconds for that, if the file does not name another number", 0, 86400},
    {"health_deadline_ms", TYPE_NUMBER, AT(health_deadline_ms), "5000",
     "milliseconds without an answer after which /readyz says so", 500, 600000},
    {"watchdog_ms", TYPE_NUMBER, AT(watchdog_ms), "30000",
     "milliseconds without progress of a thread's loop after which it aborts; 0: never", 0,
     3600000},
    {"log_level", TYPE_LOG_LEVEL, AT(log_level), "info", "debug, info, warning or error", 0, 0},
};

enum { KEY_COUNT = sizeof keys / sizeof keys[0] };

static const char *const level_names[] = {"debug", "info", "warning", "error"};

/* Where the value of a key came from; later sources win. */
enum source { FROM_NOWHERE, FROM_DEFAULT, FROM_FILE, FROM_ENVIRONMENT, FROM_FLAG };

struct loader {
    struct config *config;
    enum source sources[KEY_COUNT];
};

static bool parse_number(const char *text, unsigned min, unsigned max, unsigned *out)
{
    char *end;
    unsigned long value;

    if (!isdigit((unsigned char)text[0]))
        return false;
    errno = 0;
    value = strtoul(text, &end, 10);
    if (errno != 0 || *end != '\0' || value < min || value > max)
        return false;
    *out = (unsigned)value;
    return true;
}

static bool parse_bool(const char *text, bool *out)
{
    *out = strcmp(text, "true") == 0;
    return *out || strcmp(text, "false") == 0;
}

static bool parse_log_level(const char *text, unsigned *out)
{
    for (unsigned i = 0; i < sizeof level_names / sizeof level_names[0]; i++) {
        if (strcmp(text, level_names[i]) == 0) {
            *out = i;
            return true;
        }
    }
    return false;
}

static void replace_text(char **field, char *value)
{
    free(*field);
    *field = value;
}

static bool set_value(struct config *config, const struct key *key, const char *value)
{
    void *field = (char *)config + key->offset;

    switch (key->type) {
    case TYPE_TEXT:
    case TYPE_SECRET:
        replace_text(field, must_strndup(slice_str(value)));
        return true;
    case TYPE_NUMBER:
        return parse_number(value, key->min, key->max, field);
    case TYPE_BOOL:
        return parse_bool(value, field);
    case TYPE_RATE:
        return rate_parse(value, field);
    case TYPE_LOG_LEVEL:
        return parse_log_level(value, field);
    }
    return false;
}

/* The secret of `key` from the file `path`. */
static bool set_from_file(struct config *config, const struct key *key, const char *path)
{
    char *secret = file_read_secret(path, SECRET_MAX_LENGTH);

    if (!secret) {
        log_error("config", "%s_file: cannot read a secret from %s: %s", key->name, path,
                  strerror(errno));
        return false;
    }
    if (!file_is_private(path))
        log_warning("config", "%s_file: everybody can read %s: chmod o= it", key->name, path);
    replace_text((char **)((char *)config + key->offset), secret);
    return true;
}

static bool set_key(struct loader *loader, size_t index, enum source source, bool names_file,
                    const char *value)
{
    const struct key *key = &keys[index];

    if (loader->sources[index] == source) {
        log_error("config", "%s is given twice", key->name);
        return false;
    }
    loader->sources[index] = source;
    if (names_file)
        return set_from_file(loader->config, key, value);
    if (set_value(loader->config, key, value))
        return true;
    log_error("config", "%s: not a valid value: %s", key->name,
              key->type == TYPE_SECRET ? "(secret)" : value);
    return false;
}

/* Whether `name` means this key; *names_file: as KEY_file. */
static bool key_has_name(const struct key *key, const char *name, bool *names_file)
{
    size_t length = strlen(key->name);

    if (strncmp(name, key->name, length) != 0)
        return false;
    *names_file = key->type == TYPE_SECRET && strcmp(name + length, "_file") == 0;
    return name[length] == '\0' || *names_file;
}

static bool set_by_name(struct loader *loader, enum source source, const char *name,
                        const char *value)
{
    bool names_file;

    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (!key_has_name(&keys[i], name, &names_file))
            continue;
        if (source == FROM_FLAG && keys[i].type == TYPE_SECRET && !names_file) {
            log_error("config", "%s is a secret and not for a command line: give %s_file", name,
                      name);
            return false;
        }
        return set_key(loader, i, source, names_file, value);
    }
    log_error("config", "unknown key: %s", name);
    return false;
}

/* `line` is changed. */
static bool read_line(struct loader *loader, char *line)
{
    char *name = line + strspn(line, " \t");
    char *end = name + strlen(name);
    char *value;

    while (end > name && isspace((unsigned char)end[-1]))
        *--end = '\0';
    if (*name == '\0' || *name == '#')
        return true;
    value = name + strcspn(name, " \t");
    if (*value != '\0')
        *value++ = '\0';
    return set_by_name(loader, FROM_FILE, name, value + strspn(value, " \t"));
}

static bool read_file(struct loader *loader, const char *path)
{
    struct buf content;
    char *rest;
    char *line;
    bool ok = true;

    buf_init(&content, CONFIG_MAX_BYTES);
    if (!file_read(path, &content)) {
        log_error("config", "cannot read %s: %s", path, strerror(errno));
        buf_finish(&content);
        return false;
    }
    if (content.length > 0 && memchr(content.data, '\0', content.length)) {
        log_error("config", "%s is no text: it has a NUL byte", path);
        ok = false;
    }
    rest = content.data;
    while ((line = strsep(&rest, "\n")) != NULL)
        ok = read_line(loader, line) && ok;
    buf_finish(&content);
    return ok;
}

/* BANTER_NAME, or BANTER_NAME_FILE. */
static const char *from_environment(const char *name, const char *suffix)
{
    char variable[NAME_MAX_LENGTH];
    int length = snprintf(variable, sizeof variable, "BANTER_%s%s", name, suffix);

    assert(length > 0 && (size_t)length < sizeof variable);
    for (int i = 0; i < length; i++)
        variable[i] = (char)toupper((unsigned char)variable[i]);
    return getenv(variable);
}

static bool read_environment(struct loader *loader)
{
    bool ok = true;

    for (size_t i = 0; i < KEY_COUNT; i++) {
        const char *value = from_environment(keys[i].name, "");
        const char *path =
            keys[i].type == TYPE_SECRET ? from_environment(keys[i].name, "_file") : NULL;
        if (value)
            ok = set_key(loader, i, FROM_ENVIRONMENT, false, value) && ok;
        if (path)
            ok = set_key(loader, i, FROM_ENVIRONMENT, true, path) && ok;
    }
    return ok;
}

static bool read_flag(struct loader *loader, const char *flag)
{
    char name[NAME_MAX_LENGTH];
    const char *equals = strchr(flag, '=');

    if (!equals || equals - flag >= NAME_MAX_LENGTH) {
        log_error("config", "--set takes KEY=VALUE");
        return false;
    }
    snprintf(name, sizeof name, "%.*s", (int)(equals - flag), flag);
    return set_by_name(loader, FROM_FLAG, name, equals + 1);
}

static void set_defaults(struct loader *loader)
{
    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (keys[i].initial && !set_key(loader, i, FROM_DEFAULT, false, keys[i].initial))
            abort(); /* the table is wrong */
    }
}

/* What has no default may not be empty either. */
static bool is_missing(const struct loader *loader, size_t index)
{
    const struct key *key = &keys[index];
    const char *const *text = (const char *const *)((const char *)loader->config + key->offset);

    return loader->sources[index] == FROM_NOWHERE || (!key->initial && *text && **text == '\0');
}

static bool check(struct loader *loader)
{
    struct config *config = loader->config;
    char host[256] = "node";
    bool ok = true;

    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (is_missing(loader, i)) {
            log_error("config", "%s must be given", keys[i].name);
            ok = false;
        }
    }
    if (config->registry[0] && !config->redis[0]) {
        log_error("config", "registry is for several nodes: it needs redis, be it none");
        ok = false;
    }
    if (config->operator_key[0] != '\0' && strlen(config->operator_key) < OPERATOR_KEY_MIN_LENGTH) {
        log_error("config", "operator_key must have %d bytes or more", OPERATOR_KEY_MIN_LENGTH);
        ok = false;
    }
    if (config->node[0] == '\0') {
        if (gethostname(host, sizeof host - 1) != 0)
            log_warning("config", "the host has no name: this node is called %s", host);
        replace_text(&config->node, must_strndup(slice_str(host)));
    }
    return ok;
}

bool config_load(struct config *config, const char *path, const char *const *flags,
                 size_t flag_count)
{
    struct loader loader = {.config = config};

    *config = (struct config){0};
    set_defaults(&loader);
    bool ok = !path || read_file(&loader, path);
    ok = read_environment(&loader) && ok;
    for (size_t i = 0; i < flag_count; i++)
        ok = read_flag(&loader, flags[i]) && ok;
    return check(&loader) && ok;
}

void config_free(struct config *config)
{
    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (keys[i].type == TYPE_TEXT || keys[i].type == TYPE_SECRET)
            replace_text((char **)((char *)config + keys[i].offset), NULL);
    }
}

void config_print_help(FILE *out)
{
    fprintf(out, "Settings, as `key value` lines in the file, as BANTER_KEY in the environment, or"
                 " as --set KEY=VALUE:\n");
    for (size_t i = 0; i < KEY_COUNT; i++) {
        const struct key *key = &keys[i];
        fprintf(out, "  %-20s %s", key->name, key->help);
        if (key->type == TYPE_SECRET)
            fprintf(out, "; or %s_file: where it stands", key->name);
        if (!key->initial)
            fprintf(out, " (required)\n");
        else
            fprintf(out, " (%s)\n", key->initial[0] ? key->initial : "empty");
    }
}

static void print_rate(const char *name, const struct rate *rate, FILE *out)
{
    if (rate->count == 0)
        fprintf(out, "%s off\n", name);
    else
        fprintf(out, "%s %u/%u\n", name, rate->count, rate->seconds);
}

static void print_value(const struct config *config, const struct key *key, bool secrets, FILE *out)
{
    const void *field = (const char *)config + key->offset;

    switch (key->type) {
    case TYPE_SECRET:
        if (!secrets) {
            fprintf(out, "# %s is a secret\n", key->name);
            return;
        }
        /* fall through */
    case TYPE_TEXT:
        fprintf(out, "%s %s\n", key->name, *(const char *const *)field);
        return;
    case TYPE_NUMBER:
        fprintf(out, "%s %u\n", key->name, *(const unsigned *)field);
        return;
    case TYPE_BOOL:
        fprintf(out, "%s %s\n", key->name, *(const bool *)field ? "true" : "false");
        return;
    case TYPE_RATE:
        print_rate(key->name, field, out);
        return;
    case TYPE_LOG_LEVEL:
        fprintf(out, "%s %s\n", key->name, level_names[*(const unsigned *)field]);
        return;
    }
}

void config_print(const struct config *config, bool secrets, FILE *out)
{
    for (size_t i = 0; i < KEY_COUNT; i++)
        print_value(config, &keys[i], secrets, out);
}
