/* SPDX-License-Identifier: MIT */
/* openapi.h - schema/openapi.yaml as JSON, put into the program when it is built. */
#ifndef BANTER_API_OPENAPI_H
#define BANTER_API_OPENAPI_H

#include <stddef.h>

extern const char openapi_json[];
extern const size_t openapi_json_length;

#endif
