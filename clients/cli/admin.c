/* SPDX-License-Identifier: MIT */
/* admin.c - for operators: what a server says of itself, without a login. */
#include "cli.h"
#include "fetch.h"
#include "samples.h"

#include <stdlib.h>
#include <string.h>

enum { HTTP_OK = 200 };

static int need_server(struct cli *c)
{
    int status = profile_load(c);

    if (!status && c->server[0] == '\0')
        status = fail("which server? Say --server URL, or set BANTER_SERVER");
    return status;
}

/* GET of the server's path as JSON; an answer that is not 200 is a refusal. */
static int ask_server(struct cli *c, const char *path)
{
    struct fetched f;
    const char *detail;
    int status = need_server(c);

    if (!status)
        status = fetch(c, c->server, path, &f);
    if (status)
        return status;
    c->answer = json_loadb(f.body, f.length, 0, NULL);
    free(f.body);
    if (f.code == HTTP_OK && c->answer)
        return EXIT_OK;
    detail = json_string_value(json_object_get(c->answer, "detail"));
    (void)fail("%s answers %ld%s%s", path, f.code, detail ? ": " : "", detail ? detail : "");
    return f.code >= 500 ? EXIT_LATER : EXIT_REFUSED;
}

static int show_health(struct cli *c, const char *path)
{
    int status = ask_server(c, path);

    if (status)
        return status;
    if (c->json)
        show_json(c->answer);
    else
        show_line(json_object_get(c->answer, "status"));
    return EXIT_OK;
}

static int ready(struct cli *c, const struct arguments *a)
{
    (void)a;
    return show_health(c, "/readyz");
}

static int live(struct cli *c, const struct arguments *a)
{
    (void)a;
    return show_health(c, "/livez");
}

static int nodes(struct cli *c, const struct arguments *a)
{
    static const struct list list = {
        .name = "servers", .columns = {"node", "load", "location", "http", "ws", "mqtt", NULL}};
    int status = ask_server(c, "/v1/servers");

    (void)a;
    if (!status)
        show_list(c, &list);
    return status;
}

/* With names: the samples whose names begin with one of them. */
static bool is_wanted(const char *line, char *const *names)
{
    bool is_wanted = !*names;

    for (; *names && !is_wanted; names++)
        is_wanted = strncmp(line, *names, strlen(*names)) == 0;
    return is_wanted;
}

static void show_sample(const struct cli *c, const char *line)
{
    json_t *sample = sample_read(line);

    if (sample && c->json) {
        show_json(sample);
    } else if (sample) {
        show_text(stdout, line);
        show_end_line();
    }
    json_decref(sample);
}

static int metrics(struct cli *c, const struct arguments *a)
{
    const char *base = argument_text(a, "metrics");
    struct fetched f;
    char *rest, *line;
    int status = fetch(c, base ? base : "http://127.0.0.1:9464", "/metrics", &f);

    if (status)
        return status;
    if (f.code != HTTP_OK)
        status = fail("/metrics answers %ld", f.code);
    rest = f.body;
    while (!status && (line = strsep(&rest, "\n")) != NULL) {
        if (is_wanted(line, a->operands))
            show_sample(c, line);
    }
    free(f.body);
    return status;
}

static const struct option_row metrics_options[] = {
    {"metrics", "URL", "where the metrics are (http://127.0.0.1:9464)", OPTION_TEXT, 0, 0},
    {0},
};

static const struct command command_ready = {
    .name = "ready",
    .summary = "whether the server carries messages; else why not, and status 4",
    .run = ready,
};
static const struct command command_live = {
    .name = "live",
    .summary = "whether the server answers at all",
    .run = live,
};
static const struct command command_nodes = {
    .name = "nodes",
    .summary = "the nodes that take connections: name, load, location, addresses",
    .run = nodes,
};
static const struct command command_metrics = {
    .name = "metrics",
    .operands = "[NAME...]",
    .summary = "what it counts: all, or what begins with one of these names",
    .run = metrics,
    .most = ANY_NUMBER,
    .options = metrics_options,
};

static const struct command *const parts[] = {
    &command_audit,   &command_drain, &command_keys,  &command_live,  &command_metrics,
    &command_migrate, &command_nodes, &command_push,  &command_ready, &command_settings,
    &command_stats,   &command_user,  &command_users, NULL,
};

const struct command command_admin = {
    .name = "admin",
    .operands = "COMMAND [WORD]...",
    .summary = "for operators: health, nodes, metrics, users, and what is installed with a server",
    .parts = parts,
};
