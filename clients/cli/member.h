/* SPDX-License-Identifier: MIT */
/* member.h - members of JSON objects that others have made: what is missing, or of another type, is
 * empty. */
#ifndef BANTER_CLI_MEMBER_H
#define BANTER_CLI_MEMBER_H

#include <jansson.h>

/* Borrowed from the object, which may be NULL. */
static inline const char *member_text(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}

#endif
