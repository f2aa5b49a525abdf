/* SPDX-License-Identifier: MIT */
/* params.h - how conn.c reads what db.h's parameter builders made. */
#ifndef BANTER_BRIDGE_DB_PARAMS_H
#define BANTER_BRIDGE_DB_PARAMS_H

#include "db/db.h"

/* The shape PQsendQueryPrepared() takes. */
struct params_pointers {
    int count;
    const char *values[DB_PARAMETERS_MAX]; /* borrowed from the parameters; NULL: SQL NULL */
    int lengths[DB_PARAMETERS_MAX];
    int formats[DB_PARAMETERS_MAX]; /* 0 text, 1 binary */
};

/* NULL has no parameters. */
int params_count(const struct db_params *p);
void params_point(const struct db_params *p, struct params_pointers *out);

#endif
