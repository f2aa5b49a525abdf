/* SPDX-License-Identifier: MIT */
/* options.c - see options.h. One table serves the parser, the help and the report. */
#include "options.h"

#include "process.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <getopt.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT_MAX = 100000000, LINE_MAX_BYTES = 2048 };

enum option_type { OPTION_TEXT, OPTION_COUNT, OPTION_FLAG };

struct option_info {
    const char *name;
    const char *argument;
    const char *help;
    enum option_type type;
    size_t offset;
    const char *initial;
    unsigned min; /* of counts */
};

#define TEXT(field) OPTION_TEXT, offsetof(struct options, field)
#define COUNT(field) OPTION_COUNT, offsetof(struct options, field)
#define FLAG(field) OPTION_FLAG, offsetof(struct options, field)

static const struct option_info table[] = {
    {"http", "URL", "the bridge's HTTP address", TEXT(http), "http://127.0.0.1:8080", 0},
    {"mqtt", "HOST:PORT", "the broker's address", TEXT(mqtt), "127.0.0.1:1883", 0},
    {"data", "DIR", "data directory of the running copy", TEXT(data), "var", 0},
    {"dsn", "DSN", "database (default: from DATA/bridge.conf)", TEXT(dsn), "", 0},
    {"keys", "DIR", "signing keys (default: DATA/keys)", TEXT(keys), "", 0},
    {"issuer", "NAME", "of tokens (default: from DATA/bridge.conf)", TEXT(issuer), "", 0},
    {"audience", "NAME", "of tokens (default: from DATA/bridge.conf)", TEXT(audience), "", 0},
    {"pids", "A,B,C", "broker, bridge, postgres (default: DATA/state/*.pid)", TEXT(pids), "", 0},
    {"further", "NODES", "pairs, group: further nodes, HOST:PORT/BROKER/BRIDGE,...",
     TEXT(further_nodes), "", 0},
    {"redis", "PID", "with further nodes: their Redis", COUNT(redis), "0", 0},
    {"pairs", "N", "conversations of two, one of whom sends", COUNT(pairs), "1000", 1},
    {"members", "N", "of the group, all online, or of the channel", COUNT(members), "100", 2},
    {"senders", "N", "group: how many of them send", COUNT(senders), "10", 1},
    {"history", "N", "pairs: messages in each log before the first run", COUNT(history), "0", 0},
    {"batch", "N", "append: rows in a commit", COUNT(batch), "300", 1},
    {"flights", "N", "append: commits in flight", COUNT(flights), "2", 1},
    {"messages", "N", "replay: length of the log", COUNT(messages), "100000", 1},
    {"connected", "N", "channel: members that are online", COUNT(connected), "5000", 2},
    {"direct-rate", "R", "channel, push: messages/s of the pairs", COUNT(direct_rate), "200", 1},
    {"joins", "N", "channel: joins and leaves in each channel", COUNT(joins), "200", 0},
    {"registered", "N", "push: members who are away and want one", COUNT(registered), "20000", 1},
    {"conversations", "N", "inbox, connect: of each user", COUNT(conversations), "500", 1},
    {"unread", "N", "inbox: messages in each of them", COUNT(unread), "20", 1},
    {"syncs", "N", "inbox: of each sort in a run", COUNT(syncs), "100", 1},
    {"clients", "N", "storm, connect: users, one device each", COUNT(clients), "5000", 3},
    {"watchers", "N", "storm: who watch each of them", COUNT(watchers), "3", 1},
    {"spread", "MS", "storm: time over which they come back", COUNT(spread), "0", 0},
    {"handshakes", "N", "storm, connect: connections without CONNACK at a time", COUNT(handshakes),
     "64", 1},
    {"idle", "S", "connect: time that all stay", COUNT(idle), "1", 1},
    {"away", "PERCENT", "storm: how many stay away in the end", COUNT(away), "10", 0},
    {"grace", "MS", "storm: the instance's presence_grace_ms", COUNT(grace), "30000", 1},
    {"limit", "N", "entries of each conversation in a sync", COUNT(limit), "50", 1},
    {"rate", "R", "messages/s of all senders together; 0: saturate", COUNT(rate), "0", 0},
    {"window", "N", "saturate: drafts outstanding per sender; 0: 8", COUNT(window), "0", 0},
    {"size", "BYTES", "of each text", COUNT(size), "200", 1},
    {"seconds", "S", "to measure", COUNT(seconds), "10", 1},
    {"warm-up", "S", "before measuring", COUNT(warm_up), "2", 0},
    {"repeat", "N", "runs; medians and spread are reported", COUNT(repeat), "1", 1},
    {"baseline", "FILE", "a mosquitto to compare with, bare, in the same run", TEXT(baseline), "",
     0},
    {"baseline-only", NULL, "nothing but that; needs no running copy", FLAG(baseline_only), "", 0},
    {"json", "FILE", "append the JSON line to it", TEXT(json), "", 0},
};

/* What scenarios have in place of the initial values of the table. */
static const struct own_initial {
    const char *scenario, *option, *value;
} own_initials[] = {
    {"broadcast", "members", "1000"},   {"broadcast", "senders", "1"},
    {"channel", "pairs", "200"},        {"channel", "members", "100000"},
    {"channel", "rate", "1"},           {"connect", "clients", "10000"},
    {"connect", "conversations", "50"}, {"push", "pairs", "200"},
    {"push", "members", "100000"},      {"push", "seconds", "45"},
};

enum { OWN_INITIALS_COUNT = sizeof(own_initials) / sizeof(own_initials[0]) };
enum { TABLE_COUNT = sizeof(table) / sizeof(table[0]), HELP_VALUE = TABLE_COUNT };

/* `value` is NULL for a flag that was given. */
static bool set(struct options *o, const struct option_info *info, const char *value)
{
    char *field = (char *)o + info->offset;
    char *end;
    unsigned long number;

    if (info->type == OPTION_TEXT) {
        if (strlen(value) >= OPTION_TEXT_MAX)
            return false;
        memcpy(field, value, strlen(value) + 1);
        return true;
    }
    if (info->type == OPTION_FLAG) {
        *(unsigned *)(void *)field = value == NULL;
        return true;
    }
    number = strtoul(value, &end, 10);
    if (!isdigit((unsigned char)value[0]) || *end != '\0' || number > COUNT_MAX ||
        number < info->min)
        return false;
    *(unsigned *)(void *)field = (unsigned)number;
    return true;
}

static void set_initial(struct options *o, const char *scenario)
{
    memset(o, 0, sizeof(*o));
    for (unsigned i = 0; i < TABLE_COUNT; i++) {
        const char *value = table[i].initial;

        for (unsigned k = 0; k < OWN_INITIALS_COUNT; k++) {
            if (strcmp(own_initials[k].option, table[i].name) == 0 &&
                strcmp(own_initials[k].scenario, scenario) == 0)
                value = own_initials[k].value;
        }
        (void)set(o, &table[i], value);
    }
}

/* Reads `key value` lines of the bridge's configuration into fields that are still empty. */
static void read_bridge_config(struct options *o)
{
    const struct {
        const char *key;
        char *field;
    } wanted[] = {{"database", o->dsn}, {"issuer", o->issuer}, {"audience", o->audience}};
    char path[OPTION_TEXT_MAX + 32];
    char line[LINE_MAX_BYTES];
    FILE *file;

    snprintf(path, sizeof(path), "%s/bridge.conf", o->data);
    file = fopen(path, "re");
    while (file && fgets(line, sizeof(line), file)) {
        char *value = strchr(line, ' ');

        if (!value)
            continue;
        *value++ = '\0';
        value[strcspn(value, "\n")] = '\0';
        for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
            if (strcmp(line, wanted[i].key) == 0 && wanted[i].field[0] == '\0')
                snprintf(wanted[i].field, OPTION_TEXT_MAX, "%s", value);
        }
    }
    if (file)
        fclose(file);
}

static pid_t read_pid(const struct options *o, const char *name)
{
    char path[OPTION_TEXT_MAX + 32];

    snprintf(path, sizeof(path), "%s/state/%s.pid", o->data, name);
    return process_read_pid(path);
}

static bool settle(struct options *o)
{
    read_bridge_config(o);
    if (o->issuer[0] == '\0')
        snprintf(o->issuer, sizeof(o->issuer), "banter");
    if (o->audience[0] == '\0')
        snprintf(o->audience, sizeof(o->audience), "banter");
    if (o->keys[0] == '\0' &&
        snprintf(o->keys, sizeof(o->keys), "%s/keys", o->data) >= (int)sizeof(o->keys))
        return false;
    o->further.redis = (pid_t)o->redis;
    if (!further_parse(&o->further, o->further_nodes))
        return false;
    if (o->pids[0] != '\0')
        return sscanf(o->pids, "%d,%d,%d", &o->broker_pid, &o->bridge_pid, &o->postgres_pid) == 3;
    o->broker_pid = read_pid(o, "broker");
    o->bridge_pid = read_pid(o, "bridge");
    o->postgres_pid = read_pid(o, "postgres");
    return true;
}

enum options_status options_parse(struct options *o, int argc, char **argv)
{
    struct option longs[TABLE_COUNT + 2] = {0};
    int found;

    for (int i = 0; i < TABLE_COUNT; i++)
        longs[i] = (struct option){
            table[i].name, table[i].argument ? required_argument : no_argument, NULL, i + 1};
    longs[TABLE_COUNT] = (struct option){"help", no_argument, NULL, HELP_VALUE + 1};
    set_initial(o, argv[0]);
    while ((found = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        if (found == HELP_VALUE + 1)
            return OPTIONS_HELP;
        if (found < 1 || found > TABLE_COUNT)
            return OPTIONS_WRONG; /* getopt said why */
        if (!set(o, &table[found - 1], optarg)) {
            fprintf(stderr, "banter-bench: --%s cannot be '%s'\n", table[found - 1].name, optarg);
            return OPTIONS_WRONG;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "banter-bench: what is '%s'?\n", argv[optind]);
        return OPTIONS_WRONG;
    }
    if (o->senders > o->members) {
        fprintf(stderr, "banter-bench: more senders than members\n");
        return OPTIONS_WRONG;
    }
    if (o->baseline_only && o->baseline[0] == '\0') {
        fprintf(stderr, "banter-bench: --baseline-only needs --baseline\n");
        return OPTIONS_WRONG;
    }
    if (!settle(o)) {
        fprintf(stderr, "banter-bench: --data, --pids or --further make no sense\n");
        return OPTIONS_WRONG;
    }
    return OPTIONS_OK;
}

void options_print_help(FILE *to)
{
    for (unsigned i = 0; i < TABLE_COUNT; i++) {
        char left[64];

        snprintf(left, sizeof(left), "--%s %s", table[i].name,
                 table[i].argument ? table[i].argument : "");
        fprintf(to, "  %-20s %s", left, table[i].help);
        if (table[i].initial[0] != '\0')
            fprintf(to, " (%s)", table[i].initial);
        fputc('\n', to);
    }
}

bool options_broker_address(const struct options *o, struct sockaddr_in *out)
{
    if (further_parse_address(out, o->mqtt))
        return true;
    fprintf(stderr, "banter-bench: '%s' is not an IPv4 address and a port\n", o->mqtt);
    return false;
}

void options_write_json(const struct options *o, struct buf *b)
{
    const char *comma = "{";

    for (unsigned i = 0; i < TABLE_COUNT; i++) {
        if (table[i].type != OPTION_COUNT)
            continue;
        buf_printf(b, "%s\"%s\":%u", comma, table[i].name,
                   *(const unsigned *)(const void *)((const char *)o + table[i].offset));
        comma = ",";
    }
    buf_char(b, '}');
}
