/* SPDX-License-Identifier: MIT */
/* endpoint.c - see endpoint.h. */
#include "push/endpoint.h"

#include "base/buf.h"
#include "base/memory.h"
#include "push/address.h"
#include "push/push.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <strings.h>

enum { HOST_MAX_LENGTH = 253 };

static CURLU *parse(const char *url)
{
    CURLU *parts = curl_url();

    if (parts && curl_url_set(parts, CURLUPART_URL, url, CURLU_DISALLOW_USER) != CURLUE_OK) {
        curl_url_cleanup(parts);
        return NULL;
    }
    return parts;
}

/* Freed with curl_free(). NULL: the URL has no such part. */
static char *part_of(CURLU *parts, CURLUPart what)
{
    char *text = NULL;

    return curl_url_get(parts, what, &text, 0) == CURLUE_OK ? text : NULL;
}

/* An address in other clothes, such as 127. or 0x7f.1: no name of the public internet ends so. */
static bool ends_in_number(const char *host)
{
    size_t length = strlen(host);
    const char *label;

    while (length > 0 && host[length - 1] == '.')
        length--;
    label = host + length;
    while (label > host && label[-1] != '.')
        label--;
    return length > 0 && isdigit((unsigned char)*label);
}

/* Whether `host`, as curl writes it, is an address (in brackets: IPv6) that is not public. */
static bool is_private_literal(const char *host)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    char bare[INET6_ADDRSTRLEN];
    size_t length = strlen(host);

    if (inet_pton(AF_INET, host, &v4.sin_addr) == 1)
        return !address_is_public((const struct sockaddr *)&v4, sizeof v4);
    if (host[0] != '[' || length < 2)
        return ends_in_number(host);
    if (length - 2 >= sizeof bare)
        return true;
    memcpy(bare, host + 1, length - 2);
    bare[length - 2] = '\0';
    return inet_pton(AF_INET6, bare, &v6.sin6_addr) != 1 ||
           !address_is_public((const struct sockaddr *)&v6, sizeof v6);
}

static bool is_local_name(const char *host)
{
    static const char suffix[] = ".localhost";
    size_t length = strlen(host), tail = sizeof suffix - 1;

    return strcasecmp(host, suffix + 1) == 0 ||
           (length > tail && strcasecmp(host + length - tail, suffix) == 0);
}

static const char *problem_of(CURLU *parts, const struct endpoint_rules *rules)
{
    const char *problem = NULL;
    char *scheme = part_of(parts, CURLUPART_SCHEME);
    char *host = part_of(parts, CURLUPART_HOST);
    char *fragment = part_of(parts, CURLUPART_FRAGMENT);

    if (!scheme || !host || host[0] == '\0')
        problem = "the URL has no host";
    else if (strlen(host) > HOST_MAX_LENGTH)
        problem = "the URL's host name is too long";
    else if (strcmp(scheme, "https") != 0 && !(rules->allow_http && strcmp(scheme, "http") == 0))
        problem = "the URL must begin with https:";
    else if (fragment)
        problem = "the URL must have no fragment";
    else if (!rules->allow_private && (is_private_literal(host) || is_local_name(host)))
        problem = "the URL leads to a private address";
    curl_free(scheme);
    curl_free(host);
    curl_free(fragment);
    return problem;
}

const char *endpoint_problem(struct slice url, const struct endpoint_rules *rules)
{
    const char *problem;
    CURLU *parts;
    char *text;

    if (url.length == 0 || url.length > PUSH_ADDRESS_MAX_BYTES)
        return "the URL is missing or too long";
    for (size_t i = 0; i < url.length; i++) {
        if (url.data[i] <= ' ' || url.data[i] >= 0x7f)
            return "the URL must be of printable ASCII characters";
    }
    text = must_strndup(url);
    parts = parse(text);
    problem = parts ? problem_of(parts, rules) : "the URL is malformed";
    curl_url_cleanup(parts);
    free(text);
    return problem;
}

static void put_origin(struct buf *out, const char *scheme, const char *host, const char *port)
{
    const char *usual = strcmp(scheme, "http") == 0 ? "80" : "443";

    buf_printf(out, "%s://", scheme);
    for (; *host; host++)
        buf_char(out, (char)tolower((unsigned char)*host));
    if (port && strcmp(port, usual) != 0)
        buf_printf(out, ":%s", port);
}

char *endpoint_origin(const char *url)
{
    CURLU *parts = parse(url);
    char *scheme, *host, *port;
    char *origin = NULL;
    struct buf out;

    if (!parts)
        return NULL;
    scheme = part_of(parts, CURLUPART_SCHEME);
    host = part_of(parts, CURLUPART_HOST);
    port = part_of(parts, CURLUPART_PORT);
    if (scheme && host) {
        buf_init(&out, PUSH_ADDRESS_MAX_BYTES + 16);
        put_origin(&out, scheme, host, port);
        origin = buf_detach(&out);
    }
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(parts);
    return origin;
}
