/* SPDX-License-Identifier: MIT */
/* plugin_options_fuzz.c - the plugin_opt_ lines: `key value`, one a line. What is taken is complete
 * and within bounds, and an error has a text. */
#include "fuzz/fuzz.h"

#include "options.h"

#include <string.h>

static bool set(struct options *o, struct slice line)
{
    char *text = strndup(line.data, line.length), *value, error[OPTIONS_ERROR_MAX] = "";
    bool ok;

    must(text != NULL);
    value = strchr(text, ' ');
    if (value)
        *value++ = '\0';
    ok = options_set(o, text, value, error);
    must(ok || (error[0] != '\0' && strlen(error) < OPTIONS_ERROR_MAX));
    free(text);
    return ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = slice_of((const char *)data, size);
    char error[OPTIONS_ERROR_MAX];
    struct options o;

    options_init(&o);
    while (rest.length > 0) {
        const char *end = memchr(rest.data, '\n', rest.length);
        size_t length = end ? (size_t)(end - rest.data) : rest.length;

        set(&o, slice_of(rest.data, length));
        rest = slice_of(rest.data + length, rest.length - length);
        if (end)
            rest = slice_of(rest.data + 1, rest.length - 1);
    }
    must(o.ring_bytes >= 1 << 20 && o.ring_bytes <= (size_t)4 << 30);
    if (options_are_complete(&o, error))
        must(o.link_socket[0] && o.link_key_file[0] && o.jwks_file[0] && o.issuer[0] &&
             o.audience[0]);
    options_finish(&o);
    return 0;
}
