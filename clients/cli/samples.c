/* SPDX-License-Identifier: MIT */
/* samples.c - see samples.h. */
#include "samples.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 256 };

/* A label's value between quotes, from the first quote on; returns what is behind it, or NULL. */
static const char *read_quoted(const char *at, char out[TEXT_MAX])
{
    size_t length = 0;

    if (*at++ != '"')
        return NULL;
    for (; *at != '"'; at++) {
        char c = *at;

        if (c == '\\') {
            at++;
            c = *at == 'n' ? '\n' : *at;
        }
        if (c == '\0' || length + 1 == TEXT_MAX)
            return NULL;
        out[length++] = c;
    }
    out[length] = '\0';
    return at + 1;
}

/* name="value",… up to the brace; returns what is behind it, or NULL. */
static const char *read_labels(const char *at, json_t *labels)
{
    char value[TEXT_MAX];

    while (*at && *at != '}') {
        size_t length = strcspn(at, "=}");
        const char *name = at;

        if (at[length] != '=')
            return NULL;
        at = read_quoted(at + length + 1, value);
        if (!at || json_object_setn_new(labels, name, length, json_string(value)) != 0)
            return NULL;
        at += *at == ',';
    }
    return *at == '}' ? at + 1 : NULL;
}

json_t *sample_read(const char *line)
{
    size_t length = strcspn(line, "{ ");
    const char *at = line + length;
    json_t *labels;
    double value;
    char *end;

    if (length == 0 || line[0] == '#' || line[0] == '\n')
        return NULL;
    labels = json_object();
    if (*at == '{')
        at = read_labels(at + 1, labels);
    if (at && *at == ' ') {
        value = strtod(at, &end);
        if (end != at && (*end == '\n' || *end == '\0'))
            return json_pack("{s:s%, s:o, s:f}", "name", line, length, "labels", labels, "value",
                             value);
    }
    json_decref(labels);
    return NULL;
}
