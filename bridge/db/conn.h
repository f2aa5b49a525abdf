/* SPDX-License-Identifier: MIT */
/* conn.h - what conn.c (the life of a connection) and pipeline.c (the queries on it) share; pool.c
 * uses the functions only.
 *
 * Rule: reply functions and state changes are told from event callbacks only, never from inside a
 * db_* call that somebody else made; a failure noticed there marks the connection `broken` and the
 * timer's callback drops it. */
#ifndef BANTER_BRIDGE_DB_CONN_H
#define BANTER_BRIDGE_DB_CONN_H

#include "db/db.h"
#include "db/node.h"

#include <event2/event.h>
#include <stddef.h>
#include <stdint.h>

enum conn_state {
    CONN_WAITING,    /* no connection; the timer runs until the next attempt */
    CONN_CONNECTING, /* PQconnectPoll() decides what to wait for */
    CONN_SETTING_UP, /* setup_sql is running */
    CONN_SWEEPING,   /* what lost connections of the node left behind is being ended */
    CONN_READY,      /* in pipeline mode */
};

enum expected_kind { EXPECTED_PREPARE, EXPECTED_QUERY, EXPECTED_SYNC };

/* One thing sent whose result has not come yet, in the order sent. */
struct expected {
    enum expected_kind kind;
    const struct db_statement *statement; /* EXPECTED_PREPARE */
    db_reply_fn *reply;                   /* NULL: nobody asks */
    void *owner;
    bool held; /* the result of this query is told by the sync that follows it */
};

struct db_conn {
    struct event_base *base;
    struct db_conn_config config;
    db_conn_state_fn *state_changed;
    void *owner;

    enum conn_state state;
    PGconn *pg;             /* NULL in CONN_WAITING */
    struct event *readable; /* these two exist while there is a socket to watch */
    struct event *writable;
    struct event *timer; /* next attempt, deadline, or `broken` to be dealt with */
    unsigned failures;   /* attempts that failed since the connection was last ready */
    bool broken;
    bool closing; /* in db_conn_destroy() */

    struct node_member member;
    int swept_count; /* backends that the sweep under way has found */

    struct expected *expected; /* ring */
    size_t expected_capacity;  /* 0 or a power of two */
    size_t expected_head;
    size_t expected_count;
    uint64_t turn_ms; /* monotonic: when the server could begin with the first of them */

    /* Of the transaction whose results are being read: */
    PGresult *first_error; /* or NULL */
    PGresult *held_result; /* or NULL */
    bool prepare_failed;   /* the last thing read was a failed EXPECTED_PREPARE */

    const struct db_statement **prepared; /* on this connection */
    size_t prepared_count;
};

/* How much was sent and not answered: the measure of how busy a connection is. */
size_t db_conn_backlog(const struct db_conn *c);

/* Reads what has come and calls the reply functions. False: the connection is of no more use. */
bool pipeline_read(struct db_conn *c) MUST_USE;
/* Sends what libpq has buffered. False: the connection is of no more use. */
bool pipeline_flush(struct db_conn *c) MUST_USE;
/* Answers everything that is still expected with `status` and forgets the prepared statements. */
void pipeline_abandon(struct db_conn *c, enum db_status status);
/* Since when the oldest unanswered transaction has had its turn, which comes when all before it are
 * answered; 0 when nothing is unanswered. */
uint64_t pipeline_turn_ms(const struct db_conn *c);

/* Has the timer's callback drop the connection. */
void conn_mark_broken(struct db_conn *c);
/* Makes sure that the deadline of the oldest unanswered transaction is watched. */
void conn_watch_deadline(struct db_conn *c);

#endif
