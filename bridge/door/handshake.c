/* SPDX-License-Identifier: MIT */
/* handshake.c - see handshake.h. The fields are read into a table first, each at most once but for
 * those that are lists; then one rule after the other is applied, and the first that fails
 * decides. */
#include "door/handshake.h"

#include "base/http_field.h"
#include "base/memory.h"
#include "base/origin.h"
#include "wire/codes.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdlib.h>

enum {
    METHOD_MAX_LENGTH = 16,
    KEY_BYTES = 16,
    KEY_LENGTH = 24, /* of its base64 */
    PROBLEM_MAX_BYTES = 1024,
};

static const struct slice target = {"/mqtt", 5};

/* ---------------------------------------------------------------- which way */

enum first_request first_request_of(struct slice bytes)
{
    const char *space;
    struct slice rest;
    size_t known;

    if (bytes.length == 0)
        return FIRST_UNKNOWN;
    if (bytes.data[0] < 'A' || bytes.data[0] > 'Z')
        return FIRST_HTTP;
    known = bytes.length < METHOD_MAX_LENGTH ? bytes.length : METHOD_MAX_LENGTH;
    space = memchr(bytes.data, ' ', known);
    if (!space)
        return known == METHOD_MAX_LENGTH ? FIRST_HTTP : FIRST_UNKNOWN;
    rest = slice_of(space + 1, bytes.length - (size_t)(space + 1 - bytes.data));
    known = rest.length < target.length ? rest.length : target.length;
    if (memcmp(rest.data, target.data, known) != 0)
        return FIRST_HTTP;
    if (rest.length <= target.length)
        return FIRST_UNKNOWN;
    return strchr(" ?", rest.data[target.length]) && rest.data[target.length] != '\0'
               ? FIRST_WEBSOCKET
               : FIRST_HTTP;
}

size_t handshake_length(struct slice bytes)
{
    static const char end[] = "\r\n\r\n";
    const char *found = bytes.length ? memmem(bytes.data, bytes.length, end, sizeof end - 1) : NULL;

    return found ? (size_t)(found - bytes.data) + sizeof end - 1 : 0;
}

/* ---------------------------------------------------------------- the fields */

enum field {
    FIELD_CONNECTION,
    FIELD_HOST,
    FIELD_ORIGIN,
    FIELD_KEY,
    FIELD_PROTOCOL,
    FIELD_VERSION,
    FIELD_UPGRADE,
    FIELD_FORWARDED_FOR,
    FIELD_COUNT,
};

static const struct {
    const char *name;
    bool is_list; /* may come several times */
} fields[FIELD_COUNT] = {
    [FIELD_CONNECTION] = {"Connection", true},
    [FIELD_HOST] = {"Host", false},
    [FIELD_ORIGIN] = {"Origin", false},
    [FIELD_KEY] = {"Sec-WebSocket-Key", false},
    [FIELD_PROTOCOL] = {"Sec-WebSocket-Protocol", true},
    [FIELD_VERSION] = {"Sec-WebSocket-Version", false},
    [FIELD_UPGRADE] = {"Upgrade", true},
    [FIELD_FORWARDED_FOR] = {"X-Forwarded-For", true},
};

struct head {
    struct slice method;
    struct slice version;
    bool seen[FIELD_COUNT];
    char value[FIELD_COUNT][FORWARDED_FOR_MAX_BYTES]; /* NUL-terminated; lists joined */
};

static bool store(struct head *h, enum field field, struct slice value)
{
    char *to = h->value[field];
    size_t used = strlen(to);

    if (h->seen[field] && !fields[field].is_list)
        return false;
    if (used + 2 + value.length + 1 > sizeof h->value[field])
        return false;
    if (h->seen[field]) {
        memcpy(to + used, ", ", 2);
        used += 2;
    }
    memcpy(to + used, value.data, value.length);
    to[used + value.length] = '\0';
    h->seen[field] = true;
    return true;
}

static bool read_field(struct head *h, struct slice line)
{
    const char *colon = memchr(line.data, ':', line.length);
    struct slice name;

    if (!colon || colon == line.data || !http_field_is_clean(line))
        return false;
    name = slice_of(line.data, (size_t)(colon - line.data));
    if (memchr(name.data, ' ', name.length) || memchr(name.data, '\t', name.length))
        return false; /* a folded line, too, begins with a blank */
    for (unsigned i = 0; i < FIELD_COUNT; i++) {
        if (http_field_equals(name, fields[i].name))
            return store(h, (enum field)i,
                         http_field_trim(slice_of(colon + 1, line.length - name.length - 1)));
    }
    return true;
}

/* METHOD SP /mqtt[?…] SP HTTP/… */
static bool read_request_line(struct head *h, struct slice line)
{
    const char *first = memchr(line.data, ' ', line.length);
    const char *last = line.length ? memrchr(line.data, ' ', line.length) : NULL;

    if (!first || first == last || !http_field_is_clean(line) ||
        memchr(first + 1, ' ', (size_t)(last - first) - 1))
        return false;
    h->method = slice_of(line.data, (size_t)(first - line.data));
    h->version = slice_of(last + 1, line.length - (size_t)(last + 1 - line.data));
    return true;
}

static bool read_head(struct head *h, struct slice rest)
{
    bool first = true, good = true;

    while (good) {
        const char *end = memmem(rest.data, rest.length, "\r\n", 2);
        struct slice line;

        assert(end); /* the head ends with an empty line */
        line = slice_of(rest.data, (size_t)(end - rest.data));
        rest = slice_of(end + 2, rest.length - line.length - 2);
        if (line.length == 0)
            return !first;
        good = first ? read_request_line(h, line) : read_field(h, line);
        first = false;
    }
    return false;
}

/* ---------------------------------------------------------------- the rules */

/* Takes the next element off the front of a list with commas. */
static bool next_element(struct slice *list, struct slice *element)
{
    const char *comma;

    if (list->length == 0)
        return false;
    comma = memchr(list->data, ',', list->length);
    *element =
        http_field_trim(slice_of(list->data, comma ? (size_t)(comma - list->data) : list->length));
    *list = comma ? slice_of(comma + 1, list->length - (size_t)(comma + 1 - list->data))
                  : slice_of(NULL, 0);
    return true;
}

/* Whether the list has this element; `exactly`: upper and lower case differ. */
static bool has_element(const char *text, const char *wanted, bool exactly)
{
    struct slice list = slice_str(text), element;

    while (next_element(&list, &element)) {
        if (exactly ? slice_equal(element, slice_str(wanted)) : http_field_equals(element, wanted))
            return true;
    }
    return false;
}

/* host[:port], without the port that the scheme implies anyway. */
static struct slice authority(struct slice text)
{
    static const char *const implied[] = {":80", ":443"};

    for (size_t i = 0; i < sizeof implied / sizeof *implied; i++) {
        size_t length = strlen(implied[i]);
        if (text.length > length &&
            memcmp(text.data + text.length - length, implied[i], length) == 0)
            return slice_of(text.data, text.length - length);
    }
    return text;
}

/* A browser says which page opens the connection; only pages of this very host may. */
static bool origin_is_good(const struct head *h, const struct handshake_rules *rules)
{
    struct slice origin = slice_str(h->value[FIELD_ORIGIN]);
    struct slice host = authority(slice_str(h->value[FIELD_HOST])), from;
    const char *scheme_end;

    if (!h->seen[FIELD_ORIGIN] || origin_is_listed(rules->origins, origin))
        return true;
    scheme_end = strstr(origin.data, "://");
    if (!scheme_end)
        return false;
    from = authority(slice_str(scheme_end + 3));
    return host.length == from.length && strncasecmp(host.data, from.data, host.length) == 0;
}

static bool key_is_good(const char *key)
{
    unsigned char bytes[KEY_BYTES + 2]; /* EVP_DecodeBlock() counts the padding as bytes */

    return strlen(key) == KEY_LENGTH && strcmp(key + KEY_LENGTH - 2, "==") == 0 &&
           !strchr("= \t", key[KEY_LENGTH - 3]) &&
           EVP_DecodeBlock(bytes, (const unsigned char *)key, KEY_LENGTH) == (int)sizeof bytes;
}

static void make_accept(const char *key, char accept[HANDSHAKE_ACCEPT_LENGTH + 1])
{
    static const char suffix[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; /* RFC 6455 section 1.3 */
    char text[KEY_LENGTH + sizeof suffix];
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned digest_length;

    memcpy(text, key, KEY_LENGTH);
    memcpy(text + KEY_LENGTH, suffix, sizeof suffix);
    if (!EVP_Digest(text, sizeof text - 1, digest, &digest_length, EVP_sha1(), NULL))
        abort(); /* out of memory */
    EVP_EncodeBlock((unsigned char *)accept, digest, (int)digest_length);
}

static struct handshake_refusal refusal(int status, const char *detail)
{
    return (struct handshake_refusal){status, detail};
}

static struct handshake_refusal judge(const struct head *h, const struct handshake_rules *rules)
{
    if (!slice_equal(h->version, slice_str("HTTP/1.1")) || !h->seen[FIELD_HOST])
        return refusal(400, "a WebSocket needs HTTP/1.1 and a Host");
    if (!slice_equal(h->method, slice_str("GET")))
        return refusal(405, "a WebSocket is opened with GET");
    if (!has_element(h->value[FIELD_UPGRADE], "websocket", false) ||
        !has_element(h->value[FIELD_CONNECTION], "upgrade", false))
        return refusal(426, "MQTT over WebSocket is spoken here: open one");
    if (strcmp(h->value[FIELD_VERSION], "13") != 0)
        return refusal(426, "only version 13 of the WebSocket protocol is spoken here");
    if (!key_is_good(h->value[FIELD_KEY]))
        return refusal(400, "Sec-WebSocket-Key must be 16 bytes in base64");
    if (!origin_is_good(h, rules))
        return refusal(403, "pages of that origin may not connect");
    if (!has_element(h->value[FIELD_PROTOCOL], "mqtt", true))
        return refusal(400, "offer the WebSocket subprotocol mqtt (MQTT 3.1.1 and 5); mqttv3.1 and "
                            "others are not spoken here");
    return refusal(0, NULL);
}

struct handshake_refusal handshake_judge(struct slice head, const struct handshake_rules *rules,
                                         struct handshake *out)
{
    struct head *h = must_calloc(1, sizeof *h);
    struct handshake_refusal verdict = refusal(400, "the request is malformed");

    out->forwarded_for[0] = '\0';
    if (read_head(h, head)) {
        memcpy(out->forwarded_for, h->value[FIELD_FORWARDED_FOR], sizeof out->forwarded_for);
        verdict = judge(h, rules);
    }
    if (verdict.status == 0)
        make_accept(h->value[FIELD_KEY], out->accept);
    free(h);
    return verdict;
}

/* ---------------------------------------------------------------- the answers */

void handshake_accept(const struct handshake *h, struct buf *out)
{
    buf_printf(out,
               "HTTP/1.1 101 Switching Protocols\r\n"
               "Upgrade: websocket\r\n"
               "Connection: Upgrade\r\n"
               "Sec-WebSocket-Accept: %s\r\n"
               "Sec-WebSocket-Protocol: mqtt\r\n"
               "\r\n",
               h->accept);
}

/* What a refusal says besides its detail; sorted. */
static const struct {
    int status;
    const char *phrase;
    const char *fields; /* lines of the head */
    enum code code;
} refusals[] = {
    {400, "Bad Request", "", CODE_INVALID},
    {403, "Forbidden", "", CODE_FORBIDDEN},
    {405, "Method Not Allowed", "Allow: GET\r\n", CODE_INVALID},
    {408, "Request Timeout", "", CODE_UNAVAILABLE},
    {426, "Upgrade Required", "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n", CODE_INVALID},
    {431, "Request Header Fields Too Large", "", CODE_TOO_LARGE},
    {503, "Service Unavailable", "Retry-After: 5\r\n", CODE_UNAVAILABLE},
};

static void put_problem(struct buf *b, size_t i, const char *detail)
{
    buf_char(b, '{');
    buf_json_key(b, "type");
    buf_printf(b, "\"urn:banter:problem:%s\"", code_name(refusals[i].code));
    buf_json_key(b, "title");
    buf_json(b, slice_str(refusals[i].phrase));
    buf_json_key(b, "status");
    buf_i64(b, refusals[i].status);
    buf_json_key(b, "detail");
    buf_json(b, slice_str(detail));
    buf_json_key(b, "code");
    buf_json(b, slice_str(code_name(refusals[i].code)));
    buf_str(b, "}\n");
}

void handshake_refuse(struct handshake_refusal refused, struct buf *out)
{
    struct buf body;
    size_t i = 0;

    while (refusals[i].status != refused.status) {
        i++;
        assert(i < sizeof refusals / sizeof *refusals);
    }
    buf_init(&body, PROBLEM_MAX_BYTES);
    put_problem(&body, i, refused.detail);
    assert(!body.failed);
    buf_printf(out,
               "HTTP/1.1 %d %s\r\n"
               "Content-Type: application/problem+json\r\n"
               "Content-Length: %zu\r\n"
               "Cache-Control: no-store\r\n"
               "Connection: %sclose\r\n"
               "%s\r\n",
               refused.status, refusals[i].phrase, body.length,
               refused.status == 426 ? "Upgrade, " : "", refusals[i].fields);
    buf_slice_put(out, buf_slice(&body));
    buf_finish(&body);
}
