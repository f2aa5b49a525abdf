/* SPDX-License-Identifier: MIT */
/* parameters.h - what the statements of a batch (statements.h) are given. Each returns parameters
 * that whoever sends them passes on. */
#ifndef BANTER_BRIDGE_INGEST_PARAMETERS_H
#define BANTER_BRIDGE_INGEST_PARAMETERS_H

#include "base/compiler.h"
#include "core/ingest/batch.h"

#include <stdint.h>

struct db_params;

struct db_params *parameters_of_follow(uint64_t follows, uint64_t number) MUST_USE;
struct db_params *parameters_of_ensure(const struct batch *b) MUST_USE;
struct db_params *parameters_of_lock(const struct batch *b) MUST_USE;
struct db_params *parameters_of_append(const struct batch *b) MUST_USE;
/* Of those that PostgreSQL looks up. */
struct db_params *parameters_of_swift(const struct batch *b) MUST_USE;
/* Of those that it need not look up. */
struct db_params *parameters_of_known(const struct batch *b) MUST_USE;
struct db_params *parameters_of_fold(const struct batch *b) MUST_USE;

#endif
