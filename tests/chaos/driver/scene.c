/* SPDX-License-Identifier: MIT */
/* scene.c - see scene.h. */
#include "scene.h"

#include "wire/json.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ADDRESS_BYTES = 64 };

static bool complain(const char *what, struct slice where)
{
    fprintf(stderr, "banter-chaos-driver: %s: %.*s\n", what, (int)where.length,
            where.data ? where.data : "");
    return false;
}

static bool read_address(struct slice text, struct sockaddr_in *out)
{
    char copy[ADDRESS_BYTES];
    char *colon;
    char *end;
    unsigned long port;

    if (text.length >= sizeof(copy))
        return complain("not host:port", text);
    memcpy(copy, text.data, text.length);
    copy[text.length] = '\0';
    colon = strrchr(copy, ':');
    if (!colon)
        return complain("not host:port", text);
    *colon = '\0';
    port = strtoul(colon + 1, &end, 10);
    *out = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    if (*end != '\0' || port == 0 || port > UINT16_MAX ||
        inet_pton(AF_INET, strcmp(copy, "localhost") == 0 ? "127.0.0.1" : copy, &out->sin_addr) !=
            1)
        return complain("not an IPv4 address and a port", text);
    return true;
}

static bool read_addresses(struct scene *s)
{
    const json_t *list = json_object_get(s->json, "mqtt");
    size_t i;
    json_t *item;

    s->addresses = calloc(json_array_size(list) + 1, sizeof(*s->addresses));
    if (!s->addresses)
        return complain("out of memory", slice_str(""));
    json_array_foreach(list, i, item)
    {
        if (!read_address(slice_str(json_string_value(item)), &s->addresses[s->address_count++]))
            return false;
    }
    return s->address_count > 0 || complain("no addresses", slice_str("mqtt"));
}

static bool read_manner(const json_t *device, enum manner *out)
{
    static const char *const names[] = {
        [MANNER_NORMAL] = "normal",
        [MANNER_SLOW] = "slow",
        [MANNER_MUTE] = "mute",
        [MANNER_RESEND] = "resend",
    };
    struct slice role = json_member_string(device, "role");

    *out = MANNER_NORMAL;
    if (!role.data)
        return true;
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (slice_equal(role, slice_str(names[i]))) {
            *out = (enum manner)i;
            return true;
        }
    }
    return complain("no such role", role);
}

static bool read_user(struct scene *s, const json_t *json, struct scene_user *user)
{
    const json_t *devices = json_object_get(json, "devices");
    size_t i;
    json_t *item;

    user->handle = json_member_string(json, "handle");
    user->token = json_member_string(json, "token");
    user->devices = calloc(json_array_size(devices) + 1, sizeof(*user->devices));
    if (!user->handle.data || !user->token.data || !user->devices)
        return complain("a user without handle or token", user->handle);
    json_array_foreach(devices, i, item)
    {
        struct scene_device *device = &user->devices[user->device_count++];

        device->name = json_member_string(item, "name");
        if (!device->name.data || !read_manner(item, &device->manner))
            return complain("a device without name or with a wrong role", user->handle);
        s->device_count++;
    }
    return true;
}

static bool read_users(struct scene *s, const char *driver)
{
    const json_t *list = json_object_get(s->json, "users");
    size_t i;
    json_t *item;

    s->users = calloc(json_array_size(list) + 1, sizeof(*s->users));
    if (!s->users)
        return complain("out of memory", slice_str(""));
    json_array_foreach(list, i, item)
    {
        if (slice_equal(json_member_string(item, "driver"), slice_str(driver)) &&
            !read_user(s, item, &s->users[s->user_count++]))
            return false;
    }
    return true;
}

static bool read_conversations(struct scene *s)
{
    const json_t *list = json_object_get(s->json, "conversations");
    size_t i;
    json_t *item;

    s->conversations = calloc(json_array_size(list) + 1, sizeof(*s->conversations));
    if (!s->conversations)
        return complain("out of memory", slice_str(""));
    json_array_foreach(list, i, item)
    {
        struct scene_conversation *conversation = &s->conversations[s->conversation_count++];
        struct slice id = json_member_string(item, "id");

        if (!uuid_parse(&conversation->id, id))
            return complain("not the id of a conversation", id);
        conversation->members = json_object_get(item, "members");
        conversation->posters = json_object_get(item, "posters");
    }
    return true;
}

bool scene_read(struct scene *s, const char *path, const char *driver)
{
    json_error_t error;

    *s = (struct scene){.json = json_load_file(path, 0, &error)};
    if (!s->json)
        return complain(error.text, slice_str(path));
    s->seed = (uint64_t)json_integer_value(json_object_get(s->json, "seed"));
    s->rate = (uint64_t)json_integer_value(json_object_get(s->json, "rate"));
    return read_addresses(s) && read_users(s, driver) && read_conversations(s);
}

void scene_finish(struct scene *s)
{
    for (unsigned i = 0; i < s->user_count; i++)
        free(s->users[i].devices);
    free(s->users);
    free(s->conversations);
    free(s->addresses);
    json_decref(s->json);
    *s = (struct scene){0};
}

bool scene_names(const json_t *handles, struct slice handle)
{
    size_t i;
    json_t *item;

    json_array_foreach(handles, i, item)
    {
        if (slice_equal(slice_str(json_string_value(item)), handle))
            return true;
    }
    return false;
}
