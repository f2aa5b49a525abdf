/* SPDX-License-Identifier: MIT */
/* node.h - how the connections of one node find the backends that nobody hears any more.
 *
 * A connection that is lost leaves a backend behind that may be at work on its last statements, and
 * may commit them at any later time. So each connection of a node has a name that no other ever
 * has, as its application_name, and is ready only after it has ended every backend that has a name
 * of this node but none of a connection that lives: those of bridges before this one and those that
 * this one has given up. "Gone" is told by the server: what it does not list cannot commit. */
#ifndef BANTER_BRIDGE_DB_NODE_H
#define BANTER_BRIDGE_DB_NODE_H

#include "db/db.h"

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

enum { NODE_NAME_BYTES = 64 }; /* of a connection's name, with the NUL: PostgreSQL keeps no more */

/* The part of a connection; all functions take a node that is NULL, which is no node. */
struct node_member {
    TAILQ_ENTRY(node_member) link;
    char name[NODE_NAME_BYTES]; /* empty: not connected, nor about to be */
    uint64_t sweep;             /* what the sweep under way will have settled */
};

void node_join(struct db_node *n, struct node_member *m);
void node_leave(struct db_node *n, struct node_member *m);
/* Gives the connection that is about to be made its name, which is `application_name` without a
 * node. Valid until node_lose() or the next call. */
const char *node_name_connection(struct db_node *n, struct node_member *m,
                                 const char *application_name);
/* The connection is no more. `unanswered`: statements may be left that commit later. */
void node_lose(struct db_node *n, struct node_member *m, bool unanswered);

/* Sends the statement that ends what is left behind; its result has a row for each of them, and the
 * last one has none. */
bool node_send_sweep(struct db_node *n, struct node_member *m, PGconn *pg) MUST_USE;
/* The result had no row: nothing of before node_send_sweep() is left. */
void node_swept(struct db_node *n, struct node_member *m);

#endif
