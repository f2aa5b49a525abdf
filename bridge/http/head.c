/* SPDX-License-Identifier: MIT */
/* head.c - see head.h. The request line first, then one field after the other; the first thing
 * that is wrong decides. */
#include "http/head.h"

#include "base/http_field.h"

#include <assert.h>
#include <string.h>

enum { LENGTH_MAX_DIGITS = 15 };

/* Fields that may come once only: a second one would leave open which of them counts. */
enum field {
    FIELD_AUTHORIZATION,
    FIELD_CONTENT_LENGTH,
    FIELD_CONTENT_TYPE,
    FIELD_EXPECT,
    FIELD_HOST,
    FIELD_IDEMPOTENCY_KEY,
    FIELD_TRANSFER_ENCODING,
    FIELD_COUNT,
};

static const char *const field_names[FIELD_COUNT] = {
    [FIELD_AUTHORIZATION] = "authorization",
    [FIELD_CONTENT_LENGTH] = "content-length",
    [FIELD_CONTENT_TYPE] = "content-type",
    [FIELD_EXPECT] = "expect",
    [FIELD_HOST] = "host",
    [FIELD_IDEMPOTENCY_KEY] = "idempotency-key",
    [FIELD_TRANSFER_ENCODING] = "transfer-encoding",
};

struct parse {
    struct http_head *out;
    struct http_refusal *refusal;
    unsigned minor; /* HTTP/1.minor */
    bool bodiless;  /* GET and HEAD: a body would have no meaning */
    bool seen[FIELD_COUNT];
    unsigned field_count;
};

static bool refuse(struct parse *p, int status, const char *detail)
{
    *p->refusal = (struct http_refusal){status, detail};
    return false;
}

static bool is_alphanumeric(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_token_char(char c)
{
    return is_alphanumeric(c) || (c != '\0' && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_token(struct slice s)
{
    for (size_t i = 0; i < s.length; i++) {
        if (!is_token_char(s.data[i]))
            return false;
    }
    return s.length > 0;
}

/* Cuts the text before `separator` off *rest. False: there is no separator. */
static bool cut(struct slice *rest, char separator, struct slice *before)
{
    const char *at = memchr(rest->data, separator, rest->length);

    if (!at)
        return false;
    *before = slice_of(rest->data, (size_t)(at - rest->data));
    *rest = slice_of(at + 1, rest->length - before->length - 1);
    return true;
}

/* Takes one line with its CRLF off *rest. False: the bytes do not end in CRLF. */
static bool cut_line(struct slice *rest, struct slice *line)
{
    if (!cut(rest, '\n', line) || line->length == 0 || line->data[line->length - 1] != '\r')
        return false;
    line->length--;
    return true;
}

static bool check_method(struct parse *p, struct slice method)
{
    static const char *const known[] = {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"};

    if (!is_token(method))
        return refuse(p, 400, "the request line is malformed");
    p->bodiless = slice_equal(method, slice_str("GET")) || slice_equal(method, slice_str("HEAD"));
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (slice_equal(method, slice_str(known[i])))
            return true;
    }
    return refuse(p, 501, "this method is not known here");
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* The characters of a path and a query (RFC 3986 section 3.3 and 3.4), escapes whole. */
static bool target_is_clean(struct slice s)
{
    for (size_t i = 0; i < s.length; i++) {
        char c = s.data[i];

        if (c == '%') {
            if (s.length - i < 3 || !is_hex(s.data[i + 1]) || !is_hex(s.data[i + 2]))
                return false;
        } else if (!(is_alphanumeric(c) || (c != '\0' && strchr("-._~!$&'()*+,;=:@/?", c)))) {
            return false;
        }
    }
    return true;
}

/* Only the origin form (RFC 9112 section 3.2.1): this is no proxy. */
static bool check_target(struct parse *p, struct slice target)
{
    if (target.length > HTTP_TARGET_MAX_BYTES)
        return refuse(p, 414, "the request target is too long");
    if (target.length == 0 || target.data[0] != '/' || (target.length > 1 && target.data[1] == '/'))
        return refuse(p, 400, "the request target must be a path that begins with one slash");
    if (!target_is_clean(target))
        return refuse(p, 400, "the request target has characters that must be percent-encoded");
    return true;
}

static bool check_version(struct parse *p, struct slice version)
{
    if (slice_equal(version, slice_str("HTTP/1.1"))) {
        p->minor = 1;
        return true;
    }
    if (slice_equal(version, slice_str("HTTP/1.0")))
        return true;
    if (version.length == 8 && memcmp(version.data, "HTTP/", 5) == 0)
        return refuse(p, 505, "only HTTP/1.1 and HTTP/1.0 are spoken here");
    return refuse(p, 400, "the request line is malformed");
}

static bool check_request_line(struct parse *p, struct slice line)
{
    struct slice method, target;

    if (!cut(&line, ' ', &method) || !cut(&line, ' ', &target))
        return refuse(p, 400, "the request line is malformed");
    return check_method(p, method) && check_target(p, target) && check_version(p, line);
}

static bool read_length(struct parse *p, struct slice value)
{
    uint64_t length = 0;

    if (value.length == 0 || value.length > LENGTH_MAX_DIGITS)
        return refuse(p, 400, "Content-Length must be one number");
    for (size_t i = 0; i < value.length; i++) {
        if (value.data[i] < '0' || value.data[i] > '9')
            return refuse(p, 400, "Content-Length must be one number");
        length = length * 10 + (uint64_t)(value.data[i] - '0');
    }
    p->out->length = length;
    return true;
}

static bool read_field(struct parse *p, enum field field, struct slice value)
{
    if (p->seen[field])
        return refuse(p, 400, "a field that may come once only came twice");
    p->seen[field] = true;
    switch (field) {
    case FIELD_CONTENT_LENGTH:
        return read_length(p, value);
    case FIELD_TRANSFER_ENCODING:
        if (!http_field_equals(value, "chunked"))
            return refuse(p, 501, "the only transfer coding known here is chunked");
        p->out->chunked = true;
        return true;
    case FIELD_EXPECT:
        if (!http_field_equals(value, "100-continue"))
            return refuse(p, 417, "the only expectation known here is 100-continue");
        p->out->expects_continue = p->minor >= 1;
        return true;
    default:
        return true;
    }
}

static bool check_field(struct parse *p, struct slice line)
{
    struct slice name;

    if (++p->field_count > HTTP_FIELDS_MAX)
        return refuse(p, 431, "there are too many header fields");
    if (line.data[0] == ' ' || line.data[0] == '\t')
        return refuse(p, 400, "folded header lines are not accepted");
    if (!cut(&line, ':', &name) || !is_token(name))
        return refuse(p, 400, "a header line has no valid name");
    if (!http_field_is_clean(line))
        return refuse(p, 400, "a header field has control characters");
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        if (http_field_equals(name, field_names[i]))
            return read_field(p, (enum field)i, http_field_trim(line));
    }
    return true;
}

/* What only all fields together show. */
static bool check_whole(struct parse *p)
{
    if (p->minor >= 1 && !p->seen[FIELD_HOST])
        return refuse(p, 400, "the Host field is missing");
    if (p->out->chunked && p->seen[FIELD_CONTENT_LENGTH])
        return refuse(p, 400, "Content-Length and Transfer-Encoding exclude each other");
    if (p->out->chunked && p->minor == 0)
        return refuse(p, 400, "HTTP/1.0 has no transfer codings.");
    if (p->bodiless && (p->out->chunked || p->out->length > 0))
        return refuse(p, 400, "a GET or HEAD request has no body");
    return true;
}

bool http_head_check(struct slice bytes, struct http_head *out, struct http_refusal *refusal)
{
    struct parse p = {.out = out, .refusal = refusal};
    struct slice line;

    *out = (struct http_head){0};
    *refusal = (struct http_refusal){0};
    if (!cut_line(&bytes, &line))
        return refuse(&p, 400, "lines must end in CR LF");
    if (!check_request_line(&p, line))
        return false;
    while (cut_line(&bytes, &line)) {
        if (line.length == 0)
            return check_whole(&p);
        if (!check_field(&p, line))
            return false;
    }
    return refuse(&p, 400, "lines must end in CR LF");
}
