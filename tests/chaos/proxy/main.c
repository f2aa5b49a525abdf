/* SPDX-License-Identifier: MIT */
/* main.c - banter-chaos-proxy SEED NAME=LISTEN,UPSTREAM…: networks that misbehave on command.
 *
 * Reads "NAME VERB [NUMBER [NUMBER]]" lines from standard input and answers each with "ok" or
 * "error"; "ready" comes first. The end of standard input is the end of the proxy. */
#include "route.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROUTES_MAX = 16 };

struct proxy {
    struct event_base *base;
    struct route *routes[ROUTES_MAX];
    size_t count;
};

static bool obey(struct proxy *p, const char *line)
{
    size_t length = strcspn(line, " ");

    for (size_t i = 0; i < p->count; i++)
        if (strlen(p->routes[i]->name) == length && strncmp(p->routes[i]->name, line, length) == 0)
            return line[length] == ' ' && route_obey(p->routes[i], line + length + 1);
    return false;
}

static void on_commands(struct bufferevent *input, void *argument)
{
    char *line;

    while ((line = evbuffer_readln(bufferevent_get_input(input), NULL, EVBUFFER_EOL_LF))) {
        puts(obey(argument, line) ? "ok" : "error");
        free(line);
    }
}

static void on_end(struct bufferevent *input, short what, void *argument)
{
    struct proxy *p = argument;

    (void)input, (void)what;
    event_base_loopbreak(p->base);
}

/* Standard input may be a file, for which epoll has no use. */
static struct event_base *make_base(void)
{
    struct event_config *config = event_config_new();
    struct event_base *base = NULL;

    if (config && event_config_require_features(config, EV_FEATURE_FDS) == 0)
        base = event_base_new_with_config(config);
    if (config)
        event_config_free(config);
    return base;
}

int main(int argc, char **argv)
{
    struct proxy p = {.base = make_base()};
    struct bufferevent *input;

    if (argc < 3 || argc - 2 > ROUTES_MAX) {
        fprintf(stderr, "usage: banter-chaos-proxy SEED NAME=LISTEN,UPSTREAM [...]\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    signal(SIGINT, SIG_IGN); /* a Ctrl-C is for who reads our answers */
    setvbuf(stdout, NULL, _IOLBF, 0);
    route_seed(strtoull(argv[1], NULL, 10));
    if (!p.base)
        return 1;
    for (int i = 2; i < argc; i++) {
        p.routes[p.count] = route_create(p.base, argv[i]);
        if (!p.routes[p.count++])
            return 1;
    }
    input = bufferevent_socket_new(p.base, STDIN_FILENO, 0);
    if (!input)
        return 1;
    bufferevent_setcb(input, on_commands, NULL, on_end, &p);
    bufferevent_enable(input, EV_READ);
    puts("ready");
    return event_base_dispatch(p.base) < 0 ? 1 : 0;
}
