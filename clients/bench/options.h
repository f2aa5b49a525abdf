/* SPDX-License-Identifier: MIT */
/* options.h - the command line, and what DATA says about the running copy. */
#ifndef BANTER_BENCH_OPTIONS_H
#define BANTER_BENCH_OPTIONS_H

#include "base/buf.h"
#include "base/compiler.h"
#include "further.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

enum { OPTION_TEXT_MAX = 1024 };

struct options {
    /* The system under test; what is not given is read from DATA. */
    char http[OPTION_TEXT_MAX]; /* URL */
    char mqtt[OPTION_TEXT_MAX]; /* HOST:PORT, an IPv4 address */
    char data[OPTION_TEXT_MAX];
    char dsn[OPTION_TEXT_MAX];
    char keys[OPTION_TEXT_MAX];
    char issuer[OPTION_TEXT_MAX];
    char audience[OPTION_TEXT_MAX];
    char pids[OPTION_TEXT_MAX];                 /* BROKER,BRIDGE,POSTGRES */
    pid_t broker_pid, bridge_pid, postgres_pid; /* 0: not known */
    char further_nodes[OPTION_TEXT_MAX];        /* HOST:PORT/BROKER/BRIDGE,... */
    unsigned redis;                             /* its process; 0: none */
    struct further further;                     /* the same, parsed */
    /* The work. */
    unsigned pairs;
    unsigned members;
    unsigned senders;
    unsigned messages;
    unsigned connected;
    unsigned direct_rate;
    unsigned joins;
    unsigned registered;
    unsigned conversations;
    unsigned history;
    unsigned batch;
    unsigned flights;
    unsigned unread;
    unsigned limit;
    unsigned syncs;
    unsigned clients;
    unsigned watchers;
    unsigned spread;
    unsigned handshakes;
    unsigned idle;
    unsigned away;
    unsigned grace;
    unsigned rate;
    unsigned window; /* 0: the scenario's own default */
    unsigned size;
    unsigned seconds;
    unsigned warm_up;
    unsigned repeat;
    char baseline[OPTION_TEXT_MAX]; /* path of a mosquitto, or empty */
    unsigned baseline_only;         /* 1: nothing but the baseline; needs no running copy */
    char json[OPTION_TEXT_MAX];     /* file, or empty */
};

enum options_status { OPTIONS_OK, OPTIONS_HELP, OPTIONS_WRONG };

/* Reads the options that follow the scenario's name. OPTIONS_WRONG: said why on stderr. */
enum options_status options_parse(struct options *o, int argc, char **argv) MUST_USE;
void options_print_help(FILE *to);
/* Parses HOST:PORT. */
bool options_broker_address(const struct options *o, struct sockaddr_in *out) MUST_USE;
/* Appends the options of the work as a JSON object. */
void options_write_json(const struct options *o, struct buf *b);

#endif
