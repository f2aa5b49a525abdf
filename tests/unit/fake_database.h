/* SPDX-License-Identifier: MIT */
/* fake_database.h - stands in for the pool: queries are recorded, the test answers them when and
 * how it likes. Linked before the bridge's library, so that the real pool stays out. */
#ifndef BANTER_TESTS_FAKE_DATABASE_H
#define BANTER_TESTS_FAKE_DATABASE_H

#include "db/db.h"
#include "db/params.h"

#include <stddef.h>

/* Whether db_pool_query() accepts, and pools are ready; true at the start. */
void fake_database_set_up(bool up);
/* Queries asked and not answered. */
size_t fake_database_waiting(void);
/* The name of the statement of waiting query `index`, oldest first. */
const char *fake_database_statement(size_t index);

/* Answer the waiting query `index`. `result` is consumed. */
void fake_database_answer(size_t index, PGresult *result);
void fake_database_refuse(size_t index, const char *sqlstate, const char *message);
void fake_database_fail(size_t index, enum db_status status);

/* A parameter in PostgreSQL's text format: `{1,NULL}`, with quotes around texts. To be freed. */
char *fake_parameter_text(const struct params_pointers *p, int index);

/* A binary result without rows. */
PGresult *fake_result(int columns);
int fake_result_add_row(PGresult *result);
void fake_result_i64(PGresult *result, int row, int column, int64_t value);
void fake_result_bool(PGresult *result, int row, int column, bool value);
void fake_result_text(PGresult *result, int row, int column, const char *value);
void fake_result_uuid(PGresult *result, int row, int column, const struct uuid *value);

#endif
