/* SPDX-License-Identifier: MIT */
/* json.c - see json.h. A lost byte shows in the sum of the lengths of all strings: the scanner
 * knows it from the text, the walk from what jansson made of it. (Numbers are safe: jansson grows
 * its buffer at 16 bytes first, and no number of the contract is so long.) */
#include "client/json.h"

#include "banter/banter.h"

#include <string.h>

enum {
    ESCAPE_LENGTH = 2,         /* \n */
    ESCAPE_UNICODE_LENGTH = 6, /* \u0041 */
};

/* How many bytes of UTF-8 come of the escape `\uXXXX` at `at`. A surrogate pair has four, two for
 * each half. */
static size_t length_of_unicode(const char *at)
{
    char high = at[2], second = at[3], third = at[4];
    bool is_surrogate = (high == 'd' || high == 'D') && second >= '8';

    if (is_surrogate)
        return 2;
    if (high != '0' || second >= '8')
        return 3;
    return second != '0' || third >= '8' ? 2 : 1;
}

/* The decoded length of all strings, keys included, of a valid document. */
static size_t strings_written(const char *text, size_t length)
{
    const char *end = text + length;
    bool inside = false;
    size_t sum = 0;

    for (const char *at = text; at < end;) {
        if (*at == '"') {
            inside = !inside;
            at++;
        } else if (!inside) {
            at++;
        } else if (*at != '\\') {
            sum++;
            at++;
        } else if (end - at >= ESCAPE_UNICODE_LENGTH && at[1] == 'u') {
            sum += length_of_unicode(at);
            at += ESCAPE_UNICODE_LENGTH;
        } else {
            sum++;
            at += ESCAPE_LENGTH;
        }
    }
    return sum;
}

static size_t strings_read(const json_t *value)
{
    size_t sum = 0, i;
    const char *key;
    json_t *item;

    if (json_is_string(value))
        return json_string_length(value);
    if (json_is_array(value)) {
        json_array_foreach(value, i, item) sum += strings_read(item);
    } else if (json_is_object(value)) {
        json_object_foreach((json_t *)value, key, item) sum += strlen(key) + strings_read(item);
    }
    return sum;
}

json_t *json_read(const char *text, size_t length, int *error)
{
    json_error_t why;
    json_t *object = json_loadb(text, length, JSON_REJECT_DUPLICATES, &why);

    if (!object) {
        bool starved = json_error_code(&why) == json_error_out_of_memory || why.text[0] == '\0';

        *error = starved ? BANTER_NO_MEMORY : BANTER_INTERNAL;
        return NULL;
    }
    if (!json_is_object(object))
        *error = BANTER_INTERNAL;
    else if (strings_read(object) != strings_written(text, length))
        *error = BANTER_NO_MEMORY;
    else
        return object;
    json_decref(object);
    return NULL;
}

const char *json_text_of(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

int64_t json_count_of(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

bool json_truth_of(const json_t *object, const char *name)
{
    return json_is_true(json_object_get(object, name));
}

bool json_put_text(json_t *object, const char *name, const char *text)
{
    return json_object_set_new(object, name, json_string(text)) == 0;
}

bool json_put_count(json_t *object, const char *name, int64_t value)
{
    return json_object_set_new(object, name, json_integer(value)) == 0;
}
