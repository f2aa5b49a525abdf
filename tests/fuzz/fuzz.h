/* SPDX-License-Identifier: MIT */
/* fuzz.h - what every fuzz target includes: the entry point, and a check that works without NDEBUG
 * and with it. */
#ifndef BANTER_TESTS_FUZZ_H
#define BANTER_TESTS_FUZZ_H

#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A property that no input may break. */
static inline void must(bool condition)
{
    if (!condition)
        abort();
}

#endif
