/* SPDX-License-Identifier: MIT */
/* json.c - see json.h. Jansson parses; the scanner here only walks over strings and brackets, to
 * know the depth before Jansson recurses and to find one member of a document that may be broken.
 */
#include "wire/json.h"

#include "base/utf8.h"
#include "wire/limits.h"

#include <assert.h>
#include <string.h>

enum {
    HEX_DIGITS = 4, /* of \u0041 */
    UTF8_MAX_BYTES = 4,
};

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

const char json_no_memory[] = "out of memory";

static unsigned watchers;
static json_malloc_t allocate_before;
static json_free_t free_before;
static _Thread_local bool allocation_failed;

static void *allocate(size_t size)
{
    void *memory = allocate_before(size);

    allocation_failed |= !memory;
    return memory;
}

void json_watch_memory(void)
{
    if (watchers++ > 0)
        return;
    json_get_alloc_funcs(&allocate_before, &free_before);
    json_set_alloc_funcs(allocate, free_before);
}

void json_unwatch_memory(void)
{
    assert(watchers > 0);
    if (--watchers > 0)
        return;
    json_set_alloc_funcs(allocate_before, free_before);
}

static const char *reason_of(const json_error_t *error)
{
    switch (json_error_code(error)) {
    case json_error_out_of_memory:
        return json_no_memory;
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
    allocation_failed = false;
    root = json_loadb(text.data, text.length, JSON_REJECT_DUPLICATES, &error);
    if (allocation_failed) {
        json_decref(root);
        *reason = json_no_memory;
        return NULL;
    }
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
 * is what is between the quotes. */
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
    *value = slice_of(text.data + at + 1, end - at - 1);
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

/* The value of the four hexadecimal digits at *at, which it moves behind them. -1: they are none.
 */
static long read_hex(struct slice s, size_t *at)
{
    long value = 0;

    if (s.length - *at < HEX_DIGITS)
        return -1;
    for (int i = 0; i < HEX_DIGITS; i++) {
        char c = s.data[(*at)++];

        if (c >= '0' && c <= '9')
            value = value << 4 | (c - '0');
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
            value = value << 4 | ((c | 0x20) - 'a' + 10);
        else
            return -1;
    }
    return value;
}

/* The code point of \u and, if that is half of a pair, the other half. 0: not one that may be. */
static unsigned long read_code_point(struct slice s, size_t *at)
{
    long first = read_hex(s, at), second;

    if (first < 0 || (first >= 0xdc00 && first <= 0xdfff))
        return 0;
    if (first < 0xd800 || first > 0xdbff)
        return (unsigned long)first;
    if (s.length - *at < 2 || s.data[*at] != '\\' || s.data[*at + 1] != 'u')
        return 0;
    *at += 2;
    second = read_hex(s, at);
    if (second < 0xdc00 || second > 0xdfff)
        return 0;
    return 0x10000 + ((unsigned long)(first - 0xd800) << 10 | (unsigned long)(second - 0xdc00));
}

static size_t put_utf8(unsigned long code_point, char to[UTF8_MAX_BYTES])
{
    size_t more = code_point < 0x80 ? 0 : code_point < 0x800 ? 1 : code_point < 0x10000 ? 2 : 3;
    static const unsigned char leads[] = {0, 0xc0, 0xe0, 0xf0};

    for (size_t i = more; i > 0; i--, code_point >>= 6)
        to[i] = (char)(0x80 | (code_point & 0x3f));
    to[0] = (char)(leads[more] | code_point);
    return more + 1;
}

/* `at` is behind a backslash. Returns how many bytes the escape stands for; 0: it is none. */
static size_t read_escape(struct slice s, size_t *at, char to[UTF8_MAX_BYTES])
{
    static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    const char *letter;
    unsigned long code_point;

    if (*at == s.length)
        return 0;
    if (s.data[*at] == 'u') {
        (*at)++;
        code_point = read_code_point(s, at);
        return code_point ? put_utf8(code_point, to) : 0;
    }
    letter = memchr(letters, s.data[(*at)++], sizeof letters - 1);
    if (!letter)
        return 0;
    to[0] = meanings[letter - letters];
    return 1;
}

/* `s` is what is between the quotes. Returns the length, or 0 when it is not a string that fits. */
static size_t decode_string(struct slice s, char *to, size_t max_bytes)
{
    size_t at = 0, length = 0, n, count;
    char bytes[UTF8_MAX_BYTES];

    while (at < s.length) {
        bytes[0] = s.data[at++];
        n = 1;
        if (bytes[0] == '\\')
            n = read_escape(s, &at, bytes);
        else if ((unsigned char)bytes[0] < 0x20)
            return 0;
        if (n == 0 || n > max_bytes - length)
            return 0;
        memcpy(to + length, bytes, n);
        length += n;
    }
    return utf8_count(slice_of(to, length), &count) ? length : 0;
}

bool json_peek_string(struct slice text, const char *name, char *to, size_t max_bytes)
{
    size_t length = 0;
    struct slice value;
    bool found = find_string(text, slice_str(name), &value);

    if (found)
        length = decode_string(value, to, max_bytes);
    to[length] = '\0';
    return found && (length > 0 || value.length == 0);
}
