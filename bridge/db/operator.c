/* SPDX-License-Identifier: MIT */
/* operator.c - see operator.h. Each action is one statement; what it means is told in
 * 0012_push.sql. */
#include "db/operator.h"

#include "base/log.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>

struct action {
    const char *name;
    const char *sql;  /* $1: a registration's id, or NULL for all */
    const char *done; /* after the number that the statement gives; NULL: it gives a table */
};

static const struct action actions[] = {
    {"drop", "SELECT banter.push_drop($1::uuid)", "dropped"},
    {"list",
     "SELECT registration, conversation, \"user\", provider, seq, attempts, reason,"
     "       to_char(died_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') AS died_at"
     "  FROM banter.push_dead_letters WHERE $1::uuid IS NULL OR registration = $1::uuid"
     " ORDER BY died_at DESC, registration, conversation LIMIT 1000",
     NULL},
    {"requeue", "SELECT banter.push_requeue($1::uuid)", "requeued"},
};

static const struct action *find(const char *name)
{
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
        if (strcmp(actions[i].name, name) == 0)
            return &actions[i];
    }
    return NULL;
}

bool operator_push_has(const char *action)
{
    return find(action) != NULL;
}

/* One line a row, the columns between tabs, their names first. */
static void print_table(const PGresult *r)
{
    for (int row = -1; row < PQntuples(r); row++) {
        for (int column = 0; column < PQnfields(r); column++)
            printf("%s%s", column > 0 ? "\t" : "",
                   row < 0 ? PQfname(r, column) : PQgetvalue(r, row, column));
        putchar('\n');
    }
}

bool operator_push(const char *dsn, const char *action, const char *registration)
{
    const struct action *a = find(action);
    PGconn *pg = PQconnectdb(dsn);
    PGresult *r = NULL;
    bool ok = a && PQstatus(pg) == CONNECTION_OK;

    if (ok) {
        r = PQexecParams(pg, a->sql, 1, NULL, &registration, NULL, NULL, 0);
        ok = PQresultStatus(r) == PGRES_TUPLES_OK;
    }
    if (!ok)
        log_error("operator", "push: %s", PQerrorMessage(pg));
    else if (a->done)
        printf("%s %s\n", PQgetvalue(r, 0, 0), a->done);
    else
        print_table(r);
    PQclear(r);
    PQfinish(pg);
    return ok;
}
