/* SPDX-License-Identifier: MIT */
/* further.h - with more than one node under test: the brokers of those beside the first, and the
 * processes that the nodes have, Redis included. */
#ifndef BANTER_BENCH_FURTHER_H
#define BANTER_BENCH_FURTHER_H

#include "base/compiler.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { FURTHER_NODES_MAX = 7 };

struct further_node {
    struct sockaddr_in broker;
    pid_t broker_pid, bridge_pid;
};

struct further {
    unsigned count;
    struct further_node nodes[FURTHER_NODES_MAX];
    pid_t redis; /* 0: none */
};

/* Parses HOST:PORT, an IPv4 address; false if it is none. */
bool further_parse_address(struct sockaddr_in *out, const char *text) MUST_USE;
/* Parses "HOST:PORT/BROKER/BRIDGE", with commas between several, the latter two process ids.
 * Empty: none. */
bool further_parse(struct further *f, const char *text) MUST_USE;

/* Where the player with that index connects: two that follow each other, as in a conversation of
 * two, to different nodes; and of every sort as many to each. */
const struct sockaddr_in *further_broker(const struct further *f, const struct sockaddr_in *first,
                                         unsigned player);

/* Processor time in microseconds of all their brokers, and of all their bridges. */
uint64_t further_brokers_us(const struct further *f);
uint64_t further_bridges_us(const struct further *f);

#endif
