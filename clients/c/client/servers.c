/* SPDX-License-Identifier: MIT */
/* servers.c - see servers.h. */
#include "client/servers.h"

#include "client/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const mqtt_schemes[] = {"mqtt://", "mqtts://", "ws://", "wss://"};

static bool begins_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* Printable ASCII without spaces, something behind the scheme, and no user or query. */
static bool is_address(const char *text, const char *scheme)
{
    size_t length = strnlen(text, ADDRESS_MAX_BYTES + 1);

    if (length > ADDRESS_MAX_BYTES || !begins_with(text, scheme) || length == strlen(scheme))
        return false;
    for (size_t i = 0; i < length; i++)
        if (text[i] <= ' ' || text[i] >= 0x7f || strchr("@?#\\\"", text[i]))
            return false;
    return true;
}

static bool is_mqtt(const char *text)
{
    for (size_t i = 0; i < sizeof mqtt_schemes / sizeof mqtt_schemes[0]; i++)
        if (is_address(text, mqtt_schemes[i]))
            return true;
    return false;
}

static void address_finish(struct address *a)
{
    free(a->api);
    free(a->mqtt);
    *a = (struct address){0};
}

/* "https://host" has its WebSocket at "wss://host/mqtt". */
static char *beside(const char *api)
{
    size_t room = strlen(api) + sizeof "/mqtt";
    char *mqtt = malloc(room);

    if (mqtt)
        (void)snprintf(mqtt, room, "ws%s/mqtt", api + strlen("http"));
    return mqtt;
}

static int address_make(struct address *out, const char *api, const char *mqtt)
{
    size_t length;

    *out = (struct address){0};
    if (!api || (!is_address(api, "http://") && !is_address(api, "https://")))
        return BANTER_INVALID;
    if (mqtt && !is_mqtt(mqtt))
        return BANTER_INVALID;
    length = strlen(api);
    while (length > 0 && api[length - 1] == '/')
        length--;
    out->api = strndup(api, length);
    if (out->api)
        out->mqtt = mqtt ? strdup(mqtt) : beside(out->api);
    if (out->mqtt)
        return BANTER_OK;
    address_finish(out);
    return BANTER_NO_MEMORY;
}

int servers_init(struct servers *out, const struct banter_server *named, size_t count)
{
    *out = (struct servers){0};
    if (!named || count == 0 || count > SERVERS_NAMED_MAX)
        return BANTER_INVALID;
    for (size_t i = 0; i < count; i++) {
        int error = address_make(&out->list[i], named[i].api, named[i].mqtt);

        if (error)
            return error;
        out->named = ++out->count;
    }
    return BANTER_OK;
}

void servers_finish(struct servers *s)
{
    for (size_t i = 0; i < s->count; i++)
        address_finish(&s->list[i]);
    *s = (struct servers){0};
}

const struct address *servers_current(const struct servers *s)
{
    return &s->list[s->current];
}

void servers_next(struct servers *s)
{
    s->current = (s->current + 1) % s->count;
}

static bool is_listed(const struct servers *s, const struct address *a)
{
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->list[i].mqtt, a->mqtt) == 0 && strcmp(s->list[i].api, a->api) == 0)
            return true;
    return false;
}

/* Forgets what was found before, but the one in use. */
static void forget_found(struct servers *s)
{
    size_t kept = s->named;

    for (size_t i = s->named; i < s->count; i++) {
        if (i == s->current) {
            s->list[kept] = s->list[i];
            s->current = kept++;
        } else {
            address_finish(&s->list[i]);
        }
    }
    s->count = kept;
}

static bool is_websocket(const char *address)
{
    return begins_with(address, "ws");
}

static bool is_encrypted(const char *address)
{
    return begins_with(address, "https:") || begins_with(address, "wss:") ||
           begins_with(address, "mqtts:");
}

/* Tokens that went encrypted so far do not leave it because a node is set up carelessly. */
static bool is_as_safe(const struct address *a, const struct address *current)
{
    return is_encrypted(a->api) >= is_encrypted(current->api) &&
           is_encrypted(a->mqtt) >= is_encrypted(current->mqtt);
}

/* A node says what it wants to. Without `http` any other one's API will do; of two ways to MQTT the
 * one in use has shown that it works from here. BANTER_INVALID: it has no address at all. */
static int address_of_node(struct address *out, const json_t *node, const struct address *current)
{
    const char *http = json_text_of(node, "http"), *ws = json_text_of(node, "ws"),
               *mqtt = json_text_of(node, "mqtt");
    bool takes_ws = ws && (!mqtt || is_websocket(current->mqtt));

    if (!http && !ws && !mqtt)
        return BANTER_INVALID;
    return address_make(out, http ? http : current->api, takes_ws ? ws : mqtt);
}

int servers_found(struct servers *s, const json_t *answer)
{
    const json_t *list = json_object_get(answer, "servers"), *node;
    size_t i;

    if (!json_is_array(list))
        return BANTER_OK;
    forget_found(s);
    json_array_foreach(list, i, node)
    {
        const struct address *current = servers_current(s);
        struct address found;
        int error;

        if (s->count == s->named + SERVERS_FOUND_MAX)
            break;
        error = address_of_node(&found, node, current);
        if (error == BANTER_NO_MEMORY)
            return error;
        if (error)
            continue;
        if (is_listed(s, &found) || !is_as_safe(&found, current))
            address_finish(&found);
        else
            s->list[s->count++] = found;
    }
    return BANTER_OK;
}
