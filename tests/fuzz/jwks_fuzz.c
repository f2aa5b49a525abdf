/* SPDX-License-Identifier: MIT */
/* jwks_fuzz.c - a key set is read or refused with a reason. */
#include "fuzz/fuzz.h"

#include "token/jwt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *reason = NULL;
    struct jwt_keys *keys = jwt_keys_parse(slice_of((const char *)data, size), &reason);

    must(keys || reason);
    jwt_keys_destroy(keys);
    return 0;
}
