/* SPDX-License-Identifier: MIT */
/* zookeeper_address.c - see zookeeper_address.h. */
#include "bus/zookeeper_address.h"

#include "base/slice.h"

#include <ctype.h>
#include <string.h>

static const char scheme[] = "zookeeper://";
static const char default_path[] = "/banter/nodes";

static bool copy(char out[ZOOKEEPER_ADDRESS_MAX + 1], struct slice from)
{
    if (from.length > ZOOKEEPER_ADDRESS_MAX)
        return false;
    memcpy(out, from.data, from.length);
    out[from.length] = '\0';
    return true;
}

/* "name:2181", or "[::1]:2181". */
static bool is_host(struct slice host)
{
    size_t digits = 0;

    while (digits < host.length && isdigit((unsigned char)host.data[host.length - 1 - digits]))
        digits++;
    if (digits == 0 || digits > 5 || host.length < digits + 2 ||
        host.data[host.length - 1 - digits] != ':')
        return false;
    for (size_t i = 0; i < host.length; i++) {
        char c = host.data[i];

        if (!isalnum((unsigned char)c) && (c == '\0' || !strchr(".-_:[]", c)))
            return false;
    }
    return true;
}

static bool are_hosts(struct slice hosts)
{
    for (;;) {
        const char *comma = memchr(hosts.data, ',', hosts.length);
        size_t length = comma ? (size_t)(comma - hosts.data) : hosts.length;

        if (!is_host(slice_of(hosts.data, length)))
            return false;
        if (!comma)
            return true;
        hosts = slice_of(comma + 1, hosts.length - length - 1);
    }
}

/* Segments of letters, digits, '-' and '_': none of them is empty, "." or "..". */
static bool is_path(const char *path)
{
    for (const char *c = path; *c; c++) {
        if (*c == '/' ? c[1] == '/' || c[1] == '\0'
                      : !isalnum((unsigned char)*c) && *c != '-' && *c != '_')
            return false;
    }
    return path[0] == '/';
}

bool zookeeper_address_parse(struct zookeeper_address *out, const char *text)
{
    const char *at, *slash, *end;

    *out = (struct zookeeper_address){.path = ""};
    if (strncmp(text, scheme, sizeof scheme - 1) != 0)
        return false;
    text += sizeof scheme - 1;
    at = strrchr(text, '@');
    if (at) {
        if (!copy(out->credentials, slice_of(text, (size_t)(at - text))) ||
            !strchr(out->credentials, ':') || out->credentials[0] == ':')
            return false;
        text = at + 1;
    }
    slash = strchr(text, '/');
    end = slash ? slash : text + strlen(text);
    return are_hosts(slice_of(text, (size_t)(end - text))) &&
           copy(out->hosts, slice_of(text, (size_t)(end - text))) &&
           copy(out->path, slice_str(slash ? slash : default_path)) && is_path(out->path);
}
