/* SPDX-License-Identifier: MIT */
/* address.c - see address.h. The last '@' ends the password, so a password may hold one. */
#include "bus/address.h"

#include <stdlib.h>
#include <string.h>

/* Cuts the text in two at `at`. */
static char *cut(char *at)
{
    *at = '\0';
    return at + 1;
}

static bool take_port(struct bus_address *a, char *text)
{
    char *end;
    unsigned long port = strtoul(text, &end, 10);

    a->port = (unsigned)port;
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && port >= 1 && port <= 65535;
}

static bool take_host(struct bus_address *a, char *text)
{
    char *colon;

    if (text[0] == '[') {
        char *bracket = strchr(text, ']');

        if (!bracket || bracket[1] != ':')
            return false;
        colon = bracket + 1;
        *bracket = '\0';
        a->host = text + 1;
    } else {
        colon = strchr(text, ':');
        if (!colon || strchr(colon + 1, ':'))
            return false;
        a->host = text;
    }
    return take_port(a, cut(colon)) && a->host[0] != '\0';
}

/* Returns what comes after it; NULL: it is not well formed. */
static char *take_login(struct bus_address *a, char *text)
{
    char *at = strrchr(text, '@');
    char *colon;
    char *rest;

    if (!at)
        return text;
    rest = cut(at);
    colon = strchr(text, ':');
    if (!colon)
        return NULL;
    a->password = cut(colon);
    a->user = text[0] != '\0' ? text : NULL;
    return a->password[0] != '\0' ? rest : NULL;
}

bool bus_address_parse(struct bus_address *out, const char *text)
{
    size_t length = strlen(text);
    char *rest;

    *out = (struct bus_address){0};
    if (length == 0 || length > BUS_ADDRESS_MAX)
        return false;
    memcpy(out->text, text, length + 1);
    if (out->text[0] == '/') { /* a path may hold anything */
        out->path = out->text;
        return true;
    }
    rest = take_login(out, out->text);
    if (!rest)
        return false;
    if (rest[0] == '/') {
        out->path = rest;
        return true;
    }
    return take_host(out, rest);
}
