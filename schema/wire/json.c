/* SPDX-License-Identifier: MIT */
/* json.c - see json.h. Jansson parses; the scanner here only walks over strings and brackets, to
 * know the depth before Jansson recurses and to find one member of a document that may be broken.
 */
#include "wire/json.h"

#include "wire/limits.h"

#include <string.h>

enum { ESCAPE_MAX_BYTES = 6 }; /* \u0041: one to three bytes of UTF-8 */

/* `at` is just behind an opening quote. The position of the closing one, or text.length. Quotes are
 * rarer than backslashes are cheap: jump from quote to quote and count the backslashes before it.
 */
static size_t string_end(struct slice text, size_t at)
{
    size_t start = at;

    while (at < text.length) {
        const char *quote = memchr(text.data + at, '"', text.length - at);
        size_t end, backslashes = 0;

        if (!quote)
            break;
        end = (size_t)(quote - text.data);
        while (end - backslashes > start && text.data[end - backslashes - 1] == '\\')
            backslashes++;
        if (backslashes % 2 == 0)
            return end;
        at = end + 1;
    }
    return text.length;
}

/* Counts brackets outside strings. Exact for valid JSON; for anything else Jansson says no. */
static bool depth_is_allowed(struct slice text)
{
    size_t depth = 0;

    for (size_t i = 0; i < text.length; i++) {
        char c = text.data[i];

        if (c == '"') {
            i = string_end(text, i + 1);
        } else if (c == '{' || c == '[') {
            if (++depth > JSON_MAX_DEPTH)
                return false;
        } else if ((c == '}' || c == ']') && depth > 0) {
            depth--;
        }
    }
    return true;
}

static const char *reason_of(const json_error_t *error)
{
    switch (json_error_code(error)) {
    case json_error_out_of_memory:
        return "out of memory";
    case json_error_invalid_utf8:
        return "not valid UTF-8";
    case json_error_null_character:
    case json_error_null_byte_in_key:
        return "the character U+0000 is not allowed";
    case json_error_duplicate_key:
        return "a member occurs twice in one object";
    case json_error_numeric_overflow:
        return "a number is out of range";
    default:
        /* Jansson has no code of its own for a surrogate without its other half. */
        if (strncmp(error->text, "invalid Unicode", strlen("invalid Unicode")) == 0)
            return "a surrogate without its other half is not a character";
        return "not valid JSON";
    }
}

json_t *json_read_object(struct slice text, const char **reason)
{
    json_error_t error;
    json_t *root;

    if (text.length > PAYLOAD_MAX_BYTES) {
        *reason = "longer than the largest packet";
        return NULL;
    }
    if (text.length == 0) {
        *reason = "empty";
        return NULL;
    }
    if (!depth_is_allowed(text)) {
        *reason = "nested too deeply";
        return NULL;
    }
    if (memchr(text.data, '\0', text.length)) {
        *reason = "the character U+0000 is not allowed";
        return NULL;
    }
    root = json_loadb(text.data, text.length, JSON_REJECT_DUPLICATES, &error);
    if (!root) {
        *reason = reason_of(&error);
        return NULL;
    }
    if (!json_is_object(root)) {
        *reason = "not a JSON object";
        json_decref(root);
        return NULL;
    }
    return root;
}

struct slice json_member_string(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);

    if (!json_is_string(value))
        return slice_of(NULL, 0);
    return slice_of(json_string_value(value), json_string_length(value));
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static size_t skip_spaces(struct slice text, size_t at)
{
    while (at < text.length && is_space(text.data[at]))
        at++;
    return at;
}

/* `at` is behind the string that was read as a member's name. When `: "` follows: true, and *value
 * is the string with its quotes. */
static bool string_value_at(struct slice text, size_t at, struct slice *value)
{
    size_t end;

    at = skip_spaces(text, at);
    if (at >= text.length || text.data[at] != ':')
        return false;
    at = skip_spaces(text, at + 1);
    if (at >= text.length || text.data[at] != '"')
        return false;
    end = string_end(text, at + 1);
    if (end >= text.length)
        return false;
    *value = slice_of(text.data + at, end + 1 - at);
    return true;
}

/* Finds the member in the outermost object. A string that is a value cannot be taken for a name,
 * because no colon follows it. */
static bool find_string(struct slice text, struct slice name, struct slice *value)
{
    size_t depth = 0;

    for (size_t i = 0; i < text.length; i++) {
        char c = text.data[i];

        if (c == '"') {
            size_t end = string_end(text, i + 1);

            if (depth == 1 && end < text.length &&
                slice_equal(slice_of(text.data + i + 1, end - i - 1), name) &&
                string_value_at(text, end + 1, value))
                return true;
            i = end;
        } else if (c == '{' || c == '[') {
            depth++;
        } else if ((c == '}' || c == ']') && depth > 0) {
            depth--;
        }
    }
    return false;
}

json_t *json_peek_string(struct slice text, const char *name, size_t max_bytes)
{
    struct slice value;
    json_t *string;

    if (!find_string(text, slice_str(name), &value) ||
        value.length > ESCAPE_MAX_BYTES * max_bytes + 2)
        return NULL;
    string = json_loadb(value.data, value.length, JSON_DECODE_ANY, NULL);
    if (string && json_string_length(string) > max_bytes) {
        json_decref(string);
        return NULL;
    }
    return string;
}
