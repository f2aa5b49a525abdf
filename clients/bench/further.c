/* SPDX-License-Identifier: MIT */
/* further.c - see further.h. */
#include "further.h"

#include "process.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NODE_TEXT_MAX = 128 };

bool further_parse_address(struct sockaddr_in *out, const char *text)
{
    char host[INET_ADDRSTRLEN];
    const char *colon = strrchr(text, ':');
    long port = colon ? strtol(colon + 1, NULL, 10) : 0;

    *out = (struct sockaddr_in){.sin_family = AF_INET};
    if (port <= 0 || port > UINT16_MAX || (size_t)(colon - text) >= sizeof(host))
        return false;
    snprintf(host, sizeof(host), "%.*s", (int)(colon - text), text);
    out->sin_port = htons((uint16_t)port);
    return inet_pton(AF_INET, host, &out->sin_addr) == 1;
}

static bool parse_node(struct further_node *n, const char *text)
{
    char address[NODE_TEXT_MAX];

    return sscanf(text, "%127[^/]/%d/%d", address, &n->broker_pid, &n->bridge_pid) == 3 &&
           further_parse_address(&n->broker, address);
}

bool further_parse(struct further *f, const char *text)
{
    f->count = 0;
    while (*text != '\0') {
        char one[NODE_TEXT_MAX];
        size_t length = strcspn(text, ",");

        if (f->count == FURTHER_NODES_MAX || length >= sizeof(one))
            return false;
        snprintf(one, sizeof(one), "%.*s", (int)length, text);
        if (!parse_node(&f->nodes[f->count++], one))
            return false;
        text += length;
        text += *text == ',';
    }
    return true;
}

const struct sockaddr_in *further_broker(const struct further *f, const struct sockaddr_in *first,
                                         unsigned player)
{
    unsigned count = f ? f->count + 1 : 1;
    unsigned node = (player / 2 + player % 2 * (count / 2)) % count;

    return node == 0 ? first : &f->nodes[node - 1].broker;
}

uint64_t further_brokers_us(const struct further *f)
{
    uint64_t us = 0;

    for (unsigned i = 0; i < f->count; i++)
        us += process_cpu_us(f->nodes[i].broker_pid);
    return us;
}

uint64_t further_bridges_us(const struct further *f)
{
    uint64_t us = 0;

    for (unsigned i = 0; i < f->count; i++)
        us += process_cpu_us(f->nodes[i].bridge_pid);
    return us;
}
